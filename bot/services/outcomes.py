"""What became of a card's orders, leg by leg, as its receipt tells it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bot.ports.records import TERMINAL, Attempt, AttemptState
from hedging.money import ZERO
from hedging.plan import HedgePlan, Leg

BUSY = "busy"  # no attempt: another order on the account and symbol is open or unknown
CHANGED = "position_changed"  # not sent: the position was not the one that the plan started from

_SETTLED = frozenset(state.value for state in TERMINAL - {AttemptState.MANUAL})


def legs_of(plan: HedgePlan, attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    """One record a leg, JSON-able; the orders of a leg that was split are added up. `attempts`: by place and number."""
    latest = {attempt.leg: attempt for attempt in attempts}
    sent: list[list[Attempt]] = [[] for _ in plan.legs]
    for place, order in enumerate(plan.orders):
        if place in latest:
            sent[order.leg].append(latest[place])
    return [_told(index, leg, mine) for index, (leg, mine) in enumerate(zip(plan.legs, sent, strict=True))]


def status_of(plan: HedgePlan, legs: Sequence[Mapping[str, Any]]) -> str:
    """complete, partial, nothing or manual. A hedge that was to be closed is closed when nothing of it is left."""
    if any(leg["state"] not in _SETTLED for leg in legs):
        return "manual"
    filled = [Decimal(leg["filled"]) for leg in legs]
    if not any(filled):
        return "nothing"
    left = plan.purpose == "unhedge" and any(Decimal(leg["left"]) for leg in legs)
    whole = all(
        leg["state"] == AttemptState.FILLED or Decimal(leg["contracts"]) == done
        for leg, done in zip(legs, filled, strict=True)
    )
    return "complete" if whole and not left else "partial"


def only_changed(legs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether nothing was traded, and that because a position had changed."""
    untraded = not any(Decimal(leg["filled"]) for leg in legs)
    return untraded and any(leg["reason"] == CHANGED for leg in legs)


def _told(index: int, leg: Leg, mine: Sequence[Attempt]) -> dict[str, Any]:
    filled = sum((one.filled for one in mine), ZERO)
    priced = [one for one in mine if one.filled and one.average_price is not None]
    state, reason = _end(leg, mine, filled)
    before = -mine[0].position_before if mine and leg.reduce_only else leg.contracts
    return {
        "leg": index,
        "symbol": leg.symbol,
        "side": leg.side,
        "contracts": str(leg.contracts),
        "limit_price": str(leg.limit_price),
        "mark_price": str(leg.mark_price),
        "notional": str(leg.notional),
        "filled": str(filled),
        "average_price": None if not priced else str(_average(priced)),
        "fee": str(sum((one.fee for one in mine), ZERO)),
        "state": state,
        "reason": reason,
        "order_id": next((one.order_id for one in mine if one.order_id), None),
        "orders": sum(1 for one in mine if one.filled),
        "left": str(max(before - leg.contracts - leg.kept, ZERO)),  # was open beyond what the plan knew of
    }


def _average(priced: Sequence[Attempt]) -> Decimal | None:
    if len(priced) == 1:
        return priced[0].average_price
    paid = sum((one.filled * (one.average_price or ZERO) for one in priced), ZERO)
    return paid / sum((one.filled for one in priced), ZERO)


def _end(leg: Leg, mine: Sequence[Attempt], filled: Decimal) -> tuple[str, str]:
    """How the leg ended, and why not whole."""
    if not mine:
        return AttemptState.REJECTED.value, BUSY
    end = mine[-1]
    if end.state is AttemptState.REJECTED and end.reason == "reduce_only" and filled:
        return AttemptState.FILLED.value, ""  # the parts before have closed all that was open
    whole = end.state is AttemptState.FILLED and end.filled == end.contracts
    if (
        whole and filled < leg.contracts and len(mine) < len(leg.parts)
    ):  # the next part found the symbol taken
        return AttemptState.REJECTED.value, BUSY
    return end.state.value, end.reason
