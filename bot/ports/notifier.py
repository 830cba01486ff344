"""Telling a person something."""

from typing import Protocol

from bot.ports.records import OutboxItem
from bot.ports.traffic import Traffic


class Notifier(Protocol):
    """Renders an owed message and brings it into the chat."""

    @property
    def traffic(self) -> Traffic:
        """What has passed through here, answers of handlers included."""
        ...

    async def deliver(self, item: OutboxItem) -> int:
        """Send or edit; the id of the message that now shows it. An edit that changes nothing has succeeded.

        Raises ChatGone, MessageGone, DeliveryDelayed, Ambiguous (it may have arrived) or Unavailable (it has not).
        """
        ...

    async def stands(self, chat_id: int, message_id: int) -> bool:
        """Whether this is a message of the bot in that chat. Asking changes nothing.

        Raises ChatGone, DeliveryDelayed or Unavailable.
        """
        ...
