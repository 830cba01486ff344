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
from hedging.carry import HOURS_A_MONTH, basis, funding_per_month
from hedging.errors import HedgingError
from hedging.margin import worst_pumps
from hedging.market import Candles, Contract, Snapshot
from hedging.plan import beta_weight, exposure
from hedging.portfolio import Holding
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
    stablecoins; `stands_for`: row of the coin that it is a claim on, mostly its own. Per contract that is quoted in
    dollars: `notional`, US dollars; `contract_weight`: beta of its base by factor; `funding`: received by a short in 30
    days, a fraction; `basis`; `upkeep`: maintenance margin rate; `mark`, the last one while there is no quote; `base`:
    row of its coin; `follows`: whether it is on that coin, and not on another thing of the same name."""

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
    follows: NDArray[np.bool_]
    history: History


class Street:
    """Makes the arrays of one exchange; what comes from its history is reckoned once a market hour."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._known: tuple[datetime, frozenset[str], tuple[str, ...], History] | None = None
        self._carry: dict[str, tuple[datetime, float]] = {}  # by symbol: when, and what it has been of late
        self._marks: dict[str, Decimal] = {}  # the last ones
        self._same: set[str] = set()  # contracts that have been found to be on their coin

    async def arrays(
        self, assets: Sequence[str], symbols: Sequence[str], factors: Sequence[str], *, name: str
    ) -> MarketArrays:
        """For these coins and contracts, read now. Raises Unavailable."""
        snapshot = await self._market.snapshot(fresh=True)
        known = snapshot.contracts
        listed = [symbol for symbol in symbols if symbol in known and known[symbol].in_dollars]
        bases = [_base(snapshot.contracts[symbol], snapshot) for symbol in listed]
        wanted = frozenset({*assets, *bases, *factors})
        wanted |= {underlying(name, snapshot.aliases) for name in wanted}
        history, names = await self._history(wanted, snapshot)
        await self._remember_funding([symbol for symbol in listed if symbol not in self._carry], snapshot)
        betas = {f: await self._market.betas(names, f, snapshot) for f in factors}
        row = {asset: n for n, asset in enumerate(names)}
        contracts = [snapshot.contracts[symbol] for symbol in listed]
        quotes = [snapshot.quotes.get(symbol) for symbol in listed]
        marks = [self._mark(contract, snapshot) for contract in contracts]
        notional = [c.notional(ONE, m) if m else None for c, m in zip(contracts, marks, strict=True)]
        follows = np.array([self._follows(contract, snapshot) for contract in contracts], dtype=np.bool_)
        return MarketArrays(
            name=name,
            time=snapshot.time,
            spot={asset: float(price) for asset, price in snapshot.spot.items()},
            asset_row=row,
            price=np.array([_unit(a, snapshot, betas[factors[0]], factors[0])[0] for a in names]),
            weight={f: np.array([_unit(a, snapshot, betas[f], f)[1] for a in names]) for f in factors},
            stands_for=np.array([row[underlying(a, snapshot.aliases)] for a in names], dtype=np.int64),
            symbol_row={symbol: n for n, symbol in enumerate(listed)},
            notional=_floats(notional),
            contract_weight={
                f: follows * np.array([_weight(contract, snapshot, betas[f], f) for contract in contracts])
                for f in factors
            },
            funding=np.array([self._funding(symbol, snapshot) for symbol in listed]),
            basis=np.array([float(basis(q)) if q and q.index > 0 else np.nan for q in quotes]),
            upkeep=np.array([float(c.maintenance_margin_rate) for c in contracts]),
            mark=_floats(marks),
            base=np.array([row[base] for base in bases], dtype=np.int64),
            follows=follows,
            history=history,
        )

    def _mark(self, contract: Contract, snapshot: Snapshot) -> Decimal | None:
        """Now, or as it was last; before it was ever seen, what its coin costs."""
        quote = snapshot.quotes.get(contract.symbol)
        if quote is not None:
            self._marks[contract.symbol] = quote.mark
        return self._marks.get(contract.symbol) or snapshot.worth(contract)

    def _follows(self, contract: Contract, snapshot: Snapshot) -> bool:
        """Once found to be on its coin, it stays that: a price may be torn away for a moment."""
        fit = snapshot.fit(contract)
        if fit == "same":
            self._same.add(contract.symbol)
        return fit != "another" or contract.symbol in self._same

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
                hours = sum(one.interval_hours for one in settled)  # also where the interval has changed
                self._carry[symbol] = (
                    snapshot.time,
                    sum(float(one.rate) for one in settled) * HOURS_A_MONTH / hours,
                )

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


def _weight(contract: Contract, snapshot: Snapshot, betas: Mapping[str, Estimate], factor: str) -> float:
    """US dollars of the factor that a dollar short of it offsets."""
    return float(beta_weight(underlying(contract.base, snapshot.aliases), betas, factor, snapshot.aliases))


def _floats(amounts: Sequence[Decimal | None]) -> Floats:
    """NaN where there is none."""
    return np.array([np.nan if amount is None else float(amount) for amount in amounts], dtype=np.float64)
