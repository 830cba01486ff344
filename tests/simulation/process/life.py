"""One life of the bot in the simulation: the real services, handlers and dialects, between doors at which it may die.

A life dies as a process does: at once, between any two effects. What it had begun in the database is rolled back, what
was on its way to an exchange goes on, and nothing that it still runs has any effect.
"""

import asyncio
import contextvars
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

T = TypeVar("T")
LIFE: contextvars.ContextVar["Life"] = contextvars.ContextVar("life")


class Killed(BaseException):
    """This life is over. Not an Exception, so that nothing on the way can catch it."""


HOT = ("POST ", "transition", "reserve", "send", "move_proposal", "claim")  # where money and messages go out
COMMITTED = ("store.transition ended",)  # an order is about to leave, or its outcome was just noted


@dataclass(slots=True)
class Fate:
    """At which point something happens to a life: the `at`-th of those with one of `parts` in their name. `stall`: it
    stands still for so many seconds there, as a stopped process that goes on later; None: it dies."""

    at: int
    parts: tuple[str, ...] = ("",)
    stall: float | None = None

    def comes(self, name: str) -> bool:
        if any(part in name for part in self.parts):
            self.at -= 1
        return self.at == 0


class Life:
    """One process. `fate`: None when nothing happens to it."""

    def __init__(
        self, replica: str, chance: random.Random, trace: list[str], fate: Fate | None = None
    ) -> None:
        self.replica, self.chance, self.trace, self.fate = replica, chance, trace, fate
        self.at_end: list[Callable[[], None]] = []  # what the kernel does: close connections
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.over = asyncio.Event()
        self._going_on = asyncio.Event()
        self._going_on.set()
        self._context = contextvars.copy_context()
        self._context.run(LIFE.set, self)

    @property
    def dead(self) -> bool:
        return self.over.is_set()

    async def point(self, name: str) -> None:
        """Where an effect is about to happen, or has just happened."""
        self._check()
        self._note(name)
        if self.fate is not None and self.fate.comes(name):
            if self.fate.stall is None:
                self.kill()
                raise Killed
            self._note(f"stands still for {self.fate.stall:g} s")
            self._going_on.clear()
            asyncio.get_running_loop().call_later(self.fate.stall, self._going_on.set)
            self.fate = None
        await self._going_on.wait()
        if self.chance.random() < 0.2:
            await asyncio.sleep(0)
        self._check()

    def _note(self, what: str) -> None:
        self.trace.append(f"{asyncio.get_running_loop().time():9.3f} {self.replica} {what}")

    def _check(self) -> None:
        if self.dead:
            raise Killed

    def kill(self) -> None:
        """As the kernel does it."""
        if self.dead:
            return
        self._note("dies")
        self.over.set()
        for close in self.at_end:
            close()
        for task in list(self.tasks):
            task.cancel()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that ends with this life, as do all that it starts."""
        return asyncio.get_running_loop().create_task(work, context=self._context)

    def around(self, name: str, part: T) -> T:
        """`part` with a point before and after each of its awaited methods."""
        return cast("T", _Mined(self, name, part))


class _Mined:
    def __init__(self, life: Life, name: str, part: object) -> None:
        self._life, self._name, self._part = life, name, part

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._part, attribute)
        return _mined(self._life, f"{self._name}.{attribute}", value) if iscoroutinefunction(value) else value


def _mined(life: Life, name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(call)
    async def mined(*args: Any, **kwargs: Any) -> Any:
        await life.point(f"{name} begins")
        result = await call(*args, **kwargs)
        await life.point(f"{name} ended")
        return result

    return mined


def belonging(loop: asyncio.AbstractEventLoop) -> None:
    """From now on every task of the loop is known to the life in which it was started."""

    def make(
        loop: asyncio.AbstractEventLoop, work: Any, context: contextvars.Context | None = None
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
        life = LIFE.get(None) if context is None else context.get(LIFE)
        if life is not None:
            life.tasks[task] = None
            task.add_done_callback(lambda done: life.tasks.pop(done, None))
        return task

    loop.set_task_factory(make)
