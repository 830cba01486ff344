"""What would mend each matter at this very price, and which of several matters comes first.

Two matters may ask for the opposite: coverage that fell wants a larger short, a liquidation that is near a smaller one.
Then the one that comes first in `FIRST` is advised upon, and the other one waits for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.ports.records import Aim, Alert, AlertState
from bot.services.desk.collateral import leverage_of, sound
from bot.services.desk.kinds import ADL, FAR, KINDS
from bot.services.situation import Situation
from hedging.errors import HedgingError
from hedging.plan import HedgePlan
from hedging.rules import MAX_TARGET, MIN_TARGET

STEP = Decimal("0.25")  # of the targets on a card
CALM_LEVERAGE = Decimal(2)  # what a hedge is brought back to when its collateral runs short
PUT_OFF = frozenset((AlertState.SNOOZED, AlertState.MUTED, AlertState.RECOVERED))

# What keeps the hedge alive, then what its owner agreed upon, then what their rule wants, then mere offers.
FIRST = (
    "margin",
    "liquidation",
    "adl",
    "exit",
    "forced_close",
    "drift",
    "market_move",
    "orphan",
    "correlation",
    "volatility",
    "stale",
    "funding",
)


@dataclass(frozen=True, slots=True)
class Advice:
    """`plan`: what would mend it, if any order would. `after`: the kind of the matter that comes first, while it asks
    for the opposite."""

    plan: HedgePlan | None = None
    after: str = ""


def advise(alerts: Iterable[Alert], situation: Situation) -> Mapping[int, Advice]:
    """For each of one person's matters, by alert id. What they have put off keeps no other back."""
    told: dict[int, Advice] = {}
    leading: tuple[str, bool] | None = None
    for alert in sorted(alerts, key=lambda a: (_rank(a.kind), a.id)):
        plan = _planned(alert, situation)
        if plan is None or not plan.legs:
            told[alert.id] = Advice()
        elif leading is not None and leading[1] != opens(plan):
            told[alert.id] = Advice(after=leading[0])
        else:
            told[alert.id] = Advice(plan)
            if leading is None and alert.state not in PUT_OFF:
                leading = (alert.kind, opens(plan))
    return told


def opens(plan: HedgePlan) -> bool:
    """Whether any order of it makes a short larger."""
    return any(not leg.reduce_only for leg in plan.legs)


def remedy_aim(kind: str, plan: HedgePlan) -> Aim:
    """What the card of a remedy is for."""
    if plan.purpose == "unhedge":
        return Aim("close")
    match KINDS[kind].remedy:
        case "delever":
            return Aim("less")
        case "retarget":
            return Aim("new_rule")
        case _:
            return Aim()


def remedy_plan(
    kind: str, situation: Situation, *, measure: float | None = None, equity: float | None = None
) -> HedgePlan | None:
    """The plan that mends a matter of that kind; None where no order would. `measure`, `equity`: as its alert was
    raised. Raises HedgingError."""
    match KINDS[kind].remedy:
        case "rebalance":
            at_target = kind == "correlation" and _near_target(situation)  # coverage may be as it should be
            return None if at_target else situation.plan()
        case "close":
            return situation.unwinding() if situation.shorts else None
        case "delever":
            plan = _delevered(situation, equity)
            closes = plan is not None and plan.purpose == "unhedge"
            return None if kind == ADL and closes else plan  # nobody closes a hedge lest it be closed
        case "retarget":
            return _retargeted(situation, measure)
        case _:
            return None


def gone(alert: Alert, situation: Situation) -> bool:
    """Whether what the alert is about can be seen to be over, before the watch has found so."""
    if alert.state is AlertState.RECOVERED:
        return True
    if alert.kind == ADL:
        ranks = [short.adl_rank or 0 for short in situation.shorts if short.symbol == alert.subject]
        return all(rank <= FAR for rank in ranks)
    match KINDS[alert.kind].remedy:
        case "rebalance":
            return (
                bool(situation.shorts) and alert.kind in ("drift", "forced_close") and _near_target(situation)
            )
        case "close":
            return not situation.shorts
        case "delever":
            leverage = leverage_of(situation)
            return not situation.shorts or (leverage is not None and leverage <= CALM_LEVERAGE)
        case _:
            return False


def _rank(kind: str) -> int:
    return FIRST.index(kind) if kind in FIRST else len(FIRST)


def _planned(alert: Alert, situation: Situation) -> HedgePlan | None:
    try:
        facts = alert.facts
        return remedy_plan(alert.kind, situation, measure=facts.get("measure"), equity=facts.get("equity"))
    except HedgingError:
        return None


def _retargeted(situation: Situation, times: float | None) -> HedgePlan | None:
    """More of it covered, so that what stays open swings about as much as it did: `times` as wild, a share of 1/times
    stays open. In the steps of a card, within the bounds of a rule."""
    if times is None or times <= 1 or not situation.shorts:
        return None
    left_open = (1 - situation.rule.target) / Decimal(str(times))
    target = min(((1 - left_open) / STEP).quantize(Decimal(1)) * STEP, MAX_TARGET)
    return situation.plan(target=target) if target > situation.rule.target else None


def _near_target(situation: Situation) -> bool:
    """Within the inner band, where drift ends: an order would change nothing that matters."""
    rule = situation.rule
    return abs(situation.exposure().coverage - rule.target) <= rule.band / 2


def _delevered(situation: Situation, watched: float | None) -> HedgePlan | None:
    """As much of the short as the collateral carries at the calm leverage, and never more than the rule wants. None on
    a balance that cannot be: nothing is closed for what an exchange tells once, or contradicts itself. `watched`: the
    equity when its alert was raised."""
    leverage = leverage_of(situation)
    if not situation.shorts or leverage is None or leverage <= CALM_LEVERAGE:
        return None
    if not sound(situation, watched):
        return None
    target = min(situation.exposure().coverage * CALM_LEVERAGE / leverage, situation.rule.target)
    if target < MIN_TARGET:
        return situation.unwinding()
    return situation.plan(target=target.quantize(Decimal("0.01")))
