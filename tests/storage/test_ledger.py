"""The attempt ledger: one live order an account and symbol, every state once, ends for good."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from bot.ports.errors import InvalidRecord, StaleVersion, SymbolBusy
from bot.ports.records import TERMINAL, Account, Attempt, AttemptState, ProposalState
from bot.ports.store import Store
from bot.storage.tables import LIVE_ATTEMPT
from tests.storage.samples import BOB, NOW, a_proposal, an_attempt, later, owed

RESERVED, SENDING, ACKED = AttemptState.RESERVED, AttemptState.SENDING, AttemptState.ACKED
FILLED, UNKNOWN, RECONCILING = AttemptState.FILLED, AttemptState.UNKNOWN, AttemptState.RECONCILING
LIVE = sorted(set(AttemptState) - TERMINAL)


@pytest_asyncio.fixture
async def account(store: Store, account: Account) -> Account:
    """Ada's account, with the cards that her attempts belong to."""
    await store.add_proposal(a_proposal("card", account))
    await store.add_proposal(a_proposal("other card", account), supersede=False)
    return account


async def moved(store: Store, attempt: Attempt, *states: AttemptState) -> Attempt:
    for number, state in enumerate(states, start=1):
        attempt = await store.transition(attempt, state, at=attempt.updated_at + timedelta(seconds=number))
    return attempt


def test_the_database_knows_which_states_are_live() -> None:
    assert str(LIVE_ATTEMPT).count("'") == 2 * len(LIVE)
    assert all(f"'{state}'" in str(LIVE_ATTEMPT) for state in LIVE)


async def test_an_attempt_is_reserved_before_anything_is_sent(store: Store, account: Account) -> None:
    reserved = await store.reserve(an_attempt("hh1", account))
    assert reserved == an_attempt("hh1", account)
    assert await store.attempt("hh1") == reserved
    assert await store.events("hh1") == [(RESERVED, NOW)]
    assert await store.attempt("hh2") is None
    assert await store.events("hh2") == []


async def test_the_same_client_id_hands_back_what_is_there(store: Store, account: Account) -> None:
    sending = await moved(store, await store.reserve(an_attempt("hh1", account)), SENDING)
    assert await store.reserve(an_attempt("hh1", account)) == sending
    assert [state for state, _ in await store.events("hh1")] == [RESERVED, SENDING]


async def test_no_order_is_reserved_for_a_card_that_has_come_to_its_end(
    store: Store, account: Account
) -> None:
    known = await store.reserve(an_attempt("hh1", account, symbol="A"))
    await store.move_proposal("card", expect=ProposalState.OPEN, to=ProposalState.EXPIRED, at=later(5))
    assert await store.reserve(an_attempt("hh1", account, symbol="A")) == known
    with pytest.raises(StaleVersion):
        await store.reserve(an_attempt("hh2", account, leg=1, symbol="B"))
    assert await store.attempt("hh2") is None


async def test_an_attempt_begins_as_reserved(store: Store, account: Account) -> None:
    with pytest.raises(InvalidRecord):
        await store.reserve(an_attempt("hh1", account, state=SENDING))
    assert await store.attempt("hh1") is None


@pytest.mark.parametrize("state", LIVE)
async def test_a_live_attempt_blocks_its_symbol(store: Store, account: Account, state: AttemptState) -> None:
    first = await store.reserve(an_attempt("hh1", account))
    if state is not RESERVED:
        await store.transition(first, state, at=later(1))
    with pytest.raises(SymbolBusy):
        await store.reserve(an_attempt("hh2", account, "other card"))
    assert await store.attempt("hh2") is None
    assert await store.events("hh2") == []


@pytest.mark.parametrize("state", sorted(TERMINAL))
async def test_an_ended_attempt_frees_its_symbol(store: Store, account: Account, state: AttemptState) -> None:
    first = await store.reserve(an_attempt("hh1", account))
    await store.transition(first, state, at=later(1))
    second = await store.reserve(an_attempt("hh2", account, "other card"))
    assert second.state is RESERVED


async def test_other_symbols_and_accounts_are_free(store: Store, account: Account) -> None:
    await store.ensure_user(BOB)
    bobs = await store.ensure_account(BOB.id, "paper", "paper")
    await store.add_proposal(a_proposal("bob", bobs))
    await store.reserve(an_attempt("hh1", account))
    await store.reserve(an_attempt("hh2", account, leg=1, symbol="ETH/USDT:USDT"))
    await store.reserve(an_attempt("hh3", bobs, "bob"))
    assert [attempt.client_id for attempt in await store.attempts("card")] == ["hh1", "hh2"]


async def test_a_leg_has_one_attempt_of_each_number(store: Store, account: Account) -> None:
    await moved(store, await store.reserve(an_attempt("hh1", account)), AttemptState.ABSENT)
    with pytest.raises(InvalidRecord):
        await store.reserve(an_attempt("hh2", account))
    second = await store.reserve(an_attempt("hh2", account, number=1))
    assert [attempt.client_id for attempt in await store.attempts("card")] == ["hh1", second.client_id]


async def test_attempts_come_by_leg_and_number(store: Store, account: Account) -> None:
    for client_id, leg, number in (("hh1", 1, 0), ("hh2", 0, 1), ("hh3", 0, 0)):
        attempt = an_attempt(client_id, account, leg=leg, number=number)
        await moved(store, await store.reserve(attempt), AttemptState.ABSENT)
    assert [attempt.client_id for attempt in await store.attempts("card")] == ["hh3", "hh2", "hh1"]
    assert await store.attempts("other card") == []


async def test_a_transition_keeps_what_became_known(store: Store, account: Account) -> None:
    sending = await moved(store, await store.reserve(an_attempt("hh1", account)), SENDING)
    known: dict[str, Any] = {
        "order_id": "42-abc",
        "filled": Decimal("4.10"),
        "average_price": Decimal("142.2900"),
        "fee": Decimal("0.29"),
        "lookups": 2,
        "reason": "a \0 reason",
    }
    partial = await store.transition(sending, AttemptState.PARTIAL, at=later(3), **known)
    kept = {**known, "reason": "a \N{REPLACEMENT CHARACTER} reason"}
    assert partial == replace(sending, state=AttemptState.PARTIAL, version=2, updated_at=later(3), **kept)
    assert await store.attempt("hh1") == partial
    assert await store.events("hh1") == [
        (RESERVED, NOW),
        (SENDING, later(1)),
        (AttemptState.PARTIAL, later(3)),
    ]


@pytest.mark.parametrize(
    "field", ["client_id", "contracts", "limit_price", "side", "symbol", "created_at", "id"]
)
async def test_what_was_ordered_never_changes(store: Store, account: Account, field: str) -> None:
    reserved = await store.reserve(an_attempt("hh1", account))
    changes: dict[str, Any] = {field: getattr(reserved, field, 1)}
    with pytest.raises(InvalidRecord):
        await store.transition(reserved, SENDING, at=later(1), **changes)
    assert await store.attempt("hh1") == reserved


async def test_a_stale_writer_is_refused(store: Store, account: Account) -> None:
    reserved = await store.reserve(an_attempt("hh1", account))
    sending = await moved(store, reserved, SENDING)
    with pytest.raises(StaleVersion):
        await store.transition(reserved, SENDING, at=later(2), outbox=owed("stale"))
    assert await store.attempt("hh1") == sending
    assert await store.due(now=later(60)) == []
    assert len(await store.events("hh1")) == 2


async def test_an_attempt_that_was_never_reserved_cannot_move(store: Store, account: Account) -> None:
    with pytest.raises(StaleVersion):
        await store.transition(an_attempt("hh1", account), SENDING, at=later(2))


@pytest.mark.parametrize("end", sorted(TERMINAL))
async def test_an_end_is_for_good(store: Store, account: Account, end: AttemptState) -> None:
    ended = await moved(store, await store.reserve(an_attempt("hh1", account)), end)
    for state in AttemptState:
        with pytest.raises(StaleVersion):
            await store.transition(ended, state, at=later(9), filled=Decimal(1))
    assert await store.attempt("hh1") == ended
    assert [state for state, _ in await store.events("hh1")] == [RESERVED, end]


async def test_a_message_is_owed_with_its_transition(store: Store, account: Account) -> None:
    sending = await moved(store, await store.reserve(an_attempt("hh1", account)), SENDING)
    await store.transition(sending, UNKNOWN, at=later(5), outbox=owed("waiting"))
    assert [item.key for item in await store.due(now=later(60))] == ["waiting"]


async def test_a_message_that_is_owed_already_does_not_hold_up_a_transition(
    store: Store, account: Account
) -> None:
    first = await store.owe(owed("waiting"))
    sending = await moved(store, await store.reserve(an_attempt("hh1", account)), SENDING)
    unknown = await store.transition(
        sending, UNKNOWN, at=later(5), outbox=owed("waiting", payload={"other": 1})
    )
    assert unknown.state is UNKNOWN
    assert await store.due(now=later(60)) == [first]


async def test_a_lookup_in_vain_is_counted_and_written_down(store: Store, account: Account) -> None:
    unknown = await moved(store, await store.reserve(an_attempt("hh1", account)), SENDING, UNKNOWN)
    first = await store.transition(unknown, RECONCILING, at=later(10), lookups=1)
    second = await store.transition(first, RECONCILING, at=later(20), lookups=2)
    assert (second.lookups, second.version) == (2, 4)
    assert [state for state, _ in await store.events("hh1")][-2:] == [RECONCILING, RECONCILING]


async def test_what_was_left_behind_is_found(store: Store, account: Account) -> None:
    for number, symbol in enumerate(["A", "B", "C", "D"]):
        attempt = an_attempt(symbol, account, leg=number, symbol=symbol, updated_at=later(-number))
        await store.reserve(attempt)
    ended = await store.attempt("C")
    assert ended is not None
    await store.transition(ended, AttemptState.REJECTED, at=later(-9))
    assert [attempt.client_id for attempt in await store.open_attempts(before=NOW)] == ["D", "B"]
    assert await store.open_attempts(before=later(-3)) == []
