"""Standing permission: what may be done without a tap on one account, within which caps, and the way there."""

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from bot.ports.clock import Clock
from bot.ports.errors import StaleVersion
from bot.ports.permissions import Acts, Pause, Permission, Silence
from bot.ports.records import Account, Alert, AlertState, OutboxItem
from bot.ports.store import Store
from bot.ports.watching import AlertSettings
from bot.services.accounts import Accounts
from bot.services.desk.hours import next_at
from hedging.errors import BadInput
from hedging.plan import HedgePlan, Leg
from hedging.rules import MAX_LEVERAGE

log = logging.getLogger(__name__)

Step = Literal["watch", "paper", "confirm", "auto"]
Why = Literal["", "not_permitted", "adds", "order_cap", "day_cap", "leverage_cap", "slippage_cap"]
Outlived = Literal[
    "account", "terms", "late"
]  # what a card that gives a permission was shown under, and is over

ANSWER_WITHIN = timedelta(minutes=15)  # market time; after that it counts as silence
OFFERED_FOR = timedelta(minutes=5)  # wall time: so long a card can give a permission
LONGEST_PAUSE = timedelta(days=30)
ACTED_UPON = frozenset(("drift", "liquidation", "margin", "forced_close", "exit"))
ANSWERED_FOR = frozenset(("drift", "market_move", "liquidation", "margin", "forced_close"))
MOST_A_DAY = Decimal(1_000_000)
DUST = Decimal("0.0005")  # a price is rounded to its tick
PAUSE_OVER = "pause_over"  # the message at the end of a pause


@dataclass(frozen=True, slots=True)
class PermissionView:
    """`step`: where on the ladder from watching to acting its owner stands with this account. `pause`: the one that
    holds now."""

    permission: Permission
    account: Account
    step: Step
    pause: Pause | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A card that gives a permission: what for, and under what it was shown. Its button carries all of it."""

    acts: Acts
    silence: Silence
    account_id: int
    terms: int
    until: datetime


def worst(leg: Leg) -> Decimal:
    """The notional of an order at the worst price that it allows: what counts against the caps, since the market moves
    between the decision and the exchange."""
    return leg.notional * (1 + abs(leg.limit_price / leg.mark_price - 1))


def refusal(permission: Permission, plan: HedgePlan, day: str) -> Why:
    """Why this plan is outside the caps on that day (ISO date, UTC); empty when it is within all of them. What the plan
    orders in one contract is one order, in however many parts it is sent."""
    orders: dict[str, Decimal] = {}
    for leg in plan.legs:
        orders[leg.symbol] = orders.get(leg.symbol, Decimal(0)) + worst(leg)
    if any(notional > permission.order_cap for notional in orders.values()):
        return "order_cap"
    if permission.used(day) + sum(orders.values(), Decimal(0)) > permission.day_cap:
        return "day_cap"
    if any(not leg.reduce_only and leg.leverage > permission.leverage_cap for leg in plan.legs):
        return "leverage_cap"
    if any(abs(leg.limit_price / leg.mark_price - 1) > permission.slippage_cap + DUST for leg in plan.legs):
        return "slippage_cap"
    return ""


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
    def __init__(self, store: Store, accounts: Accounts, clock: Clock) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock

    async def view(self, user_id: int) -> PermissionView:
        """Of the account in use."""
        account = await self._accounts.in_use(user_id)
        permission = await self._store.permission(user_id, account.id)
        hedged = bool(await self._store.latest_proposals(user_id, limit=1))
        step: Step = "watch"
        if permission.permits:
            step = "auto"
        elif hedged:
            step = "confirm" if account.mode == "live" else "paper"
        return PermissionView(permission, account, step, await self._pause(user_id))

    async def offer(self, user_id: int, acts: Acts, silence: Silence) -> tuple[PermissionView, Offer]:
        """A card that would give that, with what it is bound to."""
        view = await self.view(user_id)
        until = (self._clock.now() + OFFERED_FOR).replace(microsecond=0)
        return view, Offer(acts, silence, view.account.id, view.permission.terms, until)

    async def give(self, user_id: int, offer: Offer) -> Permission | Outlived:
        """What the card said, given with its tap; or why that card gives nothing any more. A pause stays."""
        if self._clock.now() >= offer.until:
            return "late"
        account = await self._accounts.in_use(user_id)
        if account.id != offer.account_id:
            return "account"
        for _ in range(MOST_TRIES):
            now = await self._store.permission(user_id, account.id)
            if now.terms != offer.terms:
                return "terms"
            try:
                given = replace(now, acts=offer.acts, silence=offer.silence, terms=now.terms + 1)
                return await self._store.save_permission(given)
            except StaleVersion:
                log.info("the permission of user %s moved on while it was given", user_id)
        raise StaleVersion(f"The permission of user {user_id} keeps moving on.")

    async def take_back(self, user_id: int) -> bool:
        """Nothing without a tap any more on the account in use, whatever was shown before; whether something was
        permitted."""
        account = await self._accounts.in_use(user_id)
        return await self._store.take_back(user_id, account.id)

    async def caps(
        self,
        user_id: int,
        *,
        order: Decimal | None = None,
        day: Decimal | None = None,
        leverage: int | None = None,
        slippage: Decimal | None = None,
    ) -> Permission:
        """New caps for the account in use. A wider one takes the permission itself back: it is to be given again, on a
        card that names it. Raises BadInput."""
        account = await self._accounts.in_use(user_id)
        now = await self._store.permission(user_id, account.id)
        new = replace(
            now,
            order_cap=now.order_cap if order is None else order,
            day_cap=now.day_cap if day is None else day,
            leverage_cap=now.leverage_cap if leverage is None else leverage,
            slippage_cap=now.slippage_cap if slippage is None else slippage,
            terms=now.terms + 1,
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

    def end_of(self, lasts: timedelta | None, minutes: int | None, settings: AlertSettings) -> datetime:
        """The wall time so long from now, or at which the clock of the person shows that minute next."""
        now = self._clock.now()
        return now + lasts if lasts is not None else next_at(now, minutes or 0, settings)

    async def pause(self, user_id: int, *, until: datetime | None = None) -> Pause:
        """Nothing is done without a tap, on any account: until that wall time, at which its owner is told, or until
        they take it off. Raises BadInput for an end that is past or far away."""
        now, pause = self._clock.now(), Pause(user_id, until)
        if until is not None and not now < until <= now + LONGEST_PAUSE:
            raise BadInput(
                "A pause can last up to 30 days. Send /pause alone to pause until you send /resume."
            )
        await self._store.set_pause(user_id, pause, await self._word_at_its_end(pause))
        return pause

    async def resume(self, user_id: int) -> bool:
        """Whether a pause was taken off."""
        paused = await self._pause(user_id)
        await self._store.set_pause(user_id, None)
        return paused is not None

    async def _pause(self, user_id: int) -> Pause | None:
        pause = await self._store.pause(user_id)
        return pause if pause is not None and pause.holds(self._clock.now()) else None

    async def _word_at_its_end(self, pause: Pause) -> OutboxItem | None:
        user = await self._store.user(pause.user_id)
        if user is None or pause.until is None:
            return None
        return OutboxItem(
            key=f"{PAUSE_OVER}:{user.id}:{pause.until.isoformat()}",
            user_id=user.id,
            chat_id=user.chat_id,
            kind=PAUSE_OVER,
            payload={"until": pause.until.isoformat()},
            created_at=self._clock.now(),
            not_before=pause.until,
        )


MOST_TRIES = 5  # against what the watch counts at the same time


async def pause_over(store: Store, item: OutboxItem) -> OutboxItem | None:
    """The word that a pause has ended, with whether something is permitted now; None when it was not that one."""
    pause = await store.pause(item.user_id)
    if (
        pause is None
        or pause.until is None
        or pause.until.astimezone(UTC).isoformat() != item.payload["until"]
    ):
        return None
    return item
