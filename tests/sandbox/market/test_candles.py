"""Bars of the simulated market: nothing between them is lost, and they add up."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.sandbox.market import World
from tests.sandbox.market.conftest import HOUR, Wall, prices


def test_an_extreme_between_two_minutes_is_not_lost(opened: Callable[..., World], wall: Wall) -> None:
    world = opened()
    wall.seconds += 1.5  # 15 market seconds into a minute
    world.shock("rally", 1.0)
    peak = prices(world)["BTC"]
    wall.seconds += 2
    world.shock("crash", 0.6)
    world.skip("2h")
    bars = world.candles(["BTC"], datetime(2025, 6, 1, 9, tzinfo=UTC), HOUR)
    assert bars.high is not None
    assert bars.high[0, 0] >= peak * 0.999


def test_a_shock_between_two_bars_belongs_to_the_later_one_whoever_asked_before(
    opened: Callable[..., World],
) -> None:
    def bars(folder: str, curious: bool) -> list[float]:
        world = opened(folder, speed=0)
        since = world.now() - HOUR
        if curious:
            world.candles(["BTC"], since, HOUR)
        world.shock("crash", 0.3)
        return [float(close) for close in world.candles(["BTC"], since, HOUR).close[:, 0]]

    assert bars("a", curious=False) == bars("b", curious=True) == pytest.approx([84_000, 58_800], rel=1e-6)


def test_short_bars_add_up_to_the_hourly_ones(opened: Callable[..., World], wall: Wall) -> None:
    world = opened()
    wall.seconds += 100
    world.shock("crash", 0.2)
    world.skip("5h")
    since = datetime(2025, 6, 1, 7, tzinfo=UTC)
    names = ("SOL", "ETH/USDT:USDT", "BTC/USD:BTC", "USDC")
    hourly = world.candles(names, since, HOUR)
    fine = world.candles(names, since, timedelta(minutes=5))
    assert (
        hourly.high is not None and hourly.low is not None and fine.high is not None and fine.low is not None
    )

    whole = len(hourly.times) - 1
    assert len(fine.times) // 12 == whole
    np.testing.assert_allclose(fine.close[11 : whole * 12 : 12], hourly.close[:whole], rtol=1e-12)
    highs = fine.high[: whole * 12].reshape(whole, 12, -1).max(axis=1)
    lows = fine.low[: whole * 12].reshape(whole, 12, -1).min(axis=1)
    np.testing.assert_allclose(highs, hourly.high[:whole], rtol=1e-12)
    np.testing.assert_allclose(lows, hourly.low[:whole], rtol=1e-12)


def test_the_last_candle_closes_at_the_snapshot_s_price(opened: Callable[..., World], wall: Wall) -> None:
    world = opened()
    wall.seconds += 123.4
    snapshot = world.snapshot()
    for bar in (timedelta(minutes=1), HOUR, timedelta(days=1)):
        candles = world.candles(["SOL", "SOL/USDT:USDT"], world.now() - timedelta(days=2), bar)
        expected = [float(snapshot.spot["SOL"]), float(snapshot.quotes["SOL/USDT:USDT"].mark)]
        assert candles.close[-1] == pytest.approx(expected, rel=1e-7)


def test_daily_bars_lie_on_the_day_and_begin_no_earlier_than_asked(opened: Callable[..., World]) -> None:
    candles = opened().candles(["BTC"], datetime(2025, 5, 1, 5, tzinfo=UTC), timedelta(days=1))
    assert candles.times[0] == np.datetime64("2025-05-02T00:00:00")
    assert (np.diff(candles.times) == np.timedelta64(1, "D")).all()
