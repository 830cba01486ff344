"""Coins that the operator has told of: the card, the portfolio and the watch take them for what they are."""

from dataclasses import replace
from decimal import Decimal

import pytest

from hedging.assets import table
from hedging.market import Snapshot
from tests.fakes.market import PERPETUALS
from tests.services.conftest import ADA, Desk

D = Decimal
ROWS = ("name,asset,units,kind", "ATOM,ETH,,staked", "UNI,USD,1,stable")


async def test_a_coin_that_stands_for_another_is_hedged_by_that_ones_perpetual_and_stays_so(
    desk: Desk,
) -> None:
    desk.aliases = table(ROWS)
    desk.restart()
    await desk.hold(ATOM="5000")
    done = await desk.hedged()
    # 5,000 at 8 dollars, half of it in Ether at 3,000; by the known table it would be short of Bitcoin.
    assert [(leg.symbol, leg.contracts) for leg in done.plan.legs] == [("ETH/USDT:USDT", D("6.66"))]
    for _ in range(3):
        await desk.tick()
    assert "alert" not in [i.kind for i in desk.notifier.told], "the watch sees what the card promised"
    assert (await desk.services.status.view(ADA)).exposure.coverage == pytest.approx(D("0.5"), abs=D("0.1"))


async def test_a_coin_that_stands_for_dollars_is_part_of_the_value_and_of_no_exposure(desk: Desk) -> None:
    desk.aliases = table(ROWS)
    desk.restart()
    await desk.hold(SOL="100")
    alone = await desk.services.portfolio.view(ADA)
    await desk.hold(UNI="1000")
    both = await desk.services.portfolio.view(ADA)
    assert (alone.value, both.value) == (D(15_000), D(25_000))
    assert both.exposure.gross == alone.exposure.gross


async def test_a_contract_by_the_thousand_protects_its_coin_in_the_eyes_of_the_watch(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PERPETUALS, "1000UNI", "0.01")
    read = desk.market.snapshot

    async def snapshot() -> Snapshot:
        told = await read()
        return replace(told, spot={name: price for name, price in told.spot.items() if name != "1000UNI"})

    monkeypatch.setattr(desk.market, "snapshot", snapshot)
    desk.market.prices["1000UNI"] = D(10_000)  # of the contract: nobody holds it by that name
    await desk.hold(UNI="5000")
    done = await desk.hedged()
    assert [(leg.symbol, leg.contracts) for leg in done.plan.legs] == [("1000UNI/USDT:USDT", D("2.50"))]
    for _ in range(3):
        await desk.tick()
    assert "alert" not in [i.kind for i in desk.notifier.told]
    assert (await desk.services.status.view(ADA)).exposure.coverage == pytest.approx(D("0.5"))
