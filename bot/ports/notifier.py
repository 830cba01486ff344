"""Telling a person something."""

from typing import Protocol

from bot.ports.records import OutboxItem


class Notifier(Protocol):
    """Renders an owed message and brings it into the chat."""

    async def deliver(self, item: OutboxItem) -> int:
        """Send or edit; the id of the message that now shows it. An edit that changes nothing has succeeded.

        Raises ChatGone, MessageGone, DeliveryDelayed, Ambiguous (it may have arrived) or Unavailable (it has not).
        """
        ...
