"""The MarketFeed port over ccxt: one exchange's public prices, read in bulk and once for everybody."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np

from bot.exchange.ccxt_clients import Clients
from bot.exchange.ccxt_outcome import Malformed, NotFound, read
from bot.exchange.ccxt_values import contract_of, time_of
from bot.exchange.dialects.dialect import Dialect, MarketRow
from bot.ports.clock import Clock
from bot.ports.errors import Unavailable
from hedging.assets import STABLECOINS
from hedging.errors import BadInput
from hedging.market import Candles, Contract, Funding, Quote, Snapshot
from hedging.money import ZERO, decimal

T = TypeVar("T")

_HOUR = timedelta(hours=1)
_BARS = {60: "1m", 300: "5m", 900: "15m", 3600: "1h", 14400: "4h", 86400: "1d"}
_AT_ONCE = 4
_MOST_PAGES = 60
_DOLLARS = ("USDT", "USDC", "USD")  # a coin's price is read against the first of these


class CcxtFeed:
    """Public market data of one exchange. Three calls a snapshot where it has bulk calls; the contracts are read anew
    every hour. A quote's depth is what rests at the touch, the smaller side: it understates the book."""

    def __init__(self, dialect: Dialect, clients: Clients, clock: Clock) -> None:
        self._dialect, self._clients, self._clock = dialect, clients, clock
        self.name = dialect.name
        self._listed: Mapping[str, Contract] = {}
        self._listed_from: object = None  # the markets that they were made of
        self._intervals: Mapping[str, int] = {}
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def snapshot(self) -> Snapshot:
        async def work(client: Any) -> Snapshot:
            contracts = await self._contracts(client)
            rows, books = await asyncio.gather(self._dialect.rows(client), self._dialect.spot(client))
            quotes: dict[str, Quote] = {}
            funding: dict[str, Funding] = {}
            times = []
            for row in rows:
                contract = contracts.get(row.symbol)
                if contract is None:
                    continue
                try:
                    quotes[row.symbol] = _quote(row, contract)
                    funding[row.symbol] = self._funding(row)
                except (BadInput, Malformed):
                    quotes.pop(row.symbol, None)  # a contract that is not quoted now
                    continue
                if row.time:
                    times.append(row.time)
            if not quotes:
                raise Malformed("no contract has a quote")
            spot = _spot(books, client.markets) if books else {}
            for symbol, quote in quotes.items():
                spot.setdefault(contracts[symbol].base, quote.index)
            time = time_of(max(times)) if times else self._clock.now()
            return Snapshot(self.name, time, spot, quotes, funding, contracts)

        return await self._read("its prices", work)

    async def candles(self, names: Sequence[str], *, since: datetime, bar: timedelta = _HOUR) -> Candles:
        timeframe = _BARS.get(int(bar.total_seconds()))
        if timeframe is None:
            raise Unavailable(f"{self._dialect.title} has no candles of {bar}.")

        async def work(client: Any) -> Candles:
            series = await asyncio.gather(
                *(self._series(client, name, since, bar, timeframe) for name in names)
            )
            return _on_one_grid(names, series, since, bar)

        return await self._read("its candles", work)

    async def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]:
        async def work(client: Any) -> list[Funding]:
            found: dict[datetime, Funding] = {}
            start, hours = since, self._intervals.get(symbol, 8)
            for _ in range(_MOST_PAGES):
                rows = await client.fetch_funding_rate_history(symbol, _milliseconds(start) + 1, 100)
                page = [
                    Funding(symbol, decimal(row["fundingRate"]), hours, time_of(row.get("timestamp")))
                    for row in rows
                ]
                new = [item for item in page if item.next_time > start]
                found |= {item.next_time: item for item in new}
                if len(rows) < 100 or not new:
                    break
                start = max(item.next_time for item in new)
            return [found[time] for time in sorted(found) if time > since]

        return await self._read(f"the funding of {symbol}", work)

    async def open_interest(self, symbol: str) -> Decimal | None:
        """Contracts that are open on the exchange; None where it does not tell."""

        async def work(client: Any) -> Decimal | None:
            if not client.has.get("fetchOpenInterest"):
                return None
            told = (await client.fetch_open_interest(symbol)).get("openInterestAmount")
            return None if told is None else decimal(told)

        return await self._read(f"the open interest of {symbol}", work)

    async def prices(self) -> Mapping[str, Decimal]:
        """What `bot.exchange.ccxt_exchange` values coins with: by asset in dollars, and marks by symbol."""
        snapshot = await self.snapshot()
        return {**snapshot.spot, **{symbol: quote.mark for symbol, quote in snapshot.quotes.items()}}

    async def _contracts(self, client: Any) -> Mapping[str, Contract]:
        if self._listed_from is not client.markets:
            found = (contract_of(market, self._dialect) for market in client.markets.values())
            listed = {contract.symbol: contract for contract in found if contract}
            self._intervals = await self._dialect.intervals(client)
            self._listed, self._listed_from = listed, client.markets
        return self._listed

    def _funding(self, row: MarketRow) -> Funding:
        hours = row.interval_hours or self._intervals.get(row.symbol) or 8
        return Funding(row.symbol, decimal(row.rate), hours, time_of(row.next_funding))

    async def _series(
        self, client: Any, name: str, since: datetime, bar: timedelta, timeframe: str
    ) -> Mapping[int, tuple[float, float, float]]:
        """Opening second -> (close, high, low)."""
        if name in STABLECOINS:
            return {}
        symbol, params = self._place(client, name)
        found: dict[int, tuple[float, float, float]] = {}
        start = _milliseconds(since)
        async with self._at_once:
            for _ in range(_MOST_PAGES):
                most = self._dialect.most_candles
                rows = await client.fetch_ohlcv(symbol, timeframe, start, most, dict(params))
                for at, _open, high, low, close, *_volume in rows:
                    if at >= start and close is not None and float(close) > 0:
                        found[int(at) // 1000] = (float(close), float(high or close), float(low or close))
                last = max((int(row[0]) for row in rows), default=0)
                if len(rows) < most or last < start:
                    break
                start = last + 1
        return found

    def _place(self, client: Any, name: str) -> tuple[str, Mapping[str, Any]]:
        """The market whose candles tell a series."""
        if name in client.markets and ":" in name:
            return name, self._dialect.mark_candles
        if self._dialect.index_candles is not None and f"{name}/USDT:USDT" in client.markets:
            return f"{name}/USDT:USDT", self._dialect.index_candles
        for money in _DOLLARS:
            if f"{name}/{money}" in client.markets:
                return f"{name}/{money}", {}
        if f"{name}/USDT:USDT" in client.markets:
            return f"{name}/USDT:USDT", {}
        raise Malformed(f"{name} is not listed")

    async def _read(self, what: str, work: Callable[[Any], Awaitable[T]]) -> T:
        async def bound() -> T:
            return await work(await self._clients.public())

        try:
            return await read(self._dialect, what, bound, self._clients.set_clock)
        except NotFound as missing:
            raise Unavailable(f"{self._dialect.title} did not tell {what}.") from missing


def _quote(row: MarketRow, contract: Contract) -> Quote:
    bid, ask = decimal(row.bid), decimal(row.ask)
    mark = decimal(row.mark) if row.mark is not None else (bid + ask) / 2
    index = decimal(row.index) if row.index is not None else mark
    if min(bid, ask, mark, index) <= 0 or bid > ask:
        raise Malformed("a price cannot be")
    sizes = [decimal(size) for size in (row.bid_size, row.ask_size) if size is not None]
    depth = contract.notional(min(sizes), mark) if len(sizes) == 2 else ZERO
    return Quote(contract.symbol, bid, ask, mark, index, max(depth, ZERO))


def _spot(books: Mapping[str, Any], markets: Mapping[str, Any]) -> dict[str, Decimal]:
    """Assets in US dollars, by the middle of their best quotes; stablecoins count as dollars."""
    spot: dict[str, Decimal] = {}
    for money in _DOLLARS:
        for symbol, book in books.items():
            base, slash, quote = str(symbol).partition("/")
            if not slash or quote != money or base in spot or not book:
                continue
            try:
                bid, ask = book.get("bid"), book.get("ask")
                told = (decimal(bid) + decimal(ask)) / 2 if bid and ask else decimal(book.get("last"))
            except BadInput:
                continue
            if told > 0:
                spot[base] = told
    return spot | {coin: Decimal(1) for coin in ("USDT", "USDC")}


def _on_one_grid(
    names: Sequence[str],
    series: Sequence[Mapping[int, tuple[float, float, float]]],
    since: datetime,
    bar: timedelta,
) -> Candles:
    seconds = int(bar.total_seconds())
    first = -(-int(since.timestamp()) // seconds) * seconds
    last = max((max(one) for one in series if one), default=first - seconds)
    times = np.arange(first, last + 1, seconds, dtype=np.int64)
    parts = np.full((3, len(times), len(names)), np.nan)
    for column, (name, one) in enumerate(zip(names, series, strict=True)):
        if name in STABLECOINS:
            parts[:, :, column] = 1.0
        for at, prices in one.items():
            row, rest = divmod(at - first, seconds)
            if rest == 0 and 0 <= row < len(times):
                parts[:, row, column] = prices
    return Candles(tuple(names), times.astype("datetime64[s]"), parts[0], parts[1], parts[2])


def _milliseconds(time: datetime) -> int:
    return int(time.astimezone(UTC).timestamp() * 1000)
