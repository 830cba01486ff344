"""A wilder market: a higher target is offered as a card, and the way back when it is calm."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.ports.errors import NotWritable
from bot.ports.records import AlertState, KeptRule, OutboxItem
from bot.services.desk.advice import remedy_plan
from hedging.rules import HedgeRule
from tests.services.conftest import ADA, Desk

D = Decimal


def swing(desk: Desk, times: float) -> None:
    """The last three days of every coin swing so many times as much; it is seen at the next whole hour."""
    for series in desk.market._returns.values():
        series[-24 * 3 :] *= times
    desk.market.time += timedelta(hours=1)


def last(desk: Desk, kind: str) -> OutboxItem:
    return next(i for i in reversed(desk.notifier.told) if i.payload.get("kind") == kind)


async def wild(desk: Desk, times: float = 2.2) -> OutboxItem:
    await desk.hold(ATOM="5000", SOL="50")
    await desk.hedged()
    await desk.tick()
    swing(desk, times)
    await desk.tick()
    return last(desk, "volatility")


async def confirmed(desk: Desk, told: OutboxItem, key: str) -> None:
    shown = told.payload
    done = await desk.services.hedge.rebalance(
        shown["alert_id"], ADA, ADA, 1002, key=key, remedy=shown["proposal_id"]
    )
    assert done.kind == "sending", done.kind
    await desk.services.hedge.begin(done.proposal)
    await desk.durable.run_all()


async def test_the_offer_keeps_what_stays_open_as_risky_as_it_was(desk: Desk) -> None:
    told = await wild(desk)
    assert 2.1 < told.payload["measure"] < 2.6
    # Half of it open and 2.1 to 2.6 times as wild: 1 - 0.5 / 2.1 = 0.76 to 0.81, in steps of a quarter 0.75.
    assert (told.payload["remedy"], D(told.payload["aim"])) == ("retarget", D("0.75"))
    assert {leg["side"] for leg in told.payload["legs"]} == {"sell"}
    rule = await desk.services.rules.get(ADA)
    assert rule.target == D("0.5"), "an offer changes nothing"


async def test_its_tap_changes_the_rule_and_nothing_pulls_it_back(desk: Desk) -> None:
    await confirmed(desk, await wild(desk), "update:8")
    assert (await desk.services.rules.get(ADA)).target == D("0.75")
    for _ in range(3):
        await desk.tick()
    status = await desk.services.status.view(ADA)
    assert status.exposure.coverage == pytest.approx(D("0.75"), abs=D("0.02"))
    assert "drift" not in [i.payload.get("kind") for i in desk.notifier.told]


async def test_a_tap_that_cannot_be_stored_leaves_the_rule_and_the_card(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = (await wild(desk)).payload["proposal_id"]

    async def full(*_args: Any, **_kwargs: Any) -> None:
        raise NotWritable("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(desk.store, "move_proposal", full)
        with pytest.raises(NotWritable):
            await desk.services.hedge.confirm(card, ADA, ADA, 1002)
    assert (await desk.services.rules.get(ADA)).target == D("0.5")
    assert (await desk.services.hedge.confirm(card, ADA, ADA, 1002)).kind == "sending"
    assert (await desk.services.rules.get(ADA)).target == D("0.75")


async def test_a_tap_after_the_offer_is_over_leaves_the_rule(desk: Desk) -> None:
    card = (await wild(desk)).payload["proposal_id"]
    desk.clock.pass_(hours=24)
    assert (await desk.services.hedge.confirm(card, ADA, ADA, 1002)).kind == "expired"
    assert (await desk.services.rules.get(ADA)).target == D("0.5")


async def test_an_offer_that_is_withdrawn_while_its_tap_is_looked_at_leaves_the_rule(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = (await wild(desk)).payload["proposal_id"]
    kept_rule = desk.store.kept_rule

    async def meanwhile(user_id: int) -> KeptRule:
        await desk.services.hedge.cancel(card, ADA)
        return await kept_rule(user_id)

    monkeypatch.setattr(desk.store, "kept_rule", meanwhile)
    assert (await desk.services.hedge.confirm(card, ADA, ADA, 1002)).kind == "cancelled"
    assert (await desk.services.rules.get(ADA)).target == D("0.5")


async def test_when_it_is_calm_the_way_back_is_offered_and_taken(desk: Desk) -> None:
    await confirmed(desk, await wild(desk), "update:8")
    await desk.tick()
    swing(desk, 1 / 2.2)
    await desk.tick()
    over = last(desk, "volatility")
    assert (over.kind, over.edit, over.silent, D(over.payload["aim"])) == ("recovered", None, True, D("0.5"))
    await confirmed(desk, over, "update:9")
    assert (await desk.services.rules.get(ADA)).target == D("0.5")
    await desk.tick()
    status = await desk.services.status.view(ADA)
    assert status.exposure.coverage == pytest.approx(D("0.5"), abs=D("0.02"))


async def test_who_has_changed_the_target_since_is_not_asked_to_go_back(desk: Desk) -> None:
    await confirmed(desk, await wild(desk), "update:8")
    await desk.services.rules.change(ADA, target=D(1))
    swing(desk, 1 / 2.2)
    await desk.tick()
    assert last(desk, "volatility").kind == "alert"


async def test_who_did_not_raise_it_reads_that_it_is_over(desk: Desk) -> None:
    told = await wild(desk)
    swing(desk, 1 / 2.2)
    await desk.tick()
    over = last(desk, "volatility")
    assert (over.kind, over.edit is not None, over.payload.get("aim")) == ("recovered", True, None)
    assert told.payload["alert_id"] == over.payload["alert_id"]


async def test_a_permission_does_not_change_a_rule(desk: Desk) -> None:
    await desk.services.people.meet(ADA, ADA, "Ada")
    given = (await desk.services.permissions.view(ADA)).permission
    await desk.store.save_permission(replace(given, acts="both", order_cap=D(10**6), day_cap=D(10**6)))
    await wild(desk)
    await desk.tick()
    await desk.durable.run_all()
    assert (await desk.services.rules.get(ADA)).target == D("0.5")
    live = {a.kind: a.state for a in await desk.store.live_alerts(ADA)}
    assert live["volatility"] is AlertState.RAISED
    assert len(await desk.store.latest_proposals(ADA)) == 1


@pytest.mark.parametrize(
    ("target", "times", "aim"),
    [("0.5", 2.2, "0.75"), ("0.25", 2.5, "0.75"), ("0.5", 8.0, "1"), ("0.75", 2.0, "1"), ("1", 3.0, None)],
)
async def test_the_target_stays_within_the_bounds_of_a_rule(
    desk: Desk, target: str, times: float, aim: str | None
) -> None:
    await desk.hold(ATOM="5000", SOL="50")
    await desk.store.save_rule(ADA, HedgeRule(target=D(target)))
    await desk.hedged()
    situation = await desk.services.watch._situations.of(ADA)
    plan = remedy_plan("volatility", situation, measure=times)
    assert (None if plan is None else plan.target) == (None if aim is None else D(aim))
