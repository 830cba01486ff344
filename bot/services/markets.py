"""The markets as the use cases need them: one snapshot an exchange for everybody, betas estimated once an hour."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from bot.ports.clock import Clock
from bot.ports.exchange import Feeds, MarketFeed
from bot.ports.records import PAPER, Account
from hedging.assets import KNOWN, Alias, underlying
from hedging.market import Candles, Funding, Snapshot
from hedging.portfolio import Holding, Position
from hedging.ratio import Estimate, beta_table

HISTORY = timedelta(days=60)
_HOUR = timedelta(hours=1)
FRESH_FOR = timedelta(seconds=1)
SPOT_LASTS = timedelta(minutes=10)  # a coin that has no price for a moment is worth what it was


@dataclass(frozen=True, slots=True)
class Betas:
    """Estimates against one factor from the hours before `hour` (market time)."""

    factor: str
    hour: datetime
    estimates: Mapping[str, Estimate]
    asked: frozenset[str]  # also those that turned out to have too little history


class Market:
    """Caches over one exchange's feed. Everything raises Unavailable when the feed does."""

    def __init__(self, feed: MarketFeed, clock: Clock, aliases: Mapping[str, Alias] = KNOWN) -> None:
        self._feed = feed
        self._aliases = aliases
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._read_at: datetime | None = None
        self._spot: dict[str, tuple[Decimal, datetime]] = {}  # the last price of each coin, and when
        self._reads = (
            0  # begun so far: whoever asks for a fresh one shares a read that began after they asked
        )
        self._betas: dict[str, Betas] = {}
        self._hour: datetime | None = None
        self._bars: dict[str, NDArray[np.float64]] = {}  # before `_hour`: (2, T), closes and highs; NaN: none
        self._asking = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._estimating = asyncio.Lock()

    async def snapshot(self, *, fresh: bool = False) -> Snapshot:
        """The market now. At most a second old; with `fresh`, read after the call was made."""
        asked = self._reads
        async with self._reading:
            if self._snapshot is None or (self._reads == asked if fresh else self._is_old()):
                self._reads += 1
                self._read_at = self._clock.now()
                told = await self._feed.snapshot()
                self._snapshot = replace(told, spot=self._remembered(told.spot), aliases=self._aliases)
            return self._snapshot

    def _remembered(self, spot: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
        """With the last prices of coins that are missing just now: neither is a hedge sold for a row that is not told,
        nor does anybody hear of a loss."""
        now = self._clock.now()
        self._spot |= {asset: (price, now) for asset, price in spot.items()}
        self._spot = {asset: known for asset, known in self._spot.items() if now - known[1] <= SPOT_LASTS}
        return {asset: price for asset, (price, _) in self._spot.items()}

    @property
    def latest(self) -> Snapshot | None:
        """What was read last, however long ago."""
        return self._snapshot

    def _is_old(self) -> bool:
        return self._read_at is None or self._clock.now() - self._read_at > FRESH_FOR

    async def settled_funding(self, symbol: str, *, since: datetime) -> Sequence[Funding]:
        """What was settled in a contract since then, ascending."""
        return await self._feed.funding_since(symbol, since)

    async def betas(self, assets: Iterable[str], factor: str, snapshot: Snapshot) -> Mapping[str, Estimate]:
        """Betas of `assets` against `factor` over 60 days of hourly returns, renewed every market hour."""
        wanted = frozenset(assets) | {factor}
        hour = snapshot.time.replace(minute=0, second=0, microsecond=0)
        async with self._estimating:
            known = self._betas.get(factor)
            if known is None or known.hour != hour or not wanted <= known.asked:
                asked = wanted | (known.asked if known else frozenset())
                known = Betas(factor, hour, await self._estimate(asked, factor, hour, snapshot), asked)
                self._betas[factor] = known
        return known.estimates

    async def betas_of(
        self, holdings: Sequence[Holding], positions: Sequence[Position], factor: str, snapshot: Snapshot
    ) -> Mapping[str, Estimate]:
        """Betas of all that is held and of all that is short in contracts that are still listed, and of the coins that
        they stand for."""
        assets = {holding.asset for holding in holdings}
        listed = [snapshot.contracts.get(position.symbol) for position in positions]
        assets |= {contract.base for contract in listed if contract is not None}
        assets |= {underlying(asset, snapshot.aliases) for asset in assets}
        return await self.betas(assets, factor, snapshot)

    async def _estimate(
        self, assets: frozenset[str], factor: str, hour: datetime, snapshot: Snapshot
    ) -> Mapping[str, Estimate]:
        """From whole hours alone: everybody who asks within one hour gets the same, whatever happens in it."""
        names = sorted(asset for asset in assets if asset in snapshot.spot)
        return await asyncio.to_thread(beta_table, await self.hours(names, hour), factor)

    async def hours(self, names: Sequence[str], hour: datetime) -> Candles:
        """The 60 days of whole hourly bars before `hour` (market time): closes and highs. Each series is asked for once
        an hour, whoever comes with others meanwhile."""
        end, count = np.datetime64(hour.replace(tzinfo=None), "s"), int(HISTORY / _HOUR)
        times = end - np.arange(count, 0, -1) * np.timedelta64(3600, "s")
        async with self._asking:
            if self._hour != hour:
                self._hour, self._bars = hour, {}
            missing = [name for name in names if name not in self._bars]
            if missing:
                told = await self._feed.candles(missing, since=hour - HISTORY, bar=_HOUR)
                inside = (told.times >= times[0]) & (told.times < end)
                bars = np.full((len(missing), 2, count), np.nan)
                high = told.close if told.high is None else told.high
                rows = np.searchsorted(times, told.times[inside])
                bars[:, 0, rows], bars[:, 1, rows] = told.close[inside].T, high[inside].T
                self._bars |= dict(zip(missing, bars, strict=True))
            known = np.array([self._bars[name] for name in names]).reshape(len(names), 2, count)
        return Candles(tuple(names), times, known[:, 0].T, known[:, 1].T)


class Markets:
    """One market an exchange, made when it is first asked for. `aliases`: what coins really are, on all of them."""

    def __init__(self, feeds: Feeds, clock: Clock, aliases: Mapping[str, Alias] = KNOWN) -> None:
        self._feeds = feeds
        self._aliases = aliases
        self._clock = clock
        self._markets: dict[str, Market] = {}

    @property
    def home(self) -> Market:
        """The market whose prices count where no account says otherwise."""
        return self.named(self._feeds.home)

    def of(self, account: Account) -> Market:
        """The market that an account trades in. Raises Unavailable for an exchange that there is not."""
        return self.home if account.exchange == PAPER else self.named(account.exchange)

    def named(self, exchange: str) -> Market:
        """The market of an exchange."""
        if exchange not in self._markets:
            self._markets[exchange] = Market(self._feeds.feed(exchange), self._clock, self._aliases)
        return self._markets[exchange]
