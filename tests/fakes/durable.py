"""bot.ports.durable.Durable in this process.

`InProcess` keeps the contract of the real engine (tests/test_durable.py): it runs on the loop, remembers in a `Memory`
that outlives it, and resumes from there. `ManualDurable` runs a workflow when the test lets it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.durable import STEP_TRIES
from bot.ports.clock import Clock
from bot.ports.durable import Workflow
from bot.ports.errors import Unavailable

POLL = 1.0  # seconds between two looks for the end of a run that goes on elsewhere
Point = Callable[[str], Awaitable[None]]


class Crash(BaseException):
    """The process dies here. Not an Exception, so that nothing on the way can catch it."""


class InsideStep(AssertionError):
    """What only a workflow may do was asked for by one of its steps: the engine refuses it there."""


class StepsDiffer(AssertionError):
    """A workflow took another way when it ran again: its code is not deterministic between steps."""


@dataclass(slots=True)
class Outcome:
    """What a step or a run came to."""

    result: str = "null"  # JSON
    failure: Exception | None = None

    def told(self) -> Any:
        if self.failure is not None:
            raise self.failure
        return json.loads(self.result)


@dataclass(slots=True)
class Kept:
    """One run, as it is remembered."""

    workflow: str
    args: str  # JSON
    replica: str
    steps: list[tuple[str, Outcome]] = field(default_factory=list)  # in the order in which they were taken
    ended: Outcome | None = None
    ended_at: datetime | None = None


@dataclass(slots=True)
class Memory:
    """What outlives a process, for one replica or several. By workflow id, in the order in which they were started."""

    runs: dict[str, Kept] = field(default_factory=dict)

    def unfinished(self) -> list[str]:
        return [name for name, kept in self.runs.items() if kept.ended is None]


async def _no_point(name: str) -> None:
    return None


class _Step:
    """A step that is under way; tasks that it has begun know of it until it ends."""

    under_way = True


_STEP: ContextVar[_Step | None] = ContextVar("step", default=None)


@contextmanager
def _inside_step() -> Iterator[None]:
    step = _Step()
    token = _STEP.set(step)
    try:
        yield
    finally:
        step.under_way = False
        _STEP.reset(token)


def _refuse_inside_step(what: str) -> None:
    step = _STEP.get()
    if step is not None and step.under_way:
        raise InsideStep(f"{what} inside a step")


class InProcess:
    """`point` is awaited wherever the process may die: before and after each step, each start and each end."""

    def __init__(self, memory: Memory, clock: Clock, replica: str = "here", point: Point = _no_point) -> None:
        self.memory, self.clock, self.replica, self.point = memory, clock, replica, point
        self._workflows: dict[str, Workflow] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def register(self, name: str, workflow: Workflow) -> None:
        self._workflows[name] = workflow

    async def launch(self) -> None:
        for workflow_id in self.memory.unfinished():
            if self.memory.runs[workflow_id].replica == self.replica:
                self._go(workflow_id)

    async def start(self, name: str, workflow_id: str, *args: Any) -> None:
        _refuse_inside_step(f"start of {name}")
        await self.point(f"start {name} begins")
        if workflow_id not in self.memory.runs:
            self.memory.runs[workflow_id] = Kept(name, json.dumps(args), self.replica)
            self._go(workflow_id)
        await self.point(f"start {name} ended")

    async def wait(self, workflow_id: str) -> Any:
        while (kept := self.memory.runs[workflow_id]).ended is None:
            task = self._running.get(workflow_id)
            if task is None:
                await asyncio.sleep(POLL)
            else:
                await asyncio.wait([task])
        return kept.ended.told()

    async def prune(self, before: datetime) -> int:
        old = [
            name
            for name, kept in self.memory.runs.items()
            if kept.ended and not kept.ended.failure and kept.ended_at and kept.ended_at < before
        ]
        for name in old:
            del self.memory.runs[name]
        return len(old)

    async def close(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _go(self, workflow_id: str) -> None:
        task = asyncio.get_running_loop().create_task(self._run(workflow_id), name=workflow_id)
        self._running[workflow_id] = task
        task.add_done_callback(lambda _: self._running.pop(workflow_id, None))

    async def _run(self, workflow_id: str) -> None:
        kept = self.memory.runs[workflow_id]
        try:
            result = await self._workflows[kept.workflow](
                _Run(self, workflow_id, kept), *json.loads(kept.args)
            )
            outcome = Outcome(json.dumps(result))
        except Exception as failure:  # noqa: BLE001 - kept for whoever waits, as the engine does
            outcome = Outcome(failure=failure)
        await self.point(f"{kept.workflow} has ended")
        kept.ended, kept.ended_at = outcome, self.clock.now()


class _Run:
    """One life's way through a run: what is remembered is handed back, what is new is done."""

    def __init__(self, engine: InProcess, workflow_id: str, kept: Kept) -> None:
        self._engine, self.id, self._kept, self._taken = engine, workflow_id, kept, 0

    async def step(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        known = self._known(name)
        if known is None:
            await self._engine.point(f"step {name} begins")
            outcome = await self._outcome(work, args)
            await self._engine.point(f"step {name} ended, and is not remembered yet")
            known = self._keep(name, outcome)
        return known.told()

    async def sleep(self, seconds: float) -> None:
        _refuse_inside_step("sleep")
        clock = self._engine.clock
        until = clock.now() + timedelta(seconds=seconds)
        known = self._known("sleep") or self._keep("sleep", Outcome(json.dumps(until.isoformat())))
        left = (datetime.fromisoformat(known.told()) - clock.now()).total_seconds()
        await clock.sleep(max(left, 0.0))

    def _known(self, name: str) -> Outcome | None:
        """What this step came to in an earlier life. Raises StepsDiffer."""
        if self._taken >= len(self._kept.steps):
            return None
        earlier, outcome = self._kept.steps[self._taken]
        if earlier != name:
            raise StepsDiffer(f"{self.id}: step {self._taken} was {earlier!r}, and now is {name!r}")
        self._taken += 1
        return outcome

    def _keep(self, name: str, outcome: Outcome) -> Outcome:
        self._kept.steps.append((name, outcome))
        self._taken += 1
        return outcome

    async def _outcome(self, work: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> Outcome:
        pause = 0.5
        for left in reversed(range(STEP_TRIES)):
            try:
                with _inside_step():
                    return Outcome(json.dumps(await work(*args)))
            except Unavailable as passing:
                if not left:
                    return Outcome(failure=passing)
                await self._engine.clock.sleep(pause)
                pause *= 2
            except Exception as failure:  # noqa: BLE001 - kept, as the engine does
                return Outcome(failure=failure)
        raise AssertionError("unreachable")


class ManualRun:
    def __init__(self, durable: "ManualDurable", workflow_id: str) -> None:
        self._durable = durable
        self.id = workflow_id

    async def step(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        done = self._durable.results[self.id]
        if name not in done:
            self._durable.pass_point(f"before {name}")
            with _inside_step():
                result = await work(*args)
            self._durable.pass_point(f"after {name}, before its result is kept")
            done[name] = result
        return done[name]

    async def sleep(self, seconds: float) -> None:
        _refuse_inside_step("sleep")
        await self._durable.clock.sleep(seconds)


class ManualDurable:
    """`crash_at`: the number of the point at which the next run dies; `points` names those that were passed."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.workflows: dict[str, Workflow] = {}
        self.started: dict[str, tuple[str, tuple[Any, ...]]] = {}
        self.results: dict[str, dict[str, Any]] = {}
        self.ended: set[str] = set()
        self.points: list[str] = []
        self.crash_at: int | None = None

    def register(self, name: str, workflow: Workflow) -> None:
        self.workflows[name] = workflow

    async def launch(self) -> None:
        await self.run_all()

    async def start(self, name: str, workflow_id: str, *args: Any) -> None:
        _refuse_inside_step(f"start of {name}")
        self.started.setdefault(workflow_id, (name, args))
        self.results.setdefault(workflow_id, {})

    async def run_all(self) -> None:
        """Run everything that was started and has not ended, and what that starts, to its end."""
        while waiting := [each for each in self.started if each not in self.ended]:
            for workflow_id in waiting:
                await self.wait(workflow_id)

    async def wait(self, workflow_id: str) -> Any:
        if workflow_id in self.ended:
            return self.results[workflow_id].get("")
        name, args = self.started[workflow_id]
        result = await self.workflows[name](ManualRun(self, workflow_id), *args)
        self.results[workflow_id][""] = result
        self.ended.add(workflow_id)
        return result

    async def prune(self, before: datetime) -> int:
        return 0

    async def close(self) -> None:
        self.workflows.clear()

    def pass_point(self, name: str) -> None:
        self.points.append(name)
        if self.crash_at is not None and len(self.points) == self.crash_at:
            raise Crash(name)
