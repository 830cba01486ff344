"""Candles of the sandbox's market as exchanges tell them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from bot.sandbox.exchanges.market import Market


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices as text; `opened` in milliseconds."""

    opened: int
    open: str
    high: str
    low: str
    close: str


def bars(market: Market, name: str, start: str, bar: timedelta, limit: int) -> list[Bar]:
    """At most `limit` bars from `start` (milliseconds as text; empty: the latest), ascending."""
    since = stamp(start) if start else market.now() - bar * (limit - 1)
    told = market.candles([name], since, bar)
    found, before = [], None
    for row, opened in enumerate(told.times[:limit]):
        close = float(told.close[row, 0])
        if not np.isfinite(close):
            continue
        high = close if told.high is None else float(told.high[row, 0])
        low = close if told.low is None else float(told.low[row, 0])
        begin = close if before is None else min(max(before, low), high)
        at = int(opened.astype("datetime64[ms]").astype(int))
        found.append(Bar(at, _text(begin), _text(high), _text(low), _text(close)))
        before = close
    return found


def stamp(milliseconds: str) -> datetime:
    """Milliseconds since 1970, as text."""
    return datetime.fromtimestamp(max(int(milliseconds or 0), 0) / 1000, UTC)


def _text(price: float) -> str:
    return np.format_float_positional(price, precision=12, unique=True, fractional=False, trim="-")
