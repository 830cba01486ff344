"""The simulated market: what lives in it, what shocks do to it, and that it comes back as it was."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bot.sandbox.market import BadCommand, MarketError, OtherMarket, World, open_world
from hedging.errors import UnknownAsset, UnknownContract

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


def test_prices_cannot_be_pushed_to_nothing(opened: Callable[..., World]) -> None:
    world = opened()
    with pytest.raises(BadCommand, match="too far"):  # noqa: PT012
        for _ in range(50):
            world.shock("crash", 0.85)
    assert all(price > 0 for price in prices(world).values())


def test_what_is_not_there_is_named(opened: Callable[..., World]) -> None:
    world = opened()
    with pytest.raises(UnknownAsset, match="NOSUCH"):
        world.candles(["NOSUCH"], TODAY, HOUR)
    with pytest.raises(UnknownContract, match="ATOM/USDT:USDT"):
        world.funding_since("ATOM/USDT:USDT", TODAY)


def _two_weeks(folder: Path) -> Path:
    rows = ["symbol,timestamp,close"]
    for hour in range(20 * 24):
        rows.append(
            f"BTC/USDT,{np.datetime64('2024-01-01T00:00:00') + np.timedelta64(hour, 'h')}Z,{100 + hour}"
        )
    file = folder / "two_weeks.csv"
    file.write_text("\n".join(rows))
    return file


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
