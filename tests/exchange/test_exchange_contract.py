"""What every implementation of the Exchange port promises, whoever the exchange is."""

import asyncio
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.ports.errors import Ambiguous, Rejected, Unavailable
from bot.ports.records import Account, Order, OrderReport
from bot.sandbox.market import World
from tests.exchange.conftest import Venue
from tests.fakes.world_feed import WorldFeed

SOL, BTC, COIN = "SOL/USDT:USDT", "BTC/USDT:USDT", "BTC/USD:BTC"


def order(
    world: World,
    client_id: str,
    symbol: str = SOL,
    contracts: str = "10",
    *,
    side: str = "sell",
    slippage: str = "0.01",
    reduce_only: bool = False,
) -> Order:
    """An order at the present quote, giving way by `slippage`, on the tick."""
    snapshot = world.snapshot()
    quote, tick = snapshot.quotes[symbol], snapshot.contracts[symbol].tick
    price = quote.bid * (1 - D(slippage)) if side == "sell" else quote.ask * (1 + D(slippage))
    return Order(client_id, symbol, side, D(contracts), price // tick * tick, reduce_only)  # type: ignore[arg-type]


async def test_a_new_account_is_flat_and_has_money(venue: Venue, account: Account) -> None:
    balance = await venue.exchange.balance(account)
    assert await venue.exchange.positions(account) == []
    assert balance.equity == balance.free > 0


async def test_a_sell_order_makes_a_short(venue: Venue, account: Account, world: World) -> None:
    report = await venue.exchange.place(account, order(world, "hh-1"))
    (position,) = await venue.exchange.positions(account)

    assert (report.client_id, report.status, report.filled) == ("hh-1", "filled", D(10))
    assert report.order_id
    assert report.average_price is not None
    assert report.fee == pytest.approx(report.average_price * 10 * D("0.0005"))
    assert (position.symbol, position.contracts) == (SOL, D(-10))
    assert position.entry_price == report.average_price
    assert position.mark_price == world.snapshot().quotes[SOL].mark
    assert position.liquidation_price is None or position.liquidation_price > position.mark_price


async def test_an_average_price_is_never_worse_than_the_limit(
    venue: Venue, account: Account, world: World
) -> None:
    await venue.exchange.set_leverage(account, SOL, 5)
    sold = order(world, "hh-1", contracts="1000", slippage="0.001")
    report = await venue.exchange.place(account, sold)
    assert report.average_price is not None and report.average_price >= sold.limit_price
    bought = order(world, "hh-2", contracts="500", side="buy", slippage="0.001")
    report = await venue.exchange.place(account, bought)
    assert report.average_price is not None and report.average_price <= bought.limit_price


async def test_an_order_is_found_by_our_id_and_only_by_it(
    venue: Venue, account: Account, other_account: Account, world: World
) -> None:
    report = await venue.exchange.place(account, order(world, "hh-1"))
    assert await venue.exchange.find_order(account, SOL, "hh-1") == report
    assert await venue.exchange.find_order(account, SOL, "hh-2") is None
    assert await venue.exchange.find_order(account, BTC, "hh-1") is None
    assert await venue.exchange.find_order(other_account, SOL, "hh-1") is None


async def test_the_same_id_is_never_filled_twice(venue: Venue, account: Account, world: World) -> None:
    first = await venue.exchange.place(account, order(world, "hh-1"))
    with pytest.raises(Rejected) as refusal:
        await venue.exchange.place(account, order(world, "hh-1"))
    (position,) = await venue.exchange.positions(account)
    assert refusal.value.code == "duplicate"
    assert position.contracts == D(-10)
    assert await venue.exchange.find_order(account, SOL, "hh-1") == first


async def test_the_same_id_sent_twenty_times_at_once_is_filled_once(
    venue: Venue, account: Account, world: World
) -> None:
    sent = await asyncio.gather(
        *(venue.again().place(account, order(world, "hh-1")) for _ in range(20)), return_exceptions=True
    )
    (position,) = await venue.exchange.positions(account)
    assert sum(isinstance(answer, OrderReport) for answer in sent) == 1
    assert all(isinstance(answer, OrderReport | Rejected) for answer in sent)
    assert position.contracts == D(-10)


async def test_different_orders_at_once_all_count_or_are_refused(
    venue: Venue, account: Account, world: World
) -> None:
    sent = await asyncio.gather(
        *(venue.again().place(account, order(world, f"hh-{n}", contracts="1")) for n in range(6)),
        return_exceptions=True,
    )
    filled = sum(answer.filled for answer in sent if isinstance(answer, OrderReport))
    assert all(isinstance(answer, OrderReport | Rejected) for answer in sent)
    assert filled >= 1
    (position,) = await venue.exchange.positions(account)
    assert position.contracts == -filled


async def test_state_outlives_the_process(venue: Venue, account: Account, world: World) -> None:
    report = await venue.exchange.place(account, order(world, "hh-1"))
    again = venue.again()
    assert await again.positions(account) == await venue.exchange.positions(account)
    assert await again.balance(account) == await venue.exchange.balance(account)
    assert await again.find_order(account, SOL, "hh-1") == report


async def test_accounts_do_not_touch_each_other(
    venue: Venue, account: Account, other_account: Account, world: World
) -> None:
    before = await venue.exchange.balance(other_account)
    await venue.exchange.place(account, order(world, "hh-1"))
    assert await venue.exchange.positions(other_account) == []
    assert await venue.exchange.balance(other_account) == before


async def test_an_order_with_nobody_to_take_it_ends_unfilled(
    venue: Venue, account: Account, world: World
) -> None:
    report = await venue.exchange.place(account, order(world, "hh-1", slippage="-0.05"))
    assert (report.status, report.filled, report.average_price, report.fee) == ("cancelled", D(0), None, D(0))
    assert await venue.exchange.positions(account) == []
    assert await venue.exchange.find_order(account, SOL, "hh-1") == report


async def test_an_order_larger_than_the_book_within_its_limit_is_filled_in_part(
    venue: Venue, account: Account, world: World
) -> None:
    await venue.exchange.set_leverage(account, SOL, 50)
    report = await venue.exchange.place(account, order(world, "hh-1", contracts="20000", slippage="0.0005"))
    (position,) = await venue.exchange.positions(account)
    assert report.status == "cancelled"
    assert 0 < report.filled < 20000
    assert position.contracts == -report.filled


async def test_closing_never_flips(venue: Venue, account: Account, world: World) -> None:
    await venue.exchange.place(account, order(world, "hh-1"))
    close = order(world, "hh-2", contracts="25", side="buy", reduce_only=True)
    report = await venue.exchange.place(account, close)
    assert report.filled == D(10)
    assert await venue.exchange.positions(account) == []
    with pytest.raises(Rejected):
        await venue.exchange.place(account, order(world, "hh-3", side="buy", reduce_only=True))
    assert await venue.exchange.positions(account) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"symbol": "NOSUCH/USDT:USDT"}, "unknown_symbol"),
        ({"contracts": D("0.005")}, "lot"),
        ({"contracts": D("10.005")}, "lot"),
        ({"limit_price": D("140.00005")}, "tick"),
        ({"contracts": D("0.01")}, "min_notional"),
        ({"contracts": D("100000")}, "margin"),
        ({"reduce_only": True}, "reduce_only"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_refused_is_refused_for_good_and_leaves_nothing(
    venue: Venue, account: Account, world: World, change: dict[str, object], code: str
) -> None:
    plain = order(world, "hh-1", slippage="0.01")
    fields = {name: getattr(plain, name) for name in plain.__slots__} | change
    before = await venue.exchange.balance(account)
    with pytest.raises(Rejected) as refusal:
        await venue.exchange.place(account, Order(**fields))
    assert refusal.value.code == code
    assert await venue.exchange.find_order(account, SOL, "hh-1") is None
    assert await venue.exchange.positions(account) == []
    assert await venue.exchange.balance(account) == before


async def test_leverage_is_what_was_set_and_setting_it_again_succeeds(
    venue: Venue, account: Account, world: World
) -> None:
    for _ in range(2):
        await venue.exchange.set_leverage(account, SOL, 5)
    await venue.exchange.place(account, order(world, "hh-1"))
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
    report = await venue.exchange.place(account, order(world, "hh-1", contracts="100"))
    after = await venue.exchange.balance(account)
    (position,) = await venue.exchange.positions(account)
    assert after.equity == pytest.approx(before.equity - report.fee + position.unrealized_pnl)
    assert after.free == pytest.approx(after.equity - position.margin)


async def test_a_short_gains_what_the_market_loses(
    venue: Venue, account: Account, other_account: Account, world: World
) -> None:
    report = await venue.exchange.place(account, order(world, "hh-1", contracts="100"))
    world.shock("crash", 0.3)
    (position,) = await venue.exchange.positions(account)
    hedged, flat = [await venue.exchange.balance(mine) for mine in (account, other_account)]
    assert report.average_price is not None
    assert position.mark_price < report.average_price * D("0.85")
    assert position.unrealized_pnl == (report.average_price - position.mark_price) * 100
    assert hedged.equity - flat.equity == pytest.approx(position.unrealized_pnl - report.fee)


async def test_funding_is_credited_every_interval(venue: Venue, account: Account, world: World) -> None:
    await venue.exchange.place(account, order(world, "hh-1", BTC, "1"))
    since = world.now()
    world.skip("25h")
    rates = world.funding_since(BTC, since)
    (position,) = await venue.exchange.positions(account)
    balance = await venue.exchange.balance(account)
    received = balance.equity - position.unrealized_pnl - (100_000 + world.snapshot().price("BTC"))
    fee = position.entry_price * D("0.0005")
    expected = sum(float(item.rate) for item in rates) * float(position.entry_price)
    assert len(rates) == 3
    assert float(received + fee) == pytest.approx(expected, rel=0.1, abs=0.5)


async def test_positions_and_balances_are_settled_alike_however_often_they_are_read(
    venue: Venue, account: Account, other_account: Account, world: World
) -> None:
    for mine in (account, other_account):
        await venue.exchange.place(mine, order(world, "hh-1", BTC, "1"))
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
    await venue.exchange.place(account, order(world, "hh-1", BTC, "20"))
    (position,) = await venue.exchange.positions(account)
    assert position.liquidation_price is not None
    world.shock("rally", 0.3)
    assert await venue.exchange.positions(account) == []
    balance = await venue.exchange.balance(account)
    assert 0 <= balance.free == balance.equity


async def test_an_inverse_contract_settles_in_its_coin(venue: Venue, account: Account, world: World) -> None:
    before = await venue.exchange.balance(account)
    await venue.exchange.set_leverage(account, COIN, 2)
    report = await venue.exchange.place(account, order(world, "hh-1", COIN, "500"))
    (position,) = await venue.exchange.positions(account)
    after = await venue.exchange.balance(account)
    assert report.filled == D(500)  # contracts of 100 dollars
    assert float(report.fee) == pytest.approx(50_000 * 0.0005)
    assert float(position.margin) == pytest.approx(25_000 / float(position.mark_price))
    assert float(after.equity) == pytest.approx(float(before.equity - report.fee + position.unrealized_pnl))


async def test_a_read_that_fails_is_unavailable_and_a_write_then_leaves_nothing(
    venue: Venue, account: Account, world: World, feed: WorldFeed
) -> None:
    wanted = order(world, "hh-1")
    feed.away = True
    with pytest.raises(Unavailable):
        await venue.exchange.positions(account)
    with pytest.raises(Unavailable):
        await venue.exchange.balance(account)
    with pytest.raises((Rejected, Ambiguous)):
        await venue.exchange.place(account, wanted)
    feed.away = False
    assert await venue.exchange.find_order(account, SOL, "hh-1") is None
    assert await venue.exchange.positions(account) == []


async def test_it_says_how_long_an_order_may_stay_unseen(venue: Venue) -> None:
    assert timedelta(0) < venue.exchange.settles_within <= timedelta(minutes=5)
    assert venue.exchange.name
