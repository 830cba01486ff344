"""One of five exchanges hangs: who trades on the other four is watched as ever, and who trades there is told."""

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.applications import Starlette

from bot.bootstrap import build_services
from bot.chat.views.alert import alert, recovered
from bot.exchange.ccxt_wire import Wire
from bot.exchange.exchanges import Exchanges
from bot.ports.records import Account
from bot.ports.store import HoldingChange
from bot.ports.vault import Credentials
from bot.sandbox.exchanges import VENUES
from bot.sandbox.exchanges.venue import Venue
from bot.sandbox.market import World, open_world
from bot.services import Services
from bot.services.desk import remedies
from bot.services.watch import checks, looks
from bot.settings import Settings
from bot.storage import SqlStore, open_store
from tests.fakes.clock import ManualClock
from tests.fakes.database import prepared, sqlite_template
from tests.fakes.durable import ManualDurable
from tests.fakes.notifier import Listener
from tests.fakes.sandbox_server import serving
from tests.fakes.vault import OpenVault
from tests.faults.trading import TODAY

__all__ = ["sqlite_template"]

NAMES = ("binance", "bybit", "bingx", "mexc", "weex")
TICK = 60.0
SLOW = "bingx"
CLOSED = "mexc"  # which has a code that says so


@dataclass
class Five:
    """One person on each of five exchanges, all of them hedged; person n + 1 on the nth."""

    world: World
    venues: dict[str, Venue]
    store: SqlStore
    clock: ManualClock
    durable: ManualDurable
    notifier: Listener
    services: Services

    async def tick(self) -> float:
        """One tick of the watch and all that it owes; how many real seconds it took."""
        self.clock.pass_(seconds=TICK)
        begun = time.monotonic()
        await self.services.watch.tick(TICK)
        await self.durable.run_all()
        taken = time.monotonic() - begun
        self.clock.pass_(seconds=2)
        await self.services.delivery.sweep()
        return taken

    def alerts(self) -> dict[str, list[str]]:
        """Exchange -> kinds of the alerts that its person was told of."""
        told: dict[str, list[str]] = {name: [] for name in NAMES}
        for item in self.notifier.told:
            if item.kind == "alert":
                told[NAMES[item.user_id - 1]].append(item.payload["kind"])
        return told


@pytest_asyncio.fixture
async def five(database: str, tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Five]:
    world = open_world(tmp_path / "market", today=TODAY, speed=0)
    venues = {name: VENUES[name](world) for name in NAMES}
    clock = ManualClock(TODAY - timedelta(days=1))

    async def credentials_of(account: Account) -> Credentials:
        mine = Credentials(f"key-of-{account.user_id}", f"secret-of-{account.user_id}", "words")
        venues[account.exchange].desk.open_account(mine.api_key, mine.secret, "words")
        return mine

    async with contextlib.AsyncExitStack() as stack:
        routes = [route for venue in venues.values() for route in venue.routes()]
        address = await stack.enter_async_context(serving(Starlette(routes=routes)))
        store = open_store(prepared(database, sqlite_template))
        stack.push_async_callback(store.close)
        wire = Wire(clock, loopback=address)
        stack.push_async_callback(wire.close)
        exchanges = Exchanges(NAMES[0], store, wire, clock, credentials_of)
        stack.callback(exchanges.close)
        durable, notifier = ManualDurable(clock), Listener()
        settings = Settings.model_construct(practice_exchange="", card_seconds=300.0)
        services = build_services(
            settings, store, exchanges, exchanges, OpenVault(), notifier, durable, clock
        )
        five = Five(world, venues, store, clock, durable, notifier, services)
        for user, name in enumerate(NAMES, 1):
            await _hedged(five, user, name)
        await five.tick()
        assert five.alerts() == {name: [] for name in NAMES}
        yield five


async def _hedged(five: Five, user: int, exchange: str) -> None:
    services = five.services
    await services.people.meet(user, user, "Ada")
    account = await five.store.ensure_account(user, exchange, "live")
    await five.store.name_account(user, account.id)
    await services.portfolio.change(user, [HoldingChange("SOL", Decimal(100))], key=f"hold:{user}")
    card = await services.hedge.propose(user, user, key=f"update:{user}")
    await services.hedge.shown(card.id, 50)
    assert (await services.hedge.confirm(card.id, user, user, 50)).kind == "sending"
    await services.hedge.begin(card)
    await five.durable.run_all()
    done = await five.store.proposal(card.id)
    assert done is not None
    assert done.outcome["status"] == "complete", (exchange, done.outcome)


@pytest.mark.fault(34)
@pytest.mark.timeout(300)
async def test_while_one_of_five_exchanges_hangs_the_others_are_watched_and_its_people_are_told_once(
    five: Five, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "LOOK_SECONDS", 0.5)  # instead of 5; the reads answer within 20 ms
    monkeypatch.setattr(checks, "MARKET_SECONDS", 1.0)  # instead of 10
    monkeypatch.setattr(remedies, "SECONDS", 0.5)  # instead of 5
    others = [name for name in NAMES if name != SLOW]
    five.venues[SLOW].faults.add("hang", on="*", times=100_000, seconds=120.0)
    five.world.shock("crash", 0.4)
    taken = await five.tick()
    assert taken < TICK / 10, f"a tick took {taken:.1f} s"
    told = five.alerts()
    assert {name: bool(told[name]) for name in others} == dict.fromkeys(others, True)
    assert told[SLOW] == [], "nothing is said of what was not seen"

    for _ in range(7):
        assert await five.tick() < TICK / 10
    assert five.alerts()[SLOW] == ["exchange_down"]
    assert {name: five.alerts()[name] for name in others} == {name: told[name] for name in others}

    five.venues[SLOW].faults.waiting.clear()
    for _ in range(7):  # its circuit is tried every five minutes at the latest
        await five.tick()
    over = [i.payload["kind"] for i in five.notifier.told if i.kind == "recovered"]
    assert over.count("exchange_down") == 1
    assert five.alerts()[SLOW].count("exchange_down") == 1
    assert set(five.alerts()[SLOW]) > {"exchange_down"}, "what happened meanwhile is told then"


@pytest.mark.fault(19)
@pytest.mark.timeout(300)
async def test_maintenance_is_told_at_once_and_by_name_and_so_is_its_end_to_those_whom_it_concerns(
    five: Five,
) -> None:
    five.venues[CLOSED].faults.add("refuse", word="maintenance", on="*", times=100_000)
    for _ in range(20):
        await five.tick()
    (told,) = [item for item in five.notifier.told if item.kind == "alert" and item.edit is None]
    assert (told.user_id, told.payload["kind"]) == (NAMES.index(CLOSED) + 1, "exchange_down")
    assert "MEXC is in maintenance since" in alert(told.payload).text

    five.venues[CLOSED].faults.waiting.clear()
    for _ in range(10):
        await five.tick()
    new = [item for item in five.notifier.told if item.kind in ("alert", "recovered") and item.edit is None]
    (over,) = [item for item in five.notifier.told if item.kind == "recovered"]
    assert new == [told], "its end is told in the message that told of it"
    assert "MEXC is back" in recovered(over.payload).text


@pytest.mark.fault(19)
@pytest.mark.timeout(300)
async def test_an_exchange_that_answers_nobody_is_told_within_two_minutes_and_once(five: Five) -> None:
    five.venues[SLOW].faults.add("answer", status=502, body="bad gateway", on="*", times=100_000)
    for _ in range(3):
        await five.tick()
    assert five.alerts()[SLOW] == ["exchange_down"]
    assert "BingX answers nobody since" in alert(five.notifier.told[-1].payload).text
    for _ in range(15):
        await five.tick()
    assert five.alerts() == {name: ["exchange_down"] if name == SLOW else [] for name in NAMES}
