"""Several shorts at once: the few instruments that together move most like a portfolio."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from hedging.errors import BadInput, NotEnoughHistory
from hedging.ratio.regression import MIN_RETURNS
from hedging.returns import Floats, Returns

Flags = NDArray[np.bool_]

HALF_LIFE_DAYS = 20.0  # older returns count less: what coins have in common changes within weeks
RIDGE = 0.2  # of each instrument's own variance, added to it: ratios are drawn toward zero and legs toward equal sizes
MAX_LEGS = 3
FRESH_DAYS = (
    7.0  # a series without a return for longer than this is no longer traded, as far as anybody can tell
)
WIDEST_SEARCH = 40  # instruments; above it, those that answer the portfolio best by themselves are searched


@dataclass(frozen=True, slots=True)
class Basket:
    """Shorts that answer a portfolio. `ratios`: units of instrument notional per unit of portfolio value, largest
    first; `ses`: their standard errors; `explained`: share of the weighted in-sample variance they remove; `n`: bars.
    """

    instruments: tuple[str, ...]
    ratios: tuple[float, ...]
    ses: tuple[float, ...]
    explained: float
    n: int


@dataclass(frozen=True, slots=True)
class Costs:
    """What legs cost and the least they can be, all as fractions of the portfolio's value.

    `per_ratio`: (K,) fees, spread and expected funding over the horizon, per unit of ratio. `least`: (K,), or (B, K)
    for portfolios of different size, the smallest ratio that can be traded (minimum order / value). `horizon`: bars
    the hedge is held. `price_of_risk`: what one pays to be rid of one unit of standard deviation over the horizon; a
    leg that does not earn its cost at this price is left out.
    """

    per_ratio: Floats
    least: Floats
    horizon: float
    price_of_risk: float = 0.1


def second_moments(values: Floats, half_life: float | None = None) -> Floats:
    """(N, N) mean products of (T, N) returns about zero, weights halving every `half_life` bars (None: equal).

    Where bars are missing, each pair's correlation is that of the bars where both are there, and each variance is
    brought to the whole span: were the others half as lively in a series' own bars, it counts twice. So no pair brings
    the calm or the storm of its own days in. 0 where a pair never meets. Over an hour or a day the mean return is far
    below its own error, so none is taken off (RiskMetrics, ch. 5). Raises BadInput unless the half-life is positive.

    >>> second_moments(np.array([[1.0, 2.0], [3.0, -1.0], [2.0, 1.0]])).round(3).tolist()
    [[4.667, 0.333], [0.333, 2.0]]
    """
    if half_life is not None and not half_life > 0:
        raise BadInput(f"a half-life must be positive, not {half_life}")
    weights = np.ones(len(values)) if half_life is None else 0.5 ** (np.arange(len(values))[::-1] / half_life)
    root = np.sqrt(weights)[:, None]
    there = np.isfinite(values)
    moves, mask = np.where(there, values, 0.0) * root, there * root
    products, met = moves.T @ moves, mask.T @ mask
    if there.all():
        whole: Floats = products / met
        return whole
    # [j, k]: mean square of j over the bars where k is there too.
    squares = _ratio((moves * moves).T @ there, met)
    own, others = np.diag(squares), ~np.eye(len(squares), dtype=bool)
    theirs, here = own @ (others & (met > 0)), (squares * others).sum(axis=0)
    livelier = np.where(here > 0, _ratio(theirs, here), 1.0)
    alike = _ratio(_ratio(products, met), np.sqrt(squares * squares.T))
    scale = np.sqrt(own * livelier)
    moments: Floats = alike * np.outer(scale, scale)
    return moments


def _ratio(a: Floats, b: Floats) -> Floats:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


def non_negative(gram: Floats, cross: Floats) -> Floats:
    """(K,) x >= 0 that minimises x'Gx - 2c'x for a positive definite (K, K) `gram` and (K,) `cross`.

    Source: C. Lawson, R. Hanson, Solving Least Squares Problems (1974), ch. 23, on the normal equations.

    >>> non_negative(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([2.0, -1.0])).tolist()
    [1.0, 0.0]
    """
    x, active = np.zeros(len(cross)), np.zeros(len(cross), dtype=bool)
    tolerance = 1e-12 * max(float(np.abs(cross).max(initial=0.0)), 1e-300)
    for _ in range(10 * len(cross) + 10):
        gain = np.where(active, -np.inf, cross - gram @ x)
        if active.all() or gain.max() <= tolerance:
            break
        active[int(gain.argmax())] = True
        while True:
            trial = np.zeros(len(cross))
            trial[active] = np.linalg.solve(gram[active][:, active], cross[active])
            if (trial[active] > 0).all():
                break
            falling = active & (trial <= 0)
            step = float((x[falling] / (x[falling] - trial[falling])).min())
            x = x + step * (trial - x)
            active &= x > tolerance * 1e-3
        x = trial
    return x


def sparse(
    gram: Floats,
    cross: Floats,
    variance: Floats,
    allowed: Flags,
    *,
    max_legs: int = MAX_LEGS,
    costs: Costs | None = None,
) -> Floats:
    """(B, K) ratios >= 0 with at most `max_legs` positive, the best of all combinations, for B portfolios at once.

    `gram`: (K, K) moments of the instruments; `cross`: (B, K) with each portfolio; `variance`: (B,) of the portfolios;
    `allowed`: (B, K), which instruments each may use. Without costs the least hedged variance wins, with costs the
    least price of risk x standard deviation over the horizon + cost. A portfolio that nothing improves gets zeros.

    >>> gram, cross = np.eye(3), np.array([[0.8, 0.3, -0.5]])
    >>> sparse(gram, cross, np.ones(1), np.ones((1, 3), dtype=bool), max_legs=1).tolist()
    [[0.8, 0.0, 0.0]]
    """
    if max_legs < 1:
        raise BadInput(f"there must be at least one leg, not {max_legs}")
    users, count = cross.shape
    best, value = np.zeros((users, count)), _worth(variance, np.zeros(users), costs)
    pool = np.arange(count)
    if count > WIDEST_SEARCH:
        alone = np.where(allowed & (cross > 0), cross**2, 0.0).sum(axis=0) / np.diag(gram)
        pool = np.sort(np.argsort(-alone)[:WIDEST_SEARCH])
    for legs in range(1, min(max_legs, len(pool)) + 1):
        chosen = pool[np.array(list(combinations(range(len(pool)), legs)))]  # (C, legs)
        ratios = np.linalg.solve(
            gram[chosen[:, :, None], chosen[:, None, :]], cross.T[chosen]
        )  # (C, legs, B)
        possible = (ratios > 0).all(axis=1) & allowed.T[chosen].all(axis=1)
        expense: Floats = np.zeros(possible.shape)
        if costs is not None:
            possible &= (ratios >= np.broadcast_to(costs.least, cross.shape).T[chosen]).all(axis=1)
            expense = np.einsum("cl,clb->cb", costs.per_ratio[chosen], ratios)
        # At the optimum of a combination x'Gx = c'x, so what is left is v - c'x.
        left = np.maximum(variance - np.einsum("clb,clb->cb", ratios, cross.T[chosen]), 0.0)
        judged = np.where(possible, _worth(left, expense, costs), np.inf)
        first = judged.argmin(axis=0)
        better = np.flatnonzero(judged[first, np.arange(users)] < value)
        value[better] = judged[first[better], better]
        best[better] = 0.0
        best[better[:, None], chosen[first[better]]] = ratios[first[better], :, better]
    return best


def fit_basket(
    returns: Returns,
    weights: Mapping[str, float],
    instruments: Sequence[str],
    *,
    max_legs: int | None = MAX_LEGS,
    half_life_days: float = HALF_LIFE_DAYS,
    ridge: float = RIDGE,
    costs: Costs | None = None,
) -> Basket:
    """The shorts among `instruments` that best answer holdings of the given `weights` (shares of value; they need not
    sum to 1), at most `max_legs` of them, or any number (None, without costs).

    Moments of the returns (hourly ones serve best: there are more of them) with weights halving every
    `half_life_days`; ridge shrinkage of the instruments' moments; non-negative ratios; all combinations compared.
    Source of the shrinkage: A. Hoerl, R. Kennard, Technometrics 12 (1970); its strength and the half-life are round
    numbers from the middle of a wide plateau, found by walk-forward with coins and years left out.

    Instruments that have returns in less than half of the bars, or none in the last 7 days, are passed over; a holding
    without a return in the last 7 days takes no part, for nothing can answer a price that stands still. Raises
    UnknownAsset for a holding without history, NotEnoughHistory for one with fewer than 30 returns, or when no
    instrument has enough.

    >>> times = np.datetime64("2025-01-01", "s") + np.arange(720) * np.timedelta64(3600, "s")
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(0, 0.01, (720, 2))
    >>> moves = np.column_stack([x, 0.9 * x[:, 0] + 0.5 * x[:, 1]])
    >>> found = fit_basket(Returns(("BTC", "ETH", "ADA"), times, moves, np.zeros(3, int)), {"ADA": 1.0}, ["BTC", "ETH"])
    >>> found.instruments, [round(ratio, 2) for ratio in found.ratios], round(found.explained, 2)
    (('BTC', 'ETH'), [0.75, 0.41], 0.97)
    """
    held = (
        np.column_stack([returns.series(name) for name in weights])
        if weights
        else np.empty((len(returns.times), 0))
    )
    shares = np.array(list(weights.values()))
    seen = np.isfinite(held).sum(axis=0)
    if not weights or seen.min(initial=MIN_RETURNS) < MIN_RETURNS:
        missing = [name for name, n in zip(weights, seen, strict=True) if n < MIN_RETURNS]
        raise NotEnoughHistory(
            f"there is too little price history of {', '.join(missing) or 'anything held'}"
        )
    recent = dict(zip(returns.names, fresh(returns), strict=True))
    shares = np.where([recent[name] for name in weights], shares, 0.0)
    columns = {name: returns.series(name) for name in instruments if recent.get(name)}
    usable = [n for n, c in columns.items() if np.isfinite(c).sum() >= max(MIN_RETURNS, len(c) / 2)]
    if not usable:
        raise NotEnoughHistory("no instrument has enough price history to hedge with")
    half_life = half_life_days * bars_a_day(returns)
    moments = second_moments(np.column_stack([held, *(columns[name] for name in usable)]), half_life)
    split = len(shares)
    variance = float(shares @ moments[:split, :split] @ shares)
    raw, cross = moments[split:, split:], moments[split:, :split] @ shares
    gram = raw + ridge * np.diag(np.diag(raw))
    if max_legs is None:
        ratios = non_negative(gram, cross)
    else:
        chosen = None if costs is None else _costs_of(costs, instruments, usable)
        free = np.ones((1, len(usable)), dtype=bool)
        ratios = sparse(gram, cross[None], np.array([variance]), free, max_legs=max_legs, costs=chosen)[0]
    n = int(seen.min())
    order = [int(i) for i in np.argsort(-ratios, kind="stable") if ratios[i] > 0]
    left = max(float(variance - 2 * cross @ ratios + ratios @ raw @ ratios), 0.0)
    errors = _errors(raw[np.ix_(order, order)], left, _effective(n, half_life))
    return Basket(
        instruments=tuple(usable[i] for i in order),
        ratios=tuple(float(ratios[i]) for i in order),
        ses=tuple(float(e) for e in errors),
        explained=1.0 - left / variance if variance > 0 else 0.0,
        n=n,
    )


def fresh(returns: Returns) -> Flags:
    """(N,) which series have a return in the last 7 days of the window."""
    bars = max(round(FRESH_DAYS * bars_a_day(returns)), 1)
    last: Flags = np.logical_or.reduce(np.isfinite(returns.values[-bars:]), axis=0)
    return last


def bars_a_day(returns: Returns) -> float:
    """How many bars make a day, from the usual step of the grid.

    >>> times = np.datetime64("2025-01-01", "s") + np.arange(9) * np.timedelta64(8, "h")
    >>> bars_a_day(Returns((), times, np.empty((9, 0)), np.empty(0, int)))
    3.0
    """
    steps = np.diff(returns.times).astype("timedelta64[s]").astype(np.int64)
    return 86_400 / float(np.median(steps)) if len(steps) else 24.0


def _worth(variance: Floats, expense: Floats, costs: Costs | None) -> Floats:
    if costs is None:
        return variance.copy()
    worth: Floats = costs.price_of_risk * np.sqrt(variance * costs.horizon) + expense
    return worth


def _costs_of(costs: Costs, instruments: Sequence[str], usable: Sequence[str]) -> Costs:
    rows = [list(instruments).index(name) for name in usable]
    return Costs(costs.per_ratio[rows], costs.least[rows], costs.horizon, costs.price_of_risk)


def _effective(n: int, half_life: float) -> float:
    """How many equally weighted bars the weighted ones are worth: (sum w)^2 / sum w^2."""
    w = 0.5 ** (np.arange(n) / half_life)
    return float(w.sum() ** 2 / (w @ w))


def _errors(gram: Floats, left: float, n: float) -> Floats:
    if not len(gram):
        return np.empty(0)
    errors: Floats = np.sqrt(left / max(n - len(gram), 1.0) * np.diag(np.linalg.inv(gram)))
    return errors
