"""bot.ports.durable.Durable in this process: remembers finished steps, runs a workflow when the test lets it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from bot.ports.clock import Clock
from bot.ports.durable import Workflow


class Crash(BaseException):
    """The process dies here. Not an Exception, so that nothing on the way can catch it."""


class ManualRun:
    def __init__(self, durable: "ManualDurable", workflow_id: str) -> None:
        self._durable = durable
        self.id = workflow_id

    async def step(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        done = self._durable.results[self.id]
        if name not in done:
            self._durable.pass_point(f"before {name}")
            result = await work(*args)
            self._durable.pass_point(f"after {name}, before its result is kept")
            done[name] = result
        return done[name]

    async def sleep(self, seconds: float) -> None:
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
