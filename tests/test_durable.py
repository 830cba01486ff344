"""What every implementation of bot.ports.durable keeps: the real engine, each life a process that can be killed, and
the one of the simulation, each life a loop in virtual time.

A workflow notes what it does in a file, so that a later life and the test can read what an earlier one did.
"""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.ports.clock import Clock
from bot.ports.durable import Durable, Run
from bot.ports.errors import Unavailable
from tests.fakes.durable import InProcess, Memory
from tests.fakes.lives import FORKS
from tests.simulation.process import loop as virtual

NAP = 3.0  # seconds that a workflow sleeps


@dataclass
class World:
    """What a life has: the door, a clock, a file of notes, and a way to die."""

    durable: Durable
    clock: Clock
    notes: Path
    die: Callable[[], Awaitable[None]]

    def note(self, what: str) -> None:
        with self.notes.open("a") as file:
            file.write(what + "\n")

    def noted(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []

    async def die_once(self) -> None:
        if "died" not in self.noted():
            self.note("died")
            await self.die()


Part = Callable[[World], Awaitable[Any]]  # one life; what it returns is JSON-able


def register(world: World) -> None:
    """The workflows of these tests."""

    async def did(what: str) -> str:
        world.note(what)
        return what

    async def dying(what: str) -> str:
        world.note(what)
        await world.die_once()
        return what

    async def failing() -> None:
        world.note("failing")
        raise ValueError("this is for good")

    async def passing() -> int:
        world.note("passing")
        if world.noted().count("passing") < 3:
            raise Unavailable("not just now")
        return 3

    async def add(run: Run, a: int, b: int) -> int:
        await run.step("note", did, f"{run.id}: {a} + {b}")
        return a + b

    async def three(run: Run) -> list[str]:
        return [
            await run.step("one", did, "one"),
            await run.step("two", dying, "two"),
            await run.step("three", did, "three"),
        ]

    async def nap(run: Run) -> None:
        await run.step("before", did, "before")
        await run.sleep(NAP)
        await run.step("after", did, "after")

    async def parent(run: Run) -> None:
        await world.durable.start("add", "child", 1, 2)
        await run.step("dying", dying, "parent")
        await world.durable.start("add", "child", 1, 2)

    async def fails(run: Run) -> None:
        await run.step("failing", failing)

    async def passes(run: Run) -> int:
        return int(await run.step("passing", passing))

    async def asks(run: Run, what: str) -> str:
        """What the door says to a step that asks for it."""

        async def asking() -> str:
            try:
                match what:
                    case "start":
                        await world.durable.start("add", "of a step", 1, 2)
                    case "start in a task":
                        await asyncio.gather(world.durable.start("add", "of a step", 1, 2))
                    case "sleep":
                        await run.sleep(0.1)
                    case _:
                        return str(await world.durable.wait("sum"))
            except AssertionError:
                return "refused"
            return "allowed"

        return str(await run.step("asking", asking))

    for workflow in (add, three, nap, parent, fails, passes, asks):
        world.durable.register(workflow.__name__, workflow)


@dataclass
class Door:
    """`life(part)`: run `part` in a life of its own; what it returned, or None when it died."""

    life: Callable[[Part], Any]
    notes: Path

    def noted(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []


def _process(database: str, notes: Path, answer: Path, part: Part) -> None:
    """The whole life of a forked process on the real engine."""
    told: list[Any] = []

    async def main() -> None:
        from bot.durable import Engine

        async def die() -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        world = World(Engine(database=database, replica="here"), SystemClock(), notes, die)
        register(world)
        await world.durable.launch()
        told.append(await part(world))
        await world.durable.close()

    asyncio.run(main())
    answer.write_text(json.dumps(told[0]))


def _engine_life(folder: Path, part: Part) -> Any:
    answer = folder / "answer"
    answer.unlink(missing_ok=True)
    life = FORKS.Process(
        target=_process, args=(f"sqlite:///{folder / 'engine.sqlite'}", folder / "notes", answer, part)
    )
    life.start()
    life.join(60)
    assert life.exitcode in (0, -signal.SIGKILL), f"the life ended with {life.exitcode}"
    return json.loads(answer.read_text()) if answer.exists() else None


def _virtual_life(memory: Memory, passed: list[float], notes: Path, part: Part) -> Any:
    async def main() -> Any:
        loop = asyncio.get_running_loop()
        dead = asyncio.Event()

        async def die() -> None:
            dead.set()
            await asyncio.Event().wait()  # nothing more of this life happens

        clock = virtual.VirtualClock(loop)
        world = World(InProcess(memory, clock), clock, notes, die)
        register(world)
        await world.durable.launch()
        living = loop.create_task(_living(world, part))
        dying = loop.create_task(dead.wait())
        await asyncio.wait([living, dying], return_when=asyncio.FIRST_COMPLETED)
        passed[0] = loop.time()
        return json.loads(json.dumps(living.result())) if living.done() else None

    return virtual.run(main(), since=passed[0])


async def _living(world: World, part: Part) -> Any:
    told = await part(world)
    await world.durable.close()
    return told


@pytest.fixture(params=["in process", pytest.param("engine", marks=pytest.mark.slow)])
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Door:
    if request.param == "engine":
        return Door(partial(_engine_life, tmp_path), tmp_path / "notes")
    return Door(partial(_virtual_life, Memory(), [0.0], tmp_path / "notes"), tmp_path / "notes")


async def _adds_twice(world: World) -> Any:
    await world.durable.start("add", "sum", 1, 2)
    await world.durable.start("add", "sum", 30, 40)
    return await world.durable.wait("sum")


async def _asks_for_the_sum(world: World) -> Any:
    return await world.durable.wait("sum")


def test_a_second_start_under_the_same_id_changes_nothing(door: Door) -> None:
    assert door.life(_adds_twice) == 3
    assert door.life(_adds_twice) == 3
    assert door.noted() == ["sum: 1 + 2"]


def test_a_later_life_is_told_the_result(door: Door) -> None:
    door.life(_adds_twice)
    assert door.life(_asks_for_the_sum) == 3


async def _begins_three(world: World) -> Any:
    await world.durable.start("three", "three")
    return await world.durable.wait("three")


async def _waits_for_three(world: World) -> Any:
    return await world.durable.wait("three")


def test_after_a_death_only_the_step_that_was_cut_off_runs_again(door: Door) -> None:
    assert door.life(_begins_three) is None
    assert door.life(_waits_for_three) == ["one", "two", "three"]
    assert door.noted() == ["one", "two", "died", "two", "three"]


def test_what_has_ended_does_not_run_again_in_any_later_life(door: Door) -> None:
    door.life(_begins_three)
    door.life(_waits_for_three)
    before = door.noted()
    assert door.life(_waits_for_three) == ["one", "two", "three"]
    assert door.noted() == before


async def _naps_and_dies(world: World) -> Any:
    await world.durable.start("nap", "nap")
    while "before" not in world.noted():
        await world.clock.sleep(0.05)
    await world.clock.sleep(NAP / 2)
    await world.die()


async def _wakes(world: World) -> Any:
    began = world.clock.now()
    await world.durable.wait("nap")
    return (world.clock.now() - began).total_seconds()


def test_a_sleep_goes_on_after_a_death_and_does_not_begin_anew(door: Door) -> None:
    door.life(_naps_and_dies)
    assert door.life(_wakes) <= NAP * 0.75
    assert door.noted() == ["before", "after"]


async def _closes_in_a_nap(world: World) -> Any:
    await world.durable.start("nap", "nap")
    while "before" not in world.noted():
        await world.clock.sleep(0.05)


def test_what_is_unfinished_when_a_life_is_closed_goes_on_in_the_next(door: Door) -> None:
    door.life(_closes_in_a_nap)
    door.life(_wakes)
    assert door.noted() == ["before", "after"]


async def _begins_a_parent(world: World) -> Any:
    await world.durable.start("parent", "parent")
    await world.durable.wait("parent")


async def _waits_for_both(world: World) -> Any:
    await world.durable.wait("parent")
    return await world.durable.wait("child")


def test_work_that_other_work_has_started_is_started_once_over_a_death(door: Door) -> None:
    door.life(_begins_a_parent)
    assert door.life(_waits_for_both) == 3
    assert sorted(door.noted()) == sorted(["child: 1 + 2", "parent", "died", "parent"])


async def _fails(world: World) -> Any:
    await world.durable.start("fails", "failed")
    return await _told_why(world)


async def _told_why(world: World) -> Any:
    try:
        await world.durable.wait("failed")
    except ValueError as failure:
        return str(failure)


def test_a_failure_for_good_is_told_to_whoever_waits_and_is_not_tried_again(door: Door) -> None:
    assert door.life(_fails) == "this is for good"
    assert door.life(_told_why) == "this is for good"
    assert door.noted() == ["failing"]


async def _passes(world: World) -> Any:
    await world.durable.start("passes", "passing")
    return await world.durable.wait("passing")


def test_a_step_that_cannot_reach_somebody_is_tried_again(door: Door) -> None:
    assert door.life(_passes) == 3
    assert door.noted() == ["passing"] * 3


async def _asks(what: str, world: World) -> Any:
    await world.durable.start("asks", what, what)
    return await world.durable.wait(what)


@pytest.mark.fault(56)
@pytest.mark.parametrize("what", ["start", "start in a task", "sleep"])
def test_what_only_a_workflow_may_do_is_refused_inside_a_step(door: Door, what: str) -> None:
    assert door.life(partial(_asks, what)) == "refused"
    assert "of a step: 1 + 2" not in door.noted()


def test_a_step_may_wait_for_work_that_was_started_elsewhere(door: Door) -> None:
    door.life(_adds_twice)
    assert door.life(partial(_asks, "wait")) == "3"


async def _many(world: World) -> Any:
    began = world.clock.now()
    for number in range(10):
        await world.durable.start("nap", f"nap {number}")
    for number in range(10):
        await world.durable.wait(f"nap {number}")
    return (world.clock.now() - began).total_seconds()


def test_work_that_sleeps_holds_up_no_other(door: Door) -> None:
    assert door.life(_many) < 3 * NAP


async def _prunes(world: World) -> Any:
    await world.durable.start("add", "old", 1, 2)
    await world.durable.wait("old")
    await world.clock.sleep(0.1)
    await world.durable.start("nap", "napping")
    while "before" not in world.noted():
        await world.clock.sleep(0.05)
    forgotten = await world.durable.prune(world.clock.now() + timedelta(seconds=1))
    await world.durable.start("add", "old", 3, 4)
    return [forgotten, await world.durable.wait("old")]


def test_only_what_has_ended_is_forgotten_and_its_id_is_free_again(door: Door) -> None:
    assert door.life(_prunes) == [1, 7]
    door.life(_wakes_napping)
    assert "after" in door.noted()


async def _wakes_napping(world: World) -> Any:
    await world.durable.wait("napping")
