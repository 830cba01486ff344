"""Many at once: tasks of one process, and two engines on one database as two replicas have them. One of them wins."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest
import pytest_asyncio

from bot.ports.errors import StaleVersion, SymbolBusy
from bot.ports.records import Account, AlertState, AttemptState, OutboxItem, Proposal, ProposalState
from bot.ports.store import AlertChange, HoldingChange, Store
from bot.storage import open_store
from hedging.portfolio import Holding
from hedging.rules import HedgeRule
from tests.storage.samples import ADA, NOW, a_proposal, an_alert, an_attempt, later, owed

OPEN, CONFIRMED = ProposalState.OPEN, ProposalState.CONFIRMED


@pytest_asyncio.fixture
async def replicas(store: Store, database: str) -> AsyncIterator[list[Store]]:
    """Fifty callers that share two stores."""
    other: Store = open_store(database)
    yield [store, other] * 25
    await other.close()


async def test_fifty_taps_confirm_a_card_once(replicas: list[Store], account: Account) -> None:
    await replicas[0].add_proposal(a_proposal("card", account))

    async def tap(number: int, store: Store) -> Proposal | None:
        message = owed(f"tap {number}")
        return await store.move_proposal(
            "card", expect=OPEN, to=CONFIRMED, at=later(number), message_id=number, outbox=message
        )

    outcomes = await asyncio.gather(*(tap(number, store) for number, store in enumerate(replicas)))
    (winner,) = [outcome for outcome in outcomes if outcome is not None]
    assert await replicas[0].proposal("card") == winner
    assert [item.key for item in await replicas[0].due(now=later(99))] == [f"tap {winner.message_id}"]


async def test_a_tap_and_a_cancellation_have_one_winner(replicas: list[Store], account: Account) -> None:
    for round_ in range(5):
        card = f"card {round_}"
        await replicas[0].add_proposal(a_proposal(card, account))
        ends = [CONFIRMED, ProposalState.CANCELLED, ProposalState.EXPIRED, ProposalState.SUPERSEDED]
        moves = (
            store.move_proposal(card, expect=OPEN, to=end, at=later(1))
            for store, end in zip(replicas, ends, strict=False)
        )
        (winner,) = [moved for moved in await asyncio.gather(*moves) if moved is not None]
        assert await replicas[1].proposal(card) == winner


async def test_fifty_new_cards_leave_one_open(replicas: list[Store], account: Account) -> None:
    await asyncio.gather(
        *(store.add_proposal(a_proposal(f"card {n}", account)) for n, store in enumerate(replicas))
    )
    assert len(await replicas[0].proposals_in(OPEN, before=later(9))) == 1
    assert len(await replicas[0].proposals_in(ProposalState.SUPERSEDED, before=later(9))) == 49


async def test_one_card_stored_fifty_times_is_one_card(replicas: list[Store], account: Account) -> None:
    cards = await asyncio.gather(*(store.add_proposal(a_proposal("card", account)) for store in replicas))
    assert cards == [a_proposal("card", account)] * 50


async def test_one_of_fifty_orders_gets_a_symbol(replicas: list[Store], account: Account) -> None:
    await replicas[0].add_proposal(a_proposal("card", account))
    attempts = [an_attempt(f"hh{number}", account, leg=number) for number in range(50)]
    outcomes = await asyncio.gather(
        *(store.reserve(attempt) for store, attempt in zip(replicas, attempts, strict=True)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes].count(SymbolBusy) == 49
    (winner,) = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert await replicas[0].attempts("card") == [winner]


async def test_one_of_fifty_workers_sends_an_order(replicas: list[Store], account: Account) -> None:
    await replicas[0].add_proposal(a_proposal("card", account))
    reserved = await replicas[0].reserve(an_attempt("hh1", account))
    outcomes = await asyncio.gather(
        *(store.transition(reserved, AttemptState.SENDING, at=later(1)) for store in replicas),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes].count(StaleVersion) == 49
    assert len(await replicas[0].events("hh1")) == 2


async def test_one_of_fifty_senders_gets_a_message(replicas: list[Store], account: Account) -> None:
    item = await replicas[0].owe(owed("receipt"))
    claims = [store.claim_delivery(item, now=NOW, by=f"{n}") for n, store in enumerate(replicas)]
    (claimed,) = [claim for claim in await asyncio.gather(*claims) if claim is not None]
    assert claimed == replace(item, state="sending", tries=1)


async def test_a_message_owed_fifty_times_is_owed_once(replicas: list[Store], account: Account) -> None:
    items: list[OutboxItem] = await asyncio.gather(*(store.owe(owed("receipt")) for store in replicas))
    assert len({item.id for item in items}) == 1
    assert len(await replicas[0].due(now=NOW)) == 1


async def test_an_update_delivered_fifty_times_adds_once(replicas: list[Store], account: Account) -> None:
    change = HoldingChange("SOL", Decimal(120))
    done = await asyncio.gather(*(store.change_holdings(ADA.id, [change], key="7") for store in replicas))
    assert [one.repeated for one in done].count(False) == 1
    assert {one.holdings for one in done} == {(Holding("SOL", Decimal(120)),)}
    assert await replicas[0].holdings(ADA.id) == (Holding("SOL", Decimal(120)),)


async def test_fifty_different_changes_all_count(replicas: list[Store], account: Account) -> None:
    change = HoldingChange("SOL", Decimal("0.1"))
    await asyncio.gather(
        *(store.change_holdings(ADA.id, [change], key=f"{n}") for n, store in enumerate(replicas))
    )
    assert await replicas[0].holdings(ADA.id) == (Holding("SOL", Decimal(5)),)


async def test_a_paper_account_is_saved_by_one_of_fifty(replicas: list[Store], account: Account) -> None:
    for version in (0, 1):
        saves = [
            store.save_paper(account.id, {"by": n}, version=version, order=(f"hh{version}", "SOL", {"by": n}))
            for n, store in enumerate(replicas)
        ]
        outcomes = await asyncio.gather(*saves, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes].count(StaleVersion) == 49
        state = {"by": outcomes.index(None)}
        assert await replicas[0].paper_account(account.id) == (state, version + 1)
        assert await replicas[0].paper_order(account.id, f"hh{version}") == state


async def test_a_matter_found_by_fifty_ticks_is_raised_once(replicas: list[Store], account: Account) -> None:
    await asyncio.gather(
        *(
            store.change_alerts([AlertChange(an_alert(), owed(f"{n}"))], {ADA.id: {"tick": n}})
            for n, store in enumerate(replicas)
        )
    )
    (alert,) = await replicas[0].live_alerts(ADA.id)
    (item,) = await replicas[0].due(now=NOW)
    assert item.payload["alert_id"] == alert.id


async def test_a_snooze_and_a_recovery_have_one_winner(replicas: list[Store], account: Account) -> None:
    kinds = [f"kind {number}" for number in range(len(replicas))]
    await replicas[0].change_alerts([AlertChange(an_alert(kind=kind)) for kind in kinds], {})
    raised = await replicas[0].live_alerts(ADA.id)
    over = [replace(alert, state=AlertState.RECOVERED, facts={"how": "by itself"}) for alert in raised]
    tick = replicas[1].change_alerts([AlertChange(alert, owed(alert.kind)) for alert in over], {})
    snoozes = [
        store.move_alert(alert, AlertState.SNOOZED, at=later(1), snoozed_until=later(9))
        for store, alert in zip(replicas, raised, strict=True)
    ]
    snoozed = (await asyncio.gather(*snoozes[:25], tick, *snoozes[25:], return_exceptions=True)).copy()
    assert snoozed.pop(25) is None
    messages = {item.key for item in await replicas[0].due(now=NOW)}
    for recovered, outcome in zip(over, snoozed, strict=True):
        lost = isinstance(outcome, StaleVersion)
        assert await replicas[0].alert(recovered.id) == (replace(recovered, version=1) if lost else outcome)
        assert (recovered.kind in messages) == lost


async def test_a_newcomer_who_writes_fifty_times_is_one_user(replicas: list[Store]) -> None:
    users = await asyncio.gather(*(store.ensure_user(ADA) for store in replicas))
    accounts = await asyncio.gather(*(store.ensure_account(ADA.id, "paper", "paper") for store in replicas))
    assert users == [ADA] * 50
    assert len(set(accounts)) == 1
    assert len(await replicas[0].accounts()) == 1


@pytest.mark.parametrize("after", range(0, 24, 3))
async def test_a_cancelled_change_is_whole_or_nothing(store: Store, account: Account, after: int) -> None:
    await store.add_proposal(a_proposal("card", account))
    reserved = await store.reserve(an_attempt("hh1", account))
    work = asyncio.ensure_future(  # noqa: TID251 - it is awaited below
        store.transition(reserved, AttemptState.SENDING, at=later(1), outbox=owed("told"))
    )
    for _ in range(after):
        await asyncio.sleep(0.0005)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    attempt = await store.attempt("hh1")
    assert attempt is not None
    assert len(await store.events("hh1")) == attempt.version + 1
    assert len(await store.due(now=NOW)) == attempt.version
    if attempt.version == 0:
        await store.transition(reserved, AttemptState.SENDING, at=later(2))


async def test_a_tick_sees_one_state_of_everything(replicas: list[Store], account: Account) -> None:
    await replicas[0].save_rule(ADA.id, HedgeRule())
    await replicas[0].change_holdings(ADA.id, [HoldingChange("SOL", Decimal(1))], key="1")
    await replicas[0].change_alerts([AlertChange(an_alert(facts={"round": 0}))], {ADA.id: {"round": 0}})

    async def write() -> None:
        for number in range(1, 60):
            (alert,) = await replicas[0].live_alerts(ADA.id)
            change = AlertChange(replace(alert, facts={"round": number}))
            await replicas[0].change_alerts([change], {ADA.id: {"round": number}})

    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(write())
        while not writing.done():
            (one,) = await replicas[1].watched()
            assert [alert.facts for alert in one.alerts] == [one.reference]
