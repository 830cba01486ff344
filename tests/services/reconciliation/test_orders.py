"""How orders treat what is on the account already, on every exchange: several legs, leverage and margin mode.
Faults 15, 16, 22, 23 and 25 of ../shared/FAULTS.md."""

from decimal import Decimal

import pytest

from bot.ports.records import Proposal
from bot.services.attempts import Attempts
from tests.services.reconciliation.conftest import ADA, BTC, SOL, Floor

D = Decimal


async def hedged(floor: Floor, hedge_mode: bool = False, **holdings: str) -> Proposal:
    await floor.hold(**(holdings or {"SOL": "100"}))
    (await floor.trader()).hedged = hedge_mode
    return await floor.hedged()


async def confirmed_then(floor: Floor, card: Proposal) -> None:
    """Shown and tapped; the work has not begun."""
    await floor.services.hedge.shown(card.id, 60)
    assert (await floor.services.hedge.confirm(card.id, ADA, ADA, 60)).kind == "sending"
    await floor.services.hedge.begin(card)


async def finished(floor: Floor, card: Proposal) -> Proposal:
    await floor.durable.run_all()
    done = await floor.store.proposal(card.id)
    assert done is not None
    return done


async def test_fault_23_what_was_closed_by_hand_after_the_tap_is_not_closed_again(
    floor: Floor, hedge_mode: bool
) -> None:
    await hedged(floor, hedge_mode)
    card = await floor.services.hedge.unwind(ADA, ADA, key="update:2")
    await confirmed_then(floor, card)
    await floor.by_hand("buy", "20", position_side="short" if hedge_mode else "both")
    left = await floor.short()
    done = await finished(floor, card)
    assert await floor.held() == [], "closed, and not flipped"
    (leg,) = done.outcome["legs"]
    size = (await floor.contract(SOL)).contract_size
    assert D(leg["filled"]) * size == left
    assert done.outcome["status"] == "complete"


async def test_fault_23_with_nothing_left_to_close_nothing_is_sent(floor: Floor, hedge_mode: bool) -> None:
    await hedged(floor, hedge_mode)
    card = await floor.services.hedge.unwind(ADA, ADA, key="update:2")
    await confirmed_then(floor, card)
    await floor.force("adl")
    sent = floor.calls["order"]
    done = await finished(floor, card)
    assert floor.calls["order"] == sent
    assert [(leg["state"], leg["reason"]) for leg in done.outcome["legs"]] == [("rejected", "reduce_only")]
    assert await floor.held() == []


async def test_fault_23_a_flip_by_hand_before_the_order_is_not_bought_up(floor: Floor) -> None:
    await hedged(floor)
    card = await floor.services.hedge.unwind(ADA, ADA, key="update:2")
    await confirmed_then(floor, card)
    short = await floor.short()
    await floor.by_hand("buy", "80")
    await finished(floor, card)
    assert await floor.held() == [("both", 80 - short)]


async def test_fault_23_a_refusal_to_reduce_reads_the_position_again_and_sends_nothing_more(
    floor: Floor,
) -> None:
    await hedged(floor)
    short = await floor.short()
    card = await floor.services.hedge.unwind(ADA, ADA, key="update:2")
    assert floor.venue is not None
    floor.venue.faults.add("refuse", on="order", word="reduce_only")
    sent = floor.calls["order"]
    await floor.services.hedge.shown(card.id, 60)
    done = await floor.done(card, 60)
    assert floor.calls["order"] == sent + 1
    told = "refused:-1142" if floor.name == "weex" else "still_open"  # it has no code for it
    assert [leg["reason"] for leg in done.outcome["legs"]] == [told]
    assert await floor.short() == short


async def test_fault_15_closing_in_part_leaves_the_rest_to_a_new_tap(floor: Floor) -> None:
    await hedged(floor)
    short = await floor.short()
    floor.desk.share = D("0.37")
    done = await floor.unhedged()
    floor.desk.share = None
    assert done.outcome["status"] == "partial"
    left = await floor.short()
    assert 0 < left < short
    assert float(done.outcome["coverage_after"]) == pytest.approx(float(left) / 100, abs=0.01)
    await floor.tick()
    assert floor.changes() == []
    assert await floor.short() == left
    assert (await floor.unhedged("update:3", 70)).outcome["status"] == "complete"
    assert await floor.held() == []


async def test_fault_16_what_was_filled_before_the_cancellation_is_kept(floor: Floor) -> None:
    """Acknowledged, then invisible; when it is seen it is cancelled with a part filled."""
    await floor.hold(SOL="100")
    await floor.trader()
    floor.desk.share = D("0.37")
    assert floor.venue is not None
    floor.venue.faults.add("hide", on="order", lookups=6)
    done = await floor.hedged()
    (leg,) = done.outcome["legs"]
    size = (await floor.contract(SOL)).contract_size
    assert D(leg["filled"]) * size == await floor.short() > 0
    assert done.outcome["status"] == "partial"
    await floor.tick()
    assert floor.changes() == [], "the ledger knows of it"


async def test_fault_22_an_order_in_the_wrong_position_mode_is_told_and_the_mode_is_not_touched(
    floor: Floor,
) -> None:
    await floor.hold(SOL="100")
    trader = await floor.trader()
    assert floor.venue is not None
    floor.venue.faults.add("refuse", on="order", word="position_mode")
    done = await floor.hedged()
    assert [leg["state"] for leg in done.outcome["legs"]] == ["rejected"]
    assert done.outcome["status"] == "nothing"
    assert trader.hedged is False
    trader.hedged = True  # by its owner: the next order fits it
    assert (await floor.hedged("update:2", 60)).outcome["status"] == "complete"
    assert [side for side, _ in await floor.held()] == ["short"]
    assert trader.hedged is True


async def test_fault_25_a_gap_of_40_percent_before_the_tap_is_priced_again(floor: Floor) -> None:
    await hedged(floor)
    card = await floor.services.hedge.unwind(ADA, ADA, key="update:2")
    await floor.services.hedge.shown(card.id, 60)
    floor.world.shock("rally", 0.4)
    floor.clock.pass_(seconds=5)  # prices are shared for a moment
    sent = floor.calls["order"]
    outcome = await floor.services.hedge.confirm(card.id, ADA, ADA, 60)
    assert outcome.kind == "repriced"
    assert floor.calls["order"] == sent


async def test_fault_25_a_gap_of_40_percent_after_the_tap_meets_the_capped_price(floor: Floor) -> None:
    await hedged(floor)
    short = await floor.short()
    card = await floor.services.hedge.unwind(ADA, ADA, key="update:2")
    await confirmed_then(floor, card)
    floor.world.shock("rally", 0.4)
    done = await finished(floor, card)
    assert done.outcome["status"] == "nothing"
    assert await floor.short() == short, "nothing is bought 40 % dearer than shown"


async def test_a_second_leg_that_is_refused_leaves_the_first_told_as_it_is(floor: Floor) -> None:
    await floor.hold(SOL="100", BTC="0.5")
    await floor.trader()
    card = await floor.services.hedge.propose(ADA, ADA, key="update:1")
    first, second = card.plan.legs
    assert floor.venue is not None
    floor.desk.delisted.add(second.symbol)  # since the card was priced
    done = await floor.done(card, 50)
    assert done.outcome["status"] == "partial"
    assert [leg["state"] for leg in done.outcome["legs"]] == ["filled", "rejected"]
    assert done.outcome["legs"][1]["reason"] in ("closed", "unknown_symbol")
    assert await floor.short(first.symbol) > 0
    assert 0 < float(done.outcome["coverage_after"]) < 0.5
    await floor.tick()
    assert floor.changes() == []


async def test_an_unknown_order_blocks_its_own_symbol_alone(floor: Floor) -> None:
    await floor.hold(SOL="100", BTC="0.5")
    await floor.trader()
    card = await floor.services.hedge.propose(ADA, ADA, key="update:1")
    await confirmed_then(floor, card)
    sol = [leg.symbol for leg in card.plan.legs].index(SOL)
    account = await floor.store.account(card.account_id)
    assert account is not None
    attempts = Attempts(floor.store, floor.exchanges, floor.clock)
    await attempts.reserve(card, account, sol, 0)  # and there it hangs
    await floor.services.rules.change(ADA, target=D("0.6"))
    other = await floor.services.hedge.propose(ADA, ADA, key="update:2")
    await confirmed_then(floor, other)
    await floor.durable.wait(f"exec:{other.id}")
    done = await floor.store.proposal(other.id)
    assert done is not None
    told = {leg["symbol"]: (leg["state"], leg["reason"]) for leg in done.outcome["legs"]}
    assert told == {BTC: ("filled", ""), SOL: ("rejected", "busy")}
    assert done.outcome["status"] == "partial"


async def test_leverage_is_ours_where_nothing_is_open_and_the_owners_where_they_opened_it(
    floor: Floor,
) -> None:
    await floor.hold(SOL="100", BTC="0.5")
    trader = await floor.trader()
    await floor.services.rules.change(ADA, leverage=3)
    floor.desk.set_leverage(trader, SOL, 7)
    await floor.by_hand("sell", "10")
    card = await floor.services.hedge.propose(ADA, ADA, key="update:1")
    assert {leg.symbol: leg.leverage for leg in card.plan.legs} == {SOL: 7, BTC: 3}
    await floor.done(card, 50)
    assert (floor.desk.leverage(trader, SOL), floor.desk.leverage(trader, BTC)) == (7, 3)


async def test_an_isolated_short_stays_isolated_and_is_shown(floor: Floor) -> None:
    await floor.hold(SOL="100")
    trader = await floor.trader()
    floor.desk.set_margin_mode(trader, SOL, "isolated")
    floor.desk.set_leverage(trader, SOL, 4)
    await floor.by_hand("sell", "10")
    card = await floor.services.hedge.propose(ADA, ADA, key="update:1")
    check = next(check for check in card.plan.checks if check.key == "margin_mode")
    assert (check.passed, check.facts["symbols"]) == (False, SOL)
    assert (await floor.done(card, 50)).outcome["status"] == "complete"
    (held,) = floor.desk.held(trader)
    assert (held.position.margin_mode, held.position.leverage) == ("isolated", 4)
    (line,) = (await floor.services.status.view(ADA)).positions
    assert line.margin_mode == "isolated"
    assert (await floor.unhedged()).outcome["status"] == "complete"


async def test_the_margin_mode_of_a_whole_account_is_not_changed_under_open_positions(floor: Floor) -> None:
    """On Bybit it is the account's: under a long of the user's own, the hedge is refused and the mode stays."""
    await floor.hold(SOL="100")
    trader = await floor.trader()
    for symbol in (SOL, BTC):
        floor.desk.set_margin_mode(trader, symbol, "isolated")
    await floor.by_hand("buy", "0.1", BTC)
    done = await floor.hedged()
    (leg,) = done.outcome["legs"]
    if floor.name == "bybit":
        assert (leg["state"], leg["reason"]) == ("rejected", "margin_mode")
        assert floor.desk.margin_mode(trader, SOL) == "isolated"
    else:
        assert leg["state"] == "filled"
    assert floor.desk.margin_mode(trader, BTC) == "isolated"
