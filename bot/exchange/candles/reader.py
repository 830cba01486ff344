"""Candles through ccxt: page by page, each page with an end of its own, so that it does not matter from which side an
exchange counts when it has more than it may tell."""

import asyncio
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from bot.exchange.ccxt_outcome import Malformed
from bot.exchange.dialects.dialect import Dialect
from bot.ports.clock import Clock
from hedging.assets import STABLECOINS
from hedging.market import Candles

Series = Mapping[int, tuple[float, float, float]]  # opening second -> (close, high, low)

DOLLARS = ("USDT", "USDC", "USD")  # a coin's price is read against the first of these
_BARS = {60: "1m", 300: "5m", 900: "15m", 3600: "1h", 14400: "4h", 86400: "1d"}
_MULTIPLES = {"": 1, "1000": 1_000, "1M": 1_000_000}  # what spot markets sell some coins by
_AT_ONCE = 4
_MOST_PAGES = 60


@dataclass(frozen=True, slots=True)
class _Place:
    """A market, how its candles are asked for, and how many of the coin one unit of it is."""

    symbol: str
    params: Mapping[str, Any]
    count: int = 1


class CandleReader:
    """The candles of one exchange. A few calls at once, so that others get their turn."""

    def __init__(self, dialect: Dialect, clock: Clock) -> None:
        self._dialect, self._clock = dialect, clock
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    def has(self, bar: timedelta) -> bool:
        return bar.total_seconds() in _BARS

    async def read(
        self,
        client: Any,
        names: Sequence[str],
        since: datetime,
        bar: timedelta,
        until: datetime | None,
        misfits: Collection[str] = (),
    ) -> Candles:
        """Bars that open in [since, until), or up to now. A name that is not listed has none. `misfits`: contracts that
        are not known to be on the coin of their name, whose candles tell nothing of it. Raises Malformed for a bar
        without prices, and whatever ccxt raises."""
        seconds = int(bar.total_seconds())
        first = -(-math.floor(since.timestamp()) // seconds) * seconds
        end = None if until is None else math.ceil(until.timestamp())
        places = [self._place(client, name, misfits) for name in names]
        series = await asyncio.gather(
            *(
                self._series(client, place.symbol, place.params, first, seconds, end) if place else _no_bars()
                for place in places
            )
        )
        scaled = [
            one if place is None or place.count == 1 else _by_one(one, place.count)
            for place, one in zip(places, series, strict=True)
        ]
        return on_one_grid(names, scaled, first, seconds)

    async def _series(
        self, client: Any, symbol: str, params: Mapping[str, Any], start: int, seconds: int, end: int | None
    ) -> Series:
        found: dict[int, tuple[float, float, float]] = {}
        later: Series = {}
        now = math.floor(self._clock.now().timestamp())
        most = self._dialect.most_candles
        wanted = max(((end or now) - start) // seconds + 2, 10)
        limit = min(wanted, most)  # a short page costs less
        if end is None and self._dialect.newest_candles and ":" in symbol:
            later = await self._newest(client, symbol, params, start, seconds, wanted)
            end = min(later, default=None)
            if end is not None and end <= start:
                return later
        for _ in range(_MOST_PAGES):
            stop = start + limit * seconds
            past = {"until": stop * 1000 - 1} if stop <= now else {}
            async with self._at_once:
                rows = await client.fetch_ohlcv(
                    symbol, _BARS[seconds], start * 1000, limit, {**params, **past}
                )
            page = dict(_bar(row) for row in rows)
            inside = {at: bar for at, bar in page.items() if at >= start and (end is None or at < end)}
            found |= inside
            if (found and not page) or (end is not None and stop >= end):
                break
            if stop >= now and len(rows) < limit:
                break
            start = max(stop, *(at + seconds for at in page)) if page else stop
            limit = most
        return {**found, **later}

    async def _newest(
        self, client: Any, symbol: str, params: Mapping[str, Any], start: int, seconds: int, wanted: int
    ) -> dict[int, tuple[float, float, float]]:
        undated = {name: value for name, value in params.items() if name != "historical"}
        most = min(wanted, self._dialect.newest_candles)
        async with self._at_once:
            rows = await client.fetch_ohlcv(symbol, _BARS[seconds], start * 1000, most, undated)
        return {at: bar for at, bar in map(_bar, rows) if at >= start}

    def _place(self, client: Any, name: str, misfits: Collection[str]) -> _Place | None:
        """The market whose candles tell a series; None where there is none, and where none is needed."""
        if name in STABLECOINS:
            return None
        if name in client.markets and ":" in name:
            return _Place(name, self._dialect.mark_candles)
        contract = f"{name}/USDT:USDT"
        tells = contract in client.markets and contract not in misfits
        if self._dialect.index_candles is not None and tells:
            return _Place(contract, self._dialect.index_candles)
        for prefix, count in _MULTIPLES.items():
            for money in DOLLARS:
                if f"{prefix}{name}/{money}" in client.markets:
                    return _Place(f"{prefix}{name}/{money}", {}, count)
        return _Place(contract, {}) if tells else None


def on_one_grid(names: Sequence[str], series: Sequence[Series], first: int, seconds: int) -> Candles:
    """Series side by side, from `first` to the latest bar of any; a stablecoin is worth a dollar throughout."""
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
    return Candles(tuple(names), times.astype("datetime64[s]"), *parts)


def _by_one(series: Series, count: int) -> Series:
    return {at: (close / count, high / count, low / count) for at, (close, high, low) in series.items()}


async def _no_bars() -> Series:
    return {}


def _bar(row: Sequence[Any]) -> tuple[int, tuple[float, float, float]]:
    at, _open, high, low, close, *_volume = row
    prices = (close, high, low)
    if not all(isinstance(price, int | float) and math.isfinite(price) and price > 0 for price in prices):
        raise Malformed("a bar without prices")
    return int(at) // 1000, (float(close), float(high), float(low))


def milliseconds(time: datetime) -> int:
    return int(time.astimezone(UTC).timestamp() * 1000)
