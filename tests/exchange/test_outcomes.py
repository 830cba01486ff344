"""What an answer to a new order proves: nothing that is ambiguous is read as final, and nothing final is left hanging.
Faults 11, 12, 13, 14, 17, 18, 22, 23, 27 and 38 of ../shared/FAULTS.md."""

import itertools
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from bot.ports.errors import Ambiguous, Rejected, Unavailable
from bot.ports.records import Account, Order
from bot.sandbox.exchanges import VENUES
from bot.sandbox.exchanges.traders import Trader
from bot.sandbox.market import open_world
from tests.exchange.answers import FINAL, OPEN, SHAPES, refusal
from tests.exchange.conftest import TODAY
from tests.exchange.venues import KEY, PASSPHRASE, SECRET, Venue, loopback_venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOL = "SOL/USDT:USDT"
_numbers = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=list(VENUES))
async def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Venue]:
    """One stand-in for all tests here: each uses ids of its own and looks at what changed."""
    world = open_world(tmp_path_factory.mktemp(request.param), today=TODAY, speed=0)
    async with loopback_venue(request.param, world) as venue:
        yield venue


@pytest.fixture
def venue(shared: Venue) -> Venue:
    shared.loopback.faults.clear()
    shared.loopback.desk.share = None
    shared.loopback.clock_ahead_ms = 0
    shared.clock.pass_(minutes=15)  # whoever asked for a pause has had it
    trader_of(shared).revoked = False
    return shared


@pytest.fixture
def account(venue: Venue) -> Account:
    return Account(1, 1, venue.name, "live")


def trader_of(venue: Venue, number: int = 1) -> Trader:
    trader: Trader = venue.loopback.desk.traders[KEY.format(number)]
    return trader


def an_order(venue: Venue, **changes: Any) -> Order:
    return venue.order(f"hh-{next(_numbers)}", SOL, "1", **changes)


async def ends_ambiguous(venue: Venue, account: Account, *, stands: bool, patient: bool = True) -> None:
    """The order ends Ambiguous, and the look-up tells truly whether it stands."""
    exchange = venue.live if patient else venue.impatient
    order, before = an_order(venue), len(trader_of(venue).orders)
    with pytest.raises(Ambiguous) as unclear:
        await exchange.place(account, order)
    venue.loopback.faults.clear()
    venue.clock.pass_(minutes=15)
    found = await venue.live.find_order(account, SOL, order.client_id)
    assert (found is not None) == stands, unclear.value
    assert len(trader_of(venue).orders) - before == stands


@pytest.mark.fault(12, 13)
@pytest.mark.parametrize(("name", "status", "body"), SHAPES, ids=[shape[0] for shape in SHAPES])
@pytest.mark.parametrize("accepted", [False, True], ids=["not taken", "taken"])
async def test_a_shape_that_proves_nothing_is_ambiguous(
    venue: Venue, account: Account, name: str, status: int, body: str, accepted: bool
) -> None:
    venue.loopback.faults.add("answer", status=status, body=body, after=accepted)
    await ends_ambiguous(venue, account, stands=accepted)


@pytest.mark.fault(12)
@pytest.mark.parametrize("kind", ["cut", "truncated", "redirect", "html", "empty"])
@pytest.mark.parametrize("accepted", [False, True], ids=["not taken", "taken"])
async def test_a_broken_connection_is_ambiguous(
    venue: Venue, account: Account, kind: Any, accepted: bool
) -> None:
    venue.loopback.faults.add(kind, after=accepted)
    await ends_ambiguous(venue, account, stands=accepted)


@pytest.mark.fault(11)
@pytest.mark.parametrize("accepted", [False, True], ids=["not taken", "taken"])
async def test_a_time_out_is_ambiguous(venue: Venue, account: Account, accepted: bool) -> None:
    await venue.impatient.positions(account)  # its markets are loaded with patience
    venue.loopback.faults.add("hang", after=accepted, seconds=2)
    await ends_ambiguous(venue, account, stands=accepted, patient=False)


@pytest.mark.fault(17)
@pytest.mark.parametrize("status", [429, 418])
async def test_a_ban_is_ambiguous_and_keeps_everybody_away_until_it_is_over(
    venue: Venue, account: Account, status: int
) -> None:
    venue.loopback.faults.add("ban", status=status, retry_after=120)
    with pytest.raises(Ambiguous):
        await venue.live.place(account, an_order(venue))
    calls = venue.wire.counts.total()
    with pytest.raises(Rejected) as refused:
        await venue.live.place(account, an_order(venue))
    with pytest.raises(Unavailable):
        await venue.live.balance(account)
    assert refused.value.code == "unavailable"
    assert venue.wire.counts.total() == calls, "somebody called during the pause"
    venue.clock.pass_(seconds=121)
    assert (await venue.live.place(account, an_order(venue))).status == "filled"


_OPEN = [pytest.param(name, code, id=f"{name} {code}") for name in VENUES for code in OPEN[name]]
_FINAL = [
    pytest.param(name, code, word, id=f"{name} {code}") for name in VENUES for code, word in FINAL[name]
]


@pytest.mark.fault(12)
@pytest.mark.parametrize(("shared", "code"), _OPEN, indirect=["shared"])
async def test_a_code_that_does_not_settle_it_is_ambiguous(venue: Venue, account: Account, code: int) -> None:
    status, body = refusal(venue.name, code)
    venue.loopback.faults.add("answer", status=status, body=body, after=True)
    await ends_ambiguous(venue, account, stands=True)


@pytest.mark.fault(22, 23, 27)
@pytest.mark.parametrize(("shared", "code", "word"), _FINAL, indirect=["shared"])
async def test_a_code_that_settles_it_is_a_rejection_with_our_word(
    venue: Venue, account: Account, code: int, word: str
) -> None:
    status, body = refusal(venue.name, code)
    venue.loopback.faults.add("answer", status=status, body=body)
    before = len(trader_of(venue).orders)
    with pytest.raises(Rejected) as refused:
        await venue.live.place(account, an_order(venue))
    assert refused.value.code == word, f"{venue.name} {code}"
    assert len(trader_of(venue).orders) == before


async def test_a_settling_code_with_a_servers_fault_is_ambiguous(venue: Venue, account: Account) -> None:
    _, body = refusal(venue.name, FINAL[venue.name][0][0])
    venue.loopback.faults.add("answer", status=503, body=body, after=True)
    await ends_ambiguous(venue, account, stands=True)


@pytest.mark.fault(13)
async def test_nan_in_what_is_read_back_is_never_a_fill(venue: Venue, account: Account) -> None:
    on = "order" if venue.name == "binance" else "find"
    venue.loopback.faults.add("nan", on=on, after=True, times=4)
    order = an_order(venue)
    try:
        report = await venue.live.place(account, order)
    except Ambiguous:
        pass
    else:
        assert report.status == "open" or report.filled == order.contracts  # whole numbers are no NaN
    venue.loopback.faults.clear()
    found = await venue.live.find_order(account, SOL, order.client_id)
    assert found is not None and found.filled == order.contracts


@pytest.mark.fault(14)
async def test_an_order_that_becomes_visible_late_is_waited_for(venue: Venue, account: Account) -> None:
    venue.loopback.faults.add("hide", on="order", lookups=2)
    report = await venue.live.place(account, an_order(venue))
    assert report.status in ("filled", "open")
    assert report.order_id


async def test_an_acknowledged_order_that_stays_unseen_is_open(venue: Venue, account: Account) -> None:
    venue.loopback.faults.add("hide", on="order", lookups=50)
    order = an_order(venue)
    report = await venue.live.place(account, order)
    if venue.name == "binance":  # its first answer tells the fill
        assert report.status == "filled"
        return
    assert (report.status, report.filled) == ("open", 0)
    assert await venue.live.find_order(account, SOL, order.client_id) is None


@pytest.mark.fault(18)
@pytest.mark.parametrize("ahead", [-30_000, 30_000])
async def test_a_skewed_clock_is_set_once_and_the_order_goes_through(
    venue: Venue, account: Account, ahead: int
) -> None:
    venue.loopback.clock_ahead_ms = ahead
    asked = venue.loopback.calls["time"]
    assert (await venue.live.place(account, an_order(venue))).status == "filled"
    assert venue.loopback.calls["time"] == asked + 1


@pytest.mark.fault(18)
async def test_a_clock_that_cannot_be_set_ends_in_a_rejection(venue: Venue, account: Account) -> None:
    venue.loopback.faults.add("refuse", word="clock", times=10)
    before = len(trader_of(venue).orders)
    with pytest.raises(Rejected) as refused:
        await venue.live.place(account, an_order(venue))
    assert refused.value.code == "clock"
    assert len(trader_of(venue).orders) == before


@pytest.mark.fault(18)
async def test_what_is_refused_for_the_clock_is_unavailable_while_the_time_is_not_told(
    venue: Venue, account: Account
) -> None:
    venue.loopback.faults.add("refuse", on="positions", word="clock", times=10)
    venue.loopback.faults.add("cut", on="time", times=10)
    with pytest.raises(Unavailable):
        await venue.live.positions(account)


@pytest.mark.fault(22)
async def test_a_position_mode_that_cannot_be_read_sends_nothing(venue: Venue, account: Account) -> None:
    on = "positions" if venue.name == "bybit" else "position_mode"
    venue.loopback.faults.add("cut", on=on, times=5)
    before = venue.loopback.calls["order"]
    with pytest.raises(Rejected) as refused:
        await venue.live.place(account, an_order(venue))
    assert refused.value.code == "unavailable"
    assert venue.loopback.calls["order"] == before


async def test_a_revoked_key_is_told_apart(venue: Venue, account: Account) -> None:
    trader_of(venue).revoked = True
    with pytest.raises(Unavailable):
        await venue.live.balance(account)
    with pytest.raises(Rejected):
        await venue.live.place(account, an_order(venue))


async def test_reads_are_unavailable_whatever_comes_back(venue: Venue, account: Account) -> None:
    """An empty account is told as one; what says nothing must not be read as one."""
    for kind in ("html", "empty", "truncated", "cut", "redirect", "object"):
        reads: dict[str, Callable[[], Awaitable[object]]] = {
            "positions": lambda: venue.live.positions(account),
            "balance": lambda: venue.live.balance(account),
            "quotes": venue.feed.snapshot,
            "find": lambda: venue.live.find_order(account, SOL, "hh-nobody"),
        }
        for on, read in reads.items():
            if kind == "object":
                venue.loopback.faults.add("answer", on=on, times=3, body="{}")
            else:
                venue.loopback.faults.add(kind, on=on, times=3)
            with pytest.raises(Unavailable):
                await read()
            venue.loopback.faults.clear()


@pytest.mark.fault(44)
async def test_no_secret_reaches_an_error_even_when_the_exchange_repeats_it(
    venue: Venue, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = [part.format(1) for part in (KEY, SECRET, PASSPHRASE)]
    caplog.set_level("DEBUG")
    status, body = refusal(venue.name, FINAL[venue.name][0][0], " ".join(secrets))
    told = []
    for fault in (
        {"kind": "answer", "status": status, "body": body},
        {"kind": "answer", "status": 500, "body": " ".join(secrets)},
        {"kind": "redirect", "body": f"/{secrets[1]}"},
    ):
        for on in ("order", "balance"):
            venue.loopback.faults.add(on=on, **fault)
            with pytest.raises((Rejected, Ambiguous, Unavailable)) as failure:
                await (
                    venue.live.place(account, an_order(venue))
                    if on == "order"
                    else venue.live.balance(account)
                )
            told.append("".join(traceback.format_exception(failure.value)))
    for secret in secrets:
        assert not any(secret in text for text in told)
        assert secret not in caplog.text
