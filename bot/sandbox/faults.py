"""Dying on purpose, for tests: by SIGKILL at one chosen point between two awaits.

Every awaited call of a wrapped part has two points, before and after it. They are counted from the moment the first
call of `armed by` begins, so that the n-th point is the same one in every run of the same walk. With `record`
in place of a number the points are written to a file, one a line, and nobody dies.
"""

import os
import signal
from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")


class BadFault(ValueError):
    """The point to die at cannot be understood."""


class Fault:
    """`plan`: "store.proposal:7" arms at the first call of `store.proposal` and dies at the 7th point after that;
    "store.proposal:record" notes every point in `journal`. An empty plan does nothing. Raises BadFault."""

    def __init__(self, plan: str, journal: Path) -> None:
        self._trigger, _, at = plan.partition(":")
        if plan and not (at == "record" or at.isdigit()):
            raise BadFault(f'{plan!r} is not like "store.proposal:7" or "store.proposal:record".')
        self._at = int(at) if at.isdigit() else None
        self._journal = journal
        self._armed = False
        self._passed = 0

    def point(self, name: str) -> None:
        """Pass a point; the process may end here."""
        if not self._armed:
            if name != f"{self._trigger} begins":
                return
            self._armed = True
        self._passed += 1
        if self._at is None:
            with self._journal.open("a") as file:
                file.write(f"{self._passed} {name}\n")
        elif self._passed == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, part: T) -> T:
        """`part` with a point before and after each of its awaited methods; the same object without a plan."""
        return cast("T", _Mined(self, name, part)) if self._trigger else part


class _Mined:
    def __init__(self, fault: Fault, name: str, part: object) -> None:
        self._fault, self._name, self._part = fault, name, part

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._part, attribute)
        if not iscoroutinefunction(value):
            return value
        return _mined(self._fault, f"{self._name}.{attribute}", value)


def _mined(fault: Fault, name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(call)
    async def mined(*args: Any, **kwargs: Any) -> Any:
        fault.point(f"{name} begins")
        result = await call(*args, **kwargs)
        fault.point(f"{name} ended")
        return result

    return mined
