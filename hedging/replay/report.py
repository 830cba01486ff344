"""What a replay showed, in figures."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hedging.errors import NotEnoughHistory
from hedging.market import Candles
from hedging.ratio.effectiveness import Effectiveness, judge, shortfall_removed, variance_removed
from hedging.replay.fitting import Rule
from hedging.replay.run import FundingHistory, Paths, run_many
from hedging.returns import Floats


@dataclass(frozen=True, slots=True)
class LegUse:
    """What was shorted from a fit on: units of instrument notional per unit of portfolio value, target included."""

    date: str
    instrument: str
    ratio: float


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days: return of the portfolio without and with the hedge, as fractions of its value before them."""

    start: str
    unhedged: float
    hedged: float


@dataclass(frozen=True, slots=True)
class Result:
    """One portfolio's replay. Money in quote units. `effectiveness`, `es5_reduction`: shares of the variance and of the
    5 % expected shortfall of daily profit and loss removed, None where there was nothing to remove. Drawdowns: largest
    fall from a peak, as a fraction of it. `turnover`: notional traded over the mean value of the portfolio. `fees`
    include slippage. `daily`: day, profit and loss unhedged, hedged."""

    effectiveness: float | None
    es5_reduction: float | None
    max_drawdown_hedged: float
    max_drawdown_unhedged: float
    pnl_hedged: float
    pnl_unhedged: float
    fees: float
    funding: float
    turnover: float
    legs: tuple[LegUse, ...]
    daily: tuple[tuple[str, float, float], ...]
    judged: Effectiveness | None
    worst_weeks: tuple[Week, ...]
    resizes: int
    top_ups: int
    liquidations: int


def run(
    candles: Candles,
    holdings: Mapping[str, float],
    rule: Rule,
    *,
    start: np.datetime64 | None = None,
    end: np.datetime64 | None = None,
    funding: Mapping[str, FundingHistory] | None = None,
) -> Result:
    """The rule over history for one portfolio: asset -> amount. Spans and failures as `run_many` has them.

    >>> moves = np.random.default_rng(1).normal(0, 0.01, (100 * 24, 1))
    >>> times = np.datetime64("2025-01-01", "s") + np.arange(2400) * np.timedelta64(3600, "s")
    >>> candles = Candles(("BTC", "SOL"), times, 100 * np.exp(np.cumsum(moves * [1.0, 1.5], axis=0)))
    >>> got = run(candles, {"SOL": 10.0}, Rule(target=1.0, instruments=("BTC",)))
    >>> len(got.daily), round(got.effectiveness or 0, 1), got.legs[0].instrument
    (40, 1.0, 'BTC')
    """
    amounts = np.array([list(holdings.values())], dtype=np.float64)
    paths = run_many(candles, list(holdings), amounts, rule, start=start, end=end, funding=funding)
    return summary(paths)


def summary(paths: Paths, user: int = 0) -> Result:
    """The figures of one of the portfolios."""
    value, profit = paths.value[:, user], paths.profit[:, user]
    with_hedge = value + profit
    unhedged, hedged = np.diff(value), np.diff(with_hedge)
    days = [str(day) for day in paths.days]
    return Result(
        effectiveness=_removed(variance_removed, unhedged, hedged),
        es5_reduction=_removed(shortfall_removed, unhedged, hedged),
        max_drawdown_hedged=drawdown(with_hedge),
        max_drawdown_unhedged=drawdown(value),
        pnl_hedged=float(hedged.sum()),
        pnl_unhedged=float(unhedged.sum()),
        fees=float(paths.books.fees[user]),
        funding=float(paths.books.funding[user]),
        turnover=float(paths.books.traded[user] / value.mean()),
        legs=tuple(
            LegUse(str(day), paths.instruments[k], float(ratios[user, k]))
            for day, ratios in paths.legs
            for k in np.argsort(-ratios[user], kind="stable")
            if ratios[user, k] > 0
        ),
        daily=tuple(zip(days, map(float, unhedged), map(float, hedged), strict=True)),
        judged=_judged(unhedged, hedged),
        worst_weeks=_weeks(days, value, with_hedge),
        resizes=int(paths.books.resizes[user]),
        top_ups=int(paths.books.top_ups[user]),
        liquidations=int(paths.books.liquidations[user]),
    )


def drawdown(equity: Floats) -> float:
    """The largest fall from a peak of a (T,) series, as a fraction of the peak; 0 when it never fell.

    >>> drawdown(np.array([100.0, 120.0, 90.0, 130.0]))
    0.25
    """
    peak = np.maximum.accumulate(equity)
    return float(np.max((peak - equity) / peak))


def _removed(measure: object, unhedged: Floats, hedged: Floats) -> float | None:
    try:
        return float(measure(unhedged, hedged)) if callable(measure) else None
    except NotEnoughHistory:
        return None


def _judged(unhedged: Floats, hedged: Floats) -> Effectiveness | None:
    try:
        return judge(unhedged, hedged)
    except NotEnoughHistory:
        return None


def _weeks(days: list[str], value: Floats, with_hedge: Floats, count: int = 5) -> tuple[Week, ...]:
    """The worst weeks unhedged, none overlapping another."""
    if len(days) < 7:
        return ()
    before = value[:-7]
    lost, left = value[7:] / before - 1, (with_hedge[7:] - with_hedge[:-7]) / before
    chosen: list[int] = []
    for i in np.argsort(lost, kind="stable"):
        if len(chosen) < count and lost[i] < 0 and all(abs(int(i) - c) >= 7 for c in chosen):
            chosen.append(int(i))
    return tuple(Week(days[i], float(lost[i]), float(left[i])) for i in chosen)
