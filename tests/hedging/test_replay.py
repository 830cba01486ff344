"""Replays against slow loops that are easy to believe, and against what must always hold."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hedging.errors import BadInput, HedgingError, NotEnoughHistory, UnknownAsset
from hedging.market import Candles
from hedging.replay import METHODS, FundingHistory, Rule, drawdown, parse, run, run_many

START = np.datetime64("2025-01-01T00:00:00", "s")
HOUR = np.timedelta64(3600, "s")


def candles(closes: np.ndarray, names: tuple[str, ...], high: np.ndarray | None = None) -> Candles:
    return Candles(names, START + np.arange(len(closes)) * HOUR, closes, high=high)


def walk(days: int = 100, seed: int = 1, sigma: float = 0.01) -> np.ndarray:
    """(hours, 3): BTC, a coin that follows it, a coin of its own."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0, sigma, (days * 24, 3))
    moves[:, 1] = 1.3 * moves[:, 0] + 0.3 * moves[:, 1]
    return np.asarray(100 * np.exp(np.cumsum(moves, axis=0)))


NAMES = ("BTC", "SOL", "ADA")
FREE = Rule(target=1.0, taker_fee=0.0, slippage=0.0, min_notional=0.0, band=9.0, leverage=1.0)


def test_a_direct_short_of_everything_leaves_only_what_drifts_between_fits() -> None:
    got = run(candles(walk(), NAMES), {"SOL": 10.0}, replace(FREE, method="direct", rebalance_days=1))
    np.testing.assert_allclose([hedged for _, _, hedged in got.daily], 0.0, atol=1e-9)
    assert got.effectiveness == pytest.approx(1.0)
    assert got.pnl_hedged == pytest.approx(0.0, abs=1e-6)
    assert {(leg.instrument, leg.ratio) for leg in got.legs} == {("SOL", 1.0)}


def test_days_are_profit_and_loss_from_midnight_to_midnight() -> None:
    prices = walk()
    got = run(
        candles(prices, NAMES),
        {"SOL": 10.0},
        FREE,
        start=np.datetime64("2025-03-10"),
        end=np.datetime64("2025-03-12"),
    )
    assert [day for day, _, _ in got.daily] == ["2025-03-10", "2025-03-11", "2025-03-12"]
    evenings = prices[[24 * d - 1 for d in (68, 69, 70, 71)], 1]
    np.testing.assert_allclose([unhedged for _, unhedged, _ in got.daily], 10 * np.diff(evenings), rtol=1e-9)


def slow(
    prices: np.ndarray, rule: Rule, ratio: float, amount: float, first: int, last: int
) -> tuple[list[float], float, float]:
    """One coin (column 1) answered by `ratio` x BTC (column 0), bar by bar: daily hedged profit, fees, funding."""
    cost = rule.taker_fee + rule.slippage
    short = profit = fees = funding = 0.0
    days, before = [], 0.0
    for bar in range(first, last):
        price, value = prices[bar, 0], amount * prices[bar, 1]
        if bar > first:
            profit += short * (prices[bar - 1, 0] - price)
            if (bar + 1) % 8 == 0:
                profit += short * price * rule.funding_rate
                funding += short * price * rule.funding_rate
        if bar > first and (bar - first) % 24 == 0:
            days.append((profit, value))
        fit = (bar - first) % (24 * rule.rebalance_days) == 0 and bar < last - 1
        if fit or (bar > first and abs(short * price / value / ratio - rule.target) > rule.band):
            wanted = rule.target * ratio * value / price
            fees += abs(wanted - short) * price * cost
            profit -= abs(wanted - short) * price * cost
            short = wanted
            if days and (bar - first) % 24 == 0 and not fit:
                days[-1] = (profit, value)
    fees += short * prices[last - 1, 0] * cost
    days[-1] = (profit - short * prices[last - 1, 0] * cost, days[-1][1])
    out = []
    value_before = amount * prices[first, 1]
    for gain, value in days:
        out.append(value - value_before + gain - before)
        before, value_before = gain, value
    return out, fees, funding


@pytest.mark.parametrize("band", [9.0, 0.05])
def test_a_manual_hedge_equals_a_slow_loop_bar_by_bar(band: float) -> None:
    prices = walk()
    rule = Rule(
        target=0.75, method="manual", beta=1.5, band=band, leverage=1.0, funding_rate=0.0002, min_notional=0.0
    )
    got = run(candles(prices, NAMES), {"SOL": 10.0}, rule, start=np.datetime64("2025-01-03"))
    daily, fees, funding = slow(prices, rule, 1.5, 10.0, 2 * 24 - 1, len(prices))
    assert got.liquidations == 0
    assert got.funding == pytest.approx(funding, rel=1e-9)
    assert got.pnl_hedged == pytest.approx(sum(daily), rel=1e-9)
    if band == 9.0:
        assert got.resizes == 0
        assert got.fees == pytest.approx(fees, rel=1e-9)
    else:
        assert got.resizes > 5
        assert got.fees == pytest.approx(fees, rel=1e-9)


def test_holdings_set_back_each_midnight_earn_their_first_worth_times_the_days_return() -> None:
    prices = walk()
    rule = replace(FREE, exclude_direct=True, reset_holdings=True)
    got = run(candles(prices, NAMES), {"SOL": 120.0, "ADA": 5.0}, rule)
    evenings = prices[23::24, 1:]
    first = len(evenings) - len(got.daily) - 1
    worth = evenings[first] * np.array([120.0, 5.0])
    moves = evenings[first + 1 :] / evenings[first:-1] - 1
    np.testing.assert_allclose(
        [unhedged for _, unhedged, _ in got.daily], moves @ worth, rtol=1e-9, atol=1e-9
    )
    assert got.pnl_unhedged == pytest.approx((moves @ worth).sum())


def test_fees_are_the_turnover_times_their_rate() -> None:
    rule = replace(FREE, method="manual", taker_fee=0.001, slippage=0.0005)
    paths = run_many(candles(walk(), NAMES), ["SOL"], np.array([[10.0]]), rule)
    assert paths.books.fees[0] == pytest.approx(paths.books.traded[0] * 0.0015)


def test_recorded_funding_is_received_on_the_notional_of_its_hour() -> None:
    flat = np.full((100 * 24, 3), 100.0) * (1 + 1e-6 * (np.arange(2400)[:, None] % 2))
    times = START + np.arange(300) * 8 * HOUR
    rates = np.random.default_rng(3).normal(0, 1e-4, 300)
    rule = replace(FREE, method="manual", beta=1.0)
    first = np.datetime64("2025-02-01")
    got = run(
        candles(flat, NAMES), {"SOL": 10.0}, rule, start=first, funding={"BTC": FundingHistory(times, rates)}
    )
    inside = (times > first) & (times <= START + 100 * 24 * HOUR)
    assert got.funding == pytest.approx(1000.0 * rates[inside].sum(), rel=1e-4)
    without = run(
        candles(flat, NAMES), {"SOL": 10.0}, rule, start=first, funding={"ADA": FundingHistory(times, rates)}
    )
    assert without.funding == 0.0


def test_recorded_funding_of_a_year_sums_to_the_recording(shared_path: Callable[[str], object]) -> None:
    with gzip.open(str(shared_path("market/funding_8h_2025.csv.gz")), "rt") as file:
        rows = [line.rstrip().split(",") for line in file][1:]
    mine = [(np.datetime64(t[:-1], "s"), float(r)) for s, t, r in rows if s == "SOL/USDT:USDT"]
    times, rates = np.array([t for t, _ in mine]), np.array([r for _, r in mine])
    begin = times[0].astype("datetime64[D]").astype("datetime64[s]")
    hours = int((times[-1] - begin) / HOUR) // 24 * 24 + 24
    flat = Candles(("SOL",), begin + np.arange(hours) * HOUR, np.full((hours, 1), 50.0))
    rule = replace(FREE, method="manual", beta=1.0)
    got = run(
        flat,
        {"SOL": 2.0},
        rule,
        start=begin + np.timedelta64(1, "D"),
        funding={"SOL": FundingHistory(times, rates)},
    )
    judged = (times > begin + np.timedelta64(1, "D")) & (times <= begin + hours * HOUR)
    assert got.funding == pytest.approx(100.0 * rates[judged].sum(), rel=1e-12)


def spike(high: float | None = None, close: float = 100.0, leverage: float = 2.0) -> tuple[Candles, Rule]:
    """Flat prices; at 06:00 of the second day the short's price jumps."""
    prices = np.full((4 * 24, 2), 100.0)
    prices[30:, 0] = close
    highs = prices.copy()
    if high is not None:
        highs[30, 0] = high
    rule = replace(FREE, method="manual", beta=1.0, leverage=leverage, instruments=("BTC",))
    return candles(prices, ("BTC", "SOL"), highs), rule


def test_a_wick_beyond_the_collateral_takes_the_short_and_its_collateral() -> None:
    # 1,000 short with 500 behind it and 1 % of maintenance margin: (500 + 1,000) / 10.1 = 148.51.
    market, rule = spike(high=149.0)
    got = run(market, {"SOL": 10.0}, rule, start=np.datetime64("2025-01-02"))
    assert (got.liquidations, got.pnl_hedged) == (1, -500.0)
    assert [hedged for _, _, hedged in got.daily] == [-500.0, 0.0, 0.0]
    market, rule = spike(high=148.0)
    assert run(market, {"SOL": 10.0}, rule, start=np.datetime64("2025-01-02")).liquidations == 0


def test_half_the_collateral_lost_is_topped_up_and_not_sold() -> None:
    market, rule = spike(close=126.0)
    got = run(market, {"SOL": 10.0}, rule, start=np.datetime64("2025-01-02"))
    assert (got.top_ups, got.liquidations) == (1, 0)
    assert got.pnl_hedged == pytest.approx(-260.0)


def test_less_leverage_survives_what_more_does_not() -> None:
    market, rule = spike(high=149.0, leverage=1.0)
    assert run(market, {"SOL": 10.0}, rule, start=np.datetime64("2025-01-02")).liquidations == 0


def test_a_liquidated_hedge_comes_back_with_the_next_fit() -> None:
    market, rule = spike(high=149.0)
    got = run(market, {"SOL": 10.0}, replace(rule, rebalance_days=1), start=np.datetime64("2025-01-02"))
    assert got.liquidations == 1
    assert len(got.legs) == 3


def test_many_portfolios_and_rules_at_once_equal_one_after_the_other() -> None:
    market = candles(walk(seed=5, sigma=0.02), NAMES)
    amounts = np.random.default_rng(6).uniform(0.1, 10, (8, 2))
    amounts[2, 0] = 0.0
    rule = Rule(min_notional=0.0, instruments=("BTC", "ADA"), band=0.05, leverage=3.0)
    changes: list[dict[str, Any]] = [
        {},
        {"target": 0.4},
        {"target": 1.0, "band": 0.2},
        {"leverage": 8.0, "maintenance_rate": 0.05},
        {"taker_fee": 0.002, "slippage": 0.001},
        {"method": "beta", "factor": "BTC"},
        {"method": "manual", "beta": 1.5},
        {"method": "cross", "max_legs": 1, "min_notional": 50.0},
    ]
    rules = [replace(rule, **change) for change in changes]
    together = run_many(market, ["SOL", "ADA"], amounts, rules)
    for i, own in enumerate(rules):
        alone = run_many(market, ["SOL", "ADA"], amounts[[i]], own)
        np.testing.assert_allclose(together.profit[:, i], alone.profit[:, 0], rtol=1e-9, atol=1e-6)
        for name in ("fees", "traded", "funding", "resizes", "top_ups", "liquidations"):
            assert getattr(together.books, name)[i] == pytest.approx(getattr(alone.books, name)[0]), name


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"train_days": 30}, "same train days"),
        ({"rebalance_days": 7}, "same rebalance days"),
        ({"instruments": ("BTC",)}, "same instruments"),
    ],
)
def test_rules_that_do_not_go_together_are_refused(other: dict[str, Any], sentence: str) -> None:
    rules = [Rule(), replace(Rule(), **other)]
    with pytest.raises(BadInput, match=sentence):
        run_many(candles(walk(), NAMES), ["SOL"], np.array([[1.0], [1.0]]), rules)


def test_each_portfolio_needs_its_rule() -> None:
    with pytest.raises(BadInput, match="1 rules for 2 portfolios"):
        run_many(candles(walk(), NAMES), ["SOL"], np.array([[1.0], [1.0]]), [Rule()])


@pytest.mark.parametrize("method", METHODS)
def test_what_comes_later_changes_nothing_before(method: str) -> None:
    prices = walk()
    rule = Rule(method=method, instruments=("BTC", "SOL"))  # type: ignore[arg-type]
    whole = run(candles(prices, NAMES), {"SOL": 10.0, "ADA": 5.0}, rule)
    changed = prices.copy()
    changed[90 * 24 :] *= np.linspace(1, 5, 10 * 24)[:, None]
    other = run(candles(changed, NAMES), {"SOL": 10.0, "ADA": 5.0}, rule)
    assert other.daily[:29] == whole.daily[:29]
    assert other.legs[: len([leg for leg in whole.legs if leg.date < "2025-04-01"])] == tuple(
        leg for leg in whole.legs if leg.date < "2025-04-01"
    )


def test_auto_shorts_the_coin_itself_where_it_can_and_a_basket_for_the_rest() -> None:
    got = run(candles(walk(), NAMES), {"SOL": 10.0, "ADA": 5.0}, Rule(target=1.0, instruments=("BTC", "ADA")))
    first = {leg.instrument: leg.ratio for leg in got.legs if leg.date == got.legs[0].date}
    share = 5 * walk()[60 * 24 - 1, 2] / (5 * walk()[60 * 24 - 1, 2] + 10 * walk()[60 * 24 - 1, 1])
    assert first["ADA"] == pytest.approx(share)
    assert first["BTC"] > 0


def test_held_coins_are_not_shorted_when_that_is_excluded() -> None:
    got = run(candles(walk(), NAMES), {"SOL": 10.0, "ADA": 5.0}, Rule(exclude_direct=True))
    assert {leg.instrument for leg in got.legs} == {"BTC"}


@pytest.mark.parametrize("legs", [1, 2])
def test_there_are_never_more_legs_than_asked_for(legs: int) -> None:
    rng = np.random.default_rng(9)
    common = rng.normal(0, 0.01, (80 * 24, 1))
    prices = 100 * np.exp(np.cumsum(common + rng.normal(0, 0.004, (80 * 24, 6)), axis=0))
    names = ("A", "B", "C", "D", "E", "F")
    for held in ({"A": 1.0}, {"A": 1.0, "B": 1.0}, {"A": 1.0, "B": 2.0, "C": 3.0}):
        for method in ("auto", "direct", "cross"):
            got = run(candles(prices, names), held, Rule(max_legs=legs, method=method))
            for day in {leg.date for leg in got.legs}:
                assert 1 <= sum(leg.date == day for leg in got.legs) <= legs


def test_direct_keeps_the_largest_when_there_are_too_many() -> None:
    got = run(candles(walk(), NAMES), {"SOL": 1.0, "ADA": 50.0}, Rule(method="direct", max_legs=1))
    assert {leg.instrument for leg in got.legs} == {"ADA"}


def test_beta_is_the_slope_on_the_factor() -> None:
    prices = walk()
    got = run(candles(prices, NAMES), {"SOL": 10.0}, Rule(target=0.5, method="beta"))
    moves = np.diff(np.log(prices[: 60 * 24]), axis=0)
    slope = moves[:, 0] @ moves[:, 1] / (moves[:, 0] @ moves[:, 0])
    assert got.legs[0].ratio == pytest.approx(0.5 * slope, rel=1e-9)
    assert got.legs[0].instrument == "BTC"


def test_without_the_factor_the_first_instrument_takes_its_place() -> None:
    got = run(candles(walk(), NAMES), {"SOL": 10.0}, Rule(method="beta", instruments=("ADA",)))
    assert {leg.instrument for leg in got.legs} <= {"ADA"}


def test_a_leg_below_the_smallest_order_is_not_traded() -> None:
    got = run(candles(walk(), NAMES), {"SOL": 0.01}, Rule(method="direct", min_notional=50.0))
    assert got.legs == ()
    assert got.fees == 0.0
    assert got.effectiveness == 0.0


def test_shorts_follow_the_perpetuals_own_price_where_it_is_recorded() -> None:
    prices = np.column_stack([walk(), walk()[:, 0] * 1.01])
    got = run(candles(prices, (*NAMES, "BTC/USDT:USDT")), {"SOL": 1.0}, Rule(method="beta"))
    assert {leg.instrument for leg in got.legs} == {"BTC/USDT:USDT"}


def test_an_instrument_that_is_listed_later_is_used_from_then_on() -> None:
    prices = walk(140)
    prices[: 80 * 24, 0] = np.nan
    got = run(candles(prices, NAMES), {"SOL": 10.0}, Rule(instruments=("BTC",)))
    assert got.legs[0].date >= "2025-04-11"
    assert np.isfinite([hedged for _, _, hedged in got.daily]).all()


def test_gaps_do_not_stop_a_replay() -> None:
    prices = walk()
    prices[1000:1010] = np.nan
    prices[70 * 24 - 1, 1] = np.nan
    got = run(candles(prices, NAMES), {"SOL": 10.0}, Rule())
    assert len(got.daily) == 40
    assert np.isfinite([hedged for _, _, hedged in got.daily]).all()


def test_worst_weeks_are_apart_and_show_what_the_hedge_left() -> None:
    got = run(candles(walk(), NAMES), {"SOL": 10.0}, replace(FREE, method="direct"))
    starts = np.array([week.start for week in got.worst_weeks], dtype="datetime64[D]")
    assert (np.diff(np.sort(starts)).astype(int) >= 7).all()
    assert [week.unhedged for week in got.worst_weeks] == sorted(week.unhedged for week in got.worst_weeks)
    assert all(abs(week.hedged) < abs(week.unhedged) for week in got.worst_weeks)


def test_a_drawdown_is_measured_from_the_peak_before_it() -> None:
    assert drawdown(np.array([5.0, 4.0, 8.0, 6.0, 7.0])) == 0.25
    assert drawdown(np.array([1.0, 2.0, 3.0])) == 0.0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"target": 0.0}, "target"),
        ({"target": 1.6}, "target"),
        ({"target": float("nan")}, "target"),
        ({"method": "magic"}, "method"),
        ({"max_legs": 0}, "leg"),
        ({"beta": 0.0}, "factor"),
        ({"train_days": 1}, "2 days"),
        ({"rebalance_days": 0}, "once a day"),
        ({"band": 0.0}, "band"),
        ({"leverage": 0.5}, "leverage"),
        ({"leverage": 21.0}, "leverage"),
        ({"taker_fee": -0.1}, "Fees"),
        ({"slippage": 0.1}, "Fees"),
        ({"funding_rate": 0.05}, "funding"),
        ({"min_notional": -1.0}, "order"),
        ({"method": "direct", "exclude_direct": True}, "nothing to trade"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_in_a_sentence(
    change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        replace(Rule(), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("holdings", "options", "failure"),
    [
        ({"PEPE": 1.0}, {}, UnknownAsset),
        ({"SOL": 0.0}, {}, BadInput),
        ({"SOL": -1.0}, {}, BadInput),
        ({"SOL": float("nan")}, {}, BadInput),
        ({}, {}, BadInput),
        ({"SOL": 1.0}, {"start": np.datetime64("2025-05-01")}, BadInput),
        ({"SOL": 1.0}, {"start": np.datetime64("2025-03-10"), "end": np.datetime64("2025-03-09")}, BadInput),
        ({"SOL": 1.0}, {"start": np.datetime64("2025-01-01")}, NotEnoughHistory),
    ],
)
def test_what_cannot_be_replayed_is_refused_by_name(
    holdings: dict[str, float], options: dict[str, np.datetime64], failure: type[HedgingError]
) -> None:
    with pytest.raises(failure):
        run(candles(walk(), NAMES), holdings, Rule(), start=options.get("start"), end=options.get("end"))


def test_an_unknown_instrument_is_named() -> None:
    with pytest.raises(UnknownAsset, match="PEPE"):
        run(candles(walk(), NAMES), {"SOL": 1.0}, Rule(instruments=("BTC", "PEPE")))


def test_a_coin_listed_after_the_start_is_named_with_its_day() -> None:
    prices = walk()
    prices[: 50 * 24, 1] = np.nan
    with pytest.raises(NotEnoughHistory, match="SOL has prices from 2025-02-20 on"):
        run(candles(prices, NAMES), {"SOL": 1.0}, Rule(), start=np.datetime64("2025-02-01"))


def test_a_recorded_crash_costs_less_with_the_hedge(shared_path: Callable[[str], object]) -> None:
    with gzip.open(str(shared_path("market/spot_1h_2020_2021.csv.gz")), "rt") as file:
        market = parse(file)
    rule = Rule(target=0.75, instruments=("BTC", "ETH", "BNB", "XRP", "LTC"), exclude_direct=True)
    start, end = np.datetime64("2021-05-05"), np.datetime64("2021-05-25")
    got = run(market, {"SOL": 120.0, "ADA": 5000.0, "ATOM": 100.0}, rule, start=start, end=end)
    print(f"May 2021: {got.pnl_unhedged:,.0f} unhedged, {got.pnl_hedged:,.0f} hedged")
    assert got.pnl_unhedged < got.pnl_hedged
    assert got.max_drawdown_hedged < got.max_drawdown_unhedged
