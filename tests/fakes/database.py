"""Real stores for other rooms' tests: SQLite, quick since the schema is made once and copied."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from bot.storage import SqlStore, migrate, open_store
from bot.storage.tables import inbox


def sqlite_address(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def prepared(database: str, template: Path) -> str:
    """`database`, an empty one, with the newest schema."""
    if database.startswith("sqlite"):
        shutil.copyfile(template, database.partition("///")[2])
    else:
        migrate(database)
    return database


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the newest schema and no rows."""
    file = tmp_path_factory.mktemp("template") / "empty.sqlite"
    migrate(sqlite_address(file))
    return file


@pytest.fixture
def memory_folder() -> Iterator[Path]:
    """A folder for databases that are written to a lot: in memory, where the system has a place for that."""
    memory = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(prefix="hedgehog-", dir=memory if memory.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest_asyncio.fixture
async def store(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[SqlStore]:
    """An empty store on SQLite. In a conftest: `from tests.fakes.database import sqlite_template, store`."""
    opened = open_store(prepared(sqlite_address(tmp_path / "store.sqlite"), sqlite_template))
    yield opened
    await opened.close()


async def is_over(store: SqlStore, update_id: int) -> bool:
    """Whether an update was handled to its end, and that is durable."""
    async with store._database.read() as connection:
        wanted = select(inbox.c.id).where(inbox.c.id == update_id, inbox.c.content.is_(None))
        return (await connection.execute(wanted)).one_or_none() is not None
