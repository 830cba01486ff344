"""Lists of positions that are empty, short or behind for some seconds: nothing is opened on them, nobody is alarmed,
and what is to be closed is closed. Fault 47 of ../shared/FAULTS.md."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.ports.errors import Contradicted
from bot.sandbox.exchanges import VENUES
from bot.services.errors import CannotSwitch
from tests.fakes.database import prepared, sqlite_address, sqlite_template
from tests.faults.trading import ADA, SOL, Trading, trading_on

__all__ = ["sqlite_template"]

D = Decimal


@pytest_asyncio.fixture(params=list(VENUES))
async def ada(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path
) -> AsyncIterator[Trading]:
    database = prepared(sqlite_address(tmp_path / "bot.sqlite"), sqlite_template)
    async with trading_on(request.param, tmp_path / "market", database) as trading:
        yield trading


def misread(ada: Trading, kind: str = "missing", *, by: str = "", reads: int = 1000) -> None:
    """From now on positions are told otherwise than they are."""
    ada.venue.faults.clear()
    ada.venue.faults.add(kind, on="positions", by=by, times=reads)  # type: ignore[arg-type]


async def hedged(ada: Trading) -> Decimal:
    """10 SOL, half of them hedged, and a tick that has seen it; contracts short."""
    assert (await ada.hedged(SOL="10"))["status"] == "complete"
    await tick(ada)
    ada.notifier.told.clear()
    return short(ada)


async def tick(ada: Trading) -> None:
    ada.clock.pass_(seconds=60)
    await ada.services.watch.tick(60)
    for _ in range(3):  # what is owed, one message a second
        await ada.durable.run_all()
        ada.clock.pass_(seconds=2)
        await ada.services.delivery.sweep()


def short(ada: Trading) -> Decimal:
    """As the exchange itself has it."""
    return sum((-one.position.contracts for one in ada.venue.desk.held(ada.trader)), D(0))


def told(ada: Trading) -> list[str]:
    """What she was told of, but for the status at the top of her chat."""
    return [item.kind for item in ada.notifier.told if item.kind not in ("pinned", "pin")]


async def by_hand(ada: Trading, side: str, contracts: Decimal) -> None:
    quote, contract = ada.world.snapshot().quotes[SOL], ada.venue.desk.contract(SOL)
    worst = quote.bid * D("0.9") if side == "sell" else quote.ask * D("1.1")
    order: dict[str, Any] = {"reduce_only": False, "limit_price": worst // contract.tick * contract.tick}
    ada.venue.desk.place(ada.trader, client_id="by-hand", symbol=SOL, side=side, contracts=contracts, **order)  # type: ignore[arg-type]


async def permit(ada: Trading) -> None:
    permissions = ada.services.permissions
    _, offer = await permissions.offer(ADA, "both", "nothing")
    await permissions.give(ADA, offer)


@pytest.mark.fault(47)
@pytest.mark.parametrize("by", ["list", ""], ids=["the list alone", "every read"])
async def test_an_empty_list_opens_nothing_under_a_permission_and_alarms_nobody(
    ada: Trading, by: str
) -> None:
    before = await hedged(ada)
    await permit(ada)
    sent = len(ada.orders)
    misread(ada, by=by)
    await tick(ada)
    ada.venue.faults.clear()
    await tick(ada)
    assert len(ada.orders) == sent
    assert short(ada) == before
    assert told(ada) == []


@pytest.mark.fault(47)
async def test_a_card_is_planned_on_the_read_that_our_orders_explain(ada: Trading) -> None:
    await hedged(ada)
    misread(ada, by="list")
    card = await ada.services.hedge.propose(ADA, ADA, key="update:2")
    assert card.plan.legs == ()
    assert float(card.plan.before.coverage) == pytest.approx(0.5, abs=0.01)


@pytest.mark.fault(47)
async def test_no_card_is_planned_while_a_short_is_gone_from_every_read_without_a_trace(ada: Trading) -> None:
    await hedged(ada)
    misread(ada)
    for ask in (ada.services.hedge.propose, ada.services.hedge.unwind):
        with pytest.raises(Contradicted):
            await ask(ADA, ADA, key="update:2")
    ada.venue.faults.clear()
    assert (await ada.services.hedge.propose(ADA, ADA, key="update:3")).plan.legs == ()


@pytest.mark.fault(47)
@pytest.mark.parametrize("by", ["list", ""], ids=["the list alone", "every read"])
async def test_a_fill_that_is_not_shown_yet_is_not_ordered_again(ada: Trading, by: str) -> None:
    """The card after an order whose fill the positions do not show."""
    await ada.hold(SOL="10")
    await ada.ended(await ada.tapped())
    before = short(ada)
    misread(ada, "stale", by=by)
    if by:
        assert (await ada.services.hedge.propose(ADA, ADA, key="update:2")).plan.legs == ()
    else:
        with pytest.raises(Contradicted):
            await ada.services.hedge.propose(ADA, ADA, key="update:2")
    assert short(ada) == before


@pytest.mark.fault(47)
async def test_an_order_that_meets_another_position_than_planned_is_not_sent_and_its_card_is_made_anew(
    ada: Trading,
) -> None:
    await ada.hold(SOL="10")
    card = await ada.tapped()
    await by_hand(ada, "sell", ada.venue.desk.contract(SOL).lot * 20)
    mine, before = len(ada.orders), short(ada)
    outcome = await ada.ended(card)
    assert (len(ada.orders), short(ada)) == (mine, before)
    assert [leg["reason"] for leg in outcome["legs"]] == ["position_changed"]
    (receipt,) = ada.receipts()
    fresh, earlier, _ = receipt.payload["cards"]
    assert (receipt.edit, earlier.id, fresh.message_id) == (50, card.id, 50)
    (leg,) = fresh.plan.legs
    assert leg.position_before == -before
    assert (await ada.services.hedge.confirm(fresh.id, ADA, ADA, 50)).kind == "sending"
    await ada.services.hedge.begin(fresh)
    assert (await ada.ended(fresh))["status"] == "complete"
    assert short(ada) == card.plan.legs[0].contracts


@pytest.mark.fault(47)
async def test_a_read_by_symbol_that_is_empty_sends_nothing_and_the_permission_waits_a_tick(
    ada: Trading,
) -> None:
    before = await hedged(ada)
    await permit(ada)
    await ada.hold(SOL="4")  # her coverage falls to 36 %
    misread(ada, by="symbol")
    sent = len(ada.orders)
    await tick(ada)
    assert len(ada.orders) == sent
    assert short(ada) == before
    ada.venue.faults.clear()
    await tick(ada)
    assert len(ada.orders) == sent + 1
    assert before < short(ada) < before * 2


@pytest.mark.fault(47)
@pytest.mark.parametrize("by", ["list", "symbol"])
async def test_a_hedge_is_closed_whole_though_one_of_the_reads_does_not_show_it(
    ada: Trading, by: str
) -> None:
    await hedged(ada)
    card = await ada.tapped("unhedge", message_id=60)
    misread(ada, by=by)
    outcome = await ada.ended(card)
    ada.venue.faults.clear()
    assert outcome["status"] == "complete"
    assert short(ada) == 0


@pytest.mark.fault(47)
async def test_what_was_sold_besides_after_the_card_stays_open_and_is_told(ada: Trading) -> None:
    await hedged(ada)
    card = await ada.tapped("unhedge", message_id=60)
    more = ada.venue.desk.contract(SOL).lot * 10
    await by_hand(ada, "sell", more)
    outcome = await ada.ended(card)
    assert (outcome["status"], short(ada)) == ("partial", more)
    assert [D(leg["left"]) for leg in outcome["legs"]] == [more]


@pytest.mark.fault(47)
async def test_a_smaller_hedge_is_never_reduced_below_what_its_card_leaves(ada: Trading) -> None:
    before = await hedged(ada)
    await ada.services.rules.change(ADA, target=D("0.25"))
    card = await ada.tapped(message_id=60)
    (leg,) = card.plan.legs
    await by_hand(ada, "buy", ada.venue.desk.contract(SOL).lot * 10)
    assert leg.kept < short(ada) < before
    await ada.ended(card)
    assert short(ada) == leg.kept


@pytest.mark.fault(47)
@pytest.mark.parametrize("kind", ["missing", "stale"])
async def test_no_screen_says_that_a_hedge_is_gone_that_a_short_list_leaves_out(
    ada: Trading, kind: str
) -> None:
    held = await hedged(ada)
    misread(ada, kind, by="list")
    status = await ada.services.status.view(ADA)
    assert [line.contracts for line in status.positions] == [held]
    (line,) = [one for one in await ada.services.accounts.list(ADA) if one.in_use]
    assert [-short.contracts for short in line.shorts] == [held]


@pytest.mark.fault(47)
async def test_where_both_reads_leave_a_hedge_out_it_is_told_as_both_tell_it(ada: Trading) -> None:
    """Status says what the exchange says twice; the watch alone waits for a trace."""
    await hedged(ada)
    misread(ada, "missing")
    assert (await ada.services.status.view(ADA)).positions == ()


@pytest.mark.fault(47)
async def test_a_short_list_lets_nobody_leave_an_account_with_a_hedge_behind(ada: Trading) -> None:
    await hedged(ada)
    paper = await ada.store.ensure_account(ADA, "paper", "paper")
    misread(ada, by="list")
    with pytest.raises(CannotSwitch) as refused:
        await ada.services.accounts.use(ADA, paper.id)
    assert refused.value.why == "shorts"
