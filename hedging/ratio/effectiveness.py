"""How well a hedge would have worked: out of sample, in the worst days, and said plainly."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Literal

import numpy as np

from hedging.errors import BadInput, NotEnoughHistory
from hedging.market import Candles
from hedging.ratio.basket import Basket, fit_basket
from hedging.returns import Floats, Returns, aligned

DAY = np.timedelta64(86_400, "s")
WORST = 0.05  # the share of days that count as stress

Fit = Callable[[Returns, Mapping[str, float], Sequence[str]], Basket]


@dataclass(frozen=True, slots=True)
class Effectiveness:
    """Shares removed, at most 1, negative when it got worse. `se`, `shortfall_se`: of `variance_removed` and of
    `shortfall_removed`, by leaving blocks of 14 days out one at a time. `stress_correlation`: of the portfolio with its
    hedge over the worst 5 % of days, beside `correlation` over all; NaN where there are too few days. `days`: judged.
    """

    variance_removed: float
    se: float
    shortfall_removed: float
    correlation: float
    stress_correlation: float
    days: int
    shortfall_se: float = float("nan")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`word`: strong, fair, weak, dont. `reason`: what_history_says, unsure, fails_in_stress, too_little_history."""

    word: Literal["strong", "fair", "weak", "dont"]
    reason: Literal["what_history_says", "unsure", "fails_in_stress", "too_little_history"]


def variance_removed(unhedged: Floats, hedged: Floats) -> float:
    """1 - var(hedged) / var(unhedged) of two (T,) series of profit and loss. Source: L. Ederington, Journal of Finance
    34 (1979). Raises NotEnoughHistory for fewer than two values or a portfolio that never moved.

    >>> variance_removed(np.array([1.0, -1.0, 2.0, -2.0]), np.array([0.5, -0.5, 1.0, -1.0]))
    0.75
    """
    before = float(unhedged.var()) if len(unhedged) > 1 else 0.0
    if not before > 0:
        raise NotEnoughHistory("the portfolio did not move: there was nothing to remove")
    return 1.0 - float(hedged.var()) / before


def expected_shortfall(pnl: Floats, share: float = WORST) -> float:
    """The mean loss, positive, over the worst `share` of (T,) profits and losses (at least one of them).

    >>> expected_shortfall(np.array([-10.0, 1.0, 2.0, -4.0]), 0.5)
    7.0

    Source: C. Acerbi, D. Tasche, Journal of Banking & Finance 26 (2002). Raises BadInput for a share outside (0, 1],
    NotEnoughHistory for no values.
    """
    if not 0 < share <= 1:
        raise BadInput(f"a share of days must be above 0 and at most 1, not {share}")
    if not len(pnl):
        raise NotEnoughHistory("there is no day to judge")
    return -float(np.sort(pnl)[: ceil(share * len(pnl) - 1e-9)].mean())


def shortfall_removed(unhedged: Floats, hedged: Floats, share: float = WORST) -> float:
    """1 - expected shortfall hedged / unhedged. Raises NotEnoughHistory when the worst days unhedged were no loss.

    >>> pnl = np.array([-10.0, 1.0, 2.0, -4.0])
    >>> shortfall_removed(pnl, 0.4 * pnl, share=0.25)
    0.6
    """
    before = expected_shortfall(unhedged, share)
    if not before > 0:
        raise NotEnoughHistory("the portfolio had no bad days: there was nothing to remove")
    return 1.0 - expected_shortfall(hedged, share) / before


def judge(unhedged: Floats, hedged: Floats, *, block: int = 14) -> Effectiveness:
    """Everything about two (T,) daily series of profit and loss. Raises NotEnoughHistory for fewer than 20 days.

    >>> pnl = np.random.default_rng(1).normal(0, 1, 200)
    >>> found = judge(pnl, 0.5 * pnl)
    >>> round(found.variance_removed, 6), round(found.shortfall_removed, 6), found.days
    (0.75, 0.5, 200)
    """
    if unhedged.shape != hedged.shape or unhedged.ndim != 1:
        raise BadInput(
            f"profits and losses of shapes {unhedged.shape} and {hedged.shape} are not of the same days"
        )
    if len(unhedged) < 20:
        raise NotEnoughHistory(f"{len(unhedged)} days are too few to judge a hedge")
    hedge = hedged - unhedged
    worst = np.argsort(unhedged, kind="stable")[: max(ceil(WORST * len(unhedged)), 5)]
    return Effectiveness(
        variance_removed=variance_removed(unhedged, hedged),
        se=_jackknife(variance_removed, unhedged, hedged, block),
        shortfall_removed=shortfall_removed(unhedged, hedged),
        correlation=_correlation(unhedged, -hedge),
        stress_correlation=_correlation(unhedged[worst], -hedge[worst]),
        days=len(unhedged),
        shortfall_se=_jackknife(shortfall_removed, unhedged, hedged, block),
    )


def verdict(found: Effectiveness) -> Verdict:
    """One word for it. What counts is what is left after two standard errors of doubt: at least 0.5 of the variance is
    strong, 0.25 fair, above 0 weak. A hedge that takes less than a tenth off the worst days is no hedge, and one that
    takes less than a quarter is weak at best. Fewer than 60 days prove nothing: weak at best.

    >>> found = Effectiveness(0.6, 0.1, 0.4, correlation=0.8, stress_correlation=0.7, days=400)
    >>> verdict(found).word, verdict(found).reason
    ('fair', 'what_history_says')
    """
    sure = found.variance_removed - 2 * found.se
    if found.shortfall_removed < 0.1:
        return Verdict("dont", "fails_in_stress")
    if sure <= 0:
        return Verdict("dont", "unsure" if found.variance_removed > 0.25 else "what_history_says")
    if found.days < 60:
        return Verdict("weak", "too_little_history")
    if found.shortfall_removed < 0.25:
        return Verdict("weak", "fails_in_stress")
    if sure >= 0.5:
        return Verdict("strong", "what_history_says")
    if sure >= 0.25:
        return Verdict("fair", "what_history_says")
    return Verdict("weak", "unsure" if found.variance_removed >= 0.5 else "what_history_says")


def walk_forward(
    candles: Candles,
    weights: Mapping[str, float],
    instruments: Sequence[str],
    *,
    train_days: int = 60,
    test_days: int = 14,
    fit: Fit = fit_basket,
) -> tuple[Floats, Floats]:
    """(D,) daily profit and loss unhedged and hedged, as shares of the portfolio's value, each `test_days` with the
    ratios fitted on the `train_days` before them.

    `weights`: shares of value, held constant. Whole days, gaps bridged. Stretches before everything
    held is listed for `train_days` are passed over. Raises NotEnoughHistory when none is left.

    >>> moves = np.random.default_rng(1).normal(0, 0.01, (100 * 24, 2)) @ np.array([[1.0, 1.2], [0.0, 0.6]])
    >>> times = np.datetime64("2025-01-01", "s") + np.arange(2400) * np.timedelta64(3600, "s")
    >>> candles = Candles(("BTC", "ADA"), times, 100 * np.exp(moves.cumsum(axis=0)))
    >>> unhedged, hedged = walk_forward(candles, {"ADA": 1.0}, ["BTC"])
    >>> len(unhedged), round(variance_removed(unhedged, hedged), 2)
    (28, 0.86)
    """
    returns = aligned(candles)
    days, closes = daily_closes(candles)
    names = candles.names
    moves = closes[1:] / closes[:-1] - 1  # moves[i] is over days[i + 1]
    held = [names.index(name) for name in weights]
    shares = np.array(list(weights.values()))
    unhedged, hedged = [], []
    for start in range(train_days, len(days) - test_days + 1, test_days):
        begin, end = days[start - train_days], days[start]
        rows = slice(*np.searchsorted(returns.times, [begin, end]))
        window = Returns(names, returns.times[rows], returns.values[rows], returns.set_aside)
        if not np.isfinite(closes[start - train_days, held]).all():
            continue
        basket = fit(window, weights, instruments)
        ahead = moves[start - 1 : start - 1 + test_days]
        own = ahead[:, held] @ shares
        short = ahead[:, [names.index(name) for name in basket.instruments]] @ np.array(basket.ratios)
        unhedged.append(own)
        hedged.append(own - (short if basket.instruments else 0.0))
    if not unhedged:
        raise NotEnoughHistory(
            f"there are not {train_days + test_days} days of history to judge this hedge on"
        )
    return np.concatenate(unhedged), np.concatenate(hedged)


def daily_closes(candles: Candles) -> tuple[np.ndarray[tuple[int], np.dtype[np.datetime64]], Floats]:
    """The days (UTC) that the candles touch and the last close known at the end of each, (D,) and (D, N); NaN before a
    series begins.

    >>> times = np.datetime64("2025-01-01", "s") + np.arange(4) * np.timedelta64(12, "h")
    >>> days, closes = daily_closes(Candles(("BTC",), times, np.array([[1.0], [2.0], [3.0], [np.nan]])))
    >>> closes.ravel().tolist()
    [2.0, 3.0]
    """
    day = candles.times.astype("datetime64[D]")
    days, last = np.unique(day[::-1], return_index=True)
    filled = carried(candles.close)
    return days.astype("datetime64[s]"), filled[len(day) - 1 - last]


def carried(close: Floats) -> Floats:
    """(T, N) with every gap filled by the last value before it; NaN before the first.

    >>> carried(np.array([[np.nan], [1.0], [np.nan], [2.0]])).ravel().tolist()
    [nan, 1.0, 1.0, 2.0]
    """
    seen = np.where(np.isfinite(close), np.arange(len(close))[:, None], -1)
    last = np.maximum.accumulate(seen, axis=0)
    filled: Floats = np.where(last >= 0, np.take_along_axis(close, np.maximum(last, 0), axis=0), np.nan)
    return filled


def _jackknife(
    measure: Callable[[Floats, Floats], float], unhedged: Floats, hedged: Floats, block: int
) -> float:
    """Standard error of a share removed, blocks left out one at a time (H. Kuensch, Annals of Statistics 1989)."""
    edges = np.arange(0, len(unhedged), block)
    if len(edges) < 3:
        return sqrt(2 / len(unhedged))
    left_out = []
    for start in edges:
        keep = np.ones(len(unhedged), dtype=bool)
        keep[start : start + block] = False
        left_out.append(measure(unhedged[keep], hedged[keep]))
    n = len(left_out)
    return sqrt((n - 1) / n * float(((np.array(left_out) - np.mean(left_out)) ** 2).sum()))


def _correlation(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 2 and a.std() > 0 and b.std() > 0 else float("nan")
