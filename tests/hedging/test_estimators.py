import numpy as np
import pytest
import statsmodels.api as sm

from hedging.errors import BadInput, NotEnoughHistory
from hedging.ratio import (
    Estimate,
    asynchronous,
    downside,
    ewma,
    hedge_size,
    manual,
    ols,
    robust,
    shrunk,
    volatility_ratio,
)


def pair(count: int = 500, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.standard_t(4, count) * 0.01
    return 1.3 * x + rng.standard_t(3, count) * 0.01 + 0.0005, x


@pytest.mark.parametrize("beta", [0.0, -1.0, 10.1, float("nan"), float("inf")])
def test_a_factor_that_cannot_be_meant_is_refused(beta: float) -> None:
    with pytest.raises(BadInput):
        manual(beta)


def test_a_factor_of_ten_is_still_taken() -> None:
    assert manual(10.0) == 10.0


def test_an_instrument_that_does_not_move_with_the_market_sizes_nothing() -> None:
    with pytest.raises(BadInput):
        hedge_size(1000, 1.5, 0.0, 1.0)


def test_the_size_grows_with_portfolio_beta_and_shrinks_with_the_instruments() -> None:
    assert hedge_size(1000, 1.5, 0.75, 0.5) == 1000


def test_the_volatility_ratio_is_that_of_the_standard_deviations() -> None:
    y, x = pair()
    y[4] = np.nan
    kept = np.delete(np.arange(500), 4)
    assert volatility_ratio(y, x).beta == pytest.approx(np.std(y[kept]) / np.std(x[kept]), rel=1e-12)


def test_weighted_least_squares_equals_statsmodels_with_whites_errors() -> None:
    y, x = pair()
    y[10:20] = np.nan
    got = ewma(y, x, half_life=100)
    kept = np.isfinite(y)
    weights = 0.5 ** ((499 - np.arange(500)[kept]) / 100)
    fit = sm.WLS(y[kept], sm.add_constant(x[kept]), weights=weights).fit(cov_type="HC0")
    np.testing.assert_allclose(
        (got.beta, got.se, got.r_squared), (fit.params[1], fit.bse[1], fit.rsquared), rtol=1e-8
    )
    assert got.n == 490


def test_an_endless_half_life_is_plain_least_squares() -> None:
    y, x = pair()
    assert ewma(y, x, half_life=1e12).beta == pytest.approx(ols(y, x).beta, rel=1e-9)


def test_a_half_life_of_nothing_is_refused() -> None:
    with pytest.raises(BadInput):
        ewma(*pair(), half_life=0)


def test_downside_beta_is_least_squares_over_the_worse_than_average_bars() -> None:
    y, x = pair()
    got = downside(y, x)
    worse = x < x.mean()
    fit = sm.OLS(y[worse], sm.add_constant(x[worse])).fit()
    np.testing.assert_allclose(
        (got.beta, got.se, got.r_squared), (fit.params[1], fit.bse[1], fit.rsquared), rtol=1e-8
    )


def test_the_correction_for_lagging_prices_is_the_sum_of_the_slopes_with_its_error() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(0, 0.01, 600)
    y = 0.5 * x + 0.7 * np.r_[0.0, x[:-1]] + rng.normal(0, 0.005, 600)
    got = asynchronous(y, x)
    design = sm.add_constant(np.column_stack([x[:-2], x[1:-1], x[2:]]))
    fit = sm.OLS(y[1:-1], design).fit()
    test = fit.t_test([0, 1, 1, 1])
    assert got.beta == pytest.approx(float(test.effect[0]), rel=1e-8)
    assert got.se == pytest.approx(float(np.squeeze(test.sd)), rel=1e-8)
    assert got.r_squared == pytest.approx(fit.rsquared, rel=1e-8)
    assert got.n == 598
    assert abs(got.beta - 1.2) < 3 * got.se < 0.2, "a plain slope would see 0.5"


def test_looking_no_bar_around_is_refused_and_too_few_bars_are_too_few() -> None:
    y, x = pair()
    with pytest.raises(BadInput):
        asynchronous(y, x, lags=0)
    with pytest.raises(BadInput):
        asynchronous(y, x[:-1])
    with pytest.raises(NotEnoughHistory):
        asynchronous(y[:5], x[:5])


def test_the_robust_slope_equals_statsmodels() -> None:
    y, x = pair()
    y[::50] += 0.5
    got = robust(y, x)
    fit = sm.RLM(y, sm.add_constant(x), M=sm.robust.norms.HuberT(1.345)).fit(tol=1e-14, maxiter=500)
    np.testing.assert_allclose((got.beta, got.se), (fit.params[1], fit.bse[1]), rtol=1e-8)
    assert abs(got.beta - 1.3) < 0.2
    around = y - fit.weights @ y / fit.weights.sum()
    explained = 1 - fit.weights @ fit.resid**2 / (fit.weights @ around**2)
    assert got.r_squared == pytest.approx(explained, rel=1e-8)
    assert got.n == 500


def test_a_perfect_line_is_found_without_error() -> None:
    x = pair()[1]
    got = robust(2 * x, x)
    assert got.beta == pytest.approx(2)
    assert got.se == pytest.approx(0, abs=1e-9)


def test_shrinking_draws_the_noisier_beta_further_to_the_market() -> None:
    table = {
        "BTC": Estimate(1.0, 0.0, 1.0, 500),
        "A": Estimate(0.8, 0.05, 0.7, 500),
        "B": Estimate(1.4, 0.05, 0.7, 500),
        "C": Estimate(2.6, 0.6, 0.2, 60),
    }
    got = shrunk(table, leave=frozenset(("BTC",)))
    betas, noise = np.array([0.8, 1.4, 2.6]), np.array([0.05, 0.05, 0.6]) ** 2
    spread = betas.var(ddof=1) - noise.mean()
    expected = (spread * betas + noise * betas.mean()) / (spread + noise)
    np.testing.assert_allclose([got[k].beta for k in "ABC"], expected, rtol=1e-12)
    np.testing.assert_allclose(
        [got[k].se for k in "ABC"], np.sqrt(spread * noise / (spread + noise)), rtol=1e-12
    )
    assert got["BTC"] == table["BTC"]
    assert (got["C"].n, got["C"].r_squared) == (60, 0.2)


def test_betas_that_differ_by_noise_alone_all_become_the_markets() -> None:
    got = shrunk({"A": Estimate(0.9, 1.0, 0.1, 50), "B": Estimate(1.1, 1.0, 0.1, 50)})
    assert [got[k].beta for k in "AB"] == pytest.approx([1.0, 1.0])
    assert got["A"].se == 0


def test_exact_betas_and_single_ones_stay_as_they_are() -> None:
    same = {"A": Estimate(1.0, 0.0, 1.0, 9), "B": Estimate(1.0, 0.0, 1.0, 9)}
    assert shrunk(same) == same
    assert shrunk({"A": Estimate(2.0, 0.5, 0.1, 9)}) == {"A": Estimate(2.0, 0.5, 0.1, 9)}


@pytest.mark.parametrize("measure", [volatility_ratio, downside, robust, lambda y, x: ewma(y, x, 10.0)])
def test_too_little_history_shapes_and_still_instruments_are_named(measure: object) -> None:
    assert callable(measure)
    y, x = pair(20)
    with pytest.raises(NotEnoughHistory):
        measure(y[:2], x[:2])
    with pytest.raises(NotEnoughHistory):
        measure(y, np.zeros(20))
    with pytest.raises(BadInput):
        measure(y, x[:-1])


def test_six_bars_are_enough_for_the_robust_slope_and_five_are_not() -> None:
    y, x = pair(6)
    assert robust(y, x).n == 6
    with pytest.raises(
        NotEnoughHistory, match=r"^5 aligned returns are too few, or the instrument does not move$"
    ):
        robust(y[:5], x[:5])


def test_the_error_of_the_volatility_ratio_is_how_far_it_strays_from_sample_to_sample() -> None:
    rng = np.random.default_rng(8)
    found = []
    for _ in range(2000):
        x = rng.normal(0, 1, 60)
        found.append(volatility_ratio(1.2 * x + rng.normal(0, 0.9, 60), x))
    strays = np.std([e.beta for e in found])
    assert np.mean([e.se for e in found]) == pytest.approx(strays, rel=0.05)
    held = [low < 1.5 < high for low, high in (e.interval() for e in found)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95, 0.99])
def test_the_interval_is_that_of_statsmodels(level: float) -> None:
    rng = np.random.default_rng(3)
    for n in (15, 40, 500):
        x = rng.normal(0, 1, n)
        y = 1.5 * x + rng.normal(0, 1, n)
        theirs = sm.OLS(y, sm.add_constant(x)).fit().conf_int(1 - level)[1]
        np.testing.assert_allclose(ols(y, x).interval(level), theirs, rtol=2e-4)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, float("nan")])
def test_an_interval_needs_a_level_that_is_a_share(level: float) -> None:
    with pytest.raises(BadInput):
        ols(np.array([0.01, 0.02, -0.01, 0.0]), np.array([0.01, 0.03, -0.02, 0.0])).interval(level)


def test_three_bars_are_enough_for_a_volatility_ratio() -> None:
    y, x = pair(3)
    assert volatility_ratio(y, x).beta == pytest.approx(y.std() / x.std())


def test_a_coin_that_never_moves_is_explained_by_nothing() -> None:
    x = pair(60)[1]
    for got in (ewma(np.zeros(60), x, 10.0), robust(np.zeros(60), x)):
        assert (got.beta, got.se, got.r_squared, got.n) == (0.0, 0.0, 0.0, 60)


def test_two_lags_look_two_bars_around() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(0, 0.01, 600)
    y = 0.5 * x + 0.4 * np.r_[0.0, 0.0, x[:-2]] + rng.normal(0, 0.005, 600)
    got = asynchronous(y, x, lags=2)
    design = sm.add_constant(np.column_stack([x[i : 596 + i] for i in range(5)]))
    fit = sm.OLS(y[2:-2], design).fit()
    assert got.beta == pytest.approx(fit.params[1:].sum(), rel=1e-8)
    assert got.n == 596


def test_lags_count_only_bars_that_are_whole() -> None:
    y, x = pair(100)
    y[10], x[50] = np.nan, np.nan
    assert asynchronous(y, x).n == 98 - 1 - 3


def test_refusals_say_what_is_wrong() -> None:
    y, x = pair(20)
    for work, sentence in (
        (lambda: ewma(y, x, -1.0), r"^a half-life must be positive, not -1\.0$"),
        (lambda: manual(11.0), r"^a factor must be above 0 and at most 10, not 11\.0$"),
        (
            lambda: hedge_size(1.0, 1.0, -1.0, 1.0),
            r"^an instrument of beta -1\.0 does not move with the market$",
        ),
        (lambda: asynchronous(y, x, 0), r"^there must be at least one lag, not 0$"),
        (lambda: asynchronous(y, x[1:]), r"^returns of shapes \(20,\) and \(19,\) are not aligned series$"),
        (
            lambda: volatility_ratio(y, x[1:]),
            r"^returns of shapes \(20,\) and \(19,\) are not aligned series$",
        ),
    ):
        with pytest.raises(BadInput, match=sentence):
            work()
    with pytest.raises(NotEnoughHistory, match=r"^9 returns are too few to look 2 bars around each$"):
        asynchronous(y[:9], x[:9], 2)
