"""Shocks: what a newcomer can do to the market, as an overlay over simulated and replayed prices alike.

A shock moves prices at once, then leaves extra noise and a premium that both fade. Its random part is drawn from the
seed and its own number, so that the same commands always give the same market.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bot.sandbox.market.coins import coin_of
from bot.sandbox.market.errors import BadCommand
from bot.sandbox.market.path import HOUR_MS, MINUTES, Floats, generator

Kind = Literal["crash", "rally", "funding", "decorrelate", "gap", "october"]
Times = NDArray[np.int64]
Shape = tuple[
    Floats, Floats, Floats, Floats, float
]  # jump, premium, common and own noise, fading time in hours
_DEEPEST_FALL = 0.85
_FUNDING_INTERVALS = 6
_MOST_SHOCKS = 500
_FARTHEST = math.log(100)  # a price may be pushed to its hundredth or hundredfold
_NOISE_FADES_AFTER = 5  # multiples of the fading time
_SIZES: dict[Kind, tuple[float, float, float]] = {  # default, least, most
    "crash": (0.3, 0.01, 0.85),
    "rally": (0.2, 0.01, 2.0),
    "funding": (0.003, -1.0, 1.0),
    "decorrelate": (0.3, 0.01, 1.0),
    "gap": (0.02, -0.1, 0.1),
    "october": (0.15, 0.05, 0.25),
}
_OCTOBER_MS = 8 * 60_000  # of 10 October 2025: so long prices fall
_ALTCOINS_FELL = 10 / 3  # times as far as Bitcoin
_OCTOBER_FRIGHT, _FRIGHT_FADES = 10, {"october": 2.0}  # times a crash of that size; hours


@dataclass(frozen=True, slots=True)
class Shock:
    """`size`: crash and rally: how far BTC moves (fraction). decorrelate: the typical drift of an altcoin (fraction).
    funding: what shorts pay each interval (fraction of notional; negative: they receive), as far as the exchange's
    cap allows. gap: how far perpetuals rise above their coins (fraction; negative: fall below). october: how far BTC
    falls within eight minutes, the altcoins more than three times as far. `at_ms`: market time."""

    kind: Kind
    size: float
    at_ms: int


def parse_shock(kind: object, size: object, at_ms: int) -> Shock:
    """A shock from a driver's words. Raises BadCommand with one sentence."""
    known = {name: name for name in _SIZES}
    if not isinstance(kind, str) or kind not in known:
        raise BadCommand(f"The shock must be one of {', '.join(_SIZES)}.")
    name = known[kind]
    default, least, most = _SIZES[name]
    if size is None:
        size = default
    if isinstance(size, bool) or not isinstance(size, int | float) or not math.isfinite(size):
        raise BadCommand(f"The size of a {name} must be a number such as {default:g}.")
    if not least <= size <= most:
        raise BadCommand(f"The size of a {name} must be between {least:g} and {most:g}.")
    return Shock(name, float(size), at_ms)


@dataclass(slots=True)
class _Effect:
    """One shock at work on N coins. Noise: (N,) weights of the common and of each coin's own part, per hour."""

    shock: Shock
    number: int
    jump: Floats  # log price
    premium: Floats  # fraction at once, fading
    common: Floats
    own: Floats
    fade_hours: float
    boundaries: list[Floats]  # summed noise at the hour boundaries from `first_hour` on
    first_hour: int


class Overlay:
    """The sum of all shocks so far on the coins `assets`; hours count from `start_ms`."""

    def __init__(self, assets: Sequence[str], seed: int, start_ms: int) -> None:
        coins = [coin_of(asset) for asset in assets]
        self._beta = np.array([coin.beta for coin in coins])
        self._thin = np.array([not coin.lot for coin in coins])
        self._bitcoin = np.array([asset == "BTC" for asset in assets])
        self._seed, self._start_ms = seed, start_ms
        self._effects: list[_Effect] = []

    def since(self, kind: Kind, time_ms: int) -> int | None:
        """Milliseconds since the latest shock of that kind; None where there was none."""
        begun = [shock.at_ms for shock in self.shocks if shock.kind == kind and shock.at_ms <= time_ms]
        return time_ms - begun[-1] if begun else None

    @property
    def shocks(self) -> list[Shock]:
        return [effect.shock for effect in self._effects]

    def add(self, shock: Shock) -> None:
        """Let a shock happen; shocks come in the order of their times. Raises BadCommand when it is one too many."""
        number = len(self._effects)
        if number >= _MOST_SHOCKS:
            raise BadCommand("This market has been shocked too often; start with --fresh to begin anew.")
        random = generator(self._seed, 2, number)
        jump, premium, common, own, fade = self._shape(shock, random)
        pushed = jump + sum((effect.jump for effect in self._effects), np.zeros(len(jump)))
        if np.abs(pushed).max() > _FARTHEST:
            raise BadCommand("Prices have been pushed too far that way already; push the other way.")
        first = (shock.at_ms - self._start_ms) // HOUR_MS + 1  # its noise begins with the next full hour
        self._effects.append(
            _Effect(shock, number, jump, premium, common, own, fade, [np.zeros(len(jump))], first)
        )

    def jumps(self, times_ms: Times) -> Floats:
        """(..., N) log price added by jumps at market times (...)."""
        total = np.zeros((*times_ms.shape, len(self._beta)))
        for effect in self._effects:
            total += _happened(effect.shock, times_ms)[..., None] * effect.jump
        return total

    def noise(self, hour: int) -> Floats | float:
        """(61, N) log price added by noise at the minute boundaries of one hour."""
        total: Floats | float = 0.0
        for effect in self._effects:
            if hour >= effect.first_hour:
                total = total + self._noise_of(effect, hour)
        return total

    def premium(self, times_ms: Times) -> Floats:
        """(..., N) premium added at market times (...)."""
        total = np.zeros((*times_ms.shape, len(self._beta)))
        for effect in self._effects:
            age = (times_ms - effect.shock.at_ms) / HOUR_MS
            total += (np.exp(-np.maximum(age, 0) / 6) * (age >= 0))[..., None] * effect.premium
        return total

    def funding(self, settled_ms: int) -> Floats | None:
        """(N,) rates that a funding shock imposes on the interval that is settled then, if one does."""
        for effect in reversed(self._effects):
            age = settled_ms - effect.shock.at_ms
            if effect.shock.kind == "funding" and 0 < age <= _FUNDING_INTERVALS * 8 * HOUR_MS:
                spread = generator(self._seed, 3, effect.number).uniform(0.8, 1.2, len(self._beta))
                return -effect.shock.size * np.where(self._bitcoin, 1.0, spread)
        return None

    def stress(self, time_ms: int) -> float:
        """How frightened the market is, 0 when calm: spreads widen and books thin out by it."""
        return sum(
            _fright(effect.shock, (time_ms - effect.shock.at_ms) / HOUR_MS)
            for effect in self._effects
            if effect.shock.kind not in ("funding", "gap") and time_ms >= effect.shock.at_ms
        )

    def _noise_of(self, effect: _Effect, hour: int) -> Floats:
        reach = effect.first_hour + int(_NOISE_FADES_AFTER * effect.fade_hours)
        target = min(hour, reach)
        while effect.first_hour + len(effect.boundaries) - 1 < target:
            known = effect.first_hour + len(effect.boundaries) - 1
            effect.boundaries.append(effect.boundaries[-1] + self._steps(effect, known)[-1])
        base = effect.boundaries[target - effect.first_hour]
        if hour >= reach:
            settled: Floats = np.broadcast_to(base, (MINUTES + 1, len(base)))
            return settled
        moves: Floats = base + np.concatenate([np.zeros((1, len(base))), self._steps(effect, hour)])
        return moves

    def _steps(self, effect: _Effect, hour: int) -> Floats:
        """(60, N) noise summed up within one hour, from its beginning."""
        fade = math.exp(-(hour - effect.first_hour) / effect.fade_hours) / math.sqrt(MINUTES)
        normal = generator(self._seed, 16 + effect.number, hour).standard_normal(
            (MINUTES, len(effect.own) + 1)
        )
        summed: Floats = np.cumsum(
            (normal[:, :1] * effect.common + normal[:, 1:] * effect.own) * fade, axis=0
        )
        return summed

    def _shape(self, shock: Shock, random: np.random.Generator) -> Shape:
        match shock.kind:
            case "crash":
                return self._crash(shock.size, random)
            case "rally":
                return self._rally(shock.size, random)
            case "funding":
                return self._funding(shock.size, random)
            case "decorrelate":
                return self._decorrelate(shock.size, random)
            case "october":
                return self._october(shock.size, random)
            case "gap":
                none = np.zeros(len(self._beta))
                return none, shock.size * random.uniform(0.9, 1.1, len(none)), none, none, 1.0

    def _crash(self, size: float, random: np.random.Generator) -> Shape:
        spread = 1 + 0.12 * random.standard_normal(len(self._beta)) + 0.15 * self._thin
        fall = np.where(self._bitcoin, size, np.clip(self._beta * size * spread, size / 2, _DEEPEST_FALL))
        discount = -0.012 * size * self._beta * random.uniform(0.7, 1.3, len(fall))
        return np.log1p(-fall), discount, 0.04 * size * self._beta, 0.015 * size * ~self._bitcoin, 36.0

    def _october(self, size: float, random: np.random.Generator) -> Shape:
        spread = random.uniform(0.95, 1.05, len(self._beta))
        fall = np.where(self._bitcoin, size, size * _ALTCOINS_FELL * spread)
        discount = -0.1 * size * np.where(self._bitcoin, 0.3, random.uniform(0.8, 1.2, len(fall)))
        return np.log1p(-fall), discount, 0.04 * size * self._beta, 0.015 * size * ~self._bitcoin, 12.0

    def _rally(self, size: float, random: np.random.Generator) -> Shape:
        spread = 1 + 0.12 * random.standard_normal(len(self._beta)) + 0.15 * self._thin
        rise = np.where(self._bitcoin, size, np.maximum(self._beta * size * spread, size / 2))
        premium = np.minimum(0.012 * size * self._beta * random.uniform(0.7, 1.3, len(rise)), 0.02)
        return np.log1p(rise), premium, 0.02 * size * self._beta, 0.008 * size * ~self._bitcoin, 36.0

    def _funding(self, size: float, random: np.random.Generator) -> Shape:
        none = np.zeros(len(self._beta))
        premium = np.clip(-size * random.uniform(0.4, 0.8, len(none)), -0.01, 0.01)
        return none, premium, none, none, 1.0

    def _decorrelate(self, size: float, random: np.random.Generator) -> Shape:
        count = len(self._beta)
        up = random.random(count) < np.where(self._thin, 0.75, 0.5)
        drift = np.where(
            up, np.log1p(size * random.uniform(1.0, 1.8, count)), -size * random.uniform(0.3, 0.7, count)
        )
        none = np.zeros(count)
        return drift * ~self._bitcoin, none, none, 0.05 * size * ~self._bitcoin, 72.0


def _happened(shock: Shock, times_ms: Times) -> Floats:
    """Which share of a shock's jump prices have made at market times: all of it at once, but for October's."""
    if shock.kind != "october":
        return (times_ms >= shock.at_ms).astype(np.float64)
    return np.clip((times_ms - shock.at_ms) / _OCTOBER_MS, 0.0, 1.0)


def _fright(shock: Shock, hours: float) -> float:
    weight = _OCTOBER_FRIGHT if shock.kind == "october" else 1
    return weight * abs(shock.size) * math.exp(-hours / _FRIGHT_FADES.get(shock.kind, 24.0))
