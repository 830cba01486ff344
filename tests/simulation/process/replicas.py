"""The bot in the simulation: replicas that live, die, stand still and begin again, and take updates between them."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from bot.bootstrap import _jobs, build_services
from bot.chat.application import Link, TelegramShell, build
from bot.chat.notifier import TelegramNotifier
from bot.exchange.exchanges import Exchanges
from bot.ports.clock import Clock
from bot.ports.errors import PortError
from bot.ports.records import Account
from bot.ports.vault import Credentials
from bot.schedule import Entry
from bot.services.errors import ServiceError
from bot.settings import Settings
from bot.storage import SqlStore
from bot.storage.vault import NoKeys, SqlVault
from hedging.errors import HedgingError
from tests.fakes.durable import InProcess, Memory
from tests.simulation.process.life import COMMITTED, HOT, Fate, Life
from tests.simulation.process.sqlite import Databases
from tests.simulation.story import SECRETS, Story, own
from tests.simulation.world.telegram import Telegram, TelegramLine
from tests.simulation.world.weather import Weather
from tests.simulation.world.wire import InProcessWire, Network

log = logging.getLogger(__name__)

TOKEN = "1:canary-token"
NAMED = (PortError, HedgingError, ServiceError)
DATABASES = Databases()
OFTEN = 30.0  # seconds; what comes more often than that comes at the story's pace

Json = dict[str, Any]


class Replicas:
    """`needed`: whether a job would find anything to do. `trace`: what happened when, in which replica."""

    def __init__(
        self,
        story: Story,
        database: str,
        clock: Clock,
        network: Network,
        telegram: Telegram,
        weather: Weather,
        chance: random.Random,
        needed: Callable[[str], bool],
        trace: list[str],
    ) -> None:
        self._story, self._database, self._clock = story, database, clock
        self._network, self._telegram, self._weather = network, telegram, weather
        self._chance, self._needed = chance, needed
        shared = Memory()
        self.memories = {name: shared if story.one_engine else Memory() for name in "ab"[: story.replicas]}
        self.unexpected: list[str] = []
        self.trace = trace
        self._lives: dict[str, tuple[Life, TelegramShell | None]] = {}
        self._deaths, self._stalls, self._closing = story.deaths, story.stalls, False

    async def begin(self, outside: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        """Let every replica live, again and again. `outside` starts a task that no life's end touches."""
        await DATABASES.warm(self._database, 2 * self._story.replicas)
        for replica in self.memories:
            outside(self._kept_alive(replica))

    @property
    def all_live(self) -> bool:
        """Whether each of them can take an update."""
        return len(self._ready()) == self._story.replicas

    def calm(self) -> None:
        """Nobody dies any more."""
        self._deaths = self._stalls = 0
        for life, _ in self._lives.values():
            life.fate = None

    def end(self) -> None:
        self._closing = True
        for life, _ in self._lives.values():
            life.kill()

    def failed_work(self) -> list[str]:
        """Durable work that ended with a failure without a name."""
        return [
            f"{name}: {kept.ended.failure!r}"
            for memory in {id(memory): memory for memory in self.memories.values()}.values()
            for name, kept in memory.runs.items()
            if kept.ended and kept.ended.failure and not isinstance(kept.ended.failure, NAMED)
        ]

    async def deliver(self, update: Json) -> None:
        """Until some life has handled it to its end; Telegram asks again when that takes long."""
        while True:
            if ready := self._ready():
                life, shell = self._chance.choice(ready)
                handling = life.spawn(self._handled(shell, update))
                await asyncio.wait([handling], timeout=70)
                if handling.done() and not handling.cancelled() and handling.exception() is None:
                    break
            await asyncio.sleep(1)
        if self._chance.random() < 0.03:  # and it comes once more
            for life, shell in self._ready()[:1]:
                life.spawn(self._handled(shell, update))

    def _ready(self) -> list[tuple[Life, TelegramShell]]:
        return [(life, shell) for life, shell in self._lives.values() if shell is not None]

    async def _handled(self, shell: TelegramShell, update: Json) -> None:
        """What the webhook answers 500 for is raised, and the update comes again."""
        try:
            await shell.handle_update(update)
        except NAMED:
            raise
        except Exception as failure:
            log.exception("update %s failed", update["update_id"])
            self.unexpected.append(f"update {update['update_id']}: {failure!r}")
            raise

    async def _kept_alive(self, replica: str) -> None:
        """One life after another."""
        while not self._closing:
            life = Life(replica, own(self._chance), self.trace, self._next_fate())
            self._lives[replica] = life, None
            life.spawn(self._live(life)).add_done_callback(partial(self._begun, life))
            await life.over.wait()
            self._lives[replica] = life, None
            await asyncio.gather(*life.tasks, return_exceptions=True)
            if not self._closing:
                await asyncio.sleep(self._chance.choice((0.2, 0.2, 2.0, 2.0, 20.0, 130.0, 200.0)))

    def _begun(self, life: Life, task: asyncio.Task[None]) -> None:
        """A start that fails ends the process; systemd begins another one."""
        failure = None if task.cancelled() else task.exception()
        if failure is not None and not life.dead:
            if not isinstance(failure, NAMED):
                self.unexpected.append(f"the start: {failure!r}")
            life.kill()

    def _next_fate(self) -> Fate | None:
        if self._stalls and self._chance.random() < 0.7:
            self._stalls -= 1
            return self._fate(self._chance.choice((8.0, 50.0, 100.0, 200.0)))
        if self._deaths:
            self._deaths -= 1
            return self._fate(None)
        return None

    def _fate(self, stall: float | None) -> Fate:
        parts, latest = self._chance.choice(
            ((("",), 150), (("",), 500), (("",), 1500), (HOT, 10), (HOT, 40), (HOT, 100), (COMMITTED, 8))
        )
        return Fate(self._chance.randint(1, latest), parts, stall)

    async def _live(self, life: Life) -> None:
        """What `bot.bootstrap.running` builds, over the doors of this world."""
        settings = Settings.model_validate(
            {
                "token": TOKEN,
                "replica": life.replica,
                "practice_exchange": self._story.exchange,
                "card_seconds": self._story.card_seconds,
            }
        )
        store = life.around("store", SqlStore(DATABASES.borrow(self._database, life), TOKEN))
        vault = SqlVault(DATABASES.borrow(self._database, life), NoKeys())
        wire = InProcessWire(self._clock, self._network, life.point)
        exchanges = Exchanges(self._story.exchange, store, wire, self._clock, _credentials)
        life.at_end.append(exchanges.close)
        durable = InProcess(self.memories[life.replica], self._clock, life.replica, life.point)
        line = TelegramLine(self._telegram, self._weather, life.point)
        link = Link(TOKEN, "http://telegram.invalid", request=line)
        services = build_services(
            settings, store, exchanges, exchanges, vault, TelegramNotifier(link.out), durable, self._clock
        )
        shell = build(services, link)
        await durable.launch()
        await shell.start()
        self._lives[life.replica] = life, shell
        for entry in _jobs(settings, services, store, durable, self._clock):
            life.spawn(self._fired(entry))

    async def _fired(self, entry: Entry) -> None:
        every = entry.every.total_seconds()
        every *= self._story.pace if every < OFTEN else 1
        while True:
            await asyncio.sleep(every)
            if not self._needed(entry.name):
                continue
            try:
                await entry.run()
            except NAMED as failure:
                log.warning("%s: %s", entry.name, failure)
            except Exception as failure:
                log.exception("%s failed", entry.name)
                self.unexpected.append(f"{entry.name}: {failure!r}")


async def _credentials(account: Account) -> Credentials:
    return Credentials(*(part.format(account.user_id) for part in SECRETS))
