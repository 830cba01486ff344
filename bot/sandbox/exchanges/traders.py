"""Who trades on a loopback exchange, and what they have there: keys, money, orders and positions."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from hedging.money import ZERO
from hedging.paper import FundingPaid, PaperAccount, PaperPosition

Side = Literal["sell", "buy"]
PositionSide = Literal["both", "long", "short"]
Forced = Literal["adl", "liquidation", "settlement"]

LONG = "#long"  # behind the symbol of the second position, of accounts that hold both sides


@dataclass(slots=True)
class DeskOrder:
    """An immediate-or-cancel order and what came of it. `hidden`: look-ups that do not see it yet. `working`: look-ups
    that see it before its end."""

    id: int
    client_id: str
    symbol: str
    side: Side
    contracts: Decimal
    limit_price: Decimal
    reduce_only: bool
    position_side: PositionSide
    time: datetime
    leverage: int = 1
    filled: Decimal = ZERO
    average: Decimal | None = None
    fee: Decimal = ZERO  # settle units
    realized: Decimal = ZERO
    forced: Forced | None = None
    hidden: int = 0
    working: int = 0

    @property
    def complete(self) -> bool:
        return self.filled == self.contracts

    def seen(self) -> "DeskOrder":
        """As the next look finds it: half filled while it is at work."""
        if not self.working:
            return self
        found = replace(self, filled=self.filled // 2)
        self.working -= 1
        return found


@dataclass(slots=True)
class Trader:
    """One account with its key.

    `margin`: the margin mode of the whole account, or one that none of its contracts has (portfolio); empty: each
    contract has its own. `multi_assets`: all collateral backs every contract, and not each settle coin its own.
    `idle`: assets whose collateral is switched off. `worth`: US dollars a unit of what has no market price, or another.
    `ranks`: by symbol, its shorts' place in the queue for auto-deleveraging, from 1 (last) to 5 (first).
    """

    key: str
    secret: str
    passphrase: str
    account: PaperAccount
    hedged: bool = False
    can_trade: bool = True
    can_withdraw: bool = False
    address_list: bool = True
    revoked: bool = False
    reads_only: bool = False
    europe: bool = False  # its owner's exchange is the one for Europe
    elsewhere: bool = False  # its address list leaves this machine out
    only: Literal["live", "demo"] | None = None  # the exchange that knows the key; None: both
    expires: datetime | None = None
    margin: str = ""
    multi_assets: bool = False
    idle: list[str] = field(default_factory=list)
    worth: dict[str, Decimal] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    orders: list[DeskOrder] = field(default_factory=list)
    funding: list[FundingPaid] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Held:
    """One open position; `side` is "both" in one-way mode."""

    symbol: str
    side: PositionSide
    position: PaperPosition
