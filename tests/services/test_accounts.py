"""Connecting, choosing and disconnecting accounts: the real services, ccxt and the vault, over the stand-ins' HTTP."""

import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import create_engine
from starlette.applications import Starlette

from bot.bootstrap import build_services
from bot.chat import texts
from bot.exchange.ccxt_wire import Wire
from bot.exchange.exchanges import Exchanges
from bot.ports.errors import KeyRefused, KeyUnusable, Rejected
from bot.ports.records import Account, AccountState, Invitation, Mode
from bot.ports.vault import Credentials, NoCredentials
from bot.sandbox.exchanges.control import Exchanges as Standins
from bot.sandbox.exchanges.venue import Venue
from bot.sandbox.market import World, open_world
from bot.services import Services
from bot.services.connecting import INVITED_FOR, Connected
from bot.services.errors import CannotConnect, CannotDisconnect, CannotSwitch, NotYours
from bot.settings import Settings
from bot.storage import SqlStore, open_store
from bot.storage.vault import SqlVault, open_vault
from tests.exchange.venues import quoted
from tests.fakes.clock import ManualClock
from tests.fakes.database import prepared, sqlite_address, sqlite_template
from tests.fakes.durable import ManualDurable
from tests.fakes.notifier import Listener
from tests.fakes.sandbox_server import serving

__all__ = ["sqlite_template"]

ADA, BOB = 1, 2
EVERYWHERE = ("binance", "bybit", "bingx", "mexc", "weex")
TELLING = ("binance", "bybit", "bingx")  # what a key may do
MASTER = base64.b64encode(bytes(range(32))).decode()
SOL = "SOL/USDT:USDT"


@dataclass
class Floor:
    """Everything of a bot between its chat and the exchanges' wires."""

    address: str
    world: World
    standins: Standins
    store: SqlStore
    vault: SqlVault
    database: str
    clock: ManualClock = field(default_factory=ManualClock)
    notifier: Listener = field(default_factory=Listener)
    exchanges: Any = None
    services: Any = None

    def start(self) -> Services:
        """A life of the bot; what was before it is only in the database and at the exchanges."""
        wire = Wire(self.clock, loopback=self.address)
        self.exchanges = Exchanges("bybit", self.store, wire, self.clock, self.vault.open)
        self.services = build_services(
            Settings(),
            self.store,
            self.exchanges,
            self.exchanges,
            self.vault,
            self.notifier,
            ManualDurable(self.clock),
            self.clock,
        )
        self._wires.append(wire)
        found: Services = self.services
        return found

    @property
    def file(self) -> Path:
        return Path(self.database.partition(":///")[2])

    _wires: list[Wire] = field(default_factory=list)

    async def close(self) -> None:
        self.exchanges.close()
        for wire in self._wires:
            await wire.close()

    def venue(self, name: str) -> Venue:
        return self.standins.venues[name]

    def open(self, name: str, key: str = "key-1", **flags: bool) -> None:
        """An account at the exchange, with practice money."""
        trader = self.venue(name).desk.open_account(key, f"secret of {key}", "words")
        for flag, value in flags.items():
            setattr(trader, flag, value)

    async def connect(
        self,
        name: str,
        mode: Mode = "live",
        key: str = "key-1",
        user: int = ADA,
        passphrase: str | None = "words",
    ) -> Connected:
        invitation = Invitation(user, name, mode, self.clock.now() + INVITED_FOR)
        done: Connected = await self.services.connecting.connect(
            invitation, Credentials(key, f"secret of {key}", passphrase)
        )
        return done

    def calls(self, name: str) -> int:
        """Signed calls that have reached the exchange."""
        venue = self.venue(name)
        signed = {operation.name for operation in venue.operations().values() if operation.signed}
        return sum(count for operation, count in venue.calls.items() if operation in signed)

    def sell(self, name: str, key: str = "key-1", contracts: str = "30") -> None:
        """A short, by the owner's own hand."""
        body = {"trade": "sell", "key": key, "symbol": SOL, "contracts": contracts}
        self.standins._event(self.venue(name), body)


@pytest_asyncio.fixture
async def floor(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Floor]:
    database = prepared(sqlite_address(tmp_path / "store.sqlite"), sqlite_template)
    world = open_world(tmp_path, today=datetime(2025, 6, 1, 9, tzinfo=UTC), speed=0)
    standins = Standins(world)
    store, vault = open_store(database), open_vault(database, key=MASTER)
    async with serving(Starlette(routes=standins.routes())) as address:
        made = Floor(address, world, standins, store, vault, database)
        services = made.start()
        for user in (ADA, BOB):
            await services.people.meet(user, user, "Somebody")
        yield made
        await made.close()
    await vault.close()
    await store.close()


async def keys_of(floor: Floor, user: int = ADA) -> list[tuple[str, str]]:
    return [(sealed.account.exchange, sealed.account.mode) for sealed in await floor.vault.sealed(user)]


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_a_key_that_works_is_kept_sealed_and_its_account_can_be_read(floor: Floor, name: str) -> None:
    floor.open(name)
    done = await floor.connect(name)
    assert done.account == Account(done.account.id, ADA, name, "live")
    assert (done.in_use, done.waits) == (False, "live")
    assert done.trial.balance.equity >= 100_000
    assert await keys_of(floor) == [(name, "live")]
    assert b"secret of key-1" not in floor.file.read_bytes()
    await floor.services.accounts.use(ADA, done.account.id)
    used, paper = await floor.services.accounts.list(ADA)
    assert (used.account, used.in_use, used.trouble, used.shorts) == (done.account, True, "", ())
    assert used.equity == done.trial.balance.equity
    assert (paper.account.mode, paper.in_use) == ("paper", False)


@pytest.mark.parametrize("name", TELLING)
async def test_fault_39_a_key_that_can_withdraw_is_refused_and_nothing_of_it_kept(
    floor: Floor, name: str
) -> None:
    floor.open(name, can_withdraw=True)
    with pytest.raises(CannotConnect) as refusal:
        await floor.connect(name)
    assert (refusal.value.why, refusal.value.exchange) == ("withdraw", name)
    assert await keys_of(floor) == []
    assert await floor.services.accounts.connected(ADA) == []


@pytest.mark.parametrize("name", TELLING)
async def test_fault_39_a_key_without_addresses_is_warned_about(floor: Floor, name: str) -> None:
    floor.open(name, address_list=False)
    assert "no_address_list" in (await floor.connect(name)).warnings


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_a_key_that_may_not_trade_futures_is_named_as_such(floor: Floor, name: str) -> None:
    floor.open(name, can_trade=False)
    with pytest.raises(CannotConnect, match="no_futures"):
        await floor.connect(name)
    assert await keys_of(floor) == []


async def test_what_an_exchange_does_not_tell_of_its_keys_is_said(floor: Floor) -> None:
    floor.open("mexc")
    assert "permissions_unknown" in (await floor.connect("mexc")).warnings


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_hedge_mode_and_open_positions_are_seen_and_left_alone(floor: Floor, name: str) -> None:
    floor.open(name, hedged=True)
    body = {"trade": "sell", "key": "key-1", "symbol": SOL, "contracts": "30", "position_side": "short"}
    floor.standins._event(floor.venue(name), body)
    done = await floor.connect(name)
    assert "hedge_mode" in done.warnings
    assert [(p.symbol, p.contracts < 0) for p in done.trial.positions] == [(SOL, True)]
    assert floor.venue(name).desk.traders["key-1"].hedged


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_a_key_that_the_exchange_does_not_know_is_refused(floor: Floor, name: str) -> None:
    with pytest.raises(CannotConnect, match="refused"):
        await floor.connect(name, key="nobody")
    assert await keys_of(floor) == []


async def test_an_exchange_that_is_away_has_nothing_kept(floor: Floor) -> None:
    floor.open("bybit")
    floor.venue("bybit").faults.add("refuse", on="*", times=1000, word="maintenance")
    with pytest.raises(CannotConnect, match="away"):
        await floor.connect("bybit")
    assert await keys_of(floor) == []


async def test_the_third_part_must_be_there(floor: Floor) -> None:
    floor.open("weex")
    with pytest.raises(CannotConnect, match="no_passphrase"):
        await floor.connect("weex", passphrase=None)


async def test_a_reconnection_that_fails_leaves_the_working_key_in_place(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit")).account
    floor.open("bybit", "key-2", can_withdraw=True)
    for key in ("key-2", "nobody"):
        with pytest.raises(CannotConnect):
            await floor.connect("bybit", key=key)
    assert (await floor.vault.open(account)).api_key == "key-1"
    line = await floor.services.accounts.line(ADA, account.id)
    assert (line.trouble, line.equity) == ("", line.equity) and line.equity


async def test_a_new_key_takes_the_place_of_the_one_before(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit")).account
    await floor.services.accounts.line(ADA, account.id)
    floor.open("bybit", "key-2")
    floor.venue("bybit").desk.traders["key-1"].revoked = True
    again = (await floor.connect("bybit", key="key-2")).account
    assert again == account and again.key_number == account.key_number + 1
    assert (await floor.services.accounts.line(ADA, account.id)).trouble == ""


async def test_a_key_of_another_account_is_refused_while_a_hedge_is_open(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit")).account
    floor.sell("bybit")
    floor.open("bybit", "key-2")
    with pytest.raises(CannotConnect, match="other_account"):
        await floor.connect("bybit", key="key-2")
    assert (await floor.vault.open(account)).api_key == "key-1"


async def test_a_demo_account_is_used_at_once_and_a_live_one_after_a_tap(floor: Floor) -> None:
    floor.open("bybit")
    assert (await floor.connect("bybit", "demo")).in_use
    assert (await floor.services.accounts.in_use(ADA)).mode == "demo"
    live = await floor.connect("bybit", "live")
    assert (live.in_use, live.waits) == (False, "live")
    assert (await floor.services.accounts.in_use(ADA)).mode == "demo"
    await floor.services.accounts.use(ADA, live.account.id)
    assert (await floor.connect("bybit", "live")).in_use, "connected again it stays in use"


async def test_the_rule_stays_while_a_hedge_is_open(floor: Floor) -> None:
    floor.open("bybit")
    floor.open("mexc")
    await floor.connect("bybit", "demo")
    other = (await floor.connect("mexc")).account
    floor.sell("bybit")
    with pytest.raises(CannotSwitch) as refusal:
        await floor.services.accounts.use(ADA, other.id)
    assert (refusal.value.why, refusal.value.exchange) == ("shorts", "bybit")
    floor.venue("bybit").faults.add("refuse", on="*", times=1000, word="maintenance")
    with pytest.raises(CannotSwitch, match="away"):
        await floor.services.accounts.use(ADA, other.id)
    floor.venue("bybit").faults.clear()
    floor.clock.pass_(seconds=600)
    floor.venue("bybit").desk.traders["key-1"].revoked = True
    await floor.services.accounts.use(ADA, other.id)


async def test_somebody_elses_account_is_out_of_reach(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit")).account
    for work in (
        floor.services.accounts.use(BOB, account.id),
        floor.services.accounts.line(BOB, account.id),
        floor.services.accounts.disconnect(BOB, account.id),
    ):
        with pytest.raises(NotYours):
            await work
    assert await floor.services.accounts.connected(BOB) == []


async def test_disconnecting_forgets_the_key_and_asks_the_exchange_nothing_any_more(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit", "demo")).account
    await floor.services.accounts.line(ADA, account.id)
    gone = await floor.services.accounts.disconnect(ADA, account.id)
    assert gone.state is AccountState.DISCONNECTED
    with pytest.raises(NoCredentials):
        await floor.vault.open(gone)
    assert (await floor.services.accounts.in_use(ADA)).mode == "paper"
    before = floor.calls("bybit")
    for read in (floor.exchanges.positions(gone), floor.exchanges.balance(gone)):
        with pytest.raises(KeyRefused):
            await read
    assert floor.calls("bybit") == before
    with pytest.raises(CannotSwitch, match="gone"):
        await floor.services.accounts.use(ADA, gone.id)
    paper = await floor.services.accounts.in_use(ADA)
    with pytest.raises(CannotDisconnect, match="paper"):
        await floor.services.accounts.disconnect(ADA, paper.id)


async def test_fault_40_without_a_master_key_nothing_is_connected_and_what_is_kept_is_locked(
    floor: Floor,
) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit", "demo")).account
    await floor.vault.close()
    floor.vault = open_vault(floor.database)
    floor.exchanges.close()
    services = floor.start()
    with pytest.raises(CannotConnect, match="read_only") as refusal:
        await services.connecting.ready()
    assert "without its master key" in texts.sentence(refusal.value)
    with pytest.raises(CannotConnect, match="read_only"):
        await floor.connect("bybit", key="key-2")
    assert (await services.accounts.line(ADA, account.id)).trouble == "locked"
    with pytest.raises(KeyUnusable) as locked:
        await services.status.view(ADA)
    assert "Your keys are locked" in texts.sentence(locked.value)
    await services.accounts.disconnect(ADA, account.id)
    assert await floor.vault.sealed() == [], "a key can be taken back also then"


async def test_fault_42_a_key_that_was_moved_to_another_user_is_not_used_and_both_are_told_plainly(
    floor: Floor,
) -> None:
    floor.open("bybit")
    floor.open("bybit", "key-2")
    adas = (await floor.connect("bybit", "demo")).account
    bobs = (await floor.connect("bybit", "demo", key="key-2", user=BOB)).account
    with contextlib.closing(create_engine(f"sqlite:///{floor.file}").connect()) as rows:
        sealed = rows.exec_driver_sql(
            "SELECT sealed FROM credential WHERE account_id = ?", (bobs.id,)
        ).scalar()
        rows.exec_driver_sql("UPDATE credential SET sealed = ? WHERE account_id = ?", (sealed, adas.id))
        rows.commit()
    floor.exchanges.close()
    services = floor.start()
    before = floor.calls("bybit")
    assert (await services.accounts.line(ADA, adas.id)).trouble == "damaged"
    with pytest.raises(KeyUnusable) as damaged:
        await floor.exchanges.positions(adas)
    assert "was altered, so I do not use it" in texts.sentence(damaged.value)
    assert floor.calls("bybit") == before
    (unmoved,) = await services.accounts.connected(ADA)
    assert unmoved.state is AccountState.ACTIVE, "the exchange has refused nothing"


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_fault_38_a_revoked_key_is_probed_three_times_then_rests_and_its_owner_is_told_once(
    floor: Floor, name: str
) -> None:
    floor.open(name)
    account = (await floor.connect(name)).account
    await floor.services.accounts.use(ADA, account.id)
    floor.venue(name).desk.traders["key-1"].revoked = True
    most = (
        5 if name == "bybit" else 3
    )  # there the positions are two lists, asked for at once: one probe is two calls
    before = floor.calls(name)
    for _ in range(2):
        line = await floor.services.accounts.line(ADA, account.id)
        assert line.trouble == "refused"
    floor.exchanges.close()
    services = floor.start()  # a restart forgets nothing
    for _ in range(3):
        assert (await services.accounts.line(ADA, account.id)).trouble == "refused"
    assert 1 <= floor.calls(name) - before <= most
    after = await floor.store.account(account.id)
    assert after is not None and after.state is AccountState.SUSPENDED
    owed = await floor.store.due(now=floor.clock.now())
    assert [(item.kind, item.user_id, item.payload["exchange"]) for item in owed] == [
        ("key_refused", ADA, name)
    ]
    with pytest.raises(Rejected) as refused:
        await floor.exchanges.place(after, quoted(floor.world, "hh1", SOL, "1"))
    assert refused.value.code == "key"
    with pytest.raises(KeyRefused) as told:
        await services.status.view(ADA)
    assert "does not accept your key any more" in texts.sentence(told.value)
    assert floor.calls(name) - before <= most

    floor.open(name, "key-2")
    again = await floor.connect(name, key="key-2")
    assert again.in_use, "the rule was about it all the time"
    assert (await services.accounts.line(ADA, account.id)).trouble == ""


async def test_a_refusal_that_passes_is_forgotten(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit")).account
    trader = floor.venue("bybit").desk.traders["key-1"]
    for _ in range(4):
        trader.revoked = True
        with pytest.raises(KeyRefused):
            await floor.exchanges.balance(await floor.store.account(account.id))
        trader.revoked = False
        await floor.exchanges.balance(await floor.store.account(account.id))
    now = await floor.store.account(account.id)
    assert now is not None
    assert (now.state, now.refusals) == (AccountState.ACTIVE, 0)
    assert await floor.store.due(now=floor.clock.now()) == []


async def test_a_key_that_reads_but_does_not_trade_is_named_on_the_receipt(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit")).account
    floor.venue("bybit").desk.traders["key-1"].can_trade = False
    with pytest.raises(Rejected) as refused:
        await floor.exchanges.place(account, quoted(floor.world, "hh1", SOL, "1"))
    assert refused.value.code == "key"
