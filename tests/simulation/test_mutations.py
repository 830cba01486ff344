"""The simulation can fail: with a fault put into the bot, some seed soon objects, and for the right reason."""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from bot.exchange.ccxt_clients import Clients
from bot.exchange.ccxt_exchange import CcxtExchange
from bot.ports.errors import Ambiguous, StaleVersion, Unavailable
from bot.ports.records import TERMINAL, Account, Attempt, AttemptState, Order, OrderReport, Proposal
from bot.services.attempts import Attempts
from bot.services.execution import Execution
from bot.services.footing import Footing, footing
from bot.services.hedge import Hedge
from bot.storage.ledger import LedgerTables
from bot.storage.proposals import ProposalTables
from hedging.plan import HedgePlan, Leg, LegPart
from tests.simulation.invariants import violations
from tests.simulation.run import simulate
from tests.simulation.story import Story

AT_MOST = 120  # seeds until a fault must have shown

Patch = pytest.MonkeyPatch

pytestmark = [
    pytest.mark.filterwarnings("ignore:The garbage collector is trying to clean up"),  # what died
    pytest.mark.filterwarnings("ignore:Deprecated since version v22.2"),
]


def sends_again_what_is_unclear(patch: Patch) -> None:
    once = CcxtExchange.place

    async def twice(self: CcxtExchange, account: Account, order: Order) -> OrderReport:
        try:
            return await once(self, account, order)
        except Ambiguous:
            return await once(self, account, order)

    patch.setattr(CcxtExchange, "place", twice)


def sends_before_it_is_committed(patch: Patch) -> None:
    honest = Attempts.send

    async def send(self: Any, attempt: Attempt, account: Account, leg: Leg, tapped_at: datetime) -> Attempt:
        if attempt.state is AttemptState.RESERVED:
            order = Order(
                attempt.client_id,
                attempt.symbol,
                attempt.side,
                attempt.contracts,
                attempt.limit_price,
                attempt.reduce_only,
            )
            report = await self._exchange.place(account, order)
            sending = await self._store.transition(attempt, AttemptState.SENDING, at=self._clock.now())
            return await self._note(sending, report)  # type: ignore[no-any-return]
        return await honest(self, attempt, account, leg, tapped_at)

    patch.setattr(Attempts, "send", send)


def takes_an_attempt_that_another_worker_has(patch: Patch) -> None:
    honest = LedgerTables.transition

    async def transition(self: Any, attempt: Attempt, to: AttemptState, **changes: Any) -> Attempt:
        try:
            return await honest(self, attempt, to, **changes)
        except StaleVersion:
            if to is not AttemptState.SENDING:
                raise
            return replace(attempt, state=to, version=attempt.version + 1)

    patch.setattr(LedgerTables, "transition", transition)


def believes_the_first_not_found(patch: Patch) -> None:
    """At once, and without looking at the position or at what was executed."""

    async def look(self: Attempts, attempt: Attempt, account: Account) -> Attempt:
        if attempt.state in TERMINAL or attempt.state is AttemptState.RESERVED:
            return attempt
        try:
            report = await self._exchange.find_order(account, attempt.symbol, attempt.client_id)
        except Unavailable:
            return attempt
        if report is not None:
            return await self._note(attempt, report)
        return await self._move(attempt, AttemptState.ABSENT, reason="never arrived")

    patch.setattr(Attempts, "look", look)


def opens_on_any_position(patch: Patch) -> None:
    async def anywhere(*args: Any) -> Footing:
        found = await footing(*args)
        return replace(found, refusal="" if found.refusal == "position_changed" else found.refusal)

    patch.setattr("bot.services.attempts.footing", anywhere)


def sends_parts_that_are_a_lot_too_large(patch: Patch) -> None:
    honest = HedgePlan.orders.fget  # type: ignore[attr-defined]

    def larger(one: LegPart, leg: Leg) -> LegPart:
        step = Decimal(1).scaleb(int(one.contracts.as_tuple().exponent))
        return replace(one, contracts=one.contracts + step) if leg.parts else one

    def orders(self: HedgePlan) -> tuple[LegPart, ...]:
        return tuple(larger(one, self.legs[one.leg]) for one in honest(self))

    patch.setattr(HedgePlan, "orders", property(orders))


def forgets_that_cards_expire(patch: Patch) -> None:
    honest = Hedge.proposal

    async def proposal(self: Hedge, proposal_id: str, user_id: int) -> Proposal:
        found = await honest(self, proposal_id, user_id)
        return replace(found, expires_at=found.expires_at + timedelta(days=1))

    patch.setattr(Hedge, "proposal", proposal)


def forgets_how_old_a_tap_is(patch: Patch) -> None:
    patch.setattr("bot.services.attempts.TAP_LASTS", timedelta(days=1))


def takes_anybodys_tap(patch: Patch) -> None:
    async def proposal(self: Any, proposal_id: str, user_id: int) -> Proposal | None:
        found: Proposal | None = await self._store.proposal(proposal_id)
        return found

    async def confirm(self: Any, proposal_id: str, user_id: int, chat_id: int, message_id: int) -> Any:
        found = await self._store.proposal(proposal_id)
        return await honest(self, proposal_id, found.user_id, found.chat_id, message_id)

    honest = Hedge.confirm
    patch.setattr(Hedge, "proposal", proposal)
    patch.setattr(Hedge, "confirm", confirm)


def forgets_what_was_permitted(patch: Patch) -> None:
    patch.setattr("bot.services.desk.acting.refusal", lambda permission, plan, day: "")
    patch.setattr("bot.services.desk.acting.opens", lambda plan: False)


def closes_without_reduce_only(patch: Patch) -> None:
    honest = CcxtExchange.place

    async def place(self: CcxtExchange, account: Account, order: Order) -> OrderReport:
        return await honest(self, account, replace(order, reduce_only=False))

    patch.setattr(CcxtExchange, "place", place)


def loses_partial_fills(patch: Patch) -> None:
    honest = Attempts._note

    async def note(self: Attempts, attempt: Attempt, report: OrderReport) -> Attempt:
        lost = report.filled * 0 if report.status == "cancelled" else report.filled
        return await honest(self, attempt, replace(report, filled=lost))

    patch.setattr(Attempts, "_note", note)


def tells_the_first_user_everything(patch: Patch) -> None:
    honest = Execution._message

    def message(self: Execution, proposal: Proposal, *args: Any, **kwargs: Any) -> Any:
        return replace(honest(self, proposal, *args, **kwargs), chat_id=1)

    patch.setattr(Execution, "_message", message)


def logs_a_key(patch: Patch) -> None:
    honest = Clients._make

    def make(self: Clients, credentials: Any, source: Any, *, demo: bool) -> Any:
        if credentials is not None:
            logging.getLogger("bot").info("a client for %s", credentials.api_key)
        return honest(self, credentials, source, demo=demo)

    patch.setattr(Clients, "_make", make)


def owes_no_receipt(patch: Patch) -> None:
    honest = ProposalTables.move_proposal

    async def move_proposal(self: ProposalTables, *args: Any, **changes: Any) -> Proposal | None:
        return await honest(self, *args, **{**changes, "outbox": None})

    async def nothing(self: Execution, proposal: Proposal) -> None:
        return None

    patch.setattr(ProposalTables, "move_proposal", move_proposal)
    patch.setattr(Execution, "_receipt_id", nothing)


@dataclass(frozen=True)
class Mutation:
    """A fault of the bot's own, the invariants that should object, and in which stories it can show at all."""

    put_in: Callable[[Patch], None]
    objecting: tuple[str, ...]
    shows: Callable[[Story], bool] = lambda story: True


MUTATIONS = (
    Mutation(
        sends_again_what_is_unclear,
        ("no_order_twice", "at_rest_the_ledger_equals_the_exchange"),
        lambda s: s.exchange == "binance" and s.minutes > 1,  # others refuse an id that they know
    ),
    Mutation(
        sends_before_it_is_committed,
        ("no_order_twice", "at_rest_the_ledger_equals_the_exchange"),
        lambda s: s.deaths > 0,
    ),
    Mutation(
        takes_an_attempt_that_another_worker_has,
        ("no_order_twice", "at_rest_the_ledger_equals_the_exchange"),
        lambda s: s.stalls > 0 and s.minutes > 1 and not s.one_engine,
    ),
    Mutation(
        believes_the_first_not_found,
        (
            "no_order_twice",
            "at_rest_the_ledger_equals_the_exchange",
            "a_new_attempt_only_after_proven_absence",
        ),
    ),
    Mutation(
        opens_on_any_position,
        ("an_opening_order_starts_from_its_plan",),
        lambda s: s.minutes >= 2 and s.events > 0,
    ),
    Mutation(
        sends_parts_that_are_a_lot_too_large,
        ("fills_never_exceed_what_was_confirmed", "no_order_without_its_owners_tap"),
        lambda s: s.minutes >= 1,
    ),
    Mutation(forgets_that_cards_expire, ("no_order_without_its_owners_tap",), lambda s: s.card_seconds < 60),
    Mutation(forgets_how_old_a_tap_is, ("no_order_without_its_owners_tap",), lambda s: s.deaths > 0),
    Mutation(
        forgets_what_was_permitted,
        ("no_order_without_its_owners_tap",),
        lambda s: s.trusting and s.minutes >= 2,
    ),
    Mutation(
        takes_anybodys_tap,
        ("no_order_without_its_owners_tap", "nothing_of_one_user_reaches_another"),
        lambda s: s.users > 1 and s.strangers > 0.1,
    ),
    Mutation(closes_without_reduce_only, ("no_order_without_its_owners_tap", "closing_never_flips")),
    Mutation(loses_partial_fills, ("at_rest_the_ledger_equals_the_exchange",), lambda s: s.events > 0),
    Mutation(
        tells_the_first_user_everything, ("nothing_of_one_user_reaches_another",), lambda s: s.users > 1
    ),
    Mutation(logs_a_key, ("no_secret_is_told",)),
    Mutation(owes_no_receipt, ("every_tap_has_one_outcome",)),
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.put_in.__name__)
def test_a_bot_with_a_fault_is_found_out(
    mutation: Mutation, monkeypatch: Patch, memory_folder: Path, sqlite_template: Path
) -> None:
    mutation.put_in(monkeypatch)
    seeds = (seed for seed in count() if mutation.shows(Story.of(random.Random(seed))))
    for seed in islice(seeds, AT_MOST):
        seen, _, _ = simulate(seed, memory_folder, sqlite_template)
        found = violations(seen)
        if any(objection.startswith(mutation.objecting) for objection in found):
            print(f"seed {seed}: {found}")
            return
    pytest.fail(f"{AT_MOST} seeds did not notice a bot that {mutation.put_in.__name__}")
