"""The engines of one database, its kinds of transaction, and names for what goes wrong in them.

SQLite has one writer at a time. Ours waits for its turn in the pool, in order, and takes the lock at BEGIN, so that no
transaction has to give up half way; readers have connections of their own and never wait for it (WAL).
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import URL, ColumnElement, Connection, Engine, Executable, Row, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.ports.errors import InvalidRecord, NotWritable
from bot.storage import one_hop

LOCK_SECONDS = 5  # for another process's transaction
QUEUE_SECONDS = 10  # for our own connections
AT_ONCE = 1000  # rows in one go
HANG_SECONDS = 20  # for a server that has stopped answering

WRITE = "BEGIN IMMEDIATE"

_POSTGRESQL = {
    "timezone": "UTC",
    "lock_timeout": f"{LOCK_SECONDS}s",
    "statement_timeout": f"{HANG_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{2 * HANG_SECONDS}s",
}


class Database:
    """`read`, `snapshot` and `write` give a connection each; what goes wrong in them is a port error."""

    def __init__(self, address: str) -> None:
        url = make_url(address)
        self.postgresql = url.get_backend_name() == "postgresql"
        self._new: dict[Table, Executable] = {}  # made once: to make one takes longer than to execute it
        if self.postgresql:
            self._writer = _postgresql_engine(url)
            self._reader = self._writer.execution_options(isolation_level="AUTOCOMMIT")
            self._snapshots = self._writer.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        elif url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            self._writer = _sqlite_engine(url, begin=WRITE, connections=1)
            self._reader = _sqlite_engine(url, begin=None, connections=4)
            self._snapshots = _sqlite_engine(url, begin="BEGIN", connections=1)
        else:
            raise ValueError("The database must be PostgreSQL or an SQLite file.")

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT."""
        return postgresql.insert(table) if self.postgresql else sqlite.insert(table)

    def insert_new(self, table: Table, *returned: ColumnElement[Any]) -> Executable:
        """An INSERT of what is given when it is executed, that leaves alone what is there already and returns the row
        that it made, or only what is named of it."""
        if table not in self._new:
            self._new[table] = self.insert(table).on_conflict_do_nothing().returning(*(returned or (table,)))
        return self._new[table]

    def read(self) -> contextlib.AbstractAsyncContextManager[AsyncConnection]:
        """For one SELECT, without the round trips of a transaction around it."""
        return self._transaction(self._reader.connect())

    def snapshot(self) -> contextlib.AbstractAsyncContextManager[AsyncConnection]:
        """For several SELECTs that see the same state of the database."""
        return self._transaction(self._snapshots.begin())

    def write(self) -> contextlib.AbstractAsyncContextManager[AsyncConnection]:
        """All or nothing: committed at the end, rolled back on any exception."""
        return self._transaction(self._writer.begin())

    @contextlib.asynccontextmanager
    async def _transaction(
        self, opening: contextlib.AbstractAsyncContextManager[AsyncConnection]
    ) -> AsyncIterator[AsyncConnection]:
        with named_failures():
            async with asyncio.timeout(HANG_SECONDS if self.postgresql else None), opening as connection:
                yield connection

    async def close(self) -> None:
        """Give every connection back. The store can be used again after it, with new ones."""
        for engine in (self._reader, self._snapshots, self._writer):
            await engine.dispose()


async def execute_many(
    connection: AsyncConnection, statement: Executable, rows: Sequence[Mapping[str, Any]]
) -> list[Row[Any]]:
    """Execute `statement` for each of `rows`, so many at a time that others get their turn in between; what it
    returns, in no particular order."""
    returned: list[Row[Any]] = []
    for start in range(0, len(rows), AT_ONCE):
        result = await connection.execute(statement, [*rows[start : start + AT_ONCE]])
        if result.returns_rows:
            returned += result.all()
    return returned


@contextlib.contextmanager
def named_failures() -> Iterator[None]:
    """Turn what a driver raises into NotWritable or InvalidRecord."""
    try:
        yield
    except (IntegrityError, DataError, UnicodeEncodeError, OverflowError) as error:
        raise InvalidRecord(f"The database refused a record: {_reason(error)}") from error
    except DBAPIError as error:
        raise NotWritable(f"The database cannot be used: {_reason(error)}") from error
    except StatementError as error:  # a value that one of our own column types refused
        raise InvalidRecord(f"A value cannot be stored: {_reason(error)}") from error
    except (SQLAlchemyError, OSError) as error:  # the pool or the server kept us waiting, or nobody listens
        raise NotWritable(f"The database cannot be reached: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause) or type(cause).__name__).splitlines()[0]


def connect_pragmas(
    engine: Engine,
    begin: str | None,
    *,
    foreign_keys: bool = True,
    begin_by: Callable[[Connection, str], object] = Connection.exec_driver_sql,
) -> None:
    """Let SQLite's transactions begin where and as we say, with every commit on the disk before it is reported."""

    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        cursor = connection.cursor()
        _switch_to_log(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        if begin != WRITE:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    event.listen(engine, "connect", on_connect)
    if begin:
        event.listen(engine, "begin", lambda connection: begin_by(connection, begin))


def _switch_to_log(cursor: Any) -> None:
    """Connections that come to a new file together contend for the switch, and then SQLite fails at once whatever its
    timeout is. In a file that was switched before there is nothing to wait for."""
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def log_ahead(database: str) -> None:
    """Keep the changes of somebody else's SQLite file in a log beside it (WAL), where a commit waits for the disk once
    and not several times. The file remembers it, and a commit is on the disk before it is reported, as without.
    Does nothing to PostgreSQL."""
    url = make_url(database)
    if url.get_backend_name() == "sqlite":
        with contextlib.closing(sqlite3.connect(url.database or "")) as connection:
            _switch_to_log(connection)


def _sqlite_engine(url: URL, *, begin: str | None, connections: int) -> AsyncEngine:
    """With `begin` None every statement stands alone."""
    engine = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        module=one_hop.driver(),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=QUEUE_SECONDS,
        connect_args={"timeout": LOCK_SECONDS},
        hide_parameters=True,
        **({} if begin else {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}),
    )
    connect_pragmas(engine.sync_engine, begin, begin_by=one_hop.begin)
    return engine


def _postgresql_engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=8,
        max_overflow=0,
        pool_timeout=QUEUE_SECONDS,
        pool_pre_ping=True,
        connect_args=postgresql_arguments(url.query),
        hide_parameters=True,
    )


def postgresql_arguments(query: Mapping[str, Any], **other: str) -> dict[str, Any]:
    """Bounded waits and UTC for a session, or `other` settings, in front of the options of its own address."""
    options = " ".join(f"-c {name}={value}" for name, value in (_POSTGRESQL | other).items())
    return {
        "connect_timeout": LOCK_SECONDS,
        "options": f"{options} {query.get('options', '')}".strip(),
        "keepalives_idle": 30,
        "tcp_user_timeout": HANG_SECONDS * 1000,
    }
