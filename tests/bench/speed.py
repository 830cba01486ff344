"""How fast the finance is, as ratios to a peer in the same run.

python -m tests.bench.speed [--cores N]

The two of a row take turns, so that what else the machine does meets both; the ratio is the median over the turns. All
run on one core and are charged their processor time, unless more cores are asked for: then numpy's products use them,
and the clock on the wall counts.
"""

import argparse
import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import statsmodels.api as sm

from hedging.checks import KINDS, Book, Thresholds, tick
from hedging.market import Candles
from hedging.ratio import beta_matrix, joint_betas
from hedging.replay import Rule, run
from tests.bench.loops import crowd, tick_loop

THREADS = "OPENBLAS_NUM_THREADS"
Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Row:
    """`mine`, `theirs`: seconds of the quickest go. `ratio`: times as fast as the peer, or with `slower` the times as
    long that mine takes; `bar`: what it should be, at least or at most."""

    what: str
    mine: float
    peer: str
    theirs: float
    ratio: float
    bar: float | None = None
    slower: bool = False

    def __str__(self) -> str:
        said = f"{self.what:<53}{self.mine * 1e3:>9.2f}  {self.peer:<32}{self.theirs * 1e3:>10.2f}"
        limit = "" if self.bar is None else f"{'at most' if self.slower else 'at least'} {self.bar:g}"
        return f"{said}{self.ratio:>8.2f} x {'as long' if self.slower else 'faster':<8} {limit}".rstrip()


def seconds(work: Work) -> float:
    clock = time.process_time if os.environ.get(THREADS) == "1" else time.perf_counter
    gc.disable()  # it would be charged to whoever makes the most objects
    start = clock()
    work()
    took = clock() - start
    gc.enable()
    return took


def raced(mine: Work, theirs: Work, turns: int, goes: tuple[int, int] = (3, 3)) -> tuple[float, float, float]:
    """Quickest of mine, quickest of theirs, and the median over the turns of theirs / mine, each the best of some."""
    table = np.array(
        [
            [min(seconds(work) for _ in range(many)) for work, many in zip((mine, theirs), goes, strict=True)]
            for _ in range(turns)
        ]
    )
    return float(table[:, 0].min()), float(table[:, 1].min()), float(np.median(table[:, 1] / table[:, 0]))


def betas(coins: int = 600, hours: int = 4320, turns: int = 25) -> list[Row]:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 0.01, (hours, 2))
    y = x @ rng.normal(1, 0.3, (2, coins)) + rng.normal(0, 0.01, (hours, coins))
    design = np.column_stack([np.ones(hours), x])

    def by_statsmodels() -> None:
        for i in range(coins):
            fit = sm.OLS(y[:, i], design).fit()
            fit.params.sum(), fit.bse.sum()

    def together() -> object:
        return joint_betas(y, x)

    size = f"betas, {coins} coins x {hours} h x 2"
    one_by_one = "statsmodels, one by one"
    solve, few = raced(together, lambda: np.linalg.solve(design.T @ design, design.T @ y), turns), 3
    mine, theirs, ratio = raced(together, by_statsmodels, few, (3, 1))
    rows = [Row(f"{size}, together", mine, one_by_one, theirs, ratio, 15)]
    rows.append(Row(f"{size}, together", *_beside(solve, "numpy.linalg.solve, no errors"), 1.5, True))
    lstsq = raced(together, lambda: np.linalg.lstsq(design, y, rcond=None), few)
    rows.append(Row(f"{size}, together", *_beside(lstsq, "numpy.linalg.lstsq, no errors"), 1.5, True))
    mine, theirs, ratio = raced(lambda: beta_matrix(y, x), by_statsmodels, few, (3, 1))
    return [*rows, Row(f"{size}, each", mine, one_by_one, theirs, ratio, 15)]


def checks(users: int = 100_000, holdings: int = 8, turns: int = 5) -> list[Row]:
    """From the book's arrays to what changed and the new levels, in both."""
    book = crowd(users, holdings)
    levels, usual = np.zeros((users, len(KINDS)), dtype=np.int8), Thresholds.usual()

    def all_checks() -> object:
        return tick(book, levels)

    def read() -> float:
        return sum(float(getattr(book, name).sum()) for name in Book.__dataclass_fields__)

    size = f"all checks, {users} users x {holdings}"
    mine, theirs, ratio = raced(all_checks, lambda: tick_loop(book, levels, usual), turns, (3, 1))
    once = raced(all_checks, read, 3 * turns)
    return [
        Row(size, mine, "a plain Python loop", theirs, ratio, 40),
        Row(size, *_beside(once, "reading the arrays once"), 25, True),
    ]


def replay(coins: int = 10, days: int = 730) -> list[Row]:
    rng = np.random.default_rng(1)
    common = rng.normal(0, 0.006, (days * 24, 1))
    prices = 100 * np.exp(np.cumsum(common + rng.normal(0, 0.006, (days * 24, coins)), axis=0))
    names = ("BTC", "ETH", *(f"C{i}" for i in range(coins - 2)))
    times = np.datetime64("2023-01-01T00:00:00", "s") + np.arange(days * 24) * np.timedelta64(3600, "s")
    candles = Candles(names, times, prices)
    held = {f"C{i}": 10.0 for i in range(4)}
    mine = min(seconds(lambda: run(candles, held, Rule(exclude_direct=True))) for _ in range(5))
    what = f"replay, {days} days of hours x {coins} coins, fits every 14 d"
    return [Row(what, mine, "one second", 1.0, mine, 1, True)]


def _beside(found: tuple[float, float, float], peer: str) -> tuple[float, str, float, float]:
    mine, theirs, ratio = found
    return mine, peer, theirs, 1 / ratio


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cores", type=int, default=1)
    cores = str(parser.parse_args().cores)
    if os.environ.get(THREADS) != cores:  # numpy reads it once, when it is imported
        again = [sys.executable, "-m", "tests.bench.speed", "--cores", cores]
        raise SystemExit(subprocess.run(again, env=os.environ | {THREADS: cores}, check=False).returncode)
    print(f"{'what':<53}{'ms':>9}  {'beside':<32}{'ms':>10}")
    for row in [*betas(), *checks(), *replay()]:
        print(row)


if __name__ == "__main__":
    main()
