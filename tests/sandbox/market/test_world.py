"""The simulated market: what lives in it, how it moves, its funding, and what it does not understand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.sandbox.market import BadCommand, World
from hedging.errors import UnknownAsset, UnknownContract
from tests.sandbox.market.conftest import HOUR, MAJORS, TODAY, Wall, prices, returns


def test_a_new_world_begins_at_the_present_hour_with_120_days_behind_it(opened: Callable[..., World]) -> None:
    world = opened()
    candles = world.candles(["SOL"], datetime(2020, 1, 1, tzinfo=UTC), HOUR)

    assert world.now() == datetime(2025, 6, 1, 9, tzinfo=UTC)
    assert candles.times[0] == np.datetime64("2025-02-01T09:00:00")
    assert len(candles.times) == 120 * 24 + 1  # the present hour has just begun
    assert np.isfinite(candles.close).all()


def test_ten_majors_have_linear_perpetuals_ten_altcoins_have_none_and_stablecoins_are_worth_one(
    opened: Callable[..., World],
) -> None:
    snapshot = opened().snapshot()
    without = [asset for asset in snapshot.spot if snapshot.perpetual_of(asset) is None]

    assert [asset for asset in snapshot.spot if snapshot.perpetual_of(asset)] == list(MAJORS)
    assert {"USDT", "USDC"} < set(without) and len(without) >= 12
    assert snapshot.spot["USDT"] == snapshot.spot["USDC"] == 1
    assert [c.symbol for c in snapshot.contracts.values() if not c.linear] == ["BTC/USD:BTC", "ETH/USD:ETH"]
    for symbol, quote in snapshot.quotes.items():
        contract = snapshot.contracts[symbol]
        assert 0 < quote.bid < quote.ask
        assert quote.bid % contract.tick == quote.ask % contract.tick == 0
        assert quote.depth > 0


def test_ten_market_seconds_pass_in_a_wall_second_unless_told_otherwise(
    opened: Callable[..., World], wall: Wall
) -> None:
    world = opened()
    begun = world.now()

    wall.seconds += 6
    assert world.now() - begun == timedelta(minutes=1)
    world.set_speed(0)
    wall.seconds += 100
    assert world.now() - begun == timedelta(minutes=1)
    world.set_speed(3600)
    wall.seconds += 2
    assert world.now() - begun == timedelta(minutes=1, hours=2)


def test_prices_move_with_every_second(opened: Callable[..., World], wall: Wall) -> None:
    world = opened()
    seen = []
    for _ in range(5):
        seen.append(prices(world)["SOL"])
        wall.seconds += 1
    assert len(set(seen)) == 5


def test_betas_volatility_and_tails_are_those_of_a_plausible_market(opened: Callable[..., World]) -> None:
    change = returns(opened(), ("BTC", "ETH", "SOL", "ATOM"), 120)[
        :-1
    ]  # without the hour that has just begun
    beta = np.cov(change.T)[0] / change[:, 0].var(ddof=1)
    fit = np.corrcoef(change.T)[0] ** 2
    bitcoin = change[:, 0]
    kurtosis = ((bitcoin - bitcoin.mean()) ** 4).mean() / bitcoin.var() ** 2
    unrest = np.log(np.abs(bitcoin))
    clustering = np.corrcoef(unrest[:-24], unrest[24:])[0, 1]

    assert beta[1] == pytest.approx(1.15, abs=0.15)
    assert beta[2] == pytest.approx(1.35, abs=0.2)
    assert beta[3] == pytest.approx(1.25, abs=0.2)
    assert (fit[1:] > 0.4).all() and (fit[1:] < 0.95).all()
    assert 0.3 < bitcoin.std() * np.sqrt(365 * 24) < 1.0
    assert kurtosis > 4  # fatter than normal (3)
    assert clustering > 3 / np.sqrt(len(unrest))  # a day later volatility still remembers


def test_funding_is_the_premium_drawn_toward_the_interest_and_settles_at_0_8_and_16(
    opened: Callable[..., World],
) -> None:
    world = opened()
    settled = world.funding_since("SOL/USDT:USDT", world.now() - timedelta(days=90))
    assert {item.next_time.hour for item in settled} == {0, 8, 16}
    assert len(settled) == 270

    for item in settled[-30:]:
        bars = world.candles(["SOL", "SOL/USDT:USDT"], item.next_time - timedelta(hours=8), HOUR).close[:8]
        premium = (bars[:, 1] / bars[:, 0] - 1).mean()
        expected = premium + min(
            max(0.0001 - premium, -0.0005), 0.0005
        )  # Binance: P + clamp(0.01 % - P, ±0.05 %)
        assert float(item.rate) == pytest.approx(expected, abs=1e-7)


def test_the_shown_rate_becomes_the_settled_one(opened: Callable[..., World], wall: Wall) -> None:
    world = opened()
    world.skip("6h")
    wall.seconds += 359.9  # the last second before 16:00
    shown = world.snapshot().funding["ADA/USDT:USDT"]
    wall.seconds += 0.1
    settled = world.funding_since("ADA/USDT:USDT", world.now() - timedelta(minutes=1))
    assert shown.next_time == settled[0].next_time == datetime(2025, 6, 1, 16, tzinfo=UTC)
    assert float(settled[0].rate) == pytest.approx(float(shown.rate), abs=1e-4)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (lambda world: world.shock("earthquake"), "one of crash, rally"),
        (lambda world: world.shock(["crash"]), "one of crash, rally"),
        (lambda world: world.shock("crash", 1.5), "between 0.01 and 0.85"),
        (lambda world: world.shock("crash", -0.3), "between"),
        (lambda world: world.shock("crash", "0.3"), "a number"),
        (lambda world: world.shock("crash", float("nan")), "a number"),
        (lambda world: world.shock("crash", True), "a number"),
        (lambda world: world.skip("7"), "a span"),
        (lambda world: world.skip("-7d"), "a span"),
        (lambda world: world.skip("801d"), "at most 800 days"),
        (lambda world: world.skip("nan d"), "a span"),
        (lambda world: world.skip(7), "a span"),
        (lambda world: world.set_speed(-1), "from 0"),
        (lambda world: world.set_speed(float("nan")), "from 0"),
        (lambda world: world.set_speed("10"), "from 0"),
        (lambda world: world.candles(["BTC"], TODAY, timedelta(minutes=7)), "divide an hour"),
        (lambda world: world.candles(["BTC"], TODAY, timedelta(0)), "divide an hour"),
    ],
)
def test_a_command_that_makes_no_sense_changes_nothing_and_says_why(
    opened: Callable[..., World], command: Callable[[World], object], words: str
) -> None:
    world = opened()
    before, time = prices(world), world.now()
    with pytest.raises(BadCommand, match=words):
        command(world)
    assert (prices(world), world.now()) == (before, time)


def test_what_is_not_there_is_named(opened: Callable[..., World]) -> None:
    world = opened()
    with pytest.raises(UnknownAsset, match="NOSUCH"):
        world.candles(["NOSUCH"], TODAY, HOUR)
    with pytest.raises(UnknownContract, match="ATOM/USDT:USDT"):
        world.funding_since("ATOM/USDT:USDT", TODAY)
