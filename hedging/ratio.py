"""Hedge ratios: how much of an instrument moves with a holding, and how sure that is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hedging.errors import BadInput, NotEnoughHistory
from hedging.market import Candles
from hedging.returns import Floats, aligned

MIN_RETURNS = 30  # fewer aligned returns than this say nothing


@dataclass(frozen=True, slots=True)
class Estimate:
    """A regression slope. `beta`: units of factor notional that move like one unit of the asset; `se`: its standard
    error (nonrobust, n - 2 degrees of freedom); `r_squared`: share of the asset's variance that the factor explains,
    0 to 1; `n`: aligned returns used."""

    beta: float
    se: float
    r_squared: float
    n: int


@dataclass(frozen=True, slots=True)
class BetaTable:
    """Slopes of N series on K instruments, one regression with intercept each: (N, K) arrays, NaN where fewer than
    three returns are aligned. `n`: (N, K) int64."""

    names: tuple[str, ...]
    instruments: tuple[str, ...]
    beta: Floats
    se: Floats
    r_squared: Floats
    n: NDArray[np.int64]


def ols(y: Floats, x: Floats) -> Estimate:
    """Least squares of (T,) `y` on (T,) `x` with an intercept, over the bars where both are finite.

    beta = cov(x, y) / var(x); se = sqrt(RSS / (n - 2) / sum((x - mean x)^2)). Source: W. Greene, Econometric
    Analysis, ch. 4; J. Hull, Options, Futures and Other Derivatives, "minimum variance hedge ratio".

    >>> x = np.array([0.01, -0.02, 0.03, 0.00])
    >>> got = ols(np.array([0.016, -0.028, 0.045, -0.001]), x)
    >>> round(got.beta, 4), round(got.se, 4), round(got.r_squared, 4), got.n
    (1.4692, 0.0381, 0.9987, 4)

    Raises BadInput for other shapes, NotEnoughHistory for fewer than three aligned returns or an `x` that never moves.
    """
    if y.ndim != 1 or y.shape != x.shape:
        raise BadInput(f"returns of shapes {y.shape} and {x.shape} are not aligned series")
    table = beta_matrix(y[:, None], x[:, None])
    beta, se, r_squared, n = (part[0, 0] for part in table)
    if n < 3 or not np.isfinite(beta):
        raise NotEnoughHistory(f"{int(n)} aligned returns are too few to measure a beta")
    return Estimate(float(beta), float(se), float(r_squared), int(n))


def beta_matrix(y: Floats, x: Floats) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Slope, standard error, R squared and count, each (N, K), of every column of (T, N) `y` on every column of
    (T, K) `x`: simple regressions with intercept over the bars where both are finite. NaN where there are fewer than
    three such bars or the instrument does not move. Raises BadInput when the lengths differ.
    """
    if y.ndim != 2 or x.ndim != 2 or len(y) != len(x):
        raise BadInput(f"returns of shapes {y.shape} and {x.shape} do not share their bars")
    has_y, has_x = np.isfinite(y), np.isfinite(x)
    mask_y, mask_x = has_y.astype(np.float64), has_x.astype(np.float64)
    # Centred on each column's own mean first: sums of squares of small deviations keep their digits.
    with np.errstate(all="ignore"):
        y0 = np.where(has_y, y - np.sum(y, axis=0, where=has_y) / has_y.sum(axis=0), 0.0)
        x0 = np.where(has_x, x - np.sum(x, axis=0, where=has_x) / has_x.sum(axis=0), 0.0)
        n = mask_y.T @ mask_x
        sum_x, sum_y = mask_y.T @ x0, y0.T @ mask_x
        sxx = mask_y.T @ (x0 * x0) - sum_x * sum_x / n
        syy = (y0 * y0).T @ mask_x - sum_y * sum_y / n
        sxy = y0.T @ x0 - sum_x * sum_y / n
        beta = np.where((n >= 3) & (sxx > 0), sxy / sxx, np.nan)
        residual = np.maximum(syy - beta * sxy, 0.0)
        se = np.sqrt(residual / (n - 2) / sxx)
        r_squared = np.where(syy > 0, 1.0 - residual / syy, np.where(np.isfinite(beta), 0.0, np.nan))
    return beta, se, r_squared, n.astype(np.int64)


def beta_table(candles: Candles, factor: str) -> dict[str, Estimate]:
    """Every series of `candles` against `factor`, by least squares of log returns, in one matrix pass.

    A series with fewer than 30 aligned returns is left out; the factor itself is (1, 0, 1, n). Raises UnknownAsset
    when the factor has no history, NotEnoughHistory when it has fewer than 30 returns.
    """
    returns = aligned(candles)
    x = returns.series(factor)
    own = int(np.isfinite(x).sum())
    if own < MIN_RETURNS:
        raise NotEnoughHistory(
            f"{factor} has {own} returns; at least {MIN_RETURNS} are needed to measure betas"
        )
    beta, se, r_squared, n = (part[:, 0] for part in beta_matrix(returns.values, x[:, None]))
    table = {
        name: Estimate(float(beta[i]), float(se[i]), float(r_squared[i]), int(n[i]))
        for i, name in enumerate(returns.names)
        if n[i] >= MIN_RETURNS and np.isfinite(beta[i])
    }
    table[factor] = Estimate(1.0, 0.0, 1.0, own)
    return table
