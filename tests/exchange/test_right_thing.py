"""What each exchange lists and leaves out, as ccxt tells it, and what a plan makes of it. Faults 48 and 53 of
../shared/FAULTS.md."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.sandbox.market import World
from bot.services.markets import Market
from hedging.market import Snapshot
from hedging.plan import HedgePlan, propose
from hedging.portfolio import Holding, Position
from hedging.ratio import Estimate
from hedging.rules import HedgeRule
from tests.exchange.venues import Venue

SOL, BTC = "SOL/USDT:USDT", "BTC/USDT:USDT"
SETTLE_IN_USDC = {"binance", "bybit", "bingx", "mexc"}
CAT = Estimate(1.5, 0.1, 0.5, 500)


async def read(live: Venue, *, minutes: float = 0.1) -> Snapshot:
    """The market as the bot's side reads it now."""
    live.clock.pass_(minutes=minutes)
    snapshot: Snapshot = await live.feed.snapshot()
    return snapshot


def planned(
    snapshot: Snapshot,
    holdings: Mapping[str, str],
    *shorts: Position,
    free_in: Mapping[str, str] | None = None,
) -> HedgePlan:
    return propose(
        rule=HedgeRule(target=D(1), leverage=2),
        holdings=[Holding(coin, D(amount)) for coin, amount in holdings.items()],
        positions=shorts,
        snapshot=snapshot,
        betas={"CAT": CAT},
        free_collateral=D(1_000_000),
        free_in={coin: D(amount) for coin, amount in (free_in or {}).items()},
    )


def short(snapshot: Snapshot, symbol: str, units: str) -> Position:
    mark, size = snapshot.quotes[symbol].mark, snapshot.contracts[symbol].contract_size
    return Position(symbol, -D(units) / size, mark, mark, 2, "cross", D(1000), D(0), None)


def symbols(plan: HedgePlan) -> list[str]:
    return [leg.symbol for leg in plan.legs]


@pytest.mark.fault(48)
async def test_the_settle_coin_is_chosen_by_money_and_not_by_the_listing(live: Venue) -> None:
    snapshot = await read(live)
    beside = [symbol for symbol in snapshot.contracts if symbol.startswith("BTC/USDC")]
    assert bool(beside) is (live.name in SETTLE_IN_USDC)
    assert symbols(planned(snapshot, {"BTC": "1"})) == [BTC]
    if beside:
        in_usdc = planned(snapshot, {"BTC": "1"}, free_in={"USDT": "10", "USDC": "90000"})
        assert symbols(in_usdc) == beside
        stands = short(snapshot, beside[0], "0.4")
        grown = planned(snapshot, {"BTC": "1"}, stands, free_in={"USDT": "90000", "USDC": "90000"})
        assert symbols(grown) == beside, "a hedge stays in the coin in which it stands"
        more = grown.legs[0].contracts * snapshot.contracts[beside[0]].contract_size
        assert more == pytest.approx(D("0.6"), abs=D("0.001"))


@pytest.mark.fault(48)
@pytest.mark.parametrize("live", ["bybit"], indirect=True)
async def test_bybit_lists_what_settles_in_usdc_first(live: Venue) -> None:
    listed = [symbol for symbol in (await read(live)).contracts if symbol.startswith("BTC/")]
    assert listed[:2] == ["BTC/USDC:USDC", BTC]


@pytest.mark.fault(53)
async def test_a_stock_of_the_coins_name_is_not_the_coin(live: Venue, world: World) -> None:
    """CAT costs 2 % of SOL; the stock that is called so about 4 times as much as SOL."""
    live.loopback.listings.coins["CAT"] = "SOL", D("0.02")
    live.loopback.listings.add("CAT/USDT:USDT", SOL, D(4))
    stock_alone = await read(live, minutes=61)
    assert stock_alone.spot["CAT"] == pytest.approx(world.snapshot().spot["SOL"] / 50)
    made = planned(stock_alone, {"CAT": "100000"})
    assert symbols(made) == [BTC] and made.choices[0].another
    live.loopback.listings.add("1000CAT/USDT:USDT", SOL, D(20))
    both = await read(live, minutes=61)
    made = planned(both, {"CAT": "100000"})
    assert symbols(made) == ["1000CAT/USDT:USDT"]
    assert made.legs[0].notional == pytest.approx(100_000 * both.spot["CAT"], rel=D("0.01"))


@pytest.mark.fault(53)
async def test_a_coin_without_a_spot_market_has_no_price_whatever_a_contract_follows(live: Venue) -> None:
    live.loopback.listings.add("CAT/USDT:USDT", SOL, D(4))
    snapshot = await read(live, minutes=61)
    assert "CAT/USDT:USDT" in snapshot.quotes and "CAT" not in snapshot.spot


@pytest.mark.fault(53)
async def test_a_coin_that_is_sold_by_the_thousand_is_priced_by_one(live: Venue, world: World) -> None:
    live.loopback.listings.coins["1000CAT"] = "SOL", D(20)
    snapshot = await read(live, minutes=61)
    assert snapshot.spot["CAT"] == pytest.approx(world.snapshot().spot["SOL"] / 50)
    hours = await live.feed.candles(["CAT", "1000CAT"], since=world.now() - timedelta(hours=5))
    assert hours.close[-1] == pytest.approx(
        [float(snapshot.spot["CAT"]), float(snapshot.spot["1000CAT"])], rel=0.01
    )


@pytest.mark.fault(53)
async def test_a_stocks_candles_are_not_the_coins(live: Venue, world: World) -> None:
    live.loopback.listings.coins["CAT"] = "SOL", D("0.02")
    live.loopback.listings.add("CAT/USDT:USDT", SOL, D(4))
    snapshot = await read(live, minutes=61)
    hours = await live.feed.candles(["CAT"], since=world.now() - timedelta(hours=5))
    assert hours.close[-1, 0] == pytest.approx(float(snapshot.spot["CAT"]), rel=0.01)


@pytest.mark.fault(53)
@pytest.mark.parametrize("live", ["binance"], indirect=True)
async def test_what_is_quoted_in_bitcoin_is_no_contract_here(live: Venue) -> None:
    snapshot = await read(live)
    assert "ETH/BTC:BTC" in live.loopback.desk.contracts()
    assert [symbol for symbol in snapshot.contracts if symbol.startswith("ETH/")] == [
        "ETH/USDT:USDT",
        "ETH/USDC:USDC",
    ]
    assert {contract.quote for contract in snapshot.contracts.values()} == {"USDT", "USDC"}


@pytest.mark.fault(53)
@pytest.mark.parametrize("how", ["absent", "empty", "zero"])
async def test_a_hedge_whose_quote_is_missing_for_a_moment_stays_as_it_is(live: Venue, how: str) -> None:
    held = short(await read(live), SOL, "40")
    live.loopback.gaps.add(SOL, how=how, reads=2)
    for _ in range(2):
        snapshot = await read(live)
        assert SOL in snapshot.contracts and SOL not in snapshot.quotes
        assert symbols(planned(snapshot, {"SOL": "100", "BTC": "1"}, held)) == [BTC]
        assert BTC not in symbols(planned(snapshot, {"SOL": "100"})), "nor does the factor answer for it"
    assert symbols(planned(await read(live), {"SOL": "100"}, held)) == [SOL]


@pytest.mark.fault(53)
@pytest.mark.parametrize(
    "live", ["binance", "bingx", "weex"], indirect=True
)  # the others tell marks with quotes
async def test_a_mark_of_nought_is_no_price_either(live: Venue) -> None:
    held = short(await read(live), SOL, "40")
    live.loopback.gaps.add(SOL, on="marks", how="zero")
    assert planned(await read(live), {"SOL": "100"}, held).legs == ()


@pytest.mark.fault(53)
async def test_a_coin_whose_spot_row_is_missing_keeps_its_last_price_for_ten_minutes(live: Venue) -> None:
    market = Market(live.feed, live.clock)
    before = (await market.snapshot(fresh=True)).spot["SOL"]
    live.loopback.gaps.add("SOL", on="spot", reads=2)
    live.clock.pass_(minutes=9)
    assert "SOL" not in (await live.feed.snapshot()).spot, "the contract's index does not stand in"
    assert (await market.snapshot(fresh=True)).spot["SOL"] == before
    live.loopback.gaps.add("SOL", on="spot", reads=1)
    live.clock.pass_(minutes=2)
    assert "SOL" not in (await market.snapshot(fresh=True)).spot


@pytest.mark.fault(53)
async def test_a_funding_interval_that_changes_is_right_within_two_minutes(live: Venue, world: World) -> None:
    yearly = (await read(live)).funding[SOL].per_year
    for hours in (4, 1, 8):
        live.loopback.listings.hours[SOL] = world.now(), hours
        told = (await read(live, minutes=1.5)).funding[SOL]
        assert told.interval_hours == hours
        assert told.per_year == pytest.approx(yearly, rel=D("0.01"), abs=D("0.0001"))


@pytest.mark.fault(53)
async def test_settled_funding_is_of_the_hours_between_two_settlements(live: Venue, world: World) -> None:
    live.loopback.listings.hours[SOL] = world.now(), 1
    began = world.now()
    world.skip("5h")
    live.clock.pass_(minutes=300)
    await live.feed.snapshot()
    settled = await live.feed.funding_since(SOL, began - timedelta(days=2))
    assert [item.interval_hours for item in settled if item.next_time <= began] == [8] * 6
    assert [item.interval_hours for item in settled if item.next_time > began][1:] == [1] * 4
