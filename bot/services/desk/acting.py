"""Acting without a tap: only by a standing permission, within its caps, and once for each state of a matter."""

import asyncio
import logging
from decimal import Decimal

from bot.ports.clock import Clock
from bot.ports.errors import PortError
from bot.ports.records import Alert, Proposal, ProposalState
from bot.ports.store import Store
from bot.ports.watching import Permission
from bot.services.desk.kinds import KINDS, severity_of
from bot.services.desk.permission import Permissions, occasion, reduces, refusal
from bot.services.desk.remedies import remedy_plan
from bot.services.hedge import Hedge
from bot.services.situation import Situation, Situations
from hedging.errors import HedgingError
from hedging.plan import HedgePlan

log = logging.getLogger(__name__)

AT_ONCE = 8
SECONDS = 10.0  # for one person
QUARTER = Decimal("0.25")


class Acting:
    def __init__(
        self, store: Store, permissions: Permissions, hedge: Hedge, situations: Situations, clock: Clock
    ) -> None:
        self._store = store
        self._permissions = permissions
        self._hedge = hedge
        self._situations = situations
        self._clock = clock

    async def run(self, shard: int, shards: int) -> int:
        """Act for those of the shard who permit it; for how many."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def act(permission: Permission) -> bool:
            async with gate:
                try:
                    async with asyncio.timeout(SECONDS):
                        return await self._for(permission)
                except (PortError, HedgingError, TimeoutError) as failure:
                    log.warning("nothing is done for user %s now: %s", permission.user_id, failure)
                    return False

        given = await self._store.permissions(shard, shards)
        return sum(await asyncio.gather(*map(act, given)))

    async def _for(self, permission: Permission) -> bool:
        """The most urgent matter that may be acted upon, if there is one."""
        user_id = permission.user_id
        alerts = sorted(await self._store.live_alerts(user_id), key=lambda a: (-severity_of(a), a.id))
        if not alerts or await self._store.latest_proposals(user_id, state=ProposalState.CONFIRMED, limit=1):
            return False
        situation = await self._situations.of(user_id, fresh=True)
        for alert in alerts:
            plan = self._plan(alert, permission, situation)
            if plan is not None:
                return await self._act(alert, permission, situation, plan)
        return False

    def _plan(self, alert: Alert, permission: Permission, situation: Situation) -> HedgePlan | None:
        """What is to be done about the alert, if that is permitted at all."""
        why = occasion(alert, permission, situation.snapshot.time)
        if not why or KINDS[alert.kind].remedy == "retarget":  # a rule is its owner's to change
            return None
        if why == "silence" and permission.silence == "quarter":
            if situation.exposure().coverage >= QUARTER:
                return None
            plan: HedgePlan | None = situation.plan(target=QUARTER)
        else:
            plan = remedy_plan(alert.kind, situation, equity=alert.facts.get("equity"))
        if plan is None or not plan.legs:
            return None
        only_reduce = permission.acts == "reduce" if why == "permitted" else permission.silence == "reduce"
        return None if only_reduce and not reduces(plan) else plan

    async def _act(self, alert: Alert, permission: Permission, situation: Situation, plan: HedgePlan) -> bool:
        now = self._clock.now()
        day = now.date().isoformat()
        refused = refusal(permission, plan, day)
        if refused:
            log.info("alert %s is outside the permission of user %s: %s", alert.id, alert.user_id, refused)
            return False
        draft = self._hedge.draft(
            alert.user_id,
            alert.user_id,
            situation.account,
            plan,
            key=f"auto:{alert.id}:{alert.version}",
            alert_id=alert.id,
        )
        card = await self._store.add_proposal(draft, supersede=False)
        if card.state is not ProposalState.OPEN or card.digest != draft.digest:
            return await self._resumed(card)
        # Counted first: what was cut off here is counted and not done, never the other way round.
        notional = sum((leg.notional for leg in plan.legs), Decimal(0))
        if await self._permissions.spend(permission, notional, day) is None:
            return False
        moved = await self._store.move_proposal(
            card.id,
            expect=ProposalState.OPEN,
            to=ProposalState.CONFIRMED,
            at=now,
            outcome={"auto": alert.kind, **situation.baseline()},
        )
        if moved is not None:
            await self._hedge.begin(moved)
        return moved is not None

    async def _resumed(self, card: Proposal) -> bool:
        """What an earlier life of this step began goes on; a price that has moved on waits for the next state."""
        if card.state is ProposalState.CONFIRMED:
            await self._hedge.begin(card)
        return False
