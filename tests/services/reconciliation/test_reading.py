"""What reconciliation asks of an exchange, and what it makes of answers that are late, missing or doubled."""

from datetime import timedelta
from decimal import Decimal

import pytest

from bot.ports.records import Account, OrderReport
from bot.services.reconciliation import Reconciliation
from bot.services.second_source import SecondSource
from bot.services.situation import Situation
from tests.services.reconciliation.conftest import ADA, SOL, TODAY, Floor

D = Decimal
PRIVATE = ("positions", "balance", "fills", "forced", "find", "open_orders", "position_mode", "markets")


async def begun(floor: Floor) -> None:
    await floor.hold(SOL="100")
    await floor.trader()
    await floor.hedged()
    await floor.tick()


async def situation_of(floor: Floor) -> Situation:
    return await floor.services.hedge._situations.of(ADA, fresh=True)


def since(floor: Floor, before: dict[str, int]) -> dict[str, int]:
    """What was asked since then."""
    now = floor.calls
    return {
        name: now[name] - before.get(name, 0) for name in PRIVATE if now.get(name, 0) > before.get(name, 0)
    }


async def test_a_quiet_tick_costs_no_read_for_reconciliation(floor: Floor) -> None:
    """The positions that the tick reads are all that it needs."""
    await begun(floor)
    situation = await situation_of(floor)
    before = dict(floor.calls)
    assert await floor.services.reconciliation.check(situation) == situation
    assert since(floor, before) == {}
    await floor.tick()
    asked = since(floor, before)
    assert set(asked) <= {"positions", "balance"}, "no history while everything adds up"


async def test_a_change_costs_one_read_of_the_positions_and_one_of_each_history(floor: Floor) -> None:
    await begun(floor)
    await floor.force("adl", share="0.5")
    situation = await situation_of(floor)
    before = dict(floor.calls)
    await floor.services.reconciliation.check(situation)
    asked = since(floor, before)
    assert asked["positions"] == 1  # by its symbol
    assert asked.get("forced", 0) + asked["fills"] <= 3
    assert set(asked) <= {"positions", "forced", "fills"}


async def test_history_that_cannot_be_read_now_is_read_at_the_next_tick(floor: Floor) -> None:
    await begun(floor)
    await floor.force("adl", share="0.5")
    assert floor.venue is not None
    floor.venue.faults.add("cut", on="fills", times=50)
    floor.venue.faults.add("cut", on="forced", times=50)
    await floor.tick()
    assert floor.changes() == []
    status = await floor.services.status.view(ADA)
    assert float(status.exposure.coverage) == pytest.approx(0.25, abs=0.01), "coverage follows at once"
    floor.venue.faults.clear()
    await floor.tick()
    assert [told["kind"] for told in floor.changes()] == ["unexplained" if floor.name == "weex" else "adl"]


async def test_two_workers_at_once_tell_once(floor: Floor) -> None:
    await begun(floor)
    await floor.force("adl", share="0.5")
    first, second = await situation_of(floor), await situation_of(floor)
    markets = floor.services.reconciliation._markets
    other = Reconciliation(
        floor.store, floor.exchanges, SecondSource(floor.store, floor.exchanges), markets, floor.clock
    )
    await floor.services.reconciliation.check(first)
    await other.check(second)
    await floor.tick()
    assert len(floor.changes()) == 1


async def test_an_order_that_is_on_its_way_is_no_riddle(floor: Floor) -> None:
    """The position has it already, the ledger not yet: nobody is told that it was done by hand."""
    await begun(floor)
    await floor.services.rules.change(ADA, target=D("0.75"))
    card = await floor.services.hedge.propose(ADA, ADA, key="update:3")
    place = floor.exchanges.place

    async def placed_and_looked_at(account: Account, order: object) -> OrderReport:
        report = await place(account, order)  # type: ignore[arg-type]
        await floor.services.reconciliation.check(await situation_of(floor))
        return report

    floor.exchanges.place = placed_and_looked_at  # type: ignore[method-assign]
    await floor.done(card, 60)
    await floor.tick()
    assert floor.changes() == []
    book = await floor.store.book((await floor.account()).id)
    assert book is not None
    assert book.shorts[SOL].own == 0


async def test_an_order_that_was_given_up_and_turns_up_is_ours_and_told_so(floor: Floor) -> None:
    """Nobody could tell of it for ten minutes: MANUAL. Then it shows."""
    await floor.hold(SOL="100")
    await floor.trader()
    assert floor.venue is not None
    floor.venue.faults.add("hang", on="order", after=True, seconds=0.1, unseen=10_000)
    done = await floor.hedged()
    assert done.outcome["status"] == "manual"
    for order in (await floor.trader()).orders:
        order.hidden = 0
    await floor.tick()
    (told,) = floor.changes()
    assert (told["kind"], told["grew"], D(told["own"])) == ("late", True, D(0))
    assert D(told["amount"]) == await floor.short()


@pytest.mark.parametrize(
    "floor", ["binance", "bybit"], indirect=True
)  # the others announce nothing that is read
async def test_fault_21_an_announced_delisting_is_told_once_and_the_hedge_moves_elsewhere(
    floor: Floor,
) -> None:
    await begun(floor)
    floor.desk.closing[SOL] = TODAY + timedelta(days=9)
    floor.clock.pass_(
        minutes=61
    )  # the first tick reads the contracts anew, while prices need not wait for them
    for _ in range(3):
        await floor.tick()
    (told,) = floor.changes()
    assert (told["kind"], told["closes_at"]) == ("delisting", (TODAY + timedelta(days=9)).isoformat())
    card = await floor.services.hedge.propose(ADA, ADA, key="update:3")
    assert {leg.symbol: leg.side for leg in card.plan.legs} == {SOL: "buy", "BTC/USDT:USDT": "sell"}
    assert (await floor.done(card, 60)).outcome["status"] == "complete"
    floor.restart()
    await floor.tick()
    assert len(floor.changes()) == 1
    assert await floor.short() == 0
