"""Cards: one outcome each, whoever taps and however often."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.ports.errors import InvalidRecord
from bot.ports.records import Account, AttemptState, Proposal, ProposalState
from bot.ports.store import AlertChange, Store
from hedging.rules import HedgeRule
from tests.storage.samples import ADA, BOB, NOW, PLAN, a_proposal, an_alert, an_attempt, later, owed

OPEN, CONFIRMED, DONE = ProposalState.OPEN, ProposalState.CONFIRMED, ProposalState.DONE
ENDS = sorted(set(ProposalState) - {OPEN, CONFIRMED})


async def test_a_card_is_read_back_as_it_was_priced(store: Store, account: Account) -> None:
    stored = await store.add_proposal(a_proposal("card", account))
    assert stored == a_proposal("card", account)
    assert await store.proposal("card") == stored
    assert [str(leg.contracts) for leg in stored.plan.legs] == [
        "12.30"
    ]  # the digest is reckoned over the digits
    assert await store.proposal("other") is None


async def test_the_same_id_hands_back_what_is_there(store: Store, account: Account) -> None:
    first = await store.add_proposal(a_proposal("card", account))
    await store.move_proposal("card", expect=OPEN, to=CONFIRMED, at=later(5))
    again = await store.add_proposal(a_proposal("card", account, plan=replace(PLAN, target=Decimal(1))))
    assert again.state is CONFIRMED
    assert again.plan == first.plan


async def test_a_new_card_takes_the_place_of_the_open_ones(store: Store, account: Account) -> None:
    await store.ensure_user(BOB)
    bobs = await store.ensure_account(BOB.id, "paper", "paper")
    await store.add_proposal(a_proposal("confirmed", account))
    await store.move_proposal("confirmed", expect=OPEN, to=CONFIRMED, at=NOW)
    await store.add_proposal(a_proposal("first", account))
    await store.add_proposal(a_proposal("bob", bobs))
    await store.add_proposal(a_proposal("second", account))
    states = {name: await store.proposal(name) for name in ("confirmed", "first", "bob", "second")}
    assert {name: (card.state, card.version) for name, card in states.items() if card} == {
        "confirmed": (CONFIRMED, 1),
        "first": (ProposalState.SUPERSEDED, 1),
        "bob": (OPEN, 0),
        "second": (OPEN, 0),
    }


async def test_a_remedy_leaves_the_open_card_alone(store: Store, account: Account) -> None:
    await store.add_proposal(a_proposal("card", account))
    await store.add_proposal(a_proposal("remedy", account), supersede=False)
    assert [
        (await store.proposal(name) or a_proposal("x", account)).state for name in ("card", "remedy")
    ] == [
        OPEN,
        OPEN,
    ]


async def test_storing_a_card_again_supersedes_nothing(store: Store, account: Account) -> None:
    await store.add_proposal(a_proposal("old", account))
    await store.add_proposal(a_proposal("new", account))
    await store.add_proposal(a_proposal("old", account))
    new = await store.proposal("new")
    assert new is not None
    assert new.state is OPEN


async def test_a_card_remembers_its_message(store: Store, account: Account) -> None:
    await store.add_proposal(a_proposal("card", account))
    await store.set_card("card", 41)
    card = await store.proposal("card")
    assert card == a_proposal("card", account, message_id=41)


async def test_a_tap_confirms_with_its_time_and_message(store: Store, account: Account) -> None:
    await store.add_proposal(a_proposal("card", account))
    moved = await store.move_proposal("card", expect=OPEN, to=CONFIRMED, at=later(5), message_id=41)
    assert moved == a_proposal(
        "card", account, state=CONFIRMED, version=1, message_id=41, confirmed_at=later(5)
    )
    assert await store.proposal("card") == moved


async def test_a_second_tap_changes_nothing(store: Store, account: Account) -> None:
    await store.add_proposal(a_proposal("card", account))
    moved = await store.move_proposal("card", expect=OPEN, to=CONFIRMED, at=later(5))
    again = await store.move_proposal(
        "card", expect=OPEN, to=CONFIRMED, at=later(6), outbox=owed("twice"), message_id=99
    )
    assert again is None
    assert await store.proposal("card") == moved
    assert await store.due(now=later(60)) == []


async def test_the_receipt_is_owed_together_with_the_outcome(store: Store, account: Account) -> None:
    await store.add_proposal(a_proposal("card", account))
    await store.move_proposal("card", expect=OPEN, to=CONFIRMED, at=later(5))
    outcome = {"status": "complete", "legs": [{"filled": "12.3", "note": "naïve\0\ud83e"}]}
    done = await store.move_proposal(
        "card", expect=CONFIRMED, to=DONE, at=later(9), outcome=outcome, outbox=owed("receipt")
    )
    assert done is not None
    assert (done.outcome, done.confirmed_at, done.version) == (outcome, later(5), 2)
    assert [item.key for item in await store.due(now=later(9))] == ["receipt"]


async def test_a_card_is_done_only_when_all_of_its_orders_are_known_and_settled(
    store: Store, account: Account
) -> None:
    await store.add_proposal(a_proposal("card", account))
    await store.move_proposal("card", expect=OPEN, to=CONFIRMED, at=later(5))

    async def done(attempts: int) -> Proposal | None:
        return await store.move_proposal(
            "card", expect=CONFIRMED, to=DONE, at=later(9), outbox=owed("receipt"), attempts=attempts
        )

    order = await store.reserve(an_attempt("hh1", account))
    assert await done(1) is None
    await store.transition(order, AttemptState.FILLED, at=later(6))
    assert await done(0) is None
    assert await store.due(now=later(60)) == []
    assert await done(1) is not None


@pytest.mark.parametrize("end", ENDS)
async def test_an_end_is_for_good(store: Store, account: Account, end: ProposalState) -> None:
    await store.add_proposal(a_proposal("card", account))
    ended = await store.move_proposal("card", expect=OPEN, to=end, at=later(5))
    for expect in ProposalState:
        for to in ProposalState:
            assert await store.move_proposal("card", expect=expect, to=to, at=later(6)) is None
    assert await store.proposal("card") == ended


async def test_a_priced_difference_is_a_card_of_its_own(store: Store, account: Account) -> None:
    await store.add_proposal(a_proposal("card", account))
    again = a_proposal("again", account, replaces="card", message_id=41, quoted_at=later(5))
    moved = await store.move_proposal(
        "card", expect=OPEN, to=ProposalState.SUPERSEDED, at=later(5), replacement=again
    )
    assert moved is not None
    assert moved.state is ProposalState.SUPERSEDED
    assert await store.proposal("again") == again


async def test_a_difference_that_cannot_be_stored_moves_nothing(store: Store, account: Account) -> None:
    await store.add_proposal(a_proposal("card", account))
    broken = a_proposal("again", account, replaces="never stored")
    with pytest.raises(InvalidRecord):
        await store.move_proposal(
            "card",
            expect=OPEN,
            to=ProposalState.SUPERSEDED,
            at=later(5),
            replacement=broken,
            outbox=owed("message"),
        )
    assert await store.proposal("card") == a_proposal("card", account)
    assert await store.outbox_item(1) is None


async def test_a_confirmed_card_sets_what_it_is_about_and_leaves_the_rest_of_a_rule(
    store: Store, account: Account
) -> None:
    await store.add_proposal(a_proposal("card", account))
    await store.save_rule(ADA.id, HedgeRule(leverage=3))  # after the tap has read the rule
    read = HedgeRule(target=Decimal("0.75"), factor="ETH", leverage=2)
    await store.move_proposal(
        "card", expect=OPEN, to=CONFIRMED, at=later(5), keeps=read, sets=("target", "factor")
    )
    assert await store.rule(ADA.id) == HedgeRule(target=Decimal("0.75"), factor="ETH", leverage=3)


@pytest.mark.parametrize("sets", [(), ("target",)])
async def test_who_has_set_no_rule_keeps_the_whole_one_of_the_card(
    store: Store, account: Account, sets: tuple[str, ...]
) -> None:
    await store.add_proposal(a_proposal("card", account))
    rule = HedgeRule(target=Decimal("0.75"), leverage=4)
    await store.move_proposal("card", expect=OPEN, to=CONFIRMED, at=later(5), keeps=rule, sets=sets)
    assert await store.rule(ADA.id) == rule


async def test_a_card_that_is_not_moved_sets_nothing(store: Store, account: Account) -> None:
    await store.add_proposal(a_proposal("card", account))
    await store.save_rule(ADA.id, HedgeRule())
    await store.move_proposal("card", expect=OPEN, to=ProposalState.EXPIRED, at=later(301))
    other = HedgeRule(target=Decimal(1))
    late = await store.move_proposal(
        "card", expect=OPEN, to=CONFIRMED, at=later(302), keeps=other, sets=("target",)
    )
    assert late is None
    assert await store.rule(ADA.id) == HedgeRule()


async def test_what_fails_after_the_rule_was_set_leaves_rule_and_card_alone(
    store: Store, account: Account
) -> None:
    await store.add_proposal(a_proposal("card", account))
    await store.save_rule(ADA.id, HedgeRule())
    broken = a_proposal("again", account, replaces="never stored")  # written after the card and the rule
    with pytest.raises(InvalidRecord):
        await store.move_proposal(
            "card",
            expect=OPEN,
            to=CONFIRMED,
            at=later(5),
            keeps=HedgeRule(target=Decimal(1)),
            sets=("target",),
            replacement=broken,
        )
    assert await store.rule(ADA.id) == HedgeRule()
    assert await store.proposal("card") == a_proposal("card", account)


async def test_an_answer_to_an_alert_names_it(store: Store, account: Account) -> None:
    await store.change_alerts([AlertChange(an_alert())], {})
    alert = (await store.live_alerts(ADA.id))[0]
    card = await store.add_proposal(a_proposal("card", account, alert_id=alert.id))
    assert card.alert_id == alert.id


async def test_what_hangs_is_found_by_the_time_of_its_tap(store: Store, account: Account) -> None:
    for name, tapped in (("late", 50), ("early", 10), ("just now", 100)):
        await store.add_proposal(a_proposal(name, account, quoted_at=NOW))
        await store.move_proposal(name, expect=OPEN, to=CONFIRMED, at=later(tapped))
    await store.add_proposal(a_proposal("waiting", account, quoted_at=NOW))
    assert [card.id for card in await store.proposals_in(CONFIRMED, before=later(60))] == ["early", "late"]
    assert [card.id for card in await store.proposals_in(OPEN, before=later(1))] == ["waiting"]
    assert await store.proposals_in(OPEN, before=NOW) == []


async def test_the_latest_come_first(store: Store, account: Account) -> None:
    await store.ensure_user(BOB)
    bobs = await store.ensure_account(BOB.id, "paper", "paper")
    for number, owner in enumerate([account, account, bobs, account]):
        name = f"card {number}"
        await store.add_proposal(a_proposal(name, owner, quoted_at=NOW + timedelta(hours=number)))
        await store.move_proposal(
            name, expect=OPEN, to=CONFIRMED, at=NOW + timedelta(hours=number, minutes=1)
        )
        await store.move_proposal(
            name, expect=CONFIRMED, to=DONE, at=NOW + timedelta(hours=number, minutes=2)
        )
    assert [card.id for card in await store.latest_proposals(ADA.id)] == ["card 3", "card 1", "card 0"]
    assert [card.id for card in await store.latest_proposals(ADA.id, limit=1)] == ["card 3"]
    assert await store.latest_proposals(ADA.id, state=OPEN) == []


async def test_a_card_needs_an_account_that_exists(store: Store, account: Account) -> None:
    stranger = Account(account.id + 1, ADA.id, "paper", "paper")
    with pytest.raises(InvalidRecord):
        await store.add_proposal(a_proposal("card", stranger))
    assert await store.proposal("card") is None
