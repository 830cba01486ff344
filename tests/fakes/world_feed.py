"""bot.ports.exchange.MarketFeed over a sandbox world in this process, counting what is asked of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.ports.errors import Unavailable
from bot.sandbox.market import World
from hedging.market import Candles, Funding, Snapshot


class WorldFeed:
    """The world, without the wire. `away`: nothing can be read."""

    name = "sandbox"

    def __init__(self, world: World) -> None:
        self.world = world
        self.away = False
        self.calls: Counter[str] = Counter()
        self.ended: set[str] = set()  # contracts that are not listed any more
        self.unquoted: set[str] = set()  # contracts without a quote just now

    async def snapshot(self) -> Snapshot:
        self._count("snapshot")
        now = self.world.snapshot()
        listed = {symbol: one for symbol, one in now.contracts.items() if symbol not in self.ended}
        silent = self.ended | self.unquoted
        quotes = {symbol: one for symbol, one in now.quotes.items() if symbol not in silent}
        funding = {symbol: one for symbol, one in now.funding.items() if symbol not in silent}
        return replace(now, contracts=listed, quotes=quotes, funding=funding)

    async def candles(
        self, names: Sequence[str], *, since: datetime, bar: timedelta = timedelta(hours=1)
    ) -> Candles:
        self._count("candles")
        return self.world.candles(names, since, bar)

    async def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]:
        self._count("funding")
        return self.world.funding_since(symbol, since)

    def _count(self, call: str) -> None:
        if self.away:
            raise Unavailable("the market is away")
        self.calls[call] += 1
