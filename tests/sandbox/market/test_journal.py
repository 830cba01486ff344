"""The simulated market comes back as it was: from its seed, its commands and its file."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from bot.sandbox.market import MarketError, OtherMarket, World, open_world
from tests.sandbox.market.conftest import Wall, prices


def test_the_same_seed_and_commands_give_the_same_prices_whatever_was_asked_between(
    opened: Callable[..., World], wall: Wall
) -> None:
    def live(folder: str, curious: bool) -> dict[str, float]:
        wall.seconds = 0
        world = opened(folder)
        commands: list[Callable[[], None]] = [
            lambda: world.shock("crash"),
            lambda: world.skip("3d"),
            lambda: world.shock("decorrelate"),
        ]
        for command in commands:
            wall.seconds += 7
            if curious:
                world.candles(["BTC", "SOL/USDT:USDT"], world.now() - timedelta(days=2), timedelta(minutes=5))
                world.snapshot()
            command()
        world.skip("12h")
        return prices(world)

    assert live("a", curious=False) == live("b", curious=True)


def test_another_seed_gives_other_prices(opened: Callable[..., World]) -> None:
    one, other = opened("one", seed=1), opened("other", seed=2)
    one.skip("1d")
    other.skip("1d")
    assert prices(one)["BTC"] != prices(other)["BTC"]


def test_a_restarted_world_goes_on_where_it_was(opened: Callable[..., World], wall: Wall) -> None:
    world = opened()
    world.shock("crash", 0.25)
    world.skip("5d")
    world.set_speed(60)
    wall.seconds += 11
    time, before = world.now(), prices(world)
    world.close()

    wall.seconds += 5000  # nobody runs it
    again = opened()
    assert again.now() == time
    assert again.speed == 60
    assert prices(again) == before


def test_a_killed_world_never_goes_back_in_time_nor_far_ahead(
    opened: Callable[..., World], wall: Wall
) -> None:
    world = opened()
    latest = world.now()
    for _ in range(50):
        wall.seconds += 0.7
        latest = world.now()
    again = opened()  # the first was never closed
    assert timedelta(0) <= again.now() - latest <= timedelta(seconds=100)


def test_a_state_file_that_is_damaged_or_of_another_market_is_named(
    opened: Callable[..., World], tmp_path: Path
) -> None:
    opened("other")
    with pytest.raises(OtherMarket, match="--fresh"):
        open_world(tmp_path / "other", history=_two_weeks(tmp_path))
    opened("torn")
    (tmp_path / "torn" / "market.json").write_text('{"format": 1, "sou')
    with pytest.raises(MarketError, match="--fresh"):
        opened("torn")


def _two_weeks(folder: Path) -> Path:
    rows = ["symbol,timestamp,close"]
    for hour in range(20 * 24):
        rows.append(
            f"BTC/USDT,{np.datetime64('2024-01-01T00:00:00') + np.timedelta64(hour, 'h')}Z,{100 + hour}"
        )
    file = folder / "two_weeks.csv"
    file.write_text("\n".join(rows))
    return file
