"""How long one tick of the watch takes, from the database to stored alerts, with its parts.

python -m tests.bench.tick [--users 10000] [--postgres]

Everybody has 8 holdings and 2 shorts; since the last tick a twentieth of them have come to another state. Beside it
the same rows are gone through person by person, as a bot that watches one account after another would.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from bot.ports.exchange import Health, MarketFeed
from bot.ports.records import Account
from bot.services.markets import Markets
from bot.services.watch.checks import PARTS, Checks
from bot.storage import SqlStore, migrate, open_store
from hedging.market import Candles, Contract, Funding, Quote, Snapshot
from hedging.plan import exposure
from hedging.portfolio import Holding, Position
from hedging.rules import HedgeRule
from tests import postgres
from tests.fakes.clock import NOON, ManualClock

COINS = ("BTC", "ETH", *(f"C{n:02}" for n in range(38)))
SHORTS = ("BTC", "ETH", *COINS[2:12])
HOLDINGS, LEGS = 8, 2
CHANGING = 0.05
HOURS = 60 * 24
A_SHARD = 20_000  # people
NOTHING_LOOKED: dict[str, Any] = {
    "began": NOON.isoformat(),
    "closed": [],
    "touched": [],
    "unseen": [],
}
D = Decimal


@dataclass
class SteadyMarket:
    """40 coins, 12 perpetuals; bot.ports.exchange.MarketFeed and Feeds in one."""

    name: str = "steady"
    home: str = "steady"
    prices: dict[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(3)
        self.prices = {
            coin: D(str(round(float(p), 4))) for coin, p in zip(COINS, rng.lognormal(3, 2, 40), strict=True)
        }
        common = rng.normal(0, 0.006, (HOURS, 1))
        moves = common * rng.uniform(0.8, 1.6, 40) + rng.normal(0, 0.004, (HOURS, 40))
        self.close = np.exp(np.cumsum(moves, axis=0))
        self.times = np.datetime64(NOON.replace(tzinfo=None), "s") - np.arange(HOURS, 0, -1) * np.timedelta64(
            3600, "s"
        )

    def feed(self, name: str) -> MarketFeed:
        return self

    def health(self, name: str, *, demo: bool = False) -> Health:
        return Health("up", NOON)

    async def snapshot(self) -> Snapshot:
        contracts = {c.symbol: c for c in map(_perpetual, SHORTS)}
        quotes = {}
        for symbol, contract in contracts.items():
            mark = self.prices[contract.base]
            quotes[symbol] = Quote(symbol, mark, mark, mark, mark, D(10**7))
        funding = {s: Funding(s, D("0.0001"), 8, NOON + timedelta(hours=4)) for s in contracts}
        return Snapshot(self.name, NOON, self.prices, quotes, funding, contracts)

    async def candles(self, names: Sequence[str], *, since: object, bar: object = None) -> Candles:
        columns = [COINS.index(name) for name in names]
        return Candles(tuple(names), self.times, self.close[:, columns])

    async def funding_since(self, symbol: str, since: object) -> tuple[()]:
        return ()


def _perpetual(base: str) -> Contract:
    rate = D("0.0005")
    return Contract(
        f"{base}/USDT:USDT", base, "USDT", "USDT", True, D(1), D("0.001"), D("0.01"), D("0.001"), D(5), rate, rate,
        D("0.005"), 50,
    )  # fmt: skip


Rows = dict[str, tuple[str, list[tuple[object, ...]]]]


def crowd_rows(users: int, market: SteadyMarket, weights: dict[str, float]) -> Rows:
    """Rows by table. Everybody is at a target of half, but for the twentieth that drifted since the last tick: a third
    of those with less coverage, a third with more, a third whose alert of yesterday is over."""
    rng = np.random.default_rng(5)
    rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in _COLUMNS}
    changing = set(rng.choice(users, int(users * CHANGING), replace=False).tolist())
    for n in range(users):
        user = 1_000 + n
        own = int(rng.integers(1, len(SHORTS)))  # a coin with a perpetual of its own
        others = [c for c in rng.permutation(len(COINS)).tolist() if c != own]
        held = [own, *others[: HOLDINGS - 1]]
        amounts = {
            COINS[c]: round(float(a), 4) for c, a in zip(held, rng.lognormal(2, 1, HOLDINGS), strict=True)
        }
        gross = sum(amount * float(market.prices[c]) * weights[c] for c, amount in amounts.items())
        state = n % 3 if n in changing else 2
        covered = (0.3, 0.7, 0.5)[state]
        shorts = []
        for base, share in (("BTC", 0.6), (COINS[own], 0.4)):
            size = gross * covered * share / (float(market.prices[base]) * weights[base])
            mark = float(market.prices[base])
            shorts.append(
                [f"{base}/USDT:USDT", f"-{size:.6f}", f"{mark:.4f}", f"{mark * 1.6:.4f}", 2, "cross"]
            )
        stamp = "2026-03-02 11:59:00+00:00"
        rows["person"].append((user, user, "Ada", stamp, False))
        rows["account"].append((user, user, "paper", "paper", "active"))
        rows["rule"].append((user, "0.5", "0.1", 2, "BTC", "0.01"))
        rows["holding"] += [(user, coin, f"{amount}", None) for coin, amount in amounts.items()]
        rows["account_look"].append(
            (user, stamp, f"{gross:.2f}", f"{gross / 2:.2f}", json.dumps(shorts), "", 0)
        )
        prices = {coin: float(market.prices[coin]) for coin in amounts}
        memory = {
            "hedged": True,
            "since": (NOON - timedelta(hours=5)).isoformat(),
            "prices": prices,
            "began": (NOON - timedelta(days=9)).isoformat(),
            "base": {coin: [amounts[coin], prices[coin]] for coin in amounts},
        }
        rows["memory"].append((user, json.dumps(memory)))
        rows["pin"].append((user, True, n + 1, "hedged", "50% 1 1", "2026-03-02 11:00:00+00:00", 1))
        if n in changing and state == 2:
            facts = json.dumps({"kind": "drift", "coverage": 0.3, "target": 0.5, "band": 0.1, "measure": 2.0})
            rows["alert"].append((user, "drift", "", 1, "raised", facts, stamp, stamp, n + 1, 0))
    return {name: (_COLUMNS[name], values) for name, values in rows.items()}


_COLUMNS = {
    "person": "id, chat_id, name, joined, suspended",
    "account": "id, user_id, exchange, mode, state",
    "rule": "user_id, target, band, leverage, factor, max_slippage",
    "holding": "user_id, asset, amount, cost",
    "account_look": "account_id, looked_at, equity, free, positions, failure, failures",
    "memory": "user_id, reference",
    "pin": "user_id, wanted, message_id, state, figures, told_at, version",
    "alert": "user_id, kind, subject, level, state, facts, raised_at, updated_at, message_id, version",
}


def fill(address: str, rows: Rows) -> None:
    """Straight into the tables: filling is not what is measured."""
    if address.startswith("sqlite"):
        with sqlite3.connect(address.partition("///")[2]) as file:
            for table, (columns, values) in rows.items():
                marks = ", ".join("?" * (columns.count(",") + 1))
                file.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)
        return
    with psycopg.connect(address.replace("+psycopg", "")) as server, server.cursor() as cursor:
        for table, (columns, values) in rows.items():
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)


def _fill(address: str, users: int, weights: dict[str, float]) -> None:
    fill(address, crowd_rows(users, SteadyMarket(), weights))


async def weights_of(market: SteadyMarket, clock: ManualClock) -> dict[str, float]:
    """Betas as the watch itself measures them."""
    street = Markets(market, clock).named(market.name)
    betas = await street.betas(COINS, "BTC", await street.snapshot())
    return {coin: max(betas[coin].beta, 0.0) for coin in COINS}


async def one_by_one(store: SqlStore, market: SteadyMarket, clock: ManualClock, users: int) -> float:
    """Seconds for a plain bot over so many people: read one, value them in decimals, compare."""
    street = Markets(market, clock).named(market.name)
    snapshot = await street.snapshot()
    started, drifted = time.perf_counter(), 0
    for user in range(1_000, 1_000 + users):
        rule = await store.rule(user) or HedgeRule()
        held: tuple[Holding, ...] = await store.holdings(user)
        (account,) = await store.accounts(user)
        await store.live_alerts(user)
        positions = await _positions(store, account, snapshot)
        betas = await street.betas_of(held, positions, rule.factor, snapshot)
        exposed = exposure(held, positions, snapshot, betas, rule.factor)
        drifted += abs(exposed.coverage - rule.target) > rule.band
    if not drifted:
        raise RuntimeError("nobody has drifted, so nothing was measured")
    return time.perf_counter() - started


async def _positions(store: SqlStore, account: Account, snapshot: Snapshot) -> list[Position]:
    """A row of the last look each, as an exchange would be asked for them."""
    async with store._database.read() as connection:
        found = await connection.exec_driver_sql(
            f"SELECT positions FROM account_look WHERE account_id = {int(account.id)}"
        )
        rows = json.loads(found.scalar_one())
    mark = {symbol: snapshot.quotes[symbol].mark for symbol, *_ in rows}
    return [
        Position(s, D(c), D(e), mark[s], lev, mode, D(0), D(0), D(liq)) for s, c, e, liq, lev, mode in rows
    ]


@dataclass(frozen=True)
class Measured:
    users: int
    database: str
    seconds: float
    cpu: float
    parts: dict[str, float]
    changes: int
    megabytes: float
    loop_seconds: float  # the plain loop, scaled to all

    def line(self) -> str:
        parts = "  ".join(f"{name} {self.parts[name]:.2f}" for name in PARTS)
        return (
            f"{self.database:<11}{self.users:>7} users{self.seconds:>7.2f} s, {self.cpu:.2f} s of a core  ({parts})  "
            f"{self.changes} alerts changed, peak {self.megabytes:.0f} MB; "
            f"person by person {self.loop_seconds:.1f} s: {self.loop_seconds / self.seconds:.0f}x"
        )


async def measure(address: str, users: int, *, loop: int = 300) -> Measured:
    """On an empty database. `loop`: people that the plain loop goes through; it is scaled up."""
    await asyncio.to_thread(migrate, address)
    market, clock = SteadyMarket(), ManualClock()
    weights = await weights_of(market, clock)
    # In a process of its own, whose memory is not counted.
    filling = multiprocessing.get_context("spawn").Process(target=_fill, args=(address, users, weights))
    filling.start()
    await asyncio.to_thread(filling.join)
    store = open_store(address)
    checks = Checks(store, Markets(market, clock), market, clock)
    await store.ping()
    started, busy = time.perf_counter(), time.process_time()
    shards, changes, parts = -(-users // A_SHARD), 0, dict.fromkeys(PARTS, 0.0)
    for shard in range(shards):
        changes += await checks.run(shard, shards, NOTHING_LOOKED)
        parts = {name: parts[name] + checks.parts[name] for name in PARTS}
    seconds, cpu = time.perf_counter() - started, time.process_time() - busy
    again = await checks.run(0, shards, NOTHING_LOOKED)
    if again:
        raise RuntimeError(f"the second tick changed {again} alerts again")
    slow = await one_by_one(store, market, clock, min(loop, users)) * users / min(loop, users)
    await store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kind = "SQLite" if address.startswith("sqlite") else "PostgreSQL"
    return Measured(users, kind, seconds, cpu, parts, changes, peak, slow)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--postgres", action="store_true", help="on a server of its own")
    given = parser.parse_args()
    with ExitStack() as stack:
        if given.postgres:
            server = stack.enter_context(postgres.running())
            address = stack.enter_context(server.new_database())
            address = address.replace("postgresql:", "postgresql+psycopg:")
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            address = f"sqlite+aiosqlite:///{Path(folder) / 'bench.sqlite'}"
        print(asyncio.run(measure(address, given.users)).line())


if __name__ == "__main__":
    main()
