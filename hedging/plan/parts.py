"""What a hedge plan is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from hedging.portfolio import Exposure

Facts = Mapping[str, str]  # numbers as plain decimal text, so that a view can format them in any language
Side = Literal["sell", "buy"]
Purpose = Literal["hedge", "rebalance", "unhedge"]


@dataclass(frozen=True, slots=True)
class Leg:
    """One order of a plan: exactly what is shown and exactly what is sent."""

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
