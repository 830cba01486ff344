"""10 October 2025 again: the market halves, the exchange closes the short and goes away. How soon the hedge is back."""

from decimal import Decimal

import pytest

from bot.chat.views.alert import alert as shown
from tests.services.accounts.conftest import ADA, EVERYWHERE, SOL, Floor
from tests.services.accounts.test_queue import in_use

D = Decimal


async def hedged(floor: Floor, name: str) -> Decimal:
    await in_use(floor, name)
    await floor.hedge()
    await floor.tick()
    return await floor.held()


async def closed_in_the_drill(floor: Floor) -> None:
    """Minute by minute, with a tick in each, until the exchange has closed the short."""
    floor.world.shock("october")
    for _ in range(5):
        floor.world.skip("1m")
        await floor.tick()
    floor.world.skip("1m")


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_with_permission_coverage_is_back_at_the_tick_that_sees_the_close(
    floor: Floor, name: str
) -> None:
    before = await hedged(floor, name)
    permissions = floor.services.permissions
    await permissions.caps(ADA, order=D(50_000), day=D(100_000), slippage=D("0.03"))
    _, offer = await permissions.offer(ADA, "both", "nothing")
    await permissions.give(ADA, offer)
    await closed_in_the_drill(floor)
    assert await floor.held() == 0
    closed_at = floor.clock.now()
    for _ in range(2):
        await floor.tick()
        if await floor.held():
            break
    assert (floor.clock.now() - closed_at).total_seconds() < 70, "a minute, and what its messages take"
    assert await floor.held() == pytest.approx(before, rel=D("0.05"))
    assert (await floor.services.status.view(ADA)).exposure.coverage == pytest.approx(D("0.5"), abs=D("0.02"))


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_without_permission_the_alert_of_that_tick_brings_it_back_with_one_tap(
    floor: Floor, name: str
) -> None:
    before = await hedged(floor, name)
    await closed_in_the_drill(floor)
    told = await floor.tick()
    assert await floor.held() == 0
    assert any(item.kind == "position" for item in told), "the close is told for itself"
    offered = [item for item in told if item.kind == "alert" and item.payload.get("legs")]
    (alert,) = [item for item in offered if item.payload["kind"] in ("drift", "forced_close")]
    (leg,) = alert.payload["legs"]
    assert (leg["symbol"], leg["side"]) == (SOL, "sell")
    assert shown(alert.payload).buttons[0][0].text.startswith("Rebalance")
    outcome = await floor.services.hedge.rebalance(
        alert.payload["alert_id"], ADA, ADA, 1002, key="update:9", remedy=alert.payload["proposal_id"]
    )
    assert outcome.kind == "sending"
    await floor.services.hedge.begin(outcome.proposal)
    await floor.durable.run_all()
    assert await floor.held() == pytest.approx(before, rel=D("0.05"))


async def test_the_danger_is_told_before_and_the_exchange_away_is_told_and_over(floor: Floor) -> None:
    await hedged(floor, "binance")
    floor.world.shock("october")
    floor.world.skip("3m")
    await floor.tick()
    assert "adl" in [alert.kind for alert in await floor.store.live_alerts(ADA)]
    floor.world.skip("3m")
    await floor.tick()
    assert "adl" not in [alert.kind for alert in await floor.store.live_alerts(ADA)], "it is closed"
    await floor.hedge(message_id=60)
    floor.world.skip("3m")
    told = [item for _ in range(4) for item in await floor.tick()]
    assert [i.payload["kind"] for i in told if i.payload.get("kind") == "exchange_down"] == ["exchange_down"]
    floor.world.skip("6m")
    told = [item for _ in range(8) for item in await floor.tick()]
    assert ("recovered", "exchange_down") in [(item.kind, item.payload.get("kind")) for item in told]
