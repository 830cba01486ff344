"""The wall clock of a real process."""

import asyncio
from datetime import UTC, datetime


class SystemClock:
    """bot.ports.clock.Clock over the machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
