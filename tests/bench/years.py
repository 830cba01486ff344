"""The watch on the recorded years 2020 and 2021: how often it speaks, what it misses, and what it says for nothing.

python -m tests.bench.years [--people 40]

People hold random parts of ten coins and hedge half of them at the default rule; coins without a perpetual are hedged
through Bitcoin. Whoever is told of drift is back at the target an hour later; margin is topped up when it is asked for.
The checks, the findings and the desk are those of the bot, at their defaults, once an hour.
"""

import argparse
import gzip
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from bot.ports.records import Account, Alert, AlertState
from bot.ports.watching import AlertSettings, Crowd, Look
from bot.services.desk.policy import Event, Manner, Matter, decide
from bot.services.watch.book import Seen, see
from bot.services.watch.findings import MOVE_LASTS, Findings
from bot.services.watch.market import History, MarketArrays, history_of
from bot.services.watch.memory import Memory
from hedging.market import Candles
from hedging.ratio import beta_table
from hedging.replay.history import parse

COINS = ("BTC", "ETH", "BNB", "ADA", "XRP", "DOGE", "LTC", "LINK", "ATOM", "XLM")
PERPETUALS = ("BTC", "ETH", "BNB", "ADA", "XRP", "DOGE", "LTC", "LINK")
HISTORY = 60 * 24
TARGET, BAND = 0.5, 0.1
CRASH = 0.15
LASTING = 2  # hours outside the band that deserve a word
FUNDING_PER_MONTH = 0.009  # one basis point every eight hours, which those years mostly paid to shorts


@dataclass
class Person:
    amounts: dict[str, float]
    shorts: dict[str, float] = field(default_factory=dict)  # coins, positive
    entries: dict[str, float] = field(default_factory=dict)
    collateral: float = 0.0
    rebalance: bool = False


@dataclass
class Counts:
    """`told`: new messages by person and month; `drifts`: of them, which were over by themselves."""

    told: Counter[tuple[int, str]] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)  # by month
    crashes: int = 0
    crashes_missed: int = 0
    drifts: int = 0
    drifts_for_nothing: int = 0
    drift_hours_untold: int = 0
    breakdowns: int = 0
    breakdowns_told: int = 0
    correlations: int = 0
    correlations_for_nothing: int = 0


class Years:
    def __init__(self, candles: Candles, people: int, seed: int = 7) -> None:
        columns = [candles.names.index(coin) for coin in COINS]
        filled = candles.close[:, columns].copy()
        for hour in range(1, len(filled)):
            gap = ~np.isfinite(filled[hour])
            filled[hour, gap] = filled[hour - 1, gap]
        self.times, self.close = candles.times, filled
        self.high = None if candles.high is None else candles.high[:, columns]
        rng = np.random.default_rng(seed)
        self.people = []
        for _ in range(people):
            chosen = rng.choice(len(COINS), rng.integers(2, 7), replace=False)
            worth = rng.lognormal(8, 0.8, len(chosen))
            amounts = {COINS[c]: w / filled[HISTORY, c] for c, w in zip(chosen, worth, strict=True)}
            self.people.append(Person({coin: float(amount) for coin, amount in amounts.items()}))
        self.alerts: dict[int, list[Alert]] = defaultdict(list)
        self.settings = {n: AlertSettings(n) for n in range(people)}
        self.memories: dict[int, dict[str, Any]] = {}
        self.counts = Counts()
        self.numbers = iter(range(1, 10**9))
        self.outside: Counter[int] = Counter()
        self.last_told: dict[int, int] = {}
        self.coverages: dict[int, float] = {}
        self.correlated: list[tuple[int, int]] = []  # (person, hour) of every word about correlation

    def run(self, hours: int | None = None) -> Counts:
        end = len(self.close) if hours is None else min(len(self.close), HISTORY + hours)
        history, betas = self._fit(HISTORY)
        for hour in range(HISTORY, end):
            if hour % 24 == 0:
                history, betas = self._fit(hour)
            self._hour(hour, self._market(hour, history, betas))
        self._breakdowns(end)
        return self.counts

    def _fit(self, hour: int) -> tuple[History, dict[str, float]]:
        span = slice(hour - HISTORY, hour)
        high = None if self.high is None else self.high[span]
        candles = Candles(COINS, self.times[span], self.close[span], high)
        table = beta_table(candles, "BTC")
        return history_of(COINS, candles), {coin: max(table[coin].beta, 0.0) for coin in COINS}

    def _market(self, hour: int, history: History, betas: dict[str, float]) -> MarketArrays:
        price = self.close[hour]
        weight = np.array([betas[coin] for coin in COINS])
        base = np.array([COINS.index(coin) for coin in PERPETUALS])
        listed = {f"{coin}/USDT:USDT": n for n, coin in enumerate(PERPETUALS)}
        many = len(PERPETUALS)
        return MarketArrays(
            name="years",
            time=_time(self.times[hour]),
            spot=dict(zip(COINS, price.tolist(), strict=True)),
            asset_row={coin: n for n, coin in enumerate(COINS)},
            price=price,
            weight={"BTC": weight},
            stands_for=np.arange(len(COINS)),
            symbol_row=listed,
            notional=price[base],
            contract_weight={"BTC": weight[base]},
            funding=np.full(many, FUNDING_PER_MONTH),
            basis=np.zeros(many),
            upkeep=np.full(many, 0.01),
            mark=price[base],
            base=base,
            follows=np.ones(many, dtype=np.bool_),
            history=history,
        )

    def _hour(self, hour: int, market: MarketArrays) -> None:
        for n, person in enumerate(self.people):
            if person.rebalance or not person.shorts:
                self._to_target(n, person, market)
        seen = see(self._crowd(market), np.arange(len(self.people)), market)
        findings = Findings(self._crowd(market), seen)
        matters = dict(findings.matters())
        for n in range(len(self.people)):
            over = [
                a
                for a in self.alerts[n]
                if a.kind == "market_move" and market.time - a.updated_at > MOVE_LASTS
            ]
            matters.setdefault(n, []).extend(
                Matter(replace(a, updated_at=market.time), Event.OVER) for a in over
            )
            if matters[n]:
                self._told(n, hour, market, matters[n])
            self._judge(n, hour, seen)
        ratios = zip(findings.moved.tolist(), findings.ratio.tolist(), strict=True)
        for n, (moved, ratio) in enumerate(ratios):
            memory = Memory.of(self.memories[n]).rose(ratio)
            held, spot = self.people[n].amounts, market.spot
            self.memories[n] = memory.after(market.time, held, spot, ratio=ratio, moved=moved).record()

    def _to_target(self, n: int, person: Person, market: MarketArrays) -> None:
        """What the bot's plan does: each coin by its own perpetual, the rest by Bitcoin's."""
        spot, weight = market.spot, market.weight["BTC"]
        short: defaultdict[str, float] = defaultdict(float)
        for coin, amount in person.amounts.items():
            if coin in PERPETUALS:
                short[coin] += TARGET * amount
            else:
                short["BTC"] += TARGET * amount * spot[coin] * weight[COINS.index(coin)] / spot["BTC"]
        first = not person.shorts
        person.shorts, person.rebalance = dict(short), False
        person.collateral = sum(size * spot[coin] for coin, size in short.items()) / 2
        memory = Memory.of(self.memories.get(n, {}))
        if first:
            memory = memory.begun(market.time, person.amounts, {c: spot[c] for c in person.amounts})
        else:
            memory = replace(
                memory, began=market.time, base={c: (a, spot[c]) for c, a in person.amounts.items()}
            )
        self.memories[n] = memory.record()
        person.entries = dict(spot)

    def _crowd(self, market: MarketArrays) -> Crowd:
        people = self.people
        looks = {}
        for n, person in enumerate(people):
            looks[n] = self._look(n, person, market)
        holdings = [(n, COINS.index(c), a) for n, p in enumerate(people) for c, a in p.amounts.items()]
        return Crowd(
            users=array("q", range(len(people))),
            chats=array("q", range(len(people))),
            accounts=tuple(Account(n, n, "paper", "paper") for n in range(len(people))),
            target=array("d", [TARGET] * len(people)),
            band=array("d", [BAND] * len(people)),
            leverage=array("q", [2] * len(people)),
            factor=("BTC",) * len(people),
            assets=COINS,
            holding_user=array("q", [h[0] for h in holdings]),
            holding_asset=array("q", [h[1] for h in holdings]),
            amount=array("d", [h[2] for h in holdings]),
            looks=looks,
            memories=self.memories,
            alerts=self.alerts,
            exits={},
        )

    def _look(self, n: int, person: Person, market: MarketArrays) -> Look:
        entries, spot = person.entries, market.spot
        equity = person.collateral + sum(s * (entries[c] - spot[c]) for c, s in person.shorts.items())
        notional = sum(s * spot[c] for c, s in person.shorts.items())
        room = max(equity / notional - 0.01, 0.0)  # all marks rise together until the collateral is used up
        rows = [
            [f"{c}/USDT:USDT", f"-{s}", "1", f"{spot[c] * (1 + room)}", 2, "cross"]
            for c, s in person.shorts.items()
        ]
        return Look(n, market.time, Decimal(str(equity)), Decimal(0), rows)

    def _told(self, n: int, hour: int, market: MarketArrays, matters: list[Matter]) -> None:
        decided = decide(market.time, self.settings[n], matters)
        self.settings[n] = replace(self.settings[n], sent_on=decided.sent_on, sent_today=decided.sent_today)
        month = f"{market.time:%Y-%m}"
        summed = False
        for one in decided.decisions:
            alert = one.alert
            self.alerts[n] = [a for a in self.alerts[n] if a.kind != alert.kind]
            if alert.state is not AlertState.RECOVERED:
                self.alerts[n].append(replace(alert, id=alert.id or next(self.numbers), message_id=1))
            elif alert.kind == "drift" and one.event is Event.OVER:
                self.counts.drifts_for_nothing += alert.facts.get("answered") is None
            if one.manner not in (Manner.LOUD, Manner.SILENT, Manner.SUMMARY) or one.event is Event.OVER:
                continue
            if not (one.manner is Manner.SUMMARY and summed):
                self.counts.told[n, month] += 1
            summed = summed or one.manner is Manner.SUMMARY
            self.counts.kinds[alert.kind, month] += 1
            self.last_told[n] = hour if alert.kind in ("drift", "market_move") else self.last_told.get(n, -99)
            self._answer(n, hour, alert)

    def _answer(self, n: int, hour: int, alert: Alert) -> None:
        if alert.kind == "drift":
            self.counts.drifts += 1
            self.people[n].rebalance = True
            kept = [
                replace(a, facts={**a.facts, "answered": True}) if a.kind == "drift" else a
                for a in self.alerts[n]
            ]
            self.alerts[n] = kept
        elif alert.kind in ("liquidation", "margin", "stale"):
            self.people[n].rebalance = True
        elif alert.kind == "correlation":
            self.counts.correlations += 1
            self.correlated.append((n, hour))

    def _judge(self, n: int, hour: int, seen: Seen) -> None:
        """What hindsight calls drift and a crash."""
        coverage = float(seen.coverage[n])
        outside = abs(coverage - TARGET) > BAND
        self.outside[n] = self.outside[n] + 1 if outside else 0
        live = any(a.kind == "drift" for a in self.alerts[n])
        self.counts.drift_hours_untold += self.outside[n] > LASTING and not live
        value = self._worth(n, max(hour - 24, HISTORY), hour + 1)
        if len(value) < 3:
            return
        crossed = value[-1] / value[:-1].max() - 1 <= -CRASH < value[-2] / value[:-2].max() - 1
        if crossed:
            self.counts.crashes += 1
            self.counts.crashes_missed += hour - self.last_told.get(n, -99) > 24

    def _worth(self, n: int, begin: int, end: int) -> np.ndarray:
        held = np.array([self.people[n].amounts.get(coin, 0.0) for coin in COINS])
        return np.asarray(self.close[begin:end] @ held)

    def _breakdowns(self, end: int) -> None:
        """Hindsight on correlation: the two weeks around a moment against the 46 days before them, by person and week.
        It broke down where it fell by more than 0.25; a word within a week of it was right."""
        returns = np.diff(np.log(self.close), axis=0)
        week = 7 * 24
        broken: dict[int, list[int]] = defaultdict(list)
        for n, person in enumerate(self.people):
            held = np.array([person.amounts.get(coin, 0.0) for coin in COINS])
            short = np.array([person.shorts.get(coin, 0.0) for coin in COINS])
            for hour in range(HISTORY + week, end - week, week):
                worth, sold = held * self.close[hour], short * self.close[hour]
                around, past = returns[hour - week : hour + week], returns[hour - HISTORY : hour - week]
                now, before = (np.corrcoef(r @ worth, r @ sold)[0, 1] for r in (around, past))
                if before - now > 0.25:
                    broken[n].append(hour)
        self.counts.breakdowns = sum(map(len, broken.values()))
        near = 2 * week
        self.counts.breakdowns_told = sum(
            any(p == n and abs(at - hour) <= near for p, at in self.correlated)
            for n, hours in broken.items()
            for hour in hours
        )
        self.counts.correlations_for_nothing = sum(
            not any(abs(at - hour) <= near for hour in broken[n]) for n, at in self.correlated
        )


def _time(stamp: np.datetime64) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        seconds=int(stamp.astype("datetime64[s]").astype(np.int64))
    )


def table(years: Years, counts: Counts) -> list[str]:
    """Messages a person and month, with the month's volatility of Bitcoin; then what was missed or said for nothing."""
    months = sorted({month for _, month in counts.told} | {m for _, m in counts.kinds})
    kinds = sorted({kind for kind, _ in counts.kinds})
    people = len(years.people)
    moves = np.abs(np.diff(np.log(years.close[:, 0])))
    labels = np.array([f"{_time(t):%Y-%m}" for t in years.times[1:]])
    lines = [
        f"{'month':<9}{'BTC a day':>10}{'mean':>7}{'most':>6}  " + "".join(f"{kind:>13}" for kind in kinds)
    ]
    for month in months:
        told = [counts.told[n, month] for n in range(people)]
        swing = float(np.sqrt((moves[labels == month] ** 2).mean() * 24))
        by_kind = "".join(f"{counts.kinds[kind, month] / people:>13.2f}" for kind in kinds)
        lines.append(f"{month:<9}{swing:>10.1%}{np.mean(told):>7.2f}{max(told):>6}  {by_kind}")
    return [
        *lines,
        f"crashes of more than {CRASH:.0%} within a day: {counts.crashes}, "
        f"without a word by then: {counts.crashes_missed}",
        f"drift told: {counts.drifts}, over by itself: {counts.drifts_for_nothing}; "
        f"hours outside the band and untold after {LASTING}: {counts.drift_hours_untold}",
        f"weeks of breakdown by hindsight: {counts.breakdowns}, told: {counts.breakdowns_told}; "
        f"words about correlation: {counts.correlations}, for nothing: {counts.correlations_for_nothing}",
    ]


def read(file: Path) -> Candles:
    with gzip.open(file, "rt") as lines:
        return parse(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--hours", type=int, default=None)
    given = parser.parse_args()
    file = Path(__file__).parents[3] / "shared" / "market" / "spot_1h_2020_2021.csv.gz"
    years = Years(read(file), given.people)
    print("\n".join(table(years, years.run(given.hours))))


if __name__ == "__main__":
    main()
