"""Invitations to send a key, and keys that are not let in any more."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.ports.errors import InvalidRecord
from bot.ports.records import Account, AccountState, Invitation, OutboxItem
from bot.ports.store import Store
from tests.storage.samples import ADA, BOB, NOW, later

INVITED = Invitation(ADA.id, "bybit", "demo", NOW + timedelta(minutes=10))


def told(key: str) -> OutboxItem:
    return OutboxItem(key, ADA.id, ADA.chat_id, "key_refused", {"exchange": "bybit"}, NOW)


async def test_an_invitation_takes_the_place_of_the_one_before(store: Store) -> None:
    await store.ensure_user(ADA)
    await store.ensure_user(BOB)
    assert await store.invitation(ADA.id) is None
    await store.invite(INVITED)
    await store.answer_invitation(ADA.id, by="update:1", now=NOW)
    newer = replace(INVITED, exchange="mexc", mode="live")
    await store.invite(newer)
    assert await store.invitation(ADA.id) == newer
    assert await store.invitation(BOB.id) is None
    await store.withdraw_invitation(ADA.id)
    assert await store.invitation(ADA.id) is None


async def test_whoever_was_not_invited_or_comes_too_late_answers_nothing(store: Store) -> None:
    await store.ensure_user(ADA)
    assert await store.answer_invitation(ADA.id, by="update:1", now=NOW) is None
    await store.invite(INVITED)
    assert await store.answer_invitation(ADA.id, by="update:1", now=INVITED.until) is None


async def test_an_update_that_comes_twice_gets_the_same_invitation_also_when_it_is_over(store: Store) -> None:
    await store.ensure_user(ADA)
    await store.invite(INVITED)
    first = await store.answer_invitation(ADA.id, by="update:1", now=NOW)
    assert first == replace(INVITED, answered_by="update:1")
    await store.save_invitation(replace(first, message_id=7))
    again = await store.answer_invitation(ADA.id, by="update:1", now=later(3600))
    assert again == replace(first, message_id=7)
    done = replace(again, over=True)
    await store.save_invitation(done)
    assert await store.answer_invitation(ADA.id, by="update:1", now=NOW) == done
    assert await store.answer_invitation(ADA.id, by="update:2", now=NOW) is None


async def test_a_second_try_starts_a_message_of_its_own(store: Store) -> None:
    await store.ensure_user(ADA)
    await store.invite(INVITED)
    first = await store.answer_invitation(ADA.id, by="update:1", now=NOW)
    assert first is not None
    await store.save_invitation(replace(first, message_id=7))
    second = await store.answer_invitation(ADA.id, by="update:2", now=NOW)
    assert second == replace(INVITED, answered_by="update:2")
    await store.save_invitation(replace(first, over=True))  # the first one was slow
    assert await store.invitation(ADA.id) == second


async def test_the_third_refusal_in_a_row_suspends_and_tells_once(store: Store, account: Account) -> None:
    for n in (1, 2):
        counted = await store.count_refusal(account, most=3, outbox=told(f"a{n}"))
        assert (counted.refusals, counted.state) == (n, AccountState.ACTIVE)
    assert await store.due(now=NOW) == []
    suspended = await store.count_refusal(account, most=3, outbox=told("a3"))
    assert (suspended.refusals, suspended.state) == (3, AccountState.SUSPENDED)
    again = await store.count_refusal(account, most=3, outbox=told("a4"))
    assert (again.refusals, again.state) == (3, AccountState.SUSPENDED)
    assert [item.key for item in await store.due(now=NOW)] == ["a3"]


async def test_a_key_that_is_let_in_again_begins_from_none(store: Store, account: Account) -> None:
    await store.count_refusal(account, most=3, outbox=None)
    await store.forget_refusals(account)
    assert (await store.count_refusal(account, most=3, outbox=None)).refusals == 1


async def test_what_an_earlier_key_met_does_not_count_for_a_new_one(store: Store, account: Account) -> None:
    for _ in range(3):
        await store.count_refusal(account, most=3, outbox=None)
    renewed = await store.renew_key(account.id)
    assert (renewed.state, renewed.refusals) == (AccountState.ACTIVE, 0)
    assert renewed.key_number == account.key_number + 1
    late = await store.count_refusal(account, most=3, outbox=None)
    assert late.refusals == 0
    await store.count_refusal(renewed, most=3, outbox=None)
    await store.forget_refusals(account)
    assert (await store.count_refusal(renewed, most=3, outbox=None)).refusals == 2


async def test_refusals_and_keys_do_not_make_another_account_of_it(store: Store, account: Account) -> None:
    assert await store.count_refusal(account, most=3, outbox=None) == account
    assert await store.renew_key(account.id) == account
    with pytest.raises(InvalidRecord):
        await store.renew_key(10_000)
    with pytest.raises(InvalidRecord):
        await store.count_refusal(replace(account, id=10_000), most=3, outbox=None)
