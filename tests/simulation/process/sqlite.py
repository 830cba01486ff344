"""The store's SQLite without threads: what aiosqlite would send to its thread is done at once, in the loop's own order.

A lock that another process holds is waited for in virtual time, as SQLite itself would wait. Each connection belongs to
the life in which it was opened, and dies with it: what was not committed is rolled back.
"""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from aiosqlite.core import Connection

from bot.storage.database import Database
from tests.simulation.process.life import LIFE, Life

_LOCK_SECONDS, _AGAIN_AFTER = 5.0, 0.02


class _Idle:
    """In place of the thread."""

    daemon = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def start(self) -> None:
        pass


class _AtOnce:
    """In place of the queue into the thread."""

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._dead = False
        self._chance: random.Random | None = None
        life = LIFE.get(None)
        if life is not None:
            life.at_end.append(self.die)
            self._chance = life.chance

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        self._do(*item, asyncio.get_running_loop().time() + _LOCK_SECONDS)

    def _do(self, future: asyncio.Future[Any] | None, work: Callable[[], Any], until: float) -> None:
        loop = asyncio.get_running_loop()
        if self._dead or (future is not None and future.cancelled()):
            if future is not None and not future.done():
                future.set_exception(sqlite3.ProgrammingError("the process is dead"))
            return
        try:
            result = work()
        except sqlite3.OperationalError as failure:
            if "locked" in str(failure) and loop.time() < until:
                loop.call_later(_AGAIN_AFTER, self._do, future, work, until)
            elif future is not None:
                future.set_exception(failure)
            return
        except Exception as failure:  # noqa: BLE001 - as the thread would hand it over
            if future is not None:
                future.set_exception(failure)
            return
        if isinstance(result, sqlite3.Connection):
            self._connection = result
            result.execute("PRAGMA busy_timeout = 0")
        if future is None:
            return
        if self._chance is not None and self._chance.random() < 0.1:
            loop.call_soon(_settle, future, result)  # others get a turn inside the transaction
        else:
            future.set_result(result)

    def die(self) -> None:
        self._dead = True
        if self._connection is not None:
            try:
                self._connection.rollback()
                self._connection.close()
            except sqlite3.Error:
                pass  # it was closed already


class _Connection(Connection):
    """What died with its life needs no closing."""

    def __del__(self) -> None:
        pass


def _settle(future: asyncio.Future[Any], result: Any) -> None:
    if not future.done():
        future.set_result(result)


class Databases:
    """Engines are dear to make, and know their statements by heart after a while: one that a life has let go serves
    the next one, with new connections."""

    def __init__(self) -> None:
        self._free: dict[str, list[Database]] = {}

    async def warm(self, address: str, count: int) -> None:
        """Make so many before anybody needs one: a first connection takes another way than those after it, and runs of
        the same seed must not differ."""
        free = self._free.setdefault(address, [])
        while len(free) < count:
            database = Database(address)
            for part in (database.read, database.snapshot, database.write):
                async with part():
                    pass
            _forget_connections(database)
            free.append(database)

    def borrow(self, address: str, life: Life) -> Database:
        """A database of this life's own, until it ends."""
        free = self._free[address]
        database = free.pop()

        def let_go() -> None:
            _forget_connections(database)
            free.append(database)

        life.at_end.append(let_go)
        return database


def _forget_connections(database: Database) -> None:
    for engine in (database._reader, database._snapshots, database._writer):
        engine.sync_engine.dispose(close=False)


@contextmanager
def without_threads() -> Iterator[None]:
    with (
        mock.patch("aiosqlite.core.SimpleQueue", _AtOnce),
        mock.patch("aiosqlite.core.Thread", _Idle),
        mock.patch("aiosqlite.core.Connection", _Connection),
    ):
        yield
