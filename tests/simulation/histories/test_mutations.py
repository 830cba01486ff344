"""The histories can fail: with a fault put into the bot, some seed soon objects, and for the right reason."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.ports.permissions import Permission
from bot.ports.records import Account, Proposal
from bot.services.accounts import Accounts
from bot.services.desk import permission as desk_permission
from bot.services.desk.permission import Offer, Permissions
from bot.services.hedge import Hedge
from bot.services.situation import Situation
from bot.storage.permissions import PermissionTables
from bot.storage.proposals import ProposalTables
from hedging.plan import HedgePlan
from tests.simulation.histories.judge import violations
from tests.simulation.histories.story import tell
from tests.simulation.histories.world import ADA

AT_MOST = 40  # seeds until a fault must have shown

Patch = pytest.MonkeyPatch


def trades_for_the_target_that_was_shown(patch: Patch) -> None:
    honest = ProposalTables.move_proposal

    def needed(shown: Proposal, situation: Situation) -> HedgePlan:
        if shown.aim.kind == "close":
            return situation.unwinding(asset=shown.aim.asset, share=shown.aim.share)
        return situation.plan(target=shown.plan.target)

    async def moved(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await honest(self, *args, **{**kwargs, "under": None})

    patch.setattr("bot.services.hedge.needed_for", needed)
    patch.setattr("bot.services.hedge.difference", lambda shown, needed, situation: "")
    patch.setattr(ProposalTables, "move_proposal", moved)


def lifts_the_pause_with_a_permission(patch: Patch) -> None:
    honest = Permissions.give

    async def give(self: Permissions, user_id: int, offer: Offer) -> Any:
        await self.resume(user_id)
        return await honest(self, user_id, offer)

    patch.setattr(Permissions, "give", give)


def forgets_that_everything_is_paused(patch: Patch) -> None:
    async def set_pause(self: Any, user_id: int, pause: Any, owed: Any = None) -> None:
        return None

    patch.setattr(PermissionTables, "set_pause", set_pause)


def gives_the_caps_of_today(patch: Patch) -> None:
    honest = Permissions.give

    async def give(self: Any, user_id: int, offer: Offer) -> Any:
        account = await self._accounts.in_use(user_id)
        now = await self._store.permission(user_id, account.id)
        return await honest(self, user_id, replace(offer, terms=now.terms))

    patch.setattr(Permissions, "give", give)


def gives_by_a_card_of_any_age(patch: Patch) -> None:
    patch.setattr(desk_permission, "OFFERED_FOR", timedelta(days=30))


def gives_for_the_account_in_use(patch: Patch) -> None:
    async def permissions(self: Any, now: Any, shard: int = 0, shards: int = 1) -> Any:
        """One a person, as it was: what was given on any account holds on the one in use."""
        used = await self.chosen_account(ADA, "paper", "paper")
        given = [await self.permission(ADA, account.id) for account in await self.accounts(ADA)]
        return [replace(one, account_id=used.id) for one in given if one.permits][:1]

    async def spend(*args: Any) -> bool:
        return True

    patch.setattr(PermissionTables, "permissions", permissions)
    patch.setattr("bot.storage.proposals.spend", spend)


def keeps_the_permission_on_real_money(patch: Patch) -> None:
    async def take_permission_back(self: Accounts, account: Account, *, why: str) -> None:
        return None

    patch.setattr(Accounts, "take_permission_back", take_permission_back)


def reopens_a_day(patch: Patch) -> None:
    def used(self: Permission, day: str) -> Any:
        return self.spent if self.spent_on == day else self.spent * 0

    def counted(self: Permission, amount: Any, day: str) -> Permission:
        return replace(self, spent=self.used(day) + amount, spent_on=day)

    patch.setattr(Permission, "used", used)
    patch.setattr(Permission, "counted", counted)


def forgets_the_caps(patch: Patch) -> None:
    patch.setattr("bot.services.desk.acting.refusal", lambda permission, plan, day: "")


def answers_a_tap_twice(patch: Patch) -> None:
    honest = Hedge.begin

    async def begin(self: Hedge, confirmed: Proposal) -> None:
        await honest(self, confirmed)

    patch.setattr(Hedge, "begin", begin)
    patch.setattr(
        "bot.chat.turn.Turn.answered", lambda self: self.out.answer(self.tap.callback_id, "", alert=False)
    )


@dataclass(frozen=True)
class Mutation:
    """A fault of the bot's own, the invariant that should object, and the plots in which it can show."""

    put_in: Callable[[Patch], None]
    objecting: str
    plots: tuple[str, ...]


TAP, RULE = "nothing_without_a_tap_but_as_permitted", "no_order_above_the_rules_target"
MUTATIONS = (
    Mutation(trades_for_the_target_that_was_shown, RULE, ("rule", "market")),
    Mutation(lifts_the_pause_with_a_permission, TAP, ("pause", "market")),
    Mutation(forgets_that_everything_is_paused, TAP, ("pause", "market")),
    Mutation(gives_the_caps_of_today, TAP, ("permission",)),
    Mutation(gives_by_a_card_of_any_age, TAP, ("old_card",)),
    Mutation(gives_for_the_account_in_use, TAP, ("account",)),
    Mutation(keeps_the_permission_on_real_money, TAP, ("account",)),
    Mutation(reopens_a_day, TAP, ("midnight",)),
    Mutation(forgets_the_caps, TAP, ("market", "permission")),
    Mutation(answers_a_tap_twice, "every_tap_is_answered_once", ("button",)),
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.put_in.__name__)
def test_a_bot_with_a_fault_is_found_out(
    mutation: Mutation, monkeypatch: Patch, memory_folder: Path, sqlite_template: Path
) -> None:
    mutation.put_in(monkeypatch)
    for seed in range(AT_MOST):
        found = violations(tell(seed, memory_folder, sqlite_template, mutation.plots))
        if any(objection.startswith(mutation.objecting) for objection in found):
            print(f"seed {seed}: {found}")
            return
    pytest.fail(f"{AT_MOST} histories did not notice a bot that {mutation.put_in.__name__}")
