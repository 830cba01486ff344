import numpy as np
import pytest

from hedging.market import Candles
from hedging.replay import Outlook, Rule, outlook, run

HELD = {"SOL": 100.0}


def history(days: int = 100, pump: float = 0.0) -> Candles:
    """Hours of BTC and of a coin that moves 1.5 times as far; on the last day but ten BTC jumps by `pump`."""
    moves = np.random.default_rng(6).normal(0, 0.005, days * 24)
    moves[-240] += np.log1p(pump)
    times = np.datetime64("2025-01-01T00:00:00", "s") + np.arange(days * 24) * np.timedelta64(3600, "s")
    logs = np.cumsum(moves)
    return Candles(("BTC", "SOL"), times, np.column_stack([50_000 * np.exp(logs), 100 * np.exp(1.5 * logs)]))


def ahead(
    candles: Candles, rule: Rule, start: np.datetime64 | None = None, end: np.datetime64 | None = None
) -> Outlook:
    return outlook(candles, HELD, rule, run(candles, HELD, rule, start=start, end=end))


CROSS = Rule(target=1.0, method="beta", instruments=("BTC",), exclude_direct=True, funding_rate=-0.0001)


def test_the_price_of_the_insurance_is_fees_less_funding_a_month() -> None:
    candles = history()
    result = run(candles, HELD, CROSS)
    assert result.funding < 0 < result.fees
    got = outlook(candles, HELD, CROSS, result)
    assert got.insurance_per_month == pytest.approx((result.fees - result.funding) / (len(result.daily) / 30))


def test_the_short_survives_as_far_as_its_collateral_reaches() -> None:
    # Twice levered: half of the notional stands behind it, 1 % of what it has risen to is needed.
    (runway,) = ahead(history(), CROSS).runways
    assert runway.instrument == "BTC"
    assert 1 / 2 - runway.survives == pytest.approx(0.01 * (1 + runway.survives))


def test_pumps_are_the_coins_own_and_what_comes_later_is_not_looked_at() -> None:
    before, jumped = history(), history(pump=0.8)
    (calm,), (wild,) = ahead(before, CROSS).runways, ahead(jumped, CROSS).runways
    assert all(pump is not None and pump < 0.6 for pump in calm.pumps)
    assert all(pump is not None and pump > 0.6 for pump in wild.pumps)
    early = np.datetime64("2025-03-20", "s")
    (unknowing,) = ahead(jumped, CROSS, end=early).runways
    (same,) = ahead(before, CROSS, end=early).runways
    assert unknowing == same


def test_a_span_longer_than_the_history_has_no_pump() -> None:
    start = np.datetime64("2025-01-05", "s")
    short = ahead(history(days=25), CROSS, start=start).runways[0].pumps
    assert short[0] is not None and short[1] is not None and short[2] is None


def test_what_if_the_market_falls_the_hedge_gives_back_what_is_lost() -> None:
    candles = history()
    got = ahead(candles, CROSS).what_if
    assert got is not None
    half = got.moves.tolist().index(-0.5)
    value = 100 * candles.close[-1, 1]
    assert got.unhedged[half] == pytest.approx(-0.75 * value, rel=1e-6), "a beta of 1.5"
    assert abs(got.hedged[half]) < 0.02 * value
    assert got.given_up[-1] > 0


def test_without_the_factor_in_the_history_there_is_no_what_if() -> None:
    candles = history()
    alone = Candles(("SOL",), candles.times, candles.close[:, 1:])
    got = ahead(alone, Rule(method="direct"))
    assert got.what_if is None
    assert got.runways[0].instrument == "SOL"


def test_each_coin_is_chosen_a_hedge_by_itself_with_the_reasons_against_the_others() -> None:
    (choice,) = ahead(history(), Rule(instruments=("BTC", "SOL"))).choices
    assert choice.chosen is not None
    assert (choice.chosen.kind, choice.chosen.symbols) == ("direct", ("SOL",))
    assert {(option.kind, option.reason) for option in choice.options} == {
        ("direct", "chosen"),
        ("cross", "second_best"),
    }
    (excluded,) = ahead(history(), CROSS).choices
    assert excluded.chosen is not None
    assert (excluded.chosen.kind, excluded.chosen.symbols) == ("cross", ("BTC",))
    poor = Rule(instruments=("BTC",), exclude_direct=True, min_notional=1e9)
    (small,) = ahead(history(), poor).choices
    assert (small.chosen, small.reason) == (None, "too_small")
