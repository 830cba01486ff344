"""The pinned status: one message a person, edited when what it says is no longer so, and not more often than helps."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bot.ports.errors import Unavailable
from bot.ports.watching import Pin
from bot.services.desk.pinned import due
from tests.services.conftest import ADA, BOB, Desk

D = Decimal
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def shown(desk: Desk) -> list[tuple[str, int | None]]:
    """What was done with it, and with which message."""
    return [(item.kind, item.edit) for item in desk.notifier.pinned]


async def pass_ticks(desk: Desk, minutes: int) -> None:
    for _ in range(minutes):
        await desk.tick()


async def hedged(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    await pass_ticks(desk, 2)


async def test_nobody_without_a_hedge_gets_one(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await pass_ticks(desk, 15)
    assert shown(desk) == []


async def test_when_the_first_hedge_stands_it_is_sent_once_silently_and_put_at_the_top(desk: Desk) -> None:
    await hedged(desk)
    await pass_ticks(desk, 15)
    assert shown(desk) == [("pinned", None), ("pin", 5001)]
    first, pin = desk.notifier.pinned
    assert first.silent and pin.silent
    assert first.payload["coverage"] == pytest.approx(0.5, abs=0.01)
    assert desk.notifier.kinds() == ["receipt"], "it is no alert"


async def test_figures_that_moved_are_edited_in_every_ten_minutes_at_most(desk: Desk) -> None:
    await hedged(desk)
    for _ in range(30):
        desk.market.move(ATOM=1.003)
        await desk.tick()
    edits = [edit for kind, edit in shown(desk) if kind == "pinned"]
    assert edits == [None, 5001, 5001, 5001]


async def test_an_alert_and_its_end_are_edited_in_at_once(desk: Desk) -> None:
    await hedged(desk)
    desk.market.move(ATOM=0.7)
    await desk.tick()
    last = desk.notifier.pinned[-1]
    assert (last.kind, last.edit, last.payload["alert"]["kind"]) == ("pinned", 5001, "drift")
    desk.market.move(ATOM=1 / 0.7)
    await desk.tick()
    last = desk.notifier.pinned[-1]
    assert (last.edit, last.payload.get("alert")) == (5001, None)


async def test_the_money_is_what_the_hedge_made(desk: Desk) -> None:
    await hedged(desk)
    desk.market.move(ATOM=0.8, BTC=0.8)
    await pass_ticks(desk, 11)
    status = await desk.services.status.view(ADA)
    assert status.hedged_pnl is not None and status.unhedged_pnl is not None
    told = desk.notifier.pinned[-1].payload
    assert D(told["hedge_pnl"]) == pytest.approx(status.hedged_pnl - status.unhedged_pnl, abs=D("0.01"))
    assert told["value"] == pytest.approx(float(status.value), abs=0.01)


async def test_it_outlives_a_restart(desk: Desk) -> None:
    await hedged(desk)
    desk.restart()
    desk.market.move(ATOM=0.7)
    await desk.tick()
    assert shown(desk) == [("pinned", None), ("pin", 5001), ("pinned", 5001)]


async def test_one_that_its_reader_deleted_comes_back_only_when_something_has_happened(desk: Desk) -> None:
    await hedged(desk)
    desk.notifier.gone.add(5001)
    for _ in range(25):
        desk.market.move(ATOM=1.003)
        await desk.tick()
    assert shown(desk) == [("pinned", None), ("pin", 5001)]
    desk.market.move(ATOM=0.6)
    await pass_ticks(desk, 2)
    assert shown(desk)[2:] == [("pinned", None), ("pin", 5003)]


async def test_while_the_first_one_is_on_its_way_no_second_is_owed(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    desk.clock.pass_(seconds=60)
    await desk.services.watch.check()
    desk.market.move(ATOM=0.7)
    desk.clock.pass_(seconds=60)
    await desk.services.watch.check()
    owed = await desk.store.due(now=desk.clock.now())
    assert [item.kind for item in owed].count("pinned") == 1


async def test_when_no_hedge_is_open_any_more_it_says_so(desk: Desk) -> None:
    await hedged(desk)
    closing = await desk.services.hedge.unwind(ADA, ADA, key="update:9")
    await desk.tap(closing)
    await desk.durable.run_all()
    await pass_ticks(desk, 2)
    last = desk.notifier.pinned[-1]
    assert (last.edit, last.payload["look"]) == (5001, "open")
    count = len(desk.notifier.pinned)
    desk.market.move(ATOM=0.5)
    await pass_ticks(desk, 15)
    assert len(desk.notifier.pinned) == count, "nothing about a hedge that there is not"


async def test_an_exchange_that_is_away_is_not_covered_up_by_old_figures(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hedged(desk)

    async def away(_: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(desk.exchange, "positions", away)
    await pass_ticks(desk, 8)
    assert desk.notifier.pinned[-1].payload["look"] == "away"
    monkeypatch.undo()
    await pass_ticks(desk, 1)
    assert desk.notifier.pinned[-1].payload["look"] == "hedged"


async def test_switched_off_it_says_so_and_leaves_the_top_and_switched_on_it_is_back(desk: Desk) -> None:
    await hedged(desk)
    await desk.services.alerts.pinned.switch(ADA, on=False)
    desk.market.move(ATOM=0.7)
    await pass_ticks(desk, 15)
    assert shown(desk)[2:] == [("pinned", 5001), ("unpin", 5001)]
    assert not (await desk.services.alerts.view(ADA)).pinned
    await desk.services.alerts.pinned.switch(ADA, on=True)
    await pass_ticks(desk, 2)
    assert shown(desk)[4:] == [("pinned", None), ("pin", 5005)]


async def test_status_brings_it_back_to_who_has_deleted_it(desk: Desk) -> None:
    await hedged(desk)
    desk.notifier.gone.add(5001)
    desk.market.move(ATOM=1.02)
    await pass_ticks(desk, 12)
    desk.clock.pass_(minutes=20)
    await desk.services.alerts.pinned.asked(await desk.services.status.view(ADA))
    await pass_ticks(desk, 2)
    assert shown(desk)[2:] == [("pinned", None), ("pin", 5003)]


async def test_each_person_has_their_own(desk: Desk) -> None:
    await hedged(desk)
    await desk.hold(BOB, SOL="100")
    await desk.hedged(BOB, key="update:77")
    await pass_ticks(desk, 2)
    new = [item.chat_id for item in desk.notifier.pinned if item.kind == "pinned" and item.edit is None]
    assert sorted(new) == [ADA, BOB]


@pytest.mark.parametrize(
    ("pin", "state", "is_due"),
    [
        (Pin(1), "hedged", True),
        (Pin(1), "open", False),
        (Pin(1, wanted=False), "hedged", False),
        (Pin(1, message_id=7, state="hedged", told_at=NOON - timedelta(minutes=9)), "hedged", False),
        (Pin(1, message_id=7, state="hedged", told_at=NOON - timedelta(minutes=9)), "hedged drift::1", True),
        (Pin(1, message_id=7, state="hedged", told_at=NOON - timedelta(minutes=10)), "hedged", True),
        (Pin(1, message_id=7, state="hedged", told_at=NOON), "open", True),
        (Pin(1, state="hedged", told_at=NOON - timedelta(minutes=9)), "hedged drift::1", False),
        (Pin(1, state="hedged", told_at=NOON - timedelta(minutes=10)), "hedged", False),
    ],
)
def test_when_it_is_due(pin: Pin, state: str, is_due: bool) -> None:
    assert due(pin, state, NOON) == is_due
