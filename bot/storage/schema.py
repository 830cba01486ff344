"""Bringing a database to the newest schema, from code: no ini file, no command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, make_url, text

from bot.ports.errors import InvalidRecord
from bot.storage.database import LOCK_SECONDS, WRITE, connect_pragmas, named_failures, postgresql_arguments

MIGRATIONS = Path(__file__).parent / "migrations"
TURN_SECONDS = 300  # for another replica's migration
_TURN = 0x6865646765  # any number: who holds this advisory lock of PostgreSQL migrates, others wait


def migrate(database: str) -> None:
    """Upgrade to the newest schema, wholly or not at all. Does nothing when it is there already. Raises Unavailable."""
    move(database, "head")


def at_head(database: str) -> bool:
    """Whether the schema is the newest. Raises Unavailable."""
    url = make_url(database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return False
    with schema_connection(database, reading=True) as connection:
        current = MigrationContext.configure(connection).get_current_heads()
    return set(current) == set(ScriptDirectory(str(MIGRATIONS)).get_heads())


def move(database: str, revision: str) -> None:
    """Upgrade or downgrade to `revision` ("head", "base" or an id), in one transaction."""
    with schema_connection(database) as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        act = command.downgrade if revision == "base" else command.upgrade
        act(config, revision)
        if (
            connection.dialect.name == "sqlite"
            and connection.execute(text("PRAGMA foreign_key_check")).first()
        ):
            raise InvalidRecord("The migration would leave rows that name what does not exist.")


def forget(database: str) -> None:
    """Drop every table of ours with all that is in it, and the durable engine's schema beside them on PostgreSQL.
    Raises Unavailable."""
    move(database, "base")
    with schema_connection(database) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("DROP SCHEMA IF EXISTS dbos CASCADE"))


@contextmanager
def schema_connection(database: str, *, reading: bool = False) -> Iterator[Connection]:
    """A connection in a transaction of its own; who migrates waits for those who do already. With `reading` it holds
    up nobody and waits for nobody."""
    engine = _engine(make_url(database), reading=reading)
    with named_failures(), engine.begin() as connection:
        if connection.dialect.name == "postgresql" and not reading:
            connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})
        yield connection


def _engine(url: URL, *, reading: bool) -> Engine:
    if url.get_backend_name() == "postgresql":
        patience = {} if reading else {"lock_timeout": f"{TURN_SECONDS}s", "statement_timeout": "0"}
        arguments = postgresql_arguments(url.query, **patience)
        return create_engine(
            url.set(drivername="postgresql+psycopg"), poolclass=NullPool, connect_args=arguments
        )
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    arguments = {"timeout": LOCK_SECONDS if reading else TURN_SECONDS}
    engine = create_engine(url.set(drivername="sqlite"), poolclass=NullPool, connect_args=arguments)
    # A table that is rebuilt is dropped on the way: its references are checked at the end instead.
    connect_pragmas(engine, "BEGIN" if reading else WRITE, foreign_keys=False)
    return engine
