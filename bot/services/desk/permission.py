"""Standing permission: what may be done without a tap, within which caps, and how its owner gets there."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from bot.ports.errors import StaleVersion
from bot.ports.records import Account, Alert, AlertState
from bot.ports.store import Store
from bot.ports.watching import Permission, Silence
from bot.services.accounts import Accounts
from hedging.errors import BadInput
from hedging.plan import HedgePlan
from hedging.rules import MAX_LEVERAGE

log = logging.getLogger(__name__)

Acts = Literal["never", "reduce", "both"]
Step = Literal["watch", "paper", "confirm", "auto"]
Why = Literal["", "paused", "not_permitted", "adds", "order_cap", "day_cap", "leverage_cap", "slippage_cap"]

ANSWER_WITHIN = timedelta(minutes=15)  # market time; after that it counts as silence
ACTED_UPON = frozenset(("drift", "liquidation", "margin", "forced_close", "exit"))
ANSWERED_FOR = frozenset(("drift", "market_move", "liquidation", "margin", "forced_close"))
MOST_A_DAY = Decimal(1_000_000)
DUST = Decimal("0.0005")  # a price is rounded to its tick


@dataclass(frozen=True, slots=True)
class PermissionView:
    """`step`: where on the ladder from watching to acting its owner stands with this account."""

    permission: Permission
    account: Account
    step: Step


def refusal(permission: Permission, plan: HedgePlan, day: str) -> Why:
    """Why this plan is outside the caps on that day (ISO date, UTC); empty when it is within all of them."""
    if permission.paused:
        return "paused"
    notional = sum((leg.notional for leg in plan.legs), Decimal(0))
    spent = permission.spent if permission.spent_on == day else Decimal(0)
    if any(leg.notional > permission.order_cap for leg in plan.legs):
        return "order_cap"
    if spent + notional > permission.day_cap:
        return "day_cap"
    if any(not leg.reduce_only and leg.leverage > permission.leverage_cap for leg in plan.legs):
        return "leverage_cap"
    if any(abs(leg.limit_price / leg.mark_price - 1) > permission.slippage_cap + DUST for leg in plan.legs):
        return "slippage_cap"
    return ""


def reduces(plan: HedgePlan) -> bool:
    """Whether every order of it makes a short smaller."""
    return all(leg.reduce_only for leg in plan.legs)


def occasion(alert: Alert, permission: Permission, now: datetime) -> Literal["permitted", "silence", ""]:
    """Whether something is to be done about this alert at that market time: because its kind may be acted upon, or
    because its owner has not answered. What was put off, muted or is over is left alone."""
    if alert.state in (AlertState.RECOVERED, AlertState.SNOOZED, AlertState.MUTED):
        return ""
    if permission.acts != "never" and alert.kind in ACTED_UPON:
        return "permitted"
    unanswered = alert.state is not AlertState.ACKNOWLEDGED and now - alert.raised_at >= ANSWER_WITHIN
    if permission.silence != "nothing" and alert.kind in ANSWERED_FOR and unanswered:
        return "silence"
    return ""


class Permissions:
    def __init__(self, store: Store, accounts: Accounts) -> None:
        self._store = store
        self._accounts = accounts

    async def view(self, user_id: int) -> PermissionView:
        account = await self._accounts.in_use(user_id)
        permission = await self._store.permission(user_id)
        hedged = bool(await self._store.latest_proposals(user_id, limit=1))
        step: Step = "watch"
        if permission.acts != "never" or permission.silence != "nothing":
            step = "auto"
        elif hedged:
            step = "confirm" if account.mode == "live" else "paper"
        return PermissionView(permission, account, step)

    async def give(self, user_id: int, acts: Acts, silence: Silence) -> Permission:
        """What the card said, given with its tap."""
        return await self._change(user_id, acts=acts, silence=silence, paused=False)

    async def caps(
        self,
        user_id: int,
        *,
        order: Decimal | None = None,
        day: Decimal | None = None,
        leverage: int | None = None,
        slippage: Decimal | None = None,
    ) -> Permission:
        """New caps. A wider one takes the permission itself back: it is to be given again, on a card that names it.
        Raises BadInput."""
        now = await self._store.permission(user_id)
        new = replace(
            now,
            order_cap=now.order_cap if order is None else order,
            day_cap=now.day_cap if day is None else day,
            leverage_cap=now.leverage_cap if leverage is None else leverage,
            slippage_cap=now.slippage_cap if slippage is None else slippage,
        )
        if not 0 < new.order_cap <= new.day_cap <= MOST_A_DAY:
            raise BadInput("The cap of an order must be more than zero and at most the cap of a day.")
        if not 1 <= new.leverage_cap <= MAX_LEVERAGE:
            raise BadInput(f"The leverage must be a whole number from 1 to {MAX_LEVERAGE}.")
        if not Decimal("0.001") <= new.slippage_cap <= Decimal("0.05"):
            raise BadInput("The slippage must be between 0.1 % and 5 %.")
        wider = (
            new.order_cap > now.order_cap
            or new.day_cap > now.day_cap
            or new.leverage_cap > now.leverage_cap
            or new.slippage_cap > now.slippage_cap
        )
        if wider:
            new = replace(new, acts="never", silence="nothing")
        return await self._store.save_permission(new)

    async def pause(self, user_id: int, *, on: bool) -> Permission:
        """With `on`, nothing is done without a tap until it is taken off again."""
        return await self._change(user_id, paused=on)

    async def spend(self, permission: Permission, amount: Decimal, day: str) -> Permission | None:
        """Count it before it is done. None when the permission has changed since it was read."""
        spent = permission.spent if permission.spent_on == day else Decimal(0)
        try:
            return await self._store.save_permission(replace(permission, spent=spent + amount, spent_on=day))
        except StaleVersion:
            return None

    async def _change(
        self,
        user_id: int,
        *,
        acts: Acts | None = None,
        silence: Silence | None = None,
        paused: bool | None = None,
    ) -> Permission:
        """Somebody's own wish wins over what the watch counted meanwhile."""
        for _ in range(5):
            now = await self._store.permission(user_id)
            new = replace(
                now,
                acts=now.acts if acts is None else acts,
                silence=now.silence if silence is None else silence,
                paused=now.paused if paused is None else paused,
            )
            try:
                return await self._store.save_permission(new)
            except StaleVersion:
                log.info("the permission of user %s moved on while it was changed", user_id)
        raise StaleVersion(f"The permission of user {user_id} keeps moving on.")
