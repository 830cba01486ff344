"""From a rule, a portfolio and a market to a hedge plan."""

from hedging.plan.parts import Check, Choice, Facts, HedgePlan, Leg, LegPart, Purpose, Side
from hedging.plan.proposal import digest, propose, unwind
from hedging.plan.sizing import beta_weight, choose, exposure

__all__ = [
    "Check",
    "Choice",
    "Facts",
    "HedgePlan",
    "Leg",
    "LegPart",
    "Purpose",
    "Side",
    "beta_weight",
    "choose",
    "digest",
    "exposure",
    "propose",
    "unwind",
]
