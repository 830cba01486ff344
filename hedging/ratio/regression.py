"""Least squares of many series on a few instruments in one pass over the data, with standard errors."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from hedging.errors import BadInput, NotEnoughHistory
from hedging.market import Candles
from hedging.returns import Floats, aligned

MIN_RETURNS = 30  # fewer aligned returns than this say nothing
CACHED = 80_000  # numbers that stay close to the processor while they are worked with
LARGE_MEAN = 1e4  # times the deviations: beyond this, uncentred sums would lose more than four digits


@dataclass(frozen=True, slots=True)
class Estimate:
    """A regression slope. `beta`: units of factor notional that move like one unit of the asset; `se`: its standard
    error (nonrobust, n - 2 degrees of freedom); `r_squared`: share of the asset's variance that the factor explains,
    0 to 1; `n`: aligned returns used."""

    beta: float
    se: float
    r_squared: float
    n: int

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Low and high: the true slope lies between them in `level` of such samples (Student's t, n - 2 degrees of
        freedom).

        >>> tuple(round(edge, 3) for edge in Estimate(1.5, 0.1, 0.6, 62).interval())
        (1.3, 1.7)

        Raises BadInput for a level outside (0, 1).
        """
        if not 0 < level < 1:
            raise BadInput(f"a level must be between 0 and 1, not {level}")
        reach = _student((1 + level) / 2, max(self.n - 2, 1)) * self.se
        return self.beta - reach, self.beta + reach


def _student(share: float, freedom: int) -> float:
    """Quantile of Student's t, by its expansion around the normal one; four digits from 10 degrees of freedom on.
    Source: M. Abramowitz, I. Stegun, Handbook of Mathematical Functions (1964), 26.7.5."""
    z: float = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(float(term) / float(freedom) ** power for power, term in enumerate(terms, start=1))


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

    >>> x = np.array([[0.01], [-0.02], [0.03], [0.00]])
    >>> beta, se, r_squared, n = beta_matrix(np.column_stack([1.5 * x, 0.5 * x]), x)
    >>> beta.round(6).tolist(), n.tolist()
    ([[1.5], [0.5]], [[4], [4]])
    """
    _aligned(y, x)
    sums = _sums(y, x)
    if sums is None:
        return _masked_matrix(y, x)
    n, gram, sxy, syy, careful = sums
    sxx = np.diag(gram)
    with np.errstate(all="ignore"):
        beta = np.where((n >= 3) & (sxx > 0), sxy / sxx, np.nan)
        residual = np.maximum(syy[:, None] - beta * sxy, 0.0)
        se = np.sqrt(residual / (n - 2) / sxx)
        r_squared = _share_explained(beta, residual, syy[:, None])
    counts = np.full(beta.shape, n, dtype=np.int64)
    if careful.any():
        found = _masked_matrix(y[:, careful], x)
        beta[careful], se[careful], r_squared[careful], counts[careful] = found
    return beta, se, r_squared, counts


def joint_betas(y: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
    """Slopes (N, K), their standard errors (N, K) and R squared (N,) of every column of (T, N) `y` on all columns of
    (T, K) `x` together, with intercept, over the bars where all of `x` and that `y` are finite.

    b = (X'X)^-1 X'y, se = sqrt(RSS / (T - K - 1) x diag (X'X)^-1). Source: W. Greene, Econometric Analysis, ch. 4.

    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [2.0, 1.0]])
    >>> beta, se, r_squared = joint_betas(x @ np.array([[0.5], [2.0]]) + 1.0, x)
    >>> np.round(beta, 6).tolist(), np.round(r_squared, 6).tolist()
    ([[0.5, 2.0]], [1.0])

    Raises BadInput when the lengths differ; NotEnoughHistory when there are fewer than K + 2 bars or the instruments
    cannot be told apart.
    """
    _aligned(y, x)
    sums = _sums(y, x)
    if sums is None:
        return _masked_joint(y, x)
    n, gram, sxy, syy, careful = sums
    beta, se, r_squared = _solve(n, gram, sxy, syy)
    if careful.any():
        beta[careful], se[careful], r_squared[careful] = _masked_joint(y[:, careful], x)
    return beta, se, r_squared


def _solve(n: int, gram: Floats, sxy: Floats, syy: Floats) -> tuple[Floats, Floats, Floats]:
    k = len(gram)
    if n < k + 2:
        raise NotEnoughHistory(f"{n} aligned returns are too few to measure {k} betas together")
    try:
        inverse = np.linalg.inv(gram)
    except np.linalg.LinAlgError:
        raise NotEnoughHistory("the instruments move alike; their betas cannot be told apart") from None
    beta = sxy @ inverse
    residual = np.maximum(syy - np.einsum("nk,nk->n", beta, sxy), 0.0)
    se = np.sqrt(np.outer(residual / (n - k - 1), np.diag(inverse)))
    with np.errstate(all="ignore"):
        return beta, se, _share_explained(beta[:, 0], residual, syy)


def _masked_joint(y: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
    """Series with the same gaps share one solve; there are few such groups."""
    usable: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(x), axis=1)
    present = np.isfinite(y) & usable[:, None]
    groups: dict[bytes, list[int]] = {}
    for column in range(y.shape[1]):
        groups.setdefault(present[:, column].tobytes(), []).append(column)
    beta, se, r_squared = (
        np.empty((y.shape[1], x.shape[1])),
        np.empty((y.shape[1], x.shape[1])),
        np.empty(y.shape[1]),
    )
    for columns in groups.values():
        rows = present[:, columns[0]]
        part, base = y[rows][:, columns], x[rows]
        part, base = part - part.mean(axis=0), base - base.mean(axis=0)
        gram, sxy = base.T @ base, part.T @ base
        solved = _solve(int(rows.sum()), gram, sxy, np.einsum("tn,tn->n", part, part))
        beta[columns], se[columns], r_squared[columns] = solved
    return beta, se, r_squared


def _sums(y: Floats, x: Floats) -> tuple[int, Floats, Floats, Floats, NDArray[np.bool_]] | None:
    """n, centred x'x (K, K), y'x (N, K) and diag y'y (N,), each from one matrix product, and (N,) which columns of y
    want care: something is missing, or the mean is so large beside the deviations that uncentred sums lose digits.

    None when x itself wants care.
    """
    n = len(y)
    columns = np.ones((x.shape[1] + 1, n))
    columns[1:] = x.T
    with np.errstate(all="ignore"):
        base, (moments, squares) = columns @ columns.T, _products(columns, y)
        sum_y, sum_x, gram = moments[0], base[0, 1:], base[1:, 1:]
        means_y, means_x = sum_y * sum_y / max(n, 1), sum_x * sum_x / max(n, 1)
        syy = squares - means_y
        offset_x = means_x > LARGE_MEAN * (np.diag(gram) - means_x)
        if n == 0 or not np.isfinite(gram).all() or offset_x.any():
            return None
        careful = ~np.isfinite(squares) | (means_y > LARGE_MEAN * syy)
    return n, gram - np.outer(sum_x, sum_x) / n, moments[1:].T - np.outer(sum_y, sum_x) / n, syy, careful


def _products(columns: Floats, y: Floats) -> tuple[Floats, Floats]:
    """(C, T) `columns` times (T, N) `y`, and (N,) the sums of squares of y; as many rows at once as stay in the cache,
    so that y comes from memory only once."""
    moments, squares = np.zeros((len(columns), y.shape[1])), np.zeros(y.shape[1])
    rows = max(CACHED // max(y.shape[1], 1), 16)
    for first in range(0, len(y), rows):
        part = y[first : first + rows]
        for total, column in zip(moments, columns, strict=True):
            total += column[first : first + rows] @ part
        squares += np.einsum("tn,tn->n", part, part)
    return moments, squares


def _masked_matrix(y: Floats, x: Floats) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Pair by pair over the bars where both are there, still as matrix products."""
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
        r_squared = _share_explained(beta, residual, syy)
    return beta, se, r_squared, n.astype(np.int64)


def _share_explained(beta: Floats, residual: Floats, syy: Floats) -> Floats:
    """R squared; 0 for what never moves, NaN where there is no slope."""
    return np.where(syy > 0, 1.0 - residual / syy, np.where(np.isfinite(beta), 0.0, np.nan))


def _aligned(y: Floats, x: Floats) -> None:
    if y.ndim != 2 or x.ndim != 2 or len(y) != len(x):
        raise BadInput(f"returns of shapes {y.shape} and {x.shape} do not share their bars")


def beta_table(candles: Candles, factor: str) -> dict[str, Estimate]:
    """Every series of `candles` against `factor`, by least squares of log returns, in one matrix pass.

    A series with fewer than 30 aligned returns is left out; the factor itself is (1, 0, 1, n). Raises UnknownAsset
    when the factor has no history, NotEnoughHistory when it has fewer than 30 returns.

    >>> moves = np.random.default_rng(1).normal(0, 0.01, 100)
    >>> times = np.datetime64("2025-01-01", "s") + np.arange(100) * np.timedelta64(3600, "s")
    >>> prices = 100 * np.exp(np.column_stack([moves, 1.5 * moves]).cumsum(axis=0))
    >>> table = beta_table(Candles(("BTC", "SOL"), times, prices), "BTC")
    >>> round(table["SOL"].beta, 6), table["SOL"].n
    (1.5, 99)
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
