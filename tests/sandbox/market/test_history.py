"""Real history, replayed: where it begins, recorded prices met, shocks over it, and files that are no history."""

import gzip
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bot.sandbox.market import BadCommand, BadHistory, World, open_world

HOUR = timedelta(hours=1)
HEADER = "symbol,timestamp,open,high,low,close,volume"


def write(folder: Path, lines: Sequence[str], name: str = "history.csv") -> Path:
    file = folder / name
    file.write_text("\n".join(lines) + "\n")
    return file


def bars(symbol: str, closes: Sequence[float], first: str = "2024-01-01T00:00:00") -> list[str]:
    """Hourly bars whose open is the close before."""
    lines = []
    for hour, close in enumerate(closes):
        opened = closes[max(hour - 1, 0)]
        high, low = max(opened, close) * 1.01, min(opened, close) * 0.99
        stamp = np.datetime64(first) + np.timedelta64(hour, "h")
        lines.append(f"{symbol},{stamp}Z,{opened},{high},{low},{close},1")
    return lines


def ninety_days(fall_at: int = 80) -> list[float]:
    """A quiet market that loses a third on one day."""
    return [100 + hour % 5 - (34 if hour >= fall_at * 24 else 0) for hour in range(90 * 24)]


@pytest.fixture
def replay(tmp_path: Path) -> Callable[..., World]:
    def replay(lines: Sequence[str], start: datetime | None = None) -> World:
        return open_world(tmp_path / "market", history=write(tmp_path, lines), start=start, speed=0)

    return replay


def test_recorded_closes_are_met_at_their_time_and_extremes_within_their_bar(
    replay: Callable[..., World],
) -> None:
    closes = ninety_days()
    world = replay([HEADER, *bars("BTC/USDT", closes)], datetime(2024, 3, 5, tzinfo=UTC))
    candles = world.candles(["BTC"], datetime(2024, 1, 1, tzinfo=UTC), HOUR)
    assert candles.high is not None and candles.low is not None

    count = 64 * 24
    np.testing.assert_allclose(candles.close[:count, 0], closes[:count], rtol=1e-12)
    np.testing.assert_allclose(
        candles.high[1:count, 0], np.maximum(closes[: count - 1], closes[1:count]) * 1.01
    )
    np.testing.assert_allclose(
        candles.low[1:count, 0], np.minimum(closes[: count - 1], closes[1:count]) * 0.99
    )
    assert float(world.snapshot().spot["BTC"]) == pytest.approx(closes[count - 1])
    world.skip("1h")
    assert float(world.snapshot().spot["BTC"]) == pytest.approx(closes[count])


def test_it_starts_a_week_before_the_worst_week(replay: Callable[..., World]) -> None:
    world = replay([HEADER, *bars("BTC/USDT", ninety_days(fall_at=80))])
    world_begins = world.now()
    world.skip("14d")
    worst = world.candles(["BTC"], world_begins, HOUR).close[:, 0]
    assert worst[7 * 24 - 2] > 95 and worst[14 * 24 - 1] < 75
    assert world_begins - datetime(2024, 1, 1, tzinfo=UTC) >= timedelta(days=60)


def test_a_worst_week_before_all_coins_have_60_days_is_not_looked_at(replay: Callable[..., World]) -> None:
    early_crash = [100.0 if hour < 30 * 24 else 20 + hour % 3 for hour in range(100 * 24)]
    late_dip = [50 - (10 if hour >= 75 * 24 else 0) + hour % 2 for hour in range(95 * 24)]
    world = replay(
        [HEADER, *bars("BTC/USDT", early_crash), *bars("SOL/USDT", late_dip, "2024-01-06T00:00:00")]
    )
    assert world.now() > datetime(2024, 1, 6, tzinfo=UTC) + timedelta(days=60)


def test_a_coin_has_no_price_before_it_is_listed(replay: Callable[..., World]) -> None:
    world = replay(
        [HEADER, *bars("BTC/USDT", ninety_days()), *bars("SOL/USDT", [5.0] * 240, "2024-03-20T00:00:00")],
        datetime(2024, 3, 19, 12, tzinfo=UTC),
    )
    assert "SOL" not in world.snapshot().spot
    assert "SOL/USDT:USDT" not in world.snapshot().quotes
    world.skip("1d")
    assert float(world.snapshot().spot["SOL"]) == pytest.approx(5.0, rel=0.02)
    assert np.isnan(world.candles(["SOL"], datetime(2024, 3, 19, tzinfo=UTC), HOUR).close[:20]).all()


def test_prices_run_straight_across_missing_bars(replay: Callable[..., World]) -> None:
    lines = bars("BTC/USDT", [100.0] * (40 * 24))
    world = replay([HEADER, *lines[:700], *lines[720:]], datetime(2024, 1, 30, 10, tzinfo=UTC))
    assert float(world.snapshot().spot["BTC"]) == pytest.approx(100, rel=0.011)


def test_shocks_work_over_history_and_fade_from_nothing_but_the_price(replay: Callable[..., World]) -> None:
    world = replay([HEADER, *bars("BTC/USDT", [100.0] * (60 * 24)), *bars("SOL/USDT", [10.0] * (60 * 24))])
    before = float(world.snapshot().spot["BTC"])
    world.shock("crash", 0.3)
    after = world.snapshot()
    assert float(after.spot["BTC"]) == pytest.approx(before * 0.7, rel=1e-6)
    assert float(after.spot["SOL"]) < 8.5
    assert after.quotes["SOL/USDT:USDT"].mark < after.spot["SOL"]
    low = world.candles(["BTC"], world.now() - HOUR, HOUR).low
    assert low is not None and low[-1, 0] == pytest.approx(before * 0.7, rel=1e-6)


def test_a_file_s_own_perpetuals_are_the_marks(replay: Callable[..., World]) -> None:
    spot, mark = [100.0] * (30 * 24), [102.0] * (30 * 24)
    lines = [
        f"{line.split(',')[0]},{line.split(',')[1]},{line.split(',')[5]}" for line in bars("BTC/USDT", spot)
    ]
    marks = [
        f"{line.split(',')[0]},{line.split(',')[1]},{line.split(',')[5]}"
        for line in bars("BTC/USDT:USDT", mark)
    ]
    quote = replay(["symbol,timestamp,close", *lines, *marks]).snapshot().quotes["BTC/USDT:USDT"]
    assert float(quote.mark) == pytest.approx(102, abs=1e-4)
    assert float(quote.index) == pytest.approx(100, abs=1e-4)


def test_funding_in_history_leans_with_the_coin_s_last_day_around_one_basis_point(
    replay: Callable[..., World],
) -> None:
    calm = replay([HEADER, *bars("BTC/USDT", [100.0] * (60 * 24))]).snapshot()
    assert float(calm.funding["BTC/USDT:USDT"].rate) == pytest.approx(0.0001)


def test_the_end_of_history_is_an_end(replay: Callable[..., World]) -> None:
    world = replay([HEADER, *bars("BTC/USDT", ninety_days())])
    world.skip("800d")
    assert world.now() == datetime(2024, 3, 31, tzinfo=UTC)
    assert float(world.snapshot().spot["BTC"]) == pytest.approx(ninety_days()[-1])
    assert world.candles(["BTC"], world.now() - timedelta(days=1), HOUR).close.shape == (25, 1)
    with pytest.raises(BadCommand, match="reached its end on 31 March 2024"):
        world.skip("1d")


def test_a_restart_goes_on_in_the_same_history(tmp_path: Path) -> None:
    file = write(tmp_path, [HEADER, *bars("BTC/USDT", ninety_days()), *bars("SOL/USDT", ninety_days())])
    world = open_world(tmp_path / "market", history=file, speed=0)
    world.shock("crash", 0.2)
    world.skip("30h")
    before = world.snapshot()
    world.close()
    assert open_world(tmp_path / "market", history=file).snapshot() == before


def test_the_recorded_years_start_before_the_crash_of_may_2021(
    shared_path: Callable[[str], Path], tmp_path: Path
) -> None:
    file = shared_path("market/spot_1h_2020_2021.csv.gz")
    world = open_world(tmp_path, history=file, speed=0)
    assert datetime(2021, 5, 1, tzinfo=UTC) < world.now() < datetime(2021, 5, 13, tzinfo=UTC)
    assert len(world.snapshot().spot) == 14 + 2
    history = world.candles(["BTC", "SOL", "AVAX"], world.now() - timedelta(days=60), HOUR)
    assert np.isfinite(history.close).all() and len(history.times) == 60 * 24 + 1

    with gzip.open(file, "rt") as lines:
        recorded = {
            row[1]: float(row[5]) for row in (line.split(",") for line in lines) if row[0] == "SOL/USDT"
        }
    world.skip("14d")
    replayed = world.candles(["SOL"], datetime(2021, 5, 15, tzinfo=UTC), HOUR)
    checked = 0
    for time, close in zip(replayed.times[:-1], replayed.close[:-1, 0], strict=True):
        if f"{time}Z" in recorded:
            assert close == pytest.approx(recorded[f"{time}Z"], rel=1e-9)
            checked += 1
    assert checked > 100


def test_the_recorded_marks_of_2025_can_be_replayed_too(
    shared_path: Callable[[str], Path], tmp_path: Path
) -> None:
    world = open_world(tmp_path, history=shared_path("market/mark_8h_2025.csv.gz"), speed=0)
    assert {"BTC", "ETH", "SOL"} <= set(world.snapshot().spot)
    world.skip("7d")
    assert np.isfinite(world.candles(["BTC/USDT:USDT"], world.now() - timedelta(days=30), HOUR).close).all()


GOOD = bars("BTC/USDT", [100.0] * (20 * 24))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([""], "is empty"),
        ([HEADER], "holds no prices"),
        (["time,price", "1,2"], "has no column symbol"),
        ([HEADER, *bars("SOL/USDT", [5.0] * 480)], "holds no BTC"),
        ([HEADER, *GOOD[:100]], "too short"),
        ([HEADER, GOOD[1], GOOD[0]], "Line 3 .* goes back in time"),
        ([HEADER, GOOD[0], GOOD[0]], "Line 3 .* repeats a bar"),
        ([HEADER, GOOD[0].replace("100.0,1", "nan,1")], "Line 2 .* not a positive number"),
        ([HEADER, GOOD[0].replace("100.0,1", "0,1")], "Line 2 .* not a positive number"),
        ([HEADER, GOOD[0].replace("100.0,1", "-3,1")], "Line 2 .* not a positive number"),
        ([HEADER, GOOD[0].replace("100.0,1", "inf,1")], "Line 2 .* not a positive number"),
        ([HEADER, GOOD[0].replace("100.0,1", "1e3,1")], "Line 2 .* outside its bar"),
        ([HEADER, GOOD[0].replace("100.0,1", "abc,1")], "Line 2 .* cannot be read"),
        ([HEADER, GOOD[0].replace("2024-01-01T00:00:00Z", "yesterday")], "Line 2 .* cannot be read"),
        ([HEADER, GOOD[0].replace("2024-01-01T00:00:00Z", "")], "Line 2 .* cannot be read"),
        ([HEADER, GOOD[0].replace("2024-01-01T00:00:00Z", "NaT")], "Line 2 .* cannot be read"),
        ([HEADER, GOOD[0].rsplit(",", 3)[0]], "Line 2 .* cut short"),
        ([HEADER, GOOD[0].replace("BTC/USDT", "BTC")], "not a symbol such as"),
    ],
)
def test_a_file_that_is_no_history_is_refused_in_one_sentence(
    tmp_path: Path, lines: list[str], words: str
) -> None:
    with pytest.raises(BadHistory, match=words) as failure:
        open_world(tmp_path / "market", history=write(tmp_path, lines))
    assert str(failure.value).endswith(".") and "\n" not in str(failure.value)
    assert not (tmp_path / "market").exists()


def test_a_file_that_cannot_be_opened_is_refused_in_one_sentence(tmp_path: Path) -> None:
    torn = tmp_path / "torn.csv.gz"
    torn.write_bytes(gzip.compress("\n".join([HEADER, *GOOD]).encode())[:-50])
    binary = tmp_path / "binary.csv"
    binary.write_bytes(bytes(range(128, 256)))
    for file in (tmp_path / "absent.csv", tmp_path, torn, binary):
        with pytest.raises(BadHistory, match="cannot be read"):
            open_world(tmp_path / "market", history=file)


def test_a_start_outside_the_history_is_refused(replay: Callable[..., World]) -> None:
    with pytest.raises(BadHistory, match="2024-01-01 to 2024-01-21"):
        replay([HEADER, *GOOD], datetime(2025, 1, 1, tzinfo=UTC))
