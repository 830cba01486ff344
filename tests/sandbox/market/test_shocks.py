"""What shocks do to the simulated market, and how they fade."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.sandbox.market import BadCommand, World
from tests.sandbox.market.conftest import HOUR, MAJORS, Wall, prices, returns


def test_a_crash_takes_bitcoin_down_by_its_size_and_the_others_by_more_or_less(
    opened: Callable[..., World],
) -> None:
    world = opened()
    world.set_speed(0)
    before = prices(world)
    world.shock("crash", 0.3)
    after = prices(world)
    fall = {asset: 1 - after[asset] / before[asset] for asset in before}

    assert fall["BTC"] == pytest.approx(0.3, abs=1e-6)
    assert fall["USDT"] == 0
    others = np.array([fall[asset] for asset in fall if asset not in ("BTC", "USDT", "USDC")])
    assert (others >= 0.15).all() and (others <= 0.85).all()
    assert 0.3 < others.mean() < 0.55
    assert others.std() > 0.03


def test_after_a_crash_perpetuals_trade_at_a_discount_that_fades(opened: Callable[..., World]) -> None:
    world = opened()

    def discount() -> float:
        quote = world.snapshot().quotes["SOL/USDT:USDT"]
        return 1 - float(quote.mark / quote.index)

    calm = discount()
    world.shock("crash", 0.3)
    shocked = discount()
    world.skip("3d")

    assert abs(calm) < 0.002
    assert shocked > 0.002
    assert abs(discount()) < 0.002


def test_after_a_crash_volatility_stays_high_for_a_while(opened: Callable[..., World]) -> None:
    shocked, calm = opened("shocked"), opened("calm")
    shocked.shock("crash", 0.3)
    shocked.skip("1d")
    calm.skip("1d")
    bitcoin = [returns(world, ("BTC",), 1)[1:, 0].std() for world in (shocked, calm)]
    assert bitcoin[0] > 1.3 * bitcoin[1]


def test_a_rally_takes_bitcoin_up_by_its_size(opened: Callable[..., World]) -> None:
    world = opened()
    world.set_speed(0)
    before = prices(world)
    world.shock("rally", 0.2)
    after = prices(world)
    assert after["BTC"] / before["BTC"] == pytest.approx(1.2, abs=1e-6)
    assert all(after[asset] > 1.09 * before[asset] for asset in MAJORS)


def test_a_funding_spike_makes_shorts_pay_for_six_intervals(opened: Callable[..., World]) -> None:
    world = opened()
    begun = world.now()
    world.shock("funding", 0.003)
    assert float(world.snapshot().funding["BTC/USDT:USDT"].rate) == pytest.approx(-0.003)

    world.skip("4d")
    rates = [float(item.rate) for item in world.funding_since("BTC/USDT:USDT", begun)]
    assert rates[:6] == pytest.approx([-0.003] * 6)
    assert all(rate > -0.002 for rate in rates[6:])


def test_a_funding_spike_of_a_negative_size_makes_shorts_receive_and_no_rate_passes_the_cap(
    opened: Callable[..., World],
) -> None:
    world = opened()
    world.shock("funding", -0.5)
    assert float(world.snapshot().funding["ETH/USDT:USDT"].rate) == 0.02


def test_when_correlation_breaks_altcoins_drift_apart_at_once_and_fit_bitcoin_badly_for_days(
    opened: Callable[..., World],
) -> None:
    world = opened()
    world.set_speed(0)
    names = ("BTC", *(asset for asset in prices(world) if asset not in ("BTC", "USDT", "USDC")))
    fit_before = np.corrcoef(returns(world, names, 10).T)[0, 1:] ** 2
    before = prices(world)
    world.shock("decorrelate")
    after = prices(world)
    moves = np.array([after[asset] / before[asset] - 1 for asset in names])
    world.skip("3d")
    fit_after = np.corrcoef(returns(world, names, 3)[1:].T)[0, 1:] ** 2  # without the jump itself

    assert moves[0] == 0
    assert moves.max() > 0.25 and moves.min() < -0.05
    assert np.median(fit_after) < 0.5 * np.median(fit_before)


def test_a_shock_is_seen_at_once_and_enters_the_candles(opened: Callable[..., World], wall: Wall) -> None:
    world = opened()
    wall.seconds += 60  # ten minutes into the hour
    before = prices(world)["BTC"]
    world.shock("crash", 0.3)
    bar = world.candles(["BTC"], world.now() - timedelta(minutes=10), HOUR)
    assert bar.high is not None and bar.low is not None
    assert bar.high[-1, 0] >= before * 0.999
    assert bar.close[-1, 0] == pytest.approx(before * 0.7, rel=1e-6)

    world.skip("1h")
    closed = world.candles(["BTC"], datetime(2025, 6, 1, 9, tzinfo=UTC), HOUR)
    assert closed.high is not None and closed.low is not None
    assert closed.high[0, 0] >= before * 0.999
    assert closed.low[0, 0] <= before * 0.72


def test_prices_cannot_be_pushed_to_nothing(opened: Callable[..., World]) -> None:
    world = opened()
    with pytest.raises(BadCommand, match="too far"):  # noqa: PT012
        for _ in range(50):
            world.shock("crash", 0.85)
    assert all(price > 0 for price in prices(world).values())


def test_a_gap_lifts_perpetuals_above_their_coins_and_closes_by_itself(opened: Callable[..., World]) -> None:
    world = opened()
    world.set_speed(0)

    def gap() -> float:
        quote = world.snapshot().quotes["SOL/USDT:USDT"]
        return float(quote.mark / quote.index - 1)

    before, spot = gap(), prices(world)["SOL"]
    world.shock("gap", 0.03)
    assert gap() - before == pytest.approx(0.03, abs=0.004)
    assert prices(world)["SOL"] == spot
    world.skip("2d")
    assert abs(gap()) < 0.003
