"""Markets and trading, in the domain's words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, Protocol

from bot.ports.records import Account, Balance, Order, OrderReport
from hedging.market import Candles, Funding, Snapshot
from hedging.portfolio import Position

MarginMode = Literal["cross", "isolated"]
Forced = Literal["adl", "liquidation", "settlement"]


class MarketFeed(Protocol):
    """Public market data of one exchange, read once for everybody. Every read raises Unavailable when it fails."""

    name: str

    async def snapshot(self) -> Snapshot:
        """Every spot price, quote, funding rate and contract at one instant."""
        ...

    async def candles(self, names: Sequence[str], *, since: datetime, bar: timedelta = ...) -> Candles:
        """Closes and highs of assets (spot) or contract symbols (marks) from `since` up to now, on one grid."""
        ...

    async def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]:
        """The funding that was settled in (since, now], ascending; `next_time` is when each was settled."""
        ...


class Exchange(Protocol):
    """Trading on one exchange. Reads raise Unavailable; writes raise Rejected or Ambiguous, never anything else."""

    name: str

    async def positions(self, account: Account) -> Sequence[Position]:
        """Every open position."""
        ...

    async def balance(self, account: Account) -> Balance: ...

    async def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        """Set the leverage of a symbol; setting what is already set succeeds."""
        ...

    async def place(self, account: Account, order: Order) -> OrderReport:
        """Send the order once. Rejected: nothing stands. Ambiguous: look it up by our id."""
        ...

    async def find_order(self, account: Account, symbol: str, client_id: str) -> OrderReport | None:
        """The order that carries our id, or None when the exchange does not know of one."""
        ...

    @property
    def settles_within(self) -> timedelta:
        """After this long an order that is still not found was never accepted (time-out + receive window + skew)."""
        ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """An exchange's key. Neither its text nor its representation shows anything of it."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a key may do. None: the exchange does not tell."""

    futures: bool | None
    withdraw: bool | None
    address_list: bool | None


@dataclass(frozen=True, slots=True)
class TradeFill:
    """One execution. `contracts` is positive; `fee` in settle units; `forced`: the exchange's doing, not an order's.
    `side` is None where the exchange does not tell it with its executions."""

    symbol: str
    order_id: str
    side: Literal["sell", "buy"] | None
    contracts: Decimal
    price: Decimal
    fee: Decimal
    time: datetime
    forced: Forced | None = None


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """One funding settlement of an account. `amount`: received in `asset`; negative is paid."""

    symbol: str
    amount: Decimal
    asset: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Tier:
    """A step of the maintenance margin: from `notional` (quote units) on, at most `max_leverage`."""

    notional: Decimal
    maintenance_margin_rate: Decimal
    max_leverage: int


class RealExchange(Exchange, Protocol):
    """What an exchange with real accounts tells besides. Reads raise Unavailable; writes Rejected or Ambiguous."""

    async def permissions(self, account: Account) -> Permissions: ...

    async def hedge_mode(self, account: Account, symbol: str) -> bool:
        """Whether the account holds longs and shorts of a symbol side by side. It is the user's, and never switched."""
        ...

    async def margin_mode(self, account: Account, symbol: str) -> MarginMode | None:
        """None where the exchange does not tell before a position is open."""
        ...

    async def set_margin_mode(self, account: Account, symbol: str, mode: MarginMode) -> None:
        """Setting what is already set succeeds."""
        ...

    async def fills(self, account: Account, symbol: str, since: datetime) -> Sequence[TradeFill]:
        """Executions from `since` on, ascending."""
        ...

    async def funding_paid(self, account: Account, symbol: str, since: datetime) -> Sequence[FundingPayment]:
        """Funding from `since` on, ascending."""
        ...

    async def forced_closes(self, account: Account, symbol: str, since: datetime) -> Sequence[TradeFill]:
        """What the exchange itself closed from `since` on, ascending."""
        ...

    async def open_orders(self, account: Account, symbol: str) -> Sequence[OrderReport]:
        """Orders that still rest, ours and others'."""
        ...

    async def tiers(self, account: Account, symbol: str) -> Sequence[Tier]:
        """The maintenance margin's steps, ascending; empty where the exchange tells none."""
        ...
