"""Market time: so many market seconds pass in every second on the wall."""

import math
import time
from collections.abc import Callable

from bot.sandbox.market.errors import BadCommand

MAX_SPEED = 86_400.0
MAX_SKIP_DAYS = 800
_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class MarketClock:
    """Epoch milliseconds of market time, never going back, up to `end_ms`. `wall`: seconds of a monotonic clock."""

    def __init__(
        self, now_ms: int, speed: float, end_ms: int, wall: Callable[[], float] = time.monotonic
    ) -> None:
        self._anchor_ms, self._anchor_wall = now_ms, wall()
        self._speed, self._end_ms, self._wall = speed, end_ms, wall

    @property
    def speed(self) -> float:
        return self._speed

    def now_ms(self) -> int:
        passed = max(0.0, self._wall() - self._anchor_wall) * self._speed * 1000
        return min(self._end_ms, self._anchor_ms + int(passed))

    def set_speed(self, speed: float) -> None:
        self._anchor_ms, self._anchor_wall = self.now_ms(), self._wall()
        self._speed = speed

    def skip(self, milliseconds: int) -> None:
        """Leap ahead, at most to the end."""
        self._anchor_ms = min(self._end_ms, self.now_ms() + milliseconds)
        self._anchor_wall = self._wall()


def parse_speed(speed: object) -> float:
    """Market seconds per wall second from a driver's words. Raises BadCommand."""
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 <= speed <= MAX_SPEED:
        raise BadCommand(f"The speed must be a number from 0, which pauses, to {MAX_SPEED:.0f}.")
    return float(speed)


def parse_span(span: object) -> int:
    """Milliseconds of a span such as "12h", "1d" or "7d". Raises BadCommand."""
    text = span.strip().lower() if isinstance(span, str) else ""
    number, unit = text[:-1], _UNITS.get(text[-1:])
    try:
        seconds = float(number) * unit if unit and not number.startswith(("+", "-")) else math.nan
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= MAX_SKIP_DAYS * 86_400:
        raise BadCommand(
            f'The skip must be a span such as "12h", "1d" or "7d", of at most {MAX_SKIP_DAYS} days.'
        )
    return int(seconds * 1000)
