"""A small world for one history: the real handlers and services over a real store and the in-process engine.

Prices stand still until the history moves them, orders are filled at once, and the clock goes where it is sent, also
back. What is seen from outside is kept as evidence for `judge`.
"""

import asyncio
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.bootstrap import build_services
from bot.chat.application import Link, build
from bot.chat.notifier import TelegramNotifier
from bot.ports.records import Account, Balance, Order, OrderReport
from bot.services.watch.tick import TICK
from bot.settings import Settings
from bot.storage import SqlStore
from hedging.portfolio import Position
from tests.chat.recording import Call, Json, RecordingRequest, message, tap
from tests.fakes.database import sqlite_address
from tests.fakes.durable import InProcess, Memory
from tests.fakes.exchange import ScriptedExchange
from tests.fakes.market import PRICES, StillMarket
from tests.fakes.vault import OpenVault
from tests.simulation.process.loop import VirtualClock
from tests.simulation.process.sqlite import Databases, _forget_connections

D = Decimal
ADA, BOB = 1, 2
BADGES = {"paper": "PAPER", "demo": "DEMO", "live": "LIVE"}
DATABASES = Databases()


@dataclass(frozen=True)
class Ordered:
    """An order at the exchange. `step`: of the history; `at`: the bot's clock; `target`: the rule's when it came."""

    step: int
    at: datetime
    account: int
    client_id: str
    opens: bool
    notional: Decimal
    leverage: int
    target: Decimal


@dataclass(frozen=True)
class Shown:
    """A message with buttons, as it stood in a chat. `at`: the bot's clock."""

    message: int
    text: str
    data: tuple[str, ...]
    at: datetime


@dataclass(frozen=True)
class Told:
    """What somebody wrote or tapped, and what came of it. `shown`: the card they tapped, as they saw it."""

    step: int
    at: datetime
    user: int
    words: str
    account: int
    live: bool
    answers: tuple[str, ...] = ()
    shown: Shown | None = None
    said: tuple[str, ...] = ()


@dataclass
class Seen:
    """The evidence of one history, in the order in which it came."""

    events: list[Ordered | Told] = field(default_factory=list)
    cards: dict[str, Json] = field(
        default_factory=dict
    )  # by our id on the order: its row, with `auto` or without
    unexpected: list[str] = field(default_factory=list)


class Everywhere(ScriptedExchange):
    """Each account has positions of its own."""

    def __init__(self, world: "World", market: StillMarket) -> None:
        super().__init__(market)
        self._world = world
        self._books: defaultdict[int, tuple[dict[str, Decimal], dict[str, Decimal]]] = defaultdict(
            lambda: ({}, {})
        )

    async def positions(self, account: Account) -> Sequence[Position]:
        self._turn_to(account)
        return await super().positions(account)

    async def place(self, account: Account, order: Order) -> OrderReport:
        self._turn_to(account)
        self._world.ordered(account, order)
        return await super().place(account, order)

    async def balance(self, account: Account) -> Balance:
        return Balance(D(200_000), D(200_000))

    def _turn_to(self, account: Account) -> None:
        self.held, self.entries = self._books[account.id]


class World:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.clock = VirtualClock(asyncio.get_running_loop())
        self.market, self.telegram = StillMarket(), RecordingRequest()
        self.exchange = Everywhere(self, self.market)
        self.seen = Seen()
        self.step = 0
        self.shown: dict[int, list[Shown]] = {ADA: [], BOB: []}
        self._glance = sqlite3.connect(file, isolation_level=None)
        self._updates = 0
        self._read = 0
        self._ticks = 0

    async def begin(self) -> None:
        """Ada holds coins, and has three accounts: on paper, for practice and with real money."""
        address = sqlite_address(self.file)
        await DATABASES.warm(address, 1)
        self._database = DATABASES._free[address].pop()
        self.store = SqlStore(self._database)
        self.durable = InProcess(Memory(), self.clock)
        link = Link("1:sandbox", "http://telegram.invalid", request=self.telegram)
        notifier = TelegramNotifier(link.out)
        self.services = build_services(
            Settings(),
            self.store,
            self.market,
            self.exchange,
            OpenVault(),
            notifier,
            self.durable,
            self.clock,
        )
        self.shell = build(self.services, link)
        await self.shell.start()
        for user in (ADA, BOB):
            await self.services.people.meet(user, user, f"User {user}")
        await self.says(ADA, "/add ATOM 5000, SOL 20")
        await self.services.accounts.in_use(ADA)
        for mode in ("demo", "live"):
            await self.store.ensure_account(ADA, "bybit", mode)

    async def end(self) -> None:
        await self.durable.close()
        for row in self._rows(
            "SELECT client_id, proposal.* FROM attempt JOIN proposal ON proposal.id = proposal_id"
        ):
            self.seen.cards[row["client_id"]] = row
        self._glance.close()
        await self.shell.stop()
        _forget_connections(self._database)
        DATABASES._free[sqlite_address(self.file)].append(self._database)

    def ordered(self, account: Account, order: Order) -> None:
        price = self.market.prices[order.symbol.split("/")[0]]
        opens, leverage = not order.reduce_only, self.exchange.leverage.get(order.symbol, 0)
        at, target, notional = self.clock.now(), self.target(), order.contracts * price
        self.seen.events.append(
            Ordered(self.step, at, account.id, order.client_id, opens, notional, leverage, target)
        )

    async def says(self, user: int, words: str) -> None:
        await self._told(user, words, message(self._next(), user, words))

    async def taps(self, user: int, shown: Shown, data: str) -> None:
        """A button of Ada's chat; Bob's taps come from his own."""
        await self._told(user, data, tap(self._next(), user, shown.message, data), shown)

    async def tick(self) -> None:
        """The workflow itself, twice: to act, and to see what came of it. Its slots belong to the schedule."""
        for _ in range(2):
            self._ticks += 1
            name = f"tick {self._ticks}"
            await asyncio.sleep(60)
            await self.durable.start(TICK, name, 0, 1)
            await self.durable.wait(name)
            await self.rest()
        for _ in range(4):
            if not self._rows("SELECT 1 FROM outbox WHERE state = 'pending' AND not_before IS NULL LIMIT 1"):
                break
            await self.services.delivery.sweep()
            await asyncio.sleep(1.1)
        self._look(ADA)

    async def clock_goes(self, seconds: float) -> None:
        """Forward or back, as when a machine's clock is set. Telegram's pace is no part of these histories."""
        self.clock.ahead += seconds
        await self.store.forget_paces(before=self.clock.now() + timedelta(days=9))

    def price(self, coin: str, share: float) -> None:
        """The coin is worth that share of its price at the beginning."""
        self.market.prices[coin] = D(PRICES[coin]) * D(str(share))

    async def rest(self) -> None:
        """Until no order is under way."""
        for _ in range(400):
            if not any(name.startswith("exec:") for name in self.durable._running):
                return
            await asyncio.sleep(0.25)
        self.seen.unexpected.append("work does not come to its end")

    def target(self) -> Decimal:
        (row,) = self._rows(f"SELECT target FROM rule WHERE user_id = {ADA}") or [{"target": "0.5"}]
        return D(row["target"])

    async def _told(self, user: int, words: str, update: Json, shown: Shown | None = None) -> None:
        before = len(self.telegram.calls)
        account = await self.services.accounts.in_use(user)
        at, place = self.clock.now(), len(self.seen.events)
        await self.shell.handle_update(update)
        calls = self.telegram.calls[before:]
        answers = tuple(c.text for c in calls if c.method == "answerCallbackQuery")
        said = tuple(c.text for c in calls if c.method in ("sendMessage", "editMessageText"))
        told = Told(self.step, at, user, words, account.id, account.mode == "live", answers, shown, said)
        self.seen.events.insert(place, told)
        self._look(user)
        await self.rest()

    def _look(self, user: int) -> None:
        """What was put into chats since; its buttons may be tapped at any later time."""
        for call in self.telegram.calls[self._read :]:
            data = tuple(b["callback_data"] for b in call.buttons if "callback_data" in b)
            if data and int(call.params["chat_id"]) == ADA:
                self.shown[ADA].append(Shown(self._message(call), call.text, data, self.clock.now()))
        self._read = len(self.telegram.calls)

    def _message(self, call: Call) -> int:
        if "message_id" in call.params:
            return int(call.params["message_id"])
        sent = [c for c in self.telegram.calls if c.method == "sendMessage"]
        return 101 + next(n for n, c in enumerate(sent) if c is call)

    def _next(self) -> int:
        self._updates += 1
        return self._updates

    def _rows(self, query: str) -> list[dict[str, Any]]:
        cursor = self._glance.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def laid_out(folder: Path, template: Path) -> Path:
    """An empty database; the same file for every history, so that engines serve again."""
    file = folder / "history.sqlite"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(template, file)
    return file
