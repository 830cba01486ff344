"""Real history, replayed: a tidy CSV of bars becomes a price path.

Within a bar prices run from the previous close through its extremes to its close (low first when the bar rose), so
that at every close the price is the recorded one and no recorded extreme is lost; without high and low they run
straight. Across missing bars they run straight too. The premium of perpetuals is the file's own where it holds a
coin's perpetual beside its spot; elsewhere it leans with the coin's last 24 hours (1 % of the move, at most
±0.15 %) around 0.01 %, and funding follows from the premium as in the simulated market.
"""

import csv
import gzip
import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.sandbox.market.errors import BadHistory
from bot.sandbox.market.path import HOUR_MS, MINUTES, Floats

_HOUR = 3600
_WEEK, _WARM_UP = 7 * 24, 60 * 24  # hours
_LEAN, _LEAN_CAP, _PREMIUM = 0.01, 0.0015, 0.0001


@dataclass(frozen=True, slots=True)
class Series:
    """Prices of one coin: (K,) epoch seconds, strictly ascending, and log prices."""

    times: Floats
    log_price: Floats


@dataclass(frozen=True, slots=True)
class History:
    """A file's content: knots of spot by asset, of marks where it holds perpetuals too, and its fingerprint."""

    spot: dict[str, Series]
    marks: dict[str, Series]
    fingerprint: str


def read_history(file: Path) -> History:
    """Read a tidy CSV, plain or gzip: columns symbol, timestamp, close, and if there open, high, low; any others are
    ignored. Times are ISO 8601 in UTC, the opening instant of the bar; symbols as BTC/USDT or BTC/USDT:USDT.

    Raises BadHistory with one sentence naming the first bad line.
    """
    try:
        raw = file.read_bytes()
        text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        lines = text.decode("utf-8-sig").splitlines()
    except (OSError, EOFError, UnicodeDecodeError, gzip.BadGzipFile) as error:
        raise BadHistory(f"The history file {file.name} cannot be read: {_reason(error)}.") from error
    bars = _bars(csv.reader(lines), file.name)
    spot: dict[str, Series] = {}
    marks: dict[str, Series] = {}
    for symbol, rows in bars.items():
        pair, perpetual, _ = symbol.partition(":")
        asset = pair.partition("/")[0]
        (marks if perpetual else spot)[asset] = _knots(np.array(rows))
    for asset, series in marks.items():
        spot.setdefault(asset, series)
    if not spot:
        raise BadHistory(f"The history file {file.name} holds no prices.")
    if "BTC" not in spot:
        raise BadHistory(f"The history file {file.name} holds no BTC, against which all others are measured.")
    return History(spot, marks, hashlib.sha256(raw).hexdigest()[:16])


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "it is neither plain text nor whole gzip"


def _bars(reader: Iterator[list[str]], name: str) -> dict[str, list[tuple[float, ...]]]:
    header = [column.strip().lower() for column in next(reader, [])]
    if not header:
        raise BadHistory(f"The history file {name} is empty.")
    missing = [column for column in ("symbol", "timestamp", "close") if column not in header]
    if missing:
        raise BadHistory(f"The history file {name} has no column {' and no column '.join(missing)}.")
    symbol_at, time_at = header.index("symbol"), header.index("timestamp")
    columns = [header.index(c) for c in ("open", "high", "low", "close") if c in header]
    if len(columns) != 4:
        columns = [header.index("close")] * 4
    bars: dict[str, list[tuple[float, ...]]] = {}
    for number, row in enumerate(reader, start=2):
        if not row:
            continue
        if len(row) < len(header):
            raise BadHistory(f"Line {number} of {name} is cut short.")
        symbol, stamp = row[symbol_at].strip().upper(), row[time_at].strip()
        try:
            bar = (_epoch(stamp), *(float(row[at]) for at in columns))
        except ValueError:
            raise BadHistory(f"Line {number} of {name} has a time or a price that cannot be read.") from None
        if not all(math.isfinite(price) and price > 0 for price in bar[1:]):
            raise BadHistory(f"Line {number} of {name} has a price that is not a positive number.")
        if not bar[3] <= min(bar[1], bar[4]) <= max(bar[1], bar[4]) <= bar[2]:
            raise BadHistory(f"Line {number} of {name} has a price outside its bar's own high and low.")
        if "/" not in symbol:
            raise BadHistory(
                f"Line {number} of {name} names {symbol or 'no symbol'}, not a symbol such as BTC/USDT."
            )
        rows = bars.setdefault(symbol, [])
        if rows and bar[0] <= rows[-1][0]:
            fault = "repeats a bar" if bar[0] == rows[-1][0] else "goes back in time; sort the bars by time"
            raise BadHistory(f"Line {number} of {name}, {symbol} at {stamp}, {fault}.")
        rows.append(bar)
    return bars


@lru_cache(maxsize=50_000)  # every coin has the same times
def _epoch(stamp: str) -> float:
    time = datetime.fromisoformat(stamp)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _knots(rows: NDArray[np.float64]) -> Series:
    """The path through (K, 5) bars of opening time, open, high, low, close: three knots a bar and one at the start."""
    start, opened, high, low, close = rows.T
    length = float(np.median(np.diff(start))) if len(rows) > 1 else float(_HOUR)
    rose = close >= opened
    times = start[:, None] + length * np.array([1 / 3, 2 / 3, 1.0])
    prices = np.column_stack([np.where(rose, low, high), np.where(rose, high, low), close])
    all_times = np.concatenate([start[:1], times.ravel()])
    keep = np.concatenate(
        [[True], np.diff(all_times) > 0]
    )  # a bar shorter than the others: its late knots give way
    return Series(all_times[keep], np.log(np.concatenate([opened[:1], prices.ravel()]))[keep])


class HistoryPath:
    """A history as a price path (see PricePath), on full hours from the first BTC bar to the last."""

    def __init__(self, history: History) -> None:
        bitcoin = history.spot["BTC"]
        first = math.ceil(float(bitcoin.times[0]) / _HOUR)
        last = math.floor(float(bitcoin.times[-1]) / _HOUR)
        if last - first < 2 * _WEEK:
            raise BadHistory("The history is too short: at least two weeks of BTC are needed.")
        self.assets = tuple(sorted(history.spot, key=lambda asset: (asset != "BTC", asset)))
        self.start_ms, self.hours = first * HOUR_MS, last - first
        self._history = history
        self._first = first
        self._closes = self._at((first + np.arange(self.hours + 1)) * _HOUR, history.spot)

    def minutes(self, first: int, last: int) -> Floats:
        grid = (self._first + first) * _HOUR + 60 * np.arange((last - first) * MINUTES + 1)
        prices = self._at(grid, self._history.spot)
        hours = prices[:-1].reshape(last - first, MINUTES, -1)
        return np.concatenate([hours, prices[MINUTES::MINUTES, None]], axis=1)

    def premium(self, first: int, last: int) -> Floats:
        now = np.arange(first, last + 1)
        move = self._closes[now] - self._closes[np.maximum(now - 24, 0)]
        premium = _PREMIUM + np.clip(_LEAN * np.nan_to_num(move), -_LEAN_CAP, _LEAN_CAP)
        marks = self._at((self._first + now) * _HOUR, self._history.marks) - self._closes[now]
        return np.where(np.isnan(marks), premium, np.expm1(np.nan_to_num(marks)))

    def listed(self) -> dict[str, int]:
        """The hour from which each coin has a price."""
        return {asset: int(np.argmax(np.isfinite(self._closes[:, i]))) for i, asset in enumerate(self.assets)}

    def worst_week_eve(self) -> int:
        """The hour a week before the worst week of an equal-weight basket, looked for only where that hour has 60 days
        of every coin behind it; in a file too short for that, of BTC alone, or else in its middle."""
        for ready in (max(self.listed().values()) + _WARM_UP, _WARM_UP):
            weeks = np.arange(ready + _WEEK, self.hours - _WEEK)
            if len(weeks):
                change = np.exp(self._closes[weeks + _WEEK] - self._closes[weeks]) - 1
                listed = np.isfinite(change)
                basket = np.where(listed, change, 0.0).sum(axis=1) / np.maximum(listed.sum(axis=1), 1)
                return int(weeks[np.argmin(basket)]) - _WEEK
        return self.hours // 2

    def _at(self, times: NDArray[np.int64], series: dict[str, Series]) -> Floats:
        columns: Iterable[Floats] = (
            np.interp(times, series[asset].times, series[asset].log_price, left=np.nan, right=np.nan)
            if asset in series
            else np.full(len(times), np.nan)
            for asset in self.assets
        )
        return np.column_stack(list(columns))
