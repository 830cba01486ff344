"""What an address may ask of a host: a steady rate, in turns. Time is the test's own."""

import asyncio
from datetime import timedelta

import pytest

from bot.exchange.limits.address import AddressBudget
from bot.exchange.limits.budget import BudgetSpent
from tests.fakes.clock import ManualClock

MINUTE = timedelta(minutes=1)


class SharedClock(ManualClock):
    """Sleeping lets the others go on, as on a real clock."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        await super().sleep(seconds)


async def taken(
    budget: AddressBudget, clock: ManualClock, source: str, times: list[tuple[str, float]]
) -> None:
    await budget.take(1, source)
    times.append((source, clock.now().timestamp()))


@pytest.mark.parametrize(("weight", "each"), [(60, 1), (1200, 5), (100, 25)])
async def test_no_minute_has_more_than_its_weight(weight: int, each: int) -> None:
    clock = SharedClock()
    budget, given = AddressBudget(clock, weight, MINUTE, timedelta(hours=1)), []
    for _ in range(5 * weight // each):
        await budget.take(each)
        given.append(clock.now().timestamp())
    for begin in given:
        assert sum(each for at in given if begin <= at < begin + 60) <= weight
    assert given[-1] - given[0] < 5 * 60 / 0.8, "the allowance is used, not wasted"


async def test_who_asks_for_much_holds_up_nobody_who_asks_for_little() -> None:
    """Fault 34: one account's flood of 300 calls, then one call of each of 20 others."""
    clock = SharedClock()
    budget = AddressBudget(clock, 60, MINUTE, timedelta(hours=1))
    times: list[tuple[str, float]] = []
    async with asyncio.TaskGroup() as tasks:
        for _ in range(300):
            tasks.create_task(taken(budget, clock, "flood", times))
        await asyncio.sleep(0)
        for n in range(20):
            tasks.create_task(taken(budget, clock, f"quiet {n}", times))
    order = [source for source, _ in times]
    last = max(order.index(f"quiet {n}") for n in range(20))
    assert order[:last].count("flood") <= 12 + 20 + 1, (
        "the burst at the beginning, and then at most every second turn"
    )


async def test_an_order_goes_before_all_that_is_waiting() -> None:
    clock = SharedClock()
    budget = AddressBudget(clock, 60, MINUTE, timedelta(hours=1))
    times: list[tuple[str, float]] = []

    async def order() -> None:
        await budget.take(1, "somebody", urgent=True)
        times.append(("order", 0.0))

    async with asyncio.TaskGroup() as tasks:
        for n in range(200):
            tasks.create_task(taken(budget, clock, f"reader {n}", times))
        await asyncio.sleep(0)
        tasks.create_task(order())
    assert [source for source, _ in times].index("order") <= 13


async def test_who_would_wait_too_long_is_refused_and_takes_nothing() -> None:
    clock = SharedClock()
    budget = AddressBudget(clock, 60, MINUTE, timedelta(seconds=20))
    times: list[tuple[str, float]] = []
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(_outcome(budget, times, clock)) for _ in range(100)]
    refused = [task.result() for task in waiting].count("refused")
    assert 12 + 16 <= 100 - refused <= 12 + 17, "the burst, and what twenty seconds bring"
    await budget.take(1)


async def _outcome(budget: AddressBudget, times: list[tuple[str, float]], clock: ManualClock) -> str:
    try:
        await taken(budget, clock, "one", times)
    except BudgetSpent:
        return "refused"
    return "went"


async def test_who_gives_up_waiting_leaves_the_line_moving() -> None:
    clock = SharedClock()
    budget = AddressBudget(clock, 60, MINUTE, timedelta(hours=1))
    times: list[tuple[str, float]] = []
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(taken(budget, clock, f"{n}", times)) for n in range(40)]
        await asyncio.sleep(0)
        for task in waiting[12:30]:
            task.cancel()
    assert len(times) == 22


async def test_what_is_heavier_than_a_burst_goes_and_the_next_wait_for_it() -> None:
    clock = SharedClock()
    budget = AddressBudget(clock, 60, MINUTE, timedelta(hours=1))
    begun = clock.now()
    await budget.take(40)
    assert clock.now() == begun
    await budget.take(1)
    assert clock.now() - begun > timedelta(seconds=30)
