"""How fast the finance is, as ratios to a peer in the same run.

python -m tests.bench.speed
"""

import time
from collections.abc import Callable

import numpy as np
import statsmodels.api as sm

from hedging.checks import KINDS, Book, Thresholds, tick
from hedging.market import Candles
from hedging.ratio import beta_matrix, joint_betas
from hedging.replay import Rule, run
from tests.bench.loops import columns, crowd, tick_loop

Row = tuple[str, float, str, float]


def took(work: Callable[[], object], times: int = 7) -> float:
    """Seconds of the quickest of several goes: what the work takes when nothing else disturbs."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def betas(coins: int = 600, hours: int = 4320, loop: int = 60) -> list[Row]:
    """The statsmodels loop runs over `loop` of the coins and is scaled up."""
    rng = np.random.default_rng(1)
    x = rng.normal(0, 0.01, (hours, 2))
    y = x @ rng.normal(1, 0.3, (2, coins)) + rng.normal(0, 0.01, (hours, coins))
    design = np.column_stack([np.ones(hours), x])

    def by_statsmodels() -> None:
        for i in range(loop):
            fit = sm.OLS(y[:, i], design).fit()
            fit.params.sum(), fit.bse.sum()

    mine, each = took(lambda: joint_betas(y, x), 15), took(lambda: beta_matrix(y, x), 15)
    slow = took(by_statsmodels, 3) * coins / loop
    solve = took(lambda: np.linalg.solve(design.T @ design, design.T @ y), 15)
    lstsq = took(lambda: np.linalg.lstsq(design, y, rcond=None), 5)
    size = f"betas, {coins} coins x {hours} h x 2"
    return [
        (f"{size}, together", mine, "statsmodels, one by one", slow),
        (f"{size}, together", mine, "numpy.linalg.solve, no errors", solve),
        (f"{size}, together", mine, "numpy.linalg.lstsq, no errors", lstsq),
        (f"{size}, each", each, "statsmodels, one by one", slow),
    ]


def checks(users: int = 100_000, holdings: int = 8, loop: int = 2_000) -> list[Row]:
    """The plain loop runs over `loop` of the users and is scaled up."""
    book = crowd(users, holdings)
    levels = np.zeros((users, len(KINDS)), dtype=np.int8)
    few, few_levels = columns(crowd(loop, holdings)), [[0] * len(KINDS) for _ in range(loop)]

    def read() -> float:
        return sum(float(getattr(book, name).sum()) for name in Book.__dataclass_fields__)

    mine = took(lambda: tick(book, levels))
    slow = took(lambda: tick_loop(few, few_levels, Thresholds.usual()), 3) * users / loop
    size = f"all checks, {users} users x {holdings}"
    return [(size, mine, "a plain Python loop", slow), (size, mine, "reading the arrays once", took(read))]


def replay(coins: int = 10, days: int = 730) -> list[Row]:
    rng = np.random.default_rng(1)
    common = rng.normal(0, 0.006, (days * 24, 1))
    prices = 100 * np.exp(np.cumsum(common + rng.normal(0, 0.006, (days * 24, coins)), axis=0))
    names = ("BTC", "ETH", *(f"C{i}" for i in range(coins - 2)))
    times = np.datetime64("2023-01-01T00:00:00", "s") + np.arange(days * 24) * np.timedelta64(3600, "s")
    candles = Candles(names, times, prices)
    held = {f"C{i}": 10.0 for i in range(4)}
    mine = took(lambda: run(candles, held, Rule(exclude_direct=True)), 3)
    return [(f"replay, {days} days of hours x {coins} coins, fits every 14 d", mine, "one second", 1.0)]


def table() -> list[str]:
    lines = [f"{'what':<52}{'ms':>9}  {'beside':<32}{'ms':>10}{'ratio':>9}"]
    for what, mine, peer, theirs in [*betas(), *checks(), *replay()]:
        lines.append(f"{what:<52}{mine * 1e3:>9.2f}  {peer:<32}{theirs * 1e3:>10.2f}{theirs / mine:>8.2f}x")
    return lines


if __name__ == "__main__":
    print("\n".join(table()))
