import numpy as np
import pytest
import statsmodels.api as sm

from hedging.errors import BadInput, NotEnoughHistory, UnknownAsset
from hedging.market import Candles
from hedging.ratio import beta_matrix, beta_table, joint_betas, ols


def prices(returns: np.ndarray) -> np.ndarray:
    close: np.ndarray = 100.0 * np.exp(np.vstack([np.zeros(returns.shape[1]), np.cumsum(returns, axis=0)]))
    return close


def market(count: int = 400, seed: int = 3) -> np.ndarray:
    """(count, 3) returns: a factor, a coin of beta 1.4, a coin of beta -0.3."""
    rng = np.random.default_rng(seed)
    factor = rng.standard_t(4, count) * 0.01
    noise = rng.standard_t(4, (count, 2)) * 0.008
    return np.column_stack([factor, 1.4 * factor + noise[:, 0] + 0.001, -0.3 * factor + noise[:, 1]])


def candles(returns: np.ndarray, names: tuple[str, ...] = ("BTC", "SOL", "ODD")) -> Candles:
    close = prices(returns)
    times = np.datetime64("2025-01-01T00:00:00", "s") + np.arange(len(close)) * np.timedelta64(3600, "s")
    return Candles(names, times, close)


def truth(y: np.ndarray, x: np.ndarray) -> tuple[float, float, float]:
    fit = sm.OLS(y, sm.add_constant(x)).fit()
    return float(fit.params[1]), float(fit.bse[1]), float(fit.rsquared)


def test_slope_error_and_fit_equal_statsmodels() -> None:
    returns = market()
    table = beta_table(candles(returns), "BTC")
    for name, column in (("SOL", 1), ("ODD", 2)):
        got = table[name]
        np.testing.assert_allclose(
            (got.beta, got.se, got.r_squared), truth(returns[:, column], returns[:, 0]), rtol=1e-8
        )
        assert got.n == 400


def test_equality_holds_for_tiny_returns_around_a_large_mean() -> None:
    returns = market() * 1e-4 + 0.02
    got = ols(returns[:, 1], returns[:, 0])
    np.testing.assert_allclose(
        (got.beta, got.se, got.r_squared), truth(returns[:, 1], returns[:, 0]), rtol=1e-8
    )


def test_gaps_are_left_out_pair_by_pair_as_statsmodels_would() -> None:
    returns = market()
    close = prices(returns)
    close[50:60, 1] = np.nan
    close[100, 0] = np.nan
    close[:200, 2] = np.nan  # a late listing
    table = beta_table(Candles(("BTC", "SOL", "ODD"), candles(returns).times, close), "BTC")
    observed = np.diff(np.log(close), axis=0)
    for name, column in (("SOL", 1), ("ODD", 2)):
        both = np.isfinite(observed[:, [0, column]]).all(axis=1)
        got = table[name]
        expected = truth(observed[both, column], observed[both, 0])
        np.testing.assert_allclose((got.beta, got.se, got.r_squared), expected, rtol=1e-8)
        assert got.n == both.sum()


def test_the_matrix_pass_equals_a_loop_over_pairs() -> None:
    y, x = market(seed=4), market(seed=5)[:, :2] + market(seed=4)[:, :2]
    y[3:9, 0] = np.nan
    beta, se, r_squared, n = beta_matrix(y, x)
    for i in range(3):
        for k in range(2):
            one = ols(y[:, i], x[:, k])
            got = (beta[i, k], se[i, k], r_squared[i, k], n[i, k])
            np.testing.assert_allclose(got, (one.beta, one.se, one.r_squared, one.n), rtol=1e-12)


def test_the_factor_moves_exactly_like_itself() -> None:
    got = beta_table(candles(market()), "BTC")["BTC"]
    assert (got.beta, got.se, got.r_squared, got.n) == (1.0, 0.0, 1.0, 400)


@pytest.mark.parametrize(("returns", "known"), [(29, False), (30, True)])
def test_a_series_with_fewer_than_thirty_returns_is_left_out(returns: int, known: bool) -> None:
    close = prices(market())
    close[: 400 - returns, 1] = np.nan
    table = beta_table(Candles(("BTC", "SOL", "ODD"), candles(market()).times, close), "BTC")
    assert ("SOL" in table) is known


def test_a_factor_with_too_little_history_is_named() -> None:
    with pytest.raises(NotEnoughHistory, match="BTC has 29 returns"):
        beta_table(candles(market(29)), "BTC")


def test_a_factor_without_history_is_named() -> None:
    with pytest.raises(UnknownAsset, match="ETH"):
        beta_table(candles(market()), "ETH")


def test_a_factor_that_never_moves_measures_nothing() -> None:
    returns = market()
    returns[:, 0] = 0.0
    assert set(beta_table(candles(returns), "BTC")) == {"BTC"}
    with pytest.raises(NotEnoughHistory):
        ols(returns[:, 1], returns[:, 0])


def test_a_coin_that_never_moves_has_beta_zero_and_explains_nothing() -> None:
    returns = market()
    returns[:, 1] = 0.0
    got = beta_table(candles(returns), "BTC")["SOL"]
    assert (got.beta, got.se, got.r_squared) == (0.0, 0.0, 0.0)


def test_two_returns_are_too_few_and_three_are_not() -> None:
    y, x = market(3)[:, 1], market(3)[:, 0]
    with pytest.raises(NotEnoughHistory):
        ols(y[:2], x[:2])
    assert ols(y, x).n == 3


def test_series_of_different_lengths_are_refused() -> None:
    with pytest.raises(BadInput):
        ols(np.zeros(4), np.zeros(5))
    with pytest.raises(BadInput):
        beta_matrix(np.zeros((4, 1)), np.zeros((5, 1)))


def test_a_bad_tick_does_not_bend_the_slope() -> None:
    clean, dirty = candles(market()), candles(market())
    dirty.close[200, 1] *= 10
    assert beta_table(dirty, "BTC")["SOL"].beta == pytest.approx(
        beta_table(clean, "BTC")["SOL"].beta, rel=0.05
    )


def test_joint_betas_equal_statsmodels_with_several_instruments() -> None:
    returns = market()
    x = np.column_stack([returns[:, 0], market(seed=8)[:, 0]])
    beta, se, r_squared = joint_betas(returns, x)
    for i in (1, 2):
        fit = sm.OLS(returns[:, i], sm.add_constant(x)).fit()
        np.testing.assert_allclose(beta[i], fit.params[1:], rtol=1e-8)
        np.testing.assert_allclose(se[i], fit.bse[1:], rtol=1e-8)
        assert r_squared[i] == pytest.approx(fit.rsquared, rel=1e-8)


def test_joint_betas_leave_gaps_out_series_by_series() -> None:
    returns = market()
    x = np.column_stack([returns[:, 0], market(seed=8)[:, 0]])
    returns[:150, 1] = np.nan
    x[399, 1] = np.nan
    beta, se, r_squared = joint_betas(returns, x)
    for i, start in ((1, 150), (2, 0)):
        fit = sm.OLS(returns[start:399, i], sm.add_constant(x[start:399])).fit()
        np.testing.assert_allclose(
            (*beta[i], *se[i], r_squared[i]), (*fit.params[1:], *fit.bse[1:], fit.rsquared), rtol=1e-8
        )


def test_instruments_that_move_alike_cannot_be_told_apart() -> None:
    returns = market()
    with pytest.raises(NotEnoughHistory, match="alike"):
        joint_betas(returns[:, 1:], returns[:, [0, 0]])


def test_as_many_betas_as_returns_cannot_be_measured() -> None:
    with pytest.raises(NotEnoughHistory):
        joint_betas(market(3), market(3)[:, :2])
    assert np.isfinite(joint_betas(market(4), market(4)[:, :2])[0]).all()


def test_an_empty_history_gives_no_slope() -> None:
    beta, _, _, n = beta_matrix(np.empty((0, 2)), np.empty((0, 1)))
    assert np.isnan(beta).all()
    assert n.tolist() == [[0], [0]]


def test_series_that_share_too_few_bars_have_no_slope_beside_those_that_do() -> None:
    returns = market(100)
    returns[2:, 1] = np.nan
    beta, se, r_squared, n = beta_matrix(returns[:, 1:], returns[:, [0]])
    assert np.isnan([beta[0, 0], se[0, 0], r_squared[0, 0]]).all()
    assert n[:, 0].tolist() == [2, 100]
    assert np.isfinite([beta[1, 0], se[1, 0], r_squared[1, 0]]).all()


def test_a_still_coin_with_a_gap_has_beta_zero() -> None:
    returns = market(100)
    returns[:, 1] = 0.0
    returns[5, 1] = np.nan
    beta, se, r_squared, _ = beta_matrix(returns[:, [1]], returns[:, [0]])
    assert (beta[0, 0], se[0, 0], r_squared[0, 0]) == (0.0, 0.0, 0.0)


def test_an_instrument_with_a_gap_that_never_moves_measures_nothing() -> None:
    returns = market(100)
    returns[:, 0] = 0.0
    returns[5, 0] = np.nan
    assert np.isnan(beta_matrix(returns[:, 1:], returns[:, [0]])[0]).all()


def test_refusals_say_what_is_wrong() -> None:
    with pytest.raises(BadInput, match=r"^returns of shapes \(4,\) and \(5,\) are not aligned series$"):
        ols(np.zeros(4), np.zeros(5))
    with pytest.raises(BadInput, match=r"^returns of shapes \(4, 1\) and \(5, 1\) do not share their bars$"):
        joint_betas(np.zeros((4, 1)), np.zeros((5, 1)))
    with pytest.raises(NotEnoughHistory, match=r"^2 aligned returns are too few to measure a beta$"):
        ols(market(2)[:, 1], market(2)[:, 0])
    with pytest.raises(
        NotEnoughHistory, match=r"^3 aligned returns are too few to measure 2 betas together$"
    ):
        joint_betas(market(3), market(3)[:, :2])
    with pytest.raises(
        NotEnoughHistory, match=r"^the instruments move alike; their betas cannot be told apart$"
    ):
        joint_betas(market()[:, 1:], market()[:, [0, 0]])
