"""A made-up market: two factors with stochastic volatility, fat tails and jumps, noise of every coin's own, and
premiums that revert to their mean and lean with the market.

Per hour the log volatility x follows x' = PHI x + ETA e (a first-order autoregression: volatility clusters), every
factor and coin draws a Student-t scale (normal over the root of chi-square / df: fat tails), and within the hour
minute returns are normal at that scale; a jump strikes about once in ten days. See Taylor (1986), "Modelling
Financial Time Series", for the stochastic-volatility model.
"""

import math
from collections.abc import Sequence

import numpy as np

from bot.sandbox.market.coins import Coin
from bot.sandbox.market.path import CHUNK_HOURS, MINUTES, Floats, generator

HISTORY_HOURS = 120 * 24
_YEAR = 365 * 24
_MARKET_VOL, _ALT_VOL = 0.52, 0.28  # per year
_PHI, _ETA, _SWING = 0.985, 0.17, 0.40
_TAIL = 5.0  # degrees of freedom
_JUMP_CHANCE, _JUMP_MEAN, _JUMP_SIZE = 1 / 240, -0.002, 0.012
_PREMIUM_PHI, _PREMIUM_MEAN, _PREMIUM_NOISE, _PREMIUM_LEAN = 0.90, 0.0001, 0.00012, 0.02
_LIFE_HOURS = 4 * _YEAR


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
            steps, _, _ = self._draw(first, self._log_vol[first:last])
        moves = np.concatenate([np.zeros_like(steps[:, :1]), np.cumsum(steps, axis=1)], axis=1)
        return moves + self._level[first:last, None]

    def premium(self, first: int, last: int) -> Floats:
        self._extend(last)
        return self._premium[first : last + 1]

    def _extend(self, hours: int) -> None:
        while self._known < hours:
            first, last = self._known, min(self.hours, self._known + CHUNK_HOURS)
            log_vol = np.empty(last - first + 1)
            log_vol[0] = self._log_vol[-1]
            for k in range(last - first):
                draw = generator(self._seed, 1, first + k).standard_normal()
                log_vol[k + 1] = _PHI * log_vol[k] + _ETA * draw
            steps, premium_noise, market = self._draw(first, log_vol[:-1])
            level = self._level[-1] + np.cumsum(steps.sum(axis=1), axis=0)
            premium = np.empty_like(level)
            before = self._premium[-1]
            for k in range(last - first):
                pull = _PREMIUM_MEAN * (1 - _PREMIUM_PHI) + _PREMIUM_LEAN * market[k]
                before = _PREMIUM_PHI * before + pull + _PREMIUM_NOISE * premium_noise[k]
                premium[k] = before
            self._log_vol = np.concatenate([self._log_vol, log_vol[1:]])
            self._level = np.concatenate([self._level, level])
            self._premium = np.concatenate([self._premium, premium])
            self._known, self._latest = last, (first, steps)

    def _draw(self, first: int, log_vol: Floats) -> tuple[Floats, Floats, Floats]:
        """Minute log returns (H, 60, N), premium noise (H, N) and the market's hourly return (H,) from hour `first`."""
        count, coins = len(log_vol), len(self.assets)
        normal = np.empty((count, MINUTES, coins + 2))
        scale = np.empty((count, coins + 2))
        noise = np.empty((count, coins))
        jumps = np.zeros((count, MINUTES))
        for k in range(count):
            random = generator(self._seed, 0, first + k)
            random.standard_normal(out=normal[k])
            scale[k] = np.sqrt((_TAIL - 2) / random.chisquare(_TAIL, coins + 2))
            random.standard_normal(out=noise[k])
            chance, minute, size = random.random(), random.integers(MINUTES), random.standard_normal()
            if chance < _JUMP_CHANCE:
                jumps[k, minute] = _JUMP_MEAN + _JUMP_SIZE * size
        mood = np.exp(_SWING * log_vol - self._calm)[:, None]
        factors = normal[..., :2] * (self._factor_vol * scale[:, :2] * mood)[:, None]
        factors[..., 0] += jumps
        own = normal[..., 2:] * (self._own_vol * scale[:, 2:] * np.sqrt(mood))[:, None]
        return factors @ self._loadings.T + own, noise, factors[..., 0].sum(axis=1)
