"""What happens to a short without an order of ours is found within one tick, named, told once, and counted.
Faults 20, 21 and 24 of ../shared/FAULTS.md."""

from decimal import Decimal
from typing import Any

import pytest

from hedging.plan import HedgePlan
from tests.fakes.world_feed import WorldFeed
from tests.services.reconciliation.conftest import ADA, SOL, Floor

D = Decimal


def coverage(change: dict[str, Any]) -> float:
    return float(change["coverage"])


def only_leg(plan: HedgePlan) -> Any:
    (leg,) = plan.legs
    return leg


async def begun(floor: Floor, hedge_mode: bool = False) -> Decimal:
    """100 SOL, half of them hedged, and one quiet tick; how many SOL are short."""
    await floor.hold(SOL="100")
    (await floor.trader()).hedged = hedge_mode
    assert (await floor.hedged()).outcome["status"] == "complete"
    await floor.tick()
    assert floor.changes() == []
    short = await floor.short()
    assert short == pytest.approx(D(50), rel=D("0.002"))
    return short


@pytest.mark.parametrize("kind", ["adl", "liquidation"])
async def test_fault_20_a_forced_close_is_named_within_one_tick_and_told_once(
    floor: Floor, hedge_mode: bool, kind: str
) -> None:
    short = await begun(floor, hedge_mode)
    await floor.force(kind, share="0.4")
    left = await floor.short()
    await floor.tick()
    (told,) = floor.changes()
    named = kind if floor.name != "weex" else "unexplained"  # nothing there tells
    assert 0 < left < short
    assert (told["kind"], told["grew"]) == (named, False)
    assert (D(told["amount"]), D(told["left"])) == (short - left, left)
    assert coverage(told) == pytest.approx(0.3, abs=0.01)
    status = await floor.services.status.view(ADA)
    assert float(status.exposure.coverage) == pytest.approx(0.3, abs=0.01)
    floor.restart()  # and nobody is told again by the next life, or by the card
    await floor.tick()
    back = await floor.services.hedge.propose(ADA, ADA, key="update:9")
    size = (await floor.contract(SOL)).contract_size
    assert only_leg(back.plan).contracts * size == short - left
    assert len(floor.changes()) == 1


async def test_fault_20_two_closes_one_after_the_other_are_two_messages(floor: Floor) -> None:
    await begun(floor)
    for share in ("0.4", "0.5"):
        await floor.force("adl", share=share)
        await floor.tick()
        assert D(floor.changes()[-1]["left"]) == await floor.short()
    assert len(floor.changes()) == 2


async def test_fault_20_a_liquidation_on_paper_is_named_within_one_tick(paper: Floor) -> None:
    await paper.hold(SOL="5000")
    await paper.services.rules.change(ADA, leverage=5)
    assert (await paper.hedged()).outcome["status"] == "complete"
    await paper.tick()
    paper.world.shock("rally", 0.6)
    await paper.tick()
    (told,) = paper.changes()
    assert (told["kind"], told["left"], coverage(told)) == ("liquidation", "0", 0)
    paper.restart()
    await paper.tick()
    assert len(paper.changes()) == 1


async def test_fault_20_a_close_before_the_card_is_found_by_the_card(floor: Floor) -> None:
    """Nobody waits for a tick: the card is priced from what is there, and its cause is told."""
    await begun(floor)
    await floor.force("adl")
    card = await floor.services.hedge.propose(ADA, ADA, key="update:9")
    assert card.plan.before.coverage == 0
    await floor.services.delivery.sweep()
    await floor.durable.run_all()
    assert [told["kind"] for told in floor.changes()] == ["adl" if floor.name != "weex" else "unexplained"]
    await floor.tick()
    assert len(floor.changes()) == 1


async def test_fault_24_a_short_sold_by_hand_is_adopted_and_no_rebalance_buys_it_back(
    floor: Floor, hedge_mode: bool
) -> None:
    short = await begun(floor, hedge_mode)
    await floor.by_hand("sell", "30", position_side="short" if hedge_mode else "both")
    await floor.tick()
    (told,) = floor.changes()
    assert (told["kind"], told["grew"], D(told["amount"]), D(told["own"])) == ("trade", True, D(30), D(30))
    assert coverage(told) == pytest.approx(0.8, abs=0.01)
    card = await floor.services.hedge.propose(ADA, ADA, key="update:3")
    leg = only_leg(card.plan)
    size = (await floor.contract(SOL)).contract_size
    assert (leg.side, leg.contracts * size, leg.position_after * size) == ("buy", D(30), -short)
    await floor.services.rules.change(ADA, target=D("0.25"))
    leg = only_leg((await floor.services.hedge.propose(ADA, ADA, key="update:4")).plan)
    assert leg.position_after * size == D(-30), "what she sold herself is hers to buy back"
    closing = await floor.services.hedge.unwind(ADA, ADA, key="update:5")
    assert only_leg(closing.plan).contracts * size == short + 30
    assert [check.facts["own"] for check in closing.plan.checks if "own" in check.facts] == ["30 SOL"]
    assert (await floor.done(closing, 70)).outcome["status"] == "complete"
    assert await floor.held() == []
    await floor.tick()
    assert len(floor.changes()) == 1, "what we closed is no news"


async def test_fault_24_what_is_bought_back_by_hand_is_told_and_coverage_follows(
    floor: Floor, hedge_mode: bool
) -> None:
    short = await begun(floor, hedge_mode)
    await floor.by_hand("buy", "20", position_side="short" if hedge_mode else "both")
    await floor.tick()
    (told,) = floor.changes()
    kind = "trade" if floor.name != "weex" else "unexplained"  # there it might as well have been the exchange
    assert (told["kind"], told["grew"], D(told["amount"]), D(told["left"])) == (
        kind,
        False,
        D(20),
        short - 20,
    )
    assert coverage(told) == pytest.approx(0.3, abs=0.01)


async def test_fault_24_a_short_that_was_there_before_us_is_found_and_counted(floor: Floor) -> None:
    await floor.hold(SOL="100")
    await floor.by_hand("sell", "20")
    card = await floor.services.hedge.propose(ADA, ADA, key="update:1")
    size = (await floor.contract(SOL)).contract_size
    assert only_leg(card.plan).contracts * size == pytest.approx(D(30), rel=D("0.002"))
    await floor.tick()
    assert [(told["kind"], D(told["own"])) for told in floor.changes()] == [("found", D(20))]


async def test_fault_24_a_flip_by_hand_leaves_the_long_alone(floor: Floor) -> None:
    short = await begun(floor)
    await floor.by_hand("buy", "80")
    await floor.tick()
    (told,) = floor.changes()
    assert (D(told["amount"]), D(told["left"]), coverage(told)) == (short, D(0), 0)
    card = await floor.services.hedge.propose(ADA, ADA, key="update:3")
    assert card.plan.legs == ()
    assert [c.facts["left_alone"] for c in card.plan.checks if "left_alone" in c.facts] == [SOL]
    assert await floor.held() == [("both", 80 - short)]


async def test_a_long_beside_the_short_is_no_hedge_and_is_not_touched(floor: Floor) -> None:
    """In hedge mode a long is its owner's own business: it neither counts nor changes, whatever is done."""
    await floor.hold(SOL="100")
    (await floor.trader()).hedged = True
    await floor.by_hand("buy", "70", position_side="long")
    leverage = {held.side: held.position.leverage for held in floor.desk.held(await floor.trader())}
    card = await floor.services.hedge.propose(ADA, ADA, key="update:1")
    assert only_leg(card.plan).leverage == leverage["long"], "the card says what is in force"
    await floor.done(card, 50)
    await floor.tick()
    status = await floor.services.status.view(ADA)
    assert float(status.exposure.coverage) == pytest.approx(0.5, abs=0.01)
    assert [line.side for line in status.positions] == ["short", "long"]
    assert dict(await floor.held()) == {"long": D(70), "short": -(await floor.short())}
    await floor.by_hand("buy", "10", position_side="long")
    await floor.tick()
    assert floor.changes() == [], "a change of the long is no news"
    await floor.unhedged()
    assert await floor.held() == [("long", D(80))]
    now = {held.side: held.position.leverage for held in floor.desk.held(await floor.trader())}
    assert now == leverage


async def test_fault_21_a_delisted_contract_is_settled_named_and_never_proposed_again(floor: Floor) -> None:
    short = await begun(floor)
    floor.desk.delist(SOL)
    await floor.tick()
    (told,) = floor.changes()
    assert (told["kind"], D(told["amount"]), coverage(told)) == ("settlement", short, 0)
    floor.clock.pass_(minutes=61)  # the contracts are read anew
    card = await floor.services.hedge.propose(ADA, ADA, key="update:3")
    assert {leg.symbol for leg in card.plan.legs} == {"BTC/USDT:USDT"}, "the coin is covered another way"
    await floor.services.status.view(ADA)
    assert len(floor.changes()) == 1


async def test_fault_21_a_short_in_a_contract_that_is_gone_is_told_and_nothing_fails(floor: Floor) -> None:
    """The listing is gone before the settlement: the position is still told, its contract is not."""
    await begun(floor)
    floor.desk.delisted.add(SOL)
    floor.clock.pass_(
        minutes=61
    )  # the first tick reads the contracts anew, while prices need not wait for them
    for _ in range(3):
        await floor.tick()
    told = floor.changes()
    if floor.name == "weex":  # what is not listed has no position there either
        assert [one["kind"] for one in told] == ["settlement"]
        return
    assert [(one["kind"], one["closes_at"]) for one in told] == [("delisting", "gone")]
    status = await floor.services.status.view(ADA)
    assert [(line.symbol, line.notional) for line in status.positions] == [(SOL, None)]
    assert status.exposure.coverage == 0
    card = await floor.services.hedge.propose(ADA, ADA, key="update:3")
    assert SOL not in {leg.symbol for leg in card.plan.legs}
    closing = await floor.services.hedge.unwind(ADA, ADA, key="update:4")
    assert closing.plan.legs == ()
    await floor.tick()
    assert len(floor.changes()) == 1


async def test_fault_21_a_delisted_contract_is_settled_on_paper_too(paper: Floor) -> None:
    await paper.hold(SOL="100")
    await paper.hedged()
    await paper.tick()
    assert isinstance(paper.feed, WorldFeed)
    paper.feed.ended.add(SOL)
    await paper.tick()
    assert [(told["kind"], D(told["left"])) for told in paper.changes()] == [("settlement", D(0))]
    card = await paper.services.hedge.propose(ADA, ADA, key="update:3")
    assert {leg.symbol for leg in card.plan.legs} == {"BTC/USDT:USDT"}
    paper.restart()
    await paper.tick()
    assert len(paper.changes()) == 1
