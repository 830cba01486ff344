"""A tap: its owner's, once, on what was shown."""

import asyncio
from decimal import Decimal

import pytest

from bot.ports.errors import Unavailable
from bot.ports.exchange import TradeFill
from bot.ports.records import ProposalState
from bot.services.errors import NoHoldings, NotYours, ProposalGone
from hedging.errors import NothingToHedge
from tests.services.conftest import ADA, BOB, Desk

D = Decimal


async def test_a_proposal_needs_holdings(desk: Desk) -> None:
    await desk.services.people.meet(ADA, ADA, "Ada")
    with pytest.raises(NoHoldings):
        await desk.card()


async def test_stablecoins_alone_are_nothing_to_hedge(desk: Desk) -> None:
    await desk.hold(USDT="5000")
    with pytest.raises(NothingToHedge):
        await desk.card()


async def test_the_same_update_gives_the_same_card(desk: Desk) -> None:
    await desk.hold(SOL="100")
    assert (await desk.card(key="update:7")).id == (await desk.card(key="update:7")).id


async def test_a_newer_card_takes_the_place_of_the_older_one(desk: Desk) -> None:
    await desk.hold(SOL="100")
    older, newer = await desk.card(key="update:1"), await desk.card(key="update:2")
    assert await desk.tap(older) == "superseded"
    assert await desk.tap(newer) == "sending"


async def test_what_is_sent_is_what_was_shown(desk: Desk) -> None:
    await desk.hold(SOL="100", ATOM="500")
    card = await desk.card()
    await desk.tap(card)
    await desk.durable.run_all()
    sent = [(o.symbol, o.side, o.contracts, o.limit_price, o.reduce_only) for o in desk.exchange.placed]
    shown = [
        (leg.symbol, leg.side, leg.contracts, leg.limit_price, leg.reduce_only) for leg in card.plan.legs
    ]
    assert sent == shown
    assert len(sent) == 2


async def test_fifty_taps_at_once_have_one_outcome(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    kinds = await asyncio.gather(*(desk.tap(card) for _ in range(50)))
    await desk.durable.run_all()
    assert sorted(set(kinds)) == ["sending", "working"]
    assert kinds.count("sending") == 1
    assert len(desk.exchange.placed) == 1


async def test_a_tap_after_the_receipt_is_told_that_it_is_done(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.hedged()
    assert await desk.tap(card) == "done"
    assert len(desk.exchange.placed) == 1


async def test_an_expired_card_sends_nothing(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    desk.clock.pass_(minutes=6)
    assert await desk.tap(card) == "expired"
    assert await desk.tap(card) == "expired"
    assert desk.exchange.placed == []


async def test_a_cancelled_card_sends_nothing(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    assert (await desk.services.hedge.cancel(card.id, ADA)).state is ProposalState.CANCELLED
    assert await desk.tap(card) == "cancelled"


async def test_a_card_that_was_confirmed_cannot_be_cancelled_any_more(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    await desk.tap(card)
    assert (await desk.services.hedge.cancel(card.id, ADA)).state is ProposalState.CONFIRMED


async def test_another_users_card_is_refused(desk: Desk) -> None:
    await desk.hold(SOL="100")
    await desk.services.people.meet(BOB, BOB, "Bob")
    card = await desk.card()
    with pytest.raises(NotYours):
        await desk.services.hedge.confirm(card.id, BOB, BOB, 50)
    with pytest.raises(NotYours):
        await desk.services.hedge.cancel(card.id, BOB)
    with pytest.raises(NotYours):
        await desk.services.hedge.adjust(card.id, BOB, key="x", target=D(1))
    assert await desk.tap(card) == "sending"


async def test_a_card_shown_in_another_chat_is_refused(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    with pytest.raises(NotYours):
        await desk.services.hedge.confirm(card.id, ADA, -100, 50)


async def test_an_unknown_card_is_gone(desk: Desk) -> None:
    await desk.services.people.meet(ADA, ADA, "Ada")
    with pytest.raises(ProposalGone):
        await desk.services.hedge.confirm("nosuchcard", ADA, ADA, 50)


@pytest.mark.parametrize("factor", [1.05, 0.95, 1.01, 0.99])
async def test_a_moved_price_is_asked_again(desk: Desk, factor: float) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    desk.market.move(SOL=factor)
    outcome = await desk.services.hedge.confirm(card.id, ADA, ADA, 50)
    assert outcome.kind == "repriced"
    assert outcome.earlier is not None
    assert outcome.earlier.id == card.id
    assert outcome.proposal.plan.legs[0].mark_price == desk.market.prices["SOL"]
    assert desk.exchange.placed == []
    assert await desk.tap(outcome.proposal) == "sending"


async def test_a_small_move_is_within_the_tolerance(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    desk.market.move(SOL=0.995)
    assert await desk.tap(card) == "sending"


async def test_holdings_that_were_sold_meanwhile_are_asked_again(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    await desk.hold(SOL="-50")
    assert await desk.tap(card) == "repriced"


async def test_a_short_that_was_opened_by_hand_meanwhile_is_counted(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    desk.exchange.held["SOL/USDT:USDT"] = D(-50)
    desk.exchange.entries["SOL/USDT:USDT"] = D(150)
    by_hand = TradeFill("SOL/USDT:USDT", "x1", "sell", D(50), D(150), D(0), desk.market.time, id="x1")
    desk.exchange.history.append(by_hand)
    assert await desk.tap(card) == "at_target"
    assert desk.exchange.placed == []


async def test_nothing_is_sent_while_the_market_cannot_be_read(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    desk.market.away = True
    with pytest.raises(Unavailable):
        await desk.tap(card)
    desk.market.away = False
    assert await desk.tap(card) == "sending"


async def test_change_prices_again_for_the_same_message(desk: Desk) -> None:
    await desk.hold(SOL="100")
    card = await desk.card()
    adjusted = await desk.services.hedge.adjust(card.id, ADA, key="update:2", target=D("0.75"), leverage=3)
    changed = adjusted.proposal
    assert changed.plan.target == D("0.75")
    assert changed.plan.legs[0].contracts == D(75)
    assert changed.plan.legs[0].leverage == 3
    assert (await desk.store.proposal(changed.id)).message_id == 50  # type: ignore[union-attr]
    assert await desk.tap(card) == "superseded"
    assert await desk.tap(changed) == "sending"


async def test_unhedge_closes_every_short_and_leaves_nothing(desk: Desk) -> None:
    await desk.hold(SOL="100", ATOM="500")
    await desk.hedged()
    closing = await desk.services.hedge.unwind(ADA, ADA, key="update:9")
    assert all(leg.reduce_only for leg in closing.plan.legs)
    assert await desk.tap(closing) == "sending"
    await desk.durable.run_all()
    assert not any(desk.exchange.held.values())
    with pytest.raises(NothingToHedge):
        await desk.services.hedge.unwind(ADA, ADA, key="update:10")


async def test_selling_everything_leaves_a_hedge_that_the_next_card_closes(desk: Desk) -> None:
    await desk.hold(SOL="100")
    await desk.hedged()
    await desk.hold(SOL="-100")
    card = await desk.card(key="update:9")
    assert card.purpose == "unhedge"
    assert await desk.tap(card) == "sending"
    await desk.durable.run_all()
    assert not any(desk.exchange.held.values())


async def test_a_coin_that_was_sold_has_its_short_closed_by_the_next_card(desk: Desk) -> None:
    await desk.hold(SOL="100", ADA="5000")
    await desk.hedged()
    await desk.hold(ADA="-5000")
    card = await desk.card(key="update:9")
    assert [(leg.symbol, leg.side, leg.reduce_only) for leg in card.plan.legs] == [
        ("ADA/USDT:USDT", "buy", True)
    ]
