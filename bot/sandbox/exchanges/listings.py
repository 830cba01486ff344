"""What a stand-in lists besides the market's own contracts, as real listings do: siblings that settle in another coin,
multiples, contracts of a coin's name on another thing, funding at other hours. Their prices follow the market's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.sandbox.exchanges.market import Market
from hedging.market import Candles, Contract, Funding, Quote, Snapshot
from hedging.money import ceil_to_step, floor_to_step

_START = datetime(1970, 1, 1, tzinfo=UTC)
_USUAL_HOURS = 8


@dataclass(frozen=True, slots=True)
class Listing:
    """A perpetual of any name. `of`: the market's contract that it moves with, at `times` its price; `over`: another
    one whose price its own is a multiple of (ETH/BTC)."""

    symbol: str
    of: str
    times: Decimal = Decimal(1)
    over: str = ""

    def contract(self, known: Contract) -> Contract:
        base, _, rest = self.symbol.partition("/")
        quote, _, settle = rest.partition(":")
        scale = Decimal("1e-7") if self.over else self.times
        tick = Decimal(1).scaleb((known.tick * scale).adjusted())
        return replace(
            known,
            symbol=self.symbol,
            base=base,
            quote=quote,
            settle=settle,
            linear=settle == quote,
            tick=tick,
        )

    def quote(self, quotes: Mapping[str, Quote], contract: Contract) -> Quote:
        known, times = quotes[self.of], self.times
        if self.over:
            times /= quotes[self.over].mark
        return Quote(
            symbol=self.symbol,
            bid=max(floor_to_step(known.bid * times, contract.tick), contract.tick),
            ask=ceil_to_step(known.ask * times, contract.tick),
            mark=_short(known.mark * times),
            index=_short(known.index * times),
            depth=known.depth,
        )


@dataclass(slots=True)
class Listings:
    """A market (bot.sandbox.exchanges.market) with more listed in it. `coins`: spot prices by the coin that they follow
    and the multiple of its price; `hours`: since when a contract's funding is settled so often."""

    market: Market
    more: dict[str, Listing] = field(default_factory=dict)
    coins: dict[str, tuple[str, Decimal]] = field(default_factory=dict)
    hours: dict[str, tuple[datetime, int]] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.market.now()

    def add(self, symbol: str, of: str, times: Decimal = Decimal(1), over: str = "") -> None:
        """List it. Raises LookupError for a contract that the market does not have."""
        for known in (of, over):
            if known and known not in self.market.snapshot().contracts:
                raise LookupError(f"there is no contract {known}")
        self.more[symbol] = Listing(symbol, of, times, over)

    def snapshot(self) -> Snapshot:
        now = self.market.snapshot()
        contracts, quotes, funding = dict(now.contracts), dict(now.quotes), dict(now.funding)
        for symbol, listing in self.more.items():
            if {listing.of, listing.over or listing.of} <= now.quotes.keys():
                contracts[symbol] = listing.contract(now.contracts[listing.of])
                quotes[symbol] = listing.quote(now.quotes, contracts[symbol])
                funding[symbol] = replace(now.funding[listing.of], symbol=symbol)
        for symbol, (_, hours) in self.hours.items():
            if symbol in funding:
                funding[symbol] = _every(hours, funding[symbol], now.time)
        spot = dict(now.spot)
        spot |= {coin: _short(spot[of] * times) for coin, (of, times) in self.coins.items() if of in spot}
        return replace(now, contracts=contracts, quotes=quotes, funding=funding, spot=spot)

    def candles(self, names: Sequence[str], since: datetime, bar: timedelta) -> Candles:
        """Of a contract over another one, those of the first alone."""
        places = [self._followed(name) for name in names]
        told = self.market.candles([name for name, _ in places], since, bar)
        times = [float(multiple) for _, multiple in places]
        high, low = (None if part is None else part * times for part in (told.high, told.low))
        return Candles(tuple(names), told.times, told.close * times, high, low)

    def drill(self) -> timedelta | None:
        return self.market.drill()

    def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]:
        settled = self.market.funding_since(self._followed(symbol)[0], since)
        settled = [replace(item, symbol=symbol) for item in settled]
        if symbol not in self.hours:
            return settled
        changed, hours = self.hours[symbol]
        present = self.snapshot().funding[symbol].rate
        every = timedelta(hours=hours)
        at = _START + ((max(changed, since) - _START) // every + 1) * every
        found = [item for item in settled if item.next_time <= changed]
        while at <= self.now():
            found.append(Funding(symbol, present, hours, at))
            at += every
        return found

    def _followed(self, name: str) -> tuple[str, Decimal]:
        """The market's series that one of ours moves with, and the multiple."""
        if name in self.more:
            return self.more[name].of, self.more[name].times
        return self.coins.get(name, (name, Decimal(1)))


def _every(hours: int, funding: Funding, now: datetime) -> Funding:
    """The same a year, settled every so many hours."""
    every = timedelta(hours=hours)
    rate = (funding.rate * hours / funding.interval_hours).quantize(Decimal("1e-8"))
    return Funding(funding.symbol, rate, hours, _START + ((now - _START) // every + 1) * every)


def _short(price: Decimal) -> Decimal:
    return Decimal(f"{price:.8g}")
