"""What a hedge has made: by its own trades and funding, whatever else moves the account."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest
import pytest_asyncio

from bot.bootstrap import build_services
from bot.exchange.paper import PaperExchange
from bot.ports.errors import Unavailable
from bot.ports.exchange import FundingPayment, TradeFill
from bot.services.results import Result
from bot.services.status import StatusView
from bot.settings import Settings
from tests.fakes.vault import OpenVault
from tests.services.conftest import ADA, Desk

D = Decimal
SOL = "SOL/USDT:USDT"


@pytest_asyncio.fixture
async def on_paper(desk: Desk) -> AsyncIterator[Desk]:
    """The same with the paper exchange, whose account holds nothing but USDT that nobody adds to."""
    desk.services = build_services(
        Settings(),
        desk.store,
        desk.market,
        PaperExchange(desk.market, desk.store, desk.clock),
        OpenVault(),
        desk.notifier,
        desk.durable,
        desk.clock,
    )
    yield desk


async def status(desk: Desk) -> StatusView:
    """By a market that is read anew."""
    desk.clock.pass_(seconds=2)
    return await desk.services.status.view(ADA)


async def result(desk: Desk) -> Result:
    view = await status(desk)
    assert view.unhedged_pnl is not None and view.hedged_pnl is not None and view.since is not None
    return Result(view.unhedged_pnl, view.hedged_pnl, view.since)


async def equity(desk: Desk) -> Decimal:
    return (await status(desk)).equity


async def test_on_an_account_of_dollars_alone_it_is_what_the_equity_has_gained(on_paper: Desk) -> None:
    desk = on_paper
    await desk.hold(SOL="100", ATOM="2000")
    before = await equity(desk)
    await desk.hedged()
    for step, (sol, btc) in enumerate([(0.7, 0.8), (1.3, 1.1), (0.9, 0.97)]):
        desk.market.move(SOL=sol, BTC=btc)
        desk.market.time += timedelta(hours=13)
        desk.clock.pass_(seconds=3600)
        assert float((await result(desk)).hedge) == pytest.approx(
            float(await equity(desk) - before), abs=1e-6
        )
        await desk.services.rules.change(ADA, target=D("0.75") if step % 2 else D("0.25"))
        await desk.hedged(key=f"update:again:{step}")
        assert float((await result(desk)).hedge) == pytest.approx(
            float(await equity(desk) - before), abs=1e-6
        )


async def test_money_that_is_paid_in_and_coins_that_are_collateral_are_no_profit_of_the_hedge(
    desk: Desk,
) -> None:
    await desk.hold(SOL="100")
    await desk.hedged()
    (order,) = desk.exchange.placed
    desk.market.move(SOL=0.8)
    desk.exchange.equity += 5_000
    made = (await result(desk)).hedge
    fee = order.contracts * 150 * D("0.0005")
    assert made == order.contracts * 30 - fee
    desk.exchange.equity -= 60_000
    assert (await result(desk)).hedge == made


async def test_with_it_is_without_it_and_the_hedge(desk: Desk) -> None:
    await desk.hold(SOL="100")
    await desk.hedged()
    desk.market.move(SOL=0.8)
    told = await result(desk)
    assert told.unhedged == -3_000
    assert told.hedged == told.unhedged + told.hedge
    assert -3_000 < told.hedged < -1_000


async def test_funding_is_counted_and_asked_for_once_after_each_settlement(desk: Desk) -> None:
    await desk.hold(SOL="100")
    await desk.hedged()
    plain = (await result(desk)).hedge
    assert desk.exchange.asked["funding_paid"] == 1
    await result(desk)
    assert desk.exchange.asked["funding_paid"] == 1
    desk.market.time += timedelta(hours=9)
    desk.exchange.funding += [
        FundingPayment(SOL, D("-1.25"), "USDT", desk.market.time - timedelta(hours=1)),
        FundingPayment("BTC/USDT:USDT", D("-77"), "USDT", desk.market.time - timedelta(hours=1)),
    ]
    assert (await result(desk)).hedge == plain - D("1.25")
    assert desk.exchange.asked["funding_paid"] == 2
    desk.market.time += timedelta(hours=8)
    last = desk.market.time - timedelta(hours=1)
    desk.exchange.funding.append(FundingPayment(SOL, D("-0.75"), "USDT", last))
    assert (await result(desk)).hedge == plain - D("2.00"), "what was read before counts once"
    assert desk.exchange.asked["funding_paid"] == 3


async def test_when_the_funding_cannot_be_read_nothing_is_claimed_until_it_was_read_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.hold(SOL="100")
    await desk.hedged()

    async def away(*_: object) -> list[FundingPayment]:
        raise Unavailable("the exchange cannot be reached")

    with monkeypatch.context() as broken:
        broken.setattr(desk.exchange, "funding_paid", away)
        view = await status(desk)
        assert (view.unhedged_pnl, view.hedged_pnl, view.since) == (None, None, None)
    known = (await result(desk)).hedge
    desk.market.time += timedelta(hours=9)
    monkeypatch.setattr(desk.exchange, "funding_paid", away)
    assert (await result(desk)).hedge == known


@pytest.mark.parametrize(("price", "known"), [(D(140), True), (None, False)])
async def test_what_the_exchange_closed_counts_at_its_price_and_without_one_nothing_is_claimed(
    desk: Desk, price: Decimal | None, known: bool
) -> None:
    await desk.hold(SOL="100")
    await desk.hedged()
    await desk.tick()
    (order,) = desk.exchange.placed
    desk.exchange.held[SOL] += 10
    if price is not None:
        close = TradeFill(SOL, "x1", "buy", D(10), price, D(0), desk.market.time, forced="adl", id="x1")
        desk.exchange.history.append(close)
    desk.clock.pass_(seconds=600)
    await desk.tick()
    await desk.tick()  # what has left no trace is believed at the second look
    desk.market.move(SOL=0.8)
    view = await status(desk)
    if not known:
        assert view.hedged_pnl is None
        return
    fee = order.contracts * 150 * D("0.0005")
    made = (order.contracts - 10) * 30 + 10 * 10 - fee
    assert view.hedged_pnl is not None and view.unhedged_pnl is not None
    assert view.hedged_pnl - view.unhedged_pnl == made
