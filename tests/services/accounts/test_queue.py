"""Where a short stands in the queue for auto-deleveraging: told once, at the last step but one, where it is told."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.chat.views.alert import alert as shown
from bot.ports.records import OutboxItem
from bot.ports.store import HoldingChange
from bot.sandbox.exchanges.traders import Trader
from tests.services.accounts.conftest import ADA, SOL, Floor


def trader(floor: Floor, name: str) -> Trader:
    return floor.venue(name).desk.traders["key-1"]


async def in_use(floor: Floor, name: str) -> None:
    """Ada's live account there, which her rule is about, and coins to hedge."""
    floor.open(name)
    account = (await floor.connect(name)).account
    await floor.services.accounts.use(ADA, account.id)
    await floor.services.portfolio.change(ADA, [HoldingChange("SOL", Decimal(100))], key="hold")


@pytest.mark.parametrize(("name", "told"), [("binance", [1, 5]), ("bybit", [1, 5]), ("bingx", [None, None])])
async def test_the_rank_comes_with_the_positions_and_costs_no_call(
    floor: Floor, name: str, told: list[int | None]
) -> None:
    await in_use(floor, name)
    floor.sell(name)
    account, ranks, calls = await floor.services.accounts.in_use(ADA), [], []
    for rank in (1, 5):
        trader(floor, name).ranks = {SOL: rank}
        before = floor.calls(name)
        ranks += [position.adl_rank for position in await floor.exchanges.positions(account)]
        calls.append(floor.calls(name) - before)
    assert ranks == told
    assert calls[0] == calls[1]
    assert set(floor.venue(name).calls) & {"adl", "adlQuantile"} == set()


async def ranked(floor: Floor, name: str, rank: int | None, symbol: str = SOL) -> list[OutboxItem]:
    if rank is not None:
        trader(floor, name).ranks[symbol] = rank
    return await floor.tick()


async def with_a_short(floor: Floor, name: str) -> None:
    await in_use(floor, name)
    floor.sell(name)
    await floor.tick()
    await floor.tick()


@pytest.mark.parametrize("name", ["binance", "bybit"])
async def test_a_short_at_the_last_step_but_one_is_told_once_while_its_risk_goes_to_and_fro(
    floor: Floor, name: str
) -> None:
    await with_a_short(floor, name)
    said = {
        (n, rank): [i.kind for i in await ranked(floor, name, rank) if i.payload.get("kind") == "adl"]
        for n, rank in enumerate((1, 2, 3, 4, 3, 4, 3, 4, 2, 3, 2))
    }
    assert {place: kinds for place, kinds in said.items() if kinds} == {
        (3, 4): ["alert"],
        (8, 2): ["recovered"],
    }


async def test_the_highest_risk_is_said_in_the_same_message_and_an_order_that_helps_is_priced(
    floor: Floor,
) -> None:
    await with_a_short(floor, "bybit")
    told = [i for i in await ranked(floor, "bybit", 4) if i.payload.get("kind") == "adl"]
    assert [(item.edit, item.silent) for item in told] == [(None, True)]
    worse = [i for i in await ranked(floor, "bybit", 5) if i.payload.get("kind") == "adl"]
    assert [item.edit is not None for item in worse] == [True]
    assert "among the first: risk 5 of 5" in shown(worse[0].payload).text
    assert "an order would not help" in shown(worse[0].payload).text, (
        "the short is a small part of the account"
    )


async def test_leverage_is_what_the_remedy_lowers(floor: Floor) -> None:
    await in_use(floor, "bybit")
    await floor.hedge()
    thin = replace(trader(floor, "bybit").account, cash={"USDT": Decimal(2000)})
    trader(floor, "bybit").account = thin  # 50 SOL at 142 are 3.55 times that
    await ranked(floor, "bybit", 4)
    (alert,) = [one for one in await floor.store.live_alerts(ADA) if one.kind == "adl"]
    told = await floor.services.alerts.shown(alert.id, ADA)
    assert told["remedy"] == "delever"
    (leg,) = told["legs"]
    assert (leg["symbol"], leg["side"]) == (SOL, "buy")
    assert 21 < Decimal(leg["contracts"]) < 23, "28 are twice the money"


async def test_of_two_shorts_the_one_in_danger_is_named(floor: Floor) -> None:
    await with_a_short(floor, "binance")
    body = {"trade": "sell", "key": "key-1", "symbol": "ETH/USDT:USDT", "contracts": "2"}
    floor.standins._event(floor.venue("binance"), body)
    await ranked(floor, "binance", 4, "ETH/USDT:USDT")
    found = [alert.facts["symbol"] for alert in await floor.store.live_alerts(ADA) if alert.kind == "adl"]
    assert found == ["ETH/USDT:USDT"]


@pytest.mark.parametrize("name", ["bingx", "mexc", "weex"])
async def test_exchanges_that_tell_no_rank_are_said_to_in_the_status_and_never_nag(
    floor: Floor, name: str
) -> None:
    await with_a_short(floor, name)
    told = [i for i in await ranked(floor, name, 5) if i.payload.get("kind") == "adl"]
    assert told == []
    view = await floor.services.status.view(ADA)
    assert [line.adl_rank for line in view.positions] == [None]
