"""Two alerts never advise the opposite: one comes first, and the other one waits for it."""

from dataclasses import replace
from decimal import Decimal
from itertools import combinations

import pytest

from bot.ports.records import Alert, AlertState
from bot.services.desk.advice import FIRST, advise, opens
from bot.services.desk.kinds import KINDS
from tests.fakes.clock import NOON
from tests.services.conftest import ADA, Desk

D = Decimal
ADVISED = [name for name, kind in KINDS.items() if kind.remedy != "none"]


def alert(number: int, kind: str, state: AlertState = AlertState.RAISED) -> Alert:
    return Alert(number, ADA, kind, state, {"measure": 2.2}, NOON, NOON)


@pytest.mark.parametrize("factor", [1.5, 0.7])  # coverage fell, coverage rose
@pytest.mark.parametrize("equity", [100_000, 6_000])
async def test_no_two_kinds_advise_the_opposite(desk: Desk, factor: float, equity: int) -> None:
    await desk.hold(ATOM="5000", SOL="50")
    await desk.hedged()
    desk.market.move(ATOM=factor)
    desk.exchange.equity = D(equity)
    situation = await desk.services.watch._situations.of(ADA, fresh=True)
    assert set(ADVISED) == set(FIRST)
    advised_both_ways = set()
    for one, other in combinations(ADVISED, 2):
        told = advise([alert(1, one), alert(2, other)], situation)
        ways = {opens(advice.plan) for advice in told.values() if advice.plan is not None}
        advised_both_ways |= ways
        assert len(ways) < 2, (one, other)
        for mine, kind, theirs in ((told[1], one, other), (told[2], other, one)):
            if mine.after:
                assert mine.after == theirs
                assert FIRST.index(theirs) < FIRST.index(kind)
    assert advised_both_ways == {True, False}


async def test_what_was_put_off_keeps_no_other_back(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    desk.market.move(ATOM=1.5)
    situation = await desk.services.watch._situations.of(ADA, fresh=True)
    both = [alert(1, "exit"), alert(2, "drift")]
    assert advise(both, situation)[2].after == "exit"
    put_off = [replace(both[0], state=AlertState.SNOOZED), both[1]]
    assert advise(put_off, situation)[2].plan is not None


async def test_the_message_of_the_one_that_waits_names_the_other_and_has_no_order(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    desk.market.move(ATOM=1.5)  # coverage fell; and the coins are up, so that the hedge may be stale
    await desk.tick()
    told = {i.payload["kind"]: i.payload for i in desk.notifier.told if i.kind == "alert"}
    assert {leg["side"] for leg in told["drift"]["legs"]} == {"sell"}
    assert (told["stale"]["waits_for"], told["stale"]["legs"]) == ("drift", [])


async def test_a_message_that_stands_is_told_anew_when_another_matter_comes_first(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    desk.market.move(ATOM=1.3)
    await desk.tick()
    drift = next(i for i in desk.notifier.told if i.payload.get("kind") == "drift")
    assert drift.payload["legs"]
    await desk.services.alerts.end(ADA, "above", D(5), "ATOM")  # its owner's way out is reached already
    for _ in range(3):  # a message a second
        await desk.tick()
    told = [i for i in desk.notifier.told if i.payload.get("kind") == "drift"][-1]
    assert (told.payload["waits_for"], told.payload["legs"]) == ("exit", [])
    (exit_,) = [a for a in await desk.store.live_alerts(ADA) if a.kind == "exit"]
    await desk.services.alerts.keep(exit_.id, ADA)
    for _ in range(3):
        await desk.tick()
    told = [i for i in desk.notifier.told if i.payload.get("kind") == "drift"][-1]
    assert told.payload["legs"], "put off, it keeps no other back"


async def test_nothing_is_done_by_permission_against_a_matter_that_comes_first(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    await desk.services.permissions.caps(ADA, order=D(50_000), day=D(90_000))
    await desk.permit("reduce")  # the exit alone may be acted upon
    await desk.services.alerts.end(ADA, "above", D(5), "ATOM")
    desk.market.move(ATOM=1.5)
    await desk.tick()
    sides = [order.side for order in desk.exchange.placed]
    assert sides == ["sell", "buy"]
