"""An event loop whose time is virtual: it passes only when everybody waits, and then at once.

Everything runs in one thread and in one order, so that the same seed gives the same run. The clocks of the `time`
module are the loop's too while it runs: signatures, clients and the stand-ins of exchanges read them.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from unittest import mock

T = TypeVar("T")

DAWN = datetime(2026, 3, 2, 12, tzinfo=UTC)  # when every run begins


class Stuck(AssertionError):
    """Everybody waits, and for nothing that time could bring."""


class _Waiting(selectors.SelectSelector):
    """Waits no time at all; the loop's clock leaps instead."""

    def __init__(self, passed: float) -> None:
        super().__init__()
        self.passed = passed  # seconds since dawn

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise Stuck("everybody waits for somebody else")
        self.passed += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Timers are due in order; what runs in a thread elsewhere runs here, at once."""

    def __init__(self, since: float = 0.0) -> None:
        self._waiting = _Waiting(since)
        super().__init__(self._waiting)

    def time(self) -> float:
        return self._waiting.passed

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, work: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(work(*args))
        except Exception as failure:  # noqa: BLE001 - as a thread would hand it over
            done.set_exception(failure)
        return done


class VirtualClock:
    """bot.ports.clock.Clock on the loop's time. `ahead`: by how many seconds this machine's clock is wrong."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ahead: float = 0.0) -> None:
        self._loop, self.ahead = loop, ahead

    def now(self) -> datetime:
        return DAWN + timedelta(seconds=self._loop.time() + self.ahead)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@contextmanager
def clocks_of(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let the `time` module tell the loop's time."""
    dawn = DAWN.timestamp()

    def seconds() -> float:
        return dawn + loop.time()

    def nanoseconds() -> int:
        return int(seconds() * 1e6) * 1000

    with (
        mock.patch("time.time", seconds),
        mock.patch("time.time_ns", nanoseconds),
        mock.patch("time.monotonic", loop.time),
    ):
        yield


def run(work: Coroutine[Any, Any, T], *, since: float = 0.0) -> T:
    """`asyncio.run`, in virtual time, from so many seconds after dawn on."""
    loop = VirtualLoop(since)
    try:
        with clocks_of(loop):
            return loop.run_until_complete(work)
    finally:
        _let_go(loop)
        loop.close()


def _let_go(loop: asyncio.AbstractEventLoop) -> None:
    """Nothing outlives the run, not even what waits for ever."""
    left = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
