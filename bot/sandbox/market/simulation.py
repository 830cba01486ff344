"""A made-up market: two factors with stochastic volatility, fat tails and jumps, noise of every coin's own, and
premiums that revert to their mean and lean with the market.

Per hour the log volatility x follows x' = PHI x + ETA e (a first-order autoregression: volatility clusters), every
factor and coin draws a Student-t scale (normal over the root of chi-square / df: fat tails), and within the hour
minute returns are normal at that scale; a jump strikes about once in ten days. See Taylor (1986), "Modelling
Financial Time Series", for the stochastic-volatility model.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.sandbox.market.coins import Coin
from bot.sandbox.market.path import CHUNK_HOURS, MINUTES, Floats, generator

HISTORY_HOURS = 120 * 24
_YEAR = 365 * 24
_MARKET_VOL, _ALT_VOL = 0.52, 0.28  # per year
_PHI, _ETA, _SWING = 0.985, 0.17, 0.45
_TAIL = 5.0  # degrees of freedom
_JUMP_CHANCE, _JUMP_MEAN, _JUMP_SIZE = 1 / 240, -0.002, 0.012
_PREMIUM_PHI, _PREMIUM_MEAN, _PREMIUM_NOISE, _PREMIUM_LEAN = 0.90, 0.0001, 0.00012, 0.02
_LIFE_HOURS = 4 * _YEAR
_DAY = 24


@dataclass(frozen=True, slots=True)
class _Draws:
    """The chance in H consecutive hours of N coins and two factors."""

    normal: Floats  # (H, 60, 2 + N) by minute: factors, then coins
    scale: Floats  # (H, 2 + N) of the hour: the Student-t part
    premium: Floats  # (H, N)
    mood: Floats  # (H,) innovations of the log volatility
    jumps: Floats  # (H, 60) log return of the market


class SimulatedPath:
    """A seeded path (see PricePath): 120 days of history, then up to four years. The listed prices of `coins` are met
    exactly where history ends; `start_ms` is that instant's epoch milliseconds minus 120 days."""

    def __init__(self, coins: Sequence[Coin], seed: int, start_ms: int) -> None:
        self.assets = tuple(coin.asset for coin in coins)
        self.start_ms = start_ms
        self.hours = HISTORY_HOURS + _LIFE_HOURS
        self._seed = seed
        self._loadings = np.array([[coin.beta, coin.alt] for coin in coins])
        per_minute = math.sqrt(_YEAR * MINUTES)
        self._factor_vol = np.array([_MARKET_VOL, _ALT_VOL]) / per_minute
        self._own_vol = np.array([coin.own for coin in coins]) / per_minute
        self._calm = _SWING**2 * _ETA**2 / (1 - _PHI**2)  # so that variance is as stated on average
        self._known = 0  # hours generated so far
        self._log_vol = np.zeros(1)
        self._level = np.zeros((1, len(coins)))
        self._premium = np.full((1, len(coins)), _PREMIUM_MEAN)
        self._latest = 0, np.empty((0, MINUTES, len(coins)))  # first hour and steps of the chunk made last
        self._extend(HISTORY_HOURS)
        self._level += np.log([coin.price for coin in coins]) - self._level[HISTORY_HOURS]

    def minutes(self, first: int, last: int) -> Floats:
        self._extend(last)
        made, steps = self._latest
        if made <= first and last <= made + len(steps):
            steps = steps[first - made : last - made]
        else:
            steps, _ = self._steps(self._draw(first, last), self._log_vol[first:last])
        moves = np.concatenate([np.zeros_like(steps[:, :1]), np.cumsum(steps, axis=1)], axis=1)
        return moves + self._level[first:last, None]

    def premium(self, first: int, last: int) -> Floats:
        self._extend(last)
        return self._premium[first : last + 1]

    def _extend(self, hours: int) -> None:
        """Make whole chunks until `hours` are known, each always cut alike, so that rounding never differs."""
        while self._known < hours:
            first, last = self._known, min(self.hours, self._known + CHUNK_HOURS)
            draws = self._draw(first, last)
            log_vol = _autoregression(self._log_vol[-1:], _PHI, _ETA * draws.mood[:, None])[:, 0]
            steps, market = self._steps(draws, np.concatenate([self._log_vol[-1:], log_vol[:-1]]))
            pull = _PREMIUM_MEAN * (1 - _PREMIUM_PHI) + _PREMIUM_LEAN * market[:, None]
            premium = _autoregression(self._premium[-1], _PREMIUM_PHI, pull + _PREMIUM_NOISE * draws.premium)
            level = self._level[-1] + np.cumsum(steps.sum(axis=1), axis=0)
            self._log_vol = np.concatenate([self._log_vol, log_vol])
            self._level = np.concatenate([self._level, level])
            self._premium = np.concatenate([self._premium, premium])
            self._known, self._latest = last, (first, steps)

    def _steps(self, draws: _Draws, log_vol: Floats) -> tuple[Floats, Floats]:
        """Log returns by minute (H, 60, N) and the market's by hour (H,)."""
        mood = np.exp(_SWING * log_vol - self._calm)[:, None]
        factors = draws.normal[..., :2] * (self._factor_vol * draws.scale[:, :2] * mood)[:, None]
        factors[..., 0] += draws.jumps
        own = draws.normal[..., 2:] * (self._own_vol * draws.scale[:, 2:] * np.sqrt(mood))[:, None]
        return factors @ self._loadings.T + own, factors[..., 0].sum(axis=1)

    def _draw(self, first: int, last: int) -> _Draws:
        """The chance of the hours [first, last): drawn by whole days, of which each has a generator of its own."""
        days = [self._day(day) for day in range(first // _DAY, (last - 1) // _DAY + 1)]
        skipped = first % _DAY
        parts = (np.concatenate(part)[skipped : skipped + last - first] for part in zip(*days, strict=True))
        return _Draws(*parts)

    def _day(self, day: int) -> tuple[Floats, ...]:
        random, coins = generator(self._seed, 0, day), len(self.assets)
        normal = random.standard_normal((_DAY, MINUTES, coins + 2), dtype=np.float32)
        scale = np.sqrt((_TAIL - 2) / random.chisquare(_TAIL, (_DAY, coins + 2)))
        premium, mood = random.standard_normal((_DAY, coins)), random.standard_normal(_DAY)
        jumps = np.zeros((_DAY, MINUTES))
        struck = np.flatnonzero(random.random(_DAY) < _JUMP_CHANCE)
        jumps[struck, random.integers(MINUTES, size=len(struck))] = random.normal(
            _JUMP_MEAN, _JUMP_SIZE, len(struck)
        )
        return normal.astype(np.float64), scale, premium, mood, jumps


def _autoregression(before: Floats, phi: float, shocks: Floats) -> Floats:
    """(H, N) values x' = phi x + shock that follow `before` (N,)."""
    values = np.empty_like(shocks)
    for k, shock in enumerate(shocks):
        before = values[k] = phi * before + shock
    return values
