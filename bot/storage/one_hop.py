"""SQLite statements that visit their connection's thread once.

The driver runs every call on a cursor in a thread of its own, and the adapter makes four calls of one SELECT: to open
the cursor, to execute, to fetch, to close. Each is a wait for another thread. Here the thread is asked once, to execute
and fetch together; opening and closing a cursor need no thread. A transaction begins on the way of its first statement,
and where none is open, nothing is asked to end it. Why: deploy/decisions/0016-one-visit-a-statement.md
"""

import sqlite3
from collections import deque
from typing import Any

import aiosqlite
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """`_cursor` is the plain one of sqlite3: files are opened without its check for the thread."""

    __slots__ = ()

    _awaitable_cursor_close = False

    def _make_new_cursor(self, connection: Any) -> Any:
        return connection._conn.cursor()

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        async with self._adapt_connection._execute_mutex:
            self._rows = await self._visit(self._executed, operation, parameters or ())

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        async with self._adapt_connection._execute_mutex:
            await self._visit(self._executed_many, operation, seq_of_parameters)

    async def _visit(self, work: Any, *arguments: Any) -> Any:
        connection: Any = self._connection
        return await connection._execute(work, *arguments)

    def _executed(self, operation: Any, parameters: Any) -> deque[Any]:
        """In the connection's thread."""
        cursor: Any = self._cursor
        self._begin(cursor)
        cursor.execute(operation, parameters)
        return deque(cursor.fetchall() if cursor.description else ())

    def _executed_many(self, operation: Any, seq_of_parameters: Any) -> None:
        """In the connection's thread."""
        cursor: Any = self._cursor
        self._begin(cursor)
        cursor.executemany(operation, seq_of_parameters)

    def _begin(self, cursor: Any) -> None:
        connection: Any = self._adapt_connection
        if connection.opening:
            cursor.execute(connection.opening)
            connection.opening = ""


class _Connection(AsyncAdapt_aiosqlite_connection):
    """`opening`: how the transaction begins whose first statement is still to come."""

    __slots__ = ("opening",)

    _cursor_cls = _Cursor

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self.opening = ""

    def cursor(self, server_side: bool = False) -> Any:
        if server_side and self.opening:  # a stream is the driver's own, and begins nothing
            opening, self.opening = self.opening, ""
            super().cursor().execute(opening)
        return super().cursor(server_side)

    def commit(self) -> None:
        self.opening = ""
        if self._in_transaction:
            super().commit()

    def rollback(self) -> None:
        self.opening = ""
        if self._in_transaction:
            super().rollback()

    @property
    def _in_transaction(self) -> bool:
        """Asked without the thread: it has nothing in hand, or SQLAlchemy would have given the connection up."""
        connection: Any = self._connection
        return connection._connection is not None and connection.in_transaction


class _Dbapi(AsyncAdapt_aiosqlite_dbapi):
    def connect(self, *arguments: Any, **named: Any) -> AsyncAdapt_aiosqlite_connection:
        return _Connection(self, super().connect(*arguments, **named)._connection)


def begin(connection: Connection, how: str) -> None:
    """Let a transaction begin with its first statement."""
    opened: Any = connection.connection.dbapi_connection
    opened.opening = how


def driver() -> Any:
    """What create_async_engine takes as `module`."""
    return _Dbapi(aiosqlite, sqlite3)
