"""A market feed whose candles are kept in the database: what is known is extended, not asked for again.

A series lies there in stretches of 48 bars, each kept from its beginning on, so that of two versions the longer has all
of the other and replicas may write the same. A bar that the exchange itself lacks is kept as lacking when a later one
was told. The latest two bars that were told are never kept: one is unfinished, and the other has just been.
"""

import asyncio
import logging
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bot.ports.clock import Clock
from bot.ports.errors import InvalidRecord, Unavailable
from bot.ports.exchange import Liquidity, MarketFeed
from bot.ports.store import CandleChunk, CandleStore
from hedging.assets import STABLECOINS
from hedging.market import Candles, Funding, Snapshot

log = logging.getLogger(__name__)

Bars = NDArray[np.float64]  # (n, 3): close, high, low; NaN where the exchange has no bar

STRETCH = 48  # bars
_AT_ONCE = 32  # series that are brought up to date in one turn
_HOUR = timedelta(hours=1)
_FRESHEST, _OLDEST = timedelta(seconds=5), timedelta(minutes=1)  # of an unfinished bar
_KEPT = {  # longer than anybody looks back
    60: timedelta(days=3),
    300: timedelta(days=14),
    900: timedelta(days=30),
    3600: timedelta(days=120),
    14_400: timedelta(days=400),
    86_400: timedelta(days=1500),
}


class Source(MarketFeed, Protocol):
    """A feed that can also be asked for candles up to an instant."""

    async def candles(
        self,
        names: Sequence[str],
        *,
        since: datetime,
        bar: timedelta = ...,
        until: datetime | None = None,
    ) -> Candles: ...

    async def liquidity(self, symbol: str) -> Liquidity: ...


@dataclass(slots=True)
class _Series:
    """Bars on the grid from one instant on; `known`: never to be asked for again; `counts`: bars kept by stretch."""

    values: Bars = field(default_factory=lambda: np.empty((0, 3)))
    known: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=bool))
    counts: dict[int, int] = field(default_factory=dict)

    def put(self, at: int, bars: Bars, *, known: bool) -> None:
        short = at + len(bars) - len(self.values)
        if short > 0:
            self.values = np.vstack([self.values, np.full((short, 3), np.nan)])
            self.known = np.append(self.known, np.zeros(short, dtype=bool))
        self.values[at : at + len(bars)] = bars
        self.known[at : at + len(bars)] = known

    def gaps(self) -> list[tuple[int, int | None]]:
        """What is not known, as ranges of bars; the last one has no end."""
        unknown = np.flatnonzero(np.append(~self.known, True))
        runs = np.split(unknown, np.flatnonzero(np.diff(unknown) > 1) + 1)
        ends = [int(run[-1]) + 1 for run in runs[:-1]]
        return [(int(run[0]), end) for run, end in zip(runs, [*ends, None], strict=True)]

    def grown(self) -> Iterator[tuple[int, Bars]]:
        """Stretches of which more is known than is kept: their first bar, and all from it on that is known."""
        for at in range(0, len(self.known), STRETCH):
            gap = np.flatnonzero(~self.known[at : at + STRETCH])
            count = int(gap[0]) if len(gap) else len(self.known[at : at + STRETCH])
            if count > self.counts.get(at, 0):
                yield at, self.values[at : at + count]


@dataclass(frozen=True, slots=True)
class _Tail:
    """The bars after the last known one, as of `at`; `start` in epoch seconds."""

    at: datetime
    start: int
    bars: Bars


class KeptCandles:
    """bot.ports.exchange.MarketFeed: `source`, with its candles from the database as far as they are there."""

    def __init__(self, source: Source, store: CandleStore, clock: Clock) -> None:
        self._source, self._store, self._clock = source, store, clock
        self.name = source.name
        self._tails: dict[tuple[int, str], _Tail] = {}
        self._turn = asyncio.Lock()

    async def snapshot(self) -> Snapshot:
        return await self._source.snapshot()

    async def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]:
        return await self._source.funding_since(symbol, since)

    async def liquidity(self, symbol: str) -> Liquidity:
        return await self._source.liquidity(symbol)

    async def candles(self, names: Sequence[str], *, since: datetime, bar: timedelta = _HOUR) -> Candles:
        """An unfinished bar is at most as old as a sixtieth of its length, and never more than a minute."""
        seconds = int(bar.total_seconds())
        first = math.ceil(since.timestamp() / seconds) * seconds
        start = first // (STRETCH * seconds) * STRETCH * seconds
        wanted = [name for name in dict.fromkeys(names) if name not in STABLECOINS]
        series: dict[str, _Series] = {}
        for n in range(0, len(wanted), _AT_ONCE):
            async with self._turn:  # who asks for a few is not kept waiting by who asks for many
                series |= await self._up_to_date(wanted[n : n + _AT_ONCE], start, seconds)
        return _side_by_side(names, series, first, start, seconds)

    async def _up_to_date(self, names: Sequence[str], start: int, seconds: int) -> Mapping[str, _Series]:
        series = {name: _Series() for name in names}
        for chunk in await self._store.candles(self.name, seconds, names, since=start):
            at = (chunk.start - start) // seconds
            series[chunk.name].put(at, _unpacked(chunk), known=True)
            series[chunk.name].counts[at] = chunk.count
        missing: defaultdict[tuple[int, int | None], list[str]] = defaultdict(list)
        for name, one in series.items():
            for gap in one.gaps():
                tail = self._tails.get((seconds, name)) if gap[1] is None else None
                if tail and tail.start == start + gap[0] * seconds and self._is_fresh(tail, seconds):
                    one.put(gap[0], tail.bars, known=False)
                else:
                    missing[gap].append(name)
        for gap, those in missing.items():
            await self._fetch({name: series[name] for name in those}, gap, start, seconds)
        await self._keep(series, start, seconds)
        return series

    async def _fetch(
        self, series: Mapping[str, _Series], gap: tuple[int, int | None], start: int, seconds: int
    ) -> None:
        begin, end = gap
        told = await self._source.candles(
            list(series),
            since=_time(start + begin * seconds),
            bar=timedelta(seconds=seconds),
            # One bar more than is missing: where it is told, the answer was one, and what it lacks is not there.
            until=None if end is None else _time(start + (end + 1) * seconds),
        )
        for column, (name, one) in enumerate(series.items()):
            bars = np.stack(
                [_column(part, told, column) for part in (told.close, told.high, told.low)], axis=1
            )
            last = int(np.flatnonzero(np.append(True, np.isfinite(bars[:, 0])))[-1])  # bars up to the latest
            if end is None:
                final = max(last - 2, 0)
                one.put(begin, bars[:final], known=True)
                one.put(begin + final, bars[final:last], known=False)
                at = start + (begin + final) * seconds
                self._tails[seconds, name] = _Tail(self._clock.now(), at, bars[final:last])
            else:
                proven = last > end - begin or not np.isfinite(one.values[end, 0])
                bars = np.vstack([bars, np.full((end - begin, 3), np.nan)])[: end - begin]
                one.put(begin, bars, known=proven)

    async def _keep(self, series: Mapping[str, _Series], start: int, seconds: int) -> None:
        chunks = [
            CandleChunk(name, start + at * seconds, len(bars), np.ascontiguousarray(bars, "<f8").tobytes())
            for name, one in series.items()
            for at, bars in one.grown()
        ]
        try:
            await self._store.keep_candles(self.name, seconds, chunks)
        except (Unavailable, InvalidRecord) as failure:  # prices serve also where they cannot be kept
            log.warning("candles of %s cannot be kept: %s", self.name, failure)

    def _is_fresh(self, tail: _Tail, seconds: int) -> bool:
        lasts = min(max(timedelta(seconds=seconds / 60), _FRESHEST), _OLDEST)
        return timedelta(0) <= self._clock.now() - tail.at <= lasts


async def prune(store: CandleStore, now: datetime) -> int:
    """Forget what is older than anybody looks back; how many stretches went."""
    olds = {bar: int((now - kept).timestamp()) for bar, kept in _KEPT.items()}
    return sum([await store.forget_candles(bar, before=old) for bar, old in olds.items()])


def _side_by_side(
    names: Sequence[str], series: Mapping[str, _Series], first: int, start: int, seconds: int
) -> Candles:
    """On one grid from `first` to the latest bar of any; a stablecoin is worth a dollar throughout."""
    before = (first - start) // seconds
    told = [np.flatnonzero(np.isfinite(one.values[:, 0])) for one in series.values()]
    length = max((int(rows[-1]) + 1 - before for rows in told if len(rows)), default=0)
    parts = np.full((3, max(length, 0), len(names)), np.nan)
    for column, name in enumerate(names):
        if name in STABLECOINS:
            parts[:, :, column] = 1.0
        else:
            values = series[name].values[before : before + parts.shape[1]]
            parts[:, : len(values), column] = values.T
    times = np.arange(first, first + parts.shape[1] * seconds, seconds, dtype=np.int64)
    return Candles(tuple(names), times.astype("datetime64[s]"), *parts)


def _unpacked(chunk: CandleChunk) -> Bars:
    return np.frombuffer(chunk.bars, "<f8").reshape(-1, 3)[: chunk.count]


def _column(part: Bars | None, told: Candles, column: int) -> NDArray[np.float64]:
    return (told.close if part is None else part)[:, column]


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
