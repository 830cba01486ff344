"""Just before an alert is sent: is it still true, and what would mend it at this very price?"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from bot.ports.errors import PortError
from bot.ports.records import Alert, AlertState, OutboxItem, Proposal
from bot.ports.store import Store
from bot.services.desk.cheaper import Switch, cheaper, switch
from bot.services.desk.kinds import KINDS
from bot.services.desk.pinned import PINNED, prepared
from bot.services.errors import ServiceError
from bot.services.hedge import Hedge, remedy_key
from bot.services.markets import Markets
from bot.services.results import Results
from bot.services.situation import Situation, Situations
from bot.services.status import Status, StatusView
from hedging.errors import HedgingError
from hedging.margin import contradicted
from hedging.plan import HedgePlan
from hedging.rules import MAX_TARGET, MIN_TARGET

log = logging.getLogger(__name__)

STEP = Decimal("0.25")  # of the targets on a card
SECONDS = 5.0  # for the look before one message: others wait behind it
REMEDY_LIFE = timedelta(hours=4)
CALM_LEVERAGE = Decimal(2)  # what a hedge is brought back to when its collateral runs short


class Remedies:
    """Prepares owed messages of the alert desk; others pass as they are."""

    def __init__(
        self,
        store: Store,
        hedge: Hedge,
        situations: Situations,
        status: Status,
        results: Results,
        markets: Markets,
    ) -> None:
        self._store = store
        self._results = results
        self._markets = markets
        self._hedge = hedge
        self._situations = situations
        self._status = status

    async def prepare(self, item: OutboxItem) -> OutboxItem | None:
        """None when the message would say what is no longer so, or would overwrite a card."""
        if item.kind == PINNED:
            return await prepared(self._store, self._results, item)
        if item.kind == "daily":
            return await self._daily(item)
        if item.kind not in ("alert", "recovered") or "alert_id" not in item.payload:
            return item
        alert = await self._store.alert(int(item.payload["alert_id"]))
        if alert is None or (item.edit is not None and alert.message_id != item.edit):
            return None  # its message has become a card or a receipt, or a newer one tells of it
        if item.kind == "recovered":
            return await self._over(item, alert)
        if alert.state is AlertState.RECOVERED:
            return None
        return replace(item, payload={**item.payload, **await self._fresh(alert)})

    async def _over(self, item: OutboxItem, alert: Alert) -> OutboxItem | None:
        """With the way back to the target of before, where its owner has changed it for this matter."""
        if KINDS[alert.kind].remedy != "retarget":
            return item
        done = [
            p for p in await self._store.latest_proposals(alert.user_id) if p.alert_id == alert.id
        ]  # the latest first
        before = done[0].outcome.get("target_before") if done else None
        if before is None:
            return item if item.edit is not None else None
        try:
            async with asyncio.timeout(SECONDS):
                situation = await self._situations.of(alert.user_id)
            if situation.rule.target != done[0].plan.target:  # they have changed it themselves since
                return item if item.edit is not None else None
            plan = situation.plan(target=Decimal(before))
        except (PortError, HedgingError, TimeoutError) as failure:
            log.info("the end of alert %s is told without a way back: %s", alert.id, failure)
            return item if item.edit is not None else None
        back = await self._owned(alert, plan, situation) if plan.legs else None
        if back is None:
            return item if item.edit is not None else None
        return replace(item, payload={**item.payload, **_told(back, "retarget")})

    async def _fresh(self, alert: Alert) -> dict[str, Any]:
        """What the hedge has done so far, and the remedy as it is priced now, stored so that its button does that."""
        told: dict[str, Any] = {
            "remedy": "none",
            "legs": [],
            "fees": "0",
            "proposal_id": None,
            "hedge_pnl": None,
        }
        try:
            async with asyncio.timeout(SECONDS):
                situation = await self._situations.of(alert.user_id)
                result = await self._results.of_both(situation)
        except (PortError, HedgingError, TimeoutError) as failure:  # better without a remedy than not at all
            log.info("alert %s goes out without a remedy: %s", alert.id, failure)
            return told
        if result is not None:
            told["hedge_pnl"] = str(result.hedge)
        if situation.positions and (leverage := _leverage(situation)) is not None:
            told["leverage"] = str(leverage)
        if alert.kind == "funding":
            found = await self._switch(situation)
            if found is not None:
                card = await self._owned(alert, found.plan, situation)
                return told | _told(card, "switch") | {"switch": found.record()}
            told["cheaper"] = await self._cheaper(situation)
        remedy = await self._remedy(alert, situation)
        if remedy is not None:
            told |= _told(remedy, "close" if remedy.plan.purpose == "unhedge" else KINDS[alert.kind].remedy)
        return told

    async def _switch(self, situation: Situation) -> Switch | None:
        try:
            async with asyncio.timeout(SECONDS):
                return await switch(self._situations, self._markets, situation)
        except (PortError, HedgingError, TimeoutError) as failure:
            log.info("no other coin is compared for user %d: %s", situation.account.user_id, failure)
            return None

    async def _cheaper(self, situation: Situation) -> dict[str, Any] | None:
        try:
            async with asyncio.timeout(SECONDS):
                found = await cheaper(self._store, self._markets, situation)
        except TimeoutError:
            return None
        return found.record() if found is not None else None

    async def _remedy(self, alert: Alert, situation: Situation) -> Proposal | None:
        try:
            plan = remedy_plan(
                alert.kind, situation, measure=alert.facts.get("measure"), equity=alert.facts.get("equity")
            )
        except HedgingError as failure:
            log.info("no remedy for alert %s: %s", alert.id, failure)
            return None
        return None if plan is None or not plan.legs else await self._owned(alert, plan, situation)

    async def _owned(self, alert: Alert, plan: HedgePlan, situation: Situation) -> Proposal:
        """Stored, so that a button can name it."""
        draft = self._hedge.draft(
            alert.user_id,
            alert.user_id,
            situation.account,
            plan,
            key=remedy_key(alert),
            alert_id=alert.id,
            life=REMEDY_LIFE,
        )
        return await self._store.add_proposal(draft, supersede=False)

    async def _daily(self, item: OutboxItem) -> OutboxItem:
        try:
            view = await self._status.view(item.user_id)
        except (PortError, HedgingError, ServiceError) as failure:
            log.info("the summary of user %s goes out without figures: %s", item.user_id, failure)
            return item
        return replace(item, payload={**item.payload, **_figures(view)})


def remedy_plan(
    kind: str, situation: Situation, *, measure: float | None = None, equity: float | None = None
) -> HedgePlan | None:
    """The plan that mends a matter of that kind; None where no order would. `measure`, `equity`: as its alert was
    raised. Raises HedgingError."""
    match KINDS[kind].remedy:
        case "rebalance":
            at_target = kind == "correlation" and _near_target(
                situation
            )  # the coverage may be as it should be
            return None if at_target else situation.plan()
        case "close":
            return situation.unwinding() if situation.shorts else None
        case "delever":
            return _delevered(situation, equity)
        case "retarget":
            return _retargeted(situation, measure)
        case _:
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
    """As much of the short as the collateral carries at the calm leverage. None on a balance that cannot be: nothing
    is closed for what an exchange tells once, or contradicts itself. `watched`: the equity when its alert was raised.
    """
    leverage = _leverage(situation)
    if not situation.shorts or leverage is None or leverage <= CALM_LEVERAGE:
        return None
    if not sound(situation, watched):
        return None
    target = situation.exposure().coverage * CALM_LEVERAGE / leverage
    if target < MIN_TARGET:
        return situation.unwinding()
    return situation.plan(target=min(target, Decimal(1)).quantize(Decimal("0.01")))


def sound(situation: Situation, watched: float | None = None) -> bool:
    """Whether the balance is one to go by: there is some, most of what was watched is still there, and the exchange's
    own liquidation prices do not contradict it."""
    equity, maintenance = situation.balance.equity, _maintenance(situation)
    if equity <= 0 or (watched is not None and float(equity) < watched / 2):
        return False
    rises = [
        float(p.liquidation_price / p.mark_price - 1)
        for p in situation.shorts
        if p.liquidation_price is not None
    ]
    largest = max((abs(n) for n in _notionals(situation)), default=Decimal(0))
    told = (np.array([float(x)]) for x in (equity, maintenance, largest, min(rises, default=float("nan"))))
    return not contradicted(*told)[0]


def _maintenance(situation: Situation) -> Decimal:
    """Margin that keeps the positions open: the account's own total, or by the lowest tiers."""
    told, listed = situation.balance.maintenance, situation.snapshot.contracts
    if told:
        return told
    held = [p for p in situation.positions if p.symbol in listed]
    return sum(
        (
            abs(listed[p.symbol].notional(p.contracts, p.mark_price))
            * listed[p.symbol].maintenance_margin_rate
            for p in held
        ),
        Decimal(0),
    )


def _leverage(situation: Situation) -> Decimal | None:
    """Notional of all positions over the equity behind them; None where none is told."""
    equity = situation.balance.equity
    return sum(map(abs, _notionals(situation)), Decimal(0)) / equity if equity > 0 else None


def _notionals(situation: Situation) -> list[Decimal]:
    """Of all positions; what is not listed any more is left out."""
    listed = situation.snapshot.contracts
    held = [p for p in situation.positions if p.symbol in listed]
    return [listed[p.symbol].notional(p.contracts, p.mark_price) for p in held]


def _figures(view: StatusView) -> Mapping[str, Any]:
    done = view.unhedged_pnl is not None and view.hedged_pnl is not None
    return {
        "value": str(view.value),
        "coverage": str(view.exposure.coverage),
        "target": str(view.rule.target),
        "positions": len(view.positions),
        "unhedged_pnl": str(view.unhedged_pnl) if done else None,
        "hedged_pnl": str(view.hedged_pnl) if done else None,
        "alerts": [alert.kind for alert in view.alerts],
    }


def _told(remedy: Proposal, kind: str) -> dict[str, Any]:
    return {
        "remedy": kind,
        "legs": _legs(remedy.plan),
        "fees": str(remedy.plan.fees),
        "proposal_id": remedy.id,
        "after": str(remedy.plan.after.coverage),
        "aim": str(remedy.plan.target),
    }


def _legs(plan: HedgePlan) -> list[dict[str, str]]:
    return [
        {
            "symbol": leg.symbol,
            "side": leg.side,
            "contracts": str(leg.contracts),
            "notional": str(leg.notional),
            "mark_price": str(leg.mark_price),
        }
        for leg in plan.legs
    ]
