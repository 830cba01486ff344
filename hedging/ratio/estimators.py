"""Other ways to a hedge ratio than least squares, each for what least squares does badly.

All take (T,) returns of the holding `y` and of the instrument `x` and use the bars where both are finite; all raise
BadInput for other shapes and NotEnoughHistory for too few bars or an instrument that does not move.
"""

from collections.abc import Mapping
from math import isfinite, sqrt

import numpy as np

from hedging.errors import BadInput, NotEnoughHistory
from hedging.ratio.regression import Estimate, joint_betas, ols
from hedging.returns import Floats

NAIVE = 1.0  # one dollar short for each dollar held
MAD_TO_SIGMA = 1 / 0.6744897501960817  # scale of a normal sample over its median absolute deviation
HUBER = 1.345  # in scales; 95 % as efficient as least squares when the noise is normal


def manual(beta: float) -> float:
    """The user's own factor ("my basket moves 1.5 x BTC"), as a ratio. Raises BadInput unless it is within (0, 10].

    >>> manual(1.5)
    1.5
    """
    if not (isfinite(beta) and 0 < beta <= 10):
        raise BadInput(f"a factor must be above 0 and at most 10, not {beta}")
    return beta


def hedge_size(value: float, portfolio_beta: float, instrument_beta: float, ratio: float) -> float:
    """Notional to short, in the unit of `value`: value x portfolio beta / instrument beta x hedge ratio.

    Source: the blueprint, "Beta Hedging". A basket of 10,000 that moves 1.5 x BTC, half of it hedged with BTC:

    >>> hedge_size(10_000, 1.5, 1.0, 0.5)
    7500.0

    Raises BadInput for an instrument beta that is not positive.
    """
    if not instrument_beta > 0:
        raise BadInput(f"an instrument of beta {instrument_beta} does not move with the market")
    return value * portfolio_beta / instrument_beta * ratio


def volatility_ratio(y: Floats, x: Floats) -> Estimate:
    """Standard deviation of `y` over that of `x`: the ratio as it would be if they moved in perfect step.

    Its standard error is ratio x sqrt((1 - r^2) / (n - 2)) for a correlation r: the error of the difference of two
    logarithms of standard deviations. Source: E. Pitman, Biometrika 31 (1939). `r_squared`: of the two.

    >>> got = volatility_ratio(np.array([0.02, -0.02, 0.04]), np.array([0.01, -0.01, 0.02]))
    >>> round(got.beta, 6), round(got.se, 6), got.n
    (2.0, 0.0, 3)
    """
    both_y, both_x = _pairs(y, x, 3)
    fit = ols(both_y, both_x)
    ratio = float(both_y.std() / both_x.std())
    return Estimate(ratio, ratio * sqrt(max(1 - fit.r_squared, 0.0) / (fit.n - 2)), fit.r_squared, fit.n)


def ewma(y: Floats, x: Floats, half_life: float) -> Estimate:
    """Least squares with weights that halve every `half_life` bars, the last bar weighing 1.

    The standard error is White's sandwich, sqrt(sum (w e (x - m))^2) / sum w (x - m)^2, since weights are no
    variances. Sources: J.P. Morgan, RiskMetrics Technical Document (1996), ch. 5; H. White, Econometrica 48 (1980).

    >>> x = np.array([0.01, -0.02, 0.03, 0.00, -0.01])
    >>> y = np.array([0.03, -0.05, 0.03, 0.00, -0.01])
    >>> round(ewma(y, x, half_life=1.0).beta, 3), round(ols(y, x).beta, 3)
    (1.22, 1.554)
    """
    if not half_life > 0:
        raise BadInput(f"a half-life must be positive, not {half_life}")
    both = np.isfinite(y) & np.isfinite(x) if y.shape == x.shape else np.empty(0, dtype=bool)
    both_y, both_x = _pairs(y, x, 3)
    ages = (len(y) - 1 - np.flatnonzero(both)) / half_life
    weights = 0.5**ages
    weights /= weights.sum()
    dx, dy = both_x - weights @ both_x, both_y - weights @ both_y
    sxx, syy = weights @ (dx * dx), weights @ (dy * dy)
    beta = weights @ (dx * dy) / sxx
    residual = dy - beta * dx
    se = sqrt(float(np.sum((weights * residual * dx) ** 2))) / sxx
    r_squared = 1.0 - weights @ (residual * residual) / syy if syy > 0 else 0.0
    return Estimate(float(beta), float(se), float(r_squared), len(both_y))


def shrunk(table: Mapping[str, Estimate], *, leave: frozenset[str] = frozenset()) -> dict[str, Estimate]:
    """Every beta of `table` drawn toward the market's: the noisier it is, the more.

    The market's beta and the spread of true betas around it come from the table itself: their mean m, and the
    variance v of the betas less the mean squared standard error (not below zero). Then b' = (v b + se^2 m) /
    (v + se^2) and se'^2 = v se^2 / (v + se^2). Series in `leave` (the factor, above all) take no part. Source:
    O. Vasicek, Journal of Finance 28 (1973).

    >>> noisy = {"SURE": Estimate(1.0, 0.01, 0.9, 500), "VAGUE": Estimate(2.0, 0.5, 0.2, 40)}
    >>> {name: round(e.beta, 3) for name, e in shrunk(noisy).items()}
    {'SURE': 1.0, 'VAGUE': 1.8}
    """
    names = [name for name in table if name not in leave]
    betas = np.array([table[name].beta for name in names])
    noise = np.array([table[name].se for name in names]) ** 2
    if len(names) < 2:
        return dict(table)
    middle, spread = betas.mean(), max(betas.var(ddof=1) - noise.mean(), 0.0)
    moved = dict(table)
    for name, beta, variance in zip(names, betas, noise, strict=True):
        both = spread + variance
        toward = variance / both if both > 0 else 0.0
        old = table[name]
        new = (1 - toward) * beta + toward * middle
        moved[name] = Estimate(float(new), sqrt((1 - toward) * variance), old.r_squared, old.n)
    return moved


def downside(y: Floats, x: Floats) -> Estimate:
    """The slope over the bars in which the instrument did worse than its mean: what counts when it matters.

    Source: A. Ang, J. Chen, Y. Xing, "Downside Risk", Review of Financial Studies 19 (2006), equation 5.

    >>> x = np.array([0.01, -0.02, 0.03, 0.02, -0.01, -0.03])
    >>> y = np.where(x < 0, 2 * x, x)
    >>> round(downside(y, x).beta, 6), round(ols(y, x).beta, 3)
    (2.0, 1.5)
    """
    both_y, both_x = _pairs(y, x, 6)
    worse = both_x < both_x.mean()
    return ols(both_y[worse], both_x[worse])


def asynchronous(y: Floats, x: Floats, lags: int = 1) -> Estimate:
    """The sum of the slopes on the instrument's returns `lags` bars before, at, and after each bar: for coins that
    trade so thinly that their prices lag.

    The standard error is that of the sum. Source: E. Dimson, Journal of Financial Economics 7 (1979).

    >>> x = np.random.default_rng(1).normal(0, 0.01, 500)
    >>> late = 0.5 * x + 0.5 * np.roll(x, 1)
    >>> round(asynchronous(late, x).beta, 2), round(ols(late, x).beta, 2)
    (1.0, 0.45)
    """
    if lags < 1:
        raise BadInput(f"there must be at least one lag, not {lags}")
    if y.ndim != 1 or y.shape != x.shape:
        raise BadInput(f"returns of shapes {y.shape} and {x.shape} are not aligned series")
    width = 2 * lags + 1
    if len(y) < 2 * width:
        raise NotEnoughHistory(f"{len(y)} returns are too few to look {lags} bars around each")
    shifted = np.lib.stride_tricks.sliding_window_view(x, width)
    middle = y[lags : len(y) - lags]
    # The sum's own standard error: regress on x(t) and on the differences to it; the slope on x(t) is then the sum.
    design = np.column_stack([shifted[:, lags], np.delete(shifted, lags, axis=1) - shifted[:, [lags]]])
    beta, se, r_squared = joint_betas(middle[:, None], design)
    n = int((np.isfinite(middle) & np.logical_and.reduce(np.isfinite(shifted), axis=1)).sum())
    return Estimate(float(beta[0, 0]), float(se[0, 0]), float(r_squared[0]), n)


def robust(y: Floats, x: Floats) -> Estimate:
    """Huber's M-estimate of the slope: residuals beyond 1.345 robust scales pull no harder than that.

    Iteratively reweighted least squares; the scale is the median absolute residual over 0.6745. Standard error by
    Huber's first form. `r_squared`: share of the weighted variance. Source: P. Huber, Robust Statistics (1981), ch. 7.

    >>> x = np.linspace(-0.03, 0.03, 41)
    >>> y = 1.5 * x + 0.001 * np.sin(100 * np.arange(41))
    >>> y[3] = 0.9
    >>> round(robust(y, x).beta, 2), round(ols(y, x).beta, 2)
    (1.5, -0.35)
    """
    both_y, both_x = _pairs(y, x, 6)
    start = ols(both_y, both_x)
    slope, level = start.beta, float(both_y.mean() - start.beta * both_x.mean())
    scale, weights = 0.0, np.ones(len(both_y))
    for _ in range(200):
        residual = both_y - level - slope * both_x
        scale = float(np.median(np.abs(residual)) * MAD_TO_SIGMA)
        if scale <= 0:  # more than half of it lies exactly on the line
            return Estimate(slope, 0.0, start.r_squared, start.n)
        weights = np.minimum(1.0, HUBER * scale / np.maximum(np.abs(residual), 1e-300))
        total = weights.sum()
        mean_x, mean_y = weights @ both_x / total, weights @ both_y / total
        dx = both_x - mean_x
        moved = float(weights @ (dx * (both_y - mean_y)) / (weights @ (dx * dx)))
        level, change, slope = float(mean_y - moved * mean_x), abs(moved - slope), moved
        if change <= 1e-13 * max(abs(slope), 1e-3):
            break
    residual = both_y - level - slope * both_x
    return Estimate(
        slope, _huber_error(both_x, residual, scale), _explained(both_y, residual, weights), start.n
    )


def _huber_error(x: Floats, residual: Floats, scale: float) -> float:
    n = len(x)
    pull = np.clip(residual / scale, -HUBER, HUBER)
    inside = (np.abs(residual / scale) <= HUBER).astype(np.float64)
    slope_of_pull = inside.mean()
    correction = 1 + 2 / n * inside.var() / slope_of_pull**2
    dx = x - x.mean()
    return float(
        correction * sqrt(float(pull @ pull) / (n - 2)) * scale / slope_of_pull / sqrt(float(dx @ dx))
    )


def _explained(y: Floats, residual: Floats, weights: Floats) -> float:
    around = y - weights @ y / weights.sum()
    total = weights @ (around * around)
    return float(1 - weights @ (residual * residual) / total) if total > 0 else 0.0


def _pairs(y: Floats, x: Floats, least: int) -> tuple[Floats, Floats]:
    if y.ndim != 1 or y.shape != x.shape:
        raise BadInput(f"returns of shapes {y.shape} and {x.shape} are not aligned series")
    both = np.isfinite(y) & np.isfinite(x)
    if int(both.sum()) < least or not np.ptp(x[both]) > 0:
        raise NotEnoughHistory(
            f"{int(both.sum())} aligned returns are too few, or the instrument does not move"
        )
    return y[both], x[both]
