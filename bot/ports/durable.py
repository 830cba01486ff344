"""Durable work: started once under a name, resumed after a crash until it ends."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol


class Run(Protocol):
    """What a workflow is given. Its code must be deterministic between steps; steps run at least once."""

    @property
    def id(self) -> str:
        """The workflow's name."""
        ...

    async def step(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Run `work(*args)` and remember its JSON-able result: after a crash a finished step is not run again."""
        ...

    async def sleep(self, seconds: float) -> None:
        """A wait that survives a restart."""
        ...


Workflow = Callable[..., Awaitable[Any]]  # (run, *args)


class Durable(Protocol):
    """The one door to durable execution."""

    def register(self, name: str, workflow: Workflow) -> None:
        """Name a workflow. Only before `launch`."""
        ...

    async def launch(self) -> None:
        """Open the engine and resume what an earlier life of this replica left unfinished."""
        ...

    async def start(self, name: str, workflow_id: str, *args: Any) -> None:
        """Start `name` under `workflow_id` with JSON-able `args`; a second start of the same id changes nothing."""
        ...

    async def wait(self, workflow_id: str) -> Any:
        """The result of a workflow that was started, when it is there."""
        ...

    async def prune(self, before: datetime) -> int:
        """Forget work that ended before that instant; how many runs were forgotten."""
        ...

    async def close(self) -> None:
        """Stop. What is unfinished goes on at the next launch."""
        ...
