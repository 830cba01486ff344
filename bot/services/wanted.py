"""What a card is for, as it is priced now, and whether what was shown still is that."""

from decimal import Decimal
from typing import Literal

from bot.ports.records import Proposal
from bot.services.situation import Situation
from hedging.plan import HedgePlan, Leg
from hedging.rules import MIN_TARGET, HedgeRule

PRICE_TOLERANCE = Decimal("0.0075")  # the mark may have moved so far since the card; below the slippage
SIZE_TOLERANCE = Decimal("0.02")  # and the size that is needed now may differ so much

# slow: the tap was long on its way; late: the offer was over; traded: something else was done since; update: an
# earlier version of the bot showed it.
Why = Literal["", "account", "update", "rule", "holdings", "position", "price", "slow", "late", "traded"]


def needed_for(shown: Proposal, situation: Situation) -> HedgePlan:
    """What the card is for, as it is priced now: never more than the rule wants, unless the card announces a new one.
    Raises NothingToHedge."""
    match shown.aim.kind:
        case "close":
            return situation.unwinding(asset=shown.aim.asset, share=shown.aim.share)
        case "new_rule":
            return situation.plan(target=shown.plan.target)
        case "less":
            return situation.plan(target=min(shown.plan.target, situation.rule.target))
        case _:
            return situation.plan()


def difference(shown: Proposal, needed: HedgePlan, situation: Situation) -> Why:
    """Why what was shown is not sent now, the first true reason; empty when it still is what is needed."""
    if shown.account_id != situation.account.id:
        return "account"
    if shown.rule_version is None:
        return "update"
    if shown.rule_version != situation.rule_version:
        return "rule"
    if still_right(shown.plan, needed):
        return ""
    if shown.holdings != situation.marked():
        return "holdings"
    held = {position.symbol: position.contracts for position in situation.shorts}
    moved = any(held.get(leg.symbol, Decimal(0)) != _start(leg) for leg in shown.plan.legs)
    return "position" if moved else "price"


def still_right(shown: HedgePlan, needed: HedgePlan) -> bool:
    """Whether sending what was shown still does what is needed: the same orders, at nearly the same price and size."""
    if {_order(leg) for leg in shown.legs} != {_order(leg) for leg in needed.legs} or not shown.legs:
        return False
    now = {leg.symbol: leg for leg in needed.legs}
    return all(
        abs(now[leg.symbol].mark_price / leg.mark_price - 1) <= PRICE_TOLERANCE
        and abs(now[leg.symbol].contracts / leg.contracts - 1) <= SIZE_TOLERANCE
        for leg in shown.legs
    )


def new_target(card: Proposal, rule: HedgeRule) -> Decimal | None:
    """The target that the rule has from the tap on, where the card announces one: the new rule's, or what a part of the
    hedge leaves when it is closed. None: the rule stays as it is."""
    if card.aim.kind == "new_rule":
        return card.plan.target if card.plan.target != rule.target else None
    if card.aim.kind == "close" and (card.aim.asset or card.aim.share < 1):
        left = card.plan.after.coverage.quantize(Decimal("0.01"))
        return left if MIN_TARGET <= left < rule.target else None
    return None


def _start(leg: Leg) -> Decimal:
    """Signed contracts before it."""
    return leg.position_after - (leg.contracts if leg.side == "buy" else -leg.contracts)


def _order(leg: Leg) -> tuple[object, ...]:
    leverage = None if leg.reduce_only else leg.leverage
    return (leg.symbol, leg.side, leg.reduce_only, leverage, len(leg.parts))
