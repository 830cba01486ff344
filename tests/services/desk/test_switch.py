"""Costly funding: another coin is shorted in the place of the factor where that pays, by one priced tap."""

from decimal import Decimal

import pytest

from bot.services.desk.cheaper import Switch, switch
from bot.services.markets import Markets
from tests.services.conftest import ADA, Desk

D = Decimal
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


async def found(desk: Desk) -> Switch | None:
    watch = desk.services.watch
    situation = await watch._situations.of(ADA)
    return await switch(watch._situations, Markets(desk.market, desk.clock), situation)


async def costly(desk: Desk, btc: str = "-0.001", eth: str = "0.0001") -> None:
    """ATOM has no perpetual here: half of it is answered by Bitcoin."""
    await desk.hold(ATOM="5000")
    await desk.hedged()
    desk.market.rates = {BTC: D(btc), ETH: D(eth)}


async def test_the_other_coin_is_weighed_by_its_beta_and_by_the_cost_of_the_change(desk: Desk) -> None:
    await costly(desk)
    moved = await found(desk)
    assert moved is not None
    assert {(leg.symbol, leg.side) for leg in moved.plan.legs} == {(BTC, "buy"), (ETH, "sell")}
    # 40,000 dollars x 1.3 x a half = 26,000 short of Bitcoin; 90 settlements of a tenth of a percent.
    assert moved.here == pytest.approx(D(-2340), rel=D("0.03"))
    # Against Ether the beta is 1.3 x 1.1 x 0.01^2 over 1.1^2 x 0.01^2 + 0.004^2: 1.04, so 20,900 short of it.
    assert moved.there == pytest.approx(D(188), rel=D("0.03"))
    # 0.05 % and half of 0.02 % of both.
    assert moved.moving == pytest.approx(D("28.1"), rel=D("0.03"))


async def test_where_it_does_not_pay_or_would_not_help_nothing_is_proposed(desk: Desk) -> None:
    await costly(desk, "-0.0003", "-0.00035")
    assert await found(desk) is None


async def test_a_coin_that_is_short_itself_has_no_other(desk: Desk) -> None:
    await desk.hold(SOL="100")
    await desk.hedged()
    desk.market.rates = {"SOL/USDT:USDT": D("-0.001")}
    assert await found(desk) is None


async def test_the_alert_carries_it_as_one_tap_which_the_rule_keeps(desk: Desk) -> None:
    await costly(desk)
    for _ in range(3):
        await desk.tick()
    told = next(i.payload for i in reversed(desk.notifier.told) if i.payload.get("kind") == "funding")
    assert (told["remedy"], told["switch"]["coin"]) == ("switch", "ETH")
    done = await desk.services.hedge.rebalance(
        told["alert_id"], ADA, ADA, 1002, key="update:8", remedy=told["proposal_id"]
    )
    assert done.kind == "sending"
    await desk.services.hedge.begin(done.proposal)
    await desk.durable.run_all()
    assert (await desk.services.rules.get(ADA)).factor == "ETH"
    status = await desk.services.status.view(ADA)
    assert [line.symbol for line in status.positions] == [ETH]
    assert status.exposure.coverage == pytest.approx(D("0.5"), abs=D("0.02"))
    for _ in range(3):
        await desk.tick()
    assert "drift" not in [i.payload.get("kind") for i in desk.notifier.told], "nothing pulls it back"
