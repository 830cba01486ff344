"""A button that outlives what it was made for sends nothing, and says truly what is different now."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.ports.errors import StaleVersion
from bot.ports.exchange import TradeFill
from bot.ports.records import Aim, Proposal, ProposalState
from bot.services.errors import AlertOver
from bot.services.hedge import Confirmation
from hedging.plan import digest
from tests.services.conftest import ADA, Desk

D = Decimal


async def drifted(desk: Desk, *, target: str = "0.5", factor: float = 1.5) -> Proposal:
    """A hedge at its target, a market that moved, and the remedy that the alert shows."""
    await desk.hold(ATOM="5000")
    await desk.services.rules.change(ADA, target=D(target))
    await desk.hedged()
    desk.market.move(ATOM=factor)
    await desk.tick()
    told = next(i for i in reversed(desk.notifier.told) if i.payload.get("kind") == "drift")
    found = await desk.store.proposal(told.payload["proposal_id"])
    assert found is not None
    return found


async def tapped(desk: Desk, remedy: Proposal, key: str = "update:9") -> Confirmation:
    assert remedy.alert_id is not None
    return await desk.services.hedge.rebalance(remedy.alert_id, ADA, ADA, 1002, key=key, remedy=remedy.id)


def orders(desk: Desk) -> int:
    return len(desk.exchange.placed)


@pytest.mark.fault(46)
async def test_a_remedy_is_priced_by_the_rule_of_the_tap(desk: Desk) -> None:
    remedy = await drifted(desk, target="1", factor=1.5)  # 100 %; coverage fell to 67 %
    before = orders(desk)
    await desk.services.rules.change(ADA, target=D("0.25"))
    done = await tapped(desk, remedy)
    assert (done.kind, done.why) == ("repriced", "rule")
    assert done.proposal.plan.target == D("0.25")
    assert all(leg.reduce_only for leg in done.proposal.plan.legs)
    assert orders(desk) == before
    assert await desk.tap(done.proposal, message_id=1002) == "sending"
    await desk.durable.run_all()
    status = await desk.services.status.view(ADA)
    assert status.exposure.coverage == pytest.approx(D("0.25"), abs=D("0.01"))


@pytest.mark.fault(46)
@pytest.mark.parametrize(
    "change", [{"leverage": 3}, {"band": D("0.05")}, {"factor": "ETH"}, {"target": D("0.75")}]
)
async def test_every_change_of_the_rule_tells(desk: Desk, change: dict[str, object]) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    await desk.services.rules.change(ADA, **change)  # type: ignore[arg-type]
    done = await desk.services.hedge.confirm(card.id, ADA, ADA, 50)
    assert (done.kind, done.why) == ("repriced", "rule")
    assert orders(desk) == 0


async def test_a_rule_that_is_set_to_what_it_is_stays_the_same_version(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    await desk.services.rules.change(ADA, target=D("0.5"))
    assert await desk.tap(card) == "sending"


async def test_a_rule_that_changes_at_the_very_moment_of_the_tap_is_looked_at_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    positions = desk.exchange.positions

    async def meanwhile(account: Any) -> Any:
        found = await positions(account)
        monkeypatch.undo()
        await desk.services.rules.change(ADA, target=D("0.25"))
        return found

    kept = desk.store.kept_rule

    async def early(user_id: int):  # type: ignore[no-untyped-def]
        known = await kept(user_id)
        await meanwhile(await desk.services.accounts.in_use(ADA))
        return known

    monkeypatch.setattr(desk.store, "kept_rule", early)
    done = await desk.services.hedge.confirm(card.id, ADA, ADA, 50)
    assert (done.kind, done.why) == ("repriced", "rule")
    assert orders(desk) == 0


@pytest.mark.parametrize(
    ("what", "why"),
    [("sold", "holdings"), ("shorted", "position"), ("moved", "price"), ("updated", "update")],
)
async def test_the_reason_is_the_true_one(desk: Desk, what: str, why: str) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    match what:
        case "sold":
            await desk.hold(SOL="-60")
        case "shorted":
            desk.exchange.held["SOL/USDT:USDT"] = D(-20)
            desk.exchange.entries["SOL/USDT:USDT"] = D(150)
            now = desk.market.time
            desk.exchange.history.append(
                TradeFill("SOL/USDT:USDT", "by hand", "sell", D(20), D(150), D(0), now)
            )
        case "moved":
            desk.market.move(SOL=1.05)
        case _:  # a card of before rules had versions
            old = replace(card, id="a" * 16, rule_version=None, digest=digest(card.plan, ADA))
            card = await desk.store.add_proposal(old)
    done = await desk.services.hedge.confirm(card.id, ADA, ADA, card.message_id or 50)
    assert (done.kind, done.why) == ("repriced", why)
    assert orders(desk) == 0


@pytest.mark.fault(57)
async def test_a_card_of_another_account_shows_the_card_of_the_one_in_use(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    other = await desk.store.ensure_account(ADA, "bybit", "demo")
    await desk.services.accounts.use(ADA, other.id)
    done = await desk.services.hedge.confirm(card.id, ADA, ADA, 50)
    assert (done.kind, done.why, done.proposal.account_id) == ("repriced", "account", other.id)
    assert orders(desk) == 0


@pytest.mark.fault(46)
async def test_a_remedy_that_aims_below_the_rule_never_aims_above_it_later(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.services.rules.change(ADA, target=D(1))
    situation = await desk.services.watch._situations.of(ADA)
    less = desk.services.hedge.draft(
        ADA, ADA, situation, situation.plan(target=D("0.8")), key="less", aim=Aim("less")
    )
    await desk.store.add_proposal(less)
    await desk.services.rules.change(ADA, target=D("0.25"))
    done = await desk.services.hedge.confirm(less.id, ADA, ADA, 50)
    assert (done.kind, done.why, done.proposal.plan.target) == ("repriced", "rule", D("0.25"))
    await desk.services.rules.change(ADA, target=D("0.9"))
    done = await desk.services.hedge.confirm(done.proposal.id, ADA, ADA, 50)
    assert done.proposal.plan.target == D("0.25"), "it keeps what it was for"


async def test_a_matter_that_is_over_says_so_at_its_tap(desk: Desk) -> None:
    remedy = await drifted(desk)
    before = orders(desk)
    desk.market.move(ATOM=1 / 1.5)  # back where it was, and nobody has ticked since
    with pytest.raises(AlertOver):
        await tapped(desk, remedy)
    assert orders(desk) == before
    await desk.tick()
    with pytest.raises(AlertOver):
        await tapped(desk, remedy, key="update:10")
    assert orders(desk) == before


async def test_an_alert_that_a_new_rule_has_mended_is_over(desk: Desk) -> None:
    remedy = await drifted(desk, factor=1.5)  # coverage fell to 33 %
    await desk.services.rules.change(ADA, target=D("0.33"))
    with pytest.raises(AlertOver):
        await tapped(desk, remedy)
    await desk.tick()
    assert "drift" not in [alert.kind for alert in await desk.store.live_alerts(ADA)]


@pytest.mark.fault(46)
@pytest.mark.parametrize("what", ["target", "leverage", "band"])
async def test_a_button_of_a_card_changes_no_rule_that_was_set_since(desk: Desk, what: str) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    await desk.services.rules.change(ADA, target=D("0.25"))
    wanted = {"target": D(1), "leverage": 5, "band": D("0.05")}[what]
    done = await desk.services.hedge.adjust(card.id, ADA, key="update:2", **{what: wanted})  # type: ignore[arg-type]
    assert done.why == "rule"
    rule = await desk.services.rules.get(ADA)
    assert (rule.target, rule.leverage, rule.band) == (D("0.25"), 2, D("0.10"))


async def test_a_button_of_the_rule_changes_only_the_version_it_shows(desk: Desk) -> None:
    await desk.hold(SOL="100")
    shown = (await desk.services.rules.kept(ADA)).version
    await desk.services.rules.change(ADA, target=D("0.25"))
    with pytest.raises(StaleVersion):
        await desk.services.rules.change(ADA, under=shown, target=D(1))
    assert (await desk.services.rules.get(ADA)).target == D("0.25")


async def test_what_was_undone_is_the_rule_from_then_on(desk: Desk) -> None:
    await desk.hold(ATOM="5000")
    await desk.hedged()
    await desk.services.permissions.caps(ADA, order=D(50_000), day=D(90_000))
    await desk.permit("both")
    desk.market.move(ATOM=0.7)
    await desk.tick()
    receipt = [item for item in desk.notifier.told if item.kind == "receipt"][-1].payload
    back = await desk.services.hedge.undo(receipt["proposal_id"], ADA, ADA, key="update:20")
    assert (back.why, back.proposal.aim.kind) == ("", "new_rule")
    await desk.services.hedge.shown(back.proposal.id, 60)
    assert await desk.tap(back.proposal, message_id=60) == "sending"
    await desk.durable.run_all()
    after = orders(desk)
    for _ in range(3):
        await desk.tick()
    assert orders(desk) == after, "the permission did it again"
    again = await desk.services.hedge.undo(receipt["proposal_id"], ADA, ADA, key="update:21")
    assert again.why == "rule"
    assert again.proposal.state is ProposalState.OPEN


async def test_the_remedy_names_the_worst_price_of_every_order(desk: Desk) -> None:
    remedy = await drifted(desk)
    told = next(i for i in reversed(desk.notifier.told) if i.payload.get("kind") == "drift")
    assert [leg["limit_price"] for leg in told.payload["legs"]] == [
        str(leg.limit_price) for leg in remedy.plan.legs
    ]
