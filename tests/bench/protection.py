"""How much of an altcoin basket's risk each way of cross-hedging takes away, out of sample, side by side.

    python -m tests.bench.protection [--baskets 60] [--seed 1] [--history FILE] [--start D] [--end D] [--without A,B]
        [--weights random|even|concentrated]

Baskets of four altcoins, none of them shortable; ten majors less the held ones as instruments;
ratios fitted every 14 days on the 60 days before and judged on the next 14. Printed: the mean over baskets of the share
of the variance and of the 5 % expected shortfall of daily profit and loss removed. The last row is the default through
`hedgehog replay --exclude-direct --reset-holdings --target 1`, with its fees, slippage, band and margin. Leave coins
and years out to see what was luck.
"""

import argparse
import gzip
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from bot.cli import app
from hedging.market import Candles
from hedging.ratio import (
    Basket,
    fit_basket,
    non_negative,
    second_moments,
    shortfall_removed,
    variance_removed,
    walk_forward,
)
from hedging.ratio.basket import sparse
from hedging.ratio.effectiveness import carried, daily_closes
from hedging.replay import parse
from hedging.returns import Returns
from tests.shared import ROOT

MAJORS = ("BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "DOGE", "LTC", "LINK", "AVAX")
Fit = Callable[[Returns, Mapping[str, float], Sequence[str]], Basket]


def basket(instruments: Sequence[str], ratios: np.ndarray) -> Basket:
    kept = [i for i in range(len(instruments)) if ratios[i] != 0]
    return Basket(tuple(instruments[i] for i in kept), tuple(float(ratios[i]) for i in kept), (), 0.0, 0)


def listed(returns: Returns, instruments: Sequence[str]) -> list[str]:
    return [name for name in instruments if np.isfinite(returns.series(name)).mean() >= 0.5]


def by_day(returns: Returns) -> np.ndarray:
    """Daily sums; a day with a missing hour counts what is there."""
    day = returns.times.astype("datetime64[D]")
    starts = np.flatnonzero(np.r_[True, day[1:] != day[:-1]])
    return np.asarray(np.add.reduceat(np.nan_to_num(returns.values), starts, axis=0))


def fixed(ratio: float) -> Fit:
    return lambda returns, weights, instruments: basket(["BTC"], np.array([ratio]))


def one(name: str) -> Fit:
    def fit(returns: Returns, weights: Mapping[str, float], instruments: Sequence[str]) -> Basket:
        daily = by_day(returns)
        own = daily[:, [returns.names.index(w) for w in weights]] @ np.array(list(weights.values()))
        x = daily[:, returns.names.index(name)]
        return basket([name], np.array([np.cov(own, x)[0, 1] / x.var(ddof=1)]))

    return fit


def moments(
    returns: Returns, weights: Mapping[str, float], names: Sequence[str], daily: bool
) -> tuple[np.ndarray, np.ndarray]:
    values = by_day(returns) if daily else returns.values
    held = [returns.names.index(w) for w in weights]
    used = [returns.names.index(n) for n in names]
    every = second_moments(values[:, used + held])
    k = len(used)
    return every[:k, :k], every[:k, k:] @ np.array(list(weights.values()))


def forward(returns: Returns, weights: Mapping[str, float], instruments: Sequence[str]) -> Basket:
    """Three legs, each the one that helps most beside those before it; daily returns."""
    names = listed(returns, instruments)
    gram, cross = moments(returns, weights, names, daily=True)
    chosen: list[int] = []
    for _ in range(min(3, len(names))):
        gains = {}
        for j in set(range(len(names))) - set(chosen):
            legs = [*chosen, j]
            gains[j] = float(cross[legs] @ np.linalg.solve(gram[np.ix_(legs, legs)], cross[legs]))
        chosen.append(max(gains, key=lambda j: gains[j]))
    ratios = np.zeros(len(names))
    ratios[chosen] = np.linalg.solve(gram[np.ix_(chosen, chosen)], cross[chosen])
    return basket(names, ratios)


def ridge(daily: bool, strength: float = 0.1, positive: bool = True) -> Fit:
    def fit(returns: Returns, weights: Mapping[str, float], instruments: Sequence[str]) -> Basket:
        names = listed(returns, instruments)
        gram, cross = moments(returns, weights, names, daily)
        gram = gram + strength * np.diag(np.diag(gram))
        return basket(names, non_negative(gram, cross) if positive else np.linalg.solve(gram, cross))

    return fit


def best_three(returns: Returns, weights: Mapping[str, float], instruments: Sequence[str]) -> Basket:
    names = listed(returns, instruments)
    gram, cross = moments(returns, weights, names, daily=False)
    free = np.ones((1, len(names)), dtype=bool)
    return basket(names, sparse(gram, cross[None], np.array([1e9]), free)[0])


def everything(returns: Returns, weights: Mapping[str, float], instruments: Sequence[str]) -> Basket:
    return fit_basket(returns, weights, instruments, max_legs=None)


METHODS: dict[str, Fit] = {
    "1.0 x BTC": fixed(1.0),
    "1.5 x BTC, the rule of thumb": fixed(1.5),
    "least squares on BTC": one("BTC"),
    "least squares on ETH": one("ETH"),
    "three legs by forward selection": forward,
    "all majors, non-negative ridge": ridge(daily=True),
    "best three of all, hourly": best_three,
    "all majors, ridge, hourly": ridge(daily=False, positive=False),
    "hedging: at most 3 legs (default)": fit_basket,
    "hedging: all majors": everything,
}


def compared(
    candles: Candles, baskets: Sequence[Mapping[str, float]], majors: Sequence[str]
) -> dict[str, tuple[float, float]]:
    table: dict[str, tuple[float, float]] = {}
    for title, fit in METHODS.items():
        found = []
        for weights in baskets:
            free = [m for m in majors if m not in weights]
            pnl = walk_forward(candles, weights, free, fit=fit)
            found.append((variance_removed(*pnl), shortfall_removed(*pnl)))
        variance, shortfall = np.mean(found, axis=0)
        table[title] = (float(variance), float(shortfall))
    return table


def command(
    history: Path, candles: Candles, baskets: Sequence[Mapping[str, float]], majors: Sequence[str]
) -> tuple[float, float]:
    """The default through the command line, from the file on; a thousand dollars of each basket."""
    found = []
    closes = carried(candles.close)
    for weights in baskets:
        held = [candles.names.index(w) for w in weights]
        listed_at = closes[np.isfinite(closes[:, held]).all(axis=1).argmax()]
        amounts = {w: 1000 * share / listed_at[candles.names.index(w)] for w, share in weights.items()}
        arguments = {
            "--history": str(history),
            "--holdings": ",".join(f"{w}={amount:.12f}" for w, amount in amounts.items()),
            "--instruments": ",".join(m for m in majors if m not in weights),
            "--target": "1",
        }
        flags = ["--exclude-direct", "--reset-holdings", "--json"]
        typed = ["replay", *(part for pair in arguments.items() for part in pair), *flags]
        result = CliRunner().invoke(app, typed)
        if result.exit_code:
            raise SystemExit(result.stderr)
        content = json.loads(result.stdout)
        found.append((content["effectiveness"], content["es5_reduction"]))
    variance, shortfall = np.mean(found, axis=0)
    return float(variance), float(shortfall)


def hindsight(
    candles: Candles, baskets: Sequence[Mapping[str, float]], majors: Sequence[str]
) -> tuple[float, float]:
    """Least squares on all majors over each judged stretch itself: nobody can have this."""
    found = []
    _, closes = daily_closes(candles)
    moves = closes[1:] / closes[:-1] - 1
    for weights in baskets:
        held = [candles.names.index(w) for w in weights]
        own, left = [], []
        for start in range(60, len(closes) - 13, 14):
            if not np.isfinite(closes[start - 60, held]).all():
                continue
            names = [candles.names.index(m) for m in majors if m not in weights]
            names = [n for n in names if np.isfinite(closes[start - 60, n])]
            ahead = moves[start - 1 : start + 13]
            y, x = ahead[:, held] @ np.array(list(weights.values())), ahead[:, names]
            gram = x.T @ x + 0.05 * np.diag((x * x).sum(axis=0))
            own.append(y)
            left.append(y - x @ non_negative(gram, x.T @ y))
        unhedged, hedged = np.concatenate(own), np.concatenate(left)
        found.append((variance_removed(unhedged, hedged), shortfall_removed(unhedged, hedged)))
    variance, shortfall = np.mean(found, axis=0)
    return float(variance), float(shortfall)


def draw(names: Sequence[str], count: int, seed: int, weighted: str = "random") -> list[dict[str, float]]:
    """Random weights are numbers from 0 to 1 over their sum; even ones are all the same; concentrated ones are uniform
    over all weights there are (Dirichlet), where one coin is often most of a basket."""
    rng = np.random.default_rng(seed)
    altcoins = [n for n in names if n not in ("BTC", "ETH")]
    sets = list(itertools.combinations(altcoins, 4))
    picks = rng.choice(len(sets), size=min(count, len(sets)), replace=False)

    def weights() -> np.ndarray:
        sizes = np.ones(4) if weighted == "even" else rng.random(4)
        return rng.dirichlet(np.ones(4)) if weighted == "concentrated" else sizes / sizes.sum()

    return [dict(zip(sets[p], map(float, weights()), strict=True)) for p in picks]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--history", type=Path, default=ROOT.parent / "shared" / "market" / "spot_1h_2020_2021.csv.gz"
    )
    parser.add_argument("--baskets", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=np.datetime64)
    parser.add_argument("--end", type=np.datetime64)
    parser.add_argument("--without", default="")
    parser.add_argument("--command", type=int, default=0, help="so many baskets through the command, too")
    parser.add_argument("--weights", choices=("random", "even", "concentrated"), default="random")
    chosen = parser.parse_args()
    with gzip.open(chosen.history, "rt") as file:
        candles = parse(file)
    rows = np.ones(len(candles.times), dtype=bool)
    if chosen.start is not None:
        rows &= candles.times >= chosen.start
    if chosen.end is not None:
        rows &= candles.times < chosen.end
    kept = [n for n in candles.names if n not in chosen.without.split(",")]
    candles = Candles(
        tuple(kept), candles.times[rows], candles.close[rows][:, [candles.names.index(n) for n in kept]]
    )
    baskets = draw(kept, chosen.baskets, chosen.seed, chosen.weights)
    majors = [m for m in MAJORS if m in kept]
    first, last = (str(time)[:10] for time in candles.times[[0, -1]])
    print(f"{len(baskets)} {chosen.weights} baskets of 4 out of {len(kept)} coins, {first} to {last}")
    print(f"{'removed out of sample':<36}{'variance':>10}{'shortfall':>11}")
    for title, (variance, shortfall) in compared(candles, baskets, majors).items():
        print(f"{title:<36}{variance:>10.3f}{shortfall:>11.3f}")
    variance, shortfall = hindsight(candles, baskets, majors)
    print(f"{'with hindsight':<36}{variance:>10.3f}{shortfall:>11.3f}")
    if chosen.command:
        typed = baskets[: chosen.command]
        variance, shortfall = command(chosen.history, candles, typed, majors)
        print(f"{f'hedgehog replay, {len(typed)} baskets':<36}{variance:>10.3f}{shortfall:>11.3f}")


if __name__ == "__main__":
    main()
