"""Costly funding: another exchange of the same person is named where moving there pays, and only there."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.ports.books import Book, KnownShort
from bot.ports.records import AccountState
from bot.services.desk.cheaper import Cheaper, cheaper
from bot.services.markets import Markets
from tests.fakes.market import StillMarket
from tests.services.conftest import ADA, Desk

D = Decimal


async def compared(
    desk: Desk, here: str, there: str, *, mode: str = "live", days: int = 40
) -> Cheaper | None:
    """Ada is hedged live on Bybit and has an account on BingX too; the funding rates of 8 hours."""
    desk.market.others = {"bybit": StillMarket(), "bingx": StillMarket()}
    desk.market.others["bybit"].funding = D(here)
    desk.market.others["bingx"].funding = D(there)
    await desk.services.people.meet(ADA, ADA, "Ada")
    used = await desk.store.ensure_account(ADA, "bybit", "live")
    await desk.store.name_account(ADA, used.id)
    await desk.store.ensure_account(ADA, "bingx", mode)
    await desk.hold(SOL="100")
    await desk.hedged()
    situation = await desk.services.watch._situations.of(ADA)
    return await cheaper(desk.store, Markets(desk.market, desk.clock), situation)


async def test_what_a_month_there_saves_is_reckoned_with_the_cost_of_moving(desk: Desk) -> None:
    found = await compared(desk, "-0.001", "-0.0002")
    assert found is not None
    # 50 SOL short at 150: 7,500 dollars, 90 settlements a month.
    assert found.account.exchange == "bingx"
    assert found.here == pytest.approx(D("-675"), rel=D("0.01"))
    assert found.there == pytest.approx(D("-135"), rel=D("0.01"))
    # Two fees of 0.05 % and twice half a spread of 0.02 %.
    assert found.moving == pytest.approx(D("9.00"), rel=D("0.01"))
    assert found.saves == pytest.approx(D("531"), rel=D("0.01"))


@pytest.mark.parametrize(
    ("here", "there"),
    [("-0.001", "-0.00085"), ("-0.001", "-0.002"), ("-0.000005", "0.000005")],
    ids=["a little cheaper", "dearer", "not worth the fees"],
)
async def test_where_it_does_not_pay_nothing_is_named(desk: Desk, here: str, there: str) -> None:
    assert await compared(desk, here, there) is None


async def test_test_money_is_no_place_for_a_real_hedge(desk: Desk) -> None:
    assert await compared(desk, "-0.001", "0.0002", mode="demo") is None


async def test_an_exchange_that_is_away_or_not_connected_any_more_is_passed_over(desk: Desk) -> None:
    found = await compared(desk, "-0.001", "0.0002")
    assert found is not None
    situation = await desk.services.watch._situations.of(ADA)
    markets = Markets(desk.market, desk.clock)
    desk.market.others["bingx"].away = True
    assert await cheaper(desk.store, markets, situation) is None
    desk.market.others["bingx"].away = False
    await desk.store.set_account_state(found.account.id, AccountState.DISCONNECTED)
    assert await cheaper(desk.store, markets, situation) is None


async def test_what_its_owner_sold_by_hand_is_not_moved(desk: Desk) -> None:
    await compared(desk, "-0.001", "-0.0002")
    situation = await desk.services.watch._situations.of(ADA)
    (short,) = situation.shorts
    mine = KnownShort(short.symbol, short.contracts, short.contracts, D(0), D(1))
    book = Book(situation.account.id, desk.market.time, {short.symbol: mine})
    theirs = replace(situation, book=book)
    assert await cheaper(desk.store, Markets(desk.market, desk.clock), theirs) is None
