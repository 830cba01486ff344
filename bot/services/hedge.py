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
from bot.ports.records import Account, Aim, Alert, AlertState, Proposal, ProposalState
from bot.ports.store import Store
from bot.services.accounts import Accounts
from bot.services.desk.advice import gone, remedy_aim, remedy_plan
from bot.services.errors import AlertOver, NoHoldings, NoSuchShort, NotYours, ProposalGone
from bot.services.reconciliation import Reconciliation
from bot.services.rules import Rules
from bot.services.situation import Situation, Situations
from bot.services.wanted import Why, difference, needed_for, new_target
from hedging.errors import NothingToHedge
from hedging.plan import HedgePlan, digest
from hedging.rules import MAX_TARGET, MIN_TARGET, HedgeRule

log = logging.getLogger(__name__)

EXECUTE = "execute"  # the name of the durable workflow that a tap starts
READ_LASTS = timedelta(minutes=1)  # what a tap read before that is not traded upon
OLD_TAP = timedelta(minutes=2)  # a tap that was longer on its way may not be meant any more

MOST_LOOKS = 3  # at one tap, while its owner changes the rule from another device

BY_THE_RULE = Aim()
Work = tuple[str, str, str, int]  # a workflow, the id of its run, and its arguments
Kind = Literal["sending", "working", "done", "repriced", "expired", "cancelled", "superseded", "at_target"]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What became of a tap. `repriced`: `proposal` is the new card, `earlier` the one that was tapped, `why` what is
    different now."""

    kind: Kind
    proposal: Proposal
    earlier: Proposal | None = None
    why: Why = ""


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
            self.draft(user_id, chat_id, situation, situation.plan(), key=key, alert_id=alert_id)
        )

    async def unwind(
        self, user_id: int, chat_id: int, *, key: str, asset: str = "", share: Decimal = Decimal(1)
    ) -> Proposal:
        """Price the closing of every short, or of `share` of it, or only of those in `asset`. Raises NothingToHedge
        when none is open, NoSuchShort when none in that coin."""
        situation = await self._reconciliation.check(await self._situations.of(user_id, fresh=True))
        if not situation.shorts:
            raise NothingToHedge("No hedge is open.")
        open_in = situation.shorted()
        if asset and asset not in open_in:
            raise NoSuchShort(asset, open_in)
        plan, aim = situation.unwinding(asset=asset, share=share), Aim("close", asset, share)
        return await self._store.add_proposal(self.draft(user_id, chat_id, situation, plan, key=key, aim=aim))

    async def adjust(
        self,
        proposal_id: str,
        user_id: int,
        *,
        key: str,
        target: Decimal | None = None,
        leverage: int | None = None,
        band: Decimal | None = None,
    ) -> Confirmation:
        """Change the rule and price again, for the same message. Without changes: just price again.

        What outlived the rule that it was shown under changes nothing: `why` tells so beside the card of now."""
        earlier = await self.proposal(proposal_id, user_id)
        changes = (target, leverage, band) != (None, None, None)
        why = await self.outlived(earlier) if changes else ""
        if changes and not why:
            try:
                await self._rules.change(
                    user_id, under=earlier.rule_version, target=target, leverage=leverage, band=band
                )
            except StaleVersion:
                why = "rule"
        if earlier.aim.kind == "close":
            again = self.unwind(
                user_id, earlier.chat_id, key=key, asset=earlier.aim.asset, share=earlier.aim.share
            )
        else:
            again = self.propose(user_id, earlier.chat_id, key=key)
        fresh = await again
        if earlier.message_id is not None:
            await self._store.set_card(fresh.id, earlier.message_id)
        return Confirmation("repriced", fresh, earlier, why)

    async def outlived(self, card: Proposal) -> Why:
        """What a card was made under and is no longer so: the account in use, or the rule. Empty: it still is."""
        account = await self._accounts.in_use(card.user_id)
        if account.id != card.account_id:
            return "account"
        if card.rule_version is None:
            return "update"
        return "rule" if (await self._rules.kept(card.user_id)).version != card.rule_version else ""

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

    async def confirm(
        self,
        proposal_id: str,
        user_id: int,
        chat_id: int,
        message_id: int,
        *,
        waited: timedelta | None = timedelta(0),
    ) -> Confirmation:
        """Take the owner's tap. The market is read again first: what it would send must still be what was shown, and
        wanted by the rule of this moment on the account in use. Else the card is priced anew, and nothing is sent.
        `waited`: how long the tap was on its way, at most; None when nobody can tell. An old one sends nothing.

        Whoever moves the card out of OPEN has the one outcome; every other tap is told what that was.
        """
        for _ in range(MOST_LOOKS):
            shown, account = await asyncio.gather(
                self.proposal(proposal_id, user_id), self._accounts.in_use(user_id)
            )
            if shown.chat_id != chat_id:
                raise NotYours("This card was shown in another chat.")
            if shown.state is not ProposalState.OPEN:
                return _outcome(shown)
            if digest(shown.plan, shown.user_id) != shown.digest:
                raise ProposalGone("This card does not match what was shown.")
            taken = await self._take(shown, account, message_id, waited)
            if taken is not None:
                return taken
        raise Unavailable("The rule keeps changing while this tap is looked at.")

    async def _take(
        self, shown: Proposal, account: Account, message_id: int, waited: timedelta | None
    ) -> Confirmation | None:
        """None when the rule was changed at this very moment: it is to be looked at again."""
        now = self._clock.now()
        if now >= shown.expires_at:
            return await self._moved(shown, ProposalState.EXPIRED, message_id)
        situation = await self._reconciliation.check(await self._situations.on(account, fresh=True))
        rule, version = situation.rule, situation.rule_version
        if shown.aim.kind == "new_rule" and shown.plan.factor != rule.factor:
            situation = await self._situations.measured_against(situation, shown.plan.factor)
        needed = needed_for(shown, situation)
        if self._clock.now() >= shown.expires_at:  # this process was asleep, or the exchange slow
            return await self._moved(shown, ProposalState.EXPIRED, message_id)
        if self._clock.now() - now > READ_LASTS:
            raise Unavailable("What was read for this tap is too old to trade upon.")
        why = difference(shown, needed, situation)
        if not why and (waited is None or waited > OLD_TAP):
            why = "slow"
        if why:
            return await self._priced_anew(shown, needed, situation, message_id, why)
        baseline: dict[str, Any] = situation.baseline()
        sets: Collection[str] = ()
        target = new_target(shown, rule)
        if target is not None or shown.plan.factor != rule.factor:
            baseline["target_before"] = str(rule.target)
            rule = replace(rule, target=target or rule.target, factor=shown.plan.factor)
            sets = ("target", "factor")
        return await self._moved(
            shown,
            ProposalState.CONFIRMED,
            message_id,
            outcome=baseline,
            keeps=rule,
            sets=sets,
            under=version,
        )

    async def _priced_anew(
        self, shown: Proposal, needed: HedgePlan, situation: Situation, message_id: int, why: Why
    ) -> Confirmation | None:
        """The card of now in the place of the tapped one. Raises AlertOver when what it was to mend is over."""
        if shown.alert_id is not None and shown.aim.kind != "new_rule":
            alert = await self._store.alert(shown.alert_id)
            if alert is not None and gone(alert, situation):
                await self._moved(shown, ProposalState.SUPERSEDED, message_id)
                raise AlertOver(alert.id)
        fresh = self.draft(
            shown.user_id,
            shown.chat_id,
            situation,
            needed,
            key=f"again:{shown.id}",
            aim=shown.aim,
            alert_id=shown.alert_id,
        )
        fresh = replace(fresh, replaces=shown.id, message_id=message_id)
        return await self._moved(shown, ProposalState.SUPERSEDED, message_id, replacement=fresh, why=why)

    async def again(self, card: Proposal, *, key: str) -> Proposal:
        """What a card was for, as it is priced now, stored under the key. Raises NothingToHedge or Unavailable."""
        situation = await self._reconciliation.check(await self._situations.of(card.user_id, fresh=True))
        if card.aim.kind == "new_rule" and card.plan.factor != situation.rule.factor:
            situation = await self._situations.measured_against(situation, card.plan.factor)
        plan = needed_for(card, situation)
        draft = self.draft(
            card.user_id, card.chat_id, situation, plan, key=key, aim=card.aim, alert_id=card.alert_id
        )
        return await self._store.add_proposal(draft)

    async def rebalance(
        self,
        alert_id: int,
        user_id: int,
        chat_id: int,
        message_id: int,
        *,
        key: str,
        remedy: str = "",
        waited: timedelta | None = timedelta(0),
    ) -> Confirmation:
        """The tap on an alert's remedy: confirms what the alert showed, or shows a fresh card when that is over. From
        now on the alert's message is the card's. Raises AlertOver when there is nothing left to mend."""
        alert = await self._store.alert(alert_id)
        if alert is None:
            raise ProposalGone("This alert is not known any more.")
        if alert.user_id != user_id:
            raise NotYours("This alert belongs to somebody else.")
        remedy = remedy or str(alert.facts.get("proposal_id", ""))
        shown = await self._store.proposal(remedy) if remedy else None
        way_back = shown is not None and shown.aim.kind == "new_rule"
        if alert.state is AlertState.RECOVERED and not way_back:
            raise AlertOver(alert.id)
        await self._answered(alert)
        if shown is not None:
            taken = await self.confirm(shown.id, user_id, chat_id, message_id, waited=waited)
            if taken.kind in ("sending", "working", "done", "repriced", "at_target"):
                return taken
        situation = await self._reconciliation.check(await self._situations.of(user_id, fresh=True))
        if not way_back and gone(alert, situation):
            raise AlertOver(alert.id)
        fresh = await self._store.add_proposal(await self._remedied(alert, shown, situation, key=key))
        await self.shown(fresh.id, message_id)
        return Confirmation("repriced" if fresh.plan.legs else "at_target", fresh, shown, "late")

    async def _remedied(
        self, alert: Alert, shown: Proposal | None, situation: Situation, *, key: str
    ) -> Proposal:
        """What the alert showed, as it is priced now; of one whose remedy is not known any more, what mends it."""
        if shown is None:
            plan = (
                remedy_plan(
                    alert.kind,
                    situation,
                    measure=alert.facts.get("measure"),
                    equity=alert.facts.get("equity"),
                )
                or situation.plan()
            )
            aim = remedy_aim(alert.kind, plan)
        else:
            if shown.plan.factor != situation.rule.factor and shown.aim.kind == "new_rule":
                situation = await self._situations.measured_against(situation, shown.plan.factor)
            plan, aim = needed_for(shown, situation), shown.aim
        user = alert.user_id
        return self.draft(user, user, situation, plan, key=key, aim=aim, alert_id=alert.id)

    async def undo(self, proposal_id: str, user_id: int, chat_id: int, *, key: str) -> Confirmation:
        """A card that brings coverage back to what it was before that proposal, and lets the rule want that from then
        on: else the next tick would do it again. It is confirmed like any other.

        When something else was done since, or the rule is another one, there is nothing to undo: `why` tells so beside
        the card of now."""
        done = await self.proposal(proposal_id, user_id)
        why = await self.outlived(done) or await self._traded_since(done)
        if why:
            return Confirmation("repriced", await self.propose(user_id, chat_id, key=key), None, why)
        before = done.plan.before.coverage
        if before < MIN_TARGET:
            return Confirmation("repriced", await self.unwind(user_id, chat_id, key=key))
        situation = await self._reconciliation.check(await self._situations.of(user_id, fresh=True))
        target = min(before, MAX_TARGET).quantize(Decimal("0.01"))
        aim = Aim("new_rule" if target != situation.rule.target else "rule")
        plan = situation.plan(target=target)
        draft = self.draft(user_id, chat_id, situation, plan, key=key, aim=aim, alert_id=done.alert_id)
        return Confirmation("repriced", await self._store.add_proposal(draft))

    async def _traded_since(self, done: Proposal) -> Why:
        under_way = await self._store.latest_proposals(done.user_id, state=ProposalState.CONFIRMED, limit=1)
        latest = [*under_way, *await self._store.latest_proposals(done.user_id, limit=1)]
        return "traded" if latest and latest[0].id != done.id else ""

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
        situation: Situation,
        plan: HedgePlan,
        *,
        key: str,
        aim: Aim = BY_THE_RULE,
        alert_id: int | None = None,
        life: timedelta | None = None,
    ) -> Proposal:
        """A proposal that is not stored yet; its id follows from user and key alone."""
        now = self._clock.now()
        return Proposal(
            id=short_id(f"{user_id}:{key}"),
            user_id=user_id,
            chat_id=chat_id,
            account_id=situation.account.id,
            plan=plan,
            digest=digest(plan, user_id),
            quoted_at=now,
            expires_at=now + (life or self._card_life),
            alert_id=alert_id,
            aim=aim,
            rule_version=situation.rule_version,
            holdings=situation.marked(),
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
        under: int | None = None,
        why: Why = "",
    ) -> Confirmation | None:
        """None when the card is still open, since the rule was no longer the one that it was to be moved `under`."""
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
            under=under,
        )
        if moved is None:  # somebody else's tap, or an earlier delivery of this one, was first
            now = await self.proposal(shown.id, shown.user_id)
            return None if now.state is ProposalState.OPEN else _outcome(now)
        if replacement is not None:
            kind: Kind = "repriced" if replacement.plan.legs else "at_target"
            return Confirmation(kind, replacement, shown, why)
        return Confirmation("sending" if to is ProposalState.CONFIRMED else "expired", moved)


def work_of(confirmed: Proposal) -> Work:
    """What the engine is to start for a confirmed card."""
    return EXECUTE, f"exec:{confirmed.id}", confirmed.id, len(confirmed.plan.orders)


_KINDS: Mapping[ProposalState, Kind] = {
    ProposalState.CONFIRMED: "working",
    ProposalState.DONE: "done",
    ProposalState.CANCELLED: "cancelled",
    ProposalState.SUPERSEDED: "superseded",
    ProposalState.EXPIRED: "expired",
}


def _outcome(proposal: Proposal) -> Confirmation:
    return Confirmation(_KINDS[proposal.state], proposal)


def remedy_key(alert: Alert, situation: Situation, plan: HedgePlan) -> str:
    """Names the remedy that an alert shows in this version of it, under this rule and at this price."""
    priced = digest(plan, alert.user_id)[:12]
    return f"remedy:{alert.id}:{alert.version}:{situation.account.id}:{situation.rule_version}:{priced}"


def short_id(key: str) -> str:
    """16 characters of lower-case base32 (80 bits) of a hash of `key`."""
    return b32encode(hashlib.sha256(key.encode()).digest()[:10]).decode().lower()
