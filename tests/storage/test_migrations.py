"""The schema: made by migrations alone, whole or not at all, and just what the code is written for."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from bot.ports.errors import Unavailable
from bot.storage import at_head, migrate, open_store
from bot.storage import database as rooms_database
from bot.storage.database import Database
from bot.storage.schema import move, schema_connection
from bot.storage.tables import metadata
from tests.fakes.database import sqlite_address
from tests.storage.samples import ADA


@pytest.fixture
def empty(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> str:
    """The address of a database without any tables."""
    if database.startswith("sqlite"):
        return sqlite_address(tmp_path / "folders that" / "are missing" / "empty.sqlite")
    address: str = request.getfixturevalue("postgres_url")
    return address


def tables_in(database: str) -> set[str]:
    with schema_connection(database) as connection:
        return set(inspect(connection).get_table_names())


def definitions(connection: Connection) -> dict[str, Any]:
    """All that the database itself says of its schema, by name."""
    inspector = inspect(connection)
    whole: dict[str, Any] = {}
    for table in sorted(set(inspector.get_table_names()) - {"alembic_version"}):
        whole[table] = {
            "columns": {c["name"]: {k: str(v) for k, v in c.items()} for c in inspector.get_columns(table)},
            "primary": inspector.get_pk_constraint(table),
            "foreign": sorted(map(str, inspector.get_foreign_keys(table))),
            "unique": sorted(map(str, inspector.get_unique_constraints(table))),
        }
    if connection.dialect.name == "sqlite":
        indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        counted = "SELECT name, sql LIKE '%AUTOINCREMENT%' FROM sqlite_master WHERE type = 'table'"
        whole["counted"] = {row[0]: row[1] for row in connection.execute(text(counted)) if row[0] in whole}
    else:
        indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    whole["indexes"] = {
        row[0]: row[1] for row in connection.execute(text(indexes)) if "alembic" not in row[0]
    }
    return whole


def test_an_empty_database_is_brought_to_the_newest_schema(empty: str) -> None:
    assert not at_head(empty)
    migrate(empty)
    assert at_head(empty)
    assert tables_in(empty) == set(metadata.tables) | {"alembic_version"}


async def test_migrating_again_keeps_what_is_there(database: str) -> None:
    store = open_store(database)
    await store.ensure_user(ADA)
    migrate(database)
    assert await store.user(ADA.id) == ADA
    await store.close()


def test_every_migration_can_be_taken_back(empty: str) -> None:
    migrate(empty)
    move(empty, "base")
    assert tables_in(empty) == {"alembic_version"}
    assert not at_head(empty)
    migrate(empty)
    assert at_head(empty)


def test_alembic_finds_nothing_to_migrate(database: str) -> None:
    with schema_connection(database) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_the_database_cannot_tell_the_migrations_from_the_tables(database: str, empty: str) -> None:
    with schema_connection(empty) as connection:
        metadata.create_all(connection)
        expected = definitions(connection)
    with schema_connection(database) as connection:
        assert definitions(connection) == expected


def test_a_migration_that_fails_leaves_nothing_behind(empty: str) -> None:
    with schema_connection(empty) as connection:
        connection.execute(text("CREATE TABLE attempt (id INTEGER)"))  # in the way of one of the last tables
    with pytest.raises(Unavailable):
        migrate(empty)
    assert tables_in(empty) == {"attempt"}


def test_replicas_that_start_together_migrate_once(empty: str) -> None:
    failures: list[BaseException] = []

    def replica() -> None:
        try:
            migrate(empty)
        except BaseException as failure:  # noqa: BLE001 - a thread has nobody else to tell
            failures.append(failure)

    threads = [threading.Thread(target=replica) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert at_head(empty)


def test_a_replica_is_patient_while_another_one_migrates(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms_database, "LOCK_SECONDS", 0.1)
    monkeypatch.setitem(rooms_database._POSTGRESQL, "lock_timeout", "100ms")
    with ThreadPoolExecutor() as threads:
        with schema_connection(database):
            waiting = threads.submit(migrate, database)
            assert at_head(database)  # to look, nobody has to wait
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
        waiting.result(timeout=60)


async def test_a_database_without_a_schema_is_unavailable(empty: str) -> None:
    store = open_store(empty)
    with pytest.raises(Unavailable):
        await store.ping()
    with pytest.raises(Unavailable):
        await store.ensure_user(ADA)
    await store.close()


async def test_a_database_with_a_schema_answers(database: str) -> None:
    store = open_store(database)
    await store.ping()
    await store.close()


def test_a_database_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "none.sqlite"
    assert not at_head(sqlite_address(file))
    assert not file.parent.exists()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear hedgehog,\n" * 100)
    with pytest.raises(Unavailable):
        migrate(sqlite_address(file))
    assert file.read_text() == "Dear hedgehog,\n" * 100


@pytest.mark.parametrize("address", ["mysql://localhost/x", "sqlite+aiosqlite://", "sqlite:///:memory:"])
def test_only_postgresql_and_sqlite_files_are_stores(address: str) -> None:
    with pytest.raises(ValueError, match="PostgreSQL or an SQLite file"):
        open_store(address)


async def test_a_commit_is_on_the_disk_before_it_is_reported(tmp_path: Path) -> None:
    opened = Database(sqlite_address(tmp_path / "a.sqlite"))
    async with opened.write() as connection:
        for pragma, wanted in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar() == wanted
    await opened.close()
