"""Just before an alert is sent: is it still true, and what would mend it at this very price?"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.ports.errors import PortError
from bot.ports.records import Aim, Alert, AlertState, OutboxItem, Proposal
from bot.ports.store import Store
from bot.services.desk.advice import Advice, advise, remedy_aim
from bot.services.desk.cheaper import Switch, cheaper, switch
from bot.services.desk.collateral import leverage_of
from bot.services.desk.kinds import KINDS
from bot.services.desk.permission import PAUSE_OVER, pause_over
from bot.services.desk.pinned import PINNED, prepared
from bot.services.errors import ServiceError
from bot.services.hedge import Hedge, remedy_key
from bot.services.markets import Markets
from bot.services.reconciliation import Reconciliation
from bot.services.results import Results
from bot.services.situation import Situation, Situations
from bot.services.status import Status, StatusView
from hedging.errors import HedgingError
from hedging.plan import HedgePlan

log = logging.getLogger(__name__)

SECONDS = 5.0  # for the look before one message: others wait behind it
REMEDY_LIFE = timedelta(hours=4)


class Remedies:
    """Prepares owed messages of the alert desk; others pass as they are."""

    def __init__(
        self,
        store: Store,
        hedge: Hedge,
        situations: Situations,
        reconciliation: Reconciliation,
        status: Status,
        results: Results,
        markets: Markets,
    ) -> None:
        self._store = store
        self._results = results
        self._markets = markets
        self._hedge = hedge
        self._situations = situations
        self._reconciliation = reconciliation
        self._status = status

    async def prepare(self, item: OutboxItem) -> OutboxItem | None:
        """None when the message would say what is no longer so, or would overwrite a card."""
        if item.kind == PINNED:
            return await prepared(self._store, self._results, item)
        if item.kind == PAUSE_OVER:
            return await pause_over(self._store, item)
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
                situation = await self._seen(alert.user_id)
            if situation.rule.target != done[0].plan.target:  # they have changed it themselves since
                return item if item.edit is not None else None
            plan = situation.plan(target=Decimal(before))
        except (PortError, HedgingError, TimeoutError) as failure:
            log.info("the end of alert %s is told without a way back: %s", alert.id, failure)
            return item if item.edit is not None else None
        back = await self._owned(alert, plan, situation, Aim("new_rule")) if plan.legs else None
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
                situation = await self._seen(alert.user_id)
                result = await self._results.of_both(situation)
        except (PortError, HedgingError, TimeoutError) as failure:  # better without a remedy than not at all
            log.info("alert %s goes out without a remedy: %s", alert.id, failure)
            return told
        if result is not None:
            told["hedge_pnl"] = str(result.hedge)
        if situation.positions and (leverage := leverage_of(situation)) is not None:
            told["leverage"] = str(leverage)
        if "coverage" in alert.facts:  # beside another alert's, it must be the same
            told["coverage"] = float(situation.exposure().coverage)
        advice = await self._advice(alert, situation)
        if advice.after:
            return told | {"waits_for": advice.after}
        if alert.kind == "funding":
            found = await self._switch(situation)
            if found is not None:
                card = await self._owned(alert, found.plan, situation, Aim("new_rule"))
                return told | _told(card, "switch") | {"switch": found.record()}
            told["cheaper"] = await self._cheaper(situation)
        if advice.plan is not None:
            remedy = await self._owned(alert, advice.plan, situation, remedy_aim(alert.kind, advice.plan))
            told |= _told(remedy, "close" if remedy.plan.purpose == "unhedge" else KINDS[alert.kind].remedy)
        return told

    async def _seen(self, user_id: int) -> Situation:
        return await self._reconciliation.verified(await self._situations.of(user_id))

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

    async def _advice(self, alert: Alert, situation: Situation) -> Advice:
        """Beside all that is open: two messages never advise the opposite."""
        live = await self._store.live_alerts(alert.user_id)
        return advise([*(one for one in live if one.id != alert.id), alert], situation)[alert.id]

    async def _owned(self, alert: Alert, plan: HedgePlan, situation: Situation, aim: Aim) -> Proposal:
        """Stored, so that a button can name it."""
        draft = self._hedge.draft(
            alert.user_id,
            alert.user_id,
            situation,
            plan,
            key=remedy_key(alert, situation, plan),
            aim=aim,
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
            "limit_price": str(leg.limit_price),
        }
        for leg in plan.legs
    ]
