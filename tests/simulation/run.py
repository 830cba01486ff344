"""One run of the simulation: a seed makes a world, people, weather and deaths, and leaves evidence."""

import asyncio
import contextlib
import contextvars
import io
import logging
import random
import shutil
import sqlite3
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from tests.fakes.database import sqlite_address
from tests.simulation.evidence import Evidence, read_database
from tests.simulation.process import loop as virtual
from tests.simulation.process.life import belonging
from tests.simulation.process.replicas import TOKEN, Replicas
from tests.simulation.process.sqlite import without_threads
from tests.simulation.story import SECRETS, Story, own
from tests.simulation.world.exchange import ExchangeSide
from tests.simulation.world.market import SmallMarket
from tests.simulation.world.people import Person
from tests.simulation.world.telegram import Telegram
from tests.simulation.world.weather import Weather
from tests.simulation.world.wire import Network

REST_PAUSE, REST_LOOKS = 15.0, 240  # seconds between two looks whether all is at rest: an hour at most
_CONFIRMED = "SELECT count(*) FROM proposal WHERE state = 'confirmed'"
_OWED = "SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending')"
_UNREST = {
    "cards": _CONFIRMED,
    "orders": "SELECT count(*) FROM attempt WHERE state IN"
    " ('reserved', 'sending', 'acked', 'partial', 'unknown', 'reconciling')",
    "messages": _OWED,
}
_NEEDED = {"unfinished work": _CONFIRMED, "owed messages": _OWED}  # else a job would find nothing to do


class Run:
    """A world under way. `template`: a database with the newest schema and no rows."""

    def __init__(self, seed: int, folder: Path, template: Path) -> None:
        chance = random.Random(seed)
        self.story = story = Story.of(chance)
        self._loop = asyncio.get_running_loop()
        belonging(self._loop)
        self._context = contextvars.copy_context()
        self._broken: asyncio.Future[None] = self._loop.create_future()  # the world itself does not work
        self._works: set[asyncio.Task[Any]] = set()
        self.file = folder / "run.sqlite"  # the same for every seed, so that engines serve again
        shutil.copyfile(template, self.file)
        self._glance = sqlite3.connect(self.file, isolation_level=None)
        self.clock = virtual.VirtualClock(self._loop)
        self.weather = Weather(own(chance))
        self.telegram = Telegram()
        market = SmallMarket(self._loop)
        trace: list[str] = []
        self.exchange = ExchangeSide(story, market, self.weather, own(chance), trace)
        self.network = Network(self.exchange.app, self.weather, self.outside)
        self.replicas = Replicas(
            story,
            sqlite_address(self.file),
            self.clock,
            self.network,
            self.telegram,
            self.weather,
            own(chance),
            lambda job: job not in _NEEDED or bool(self._count(_NEEDED[job])),
            trace,
        )
        self.people = [Person(self, n, own(chance)) for n in range(1, story.users + 1)]
        self.restless: list[str] = []
        self._updates = 0

    @property
    def trace(self) -> list[str]:
        """What happened when, where."""
        return self.replicas.trace

    def outside(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task of the world, which no life's end touches."""
        task = self._loop.create_task(work, context=self._context.copy())
        self._works.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._works.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None and not self._broken.done():
            self._broken.set_exception(failure)

    def next_update(self) -> int:
        self._updates += 1
        return self._updates

    async def whole(self) -> None:
        """From the first life to the rest after the weather."""
        await self.replicas.begin(self.outside)
        living = [self.outside(person.live()) for person in self.people]
        self.outside(self.exchange.live())
        await asyncio.sleep(60 * self.story.minutes)
        self.weather.over = True
        self.exchange.calm()
        self.replicas.calm()
        for _ in range(REST_LOOKS):
            if not self._restless(living) or self._broken.done():
                break
            await asyncio.sleep(REST_PAUSE)
        self.restless = self._restless(living)
        self.replicas.end()
        await asyncio.sleep(0.5)
        self._glance.close()
        if self._broken.done():
            await self._broken

    def _restless(self, living: list[asyncio.Task[Any]]) -> list[str]:
        writing = [task for person in self.people for task in person.writing]
        found = [] if all(task.done() for task in [*living, *writing]) else ["updates"]
        if not self.replicas.all_live:
            found.append("replicas that do not live")
        return found + [f"{n} {name}" for name, query in _UNREST.items() if (n := self._count(query))]

    def _count(self, query: str) -> int:
        """Past the store, and cheap."""
        return int(self._glance.execute(query).fetchone()[0])

    def evidence(self, logged: str) -> Evidence:
        """What is left of it."""
        engine = create_engine(f"sqlite:///{self.file}")
        rows = read_database(engine)
        engine.dispose()
        secrets = [part.format(person.id) for person in self.people for part in SECRETS]
        kept = [memory.runs for memory in self.replicas.memories.values()]
        return Evidence(
            users={person.id: person.name for person in self.people},
            book=self.exchange.book(),
            taps=[one for person in self.people for one in person.taps],
            said=self.telegram.said,
            permitted=[one for person in self.people for one in person.permitted],
            texts={
                "the log": logged,
                "the chats": "\n".join(one.text for one in self.telegram.said),
                "the engine": repr(kept),
                "the database": self.file.read_bytes().decode("latin-1"),
            },
            secrets=[*secrets, TOKEN.partition(":")[2]],
            unexpected=[*self.replicas.unexpected, *self.replicas.failed_work(), *_errors(logged)],
            restless=self.restless,
            **rows,
        )


def _errors(logged: str) -> list[str]:
    """What the bot itself calls an error, but for a Telegram that was away too long."""
    return [line for line in logged.splitlines() if " ERROR bot." in line and "goes unanswered" not in line]


@contextlib.contextmanager
def _logged() -> Iterator[io.StringIO]:
    """Everything that is logged, in virtual time."""
    into = io.StringIO()
    handler = logging.StreamHandler(into)
    handler.setFormatter(logging.Formatter("%(created).2f %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    root.handlers, root.level = [handler], logging.INFO
    try:
        yield into
    finally:
        root.handlers, root.level = before, level


def simulate(seed: int, folder: Path, template: Path) -> tuple[Evidence, Run, str]:
    """Run a seed to its end; what it left, the run itself for a closer look, and its log."""

    async def whole() -> Run:
        run = Run(seed, folder, template)
        await run.whole()
        return run

    with _logged() as log, without_threads():
        run = virtual.run(whole())
    try:
        return run.evidence(log.getvalue()), run, log.getvalue()
    finally:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{run.file}{suffix}").unlink(missing_ok=True)
