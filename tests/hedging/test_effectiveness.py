from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from hedging.errors import BadInput, NotEnoughHistory
from hedging.market import Candles
from hedging.ratio import (
    Basket,
    Effectiveness,
    expected_shortfall,
    judge,
    shortfall_removed,
    variance_removed,
    verdict,
    walk_forward,
)
from hedging.ratio.effectiveness import carried, daily_closes
from hedging.returns import Returns


def test_a_perfect_hedge_removes_all_and_none_removes_nothing() -> None:
    pnl = np.array([1.0, -2.0, 3.0])
    assert variance_removed(pnl, np.zeros(3)) == 1
    assert variance_removed(pnl, pnl) == 0
    assert variance_removed(pnl, 2 * pnl) == -3


def test_what_never_moved_cannot_be_hedged() -> None:
    with pytest.raises(NotEnoughHistory):
        variance_removed(np.ones(5), np.zeros(5))
    with pytest.raises(NotEnoughHistory):
        variance_removed(np.ones(1), np.ones(1))
    with pytest.raises(NotEnoughHistory):
        shortfall_removed(np.array([1.0, 2.0]), np.array([0.0, 0.0]))


def test_expected_shortfall_is_the_mean_of_the_worst_share_rounded_up() -> None:
    pnl = np.arange(-50.0, 50.0)
    assert expected_shortfall(pnl) == 48
    assert expected_shortfall(pnl, 0.051) == 47.5
    assert expected_shortfall(pnl, 0.0001) == 50
    assert expected_shortfall(pnl, 1) == 0.5


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01])
def test_a_share_that_cannot_be_is_refused(share: float) -> None:
    with pytest.raises(BadInput):
        expected_shortfall(np.ones(3), share)
    with pytest.raises(NotEnoughHistory):
        expected_shortfall(np.empty(0))


def test_shortfall_removed_compares_the_two() -> None:
    assert shortfall_removed(np.array([-10.0, 1.0]), np.array([-4.0, 0.0]), 0.5) == pytest.approx(0.6)


def days(count: int = 140, noise: float = 0.5, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    unhedged = rng.normal(0, 1, count)
    return unhedged, noise * rng.normal(0, 1, count)


def test_judging_puts_all_of_it_together() -> None:
    unhedged, hedged = days()
    got = judge(unhedged, hedged)
    assert got.variance_removed == variance_removed(unhedged, hedged)
    assert got.shortfall_removed == shortfall_removed(unhedged, hedged)
    assert got.correlation == pytest.approx(np.corrcoef(unhedged, unhedged - hedged)[0, 1])
    worst = np.argsort(unhedged)[:7]
    assert got.stress_correlation == pytest.approx(
        np.corrcoef(unhedged[worst], (unhedged - hedged)[worst])[0, 1]
    )
    assert got.days == 140


def test_its_error_is_that_of_leaving_blocks_out() -> None:
    unhedged, hedged = days()
    left = [
        1 - np.delete(hedged, np.s_[i : i + 14]).var() / np.delete(unhedged, np.s_[i : i + 14]).var()
        for i in range(0, 140, 14)
    ]
    assert judge(unhedged, hedged).se == pytest.approx(
        np.sqrt(9 / 10 * ((np.array(left) - np.mean(left)) ** 2).sum())
    )


def test_few_blocks_leave_a_wide_error() -> None:
    assert judge(*days(28)).se == pytest.approx(np.sqrt(2 / 28))


def test_too_few_days_and_different_days_are_refused() -> None:
    with pytest.raises(NotEnoughHistory):
        judge(*days(19))
    assert judge(*days(20)).days == 20
    with pytest.raises(BadInput):
        judge(np.ones(20), np.ones(21))


def found(variance: float = 0.8, se: float = 0.05, shortfall: float = 0.5, days: int = 300) -> Effectiveness:
    return Effectiveness(variance, se, shortfall, 0.9, 0.5, days)


@pytest.mark.parametrize(
    ("case", "word", "reason"),
    [
        (found(), "strong", "what_history_says"),
        (found(variance=0.6), "strong", "what_history_says"),
        (found(variance=0.59), "fair", "what_history_says"),
        (found(variance=0.36), "fair", "what_history_says"),
        (found(variance=0.34), "weak", "what_history_says"),
        (found(variance=0.1), "dont", "what_history_says"),
        (found(variance=-0.2), "dont", "what_history_says"),
        (found(variance=0.6, se=0.2), "weak", "unsure"),
        (found(variance=0.4, se=0.2), "dont", "unsure"),
        (found(shortfall=0.24), "weak", "fails_in_stress"),
        (found(shortfall=0.09), "dont", "fails_in_stress"),
        (found(days=59), "weak", "too_little_history"),
    ],
)
def test_the_verdict_is_one_word_with_its_reason(case: Effectiveness, word: str, reason: str) -> None:
    got = verdict(case)
    assert (got.word, got.reason) == (word, reason)


def hourly(count_days: int = 90, seed: int = 4) -> Candles:
    rng = np.random.default_rng(seed)
    moves = rng.normal(0, 0.01, (count_days * 24, 3))
    moves[:, 1] += moves[:, 0]
    times = np.datetime64("2025-01-01T00:00:00", "s") + np.arange(count_days * 24) * np.timedelta64(3600, "s")
    return Candles(("BTC", "SOL", "ADA"), times, 100 * np.exp(np.cumsum(moves, axis=0)))


def test_walking_forward_judges_each_stretch_with_the_days_before_it_alone() -> None:
    candles = hourly()
    seen: list[tuple[np.datetime64, np.datetime64]] = []

    def fit(window: Returns, weights: Mapping[str, float], instruments: Sequence[str]) -> Basket:
        seen.append((window.times[0], window.times[-1]))
        assert len(window.values) == len(window.times)
        return Basket(("BTC",), (0.5,), (0.0,), 0.0, 0)

    unhedged, hedged = walk_forward(candles, {"SOL": 0.6, "ADA": 0.4}, ["BTC"], fit=fit)
    first = np.datetime64("2025-01-01T00:00:00", "s")
    day = np.timedelta64(1, "D")
    hour = np.timedelta64(1, "h")
    # The very first bar has no return, so the first window begins an hour later.
    assert seen == [(first + hour, first + 60 * day - hour), (first + 14 * day, first + 74 * day - hour)]
    ends = candles.close[23::24]
    moves = (ends[1:] / ends[:-1] - 1)[59:87]
    np.testing.assert_allclose(unhedged, moves[:, 1] * 0.6 + moves[:, 2] * 0.4, rtol=1e-9)
    np.testing.assert_allclose(hedged, unhedged - 0.5 * moves[:, 0], rtol=1e-9)


def test_walking_forward_passes_over_what_is_not_listed_yet() -> None:
    candles = hourly(104)
    candles.close[: 10 * 24, 2] = np.nan
    unhedged, _ = walk_forward(candles, {"ADA": 1.0}, ["BTC"])
    assert len(unhedged) == 28, "the stretch of the first 60 days lacks the coin; two more are judged"
    with pytest.raises(NotEnoughHistory):
        walk_forward(hourly(73), {"SOL": 1.0}, ["BTC"])


def test_a_stretch_that_no_instrument_helps_counts_as_unhedged() -> None:
    def none(window: Returns, weights: Mapping[str, float], instruments: Sequence[str]) -> Basket:
        return Basket((), (), (), 0.0, 0)

    unhedged, hedged = walk_forward(hourly(), {"SOL": 1.0}, ["BTC"], fit=none)
    assert (unhedged == hedged).all()


def test_the_close_of_a_day_is_its_last_known_price() -> None:
    times = np.array(
        ["2025-01-01T22", "2025-01-01T23", "2025-01-02T00", "2025-01-03T05"], dtype="datetime64[s]"
    )
    close = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, 7.0], [3.0, np.nan]])
    got_days, got = daily_closes(Candles(("A", "B"), times, close))
    assert got_days.astype("datetime64[D]").astype(str).tolist() == ["2025-01-01", "2025-01-02", "2025-01-03"]
    np.testing.assert_array_equal(got, [[2.0, np.nan], [2.0, 7.0], [3.0, 7.0]])


def test_gaps_are_filled_forward_and_never_backward() -> None:
    np.testing.assert_array_equal(carried(np.array([[np.nan], [1.0], [np.nan]])), [[np.nan], [1.0], [1.0]])


def test_a_hedge_that_does_nothing_is_correlated_with_nothing() -> None:
    unhedged, _ = days()
    got = judge(unhedged, unhedged)
    assert np.isnan(got.correlation)
    assert np.isnan(got.stress_correlation)
    assert got.variance_removed == 0


def test_a_constant_drag_beside_the_hedge_changes_no_correlation() -> None:
    unhedged, hedged = days()
    assert judge(unhedged, hedged - 0.1).correlation == pytest.approx(judge(unhedged, hedged).correlation)


def test_refusals_say_what_is_wrong() -> None:
    with pytest.raises(NotEnoughHistory, match=r"^the portfolio did not move: there was nothing to remove$"):
        variance_removed(np.ones(5), np.zeros(5))
    with pytest.raises(
        NotEnoughHistory, match=r"^the portfolio had no bad days: there was nothing to remove$"
    ):
        shortfall_removed(np.ones(5), np.zeros(5))
    with pytest.raises(NotEnoughHistory, match=r"^19 days are too few to judge a hedge$"):
        judge(*days(19))
    with pytest.raises(BadInput, match=r"^a share of days must be above 0 and at most 1, not 2$"):
        expected_shortfall(np.ones(3), 2)
    with pytest.raises(NotEnoughHistory, match=r"^there is no day to judge$"):
        expected_shortfall(np.empty(0))
    with pytest.raises(BadInput, match=r"are not of the same days$"):
        judge(np.ones((20, 2)), np.ones((20, 2)))
    with pytest.raises(NotEnoughHistory, match=r"^there are not 74 days of history to judge this hedge on$"):
        walk_forward(hourly(73), {"SOL": 1.0}, ["BTC"])
