"""Propose a hedge, and take its owner's tap once."""

import asyncio
import hashlib
import logging
from base64 import b32encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from bot.ports.clock import Clock
from bot.ports.durable import Durable
from bot.ports.errors import StaleVersion, Unavailable
from bot.ports.records import Account, Alert, AlertState, Proposal, ProposalState
from bot.ports.store import Store
from bot.services.accounts import Accounts
from bot.services.desk.kinds import KINDS
from bot.services.errors import NoHoldings, NotYours, OtherAccount, ProposalGone
from bot.services.reconciliation import Reconciliation
from bot.services.rules import Rules
from bot.services.situation import Situations
from hedging.errors import NothingToHedge
from hedging.plan import HedgePlan, Leg, digest
from hedging.rules import MAX_TARGET, MIN_TARGET, HedgeRule

log = logging.getLogger(__name__)

EXECUTE = "execute"  # the name of the durable workflow that a tap starts
PRICE_TOLERANCE = Decimal(
    "0.0075"
)  # the mark may have moved so far since the card was shown; below the slippage
READ_LASTS = timedelta(minutes=1)  # what a tap read before that is not traded upon
SIZE_TOLERANCE = Decimal("0.02")  # and the size that is needed now may differ so much

Work = tuple[str, str, str, int]  # a workflow, the id of its run, and its arguments
Kind = Literal["sending", "working", "done", "repriced", "expired", "cancelled", "superseded", "at_target"]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What became of a tap. `repriced`: `proposal` is the new card, `earlier` the one that was tapped."""

    kind: Kind
    proposal: Proposal
    earlier: Proposal | None = None


class Hedge:
    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        situations: Situations,
        rules: Rules,
        reconciliation: Reconciliation,
        durable: Durable,
        clock: Clock,
        card_life: timedelta,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._situations = situations
        self._rules = rules
        self._reconciliation = reconciliation
        self._durable = durable
        self._clock = clock
        self._card_life = card_life

    async def propose(self, user_id: int, chat_id: int, *, key: str, alert_id: int | None = None) -> Proposal:
        """Price a hedge (or the way back to the target) and store it before anybody sees it.

        The same key hands back the same proposal. Raises NoHoldings, NothingToHedge or Unavailable.
        """
        situation = await self._reconciliation.check(await self._situations.of(user_id, fresh=True))
        if not situation.holdings and situation.shorts:  # all was sold, and the hedge is still there
            return await self.unwind(user_id, chat_id, key=key)
        if not situation.holdings:
            raise NoHoldings("Nothing is held yet.")
        return await self._store.add_proposal(
            self.draft(user_id, chat_id, situation.account, situation.plan(), key=key, alert_id=alert_id)
        )

    async def unwind(self, user_id: int, chat_id: int, *, key: str) -> Proposal:
        """Price the closing of every short. Raises NothingToHedge when none is open."""
        situation = await self._reconciliation.check(await self._situations.of(user_id, fresh=True))
        if not situation.shorts:
            raise NothingToHedge("No hedge is open.")
        return await self._store.add_proposal(
            self.draft(user_id, chat_id, situation.account, situation.unwinding(), key=key)
        )

    async def adjust(
        self,
        proposal_id: str,
        user_id: int,
        *,
        key: str,
        target: Decimal | None = None,
        leverage: int | None = None,
        band: Decimal | None = None,
    ) -> Proposal:
        """Change the rule and price again, for the same message. Without changes: just price again."""
        earlier = await self.proposal(proposal_id, user_id)
        await self._rules.change(user_id, target=target, leverage=leverage, band=band)
        again = self.unwind if earlier.purpose == "unhedge" else self.propose
        fresh = await again(user_id, earlier.chat_id, key=key)
        if earlier.message_id is not None:
            await self._store.set_card(fresh.id, earlier.message_id)
        return fresh

    async def shown(self, proposal_id: str, message_id: int) -> None:
        """Remember which message shows the card, so that the receipt can take its place."""
        await self._store.set_card(proposal_id, message_id)

    async def proposal(self, proposal_id: str, user_id: int) -> Proposal:
        """The user's own proposal. Raises NotYours or ProposalGone."""
        found = await self._store.proposal(proposal_id)
        if found is None:
            raise ProposalGone("This card is not known any more.")
        if found.user_id != user_id:
            raise NotYours("This card belongs to somebody else.")
        return found

    async def account(self, card: Proposal) -> Account:
        """The account that the card is about."""
        account = await self._store.account(card.account_id)
        if account is None:
            raise ProposalGone("The account of this card is not known any more.")
        return account

    async def cancel(self, proposal_id: str, user_id: int) -> Proposal:
        """Withdraw an open card; one that is not open stays as it is, and its state tells why."""
        found = await self.proposal(proposal_id, user_id)
        moved = await self._store.move_proposal(
            found.id, expect=ProposalState.OPEN, to=ProposalState.CANCELLED, at=self._clock.now()
        )
        return moved or await self.proposal(proposal_id, user_id)

    async def confirm(self, proposal_id: str, user_id: int, chat_id: int, message_id: int) -> Confirmation:
        """Take the owner's tap. The market is read again first: what it would send must still be what was shown.

        Whoever moves the card out of OPEN has the one outcome; every other tap is told what that was.
        """
        shown, account = await asyncio.gather(
            self.proposal(proposal_id, user_id), self._accounts.in_use(user_id)
        )
        if shown.chat_id != chat_id:
            raise NotYours("This card was shown in another chat.")
        if shown.state is not ProposalState.OPEN:
            return _outcome(shown)
        if digest(shown.plan, shown.user_id) != shown.digest:
            raise ProposalGone("This card does not match what was shown.")
        now = self._clock.now()
        if now >= shown.expires_at:
            return await self._moved(shown, ProposalState.EXPIRED, message_id)
        if account.id != shown.account_id:
            raise OtherAccount("The card is about another account.")
        situation = await self._reconciliation.check(await self._situations.on(account, fresh=True))
        kept = situation.rule
        if shown.plan.factor != kept.factor and await self._changes_rule(shown):
            situation = await self._situations.measured_against(situation, shown.plan.factor)
        # A remedy may aim at less than the rule does; any other card is about the rule as it is now.
        target = shown.plan.target if shown.alert_id is not None else None
        needed = situation.unwinding() if shown.purpose == "unhedge" else situation.plan(target=target)
        if self._clock.now() >= shown.expires_at:  # this process was asleep, or the exchange slow
            return await self._moved(shown, ProposalState.EXPIRED, message_id)
        if self._clock.now() - now > READ_LASTS:
            raise Unavailable("What was read for this tap is too old to trade upon.")
        if still_right(shown.plan, needed):
            baseline = situation.baseline()
            sets: Collection[str] = ()
            changed = (shown.plan.target, shown.plan.factor) != (kept.target, kept.factor)
            if changed and await self._changes_rule(shown):
                baseline["target_before"] = str(kept.target)
                kept = replace(kept, target=shown.plan.target, factor=shown.plan.factor)
                sets = ("target", "factor")
            return await self._moved(
                shown, ProposalState.CONFIRMED, message_id, outcome=baseline, keeps=kept, sets=sets
            )
        fresh = self.draft(
            user_id, chat_id, situation.account, needed, key=f"again:{shown.id}", alert_id=shown.alert_id
        )
        fresh = replace(fresh, replaces=shown.id, message_id=message_id)
        return await self._moved(shown, ProposalState.SUPERSEDED, message_id, replacement=fresh)

    async def _changes_rule(self, card: Proposal) -> bool:
        """Whether the card's target and factor are to be the rule's from now on, as its alert said."""
        alert = await self._store.alert(card.alert_id) if card.alert_id is not None else None
        return alert is not None and card.purpose != "unhedge" and KINDS[alert.kind].changes_rule

    async def rebalance(
        self, alert_id: int, user_id: int, chat_id: int, message_id: int, *, key: str, remedy: str = ""
    ) -> Confirmation:
        """The tap on an alert's remedy: confirms what the alert showed, or shows a fresh card when that is over. From
        now on the alert's message is the card's."""
        alert = await self._store.alert(alert_id)
        if alert is None:
            raise ProposalGone("This alert is not known any more.")
        if alert.user_id != user_id:
            raise NotYours("This alert belongs to somebody else.")
        remedy = remedy or str(alert.facts.get("proposal_id", ""))
        shown = await self._store.proposal(remedy) if remedy else None
        await self._answered(alert)
        if shown is not None:
            taken = await self.confirm(shown.id, user_id, chat_id, message_id)
            if taken.kind in ("sending", "working", "done", "repriced", "at_target"):
                return taken
        closing = shown is not None and shown.purpose == "unhedge"
        if closing:
            fresh = await self.unwind(user_id, chat_id, key=key)
        else:
            fresh = await self.propose(user_id, chat_id, key=key, alert_id=alert_id)
        await self.shown(fresh.id, message_id)
        return Confirmation("repriced" if fresh.plan.legs else "at_target", fresh)

    async def undo(self, proposal_id: str, user_id: int, chat_id: int, *, key: str) -> Proposal:
        """A card that brings coverage back to what it was before that proposal; it is confirmed like any other."""
        done = await self.proposal(proposal_id, user_id)
        before = done.plan.before.coverage
        if before < MIN_TARGET:
            return await self.unwind(user_id, chat_id, key=key)
        situation = await self._situations.of(user_id, fresh=True)
        plan = situation.plan(target=min(before, MAX_TARGET).quantize(Decimal("0.01")))
        draft = self.draft(user_id, chat_id, situation.account, plan, key=key, alert_id=done.alert_id)
        return await self._store.add_proposal(draft)

    async def _answered(self, alert: Alert) -> None:
        """Its owner has seen it, and its message is no longer its own."""
        if alert.state is AlertState.RECOVERED:
            return
        try:
            await self._store.move_alert(
                alert, AlertState.ACKNOWLEDGED, at=alert.updated_at, keeps_message=False
            )
        except StaleVersion:  # the watch was quicker; it finds out that the message has changed when it edits
            log.info("alert %s moved on while it was answered", alert.id)

    async def begin(self, confirmed: Proposal) -> None:
        """Start the durable work of a confirmed proposal; once, however often it is asked for."""
        await self._durable.start(*work_of(confirmed))

    def draft(
        self,
        user_id: int,
        chat_id: int,
        account: Account,
        plan: HedgePlan,
        *,
        key: str,
        alert_id: int | None = None,
        life: timedelta | None = None,
    ) -> Proposal:
        """A proposal that is not stored yet; its id follows from user and key alone."""
        now = self._clock.now()
        return Proposal(
            id=short_id(f"{user_id}:{key}"),
            user_id=user_id,
            chat_id=chat_id,
            account_id=account.id,
            plan=plan,
            digest=digest(plan, user_id),
            quoted_at=now,
            expires_at=now + (life or self._card_life),
            alert_id=alert_id,
        )

    async def _moved(
        self,
        shown: Proposal,
        to: ProposalState,
        message_id: int,
        *,
        outcome: Mapping[str, Any] | None = None,
        keeps: HedgeRule | None = None,
        sets: Collection[str] = (),
        replacement: Proposal | None = None,
    ) -> Confirmation:
        moved = await self._store.move_proposal(
            shown.id,
            expect=ProposalState.OPEN,
            to=to,
            at=self._clock.now(),
            message_id=message_id,
            outcome=outcome,
            keeps=keeps,
            sets=sets,
            replacement=replacement,
        )
        if moved is None:  # somebody else's tap, or an earlier delivery of this one, was first
            return _outcome(await self.proposal(shown.id, shown.user_id))
        if replacement is not None:
            return Confirmation("repriced" if replacement.plan.legs else "at_target", replacement, shown)
        return Confirmation("sending" if to is ProposalState.CONFIRMED else "expired", moved)


def work_of(confirmed: Proposal) -> Work:
    """What the engine is to start for a confirmed card."""
    return EXECUTE, f"exec:{confirmed.id}", confirmed.id, len(confirmed.plan.legs)


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


def _order(leg: Leg) -> tuple[object, ...]:
    return (leg.symbol, leg.side, leg.reduce_only, None if leg.reduce_only else leg.leverage)


_KINDS: Mapping[ProposalState, Kind] = {
    ProposalState.CONFIRMED: "working",
    ProposalState.DONE: "done",
    ProposalState.CANCELLED: "cancelled",
    ProposalState.SUPERSEDED: "superseded",
    ProposalState.EXPIRED: "expired",
}


def _outcome(proposal: Proposal) -> Confirmation:
    return Confirmation(_KINDS[proposal.state], proposal)


def remedy_key(alert: Alert) -> str:
    """Names the remedy that an alert shows in this version of it."""
    return f"remedy:{alert.id}:{alert.version}"


def short_id(key: str) -> str:
    """16 characters of lower-case base32 (80 bits) of a hash of `key`."""
    return b32encode(hashlib.sha256(key.encode()).digest()[:10]).decode().lower()
