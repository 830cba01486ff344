"""What a market tells: contracts, quotes, funding and candles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hedging.assets import KNOWN, STABLECOINS, Alias, contract_base, resolve
from hedging.errors import BadInput, UnknownAsset, UnknownContract
from hedging.money import floor_to_step

# A mark within this share of the coin's spot price is that coin's. A premium of 20 % would cost longs more than any
# exchange's cap on funding lets them pay in a month; what merely shares a name is mostly off by thousands.
AGREES = Decimal("0.20")
# From so many times the spot price on (or that part of it) it is another thing; in between, as in a crash, it may be
# either.
ANOTHER = Decimal(3)

Fit = Literal["same", "apart", "another", "unknown"]


@dataclass(frozen=True, slots=True)
class Contract:
    """A perpetual. `symbol` in the unified notation: SOL/USDT:USDT is linear, BTC/USD:BTC inverse.

    Amounts of orders and positions are counted in contracts. One linear contract is `contract_size` units of `base`;
    one inverse contract is worth `contract_size` units of `quote`.
    """

    symbol: str
    base: str
    quote: str
    settle: str
    linear: bool
    contract_size: Decimal
    lot: Decimal  # step of an order's amount, in contracts
    tick: Decimal  # step of a price
    min_amount: Decimal  # contracts
    min_notional: Decimal  # quote units; zero where the exchange states none
    taker_fee: Decimal  # fraction of notional
    maker_fee: Decimal
    maintenance_margin_rate: Decimal  # fraction of notional, lowest tier
    max_leverage: int
    closes_at: datetime | None = (
        None  # when the exchange will settle what is open and delist it, once announced
    )
    max_amount: Decimal | None = None  # contracts of one order; None where the exchange states none

    @property
    def in_dollars(self) -> bool:
        """Whether its prices are dollars: what is quoted in another coin (ETH/BTC) has no place in sums of them."""
        return self.quote in STABLECOINS and (not self.linear or self.settle in STABLECOINS)

    def notional(self, contracts: Decimal, price: Decimal) -> Decimal:
        """Value in quote units of `contracts` at `price`; the sign is kept."""
        return contracts * self.contract_size * (price if self.linear else 1)

    def contracts(self, notional: Decimal, price: Decimal) -> Decimal:
        """The contracts worth at most `notional` quote units at `price`, rounded toward zero to the lot."""
        if price <= 0:
            raise BadInput(f"the price of {self.symbol} must be positive, not {price}")
        return floor_to_step(notional / (self.contract_size * (price if self.linear else 1)), self.lot)

    def profit(self, contracts: Decimal, entry: Decimal, price: Decimal) -> Decimal:
        """Profit of signed `contracts` from `entry` to `price`, in settle units.

        Linear: q (P - E); inverse: N (1/E - 1/P) with N in quote units. Source: Bybit, "P&L calculations (USDT
        Contract)" and "(Inverse Contract)".
        """
        size = contracts * self.contract_size
        return size * (price - entry) if self.linear else size * (1 / entry - 1 / price)


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices of one contract at one instant, in quote units per unit of base."""

    symbol: str
    bid: Decimal
    ask: Decimal
    mark: Decimal
    index: Decimal  # the spot index that the contract follows
    depth: Decimal  # quote units within about 0.1 % of the touch, on each side


@dataclass(frozen=True, slots=True)
class Funding:
    """`rate`: fraction of notional a long pays a short per `interval_hours`; negative: shorts pay."""

    symbol: str
    rate: Decimal
    interval_hours: int
    next_time: datetime

    @property
    def per_year(self) -> Decimal:
        """Simple annualisation of the present rate; positive when shorts receive."""
        return self.rate * (365 * 24) / self.interval_hours


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One exchange at one instant. `time` is the market's own clock (aware, UTC). `aliases`: what its coins really
    are, where they are not just themselves."""

    exchange: str
    time: datetime
    spot: Mapping[str, Decimal]  # asset -> price in US dollars, told by spot markets; stablecoins included
    quotes: Mapping[str, Quote]  # contract symbol -> quote
    funding: Mapping[str, Funding]
    contracts: Mapping[str, Contract]
    aliases: Mapping[str, Alias] = field(default_factory=lambda: KNOWN)

    def price(self, asset: str) -> Decimal:
        """The spot price of `asset`. Raises UnknownAsset."""
        try:
            return self.spot[asset]
        except KeyError:
            raise UnknownAsset(f"no price is known for {asset}") from None

    def contract(self, symbol: str) -> Contract:
        """The contract called `symbol`. Raises UnknownContract."""
        try:
            return self.contracts[symbol]
        except KeyError:
            raise UnknownContract(f"{self.exchange} has no contract {symbol}") from None

    def quote(self, symbol: str) -> Quote:
        """The quote of `symbol`. Raises UnknownContract."""
        try:
            return self.quotes[symbol]
        except KeyError:
            raise UnknownContract(f"{self.exchange} quotes no {symbol}") from None

    def stays(self, contract: Contract) -> bool:
        """Whether a position in it can be opened: it has a quote, and no delisting is announced."""
        return contract.symbol in self.quotes and contract.closes_at is None

    def worth(self, contract: Contract) -> Decimal | None:
        """What spot markets ask for one unit of the contract's base (a thousand PEPE for 1000PEPE), in US dollars; None
        where they tell no price of it. The contract's own index is no evidence: it tells what the contract is on."""
        own = self.spot.get(contract.base)
        if own is not None:
            return own
        coin, count = contract_base(contract.base)
        price, alias = self.spot.get(coin), resolve(coin, self.aliases)
        if price is None and alias.units is not None and alias.asset in self.spot:
            price = self.spot[alias.asset] * alias.units
        return None if price is None else price * count

    def fit(self, contract: Contract) -> Fit:
        """Whether a contract is on the coin that it is called after, by its mark against the coin's spot price: the
        same, too far apart just now, another thing, or unknown while one of them is missing."""
        quote, spot = self.quotes.get(contract.symbol), self.worth(contract)
        if quote is None or not quote.mark or not spot:
            return "unknown"
        price = quote.mark
        if abs(price / spot - 1) <= AGREES:
            return "same"
        return "another" if max(price / spot, spot / price) >= ANOTHER else "apart"

    def perpetual_of(self, asset: str) -> Contract | None:
        """A linear perpetual on `asset` that has a quote, fits its spot price and is to stay, if there is one."""
        for contract in self.contracts.values():
            right = contract.base == asset and contract.linear and contract.in_dollars
            if right and self.stays(contract) and self.fit(contract) == "same":
                return contract
        return None


@dataclass(frozen=True, slots=True)
class Candles:
    """Closes of several series on one time grid.

    `times`: (T,) datetime64[s], ascending, UTC, opening instants. `close`: (T, N) float64, NaN where a bar is missing
    (a late listing, a gap). `high`, `low`: the same shape, where known. `names`: N series: an asset for spot, a symbol
    for a contract.
    """

    names: tuple[str, ...]
    times: NDArray[np.datetime64]
    close: NDArray[np.float64]
    high: NDArray[np.float64] | None = field(default=None)
    low: NDArray[np.float64] | None = field(default=None)

    def __post_init__(self) -> None:
        if self.close.shape != (len(self.times), len(self.names)):
            raise BadInput(
                f"closes of shape {self.close.shape} do not fit {len(self.times)} bars of {len(self.names)} series"
            )

    def series(self, name: str) -> NDArray[np.float64]:
        """The (T,) closes of one series. Raises UnknownAsset."""
        try:
            column: NDArray[np.float64] = self.close[:, self.names.index(name)]
        except ValueError:
            raise UnknownAsset(f"there is no price history of {name}") from None
        return column
