"""Every test of this room runs on SQLite and on PostgreSQL, in a database of its own with the newest schema."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio

from bot.ports.records import Account
from bot.ports.store import Store
from bot.storage import migrate, open_store
from tests.fakes.database import memory_folder, prepared, sqlite_address, sqlite_template
from tests.postgres import Server
from tests.storage.samples import ADA

__all__ = ["memory_folder", "sqlite_template"]


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> Iterator[str]:
    """The name of a PostgreSQL database with the newest schema and no rows."""
    with postgres_server.new_database() as address:
        migrate(address)
        yield address.rpartition("/")[2]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with the newest schema and no rows."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        yield prepared(sqlite_address(tmp_path / "store.sqlite"), template)
        return
    template = request.getfixturevalue("postgres_template")
    server: Server = request.getfixturevalue("postgres_server")
    name = f"copy_{uuid4().hex}"
    with psycopg.connect(server.address("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        yield server.address(name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest_asyncio.fixture
async def store(database: str) -> AsyncIterator[Store]:
    opened = open_store(database)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def account(store: Store) -> Account:
    """Ada's paper account."""
    await store.ensure_user(ADA)
    return await store.ensure_account(ADA.id, "paper", "paper")
