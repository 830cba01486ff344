"""bot.ports.clock.Clock whose time passes when the test says so."""

import asyncio
import time
from dataclasses import dataclass
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


@dataclass(frozen=True)
class HurriedClock:
    """bot.ports.clock.Clock of a real process that lives `pace` seconds in each; the same in every process that is
    given the same three numbers. It begins a day ago, so that it is always behind the sandbox's market."""

    pace: float
    began: datetime
    at: float  # time.monotonic() then

    @classmethod
    def running(cls, pace: float) -> "HurriedClock":
        return cls(pace, datetime.now(UTC) - timedelta(days=1), time.monotonic())

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.pace * (time.monotonic() - self.at))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.pace)
