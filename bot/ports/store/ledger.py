"""The attempt ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from bot.ports.records import Attempt, AttemptState, OutboxItem


class LedgerStore(Protocol):
    async def reserve(self, attempt: Attempt) -> Attempt:
        """Insert in state RESERVED with its event. The same client id again hands back what is there.
        Raises SymbolBusy when another attempt on the account and symbol is not terminal, StaleVersion when the card
        has come to its end."""
        ...

    async def transition(
        self,
        attempt: Attempt,
        to: AttemptState,
        *,
        at: datetime,
        outbox: OutboxItem | None = None,
        **changes: Any,
    ) -> Attempt:
        """Move on from exactly `attempt.version`, with an event row: the new attempt, version + 1.
        `changes` are other fields of Attempt. Raises StaleVersion; a terminal state never changes (StaleVersion)."""
        ...

    async def attempt(self, client_id: str) -> Attempt | None: ...

    async def attempts(self, proposal_id: str) -> Sequence[Attempt]:
        """By leg and number."""
        ...

    async def open_attempts(self, *, before: datetime) -> Sequence[Attempt]:
        """Not terminal and not touched since `before` (wall time)."""
        ...

    async def events(self, client_id: str) -> Sequence[tuple[AttemptState, datetime]]:
        """Every state the attempt has been in, in order."""
        ...
