"""How often a statement waits for its connection's thread, and a commit for the disk."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiosqlite.core import Connection
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.ports.errors import InvalidRecord
from bot.storage.database import Database, log_ahead


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the threads of all connections were asked for, in order."""
    asked: list[str] = []
    execute: Any = Connection._execute

    async def noted(self: Connection, work: Any, *arguments: Any, **named: Any) -> Any:
        asked.append(work.__name__)
        return await execute(self, work, *arguments, **named)

    monkeypatch.setattr(Connection, "_execute", noted)
    return asked


async def test_a_statement_is_one_visit(tmp_path: Path, visits: list[str]) -> None:
    database = Database(f"sqlite:///{tmp_path}/one.sqlite")
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE coin (name TEXT PRIMARY KEY, amount INTEGER)"))
    visits.clear()
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO coin VALUES ('SOL', 120)"))
    assert visits == ["_executed", "commit"], "BEGIN goes with the INSERT; nothing is asked on the way back"
    async with database.read() as connection:
        await connection.execute(text("SELECT 1"))  # opens the connection
    visits.clear()
    async with database.read() as connection:
        rows = (await connection.execute(text("SELECT name, amount FROM coin"))).all()
    assert [tuple(row) for row in rows] == [("SOL", 120)]
    assert visits == ["_executed"]
    await database.close()


async def test_a_transaction_begins_with_its_first_statement_whichever_way_that_is_made(
    tmp_path: Path,
) -> None:
    database = Database(f"sqlite:///{tmp_path}/one.sqlite")
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE coin (name TEXT PRIMARY KEY)"))
    add, count = text("INSERT INTO coin VALUES (:name)"), text("SELECT count(*) FROM coin")
    rows: list[dict[str, str]] = [{"name": "SOL"}, {"name": "AVAX"}]

    async def give_up(*parts: dict[str, str] | list[dict[str, str]]) -> None:
        async with database.write() as connection:
            for part in parts:
                await connection.execute(add, part)
            raise LookupError

    with pytest.raises(LookupError):
        await give_up(*rows)
    with pytest.raises(LookupError):
        await give_up(rows)
    async with database.snapshot() as seeing:
        async with seeing.stream(count) as found:
            assert [row[0] async for row in found] == [0]
        async with database.write() as connection:
            await connection.execute(add, {"name": "SOL"})
        assert (await seeing.execute(count)).scalar_one() == 0
    async with database.write():
        pass
    async with database.read() as connection:
        assert (await connection.execute(count)).scalar_one() == 1
    await database.close()


async def test_who_gives_up_in_the_middle_of_a_statement_leaves_no_transaction_behind(tmp_path: Path) -> None:
    database, other = (Database(f"sqlite:///{tmp_path}/one.sqlite") for _ in range(2))
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE coin (name TEXT PRIMARY KEY)"))
    add = text("INSERT INTO coin VALUES (:name)")

    async def write(name: str) -> None:
        async with database.write() as connection:
            await connection.execute(add, {"name": name})

    async with other.write() as holding:
        await holding.execute(add, {"name": "SOL"})
        waiting = asyncio.get_running_loop().create_task(write("AVAX"))  # in its thread, for the lock
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await asyncio.wait_for(write("LINK"), 10)
    async with other.read() as connection:
        names = (await connection.execute(text("SELECT name FROM coin ORDER BY name"))).scalars().all()
    assert names == ["LINK", "SOL"]
    await database.close()
    await other.close()


async def test_what_returns_rows_many_at_once_and_what_fails_is_as_before(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/one.sqlite")
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE coin (name TEXT PRIMARY KEY, amount INTEGER)"))
        many = [{"name": f"C{n}", "amount": n} for n in range(500)]
        done = await connection.execute(text("INSERT INTO coin VALUES (:name, :amount)"), many)
        assert done.rowcount == 500
        got = await connection.execute(text("UPDATE coin SET amount = -1 WHERE amount > 497 RETURNING name"))
        assert sorted(row.name for row in got) == ["C498", "C499"]

    async def add(*names: str) -> None:
        async with database.write() as connection:
            for name in names:
                await connection.execute(text("INSERT INTO coin VALUES (:name, 1)"), {"name": name})

    with pytest.raises(InvalidRecord) as refused:
        await add("new", "C1")
    assert isinstance(refused.value.__cause__, IntegrityError)
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM coin"))).scalar_one() == 500
        with pytest.raises(OperationalError, match="no such table"):
            await connection.execute(text("SELECT * FROM gone"))
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    await database.close()


def test_a_file_with_its_log_beside_it_stays_so_for_others_and_their_commits_are_on_the_disk(
    tmp_path: Path,
) -> None:
    address = f"sqlite:///{tmp_path}/engine.sqlite"
    log_ahead(address)
    engine = create_engine(address)
    with engine.connect() as connection:
        told = [
            connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous")
        ]
    engine.dispose()
    assert told == ["wal", 2], "2 is FULL"
