"""One exchange's market as arrays: what a unit of each coin is worth and moves like, and what a contract is worth."""

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from bot.ports.errors import Unavailable
from bot.services.markets import Market
from hedging.assets import STABLECOINS, underlying
from hedging.carry import basis, funding_per_month
from hedging.errors import HedgingError
from hedging.margin import worst_pumps
from hedging.market import Candles, Contract, Snapshot
from hedging.plan import exposure
from hedging.portfolio import Holding, Position
from hedging.ratio import Estimate
from hedging.returns import aligned

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

RECENT_DAYS = 14  # the correlation now, against that of the days before
LATEST_DAYS = 3  # the volatility now
PUMP_HOURS = 24
CALMEST_PUMP, WILDEST_PUMP = 0.10, 1.0  # what a coin's own worst day is taken for, at least and at most
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class History:
    """Of A coins, from whole hourly returns: covariances a day over the latest days, the recent ones, and the
    whole rest; the worst rise within a day. Days: how many of each there are."""

    latest: Floats  # (A, A)
    recent: Floats
    before: Floats
    pump: Floats  # (A,)
    recent_days: float
    before_days: float


@dataclass(frozen=True, slots=True)
class MarketArrays:
    """A coins and S contracts. `price`: US dollars a unit, NaN where unknown; `weight`: beta by factor (A,), 0 for
    stablecoins; `stands_for`: row of the coin that it is a claim on, mostly its own. Per contract: `notional`, US
    dollars; `contract_weight`: beta of its base by factor; `funding`: received by a short in 30 days, a fraction;
    `basis`; `upkeep`: maintenance margin rate; `mark`; `base`: row of its coin."""

    name: str
    time: datetime
    spot: Mapping[str, float]
    asset_row: Mapping[str, int]
    price: Floats
    weight: Mapping[str, Floats]
    stands_for: NDArray[np.int64]
    symbol_row: Mapping[str, int]
    notional: Floats
    contract_weight: Mapping[str, Floats]
    funding: Floats
    basis: Floats
    upkeep: Floats
    mark: Floats
    base: NDArray[np.int64]
    history: History


class Street:
    """Makes the arrays of one exchange; what comes from its history is reckoned once a market hour."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._known: tuple[datetime, frozenset[str], tuple[str, ...], History] | None = None
        self._carry: dict[str, tuple[datetime, float]] = {}  # by symbol: when, and what it has been of late

    async def arrays(
        self, assets: Sequence[str], symbols: Sequence[str], factors: Sequence[str], *, name: str
    ) -> MarketArrays:
        """For these coins and contracts, read now. Raises Unavailable."""
        snapshot = await self._market.snapshot(fresh=True)
        listed = [symbol for symbol in symbols if symbol in snapshot.contracts]
        bases = [_base(snapshot.contracts[symbol], snapshot) for symbol in listed]
        wanted = frozenset({*assets, *bases, *factors})
        wanted |= {underlying(name, snapshot.aliases) for name in wanted}
        history, names = await self._history(wanted, snapshot)
        await self._remember_funding([symbol for symbol in listed if symbol not in self._carry], snapshot)
        betas = {f: await self._market.betas(names, f, snapshot) for f in factors}
        row = {asset: n for n, asset in enumerate(names)}
        contracts = [snapshot.contracts[symbol] for symbol in listed]
        worth = {f: [_short(symbol, snapshot, betas[f], f) for symbol in listed] for f in factors}
        quotes = [snapshot.quotes.get(symbol) for symbol in listed]
        notional = np.array(
            [float(c.notional(ONE, q.mark)) if q else np.nan for c, q in zip(contracts, quotes, strict=True)]
        )
        return MarketArrays(
            name=name,
            time=snapshot.time,
            spot={asset: float(price) for asset, price in snapshot.spot.items()},
            asset_row=row,
            price=np.array([_unit(a, snapshot, betas[factors[0]], factors[0])[0] for a in names]),
            weight={f: np.array([_unit(a, snapshot, betas[f], f)[1] for a in names]) for f in factors},
            stands_for=np.array([row[underlying(a, snapshot.aliases)] for a in names], dtype=np.int64),
            symbol_row={symbol: n for n, symbol in enumerate(listed)},
            notional=notional,
            contract_weight={
                f: np.array(worth[f]) / np.where(notional > 0, notional, np.nan) for f in factors
            },
            funding=np.array([self._funding(symbol, snapshot) for symbol in listed]),
            basis=np.array([float(basis(q)) if q and q.index > 0 else np.nan for q in quotes]),
            upkeep=np.array([float(c.maintenance_margin_rate) for c in contracts]),
            mark=np.array([float(q.mark) if q else np.nan for q in quotes]),
            base=np.array([row[base] for base in bases], dtype=np.int64),
            history=history,
        )

    async def _remember_funding(self, symbols: Sequence[str], snapshot: Snapshot) -> None:
        """Begin with what was settled within the last day; where nothing tells, with the present rate."""

        async def begin(symbol: str) -> None:
            rate = snapshot.funding.get(symbol)
            if rate is None or rate.interval_hours < 1:
                return
            try:
                settled = await self._market.settled_funding(symbol, since=snapshot.time - timedelta(days=1))
            except Unavailable as failure:
                log.info("the funding of %s that was settled is not known: %s", symbol, failure)
                return
            if settled:
                mean = sum(float(funding_per_month(ONE, one)) for one in settled) / len(settled)
                self._carry[symbol] = snapshot.time, mean

        await asyncio.gather(*map(begin, symbols))

    def _funding(self, symbol: str, snapshot: Snapshot) -> float:
        """What a short receives a month, as it has been of late: the present rate drawn from that of the last ticks, of
        which what is one funding interval old counts a third. A crash turns rates around for an hour; whoever closed
        the hedge for that would lose it just when it serves.
        """
        rate = snapshot.funding.get(symbol)
        if rate is None or rate.interval_hours < 1:
            return np.nan
        now = float(funding_per_month(ONE, rate))
        at, before = self._carry.get(symbol, (snapshot.time, now))
        passed = max((snapshot.time - at).total_seconds(), 0.0) / (rate.interval_hours * 3600)
        lately = before + (now - before) * -math.expm1(-passed)
        self._carry[symbol] = snapshot.time, lately
        return lately

    async def _history(self, wanted: frozenset[str], snapshot: Snapshot) -> tuple[History, tuple[str, ...]]:
        """What was known for this hour, if it speaks of all that are wanted."""
        hour = snapshot.time.replace(minute=0, second=0, microsecond=0)
        known = self._known
        if known is not None and known[0] == hour and wanted <= known[1]:
            return known[3], known[2]
        names = tuple(sorted(wanted | (known[1] if known else frozenset())))
        try:
            candles = await self._market.hours([n for n in names if n in snapshot.spot], hour)
        except Unavailable:
            if known is None or not wanted <= known[1]:
                raise
            return known[3], known[2]  # an hour older, which is better than nothing
        history = history_of(names, candles)
        self._known = (hour, frozenset(names), names, history)
        return history, names


def _base(contract: Contract, snapshot: Snapshot) -> str:
    """The coin whose prices tell how the contract moves: that of 1000PEPE is PEPE."""
    known = contract.base in snapshot.spot
    return contract.base if known else underlying(contract.base, snapshot.aliases)


def history_of(names: Sequence[str], candles: Candles) -> History:
    """A missing return counts as none: it moves nothing and nothing moves with it."""
    returns = aligned(candles)
    hours = len(returns.values)
    values = np.zeros((hours, len(names)))
    column = {name: n for n, name in enumerate(returns.names)}
    for n, name in enumerate(names):
        if name in column and name not in STABLECOINS:
            values[:, n] = np.nan_to_num(returns.values[:, column[name]])
    recent, latest = min(24 * RECENT_DAYS, hours // 2), min(24 * LATEST_DAYS, hours // 2)
    high = candles.close if candles.high is None else candles.high
    pump = np.full(len(names), CALMEST_PUMP)
    for n, name in enumerate(names):
        if name in candles.names:
            place = candles.names.index(name)
            pump[n] = _pump(candles.close[:, place], high[:, place])
    return History(
        latest=_covariance(values[hours - latest :]),
        recent=_covariance(values[hours - recent :]),
        before=_covariance(values[: hours - recent]),
        pump=np.clip(pump, CALMEST_PUMP, WILDEST_PUMP),
        recent_days=recent / 24,
        before_days=(hours - recent) / 24,
    )


def _covariance(returns: Floats) -> Floats:
    """Around zero: over hours, the mean is noise."""
    count = max(len(returns), 1)
    return returns.T @ returns * (24 / count)


def _pump(close: Floats, high: Floats) -> float:
    try:
        return worst_pumps(close, high, [PUMP_HOURS])[0]
    except HedgingError:  # too little history: the calmest is assumed below
        return 0.0


def _unit(asset: str, snapshot: Snapshot, betas: Mapping[str, Estimate], factor: str) -> tuple[float, float]:
    """What one unit is worth, and its beta, exactly as a plan reckons them."""
    one = exposure([Holding(asset, ONE)], (), snapshot, betas, factor)
    return (float(one.value), float(one.gross / one.value)) if one.value > 0 else (np.nan, 0.0)


def _short(symbol: str, snapshot: Snapshot, betas: Mapping[str, Estimate], factor: str) -> float:
    """What a short of one contract offsets, in US dollars of the factor."""
    quote = snapshot.quotes.get(symbol)
    if quote is None:
        return np.nan
    short = Position(symbol, -ONE, quote.mark, quote.mark, 1, "cross", ONE, Decimal(0), None)
    return float(exposure((), [short], snapshot, betas, factor).offset)
