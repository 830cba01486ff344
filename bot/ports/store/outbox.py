"""Messages that are owed, until they have arrived."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.ports.records import OutboxItem, Passing, Traces


class OutboxStore(Protocol):
    async def owe(self, item: OutboxItem) -> OutboxItem:
        """Insert; a known key hands back what is there."""
        ...

    async def outbox_item(self, item_id: int) -> OutboxItem | None: ...

    async def due(self, *, now: datetime, limit: int = 100) -> Sequence[OutboxItem]:
        """Pending and due, oldest first; and those left in `sending` for more than a minute."""
        ...

    async def claim_delivery(self, item: OutboxItem, *, now: datetime, by: str) -> OutboxItem | None:
        """pending -> sending, tries + 1; also from a sending that is over a minute old, or that was claimed `by` the
        same worker in an earlier life. None when somebody else has it or it is over."""
        ...

    async def claim_due(
        self, *, now: datetime, limit: int, every: float, chat_every: float
    ) -> Sequence[tuple[OutboxItem, datetime]]:
        """Claim what is due and may be sent now, at most one to a chat, those with a sound first and then the oldest;
        each with its instant: `every` seconds after the one before, over all replicas, and never within
        `chat_every` seconds of another message to the same chat. Chats that were told to wait are passed over."""
        ...

    async def begin_delivery(self, item: OutboxItem, *, now: datetime, by: str, after: int = 0) -> bool:
        """From now on it is in doubt whether what was claimed has been sent: its id will be above `after`, and above
        that of every message that was sent before. False when somebody else has it."""
        ...

    async def traces(self, item: OutboxItem) -> Traces:
        """What is known of the messages above the `after_id` of one that is in doubt."""
        ...

    async def passing(self, *, since: datetime) -> Sequence[Passing]:
        """New messages that were sent since then, and those that were begun since then, by any replica."""
        ...

    async def finish_delivery(
        self,
        item: OutboxItem,
        *,
        state: str,
        message_id: int | None = None,
        not_before: datetime | None = None,
        now: datetime | None = None,
    ) -> None:
        """To sent (`now`), dropped, or back to pending until `not_before`: it is in doubt no more. A sent alert
        remembers its message id, also on the alert row (`payload["alert_id"]`)."""
        ...
