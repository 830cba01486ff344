"""bot.ports.clock.Clock whose time passes when the test says so."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class ManualClock:
    def __init__(self, now: datetime = NOON) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def pass_(self, **span: float) -> None:
        """Let time pass: `clock.pass_(minutes=5)`."""
        self._now += timedelta(**span)

    async def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
