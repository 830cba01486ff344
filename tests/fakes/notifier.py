"""bot.ports.notifier.Notifier that keeps what it is told, or fails as the test scripts it."""

from bot.ports.errors import MessageGone, Unavailable
from bot.ports.records import OutboxItem
from bot.ports.traffic import Traffic


class Listener:
    """`failures`: what the next deliveries raise, in turn; None lets one through. `standing`: ids of messages that have
    arrived, whoever sent them; None says that the question failed."""

    def __init__(self) -> None:
        self.traffic = Traffic()
        self.standing: set[int] | None = set()
        self.asked: list[int] = []
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

    async def stands(self, chat_id: int, message_id: int) -> bool:
        self.asked.append(message_id)
        if self.standing is None:
            raise Unavailable("no answer")
        return message_id in self.standing

    def kinds(self) -> list[str]:
        return [item.kind for item in self.told]
