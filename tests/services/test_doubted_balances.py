"""Nothing is closed on a balance that cannot be, and its owner is told what it is."""

from decimal import Decimal

import pytest

from bot.ports.permissions import Acts, Silence
from hedging.market import Contract
from tests.services.conftest import ADA, Desk

D = Decimal


async def permitted(desk: Desk, acts: Acts = "both", silence: Silence = "reduce") -> Decimal:
    """A hedge under a permission that would close all of it: the maintenance margin that it needs."""
    await desk.hold(SOL="100")
    await desk.hedged()
    await desk.services.permissions.caps(ADA, order=D(90_000), day=D(900_000))
    await desk.permit(acts, silence)
    await desk.tick()
    contracts = (await desk.market.snapshot()).contracts
    return sum((_upkeep(contracts[s], held, desk) for s, held in desk.exchange.held.items()), D(0))


def _upkeep(contract: Contract, held: Decimal, desk: Desk) -> Decimal:
    worth = contract.notional(held, desk.market.prices[contract.base])
    return abs(worth) * contract.maintenance_margin_rate


def alerts(desk: Desk) -> list[str]:
    return [str(item.payload["kind"]) for item in desk.notifier.told if item.kind == "alert"]


def orders(desk: Desk) -> int:
    return len(desk.exchange.placed)


@pytest.mark.fault(49)
@pytest.mark.parametrize("equity", ["0", "-25"])
async def test_no_equity_closes_no_hedge_and_is_told_after_the_second_look(desk: Desk, equity: str) -> None:
    await permitted(desk)
    desk.exchange.equity = D(equity)
    await desk.tick()
    assert alerts(desk) == []
    for _ in range(25):  # longer than an alert may stay unanswered
        await desk.tick()
    assert orders(desk) == 1
    assert set(alerts(desk)) == {"balance"}
    assert not (await desk.services.status.view(ADA)).sound
    desk.exchange.equity = D(100_000)
    await desk.tick()
    assert desk.notifier.told[-1].kind == "recovered"


@pytest.mark.fault(49)
async def test_one_strange_read_does_nothing_and_is_not_told(desk: Desk) -> None:
    upkeep = await permitted(desk)
    desk.exchange.told = [upkeep * D("1.1")]
    for _ in range(4):
        await desk.tick()
    assert (orders(desk), alerts(desk)) == (1, [])


@pytest.mark.fault(49)
async def test_an_alarm_that_the_liquidation_price_contradicts_closes_nothing(desk: Desk) -> None:
    upkeep = await permitted(desk)
    desk.exchange.equity, desk.exchange.rise = upkeep * D("1.1"), D("0.6")
    for _ in range(25):
        await desk.tick()
    assert orders(desk) == 1
    assert set(alerts(desk)) == {"balance"}
    told = [item.payload for item in desk.notifier.told if item.kind == "alert"][-1]
    assert (told["reason"], told["runway"]) == ("contradicted", pytest.approx(0.6))


@pytest.mark.fault(49)
async def test_a_margin_that_does_run_out_is_acted_upon(desk: Desk) -> None:
    upkeep = await permitted(desk)
    desk.exchange.equity, desk.exchange.rise = upkeep * D("1.1"), D("0.001")
    for _ in range(3):
        await desk.tick()
    assert orders(desk) > 1
    assert desk.exchange.placed[-1].reduce_only


@pytest.mark.fault(49)
@pytest.mark.parametrize("strange", ["0", "0.4"])
async def test_what_is_read_just_before_acting_may_be_strange_as_well(desk: Desk, strange: str) -> None:
    """The alarm is true; what the order would be made of tells nothing, or less than half of it."""
    upkeep = await permitted(desk)
    low = upkeep * D("1.6")
    desk.exchange.equity = low  # of an exchange that tells no liquidation price
    await desk.tick()  # most of it gone at once: not believed yet
    desk.exchange.told = [low, *[low * D(strange)] * 50]
    await desk.tick()
    assert "margin" in alerts(desk)
    assert orders(desk) == 1
    desk.exchange.told = []
    await desk.tick()
    assert orders(desk) > 1
