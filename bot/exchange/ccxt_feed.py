"""The MarketFeed port over ccxt: one exchange's public prices, read in bulk and once for everybody."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any, Generic, TypeVar

from bot.exchange.candles.reader import DOLLARS, CandleReader, milliseconds
from bot.exchange.ccxt_clients import Clients
from bot.exchange.ccxt_outcome import Malformed, NotFound, read
from bot.exchange.ccxt_values import contract_of, time_of
from bot.exchange.dialects.dialect import Dialect, MarketRow
from bot.ports.clock import Clock
from bot.ports.errors import Unavailable
from bot.ports.exchange import Health, Liquidity
from hedging.assets import contract_base
from hedging.errors import BadInput
from hedging.market import Candles, Contract, Funding, Quote, Snapshot
from hedging.money import ZERO, decimal

log = logging.getLogger(__name__)
T = TypeVar("T")

_HOUR = timedelta(hours=1)
_USUAL_HOURS = 8  # between two settlements of funding, and at most
_MOST_PAGES = 60
_SHARED_FOR = timedelta(seconds=0.5)
_FUNDING_FRESH = _INTERVALS_FRESH = timedelta(minutes=1)
_LIQUIDITY_FRESH = timedelta(minutes=15)
_TOUCHES_IN_DEPTH, _DEPTHS_IN_TURNOVER = 10, 5000
_SIDES = ("bids", "asks")
_LEVELS = 100  # of an order book
_TOUCH = Decimal("0.001")  # how far from the best price it counts as depth


@dataclass(frozen=True, slots=True)
class _Read(Generic[T]):
    """What was told, from which time on, and when."""

    told: T
    at: datetime
    since: datetime


class CcxtFeed:
    """Public market data of one exchange, read once for everybody. Three calls a snapshot; the contracts are read anew
    every hour, funding intervals and settled funding at most once a minute. A quote's depth is reckoned on the safe
    side: ten times what rests at the touch, of the smaller side, or a five-thousandth of a day's turnover where that is
    not told in bulk."""

    def __init__(self, dialect: Dialect, clients: Clients, clock: Clock) -> None:
        self._dialect, self._clients, self._clock = dialect, clients, clock
        self.name = dialect.name
        self._listed: Mapping[str, Contract] = {}
        self._listed_from: object = None  # the markets that they were made of
        self._intervals: Mapping[str, int] = {}  # hours, where the rates do not tell them
        self._intervals_at: datetime | None = None
        self._candles = CandleReader(dialect, clock)
        self._snapshot: _Read[Snapshot] | None = None
        self._settled: dict[str, _Read[list[Funding]]] = {}
        self._liquidity: dict[str, _Read[Liquidity]] = {}
        self._interest: dict[str, Decimal] = {}  # quote units, where it comes with the prices
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def health(self) -> Health:
        return self._clients.guard().health

    async def snapshot(self) -> Snapshot:
        """The market now; whoever asks while it is being read, or within half a second, shares one read."""
        async with self._turns[""]:
            known = self._snapshot
            if known is None or self._clock.now() - known.at > _SHARED_FOR:
                told = await self._market_now()
                known = self._snapshot = _Read(told, self._clock.now(), told.time)
        return known.told

    async def _market_now(self) -> Snapshot:
        async def work(client: Any) -> Snapshot:
            contracts = await self._contracts(client)
            rows, books, _ = await asyncio.gather(
                self._dialect.rows(client), self._dialect.spot(client), self._read_intervals(client)
            )
            quotes: dict[str, Quote] = {}
            funding: dict[str, Funding] = {}
            times = []
            for row in rows:
                contract = contracts.get(row.symbol)
                if contract is None:
                    continue
                try:
                    quotes[row.symbol] = _quote(row, contract)
                except (BadInput, Malformed):
                    continue  # it is not quoted now
                with suppress(BadInput, Malformed):  # a rate that is not told is no reason not to trade
                    funding[row.symbol] = self._funding(row)
                if row.time:
                    times.append(row.time)
                if row.open_interest is not None:
                    self._interest[row.symbol] = contract.notional(
                        decimal(row.open_interest), quotes[row.symbol].mark
                    )
            if not quotes:
                raise Malformed("no contract has a quote")
            spot = _spot(books)
            now = time_of(max(times)) if times else self._clock.now()
            return Snapshot(self.name, now, spot, quotes, funding, contracts)

        return await self._read("its prices", work)

    async def candles(
        self, names: Sequence[str], *, since: datetime, bar: timedelta = _HOUR, until: datetime | None = None
    ) -> Candles:
        """Also only those that open before `until`. A name that the exchange does not list has no bars."""
        if not self._candles.has(bar):
            raise Unavailable(f"{self._dialect.title} has no candles of {bar}.")

        async def work(client: Any) -> Candles:
            return await self._candles.read(client, names, since, bar, until, self._misfits())

        return await self._read("its candles", work)

    def _misfits(self) -> Collection[str]:
        """Contracts whose marks did not fit the spot price of their coin when the market was read last."""
        if self._snapshot is None:
            return ()
        last = self._snapshot.told
        return [symbol for symbol, contract in last.contracts.items() if last.fit(contract) != "same"]

    async def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]:
        async with self._turns[symbol]:
            known = self._settled.get(symbol)
            if known is None or since < known.since or self._clock.now() - known.at > _FUNDING_FRESH:
                start = datetime.combine(since.astimezone(UTC), time.min, UTC)  # others ask from nearby
                told = await self._read(
                    f"the funding of {symbol}", partial(self._funding_from, symbol, start)
                )
                known = self._settled[symbol] = _Read(told, self._clock.now(), start)
        return [item for item in known.told if item.next_time > since]

    async def _funding_from(self, symbol: str, since: datetime, client: Any) -> list[Funding]:
        if symbol not in client.markets:
            raise Malformed(f"{symbol} is not listed")
        found: dict[datetime, Decimal] = {}
        start = since
        for _ in range(_MOST_PAGES):
            rows = await client.fetch_funding_rate_history(symbol, milliseconds(start) + 1, 100)
            page = {time_of(row.get("timestamp")): decimal(row["fundingRate"]) for row in rows}
            new = {at: rate for at, rate in page.items() if at > start}
            found |= new
            if len(rows) < 100 or not new:
                break
            start = max(new)
        times = sorted(found)
        hours = _hours_between(times, self._intervals.get(symbol, _USUAL_HOURS))
        return [Funding(symbol, found[at], span, at) for at, span in zip(times, hours, strict=True)]

    async def liquidity(self, symbol: str) -> Liquidity:
        """From the order book, and the open interest, which some exchanges tell with their prices."""
        async with self._turns[f"liquidity of {symbol}"]:
            known = self._liquidity.get(symbol)
            if known is None or self._clock.now() - known.at > _LIQUIDITY_FRESH:
                told = await self._read(
                    f"how much of {symbol} is traded", partial(self._liquidity_of, symbol)
                )
                known = self._liquidity[symbol] = _Read(told, self._clock.now(), self._clock.now())
        return known.told

    async def _liquidity_of(self, symbol: str, client: Any) -> Liquidity:
        contract = (await self._contracts(client)).get(symbol)
        if contract is None:
            raise Malformed(f"{symbol} is not listed")
        told = await client.fetch_order_book(symbol, _LEVELS)
        bids, asks = (
            [(decimal(price), decimal(amount)) for price, amount, *_ in told[side]] for side in _SIDES
        )
        if not bids or not asks:
            raise Malformed(f"nobody trades {symbol} now")
        lowest, highest = bids[0][0] * (1 - _TOUCH), asks[0][0] * (1 + _TOUCH)
        depth = min(
            sum((contract.notional(amount, price) for price, amount in bids if price >= lowest), ZERO),
            sum((contract.notional(amount, price) for price, amount in asks if price <= highest), ZERO),
        )
        interest = self._interest.get(symbol)
        if interest is None and client.has.get("fetchOpenInterest"):
            row = await client.fetch_open_interest(symbol)
            amount, value = row.get("openInterestAmount"), row.get("openInterestValue")
            if amount is not None:
                interest = contract.notional(decimal(amount), bids[0][0])
            else:
                interest = None if value is None else decimal(value)
        return Liquidity(depth, interest)

    async def prices(self) -> Mapping[str, Decimal]:
        """What `bot.exchange.ccxt_accounts` values coins with: by asset in dollars, and marks by symbol."""
        snapshot = await self.snapshot()
        return {**snapshot.spot, **{symbol: quote.mark for symbol, quote in snapshot.quotes.items()}}

    async def _contracts(self, client: Any) -> Mapping[str, Contract]:
        if self._listed_from is not client.markets:
            found = (contract_of(market, self._dialect) for market in client.markets.values())
            listed = {contract.symbol: contract for contract in found if contract}
            self._listed, self._listed_from = listed, client.markets
        return self._listed

    async def _read_intervals(self, client: Any) -> None:
        """Anew every minute: they change at a moment's notice. Until they can be read again, the last ones stand."""
        if self._intervals_at is not None and self._clock.now() - self._intervals_at < _INTERVALS_FRESH:
            return
        try:
            self._intervals = await self._dialect.intervals(client)
        except Exception as failure:  # ccxt raises anything
            if self._intervals_at is None:
                raise
            log.info("%s did not tell its funding intervals: %s", self._dialect.title, type(failure).__name__)
        self._intervals_at = self._clock.now()

    def _funding(self, row: MarketRow) -> Funding:
        hours = row.interval_hours or self._intervals.get(row.symbol) or _USUAL_HOURS
        return Funding(row.symbol, decimal(row.rate), hours, time_of(row.next_funding))

    async def _read(self, what: str, work: Callable[[Any], Awaitable[T]]) -> T:
        async def bound() -> T:
            return await work(await self._clients.public())

        try:
            return await read(self._dialect, what, bound, self._clients.set_clock)
        except NotFound as missing:
            raise Unavailable(f"{self._dialect.title} did not tell {what}.") from missing


def _quote(row: MarketRow, contract: Contract) -> Quote:
    bid, ask = decimal(row.bid), decimal(row.ask)
    mark = decimal(row.mark) if row.mark is not None else (bid + ask) / 2
    index = decimal(row.index) if row.index is not None else mark
    if min(bid, ask, mark, index) <= 0 or bid > ask:
        raise Malformed("a price cannot be")
    sizes = [decimal(size) for size in (row.bid_size, row.ask_size) if size is not None]
    depth = ZERO
    if len(sizes) == 2:
        depth = contract.notional(min(sizes), mark) * _TOUCHES_IN_DEPTH
    elif row.turnover is not None:
        depth = decimal(row.turnover) / _DEPTHS_IN_TURNOVER
    return Quote(contract.symbol, bid, ask, mark, index, max(depth, ZERO))


def _hours_between(times: Sequence[datetime], otherwise: int) -> list[int]:
    """The hours that each of these settlements is for: from the one before, and of the first as to the next. A gap that
    is longer than any interval is a settlement that was not told; there it is as it was."""
    gaps = [round((after - before) / _HOUR) for before, after in pairwise(times)]
    longest = max(_USUAL_HOURS, otherwise)
    known = otherwise if not gaps or not 1 <= gaps[0] <= longest else gaps[0]
    found = []
    for gap in [known, *gaps][: len(times)]:
        known = gap if 1 <= gap <= longest else known
        found.append(known)
    return found


def _spot(books: Mapping[str, Any]) -> dict[str, Decimal]:
    """Assets in US dollars, by the middle of their best quotes; stablecoins count as dollars. Raises Malformed."""
    spot: dict[str, Decimal] = {}
    for money in DOLLARS:
        for symbol, book in books.items():
            base, slash, quote = str(symbol).partition("/")
            if not slash or quote != money or base in spot or not book:
                continue
            try:
                bid, ask = book.get("bid"), book.get("ask")
                told = (decimal(bid) + decimal(ask)) / 2 if bid and ask else decimal(book.get("last"))
            except BadInput:
                continue
            if told > 0:
                spot[base] = told
    if not spot:
        raise Malformed("no coin has a price")
    for name in list(spot):  # a thousand CAT that trade as 1000CAT tell what CAT costs
        coin, count = contract_base(name)
        spot.setdefault(coin, spot[name] / count)
    return spot | {coin: Decimal(1) for coin in ("USDT", "USDC")}
