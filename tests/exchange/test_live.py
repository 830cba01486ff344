"""What the bot's side says and hears on each exchange's own wire: amounts, sides and signs in both position modes,
markets, funding, and what the exchange does by itself. Faults 15, 20, 21, 22, 24 and 39 of ../shared/FAULTS.md."""

from datetime import timedelta
from decimal import Decimal as D

import numpy as np
import pytest

from bot.ports.errors import Rejected
from bot.ports.records import Account
from bot.sandbox.exchanges.traders import Trader
from bot.sandbox.market import World
from tests.exchange.venues import KEY, Venue

SOL, BTC, COIN = "SOL/USDT:USDT", "BTC/USDT:USDT", "BTC/USD:BTC"

# What must be on the wire when ten SOL are sold short, and when that short is bought back: one-way, then hedge mode.
# None: must not be there.
OPENS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "binance": (
        {"side": "SELL", "quantity": "10", "positionSide": None, "timeInForce": "IOC"},
        {"side": "SELL", "quantity": "10", "positionSide": "SHORT", "reduceOnly": None},
    ),
    "bybit": (
        {"side": "Sell", "qty": "10", "positionIdx": None, "timeInForce": "IOC", "reduceOnly": None},
        {"side": "Sell", "qty": "10", "positionIdx": 2},
    ),
    "bingx": (
        {"side": "SELL", "quantity": "10", "positionSide": "BOTH", "timeInForce": "IOC"},
        {"side": "SELL", "quantity": "10", "positionSide": "SHORT"},
    ),
    "mexc": (
        {"side": 3, "vol": 1000, "type": 3, "openType": 2, "positionMode": None},
        {"side": 3, "vol": 1000, "type": 3, "openType": 2, "positionMode": 1},
    ),
    "weex": (
        {"side": "SELL", "quantity": "10", "positionSide": "SHORT", "timeInForce": "IOC"},
        {"side": "SELL", "quantity": "10", "positionSide": "SHORT"},
    ),
}
CLOSES: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "binance": (
        {"side": "BUY", "quantity": "10", "reduceOnly": "true", "positionSide": None},
        {"side": "BUY", "quantity": "10", "positionSide": "SHORT", "reduceOnly": None},
    ),
    "bybit": (
        {"side": "Buy", "qty": "10", "reduceOnly": True, "positionIdx": None},
        {"side": "Buy", "qty": "10", "positionIdx": 2},
    ),
    "bingx": (
        {"side": "BUY", "quantity": "10", "positionSide": "BOTH", "reduceOnly": "true"},
        {"side": "BUY", "quantity": "10", "positionSide": "SHORT", "reduceOnly": None},
    ),
    "mexc": ({"side": 2, "vol": 1000}, {"side": 2, "vol": 1000, "positionMode": 1}),
    "weex": (
        {"side": "BUY", "quantity": "10", "positionSide": "SHORT"},
        {"side": "BUY", "quantity": "10", "positionSide": "SHORT"},
    ),
}


@pytest.fixture
def mine(live: Venue) -> Account:
    return Account(1, 1, live.name, "live")


@pytest.fixture
def trader(live: Venue) -> Trader:
    trader: Trader = live.loopback.desk.traders[KEY.format(1)]
    return trader


def on_the_wire(live: Venue, wanted: dict[str, object]) -> dict[str, object]:
    given = live.loopback.asked["order"].given
    return {name: given.get(name) for name in wanted}


@pytest.mark.parametrize("hedged", [False, True], ids=["one-way", "hedge"])
async def test_amounts_sides_and_signs_are_right(
    live: Venue, mine: Account, trader: Trader, hedged: bool
) -> None:
    live.loopback.desk.set_hedged(trader, hedged)
    sold = await live.live.place(mine, live.order("hh-1", SOL, "10"))
    assert on_the_wire(live, OPENS[live.name][hedged]) == OPENS[live.name][hedged]
    (held,) = live.loopback.desk.held(trader)
    (position,) = await live.live.positions(mine)
    assert (held.side, held.position.contracts) == ("short" if hedged else "both", position.contracts)
    assert live.units(SOL, position.contracts) == D(-10)
    assert live.units(SOL, sold.filled) == D(10)
    assert live.contracts[SOL].notional(position.contracts, position.mark_price) == pytest.approx(
        -10 * live.world.snapshot().quotes[SOL].mark
    )
    bought = await live.live.place(mine, live.order("hh-2", SOL, "10", side="buy", reduce_only=True))
    assert on_the_wire(live, CLOSES[live.name][hedged]) == CLOSES[live.name][hedged]
    assert bought.status == "filled"
    assert await live.live.positions(mine) == []


async def test_a_long_of_the_users_own_stays_as_it_is(live: Venue, mine: Account, trader: Trader) -> None:
    desk = live.loopback.desk
    desk.set_hedged(trader, True)
    by_hand = live.order("by-hand", SOL, "30", side="buy")
    desk.place(
        trader, client_id="by-hand", symbol=SOL, side="buy", contracts=by_hand.contracts,
        limit_price=by_hand.limit_price, reduce_only=False, position_side="long",
    )  # fmt: skip
    await live.live.place(mine, live.order("hh-1", SOL, "10"))
    short, long = await live.live.positions(mine)
    assert [live.units(SOL, one.contracts) for one in (short, long)] == [D(-10), D(30)]
    assert long.beside
    await live.live.place(mine, live.order("hh-2", SOL, "10", side="buy", reduce_only=True))
    assert [(held.side, live.units(SOL, held.position.contracts)) for held in desk.held(trader)] == [
        ("long", D(30))
    ]


@pytest.mark.fault(22)
@pytest.mark.parametrize("hedged", [False, True], ids=["one-way", "hedge"])
async def test_the_position_mode_is_read_for_each_order_and_never_switched(
    live: Venue, mine: Account, trader: Trader, hedged: bool
) -> None:
    live.loopback.desk.set_hedged(trader, not hedged)
    assert await live.live.hedge_mode(mine, SOL) is (not hedged)
    live.loopback.desk.set_hedged(trader, hedged)  # the user switched it in between
    assert (await live.live.place(mine, live.order("hh-1", SOL, "1"))).status == "filled"
    assert trader.hedged is hedged


@pytest.mark.fault(22)
@pytest.mark.parametrize("hedged", [False, True], ids=["one-way", "hedge"])
async def test_what_is_read_ahead_of_an_order_is_what_is_there(
    live: Venue, mine: Account, trader: Trader, hedged: bool
) -> None:
    live.loopback.desk.set_hedged(trader, hedged)
    assert await live.live.read_ahead(mine, SOL) == []
    asked = live.loopback.calls["position_mode"]
    await live.live.place(mine, live.order("hh-1", SOL, "10"))
    assert on_the_wire(live, OPENS[live.name][hedged]) == OPENS[live.name][hedged]
    assert live.loopback.calls["position_mode"] == asked, "the order need not ask again"
    await live.live.place(mine, live.order("hh-2", BTC, "1"))
    every = await live.live.positions(mine)
    for symbol in (SOL, BTC):
        assert await live.live.read_ahead(mine, symbol) == [p for p in every if p.symbol == symbol]


async def test_leverage_and_margin_mode_are_set_and_set_again(live: Venue, mine: Account) -> None:
    for _ in range(2):
        await live.live.set_leverage(mine, SOL, 4)
        await live.live.set_margin_mode(mine, SOL, "isolated")
    await live.live.place(mine, live.order("hh-1", SOL, "10"))
    (position,) = await live.live.positions(mine)
    assert (position.leverage, position.margin_mode) == (4, "isolated")
    assert await live.live.margin_mode(mine, SOL) == "isolated"


@pytest.mark.parametrize("live", ["bybit"], indirect=True)  # on the others they are not traded
async def test_an_inverse_short_is_counted_in_dollars(live: Venue, mine: Account) -> None:
    await live.live.place(mine, live.order("hh-1", COIN, "5000"))
    assert live.loopback.asked["order"].given["qty"] == "5000"
    (position,) = await live.live.positions(mine)
    assert (position.contracts, live.contracts[COIN].contract_size) == (D(-5000), D(1))


@pytest.mark.fault(15)
async def test_a_part_that_is_filled_is_told_as_a_part(live: Venue, mine: Account) -> None:
    live.loopback.desk.share = D("0.37")
    report = await live.live.place(mine, live.order("hh-1", SOL, "10"))
    (position,) = await live.live.positions(mine)
    assert report.status == "cancelled"
    assert live.units(SOL, report.filled) == D("3.7")
    assert position.contracts == -report.filled


@pytest.mark.parametrize("kind", ["adl", "liquidation"])
async def test_what_the_exchange_closes_by_itself_is_seen_and_named(
    live: Venue, mine: Account, trader: Trader, world: World, kind: str
) -> None:
    await live.live.place(mine, live.order("hh-1", SOL, "10"))
    live.loopback.desk.force_close(trader, SOL, kind)
    assert await live.live.positions(mine) == []
    closes = await live.live.forced_closes(mine, SOL, world.now() - timedelta(minutes=1))
    if live.name == "weex":
        assert closes == []  # nothing there tells: an unexplained change of the position is all that is seen
        return
    assert [(close.forced, close.side, live.units(SOL, close.contracts)) for close in closes] == [
        (kind, "buy", D(10))
    ]


async def test_a_delisted_contract_is_refused_and_then_unknown(live: Venue, mine: Account) -> None:
    await live.live.place(mine, live.order("hh-1", SOL, "10"))
    live.loopback.desk.delist(SOL)
    with pytest.raises(Rejected) as refused:
        await live.live.place(mine, live.order("hh-2", SOL, "10"))
    assert refused.value.code in ("closed", "unknown_symbol")
    assert await live.live.positions(mine) == []
    live.clock.pass_(minutes=61)  # the contracts are read anew
    assert SOL not in (await live.feed.snapshot()).contracts
    with pytest.raises(Rejected) as refused:
        await live.live.place(mine, live.order("hh-3", SOL, "10"))
    assert refused.value.code == "unknown_symbol"


async def test_a_position_that_was_opened_by_hand_is_seen(live: Venue, mine: Account, trader: Trader) -> None:
    by_hand = live.order("by-hand", SOL, "3")
    live.loopback.desk.place(
        trader, client_id="by-hand", symbol=SOL, side="sell", contracts=by_hand.contracts,
        limit_price=by_hand.limit_price, reduce_only=False,
    )  # fmt: skip
    (position,) = await live.live.positions(mine)
    assert live.units(SOL, position.contracts) == D(-3)


async def test_a_key_tells_what_it_may_do(live: Venue, mine: Account, trader: Trader) -> None:
    told = await live.live.permissions(mine)
    assert told.futures is True
    assert not told.withdraw
    trader.can_trade, trader.can_withdraw, trader.address_list = False, True, False
    told = await live.live.permissions(mine)
    assert told.futures is False
    if live.name in ("binance", "bybit", "bingx"):
        assert (told.withdraw, told.address_list) == (True, False)
    with pytest.raises(Rejected) as refused:
        await live.live.place(mine, live.order("hh-1", SOL, "1"))
    assert refused.value.code == "key"


async def test_a_snapshot_takes_three_calls_and_tells_the_market(live: Venue, world: World) -> None:
    await live.feed.snapshot()
    before = live.wire.counts.total()
    told, true = await live.feed.snapshot(), live.loopback.listings.snapshot()
    assert live.wire.counts.total() - before <= 3
    assert told.time == true.time
    linear = {symbol for symbol, one in true.contracts.items() if one.linear and one.in_dollars}
    assert linear <= set(told.quotes)
    for symbol in told.quotes:
        mine, real = told.quotes[symbol], true.quotes[symbol]
        assert (mine.bid, mine.ask, mine.mark, mine.index) == (real.bid, real.ask, real.mark, real.index)
        assert told.funding[symbol] == true.funding[symbol]
        contract, listed = told.contracts[symbol], true.contracts[symbol]
        assert contract.tick == listed.tick
        assert contract.lot * contract.contract_size == (listed.lot if contract.linear else 1)
    assert {asset: price for asset, price in told.spot.items() if asset in true.spot} == true.spot


async def test_depth_and_open_interest_are_read_once_in_a_quarter_of_an_hour(
    live: Venue, world: World
) -> None:
    await live.feed.snapshot()
    asked = live.loopback.calls["book"] + live.loopback.calls["open_interest"]
    told = [await live.feed.liquidity(SOL) for _ in range(50)][-1]
    calls = live.loopback.calls["book"] + live.loopback.calls["open_interest"] - asked
    assert calls == (1 if live.name in ("bybit", "mexc") else 2), "some tell it with their prices"
    depth = float(world.snapshot().quotes[SOL].depth)
    assert float(told.depth) == pytest.approx(depth, rel=0.01)
    mark = float(world.snapshot().quotes[SOL].mark)
    interest = {
        "binance": 10659.509 * mark,
        "bybit": 373504107 * mark,
        "bingx": 7409966.52,  # told in dollars
        "mexc": 55102960 * 0.01 * mark,  # told in contracts
        "weex": 128345.67 * mark,
    }
    assert told.open_interest is not None
    assert float(told.open_interest) == pytest.approx(interest[live.name], rel=0.001)
    live.clock.pass_(minutes=16)
    await live.feed.liquidity(SOL)
    assert live.loopback.calls["book"] == 2


async def test_history_is_the_markets(live: Venue, world: World) -> None:
    since = world.now() - timedelta(days=30)
    told = await live.feed.candles(["SOL", BTC, "USDT"], since=since, bar=timedelta(hours=1))
    true = world.candles(["SOL", BTC, "USDT"], since, timedelta(hours=1))
    assert (told.times == true.times).all()
    np.testing.assert_allclose(told.close, true.close, rtol=1e-9)
    settled = await live.feed.funding_since(SOL, world.now() - timedelta(days=10))
    assert list(settled) == list(world.funding_since(SOL, world.now() - timedelta(days=10)))


async def test_funding_is_told_as_received(live: Venue, mine: Account, trader: Trader, world: World) -> None:
    await live.live.place(mine, live.order("hh-1", SOL, "10"))
    since = world.now()
    world.skip("25h")
    await live.live.positions(mine)
    told = await live.live.funding_paid(mine, SOL, since, world.now())
    assert [float(item.amount) for item in told] == pytest.approx(
        [float(paid.amount) for paid in trader.funding], abs=1e-7
    )
    assert len(told) == 3
    assert {item.asset for item in told} == {"USDT"}


async def test_no_funding_of_a_long_hedge_is_left_out(
    live: Venue, mine: Account, trader: Trader, world: World
) -> None:
    """Exchanges tell a page, or a week, at a time."""
    await live.live.place(mine, live.order("hh-1", SOL, "10"))
    since = world.now()
    for _ in range(6):
        world.skip("1w")
        await live.live.positions(mine)
    told = await live.live.funding_paid(mine, SOL, since, world.now())
    assert len(told) == len(trader.funding) == 6 * 7 * 3
    assert [item.time for item in told] == [paid.time for paid in trader.funding]
    assert float(sum(item.amount for item in told)) == pytest.approx(
        float(sum(paid.amount for paid in trader.funding)), abs=1e-5
    )
    middle = trader.funding[60].time
    later = await live.live.funding_paid(mine, SOL, middle, world.now())
    assert [item.time for item in later] == [paid.time for paid in trader.funding[60:]]


async def test_fills_are_told_with_their_fees(
    live: Venue, mine: Account, trader: Trader, world: World
) -> None:
    report = await live.live.place(mine, live.order("hh-1", SOL, "10"))
    (fill,) = await live.live.fills(mine, SOL, world.now() - timedelta(minutes=1))
    assert (fill.order_id, fill.contracts, fill.price) == (
        report.order_id,
        report.filled,
        report.average_price,
    )
    assert float(fill.fee) == pytest.approx(float(trader.orders[0].fee), abs=1e-7)
    assert float(report.fee) == pytest.approx(float(fill.fee), rel=1e-6)


async def test_ten_accounts_borrow_one_set_of_markets(live: Venue, mine: Account) -> None:
    for number in range(4, 14):
        live.loopback.desk.open_account(f"key-of-{number}", f"secret-of-{number}", f"words-of-{number}")
    asked = live.loopback.calls["markets"]
    for number in range(4, 14):
        await live.live.balance(Account(number, number, live.name, "live"))
    assert live.loopback.calls["markets"] - asked <= asked, (
        "at most once more, for this exchange object itself"
    )
