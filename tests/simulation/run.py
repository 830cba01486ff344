"""One run of the simulation: a seed makes a world, people, weather and deaths, and leaves evidence."""

import asyncio
import contextlib
import contextvars
import io
import logging
import random
import shutil
import sqlite3
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import create_engine
from starlette.applications import Starlette

from bot.bootstrap import _jobs, build_services
from bot.chat.application import Link, TelegramShell, build
from bot.chat.notifier import TelegramNotifier
from bot.exchange.exchanges import Exchanges
from bot.ports.errors import PortError
from bot.ports.records import Account
from bot.ports.vault import Credentials
from bot.sandbox.exchanges import VENUES
from bot.schedule import Entry
from bot.services.errors import ServiceError
from bot.settings import Settings
from bot.storage import SqlStore
from bot.storage.vault import NoKeys, SqlVault
from hedging.errors import HedgingError, OrderRejected
from hedging.money import cap_price
from tests.fakes.database import sqlite_address
from tests.fakes.durable import InProcess, Memory
from tests.simulation import loop as virtual
from tests.simulation.evidence import Booked, Evidence, read_database
from tests.simulation.life import COMMITTED, HOT, Fate, Life, belonging
from tests.simulation.market import SmallMarket
from tests.simulation.people import Person
from tests.simulation.sqlite import Databases, without_threads
from tests.simulation.telegram import Telegram, TelegramLine
from tests.simulation.weather import SeededFaults, Weather
from tests.simulation.wire import InProcessWire, Network

log = logging.getLogger(__name__)

D = Decimal
DATABASES = Databases()
NAMED = (PortError, HedgingError, ServiceError)
SECRETS = ("canary-key-of-{}", "canary-secret-of-{}", "canary-words-of-{}")
TOKEN = "1:canary-token"
REST_WITHIN = 3600.0  # seconds after the weather is over
_CONFIRMED = "SELECT count(*) FROM proposal WHERE state = 'confirmed'"
_OWED = "SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending')"
_UNREST = {
    "cards": _CONFIRMED,
    "orders": "SELECT count(*) FROM attempt WHERE state IN"
    " ('reserved', 'sending', 'acked', 'partial', 'unknown', 'reconciling')",
    "messages": _OWED,
}
_NEEDED = {"unfinished work": _CONFIRMED, "owed messages": _OWED}  # else a job would find nothing to do


@dataclass(frozen=True)
class Story:
    """What a seed decides before anything happens."""

    exchange: str
    users: int
    replicas: int
    one_engine: bool  # replicas share the durable engine's tables, as on PostgreSQL
    hedged: bool  # accounts hold longs and shorts side by side
    minutes: float  # until the weather is over
    deaths: int
    stalls: int
    pace: int  # background jobs come so many times less often than in earnest
    events: int  # what the world does of itself

    @classmethod
    def of(cls, chance: random.Random) -> "Story":
        replicas = chance.choice((1, 1, 2))
        return cls(
            exchange=chance.choice(list(VENUES)),
            users=chance.choice((1, 1, 2, 3)),
            replicas=replicas,
            one_engine=chance.random() < 0.5,
            hedged=chance.random() < 0.2,
            minutes=chance.choice((0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 12.0)),
            deaths=chance.choice((0, 1, 2, 4)),
            stalls=chance.choice((0, 1, 2)) if replicas > 1 else 0,
            pace=chance.choice((2, 5, 10)),
            events=chance.choice((0, 1, 3, 6)),
        )


class Run:
    """A world under way."""

    def __init__(self, seed: int, folder: Path, template: Path) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.story = Story.of(self.chance)
        self.loop = asyncio.get_running_loop()
        belonging(self.loop)
        self._outside = contextvars.copy_context()
        self._works: dict[asyncio.Task[Any], None] = {}
        file = folder / "run.sqlite"  # the same for every seed, so that engines serve again
        shutil.copyfile(template, file)
        self.database = sqlite_address(file)
        self.engine = create_engine(f"sqlite:///{file}")
        self._glance = sqlite3.connect(file, isolation_level=None)
        self.file = file
        self.clock = virtual.VirtualClock(self.loop)
        self.market = SmallMarket(self.loop)
        self.weather = Weather(self._own())
        self.telegram = Telegram()
        self.venue = VENUES[self.story.exchange](self.market)
        self.venue.faults = SeededFaults(self.weather, self._beside_an_order)
        self.network = Network(Starlette(routes=self.venue.routes()), self.weather, self.outside)
        self.people = [Person(self, n, self._own()) for n in range(1, self.story.users + 1)]
        shared = Memory()
        names = ["a", "b"][: self.story.replicas]
        self.memories = {name: shared if self.story.one_engine else Memory() for name in names}
        self.lives: dict[str, tuple[Life, TelegramShell | None]] = {}
        self.unexpected: list[str] = []
        self.trace: list[str] = []  # what happened when, in which replica
        self._deaths, self._stalls = self.story.deaths, self.story.stalls
        self._closing = False
        self.broken: asyncio.Future[None] = self.loop.create_future()  # the world itself does not work
        self._updates = 0
        for person in self.people:
            key, secret, words = (part.format(person.id) for part in SECRETS)
            trader = self.venue.desk.open_account(key, secret, words)
            trader.hedged = self.story.hedged

    def _own(self) -> random.Random:
        return random.Random(self.chance.getrandbits(64))

    def outside(self, work: Awaitable[Any]) -> asyncio.Task[Any]:
        """A task of the world, which no life's end touches."""
        task = self.loop.create_task(_awaited(work), context=self._outside.copy())
        self._works[task] = None
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._works.pop(task, None)
        if not task.cancelled() and task.exception() is not None and not self.broken.done():
            self.broken.set_exception(task.exception())  # type: ignore[arg-type]

    def next_update(self) -> int:
        self._updates += 1
        return self._updates

    async def whole(self) -> None:
        """From the first life to the rest after the weather."""
        await DATABASES.warm(self.database, 4)
        for replica in self.memories:
            self.outside(self._kept_alive(replica))
        living = [self.outside(person.live()) for person in self.people]
        self.outside(self._events())
        await asyncio.sleep(60 * self.story.minutes)
        self.weather.over = True
        self.venue.clock_ahead_ms = 0
        self.venue.desk.share = None
        self._deaths = self._stalls = 0
        for life, _ in self.lives.values():
            life.fate = None
        until = self.loop.time() + REST_WITHIN
        # Virtual seconds; and there is no event that says "at rest".
        while self._restless(living) and self._goes_on(until):  # noqa: ASYNC110
            await asyncio.sleep(15)
        self.restless = self._restless(living)
        self._closing = True
        for life, _ in self.lives.values():
            life.kill()
        await asyncio.sleep(0.5)
        if self.broken.done():
            await self.broken

    def _restless(self, living: list[asyncio.Task[Any]]) -> list[str]:
        found = []
        if not all(task.done() for task in living) or any(
            not task.done() for person in self.people for task in person.writing
        ):
            found.append("updates")
        if len([1 for _, shell in self.lives.values() if shell is not None]) < self.story.replicas:
            found.append("lives")
        found += [f"{count} {name}" for name, query in _UNREST.items() if (count := self._count(query))]
        return found

    def _count(self, query: str) -> int:
        """Past the store, and cheap."""
        return int(self._glance.execute(query).fetchone()[0])

    # The bot

    async def _kept_alive(self, replica: str) -> None:
        """One life after another."""
        while not self._closing:
            life = self._new_life(replica)
            self.lives[replica] = life, None
            begun = life.spawn(self._live(life))
            begun.add_done_callback(partial(self._begun, life))
            await life.over.wait()
            self.lives[replica] = life, None
            await asyncio.gather(*life.tasks, return_exceptions=True)
            if not self._closing:
                await asyncio.sleep(self.chance.choice((0.2, 2.0, 20.0, 130.0, 200.0)))

    def _goes_on(self, until: float) -> bool:
        return self.loop.time() < until and not self.broken.done()

    def _begun(self, life: Life, task: asyncio.Task[None]) -> None:
        """A start that fails ends the process; systemd begins another one."""
        failure = None if task.cancelled() else task.exception()
        if failure is not None and not life.dead:
            if not isinstance(failure, NAMED):
                self.unexpected.append(f"the start: {failure!r}")
            life.kill()

    def _new_life(self, replica: str) -> Life:
        fate = None
        if self._stalls and self.chance.random() < 0.7:
            self._stalls -= 1
            fate = self._fate(self.chance.choice((8.0, 50.0, 100.0, 200.0)))
        elif self._deaths:
            self._deaths -= 1
            fate = self._fate(None)
        return Life(replica, self._own(), self.trace, fate)

    def _fate(self, stall: float | None) -> Fate:
        parts, latest = self.chance.choice(
            ((("",), 150), (("",), 500), (("",), 1500), (HOT, 10), (HOT, 40), (HOT, 100), (COMMITTED, 8))
        )
        return Fate(self.chance.randint(1, latest), parts, stall)

    async def _live(self, life: Life) -> None:
        """What `bot.bootstrap.running` builds, over the doors of this world."""
        settings = Settings.model_construct(
            token=SecretStr(TOKEN), replica=life.replica, practice_exchange=self.story.exchange
        )
        store = life.around("store", SqlStore(DATABASES.borrow(self.database, life)))
        wire = InProcessWire(self.clock, self.network, life.point)
        exchanges = Exchanges(self.story.exchange, store, wire, self.clock, self._credentials)
        life.at_end.append(exchanges.close)
        vault = SqlVault(DATABASES.borrow(self.database, life), NoKeys())
        durable = InProcess(self.memories[life.replica], self.clock, life.replica, life.point)
        link = Link(
            TOKEN, "http://telegram.invalid", request=TelegramLine(self.telegram, self.weather, life.point)
        )
        notifier = TelegramNotifier(link.out)
        services = build_services(settings, store, exchanges, exchanges, vault, notifier, durable, self.clock)
        shell = build(services, link)
        await durable.launch()
        await shell.start()
        self.lives[life.replica] = life, shell
        for entry in _jobs(settings, services, store, durable, self.clock):
            life.spawn(self._fired(entry))

    async def _fired(self, entry: Entry) -> None:
        every = entry.every.total_seconds()
        every *= self.story.pace if every < 30 else 1
        while True:
            await asyncio.sleep(every)
            if entry.name in _NEEDED and not self._count(_NEEDED[entry.name]):
                continue
            try:
                await entry.run()
            except NAMED as failure:
                log.warning("%s: %s", entry.name, failure)
            except Exception as failure:
                log.exception("%s failed", entry.name)
                self.unexpected.append(f"{entry.name}: {failure!r}")

    async def _credentials(self, account: Account) -> Credentials:
        return Credentials(*(part.format(account.user_id) for part in SECRETS))

    async def delivered(self, update: dict[str, Any]) -> None:
        """Until some life has handled it to its end; Telegram asks again when that takes long."""
        while True:
            shells = [(life, shell) for life, shell in self.lives.values() if shell is not None]
            if shells:
                life, shell = self.chance.choice(shells)
                handling = life.spawn(self._handled(shell, update))
                await asyncio.wait([handling], timeout=70)
                if handling.done() and not handling.cancelled() and handling.exception() is None:
                    break
            await asyncio.sleep(1)
        if self.chance.random() < 0.03:  # and it comes once more
            shells = [(life, shell) for life, shell in self.lives.values() if shell is not None]
            for life, shell in shells[:1]:
                life.spawn(self._handled(shell, update))

    async def _handled(self, shell: TelegramShell, update: dict[str, Any]) -> None:
        """What the webhook answers 500 for is raised, and the update comes again."""
        try:
            await shell.handle_update(update)
        except NAMED:
            raise
        except Exception as failure:
            log.exception("update %s failed", update["update_id"])
            self.unexpected.append(f"update {update['update_id']}: {failure!r}")
            raise

    # The world

    async def _events(self) -> None:
        """Prices that leap, forced closes, the user's own hand, clocks that go wrong."""
        for _ in range(self.story.events):
            await asyncio.sleep(self.chance.uniform(5, 90 * self.story.minutes / max(self.story.events, 1)))
            if self.weather.over:
                return
            self._event()

    def _event(self) -> None:
        desk = self.venue.desk
        trader = self.chance.choice(list(desk.traders.values()))
        symbol = self.chance.choice(sorted(set(desk.contracts()) - desk.delisted))
        kind = self.chance.choice(
            ("move", "move", "leap", "adl", "liquidation", "hand", "hand", "clock", "share", "delist")
        )
        self.trace.append(f"{self.loop.time():9.3f} the world: {kind} {symbol}")
        match kind:
            case "move":
                self.market.move(symbol.partition("/")[0], self.chance.uniform(0.985, 1.015))
            case "leap":
                self.market.move(symbol.partition("/")[0], self.chance.choice((0.6, 0.93, 1.07, 1.4)))
            case "adl" | "liquidation":
                desk.force_close(trader, symbol, kind, self.chance.choice((D("0.5"), D(1))))
            case "clock":
                self.venue.clock_ahead_ms = self.chance.choice((-30_000, -2_000, 2_000, 30_000))
            case "share":
                desk.share = self.chance.choice((None, D("0.37"), D("0.9"), D(0)))
            case "delist":
                if self.chance.random() < 0.3:
                    desk.delist(symbol)
            case "hand":
                self._by_hand(symbol)

    def _beside_an_order(self) -> None:
        """While an order is on its way its owner may trade too."""
        if not self.weather.over and self.chance.random() < 0.03:
            self._by_hand(
                self.chance.choice(sorted(set(self.venue.desk.contracts()) - self.venue.desk.delisted))
            )

    def _by_hand(self, symbol: str) -> None:
        """The user trades on their own."""
        desk = self.venue.desk
        trader = self.chance.choice(list(desk.traders.values()))
        quote, contract = self.market.snapshot().quotes[symbol], desk.contract(symbol)
        selling = self.chance.random() < 0.5
        worst = quote.bid * D("0.95") if selling else quote.ask * D("1.05")
        amount = contract.lot * self.chance.randint(1, 200)
        with contextlib.suppress(OrderRejected):
            desk.place(
                trader,
                client_id=f"by-hand-{self.chance.randint(1, 999)}",
                symbol=symbol,
                side="sell" if selling else "buy",
                contracts=amount,
                limit_price=cap_price(worst, contract.tick, selling=selling),
                reduce_only=False,
                position_side="both" if not trader.hedged else self.chance.choice(("long", "short")),
            )

    # What is left

    def evidence(self, logged: str) -> Evidence:
        secrets = [part.format(person.id) for person in self.people for part in SECRETS]
        kept = repr([memory.runs for memory in self.memories.values()])
        said = "\n".join(one.text for one in self.telegram.said)
        return Evidence(
            users={person.id: person.name for person in self.people},
            book=self._book(),
            taps=[one for person in self.people for one in person.taps],
            said=self.telegram.said,
            texts={
                "the log": logged,
                "the chats": said,
                "the engine": kept,
                "the database": self.file.read_bytes().decode("latin-1"),
            },
            secrets=[*secrets, TOKEN.partition(":")[2]],
            unexpected=self.unexpected,
            restless=self.restless,
            **read_database(self.engine),
        )

    def _book(self) -> list[Booked]:
        found = []
        for person in self.people:
            trader = self.venue.desk.traders[SECRETS[0].format(person.id)]
            held: dict[tuple[str, str], Decimal] = {}
            for order in trader.orders:
                place = order.symbol, order.position_side
                booked = Booked(
                    person.id,
                    order.client_id,
                    order.symbol,
                    order.side,
                    order.contracts,
                    order.filled,
                    order.limit_price,
                    order.reduce_only,
                    order.time,
                    held.get(place, D(0)),
                    order.forced is not None,
                )
                held[place] = booked.position_before + booked.signed
                found.append(booked)
        return found


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


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

    with _logged() as log_text, without_threads():
        run = virtual.run(whole())
    logged = log_text.getvalue()
    try:
        return run.evidence(logged), run, logged
    finally:
        run._glance.close()
        run.engine.dispose()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{run.file}{suffix}").unlink(missing_ok=True)
