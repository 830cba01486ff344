"""What was taken in and what has ended, written down together: each commit waits for the disk, and many share one."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.ports.clock import Clock
from bot.ports.errors import PortError
from bot.ports.store import TakenUpdate, UpdateStore

log = logging.getLogger(__name__)

GATHER = 0.01  # seconds in which more may end, while others are being handled
TRY_AGAIN_AFTER = 1.0


@dataclass(slots=True)
class _Intake:
    taken: Sequence[TakenUpdate]
    fresh: frozenset[int] | None = None


class Commits:
    def __init__(self, store: UpdateStore, clock: Clock, replica: str) -> None:
        self._store, self._clock, self._replica = store, clock, replica
        self._turn = asyncio.Lock()
        self._intakes: list[_Intake] = []
        self._ended: set[int] = set()
        self._ends: dict[int, asyncio.Future[None]] = {}
        self._writer: asyncio.Task[None] | None = None

    async def take(self, taken: Sequence[TakenUpdate]) -> frozenset[int]:
        """Those that are new, and this replica's; all of them are durable when this returns. Raises Unavailable."""
        mine = _Intake(taken)
        self._intakes.append(mine)
        async with self._turn:
            if mine.fresh is None:
                await self._write(mine)
        return mine.fresh or frozenset()

    def end(self, update_id: int, *, soon: bool) -> None:
        """Note that it is over. Until that is durable it may be handled once more after a crash. `soon`: at once."""
        self._ended.add(update_id)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write_ended(0 if soon else GATHER))

    def is_over(self, update_id: int) -> bool:
        """Whether it has ended, and that is not durable yet."""
        return update_id in self._ended

    async def noted(self, update_id: int) -> None:
        """Wait until the end of it is durable."""
        if update_id not in self._ends:
            self._ends[update_id] = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._ends[update_id])

    async def close(self) -> None:
        """Write what is left, if that can be done now."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        try:
            async with self._turn:
                await self._write(None)
        except PortError as failure:
            log.warning("the last updates are handled again at the next start: %s", failure)

    async def _write_ended(self, gather: float) -> None:
        """Until nothing is left. A database that is away is waited for: nobody is to be answered twice for it."""
        told = False
        while self._ended:
            await asyncio.sleep(gather)
            try:
                async with self._turn:
                    await self._write(None)
            except PortError as failure:
                if not told:
                    log.error("handled updates cannot be noted: %s; trying until they are", failure)
                told = True
                await asyncio.sleep(TRY_AGAIN_AFTER)

    async def _write(self, mine: _Intake | None) -> None:
        intakes, self._intakes = self._intakes, []
        ended = frozenset(self._ended)
        if not intakes and not ended:
            return
        taken = {one.id: one for intake in intakes for one in intake.taken}
        try:
            fresh = set(
                await self._store.settle_updates(
                    list(taken.values()), ended, by=self._replica, now=self._clock.now()
                )
            )
        except BaseException:
            self._intakes = [
                one for one in intakes if one is not mine
            ] + self._intakes  # each tries for itself
            raise
        self._ended -= ended
        for intake in intakes:  # an update that came twice belongs to whoever brought it first
            intake.fresh = frozenset(one.id for one in intake.taken) & fresh
            fresh -= intake.fresh
        for number in ended:
            if (end := self._ends.pop(number, None)) is not None:
                end.set_result(None)
