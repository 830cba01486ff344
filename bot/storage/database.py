"""The engines of one database, its two kinds of transaction, and names for what goes wrong in them.

SQLite has one writer at a time. Ours waits for its turn in the pool, in order, and takes the lock at BEGIN, so that no
transaction has to give up half way; readers have connections of their own and never wait for it (WAL).
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.ports.errors import InvalidRecord, Unavailable
from bot.storage.tables.types import to_json

LOCK_SECONDS = 5  # for another process's transaction
QUEUE_SECONDS = 10  # for our own connections
HANG_SECONDS = 20  # for a server that has stopped answering

_JSON: dict[str, Any] = {"json_serializer": to_json, "json_deserializer": json.loads}
_POSTGRESQL = {
    "timezone": "UTC",
    "lock_timeout": f"{LOCK_SECONDS}s",
    "statement_timeout": f"{HANG_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{2 * HANG_SECONDS}s",
}


class Database:
    """`read` and `write` are one transaction each. Inside and around them only port errors are raised."""

    def __init__(self, address: str) -> None:
        url = make_url(address)
        self.postgresql = url.get_backend_name() == "postgresql"
        if self.postgresql:
            self._writer = _postgresql_engine(url)
            self._reader = self._writer.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        elif url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            self._writer = _sqlite_engine(url, begin="BEGIN IMMEDIATE", connections=1)
            self._reader = _sqlite_engine(url, begin="BEGIN", connections=4, pragma="query_only = ON")
        else:
            raise ValueError("The database must be PostgreSQL or an SQLite file.")

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT."""
        return postgresql.insert(table) if self.postgresql else sqlite.insert(table)

    def read(self) -> contextlib.AbstractAsyncContextManager[AsyncConnection]:
        """Statements that see one state of the database and change nothing."""
        return self._transaction(self._reader)

    def write(self) -> contextlib.AbstractAsyncContextManager[AsyncConnection]:
        """All or nothing: committed at the end, rolled back on any exception."""
        return self._transaction(self._writer)

    @contextlib.asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        with named_failures():
            async with (
                asyncio.timeout(HANG_SECONDS if self.postgresql else None),
                engine.begin() as connection,
            ):
                yield connection

    async def close(self) -> None:
        """Give every connection back. The store can be used again after it, with new ones."""
        await self._reader.dispose()
        await self._writer.dispose()


@contextlib.contextmanager
def named_failures() -> Iterator[None]:
    """Turn what a driver raises into Unavailable or InvalidRecord."""
    try:
        yield
    except (IntegrityError, DataError, UnicodeEncodeError, OverflowError) as error:
        raise InvalidRecord(f"The database refused a record: {_reason(error)}") from error
    except DBAPIError as error:
        raise Unavailable(f"The database cannot be used: {_reason(error)}") from error
    except StatementError as error:  # a value that one of our own column types refused
        raise InvalidRecord(f"A value cannot be stored: {_reason(error)}") from error
    except (SQLAlchemyError, OSError) as error:  # the pool or the server kept us waiting, or nobody listens
        raise Unavailable(f"The database cannot be reached: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause) or type(cause).__name__).splitlines()[0]


def connect_pragmas(engine: Any, begin: str, *, foreign_keys: bool = True, pragma: str = "") -> None:
    """Let SQLite's transactions begin where we say, with every commit on the disk before it is reported."""

    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        if pragma:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)


def _sqlite_engine(url: URL, *, begin: str, connections: int, pragma: str = "") -> AsyncEngine:
    engine = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=QUEUE_SECONDS,
        connect_args={"timeout": LOCK_SECONDS},
        hide_parameters=True,
        **_JSON,
    )
    connect_pragmas(engine.sync_engine, begin, pragma=pragma)
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
        **_JSON,
    )


def postgresql_arguments(query: Mapping[str, Any]) -> dict[str, Any]:
    """Bounded waits and UTC for a session, in front of the options that its address brings along."""
    options = " ".join(f"-c {name}={value}" for name, value in _POSTGRESQL.items())
    return {
        "connect_timeout": LOCK_SECONDS,
        "options": f"{options} {query.get('options', '')}".strip(),
        "keepalives_idle": 30,
        "tcp_user_timeout": HANG_SECONDS * 1000,
    }
