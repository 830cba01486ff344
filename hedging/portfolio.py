"""What somebody holds and is short, and how exposed that leaves them."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Holding:
    """`amount` units of `asset`, bought at `cost` US dollars a unit if that is known."""

    asset: str
    amount: Decimal
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """An open perpetual. `contracts` is signed: negative is short. Prices in quote units. A long and a short of one
    symbol may be open side by side (hedge mode): they are two positions. `adl_rank`: its place in the queue for
    auto-deleveraging, from 1 (last) to 5 (first); None: not told."""

    symbol: str
    contracts: Decimal
    entry_price: Decimal
    mark_price: Decimal
    leverage: int
    margin_mode: str  # cross, isolated, portfolio, or unknown: one that nobody here can reckon with
    margin: Decimal  # collateral set aside, settle units
    unrealized_pnl: Decimal
    liquidation_price: Decimal | None
    beside: bool = False  # a long beside which a short of the same symbol can be held
    adl_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Exposure:
    """Beta-weighted exposure in US dollars of the market factor.

    `gross`: sum of value x beta over holdings; `offset`: sum of short notional x beta of its base;
    `coverage` = offset / gross, 0 when there is nothing to cover.
    """

    value: Decimal
    gross: Decimal
    offset: Decimal

    @property
    def coverage(self) -> Decimal:
        return self.offset / self.gross if self.gross > 0 else Decimal(0)
