"""Candles in memory: what is known is extended, not fetched again."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Row = tuple[int, float, float, float]  # opening instant in epoch seconds, close, high, low
Fetch = Callable[[str, int, int], Awaitable[list[Row]]]  # market, seconds a bar, first instant

_FRESH_SECONDS = 5.0  # an unfinished bar that young is not asked for again
_MOST_ROWS = 20_000


@dataclass(slots=True)
class _Series:
    """Rows by opening instant, ascending, from `since` on; `read_at` by a monotonic clock."""

    rows: dict[int, Row]
    since: int
    read_at: float


class CandleCache:
    """Series by market and length of bar. `fetch` gives all rows from an instant on, ascending."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch, self._clock = fetch, clock
        self._series: dict[tuple[str, int], _Series] = {}
        self._locks: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def rows(self, market: str, seconds: int, first: int) -> list[Row]:
        """Rows that open at or after `first`, ascending, the unfinished one included."""
        key = (market, seconds)
        async with self._locks[key]:
            series = self._series.get(key)
            if series is None or first < series.since:
                fetched = await self._fetch(market, seconds, first)
                series = _Series({row[0]: row for row in fetched}, first, self._clock())
                self._series[key] = series
            elif self._clock() - series.read_at > _FRESH_SECONDS:
                last = max(
                    next(reversed(series.rows), series.since), series.since
                )  # it was unfinished when read
                for row in await self._fetch(market, seconds, last):
                    series.rows[row[0]] = row
                series.read_at = self._clock()
            self._trim(series)
        return [row for row in series.rows.values() if row[0] >= first]

    @staticmethod
    def _trim(series: _Series) -> None:
        for opened in list(series.rows)[: max(len(series.rows) - _MOST_ROWS, 0)]:
            del series.rows[opened]
            series.since = opened + 1
