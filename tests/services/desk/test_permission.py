"""Acting without a tap: only what was permitted, within its caps, once, told, and undone with one tap."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.ports.permissions import Acts, Permission, Silence
from bot.ports.records import ProposalState
from bot.services.desk.permission import refusal
from bot.services.watch.tick import TICK
from hedging.errors import BadInput
from tests.services.conftest import ADA, Desk

D = Decimal


async def drifted(
    desk: Desk, acts: Acts = "never", silence: Silence = "nothing", *, factor: float = 0.7
) -> None:
    """A hedge at its target, a permission, and then a market that moves coverage out of the band."""
    await desk.hold(ATOM="5000")
    await desk.hedged()
    await desk.services.permissions.caps(ADA, order=D(50_000), day=D(90_000))
    await desk.permit(acts, silence)
    desk.market.move(ATOM=factor)
    await desk.tick()


def orders(desk: Desk) -> int:
    return len(desk.exchange.placed)


async def coverage(desk: Desk) -> Decimal:
    return (await desk.services.status.view(ADA)).exposure.coverage


async def test_without_permission_nothing_is_done(desk: Desk) -> None:
    await drifted(desk)
    await desk.tick()
    assert orders(desk) == 1


@pytest.mark.parametrize("acts", ["reduce", "both"])
async def test_what_is_permitted_is_done_and_told(desk: Desk, acts: Acts) -> None:
    await drifted(desk, acts)  # coverage is too high: the way back is a smaller short
    assert orders(desk) == 2
    assert await coverage(desk) == pytest.approx(D("0.5"), abs=D("0.01"))
    receipt = [item for item in desk.notifier.told if item.kind == "receipt"][-1]
    assert receipt.payload["auto"] == "drift"
    await desk.tick()
    assert orders(desk) == 2


async def test_only_reduce_never_adds_to_a_short(desk: Desk) -> None:
    await drifted(desk, "reduce", factor=1.5)
    assert orders(desk) == 1


async def test_both_adds_to_a_short(desk: Desk) -> None:
    await drifted(desk, "both", factor=1.5)
    assert orders(desk) == 2


@pytest.mark.parametrize(("order", "day"), [(D(10), None), (D(10), D(11))])
async def test_an_order_above_a_cap_waits_for_a_tap(desk: Desk, order: Decimal, day: Decimal | None) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    await desk.services.permissions.caps(ADA, order=order, day=day)
    await desk.permit("both", "nothing")
    desk.market.move(ATOM=0.7)
    await desk.tick()
    await desk.tick()
    assert orders(desk) == 1


async def test_a_day_has_one_cap_for_all_that_is_done(desk: Desk) -> None:
    await drifted(desk, "both", factor=0.7)
    spent = (await desk.services.permissions.view(ADA)).permission.spent
    assert spent > 0
    await desk.services.permissions.caps(ADA, order=spent, day=spent * D("1.5"))
    desk.market.move(ATOM=0.5)
    await desk.tick()
    await desk.tick()
    assert orders(desk) == 2  # the second one would have been above it


async def test_a_pause_stops_it_and_a_resume_takes_it_up(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    await desk.services.permissions.caps(ADA, order=D(50_000), day=D(90_000))
    await desk.permit("both", "nothing")
    await desk.services.permissions.pause(ADA)
    desk.market.move(ATOM=0.7)
    await desk.tick()
    assert orders(desk) == 1
    await desk.services.permissions.resume(ADA)
    await desk.tick()
    assert orders(desk) == 2


async def test_silence_counts_after_a_quarter_of_an_hour(desk: Desk) -> None:
    await drifted(desk, "never", "reduce")
    assert orders(desk) == 1
    desk.market.time += timedelta(minutes=14)
    await desk.tick()
    assert orders(desk) == 1
    desk.market.time += timedelta(minutes=1)
    await desk.tick()
    assert orders(desk) == 2


async def test_an_answer_is_no_silence(desk: Desk) -> None:
    await drifted(desk, "never", "reduce")
    (alert,) = await desk.store.live_alerts(ADA)
    await desk.services.alerts.acknowledge(alert.id, ADA)
    desk.market.time += timedelta(minutes=20)
    await desk.tick()
    assert orders(desk) == 1


async def test_what_was_done_can_be_undone_on_a_card(desk: Desk) -> None:
    await drifted(desk, "both")
    receipt = [item for item in desk.notifier.told if item.kind == "receipt"][-1]
    card = (
        await desk.services.hedge.undo(receipt.payload["proposal_id"], ADA, ADA, key="update:77")
    ).proposal
    await desk.services.hedge.shown(card.id, 900)
    assert await desk.tap(card, message_id=900) == "sending"
    await desk.services.permissions.pause(ADA)
    await desk.durable.run_all()
    assert await coverage(desk) == pytest.approx(D("0.714"), abs=D("0.02"))


async def test_wider_caps_take_the_permission_back(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.permit("both", "quarter")
    narrower = await desk.services.permissions.caps(ADA, order=D(500))
    assert narrower.acts == "both"
    wider = await desk.services.permissions.caps(ADA, order=D(600))
    assert (wider.acts, wider.silence) == ("never", "nothing")


@pytest.mark.parametrize(
    "caps", [{"order": D(0)}, {"order": D(9_000)}, {"leverage": 6}, {"slippage": D("0.2")}, {"day": D(10**7)}]
)
async def test_caps_have_bounds(desk: Desk, caps: dict[str, Decimal]) -> None:
    await desk.hold(ATOM="5000")
    with pytest.raises(BadInput):
        await desk.services.permissions.caps(ADA, **caps)  # type: ignore[arg-type]


async def test_the_ladder_has_four_steps(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    permissions = desk.services.permissions
    assert (await permissions.view(ADA)).step == "watch"
    await desk.hedged()
    assert (await permissions.view(ADA)).step == "paper"
    await desk.permit("reduce", "nothing")
    assert (await permissions.view(ADA)).step == "auto"


async def switched(desk: Desk, exchange: str, mode: str) -> None:
    other = await desk.store.ensure_account(ADA, exchange, mode)
    await desk.services.accounts.use(ADA, other.id)


@pytest.mark.fault(57)
@pytest.mark.parametrize("mode", ["demo", "live"])
async def test_what_was_permitted_on_paper_is_not_done_on_another_account(desk: Desk, mode: str) -> None:
    await desk.hold(ATOM="5000")
    await desk.permit("both", "quarter")
    await switched(desk, "bybit", mode)
    await desk.hedged()
    desk.market.move(ATOM=0.7)
    await desk.tick()
    await desk.tick()
    assert orders(desk) == 1
    assert not (await desk.services.permissions.view(ADA)).permission.permits


@pytest.mark.fault(57)
async def test_real_money_takes_the_permission_there_back_and_says_so(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await switched(desk, "bybit", "live")
    await desk.permit("both")
    await switched(desk, "paper", "paper")
    assert "permission_taken" not in desk.notifier.kinds()
    await switched(desk, "bybit", "live")
    assert not (await desk.services.permissions.view(ADA)).permission.permits
    await desk.services.delivery.sweep()
    (told,) = [item.payload for item in desk.notifier.told if item.kind == "permission_taken"]
    assert (told["exchange"], told["mode"], told["why"]) == ("bybit", "live", "switch")


@pytest.mark.fault(58)
async def test_a_card_gives_what_it_showed_or_nothing(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    permissions = desk.services.permissions
    _, narrow = await permissions.offer(ADA, "both", "nothing")
    await permissions.caps(ADA, order=D(90_000), day=D(90_000))
    assert await permissions.give(ADA, narrow) == "terms"
    _, late = await permissions.offer(ADA, "both", "nothing")
    desk.clock.pass_(minutes=5)
    assert await permissions.give(ADA, late) == "late"
    _, elsewhere = await permissions.offer(ADA, "both", "nothing")
    await switched(desk, "bybit", "demo")
    assert await permissions.give(ADA, elsewhere) == "account"
    assert not (await permissions.view(ADA)).permission.permits


@pytest.mark.fault(58)
async def test_a_card_gives_once(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    _, offer = await desk.services.permissions.offer(ADA, "both", "nothing")
    await desk.services.permissions.give(ADA, offer)
    assert await desk.services.permissions.take_back(ADA)
    assert await desk.services.permissions.give(ADA, offer) == "terms"


@pytest.mark.fault(58)
async def test_nothing_but_a_resume_or_its_own_end_lifts_a_pause(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    await desk.services.permissions.caps(ADA, order=D(50_000), day=D(90_000))
    await desk.services.permissions.pause(ADA)
    await desk.permit("both")
    desk.market.move(ATOM=0.7)
    await desk.tick()
    assert orders(desk) == 1
    await desk.services.permissions.resume(ADA)
    await desk.tick()
    assert orders(desk) == 2


async def test_a_pause_ends_by_itself_and_says_so_once(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    await desk.services.permissions.caps(ADA, order=D(50_000), day=D(90_000))
    await desk.permit("both")
    await desk.services.permissions.pause(ADA, until=desk.clock.now() + timedelta(minutes=30))
    await desk.services.permissions.pause(ADA, until=desk.clock.now() + timedelta(hours=2))
    desk.market.move(ATOM=0.7)
    desk.clock.pass_(minutes=100)
    await desk.tick()
    assert (orders(desk), "pause_over" in desk.notifier.kinds()) == (1, False)
    desk.clock.pass_(minutes=30)
    for _ in range(3):
        await desk.tick()
    assert (orders(desk), desk.notifier.kinds().count("pause_over")) == (2, 1)


@pytest.mark.fault(59)
async def test_a_day_is_not_reopened_by_a_clock_that_steps_back(desk: Desk) -> None:
    desk.clock.pass_(hours=11, minutes=55)  # just before midnight
    await drifted(desk, "both", factor=0.7)
    await desk.tick()
    counted = []
    for minutes in (10, -20):  # over midnight, and back
        desk.clock.pass_(minutes=minutes)
        desk.market.move(ATOM=0.7)
        for number in range(2):  # the slots of the minutes after the step back are over already
            await desk.durable.start(TICK, f"tick {minutes} {number}", 0, 1)
            await desk.durable.run_all()
        counted.append((await desk.services.permissions.view(ADA)).permission)
    next_day, back = counted
    assert orders(desk) == 4
    assert (next_day.spent_on, back.spent_on) == ("2026-03-03", "2026-03-03")
    assert back.spent > next_day.spent > 0


async def test_the_worst_price_counts_against_the_caps(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    plan = (await desk.services.watch._situations.of(ADA)).plan()
    (leg,) = plan.legs
    given = Permission(ADA, 1, acts="both", order_cap=leg.notional, day_cap=D(90_000))
    assert refusal(given, plan, "2026-03-02") == "order_cap"
    assert refusal(replace(given, order_cap=leg.notional * D("1.011")), plan, "2026-03-02") == ""
    parts = replace(plan, legs=(replace(leg, notional=leg.notional / 2),) * 2)  # one order in two parts
    assert refusal(given, parts, "2026-03-02") == "order_cap"


async def test_two_replicas_spend_one_cap(desk: Desk) -> None:
    """Both have read the same permission; one of them finds it moved on, and nothing of its card is done."""
    await desk.hold(ATOM="5000")
    await desk.permit("both")
    given = (await desk.services.permissions.view(ADA)).permission
    situation = await desk.services.watch._situations.of(ADA)
    moved = []
    for key in ("one", "other"):
        card = desk.services.hedge.draft(ADA, ADA, situation, situation.plan(), key=key)
        await desk.store.add_proposal(card, supersede=False)
        moved.append(
            await desk.store.move_proposal(
                card.id,
                expect=ProposalState.OPEN,
                to=ProposalState.CONFIRMED,
                at=desk.clock.now(),
                under=situation.rule_version,
                spends=given.counted(D(600), "2026-03-02"),
            )
        )
    assert [card is not None for card in moved] == [True, False]
    assert (await desk.services.permissions.view(ADA)).permission.spent == 600
