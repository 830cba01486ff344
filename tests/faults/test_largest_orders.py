"""Orders above the largest that an exchange takes: split into the fewest, also for closing; a part that fails leaves an
honest receipt. Fault 54 of ../shared/FAULTS.md."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from bot.sandbox.exchanges import VENUES
from tests.fakes.database import prepared, sqlite_address, sqlite_template
from tests.faults.trading import ADA, SOL, Trading, trading_on

__all__ = ["sqlite_template"]

D = Decimal
TELLING = [name for name in VENUES if name != "bingx"]  # BingX lists no largest order


@pytest_asyncio.fixture
async def ada(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path
) -> AsyncIterator[Trading]:
    """100 SOL, of which 50 are to be hedged, where no order of more than 20 is taken."""
    database = prepared(sqlite_address(tmp_path / "bot.sqlite"), sqlite_template)
    async with trading_on(request.param, tmp_path / "market", database) as trading:
        trading.venue.desk.largest[SOL] = largest(trading)
        await trading.hold(SOL="100")
        yield trading


def largest(ada: Trading) -> Decimal:
    return 20 / ada.venue.desk.contract(SOL).contract_size if ada.name == "mexc" else D(20)


def on_each(names: list[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("ada", names, indirect=True)


def after_the_first_order(ada: Trading, happens: Callable[[], object]) -> None:
    """Once the exchange has answered one."""
    begun: list[str] = []

    def passing(method: str, path: str, moment: str) -> None:
        if ada.venue.calls["order"] == 1 and moment == "ended" and not begun:
            begun.append(path)
            happens()

    ada.moments.append(passing)


@pytest.mark.fault(54)
@on_each(TELLING)
async def test_a_hedge_above_the_largest_order_is_sent_in_the_fewest_parts_and_closed_likewise(
    ada: Trading,
) -> None:
    card = await ada.tapped()
    (leg,) = card.plan.legs
    assert len(leg.parts) == 3 and sum(leg.parts) == leg.contracts
    outcome = await ada.ended(card)
    assert [order.contracts for order in ada.orders] == list(leg.parts)
    assert max(leg.parts) <= largest(ada)
    assert len({order.client_id for order in ada.orders}) == 3
    (told,) = outcome["legs"]
    assert (outcome["status"], D(told["filled"]), told["orders"]) == ("complete", leg.contracts, 3)
    assert await ada.held() == -leg.contracts
    closing = await ada.ended(await ada.tapped("unhedge", message_id=60))
    assert (closing["status"], closing["legs"][0]["orders"]) == ("complete", 3)
    assert await ada.held() == 0
    assert all(order.reduce_only for order in ada.orders[3:])


@pytest.mark.fault(54)
@on_each(TELLING)
async def test_a_part_that_is_refused_ends_the_leg_and_is_told_with_what_was_filled(ada: Trading) -> None:
    card = await ada.tapped()
    after_the_first_order(ada, lambda: ada.venue.faults.add("refuse", on="order", word="margin"))
    outcome = await ada.ended(card)
    (told,), (leg,) = outcome["legs"], card.plan.legs
    assert ada.venue.calls["order"] == 2, "the third part is not tried"
    assert (outcome["status"], told["state"], told["reason"]) == ("partial", "rejected", "margin")
    assert D(told["filled"]) == leg.parts[0] == -await ada.held()
    assert float(outcome["coverage_after"]) == pytest.approx(0.167, abs=0.01)


@pytest.mark.fault(54)
@on_each(["bybit", "mexc"])
async def test_a_part_that_finds_no_more_buyers_ends_the_leg(ada: Trading) -> None:
    card = await ada.tapped()
    after_the_first_order(ada, lambda: setattr(ada.venue.desk, "share", D("0.5")))
    outcome = await ada.ended(card)
    assert [order.complete for order in ada.orders] == [True, False]
    assert outcome["status"] == "partial"
    assert D(outcome["legs"][0]["filled"]) == -await ada.held()


@pytest.mark.fault(54)
@on_each(["binance", "weex"])
async def test_a_part_waits_until_the_position_shows_the_one_before(ada: Trading) -> None:
    card = await ada.tapped()
    after_the_first_order(ada, lambda: ada.venue.faults.add("stale", on="positions", by="symbol", times=2))
    outcome = await ada.ended(card)
    assert (outcome["status"], len(ada.orders)) == ("complete", 3)


@pytest.mark.fault(54)
@on_each(TELLING)
async def test_a_part_whose_answer_was_lost_is_looked_up_and_the_next_one_follows(ada: Trading) -> None:
    card = await ada.tapped()
    ada.venue.faults.add("cut", on="order", after=True, unseen=2)
    outcome = await ada.ended(card)
    assert outcome["status"] == "complete"
    assert [order.contracts for order in ada.orders] == list(card.plan.legs[0].parts)


@pytest.mark.fault(54)
@on_each(["binance", "bybit"])
async def test_a_card_whose_parts_have_become_too_large_is_shown_anew(ada: Trading) -> None:
    hedge = ada.services.hedge
    card = await hedge.propose(ADA, ADA, key="update:1")
    await hedge.shown(card.id, 50)
    ada.venue.desk.largest[SOL] = D(10)
    ada.clock.pass_(minutes=61)  # the contracts are read anew
    fresh = (await hedge.adjust(card.id, ADA, key="update:2")).proposal
    assert [len(one.plan.legs[0].parts) for one in (card, fresh)] == [3, 5]


@pytest.mark.fault(54)
@on_each(["bingx"])
async def test_where_no_largest_order_is_listed_the_refusal_is_told_and_nothing_stays_blocked(
    ada: Trading,
) -> None:
    outcome = await ada.ended(await ada.tapped())
    assert (outcome["status"], outcome["legs"][0]["reason"]) == ("nothing", "lot")
    del ada.venue.desk.largest[SOL]
    assert (await ada.ended(await ada.tapped(message_id=60)))["status"] == "complete"
