"""What deserves an alert, what it says, and the remedy that it carries."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.ports.clock import Clock
from bot.ports.records import Alert, AlertState, OutboxItem, Proposal, ProposalState
from bot.ports.store import AlertChange, Store, Watched
from bot.services.hedge import Hedge
from bot.services.memory import Memory
from bot.services.situation import Situation
from bot.services.status import hedge_began, profits
from hedging.errors import HedgingError
from hedging.plan import HedgePlan

log = logging.getLogger(__name__)

MOVE_LASTS = timedelta(hours=24)  # market time without another move, after which the matter is over
REMEDY_LIFE = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Seen:
    """One user at this tick."""

    watched: Watched
    situation: Situation
    memory: Memory
    value: float
    coverage: float

    @property
    def hedged(self) -> bool:
        return self.memory.hedged

    def live(self, kind: str) -> Alert | None:
        return next((alert for alert in self.watched.alerts if alert.kind == kind), None)


class Matters:
    """From what a tick saw of somebody to the alerts that change."""

    def __init__(self, store: Store, hedge: Hedge, clock: Clock) -> None:
        self._store = store
        self._hedge = hedge
        self._clock = clock

    async def of(self, one: Seen, *, drifts: bool, moves: bool) -> list[AlertChange]:
        """What is raised, woken or recovered for one user. A move that also made coverage drift is one alert."""
        now = one.situation.snapshot.time
        changes = []
        drift, move = one.live("drift"), one.live("market_move")
        if drifts and (drift is None or _woken(drift, one)):
            changes.append(await self._raised(one, "drift", drift))
        elif moves and drift is None and (move is None or not _asleep(move, one)):
            changes.append(await self._raised(one, "market_move", move))
            move = None
        if drift is not None and not drifts:
            changes.append(await self._recovered(one, drift))
        if move is not None and now - move.updated_at > MOVE_LASTS:
            changes.append(AlertChange(replace(move, state=AlertState.RECOVERED, updated_at=now)))
        return changes

    async def _raised(self, one: Seen, kind: str, earlier: Alert | None) -> AlertChange:
        now = one.situation.snapshot.time
        remedy = await self._remedy(one)
        facts = await self._facts(one, kind, remedy)
        number = 0 if earlier is None else earlier.version + 1
        if earlier is None:
            alert = Alert(0, one.watched.user.id, kind, AlertState.RAISED, facts, now, now)
        else:
            alert = replace(
                earlier,
                state=AlertState.RAISED,
                facts=facts,
                updated_at=now,
                snoozed_until=None,
                message_id=None,
            )
        return AlertChange(alert, self._message(one, "alert", facts, f"{kind}:{now.isoformat()}:{number}"))

    async def _recovered(self, one: Seen, alert: Alert) -> AlertChange:
        now = one.situation.snapshot.time
        over = replace(alert, state=AlertState.RECOVERED, updated_at=now)
        remedy = alert.facts.get("proposal_id")
        taken = await self._store.proposal(str(remedy)) if remedy else None
        if taken is not None and taken.state not in (ProposalState.OPEN, ProposalState.EXPIRED):
            return AlertChange(over)  # its message has become a card or a receipt: leave that alone
        if alert.message_id is None or not one.hedged:
            return AlertChange(over)
        facts = {**alert.facts, "coverage": str(one.coverage), "alert_id": alert.id}
        message = self._message(one, "recovered", facts, f"{alert.id}:{alert.version}")
        return AlertChange(over, replace(message, edit=alert.message_id, silent=True))

    async def _remedy(self, one: Seen) -> Proposal | None:
        """The priced way back to the target, stored so that the alert's button can confirm exactly that."""
        user = one.watched.user
        try:
            plan = one.situation.plan()
        except HedgingError as failure:
            log.info("no remedy for user %s: %s", user.id, failure)
            return None
        if not plan.legs:
            return None
        stamp = one.situation.snapshot.time.isoformat()
        draft = self._hedge.draft(
            user.id, user.chat_id, one.situation.account, plan, key=f"remedy:{stamp}", life=REMEDY_LIFE
        )
        return await self._store.add_proposal(draft, supersede=False)

    async def _facts(self, one: Seen, kind: str, remedy: Proposal | None) -> dict[str, Any]:
        began = await hedge_began(self._store, one.watched.user.id)
        unhedged, hedged = profits(began, one.situation)
        reference = one.memory.reference_value(one.situation)
        plan: HedgePlan | None = remedy.plan if remedy else None
        return {
            "kind": kind,
            "exchange": one.watched.account.exchange,
            "mode": one.watched.account.mode,
            "coverage": str(one.coverage),
            "target": str(one.watched.rule.target),
            "band": str(one.watched.rule.band),
            "value": str(one.value),
            "change": one.value / reference - 1 if reference > 0 else None,
            "hedge_pnl": None if unhedged is None or hedged is None else str(hedged - unhedged),
            "proposal_id": remedy.id if remedy else None,
            "legs": _legs(plan),
            "fees": str(plan.fees) if plan else "0",
        }

    def _message(self, one: Seen, kind: str, facts: Mapping[str, Any], part: str) -> OutboxItem:
        user = one.watched.user
        return OutboxItem(
            key=f"{kind}:{user.id}:{part}",
            user_id=user.id,
            chat_id=user.chat_id,
            kind=kind,
            payload=facts,
            created_at=self._clock.now(),
        )


def _asleep(alert: Alert, one: Seen) -> bool:
    """A snooze that is not over."""
    until = alert.snoozed_until
    return alert.state is AlertState.SNOOZED and until is not None and until > one.situation.snapshot.time


def _woken(alert: Alert, one: Seen) -> bool:
    """A snooze that is over while the matter is not."""
    until = alert.snoozed_until
    return alert.state is AlertState.SNOOZED and until is not None and until <= one.situation.snapshot.time


def _legs(plan: HedgePlan | None) -> list[dict[str, str]]:
    return [
        {
            "symbol": leg.symbol,
            "side": leg.side,
            "contracts": str(leg.contracts),
            "notional": str(leg.notional),
            "mark_price": str(leg.mark_price),
        }
        for leg in (plan.legs if plan else ())
    ]
