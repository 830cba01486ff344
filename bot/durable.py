"""The one door to the durable-execution engine (DBOS).

A workflow is named when it starts; a second start under the same name changes nothing. After a crash the engine goes
on with what this replica had begun: finished steps keep their results, the one that was cut off runs again. So a step
runs at least once; that an order is sent at most once is the attempt ledger's doing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.ports.durable import Workflow
from bot.ports.errors import Unavailable

if TYPE_CHECKING:
    from dbos import WorkflowHandleAsync

log = logging.getLogger(__name__)

VERSION = (
    "1"  # of the workflows' shape: work begun under another version is left to a replica that still has it
)
MOST_HANDLES = 1000  # of runs begun here whose end somebody may wait for
GRACE = 2.0  # seconds for work that is about to end when the process stops
STEP_TRIES = 5  # when the database or the market cannot be reached


class EngineRun:
    """One run of a workflow, on the engine."""

    @property
    def id(self) -> str:
        from dbos import DBOS

        return str(DBOS.workflow_id)

    async def step(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        from dbos import DBOS

        return await DBOS.run_step_async(
            {
                "name": name,
                "retries_allowed": True,
                "max_attempts": STEP_TRIES,
                "interval_seconds": 0.5,
                "should_retry": _is_passing,
            },
            work,
            *args,
        )

    async def sleep(self, seconds: float) -> None:
        from dbos import DBOS

        await DBOS.sleep_async(seconds)


class Engine:
    """The engine of this process. There is one: it lives where DBOS keeps its registry, in the module."""

    def __init__(self, *, database: str, replica: str) -> None:
        from dbos import DBOS

        self._workflows: dict[str, Callable[..., Any]] = {}
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._running: dict[str, WorkflowHandleAsync[Any]] = {}
        self._dbos = DBOS(
            config={
                "name": "hedgehog",
                "system_database_url": database,
                "executor_id": replica,
                "application_version": VERSION,
                "enable_otlp": False,
                "log_level": "WARNING",
                "notification_listener_polling_interval_sec": 1.0,
            }
        )

    def register(self, name: str, workflow: Workflow) -> None:
        """Name a workflow. Only before `launch`."""
        from dbos import DBOS

        async def body(*args: Any) -> Any:
            self._active += 1
            self._idle.clear()
            try:
                return await workflow(EngineRun(), *args)
            finally:
                self._active -= 1
                if not self._active:
                    self._idle.set()

        body.__qualname__ = body.__name__ = name
        self._workflows[name] = DBOS.workflow(name=name)(body)

    async def launch(self) -> None:
        """Open the engine on the running loop, and go on with what an earlier life of this replica left unfinished."""
        from dbos import DBOS

        DBOS.launch()

    async def start(self, name: str, workflow_id: str, *args: Any) -> None:
        """Start `name` once under that id. The id, the start and the arguments are durable when this returns."""
        from dbos import DBOS, SetWorkflowID

        with SetWorkflowID(workflow_id):
            handle = await DBOS.start_workflow_async(self._workflows[name], *args)
        self._running[workflow_id] = handle
        while len(self._running) > MOST_HANDLES:
            self._running.pop(next(iter(self._running)))

    async def wait(self, workflow_id: str) -> Any:
        """The result of a workflow, here or on another replica, once it is there. Raises what the workflow raised."""
        from dbos import DBOS

        handle = self._running.pop(workflow_id, None)
        if handle is None:
            handle = await DBOS.retrieve_workflow_async(workflow_id)
        return await handle.get_result()

    async def prune(self, before: datetime) -> int:
        """Forget work that ended before that instant; how many runs were forgotten."""
        from dbos import DBOS

        ended = await DBOS.list_workflows_async(
            status=["SUCCESS", "CANCELLED"],
            completed_before=before.isoformat(),
            limit=1000,
            load_input=False,
            load_output=False,
        )
        ids = [run.workflow_id for run in ended]
        if ids:
            await DBOS.delete_workflows_async(ids)
        return len(ids)

    async def close(self) -> None:
        """Stop. What is about to end may do so; what is unfinished then goes on at the next launch."""
        from dbos import DBOS

        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), GRACE)
        await asyncio.sleep(0.1)  # the engine writes down the outcome of what has just ended
        self._running.clear()
        DBOS.destroy(destroy_registry=True)


def _is_passing(failure: BaseException) -> bool:
    """Whether a step's failure may be over in a moment."""
    return isinstance(failure, Unavailable)
