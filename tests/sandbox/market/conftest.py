"""A simulated market of its own for each test, and a wall clock that stands still until it is told to move."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bot.sandbox.market import World, open_world

TODAY = datetime(2025, 6, 1, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
MAJORS = ("BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "DOGE", "LTC", "LINK", "AVAX")


class Wall:
    """A wall clock that moves when it is told to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def opened(tmp_path: Path, wall: Wall) -> Callable[..., World]:
    def opened(folder: str = "market", **options: object) -> World:
        return open_world(tmp_path / folder, today=TODAY, wall=wall, **options)  # type: ignore[arg-type]

    return opened


def prices(world: World) -> dict[str, float]:
    return {asset: float(price) for asset, price in world.snapshot().spot.items()}


def returns(world: World, names: tuple[str, ...], days: int) -> np.ndarray:
    candles = world.candles(names, world.now() - timedelta(days=days), HOUR)
    return np.diff(np.log(candles.close), axis=0)
