"""The session that ccxt is given: where it goes, what it refuses to follow, what it counts and remembers."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
import yarl

from bot.exchange.ccxt_exchange import connect
from bot.exchange.ccxt_wire import Gate, Wire, calls_noted
from bot.exchange.limits.budget import Budget, BudgetSpent
from bot.ports.errors import Unavailable
from bot.ports.records import Account
from bot.ports.vault import Credentials
from tests.exchange.answers import refusal
from tests.exchange.venues import Venue, credentials_of
from tests.fakes.clock import ManualClock

SOL = "SOL/USDT:USDT"


async def test_without_a_sandbox_a_request_goes_where_it_says() -> None:
    url = yarl.URL("https://fapi.binance.com/fapi/v1/time?a=1")
    assert Wire(ManualClock()).address(url) == url


def test_with_a_sandbox_every_request_stays_on_this_machine() -> None:
    wire = Wire(ManualClock(), loopback="http://127.0.0.1:8123/")
    url = yarl.URL("https://api.mexc.com/api/v3/klines?symbol=A%2FB&x=%7B%7D", encoded=True)
    assert str(wire.address(url)) == "http://127.0.0.1:8123/api.mexc.com/api/v3/klines?symbol=A%2FB&x=%7B%7D"


@pytest.mark.parametrize("address", ["http://example.com", "https://api.binance.com", "http://10.0.0.1:80"])
def test_a_sandbox_elsewhere_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="this machine"):
        Wire(ManualClock(), loopback=address)


@pytest.mark.parametrize("live", ["binance"], indirect=True)  # only its classes hang on the address
async def test_ccxt_sees_the_real_address_and_so_the_right_failures(live: Venue) -> None:
    import ccxt  # type: ignore[import-untyped]

    client = await live.live._clients.private(Account(1, 1, "binance", "live"))
    status, body = refusal("binance", -2019)
    live.loopback.faults.add("answer", status=status, body=body)
    with pytest.raises(ccxt.InsufficientFunds):
        await client.create_order(SOL, "limit", "sell", 1.0, 140.0)


async def test_a_redirect_is_asked_for_once_and_not_followed(live: Venue) -> None:
    host = live.loopback.hosts[0]
    live.loopback.faults.add("redirect", on="balance", body=f"/{host}/elsewhere", times=1)
    account = Account(1, 1, live.name, "live")
    await live.live.positions(account)  # the markets are there
    before = live.wire.counts.total()
    with pytest.raises(Unavailable):
        await live.live.balance(account)
    assert live.wire.counts.total() - before == 1
    assert live.loopback.calls["balance"] == 1


async def test_calls_are_counted_and_remembered_only_while_they_are_judged(live: Venue) -> None:
    client = await live.feed._clients.public()
    before = live.wire.counts.total()
    with calls_noted() as calls:
        await client.fetch_time()
    (call,) = calls
    assert (call.sent, call.status) == (True, 200)
    assert call.json()
    await client.fetch_time()
    assert len(calls) == 1
    assert live.wire.counts.total() - before == 2


def test_a_gate_reads_numbers_and_dates_and_never_opens_early() -> None:
    clock = ManualClock()
    gate = Gate(clock)
    date = format_datetime(clock.now() + timedelta(seconds=90), usegmt=True)
    told = {"7": 7.0, date: 90.0, "nonsense": 10.0, "-5": 0.0}
    assert {header: gate.seconds(header, 10.0) for header in told} == told
    assert gate.seconds(None, 10.0) == 10.0
    gate.close("h", 90)
    gate.close("h", 5)
    assert (gate.left("h"), gate.left("another")) == (90, 0)
    clock.pass_(seconds=91)
    assert gate.left("h") == 0
    gate.close("h", 99_999_999)
    assert gate.left("h") == 3 * 86_400, "longer than any ban that there is"


async def test_a_budget_spreads_orders_and_refuses_what_would_wait_too_long() -> None:
    clock = ManualClock()
    budget = Budget(clock, 4, timedelta(seconds=2))
    begun = clock.now()
    for _ in range(4):
        await budget.take()
    assert clock.now() == begun
    await budget.take()
    assert clock.now() - begun == timedelta(seconds=2)
    narrow = Budget(clock, 1, timedelta(minutes=1))
    await narrow.take()
    with pytest.raises(BudgetSpent):
        await narrow.take()


def test_credentials_show_nothing_of_themselves() -> None:
    shown = Credentials("a-key", "a-secret", "a-phrase")
    assert not any(part in f"{shown} {shown!r}" for part in ("a-key", "a-secret", "a-phrase"))


async def test_an_exchange_is_connected_by_its_name(live: Venue) -> None:
    exchange, feed = connect(live.name, live.wire, ManualClock(), credentials_of)
    account = Account(1, 1, live.name, "live")
    assert (await exchange.balance(account)).equity > 0
    assert SOL in (await feed.snapshot()).quotes
    exchange.close()


@pytest.mark.parametrize(
    "live", ["binance", "bybit", "bingx"], indirect=True
)  # the others have no whole demo
async def test_a_demo_account_is_sent_to_the_demos_own_address(live: Venue) -> None:
    demo = {"binance": "demo-fapi", "bybit": "api-demo", "bingx": "open-api-vst"}
    await live.live.balance(Account(1, 1, live.name, "demo"))
    private = [call for call in live.wire.counts if demo[live.name] in call]
    assert private


async def test_contracts_that_cannot_be_read_anew_keep_nobody_from_their_positions(live: Venue) -> None:
    account = Account(1, 1, live.name, "live")
    await live.live.place(account, live.order("hh-1", SOL, "1"))
    live.clock.pass_(minutes=61)
    live.loopback.faults.add("cut", on="markets", times=50)
    (position,) = await live.live.positions(account)
    assert position.symbol == SOL
    live.loopback.faults.clear()
    asked = live.loopback.calls["markets"]
    live.clock.pass_(seconds=61)
    await live.live.positions(account)
    assert live.loopback.calls["markets"] > asked, "it is tried again after a minute"


@pytest.mark.parametrize("kind", ["html", "empty", "truncated"])
async def test_contracts_that_say_nothing_do_not_become_no_contracts(live: Venue, kind: str) -> None:
    account = Account(1, 1, live.name, "live")
    fresh = live.again()
    live.loopback.faults.add(kind, on="markets", times=50)
    with pytest.raises(Unavailable):
        await fresh.positions(account)
    live.loopback.faults.clear()
    assert (await fresh.place(account, live.order("hh-1", SOL, "1"))).status == "filled"
