"""bot.ports.notifier.Notifier that keeps what it is told, or fails as the test scripts it."""

from bot.ports.errors import MessageGone
from bot.ports.records import OutboxItem


class Listener:
    """`failures`: what the next deliveries raise, in turn; None lets one through."""

    def __init__(self) -> None:
        self.told: list[OutboxItem] = []
        self.pinned: list[OutboxItem] = []  # what became of the message at the top of the chat
        self.gone: set[int] = set()  # messages that their reader has deleted
        self.failures: list[Exception | None] = []

    async def deliver(self, item: OutboxItem) -> int:
        if item.edit in self.gone:
            raise MessageGone("message to edit not found")
        if item.kind in ("pinned", "pin", "unpin"):
            self.pinned.append(item)
            return item.edit if item.edit is not None else 5000 + len(self.pinned)
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.told.append(item)
        return item.edit if item.edit is not None else 1000 + len(self.told)

    def kinds(self) -> list[str]:
        return [item.kind for item in self.told]
