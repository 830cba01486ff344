"""What a hedge plan is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from hedging.money import ZERO
from hedging.portfolio import Exposure

Facts = Mapping[str, str]  # numbers as plain decimal text, so that a view can format them in any language
Side = Literal["sell", "buy"]
Purpose = Literal["hedge", "rebalance", "unhedge"]


@dataclass(frozen=True, slots=True)
class Leg:
    """What a plan trades in one instrument: exactly what is shown and exactly what is sent. One order, or the several
    `parts` (contracts each) that it is split into where the exchange's largest order is smaller."""

    symbol: str
    side: Side
    contracts: Decimal  # positive, on the lot
    limit_price: Decimal  # the worst price accepted, on the tick
    mark_price: Decimal  # what it was reckoned with
    notional: Decimal  # quote units at the mark
    reduce_only: bool
    leverage: int
    fee: Decimal  # expected, quote units
    margin: Decimal  # initial margin needed, quote units; 0 when it only reduces
    position_after: Decimal  # signed contracts if wholly filled
    liquidation_price: Decimal | None  # of the position after; None when flat or not reachable
    assets: tuple[str, ...]  # the holdings that it protects
    parts: tuple[Decimal, ...] = ()

    @property
    def position_before(self) -> Decimal:
        """Signed contracts that the plan started from."""
        return self.position_after + (self.contracts if self.side == "sell" else -self.contracts)

    @property
    def kept(self) -> Decimal:
        """Contracts that stay short after it."""
        return max(-self.position_after, ZERO)


@dataclass(frozen=True, slots=True)
class LegPart:
    """One order of a plan. `leg`: the index of the leg that it is of; `number`: 0 for its first part."""

    leg: int
    number: int
    contracts: Decimal


@dataclass(frozen=True, slots=True)
class Choice:
    """How one holding is hedged, and why. `reason`: direct, cross, stablecoin, no_price, no_history, no_contract,
    weak_fit, too_small (less than the smallest order of its instrument); or why its short stays as it is just now:
    no_quote, apart (its contract's price is far from the coin's). `another`: that a contract of its name is on another
    thing, and was passed over."""

    asset: str
    value: Decimal
    method: Literal["direct", "cross", "none"]
    symbol: str | None
    ratio: float  # units of instrument notional short per unit of value, before the target
    beta: float  # against the rule's factor
    beta_se: float
    r_squared: float
    reason: str
    another: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One of the seven checkpoints: value, instrument, ratio, leverage, margin_mode, funding, exit."""

    key: str
    passed: bool
    reason: str  # a code that the views put into words
    facts: Facts


@dataclass(frozen=True, slots=True)
class HedgePlan:
    """Legs to trade, what they cost and what they achieve. Money in US dollars."""

    purpose: Purpose
    exchange: str
    target: Decimal
    factor: str
    legs: tuple[Leg, ...]
    choices: tuple[Choice, ...]
    checks: tuple[Check, ...]
    before: Exposure
    after: Exposure
    fees: Decimal
    funding_per_month: Decimal  # positive: the shorts receive
    margin: Decimal
    free_collateral: Decimal  # before the legs
    quoted_at: datetime  # market time of the snapshot

    @property
    def orders(self) -> tuple[LegPart, ...]:
        """What is sent, one after another. An attempt names its place in here."""
        return tuple(
            LegPart(index, number, contracts)
            for index, leg in enumerate(self.legs)
            for number, contracts in enumerate(leg.parts or (leg.contracts,))
        )
