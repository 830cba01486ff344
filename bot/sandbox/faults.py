"""Dying on purpose, for tests: by SIGKILL at one chosen point between two awaits.

Every awaited call of a wrapped part has two points, before and after it, and every request on an exchange's wire has
three. They are counted from the moment the first call of `armed by` begins, so that the n-th point, or the n-th of one
name, is the same one in every run of the same walk. With `record` in place of a number the points are written to a
file, one a line, and nobody dies.
"""

import os
import re
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")

LATER = "later"
_PLAN = re.compile(
    r"(?P<trigger>[^:]+):(?:(?P<all>record)|(?P<at>\d+)|(?P<name>.+)#(?P<nth>\d+))(?P<stop>!)?"
)
_OUR_ID = re.compile(r"hh[a-z2-7]{26}")


class BadFault(ValueError):
    """The point to die at cannot be understood."""


class Fault:
    """`plan`: "store.proposal:7" arms at the first call of `store.proposal` and dies at the 7th point after that;
    "store.proposal:exchange.place begins#2" at the 2nd point of that name, and with a "!" behind it stands still there
    as by SIGSTOP; "store.proposal:record" notes every point in `journal`. With "later" the plan is read from
    `kill-at.txt` beside the journal as soon as that file is there. An empty plan does nothing. Raises BadFault."""

    def __init__(self, plan: str, journal: Path) -> None:
        self._journal = journal
        self._file = journal.with_name("kill-at.txt") if plan == LATER else None
        self._on = bool(plan)
        self._trigger = self._name = ""
        self._at: int | None = None
        self._signal = signal.SIGKILL
        self._armed = False
        self._passed: Counter[str] = Counter()
        if plan and self._file is None:
            self._understand(plan)

    def point(self, name: str) -> None:
        """Pass a point; the process may end here."""
        if not self._armed:
            if self._file is not None and self._file.exists():
                self._understand(self._file.read_text())
                self._file = None
            if not self._trigger or name != f"{self._trigger} begins":
                return
            self._armed = True
        self._passed[name] += 1
        if self._at is None:
            with self._journal.open("a") as file:
                file.write(f"{self._passed.total()} {name}\n")
        elif self._name in ("", name) and self._at == (
            self._passed[name] if self._name else self._passed.total()
        ):
            os.kill(os.getpid(), self._signal)

    def request(self, method: str, path: str, moment: str) -> None:
        """Pass a point of a request to an exchange; our ids are left out of its name."""
        if self._on:
            self.point(f"wire.{method} {_OUR_ID.sub('*', path)} {moment}")

    def around(self, name: str, part: T) -> T:
        """`part` with a point before and after each of its awaited methods; the same object without a plan."""
        return cast("T", _Mined(self, name, part)) if self._on else part

    def _understand(self, plan: str) -> None:
        read = _PLAN.fullmatch(plan)
        if read is None:
            raise BadFault(f'{plan!r} is not like "store.proposal:7" or "store.proposal:record".')
        self._trigger, self._name = read["trigger"], read["name"] or ""
        if read["stop"]:
            self._signal = signal.SIGSTOP
        if not read["all"]:
            self._at = int(read["at"] or read["nth"])


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
