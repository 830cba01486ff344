"""What the watch remembers of how much somebody's coins were worth."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.services.watch.memory import NEW_HIGH, Memory

START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = 24


@pytest.mark.parametrize("seed", range(20))
def test_the_peak_of_the_last_day_is_known_within_a_percent_whatever_the_prices_did(seed: int) -> None:
    hourly = np.random.default_rng(seed).normal(0, 0.01, 20 * DAY)
    price = 100 * np.exp(np.cumsum(hourly))
    memory = Memory().begun(START, {"SOL": 3.0}, {"SOL": float(price[0])})
    for hour in range(1, len(price)):
        assert memory.prices is not None
        known = memory.prices["SOL"] * max(memory.high, memory.high_before)
        peak = price[max(hour - DAY, 0) : hour].max()
        assert known * NEW_HIGH >= peak * (1 - 1e-12), f"hour {hour}: {known} is known of {peak}"
        ratio = float(price[hour]) / memory.prices["SOL"]
        now = START + timedelta(hours=hour)
        memory = memory.rose(ratio).after(now, ["SOL"], {"SOL": float(price[hour])}, ratio=ratio, moved=False)
        memory = Memory.of(memory.record())


def test_after_a_word_falls_are_measured_anew() -> None:
    memory = Memory().begun(START, {"SOL": 1.0}, {"SOL": 100.0}).rose(1.5)
    told = memory.after(START + timedelta(hours=3), ["SOL"], {"SOL": 120.0}, ratio=1.2, moved=True)
    assert (told.prices, told.high, told.high_before) == ({"SOL": 120.0}, 1.0, 1.0)
