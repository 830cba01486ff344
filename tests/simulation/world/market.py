"""A small market in virtual time: four perpetuals, a coin without one, prices that leap when the run says so."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from hedging.market import Candles, Funding, Quote, Snapshot
from hedging.money import ceil_to_step, floor_to_step
from tests.fakes.market import BETAS, PERPETUALS, PRICES, perpetual
from tests.simulation.process.loop import DAWN

D = Decimal
COINS = ("BTC", "ETH", "SOL", "ADA", "ATOM")
DEPTH = D(10_000_000)
_HOURS = 72
_FUNDING_HOURS = 8


class SmallMarket:
    """bot.sandbox.exchanges.desk.Market. Funding is one basis point every eight hours."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.prices = {coin: D(PRICES[coin]) for coin in COINS}
        self._told: list[tuple[datetime, dict[str, Decimal]]] = [(DAWN, dict(self.prices))]
        self._contracts = {contract.symbol: contract for contract in map(perpetual, PERPETUALS)}
        self._snapshot: Snapshot | None = None

    def now(self) -> datetime:
        return DAWN + timedelta(seconds=self._loop.time())

    def move(self, coin: str, factor: float) -> None:
        """`move("SOL", 0.95)`: it falls by 5 %."""
        self.prices[coin] = round(self.prices[coin] * D(str(factor)), 6)
        self._told.append((self.now(), dict(self.prices)))
        self._snapshot = None

    def snapshot(self) -> Snapshot:
        now = self.now()
        if self._snapshot is None or self._snapshot.time != now:
            hour = now.replace(minute=0, second=0, microsecond=0)
            settles = hour + timedelta(hours=_FUNDING_HOURS - hour.hour % _FUNDING_HOURS)
            self._snapshot = Snapshot(
                "sandbox",
                now,
                {**self.prices, "USDT": D(1), "USDC": D(1)},
                {symbol: self._quote(symbol) for symbol in self._contracts},
                {s: Funding(s, D("0.0001"), _FUNDING_HOURS, settles) for s in self._contracts},
                self._contracts,
            )
        return self._snapshot

    def candles(self, names: Sequence[str], since: datetime, bar: timedelta) -> Candles:
        end = self.now()
        if bar >= timedelta(hours=1):
            return _history(names, since, end)
        first = -(-int(since.timestamp()) // int(bar.total_seconds()))
        last = int(end.timestamp()) // int(bar.total_seconds())
        opened = [first + n for n in range(max(last - first + 1, 0))]
        times = np.array(opened, dtype=np.int64) * int(bar.total_seconds())
        closes = np.array([[self._at(int(t), bar, name) for name in names] for t in times], dtype=float)
        closes = closes.reshape(len(times), len(names))
        return Candles(tuple(names), times.astype("datetime64[s]"), closes, closes, closes)

    def drill(self) -> timedelta | None:
        return None

    def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]:
        hours = _FUNDING_HOURS * 3600
        first, last = int(since.timestamp()) // hours + 1, int(self.now().timestamp()) // hours
        zone = DAWN.tzinfo
        return [
            Funding(symbol, D("0.0001"), _FUNDING_HOURS, datetime.fromtimestamp(n * hours, zone))
            for n in range(first, last + 1)
        ]

    def _at(self, opened: int, bar: timedelta, name: str) -> float:
        until = datetime.fromtimestamp(opened, DAWN.tzinfo) + bar
        prices = next((told for at, told in reversed(self._told) if at < until), self._told[0][1])
        return float(prices[name.partition("/")[0]])

    def _quote(self, symbol: str) -> Quote:
        contract = self._contracts[symbol]
        mark = self.prices[contract.base]
        bid, ask = (
            floor_to_step(mark * D("0.9999"), contract.tick),
            ceil_to_step(mark * D("1.0001"), contract.tick),
        )
        return Quote(symbol, bid, ask, mark, mark, DEPTH)


def _history(names: Sequence[str], since: datetime, end: datetime) -> Candles:
    """The hours before now: coins that lean on Bitcoin by their betas."""
    last = int(end.timestamp()) // 3600
    first = max(last - _HOURS, -(-int(since.timestamp()) // 3600))
    rows = np.arange(first, last + 1, dtype=np.int64)
    columns = [_WALKS[name.partition("/")[0]][rows % len(_WALKS["BTC"])] for name in names]
    closes = np.column_stack(columns) if columns else np.empty((len(rows), 0))
    return Candles(tuple(names), (rows * 3600).astype("datetime64[s]"), closes, closes, closes)


def _walks() -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    rng = np.random.default_rng(11)
    market = rng.normal(0, 0.01, 1000)
    market -= market.mean()
    walks = {}
    for coin in COINS:
        own = rng.normal(0, 0.003, 1000) if coin != "BTC" else np.zeros(1000)
        walks[coin] = float(PRICES[coin]) * np.exp(np.cumsum(BETAS[coin] * market + own - own.mean()))
    return walks


_WALKS = _walks()
