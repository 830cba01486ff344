"""bot.ports.notifier.Notifier that keeps what it is told, or fails as the test scripts it."""

from bot.ports.records import OutboxItem


class Listener:
    """`failures`: what the next deliveries raise, in turn; None lets one through."""

    def __init__(self) -> None:
        self.told: list[OutboxItem] = []
        self.failures: list[Exception | None] = []

    async def deliver(self, item: OutboxItem) -> int:
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.told.append(item)
        return item.edit if item.edit is not None else 1000 + len(self.told)

    def kinds(self) -> list[str]:
        return [item.kind for item in self.told]
