"""Who is served next: lanes in turn, one at a time from each, and so many at once."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from bot.ports.records import User
from bot.ports.store import TakenUpdate

log = logging.getLogger(__name__)

MOST = 10_000  # in memory; who brings more has to wait


@dataclass(frozen=True, slots=True)
class Arrival:
    """An update that waits. `tap`: of a button. `asks`: it only wants an answer, and changes nothing. `person`: who
    sent it, as known when it came; `unknown`: nobody was. `left`: by an earlier process, or by another replica."""

    taken: TakenUpdate
    tap: bool = False
    asks: bool = False
    user_id: int | None = None
    person: User | None = None
    left: bool = False
    unknown: bool = False


@dataclass(slots=True)
class Lane:
    """What waits in one chat, by number. `served`: of these, the one that is being handled or tried again, and its
    `tries`. `told`: its chat knows that there is a lot."""

    key: int
    waiting: deque[Arrival] = field(default_factory=deque)
    taps: int = 0
    served: Arrival | None = None
    tries: int = 0
    told: bool = False
    rest: asyncio.TimerHandle | None = None

    @property
    def unanswered(self) -> int:
        """Of what waits, what is no tap: a tap is answered by itself, however many there are."""
        return len(self.waiting) - self.taps

    def put(self, one: Arrival) -> None:
        place = len(self.waiting)
        while place and self.waiting[place - 1].taken.id > one.taken.id:
            place -= 1
        self.waiting.insert(place, one)
        self.taps += one.tap

    def remove(self, one: Arrival) -> None:
        self.waiting.remove(one)
        self.taps -= one.tap

    def next(self) -> Arrival:
        """The first; but a tap goes before what only asks."""
        first = self.waiting[0]
        if self.taps and first.asks:
            acts = next(one for one in self.waiting if not one.asks)
            return acts if acts.tap else first
        return first


# One update and its lane; None when it is over, else after how many seconds it is tried again.
Serve = Callable[[Arrival, Lane], Awaitable[float | None]]


class Fair:
    """Lanes are served in the order in which they asked; a lane that was served asks again at the end.

    A lane whose update is to be tried again rests until then, and takes no place while it does.
    """

    def __init__(self, serve: Serve, *, at_once: int) -> None:
        self._serve = serve
        self._at_once = at_once
        self._lanes: dict[int, Lane] = {}
        self._ready: deque[Lane] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._room.set()
        self._count = 0
        self._closed = False

    def __len__(self) -> int:
        return self._count

    @property
    def ids(self) -> set[int]:
        """What waits or is being handled."""
        return {one.taken.id for lane in self._lanes.values() for one in lane.waiting}

    async def room(self) -> None:
        """Wait until one more fits."""
        await self._room.wait()

    def put(self, one: Arrival) -> None:
        """Let it wait for its turn."""
        lane = self._lanes.get(one.taken.lane)
        if lane is None:
            lane = self._lanes[one.taken.lane] = Lane(one.taken.lane)
            self._ready.append(lane)
        lane.put(one)
        self._counted(+1)
        self._begin()

    def drop(self, ids: Collection[int]) -> None:
        """Leave these to others, where their handling has not begun."""
        for lane in list(self._lanes.values()):
            for one in [w for w in lane.waiting if w.taken.id in ids and w is not lane.served]:
                lane.remove(one)
                self._counted(-1)

    async def close(self, grace: float) -> None:
        """Begin nothing more; what is being handled gets so many seconds."""
        self._closed = True
        for lane in self._lanes.values():
            if lane.rest is not None:
                lane.rest.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self) -> None:
        while self._ready and len(self._tasks) < self._at_once and not self._closed:
            lane = self._ready.popleft()
            if not lane.waiting:
                del self._lanes[lane.key]
                continue
            task = asyncio.get_running_loop().create_task(self._one_of(lane))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def _one_of(self, lane: Lane) -> None:
        one = lane.served or lane.next()
        lane.served = one
        again = await self._serve(one, lane)
        if again is None:
            lane.remove(one)
            lane.served, lane.tries = None, 0
            self._counted(-1)
            self._ready.append(lane)
        else:
            lane.tries += 1
            lane.rest = asyncio.get_running_loop().call_later(again, self._rested, lane)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        failure = None if task.cancelled() else task.exception()
        if isinstance(failure, Exception):  # nobody foresaw it: its chat stands still until the next start
            log.error("an update stays unhandled", exc_info=failure)
        if not task.cancelled() and (failure is None or isinstance(failure, Exception)):
            self._begin()

    def _rested(self, lane: Lane) -> None:
        lane.rest = None
        self._ready.append(lane)
        self._begin()

    def _counted(self, change: int) -> None:
        self._count += change
        if self._count < MOST:
            self._room.set()
        else:
            self._room.clear()
