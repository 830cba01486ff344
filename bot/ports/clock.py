"""The wall clock and waiting, so that a test can own time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time: cards expire and quotes age by it. A market has its own time, in its snapshots."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait so long without holding up anybody else."""
        ...
