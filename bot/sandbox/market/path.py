"""What a source of prices is to the world: log prices by the minute and premiums by the hour, before any shock."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HOUR_MS = 3_600_000
MINUTES = 60
CHUNK_HOURS = 240  # hours that are made in one go


class PricePath(Protocol):
    """Prices of N coins on a grid of hours. Hour k spans [start + k h, start + (k + 1) h); boundary k is its beginning.

    The same question always gets the same answer, whatever was asked before.
    """

    assets: tuple[str, ...]
    start_ms: int  # epoch milliseconds of boundary 0, on a full hour
    hours: int  # how many hours there are

    def minutes(self, first: int, last: int) -> Floats:
        """(last - first, 61, N) log prices at the minute boundaries of the hours [first, last), both ends of each
        hour included; NaN where a coin is not listed."""
        ...

    def premium(self, first: int, last: int) -> Floats:
        """(last - first + 1, N) premium of the perpetual over spot (fraction) at the boundaries first..last."""
        ...


def generator(seed: int, stream: int, number: int) -> np.random.Generator:
    """A random generator of its own for every item of every stream, so that the order of asking never matters."""
    return np.random.Generator(
        np.random.Philox(key=np.array([seed, (stream << 40) | number], dtype=np.uint64))
    )
