"""The market as the use cases see it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from bot.services.markets import Market
from hedging.market import Candles
from tests.fakes.clock import ManualClock
from tests.fakes.market import StillMarket


class CrashingMarket(StillMarket):
    """The present hour has begun, and every coin has lost another part of its price in it."""

    async def candles(
        self, names: Sequence[str], *, since: datetime, bar: timedelta = timedelta(hours=1)
    ) -> Candles:
        known = await super().candles(names, since=since, bar=bar)
        fall = np.linspace(0.4, 0.8, len(known.names))
        return Candles(
            known.names,
            np.append(known.times, known.times[-1] + np.timedelta64(3600, "s")),
            np.vstack([known.close, known.close[-1] * fall]),
        )


async def test_betas_do_not_change_within_an_hour_whatever_happens_in_it() -> None:
    coins, estimates = ("BTC", "SOL", "ATOM"), []
    for market in (StillMarket(), CrashingMarket()):
        markets = Market(market, ManualClock())
        snapshot = await markets.snapshot()
        estimates.append(await markets.betas(coins, "BTC", snapshot))
    calm, crashed = estimates
    assert {coin: crashed[coin] for coin in coins} == {coin: calm[coin] for coin in coins}
