"""What every implementation of the Exchange port promises, whoever the exchange is."""

import asyncio
import contextlib
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.ports.errors import Ambiguous, Rejected, Unavailable
from bot.ports.records import Account, Order, OrderReport
from bot.sandbox.market import World
from tests.exchange.venues import Venue

SOL, BTC, COIN = "SOL/USDT:USDT", "BTC/USDT:USDT", "BTC/USD:BTC"


def order(
    venue: Venue,
    client_id: str,
    symbol: str = SOL,
    units: str = "10",
    *,
    side: str = "sell",
    slippage: str = "0.01",
    reduce_only: bool = False,
) -> Order:
    """An order at the present quote, giving way by `slippage`; `units` in base coins, or dollars of an inverse one."""
    return venue.order(client_id, symbol, units, side=side, slippage=slippage, reduce_only=reduce_only)


def contracts(venue: Venue, units: str, symbol: str = SOL) -> D:
    return D(units) / venue.contracts[symbol].contract_size


async def test_a_new_account_is_flat_and_has_money(venue: Venue, account: Account) -> None:
    balance = await venue.exchange.balance(account)
    assert await venue.exchange.positions(account) == []
    assert balance.equity == balance.free > 0


async def test_a_sell_order_makes_a_short(venue: Venue, account: Account, world: World) -> None:
    report = await venue.exchange.place(account, order(venue, "hh-1"))
    (position,) = await venue.exchange.positions(account)

    assert (report.client_id, report.status, report.filled) == ("hh-1", "filled", contracts(venue, "10"))
    assert report.order_id
    assert report.average_price is not None
    fee = venue.contracts[SOL].taker_fee
    assert report.fee == pytest.approx(report.average_price * 10 * fee)
    assert (position.symbol, position.contracts) == (SOL, contracts(venue, "-10"))
    assert position.entry_price == report.average_price
    assert position.mark_price == pytest.approx(world.snapshot().quotes[SOL].mark)
    assert position.liquidation_price is None or position.liquidation_price > position.mark_price


async def test_an_order_leaves_the_rounding_of_decimals_as_it_was(venue: Venue, account: Account) -> None:
    assert round(D("0.125"), 2) == D("0.12")  # halves to the even digit
    await venue.exchange.place(account, order(venue, "hh-1"))
    assert round(D("0.125"), 2) == D("0.12")


async def test_an_average_price_is_never_worse_than_the_limit(
    venue: Venue, account: Account, world: World
) -> None:
    await venue.exchange.set_leverage(account, SOL, 5)
    sold = order(venue, "hh-1", units="1000", slippage="0.001")
    report = await venue.exchange.place(account, sold)
    assert report.average_price is not None and report.average_price >= sold.limit_price
    bought = order(venue, "hh-2", units="500", side="buy", slippage="0.001")
    report = await venue.exchange.place(account, bought)
    assert report.average_price is not None and report.average_price <= bought.limit_price


async def test_an_order_is_found_by_our_id_and_only_by_it(
    venue: Venue, account: Account, other_account: Account, world: World
) -> None:
    report = await venue.exchange.place(account, order(venue, "hh-1"))
    assert await venue.exchange.find_order(account, SOL, "hh-1") == report
    assert await venue.exchange.find_order(account, SOL, "hh-2") is None
    assert await venue.exchange.find_order(account, BTC, "hh-1") is None
    assert await venue.exchange.find_order(other_account, SOL, "hh-1") is None


# Binance and WEEX free an id after its fill: there only the attempt ledger keeps it from being used again.
@pytest.mark.fault(3)
@pytest.mark.parametrize("venue", ["paper", "bybit", "bingx", "mexc"], indirect=True)
async def test_the_same_id_is_never_filled_twice(venue: Venue, account: Account) -> None:
    assert venue.unique_ids
    first = await venue.exchange.place(account, order(venue, "hh-1"))
    with contextlib.suppress(
        Rejected, Ambiguous
    ):  # or the report of the first, where that is what it answers
        assert await venue.exchange.place(account, order(venue, "hh-1")) == first
    (position,) = await venue.exchange.positions(account)
    assert position.contracts == contracts(venue, "-10")
    assert await venue.exchange.find_order(account, SOL, "hh-1") == first


@pytest.mark.parametrize("venue", ["paper"], indirect=True)  # the stand-ins are not there to be raced
async def test_the_same_id_sent_twenty_times_at_once_is_filled_once(venue: Venue, account: Account) -> None:
    sent = await asyncio.gather(
        *(venue.again().place(account, order(venue, "hh-1")) for _ in range(20)), return_exceptions=True
    )
    (position,) = await venue.exchange.positions(account)
    assert sum(isinstance(answer, OrderReport) for answer in sent) == 1
    assert all(isinstance(answer, OrderReport | Rejected) for answer in sent)
    assert position.contracts == contracts(venue, "-10")


async def test_different_orders_at_once_all_count_or_are_refused(
    venue: Venue, account: Account, world: World
) -> None:
    sent = await asyncio.gather(
        *(venue.again().place(account, order(venue, f"hh-{n}", units="1")) for n in range(6)),
        return_exceptions=True,
    )
    filled = sum(answer.filled for answer in sent if isinstance(answer, OrderReport))
    assert all(isinstance(answer, OrderReport | Rejected) for answer in sent)
    assert filled >= 1
    (position,) = await venue.exchange.positions(account)
    assert position.contracts == -filled


async def test_state_outlives_the_process(venue: Venue, account: Account, world: World) -> None:
    report = await venue.exchange.place(account, order(venue, "hh-1"))
    again = venue.again()
    assert await again.positions(account) == await venue.exchange.positions(account)
    assert await again.balance(account) == await venue.exchange.balance(account)
    assert await again.find_order(account, SOL, "hh-1") == report


async def test_accounts_do_not_touch_each_other(
    venue: Venue, account: Account, other_account: Account, world: World
) -> None:
    before = await venue.exchange.balance(other_account)
    await venue.exchange.place(account, order(venue, "hh-1"))
    assert await venue.exchange.positions(other_account) == []
    assert await venue.exchange.balance(other_account) == before


async def test_an_order_with_nobody_to_take_it_ends_unfilled(
    venue: Venue, account: Account, world: World
) -> None:
    report = await venue.exchange.place(account, order(venue, "hh-1", slippage="-0.05"))
    assert (report.status, report.filled, report.average_price, report.fee) == ("cancelled", D(0), None, D(0))
    assert await venue.exchange.positions(account) == []
    assert await venue.exchange.find_order(account, SOL, "hh-1") == report


@pytest.mark.fault(15)
async def test_an_order_larger_than_the_book_within_its_limit_is_filled_in_part(
    venue: Venue, account: Account, world: World
) -> None:
    await venue.exchange.set_leverage(account, SOL, 50)
    report = await venue.exchange.place(account, order(venue, "hh-1", units="20000", slippage="0.0005"))
    (position,) = await venue.exchange.positions(account)
    assert report.status == "cancelled"
    assert 0 < report.filled < contracts(venue, "20000")
    assert position.contracts == -report.filled


@pytest.mark.fault(23)
async def test_closing_never_flips(venue: Venue, account: Account, world: World) -> None:
    await venue.exchange.place(account, order(venue, "hh-1"))
    close = order(venue, "hh-2", units="25", side="buy", reduce_only=True)
    report = await venue.exchange.place(account, close)
    assert report.filled == contracts(venue, "10")
    assert await venue.exchange.positions(account) == []
    with pytest.raises(Rejected):
        await venue.exchange.place(account, order(venue, "hh-3", side="buy", reduce_only=True))
    assert await venue.exchange.positions(account) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"symbol": "NOSUCH/USDT:USDT"}, "unknown_symbol"),
        ({"units": D("0.005")}, "lot"),
        ({"units": D("10.005")}, "lot"),
        ({"limit_price": D("140.00005")}, "tick"),
        ({"units": D("100000")}, "margin"),
        ({"reduce_only": True}, "reduce_only"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_refused_is_refused_for_good_and_leaves_nothing(
    venue: Venue, account: Account, world: World, change: dict[str, object], code: str
) -> None:
    plain = order(venue, "hh-1", slippage="0.01")
    fields = {name: getattr(plain, name) for name in plain.__slots__} | change
    if "units" in fields:
        fields["contracts"] = contracts(venue, str(fields.pop("units")))
    before = await venue.exchange.balance(account)
    with pytest.raises(Rejected) as refusal:
        await venue.exchange.place(account, Order(**fields))
    told = (
        {code, "refused"} if venue.name == "weex" and code == "reduce_only" else {code}
    )  # it has no code for it
    assert refusal.value.code in told
    assert await venue.exchange.find_order(account, SOL, "hh-1") is None
    assert await venue.exchange.positions(account) == []
    assert await venue.exchange.balance(account) == before


async def test_leverage_is_what_was_set_and_setting_it_again_succeeds(
    venue: Venue, account: Account, world: World
) -> None:
    for _ in range(2):
        await venue.exchange.set_leverage(account, SOL, 5)
    await venue.exchange.place(account, order(venue, "hh-1"))
    (position,) = await venue.exchange.positions(account)
    assert position.leverage == 5
    assert position.margin == pytest.approx(position.mark_price * 10 / 5)
    for leverage in (0, 1000):
        with pytest.raises(Rejected):
            await venue.exchange.set_leverage(account, SOL, leverage)
    with pytest.raises(Rejected):
        await venue.exchange.set_leverage(account, "NOSUCH/USDT:USDT", 2)


async def test_margin_is_not_free_while_it_is_bound(venue: Venue, account: Account, world: World) -> None:
    before = await venue.exchange.balance(account)
    await venue.exchange.set_leverage(account, SOL, 2)
    report = await venue.exchange.place(account, order(venue, "hh-1", units="100"))
    after = await venue.exchange.balance(account)
    (position,) = await venue.exchange.positions(account)
    assert float(after.equity) == pytest.approx(
        float(before.equity - report.fee + position.unrealized_pnl), rel=1e-7
    )
    assert float(after.free) == pytest.approx(float(after.equity - position.margin), rel=1e-5)


async def test_a_short_gains_what_the_market_loses(
    venue: Venue, account: Account, other_account: Account, world: World
) -> None:
    report = await venue.exchange.place(account, order(venue, "hh-1", units="100"))
    world.shock("crash", 0.3)
    (position,) = await venue.exchange.positions(account)
    hedged, flat = [await venue.exchange.balance(mine) for mine in (account, other_account)]
    assert report.average_price is not None
    assert position.mark_price < report.average_price * D("0.85")
    assert float(position.unrealized_pnl) == pytest.approx(
        float(report.average_price - position.mark_price) * 100
    )
    assert float(hedged.equity - flat.equity) == pytest.approx(
        float(position.unrealized_pnl - report.fee), rel=1e-5
    )


async def test_funding_is_credited_every_interval(
    venue: Venue, account: Account, other_account: Account, world: World
) -> None:
    report = await venue.exchange.place(account, order(venue, "hh-1", BTC, "1"))
    since = world.now()
    world.skip("25h")
    rates = world.funding_since(BTC, since)
    (position,) = await venue.exchange.positions(account)
    hedged, flat = [await venue.exchange.balance(mine) for mine in (account, other_account)]
    received = hedged.equity - flat.equity - position.unrealized_pnl
    expected = sum(float(item.rate) for item in rates) * float(position.entry_price)
    assert len(rates) == 3
    assert float(received + report.fee) == pytest.approx(expected, rel=0.1, abs=0.5)


async def test_positions_and_balances_are_settled_alike_however_often_they_are_read(
    venue: Venue, account: Account, other_account: Account, world: World
) -> None:
    for mine in (account, other_account):
        await venue.exchange.place(mine, order(venue, "hh-1", BTC, "1"))
    for hour in range(30):
        world.skip("1h")
        if hour % 3 == 0:
            await venue.exchange.positions(account)
    often, once = [await venue.exchange.balance(mine) for mine in (account, other_account)]
    assert float(often.equity) == pytest.approx(float(once.equity), rel=1e-9)


async def test_a_short_that_the_market_runs_over_is_gone_and_the_rest_is_not_negative(
    venue: Venue, account: Account, world: World
) -> None:
    await venue.exchange.set_leverage(account, BTC, 50)
    await venue.exchange.place(account, order(venue, "hh-1", BTC, "20"))
    (position,) = await venue.exchange.positions(account)
    assert position.liquidation_price is not None or venue.name == "weex"  # which answers "0"
    world.shock("rally", 0.3)
    assert await venue.exchange.positions(account) == []
    balance = await venue.exchange.balance(account)
    assert 0 <= balance.free == balance.equity


@pytest.mark.parametrize(
    "venue", ["paper", "binance", "bybit", "bingx"], indirect=True
)  # the others state none
async def test_an_order_below_the_minimum_notional_is_refused_for_good(
    venue: Venue, account: Account
) -> None:
    small = order(venue, "hh-1", SOL, "0.01")
    with pytest.raises(Rejected) as refusal:
        await venue.exchange.place(account, small)
    assert refusal.value.code == "min_notional"
    assert await venue.exchange.positions(account) == []


@pytest.mark.parametrize("venue", ["paper", "bybit"], indirect=True)  # on the others they are not traded
async def test_an_inverse_contract_settles_in_its_coin(venue: Venue, account: Account) -> None:
    before = await venue.exchange.balance(account)
    await venue.exchange.set_leverage(account, COIN, 2)
    report = await venue.exchange.place(account, order(venue, "hh-1", COIN, "50000"))
    (position,) = await venue.exchange.positions(account)
    after = await venue.exchange.balance(account)
    assert report.filled == contracts(venue, "50000", COIN)
    assert float(report.fee) == pytest.approx(50_000 * float(venue.contracts[COIN].taker_fee), rel=1e-3)
    assert float(position.margin) == pytest.approx(25_000 / float(position.mark_price), rel=1e-3)
    gained = float(position.unrealized_pnl - report.fee)
    assert float(after.equity - before.equity) == pytest.approx(gained, abs=0.05)


async def test_a_read_that_fails_is_unavailable_and_a_write_then_leaves_nothing(
    venue: Venue, account: Account
) -> None:
    wanted = order(venue, "hh-1")
    venue.away(True)
    with pytest.raises(Unavailable):
        await venue.exchange.positions(account)
    with pytest.raises(Unavailable):
        await venue.exchange.balance(account)
    with pytest.raises((Rejected, Ambiguous)):
        await venue.exchange.place(account, wanted)
    venue.away(False)
    assert await venue.exchange.find_order(account, SOL, "hh-1") is None
    assert await venue.exchange.positions(account) == []


async def test_it_says_how_long_an_order_may_stay_unseen(venue: Venue, account: Account) -> None:
    assert timedelta(0) < venue.exchange.settles_within(account) <= timedelta(minutes=5)
    assert venue.exchange.name
