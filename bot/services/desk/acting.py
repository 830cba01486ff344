"""Acting without a tap: only by a standing permission for that account, within its caps, and once for each state of a
matter."""

import asyncio
import logging
from dataclasses import dataclass
from decimal import Decimal

from bot.ports.clock import Clock
from bot.ports.errors import PortError
from bot.ports.permissions import Permission
from bot.ports.records import Aim, Alert, Proposal, ProposalState
from bot.ports.store import Store
from bot.services.desk.advice import Advice, advise, opens, remedy_aim
from bot.services.desk.kinds import KINDS, severity_of
from bot.services.desk.permission import occasion, refusal, worst
from bot.services.hedge import Hedge, Work, work_of
from bot.services.outcomes import only_changed
from bot.services.reconciliation import Reconciliation
from bot.services.situation import Situation, Situations
from hedging.errors import HedgingError
from hedging.plan import HedgePlan

log = logging.getLogger(__name__)

AT_ONCE = 8
SECONDS = 10.0  # for one person
QUARTER = Decimal("0.25")


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be done about an alert, and what its card is for."""

    alert: Alert
    plan: HedgePlan
    aim: Aim


class Acting:
    def __init__(
        self,
        store: Store,
        hedge: Hedge,
        situations: Situations,
        reconciliation: Reconciliation,
        clock: Clock,
    ) -> None:
        self._store = store
        self._hedge = hedge
        self._situations = situations
        self._reconciliation = reconciliation
        self._clock = clock

    async def run(self, shard: int, shards: int) -> list[Work]:
        """Confirm what is to be done for those of the shard who permit it; the work that is to begin now.

        This runs in a step, where the durable engine starts nothing: the workflow around it begins the work."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def act(permission: Permission) -> Proposal | None:
            async with gate:
                try:
                    async with asyncio.timeout(SECONDS):
                        return await self._for(permission)
                except (PortError, HedgingError, TimeoutError) as failure:
                    log.warning("nothing is done for user %s now: %s", permission.user_id, failure)
                    return None

        given = await self._store.permissions(self._clock.now(), shard, shards)
        return [work_of(card) for card in await asyncio.gather(*map(act, given)) if card is not None]

    async def _for(self, permission: Permission) -> Proposal | None:
        """The confirmed card of the most urgent matter that may be acted upon, if there is one."""
        user_id = permission.user_id
        alerts = sorted(await self._store.live_alerts(user_id), key=lambda a: (-severity_of(a), a.id))
        if not alerts or await self._store.latest_proposals(user_id, state=ProposalState.CONFIRMED, limit=1):
            return None
        situation = await self._reconciliation.check(await self._situations.of(user_id, fresh=True))
        if situation.account.id != permission.account_id:
            return None
        advice = advise(alerts, situation)
        for alert in alerts:
            deed = self._deed(alert, advice[alert.id], permission, situation)
            if deed is not None:
                return await self._act(deed, permission, situation)
        return None

    def _deed(
        self, alert: Alert, advice: Advice, permission: Permission, situation: Situation
    ) -> Deed | None:
        """What is to be done about the alert, if that is permitted at all and no other matter asks for the opposite."""
        why = occasion(alert, permission, situation.snapshot.time)
        if (
            not why or advice.after or KINDS[alert.kind].remedy == "retarget"
        ):  # a rule is its owner's to change
            return None
        plan, aim = advice.plan, Aim()
        if why == "silence" and permission.silence == "quarter":
            if situation.exposure().coverage >= QUARTER:
                return None
            plan, aim = situation.plan(target=QUARTER), Aim("less")
        elif plan is not None:
            aim = remedy_aim(alert.kind, plan)
        if plan is None or not plan.legs:
            return None
        only_reduce = permission.acts == "reduce" if why == "permitted" else permission.silence == "reduce"
        return None if only_reduce and opens(plan) else Deed(alert, plan, aim)

    async def _act(self, deed: Deed, permission: Permission, situation: Situation) -> Proposal | None:
        now, alert, plan = self._clock.now(), deed.alert, deed.plan
        day = now.date().isoformat()
        refused = refusal(permission, plan, day)
        if refused:
            log.info("alert %s is outside the permission of user %s: %s", alert.id, alert.user_id, refused)
            return None
        key = f"auto:{alert.id}:{alert.version}:{situation.rule_version}"
        card, draft = await self._kept(deed, situation, key)
        if card.state is ProposalState.DONE and only_changed(card.outcome["legs"]):
            # Nothing was sent, because the position had changed: planned anew, once for each minute.
            card, draft = await self._kept(deed, situation, f"{key}:{now:%Y-%m-%dT%H:%M}")
        if card.state is not ProposalState.OPEN or card.digest != draft.digest:
            # What an earlier life of this step confirmed goes on; a price that has moved on waits for the next state.
            return card if card.state is ProposalState.CONFIRMED else None
        # Counted and confirmed together, and only while permission, pause, rule and account are what was read.
        return await self._store.move_proposal(
            card.id,
            expect=ProposalState.OPEN,
            to=ProposalState.CONFIRMED,
            at=now,
            outcome={"auto": alert.kind, **situation.baseline()},
            under=situation.rule_version,
            spends=permission.counted(sum(map(worst, plan.legs), Decimal(0)), day),
        )

    async def _kept(self, deed: Deed, situation: Situation, key: str) -> tuple[Proposal, Proposal]:
        """The card under this key, as it is kept, and as it was drafted now."""
        alert = deed.alert
        draft = self._hedge.draft(
            alert.user_id, alert.user_id, situation, deed.plan, key=key, aim=deed.aim, alert_id=alert.id
        )
        return await self._store.add_proposal(draft, supersede=False), draft
