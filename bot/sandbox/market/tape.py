"""The tape: what every series cost at any instant, and its bars, from a price path and the shocks over it.

Columns: N assets (spot), then N assets again (mark of their perpetual). All prices here are logarithms.
"""

from dataclasses import dataclass

import numpy as np

from bot.sandbox.market.path import CHUNK_HOURS, HOUR_MS, MINUTES, Floats, PricePath
from bot.sandbox.market.shocks import Overlay, Times

_MINUTE_MS = 60_000
_CACHED_HOURS = 8


@dataclass(frozen=True, slots=True)
class Bars:
    """(B, 2N) log closes, highs and lows of B consecutive bars."""

    close: Floats
    high: Floats
    low: Floats

    def every(self, bars: int) -> "Bars":
        """The same span in bars `bars` times as long; a last one may be shorter."""
        if bars == 1 or not len(self.close):
            return self
        whole = len(self.close) // bars * bars
        groups = [part[:whole].reshape(-1, bars, part.shape[1]) for part in (self.high, self.low)]
        close, high, low = self.close[bars - 1 : whole : bars], groups[0].max(axis=1), groups[1].min(axis=1)
        if whole < len(self.close):
            close = np.concatenate([close, self.close[-1:]])
            high = np.concatenate([high, self.high[whole:].max(axis=0, keepdims=True)])
            low = np.concatenate([low, self.low[whole:].min(axis=0, keepdims=True)])
        return Bars(close, high, low)


class Tape:
    """Prices by instant and by bar. Hourly bars are kept as they close, minutes are made again when asked for."""

    def __init__(self, path: PricePath, overlay: Overlay) -> None:
        self._path, self._overlay = path, overlay
        columns = 2 * len(path.assets)
        self._hourly = np.empty((3, 1024, columns))
        self._closed = 0
        self._minutes: dict[int, tuple[Floats, Floats]] = {}

    def at(self, time_ms: int) -> Floats:
        """(2N,) log prices at an instant; NaN where a coin is not listed."""
        hour = min((time_ms - self._path.start_ms) // HOUR_MS, self._path.hours - 1)
        if hour < 0:
            return np.full(2 * len(self._path.assets), np.nan)
        spot, premium = self._hour(hour)
        position = (time_ms - self._path.start_ms - hour * HOUR_MS) / _MINUTE_MS
        minute = min(int(position), MINUTES - 1)
        share = position - minute
        now = np.array(time_ms)
        log_spot = spot[minute] + share * (spot[minute + 1] - spot[minute]) + self._overlay.jumps(now)
        level = premium[0] + position / MINUTES * (premium[1] - premium[0]) + self._overlay.premium(now)
        return _with_marks(log_spot, level)

    def premium(self, first: int, last: int) -> Floats:
        """(last - first + 1, N) premium at the hour boundaries first..last, just before any shock at that instant."""
        times = self._path.start_ms + np.arange(first, last + 1) * HOUR_MS - 1
        return self._path.premium(first, last) + self._overlay.premium(times)

    def hourly(self, first: int, last: int) -> Bars:
        """Bars of the hours [first, last), all of them over."""
        while self._closed < last:
            upto = min((self._closed // CHUNK_HOURS + 1) * CHUNK_HOURS, last)
            bars = self._minute_bars(self._closed, upto).every(MINUTES)
            if upto > self._hourly.shape[1]:
                self._hourly = np.concatenate([self._hourly, np.empty_like(self._hourly)], axis=1)
            self._hourly[:, self._closed : upto] = bars.close, bars.high, bars.low
            self._closed = upto
        return Bars(*self._hourly[:, first:last])

    def minutely(self, first_ms: int, last_ms: int) -> Bars:
        """Bars of one minute from `first_ms`, a full minute, to `last_ms`, whose minute is unfinished."""
        start = self._path.start_ms
        begun_ms = last_ms - (last_ms - start) % _MINUTE_MS
        if begun_ms < first_ms:
            empty = np.empty((0, 2 * len(self._path.assets)))
            return Bars(empty, empty, empty)
        begun = self._begun_minute(begun_ms, last_ms)
        if begun_ms == first_ms:
            return begun
        first, last = (first_ms - start) // HOUR_MS, -((start - begun_ms) // HOUR_MS)
        lead, upto = ((ms - start - first * HOUR_MS) // _MINUTE_MS for ms in (first_ms, begun_ms))
        over = self._minute_bars(first, last)
        close, high, low = (
            np.concatenate([part[lead:upto], tail])
            for part, tail in ((over.close, begun.close), (over.high, begun.high), (over.low, begun.low))
        )
        return Bars(close, high, low)

    def _begun_minute(self, begun_ms: int, last_ms: int) -> Bars:
        sides = [begun_ms, last_ms]
        for shock in self._overlay.shocks:
            if begun_ms < shock.at_ms <= last_ms:
                sides += [shock.at_ms - 1, shock.at_ms]
        prices = np.stack([self.at(side) for side in sides])
        return Bars(prices[1:2], prices.max(axis=0, keepdims=True), prices.min(axis=0, keepdims=True))

    def _hour(self, hour: int) -> tuple[Floats, Floats]:
        """Spot without jumps (61, N) and premium without shocks (2, N) of one hour. Noise starts with full hours, so
        that what is cached stays true."""
        if hour not in self._minutes:
            if len(self._minutes) >= _CACHED_HOURS:
                del self._minutes[next(iter(self._minutes))]
            spot = self._path.minutes(hour, hour + 1)[0] + self._overlay.noise(hour)
            self._minutes[hour] = spot, self._path.premium(hour, hour + 1)
        return self._minutes[hour]

    def _minute_bars(self, first: int, last: int) -> Bars:
        start = self._path.start_ms + first * HOUR_MS
        spot = self._path.minutes(first, last)
        grid: Times = start + np.arange((last - first) * MINUTES + 1) * _MINUTE_MS
        premium = self._path.premium(first, last)
        hours = np.arange(len(grid)) / MINUTES
        index = np.minimum(hours.astype(np.int64), last - first - 1)
        level = premium[index] + (hours - index)[:, None] * (premium[index + 1] - premium[index])
        shocks = self._overlay.shocks
        if shocks:
            noise = [
                np.broadcast_to(self._overlay.noise(hour), spot.shape[1:]) for hour in range(first, last)
            ]
            spot = spot + np.stack(noise)
        edges = np.concatenate([spot[:, :-1].reshape(-1, spot.shape[2]), spot[-1, -1:]])
        log_spot = edges[:-1] + self._overlay.jumps(grid[:-1])
        opened = _with_marks(log_spot, level[:-1] + self._overlay.premium(grid[:-1]))
        log_spot = edges[1:] + self._overlay.jumps(
            grid[1:] - 1
        )  # a shock between two bars is the later one's
        closed = _with_marks(log_spot, level[1:] + self._overlay.premium(grid[1:] - 1))
        high, low = np.maximum(opened, closed), np.minimum(opened, closed)
        for shock in shocks:  # an extreme may lie between two minutes, at the very instant of a shock
            minute, within = divmod(shock.at_ms - start, _MINUTE_MS)
            if 0 <= minute < len(high) and within:
                for side in (self.at(shock.at_ms - 1), self.at(shock.at_ms)):
                    high[minute], low[minute] = np.fmax(high[minute], side), np.fmin(low[minute], side)
        return Bars(closed, high, low)


def _with_marks(log_spot: Floats, premium: Floats) -> Floats:
    """(..., 2N) spot and marks from (..., N) spot and premium."""
    return np.concatenate([log_spot, log_spot + np.log1p(premium)], axis=-1)
