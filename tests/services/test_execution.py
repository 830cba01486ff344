"""From the tap to the receipt: every order at most once, whatever the exchange answers and wherever we die."""

import asyncio
from decimal import Decimal
from itertools import count

import pytest

from bot.ports.errors import Ambiguous
from bot.ports.records import TERMINAL, Account, AttemptState, Order, OrderReport, Proposal
from bot.services.attempts import Attempts, client_id
from tests.fakes.durable import Crash
from tests.services.conftest import Desk

D = Decimal


async def test_a_filled_order_ends_in_one_receipt_on_the_card(desk: Desk) -> None:
    await desk.hold(SOL="100")
    done = await desk.hedged()
    assert done.outcome["status"] == "complete"
    assert Decimal(done.outcome["coverage_after"]) == D("0.5")
    (receipt,) = desk.notifier.told
    assert (receipt.kind, receipt.edit) == ("receipt", 50)


async def test_a_partial_fill_is_told_as_coverage_and_not_topped_up(desk: Desk) -> None:
    await desk.hold(SOL="100")
    desk.exchange.script = ["partial"]
    done = await desk.hedged()
    assert done.outcome["status"] == "partial"
    assert done.outcome["legs"][0]["filled"] == "18.5"
    assert Decimal(done.outcome["coverage_after"]) == D("0.185")
    assert len(desk.exchange.placed) == 1


async def test_an_order_that_met_nobody_is_told_as_nothing(desk: Desk) -> None:
    await desk.hold(SOL="100")
    desk.exchange.script = ["nothing"]
    assert (await desk.hedged()).outcome["status"] == "nothing"


async def test_a_definite_rejection_is_told_with_its_reason(desk: Desk) -> None:
    await desk.hold(SOL="100")
    desk.exchange.script = ["reject"]
    done = await desk.hedged()
    assert done.outcome["status"] == "nothing"
    assert done.outcome["legs"][0]["reason"] == "margin"


@pytest.mark.fault(11)
async def test_a_lost_answer_to_an_accepted_order_is_looked_up_not_sent_again(desk: Desk) -> None:
    await desk.hold(SOL="100")
    desk.exchange.script = ["hang_after"]
    done = await desk.hedged()
    assert done.outcome["status"] == "complete"
    assert len(desk.exchange.placed) == 1


@pytest.mark.fault(14)
async def test_an_order_that_shows_late_is_found_and_not_doubled(desk: Desk) -> None:
    await desk.hold(SOL="100")
    desk.exchange.script = ["late"]
    done = await desk.hedged()
    assert done.outcome["status"] == "complete"
    assert len(desk.exchange.placed) == 1


async def test_an_order_proven_absent_is_sent_under_a_new_id(desk: Desk) -> None:
    await desk.hold(SOL="100")
    desk.exchange.script = ["hang_before"]
    done = await desk.hedged()
    assert done.outcome["status"] == "complete"
    assert [order.client_id for order in desk.exchange.placed] == [
        client_id(done.id, 0, 0),
        client_id(done.id, 0, 1),
    ]
    states = [attempt.state for attempt in await desk.store.attempts(done.id)]
    assert states == [AttemptState.ABSENT, AttemptState.FILLED]


async def test_absence_is_not_believed_while_the_position_has_moved(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    await desk.tap(card)
    desk.exchange.script = ["hang_before"]
    send = desk.exchange.place

    async def moved_by_somebody(account: Account, order: Order) -> OrderReport:
        desk.exchange.held["SOL/USDT:USDT"] = D(-1)
        desk.exchange.entries["SOL/USDT:USDT"] = D(150)
        return await send(account, order)

    desk.exchange.place = moved_by_somebody  # type: ignore[method-assign]
    await desk.durable.run_all()
    (attempt,) = await desk.store.attempts(card.id)
    assert attempt.state is AttemptState.MANUAL
    assert desk.notifier.kinds() == ["waiting", "receipt"]
    assert desk.notifier.told[-1].payload["status"] == "manual"


@pytest.mark.parametrize(("unclear", "sent"), [(2, 1), (3, 0)])
async def test_a_leverage_that_is_unclear_is_set_again_and_nothing_is_sent_on_a_guess(
    desk: Desk, unclear: int, sent: int
) -> None:
    await desk.hold(SOL="100")
    answers = ["lost"] * unclear
    set_leverage = desk.exchange.set_leverage

    async def losing_answers(account: Account, symbol: str, leverage: int) -> None:
        if answers:
            raise Ambiguous(answers.pop())
        await set_leverage(account, symbol, leverage)

    desk.exchange.set_leverage = losing_answers  # type: ignore[method-assign]
    done = await desk.hedged()
    assert len(desk.exchange.placed) == sent
    assert done.outcome["legs"][0]["reason"] == ("" if sent else "leverage_unknown")


async def test_a_tap_from_before_a_long_outage_sends_nothing(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    await desk.tap(card)
    desk.clock.pass_(minutes=10)
    desk.restart()
    await desk.durable.run_all()
    assert desk.exchange.placed == []
    assert desk.notifier.told[-1].payload["legs"][0]["reason"] == "too_late"


@pytest.mark.fault(14)
async def test_an_order_that_was_acknowledged_and_is_not_found_is_never_sent_again(desk: Desk) -> None:
    await desk.hold(SOL="100")

    async def acknowledged(account: Account, order: Order) -> OrderReport:
        desk.exchange.placed.append(order)
        return OrderReport(order.client_id, "4711", "open", D(0), None, D(0))

    desk.exchange.place = acknowledged  # type: ignore[method-assign]
    done = await desk.hedged()
    assert done.outcome["status"] == "manual"
    assert len(desk.exchange.placed) == 1
    assert desk.notifier.kinds() == ["waiting", "receipt"]


async def test_an_exchange_that_takes_its_time_before_the_order_does_not_make_the_tap_last_longer(
    desk: Desk,
) -> None:
    await desk.hold(SOL="100")
    set_leverage = desk.exchange.set_leverage

    async def slow(account: Account, symbol: str, leverage: int) -> None:
        desk.clock.pass_(minutes=3)
        await set_leverage(account, symbol, leverage)

    desk.exchange.set_leverage = slow  # type: ignore[method-assign]
    done = await desk.hedged()
    assert desk.exchange.placed == []
    assert done.outcome["legs"][0]["reason"] == "too_late"


async def reserved(desk: Desk, card: Proposal) -> None:
    """The account and symbol of the first leg are taken, and nothing is sent."""
    account = await desk.store.account(card.account_id)
    assert account is not None
    await Attempts(desk.store, desk.exchange, desk.clock).reserve(card, account, 0, 0)


async def test_an_open_attempt_blocks_another_order_on_the_same_symbol(desk: Desk) -> None:
    await desk.hold(SOL="100")
    first = await desk.card(key="update:1")
    await desk.tap(first)
    desk.exchange.script = ["hang_after"]
    desk.market.away = False
    await reserved(desk, first)
    second = await desk.card(key="update:2", message_id=60)
    await desk.tap(second, message_id=60)
    await desk.durable.wait(f"exec:{second.id}")
    done = await desk.store.proposal(second.id)
    assert done is not None
    assert done.outcome["legs"][0]["reason"] == "busy"
    assert desk.exchange.placed == []


async def test_fault_29_two_workers_who_read_the_same_attempt_send_it_once(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    await desk.tap(card)
    await reserved(desk, card)
    attempts = Attempts(desk.store, desk.exchange, desk.clock)
    (read,) = await desk.store.attempts(card.id)
    account = await desk.store.account(card.account_id)
    assert account is not None
    (leg,) = card.plan.legs
    both = await asyncio.gather(*(attempts.send(read, account, leg, desk.clock.now()) for _ in range(2)))
    assert len(desk.exchange.placed) == 1
    assert {one.client_id for one in both} == {read.client_id}


@pytest.mark.fault(2, 3, 4)
@pytest.mark.fault(29)
async def test_a_run_tells_no_receipt_while_another_has_an_order_of_the_card_in_hand(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    await desk.tap(card)
    await reserved(desk, card)
    assert await desk.services.execution._finish(card.id) is None
    assert desk.notifier.told == []
    await desk.durable.run_all()
    done = await desk.store.proposal(card.id)
    assert done is not None
    assert done.outcome["status"] == "complete"


@pytest.mark.slow
@pytest.mark.parametrize("script", [[], ["hang_after"], ["hang_before"], ["late", "partial"], ["reject"]])
async def test_dying_at_any_step_sends_each_order_once_and_ends_in_one_receipt(
    desk: Desk, script: list[str]
) -> None:
    died = 0
    for point in count(1):
        user = 100 + point
        await desk.hold(user, SOL="100", ATOM="500")
        desk.exchange.held.clear()
        desk.exchange.orders.clear()
        desk.exchange.placed.clear()
        desk.notifier.told.clear()
        desk.durable.points.clear()
        desk.exchange.script = list(script)
        card = await desk.card(user, key=f"update:{user}")
        await desk.tap(card, user)
        desk.durable.crash_at = point
        try:
            await desk.durable.run_all()
        except Crash:
            died += 1
            desk.durable.crash_at = None
            desk.restart()
            await desk.durable.run_all()
        else:
            break  # the run has fewer points than that: all of them were tried
        where = f"died at point {point} with {script}"
        ids = [order.client_id for order in desk.exchange.placed]
        assert len(ids) == len(set(ids)), f"an id was used twice: {where}"
        attempts = await desk.store.attempts(card.id)
        assert all(attempt.state in TERMINAL for attempt in attempts), where
        for leg in card.plan.legs:
            mine = [a for a in attempts if a.symbol == leg.symbol]
            assert sum(a.filled for a in mine) <= leg.contracts, where
            assert -desk.exchange.held.get(leg.symbol, D(0)) == sum(a.filled for a in mine), where
        receipts = [item for item in desk.notifier.told if item.kind == "receipt"]
        assert {item.edit for item in receipts} == {50}, where
        assert len({item.key for item in receipts}) == 1, where
    assert died >= 8  # two points a step: of each order, of the receipt and of its delivery
