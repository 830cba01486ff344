"""The job table: what happens when. Times and names; the logic is in the services."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One job: every replica fires it; what must happen once is keyed where it happens.

    `finish`: for how long a stop waits for it to end, where being cut off leaves something in doubt.
    """

    name: str
    every: timedelta
    run: Job
    finish: timedelta = timedelta(0)


class Schedule:
    """An in-memory ticker: what is due is in the database, so a missed or late firing loses nothing."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self.entries = entries
        self._scheduler: AsyncIOScheduler | None = None
        self._running = {entry.name: asyncio.Lock() for entry in entries}

    def start(self) -> None:
        """Begin to fire. Firings that were missed fall together into one; a job never overlaps itself."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        for entry in self.entries:
            self._scheduler.add_job(
                self._fire,
                "interval",
                args=[entry],
                seconds=entry.every.total_seconds(),
                id=entry.name,
                name=entry.name,
            )
        self._scheduler.start()

    async def stop(self) -> None:
        """Fire no more. What is running may finish within its time, or is left to be resumed."""
        if self._scheduler is None:
            return
        self._scheduler.pause()
        await asyncio.gather(*(self._finish(entry) for entry in self.entries if entry.finish))
        self._scheduler.shutdown(wait=False)
        self._scheduler = None

    async def _finish(self, entry: Entry) -> None:
        try:
            async with asyncio.timeout(entry.finish.total_seconds()), self._running[entry.name]:
                return
        except TimeoutError:
            log.warning("the job %r did not end within %s of the stop", entry.name, entry.finish)

    async def _fire(self, entry: Entry) -> None:
        """Run a job; to be cut off when the process stops is no failure of it."""
        if self._scheduler is None:  # it shuts down a turn of the loop after it was told to
            return
        try:
            async with self._running[entry.name]:
                await entry.run()
        except asyncio.CancelledError:
            log.info("the job %r was cut off by the stop", entry.name)
