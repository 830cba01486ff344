import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from hedging.errors import BadInput, NotEnoughHistory, UnknownAsset
from hedging.ratio import Costs, bars_a_day, fit_basket, non_negative, second_moments, sparse
from hedging.returns import Returns

SEEDS = st.integers(0, 10_000)


def problem(seed: int, instruments: int = 6, bars: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Returns of instruments (bars, K) that share a market, and of a portfolio (bars,)."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 1, bars)
    x = common[:, None] * rng.uniform(0.3, 1.5, instruments) + rng.normal(0, 1, (bars, instruments))
    return x, x @ rng.normal(0.2, 0.4, instruments) + rng.normal(0, 1, bars)


def series(x: np.ndarray, y: np.ndarray, step: int = 3600) -> Returns:
    times = np.datetime64("2025-01-01T00:00:00", "s") + np.arange(len(x)) * np.timedelta64(step, "s")
    names = (*(f"I{i}" for i in range(x.shape[1])), "HELD")
    return Returns(names, times, np.column_stack([x, y]) * 0.01, np.zeros(len(names), dtype=np.int64))


def free(k: int, users: int = 1) -> np.ndarray:
    return np.ones((users, k), dtype=bool)


@given(seed=SEEDS, instruments=st.integers(1, 9))
def test_non_negative_ratios_equal_those_of_scipy(seed: int, instruments: int) -> None:
    x, y = problem(seed, instruments)
    np.testing.assert_allclose(non_negative(x.T @ x, x.T @ y), nnls(x, y)[0], rtol=1e-7, atol=1e-9)


def test_nothing_helps_a_portfolio_that_moves_against_everything() -> None:
    assert non_negative(np.eye(3), np.array([-1.0, -2.0, 0.0])).tolist() == [0, 0, 0]
    assert sparse(np.eye(3), -np.ones((1, 3)), np.ones(1), free(3)).tolist() == [[0, 0, 0]]


@given(seed=SEEDS, legs=st.integers(1, 3))
def test_the_few_legs_are_the_best_of_all_combinations(seed: int, legs: int) -> None:
    x, y = problem(seed)
    got = sparse(x.T @ x, (x.T @ y)[None], np.array([y @ y]), free(6), max_legs=legs)[0]
    choices = [list(c) for c in itertools.combinations(range(6), legs)]
    best = min(float(((y - x[:, c] @ nnls(x[:, c], y)[0]) ** 2).sum()) for c in choices)
    assert (got > 0).sum() <= legs
    assert float(((y - x @ got) ** 2).sum()) == pytest.approx(best, rel=1e-9)


def test_many_portfolios_at_once_equal_one_after_the_other() -> None:
    x, _ = problem(1)
    rng = np.random.default_rng(2)
    y = x @ rng.normal(0.2, 0.5, (6, 40)) + rng.normal(0, 1, (200, 40))
    allowed = rng.random((40, 6)) < 0.7
    variance = (y * y).sum(axis=0)
    together = sparse(x.T @ x, y.T @ x, variance, allowed)
    for i in range(40):
        alone = sparse(x.T @ x, (y.T @ x)[[i]], variance[[i]], allowed[[i]])[0]
        np.testing.assert_allclose(together[i], alone, rtol=1e-12)
        assert not together[i][~allowed[i]].any(), "an instrument that is not allowed was used"


def test_of_very_many_instruments_the_promising_are_searched() -> None:
    x, y = problem(3, instruments=60)
    got = sparse(x.T @ x, (x.T @ y)[None], np.array([y @ y]), free(60))[0]
    alone = np.maximum(x.T @ y, 0) ** 2 / np.einsum("tk,tk->k", x, x)
    assert (got > 0).sum() == 3
    assert set(np.flatnonzero(got)) <= set(np.argsort(-alone)[:40])


def test_no_leg_at_all_is_no_choice() -> None:
    with pytest.raises(BadInput):
        sparse(np.eye(2), np.ones((1, 2)), np.ones(1), free(2), max_legs=0)


# Two instruments: the first removes 0.64 of the variance, the second 0.09 more.
GRAM, CROSS, VARIANCE = np.eye(2), np.array([[0.8, 0.3]]), np.ones(1)


def priced(per_ratio: float, least: float = 0.0, price: float = 0.1) -> np.ndarray:
    costs = Costs(np.full(2, per_ratio), np.full(2, least), horizon=1.0, price_of_risk=price)
    ratios: np.ndarray = sparse(GRAM, CROSS, VARIANCE, free(2), costs=costs)[0]
    return ratios


@pytest.mark.parametrize(
    ("per_ratio", "legs"),
    # Worth of the second leg: 0.1 x (0.6 - sqrt 0.27) = 0.00804, at a ratio of 0.3; of the first 0.1 x 0.4 at 0.8.
    [(0.0, [0.8, 0.3]), (0.026, [0.8, 0.3]), (0.028, [0.8, 0.0]), (0.049, [0.8, 0.0]), (0.06, [0.0, 0.0])],
)
def test_a_leg_that_does_not_pay_for_itself_is_left_out(per_ratio: float, legs: list[float]) -> None:
    np.testing.assert_allclose(priced(per_ratio), legs)


def test_a_leg_below_the_smallest_order_is_left_out() -> None:
    np.testing.assert_allclose(priced(0.0, least=0.3), [0.8, 0.3])
    np.testing.assert_allclose(priced(0.0, least=0.31), [0.8, 0.0])
    np.testing.assert_allclose(priced(0.0, least=0.81), [0.0, 0.0])


def test_who_pays_more_for_safety_takes_more_legs() -> None:
    np.testing.assert_allclose(priced(0.028, price=0.2), [0.8, 0.3])


def test_moments_are_mean_products() -> None:
    values = np.array([[1.0, 2.0], [3.0, -1.0], [2.0, 1.0]])
    np.testing.assert_allclose(second_moments(values), [[14 / 3, 1 / 3], [1 / 3, 2.0]])


def test_a_series_that_is_there_in_stormy_days_only_brings_no_storm_into_the_others() -> None:
    # The second moves twice as far as the first, and is there when that one moves three times as far as usual.
    values = np.array(
        [[1.0, np.nan], [-1.0, np.nan], [1.0, np.nan], [-1.0, np.nan], [3.0, 6.0], [-3.0, -6.0]]
    )
    whole = 22 / 6
    np.testing.assert_allclose(second_moments(values), whole * np.array([[1.0, 2.0], [2.0, 4.0]]))
    assert second_moments(values[:, 1:])[0, 0] == pytest.approx(36), "alone, it is what it is"


@given(seed=SEEDS)
def test_a_few_missing_bars_change_moments_a_little(seed: int) -> None:
    x, _ = problem(seed, instruments=4, bars=400)
    holey = np.where(np.random.default_rng(seed).random(x.shape) < 0.05, np.nan, x)
    np.testing.assert_allclose(second_moments(holey), second_moments(x), atol=0.3)


def test_what_stopped_trading_is_neither_hedged_nor_hedged_with() -> None:
    x, y = problem(5, instruments=2, bars=60 * 24)
    y = y + 3 * x[:, 0] + 3 * x[:, 1]
    stopped = x.copy()
    stopped[-8 * 24 :, 0] = np.nan
    assert set(fit_basket(series(x, y), {"HELD": 1.0}, ["I0", "I1"]).instruments) == {"I0", "I1"}
    assert fit_basket(series(stopped, y), {"HELD": 1.0}, ["I0", "I1"]).instruments == ("I1",)
    paused = x.copy()
    paused[-6 * 24 :, 0] = np.nan
    assert set(fit_basket(series(paused, y), {"HELD": 1.0}, ["I0", "I1"]).instruments) == {"I0", "I1"}
    y[-8 * 24 :] = np.nan
    got = fit_basket(series(x, y), {"HELD": 1.0}, ["I0", "I1"])
    assert (got.instruments, got.explained) == ((), 0.0)


def test_older_bars_count_half_after_a_half_life() -> None:
    np.testing.assert_allclose(
        second_moments(np.array([[1.0], [0.0], [3.0]]), 2.0), [[(0.5 + 9) / (0.5 + 0.5**0.5 + 1)]]
    )
    with pytest.raises(BadInput):
        second_moments(np.ones((2, 1)), 0.0)


def test_series_that_never_meet_have_no_moment() -> None:
    assert second_moments(np.array([[1.0, np.nan], [np.nan, 1.0]]))[0, 1] == 0


@given(seed=SEEDS, max_legs=st.sampled_from([1, 2, 3, None]))
def test_in_sample_the_fitted_hedge_never_adds_variance(seed: int, max_legs: int | None) -> None:
    x, y = problem(seed)
    got = fit_basket(series(x, y), {"HELD": 1.0}, [f"I{i}" for i in range(6)], max_legs=max_legs)
    assert 0.0 <= got.explained <= 1.0
    assert len(got.instruments) <= (max_legs or 6)
    weights = 0.5 ** (np.arange(200)[::-1] / (20 * 24))
    short = x[:, [int(name[1:]) for name in got.instruments]] @ np.array(got.ratios)
    assert got.explained == pytest.approx(1 - weights @ (y - short) ** 2 / (weights @ y**2), rel=1e-9)


@given(seed=SEEDS, scale=st.floats(0.1, 10))
def test_the_ratios_scale_with_the_weights(seed: int, scale: float) -> None:
    x, y = problem(seed)
    names = [f"I{i}" for i in range(6)]
    one, many = (fit_basket(series(x, y), {"HELD": w}, names) for w in (1.0, scale))
    assert one.instruments == many.instruments
    np.testing.assert_allclose(many.ratios, np.array(one.ratios) * scale, rtol=1e-9)


def test_without_shrinkage_ratio_and_error_of_one_leg_are_those_of_least_squares() -> None:
    x, y = problem(5, instruments=1, bars=800)
    got = fit_basket(series(x, y), {"HELD": 1.0}, ["I0"], ridge=0.0, half_life_days=1e9)
    slope = x[:, 0] @ y / (x[:, 0] @ x[:, 0])
    error = np.sqrt(((y - slope * x[:, 0]) ** 2).sum() / 799 / (x[:, 0] @ x[:, 0]))
    assert got.ratios[0] == pytest.approx(slope, rel=1e-9)
    assert got.ses[0] == pytest.approx(error, rel=1e-3)
    assert got.n == 800


def test_shrinkage_makes_ratios_smaller() -> None:
    x, y = problem(5, instruments=1)
    loose, tight = (fit_basket(series(x, y), {"HELD": 1.0}, ["I0"], ridge=r).ratios[0] for r in (0.0, 0.2))
    assert tight == pytest.approx(loose / 1.2, rel=1e-9)


def test_the_half_life_is_in_days_whatever_the_bars() -> None:
    x, y = problem(6)
    hourly = fit_basket(series(x, y), {"HELD": 1.0}, ["I0"], half_life_days=1.0)
    daily = fit_basket(series(x, y, step=86_400), {"HELD": 1.0}, ["I0"], half_life_days=24.0)
    assert hourly.ratios[0] == pytest.approx(daily.ratios[0], rel=1e-9)


def test_the_largest_leg_comes_first() -> None:
    x, y = problem(7)
    got = fit_basket(series(x, y), {"HELD": 1.0}, [f"I{i}" for i in range(6)], max_legs=None)
    assert list(got.ratios) == sorted(got.ratios, reverse=True)


def test_an_instrument_with_half_a_history_is_passed_over() -> None:
    x, y = problem(8, instruments=2)
    x[:101, 0] = np.nan
    assert fit_basket(series(x, y), {"HELD": 1.0}, ["I0", "I1", "NONE"]).instruments in (("I1",), ())
    x[:, 1] = np.nan
    with pytest.raises(NotEnoughHistory, match="no instrument"):
        fit_basket(series(x, y), {"HELD": 1.0}, ["I0", "I1"])


def test_a_holding_without_enough_history_is_named() -> None:
    x, y = problem(9)
    y[29:] = np.nan
    with pytest.raises(NotEnoughHistory, match="HELD"):
        fit_basket(series(x, y), {"HELD": 1.0}, ["I0"])
    with pytest.raises(UnknownAsset, match="PEPE"):
        fit_basket(series(x, y), {"PEPE": 1.0}, ["I0"])
    with pytest.raises(NotEnoughHistory, match="anything held"):
        fit_basket(series(x, y), {}, ["I0"])


def test_costs_follow_their_instruments_when_others_drop_out() -> None:
    x, y = problem(10, instruments=2)
    x[:150, 0] = np.nan
    costs = Costs(np.array([0.0, 9.0]), np.zeros(2), horizon=336.0)
    assert fit_basket(series(x, y), {"HELD": 1.0}, ["I0", "I1"], costs=costs).instruments == ()


def test_costs_that_are_worth_paying_leave_the_leg_that_is_left() -> None:
    x, y = problem(10, instruments=2)
    x[:150, 0] = np.nan
    y = y + 3 * x[:, 1]
    least = np.array([9.0, 0.0])
    costs = Costs(np.array([9.0, 1e-4]), least, horizon=336.0, price_of_risk=0.5)
    assert fit_basket(series(x, y), {"HELD": 1.0}, ["I0", "I1"], costs=costs).instruments == ("I1",)
    unwilling = Costs(np.array([9.0, 1e-4]), least, horizon=336.0, price_of_risk=1e-9)
    assert fit_basket(series(x, y), {"HELD": 1.0}, ["I0", "I1"], costs=unwilling).instruments == ()
    short = Costs(np.array([9.0, 0.1]), least, horizon=1e-9)
    assert fit_basket(series(x, y), {"HELD": 1.0}, ["I0", "I1"], costs=short).instruments == ()
    too_small = Costs(np.array([9.0, 1e-4]), np.array([0.0, 99.0]), horizon=336.0, price_of_risk=0.5)
    assert fit_basket(series(x, y), {"HELD": 1.0}, ["I0", "I1"], costs=too_small).instruments == ()


def test_a_leg_taken_on_the_way_is_dropped_when_others_do_better_without_it() -> None:
    # The second answers most by itself; beside the other two it would have to be long. Kept: (9, 10) over rows 1, 3.
    gram = np.array([[22.0, 1.0, -1.0], [1.0, 15.0, 7.0], [-1.0, 7.0, 7.0]])
    got = non_negative(gram, np.array([9.0, 10.0, 10.0]))
    np.testing.assert_allclose(got, [73 / 153, 0.0, 229 / 153], rtol=1e-12)


@given(seed=SEEDS, scale=st.sampled_from([1e-12, 1.0, 1e6]))
def test_non_negative_ratios_of_things_much_alike_equal_those_of_scipy(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (40, 1)) * rng.choice([-1, 1], 8) + rng.normal(0, 0.5, (40, 8))
    y = x @ rng.normal(0, 1, 8) + rng.normal(0, 1, 40)
    x, y = x * scale, y * scale
    np.testing.assert_allclose(non_negative(x.T @ x, x.T @ y), nnls(x, y)[0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("good", "other"),
    # What an instrument answers by itself is cross squared over its own variance: the good ones answer most.
    [
        ((0.1, 1e-4), (1.0, 1.0)),
        ((10.0, 10.0), (0.5, 0.1)),
        ((0.1, 1e-3), (10.0, 50.0)),
        ((0.1, 1e-3), (-100.0, 1.0)),
        ((0.1, 1e-3), (0.0, 1e-9)),
    ],
)
def test_among_very_many_those_that_answer_most_by_themselves_are_searched(
    good: tuple[float, float], other: tuple[float, float]
) -> None:
    cross, variances = np.array([[other[0]] * 42 + [good[0]] * 3]), np.array([other[1]] * 42 + [good[1]] * 3)
    found = sparse(np.diag(variances), cross, np.array([1e4]), free(45))[0]
    assert np.flatnonzero(found).tolist() == [42, 43, 44]


def test_among_very_many_what_is_not_allowed_takes_nobodys_place() -> None:
    cross, allowed = np.array([[100.0] * 42 + [1.0] * 3]), free(45)
    allowed[0, :42] = False
    assert np.flatnonzero(sparse(np.eye(45), cross, np.array([1e6]), allowed)[0]).tolist() == [42, 43, 44]


def test_of_exactly_as_many_as_are_searched_none_is_left_out() -> None:
    cross = np.linspace(1.0, 2.0, 40)[None]
    assert np.flatnonzero(sparse(np.eye(40), cross, np.array([1e3]), free(40))[0]).tolist() == [37, 38, 39]


def test_with_older_bars_counting_less_there_are_fewer_of_them_behind_the_error() -> None:
    x, y = problem(5, instruments=1)
    got = fit_basket(series(x, y), {"HELD": 1.0}, ["I0"], half_life_days=2.0, ridge=0.0)
    weights = 0.5 ** (np.arange(200)[::-1] / 48)
    left = float(weights @ (0.01 * (y - got.ratios[0] * x[:, 0])) ** 2 / weights.sum())
    gram = float(weights @ (0.01 * x[:, 0]) ** 2 / weights.sum())
    bars = weights.sum() ** 2 / (weights @ weights)
    assert got.ses[0] == pytest.approx(np.sqrt(left / (bars - 1) / gram), rel=1e-9)


def test_a_portfolio_that_never_moves_has_nothing_explained_and_no_leg() -> None:
    x, _ = problem(12)
    got = fit_basket(series(x, np.zeros(200)), {"HELD": 1.0}, ["I0", "I1"])
    assert (got.instruments, got.ratios, got.ses, got.explained, got.n) == ((), (), (), 0.0, 200)


def test_half_lives_below_one_bar_are_half_lives_too() -> None:
    np.testing.assert_allclose(second_moments(np.array([[4.0], [1.0]]), 0.5), [[(16 / 4 + 1) / (1 / 4 + 1)]])


def test_a_day_has_as_many_bars_as_the_usual_step_says() -> None:
    x, y = problem(13, bars=30)
    assert bars_a_day(series(x, y)) == 24.0
    assert bars_a_day(series(x, y, step=28_800)) == 3.0
    assert bars_a_day(series(x[:1], y[:1])) == 24.0, "one bar says nothing: hours are taken"
    holey = series(x, y, step=86_400)
    assert (
        bars_a_day(Returns(holey.names, np.delete(holey.times, [5]), holey.values[1:], holey.set_aside))
        == 1.0
    )
