"""How often a statement waits for its connection's thread."""

from pathlib import Path
from typing import Any

import pytest
from aiosqlite.core import Connection
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.ports.errors import InvalidRecord
from bot.storage.database import Database


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
    assert visits == ["_executed", "_executed", "commit", "rollback"], (
        "BEGIN, INSERT, COMMIT, back to the pool"
    )
    async with database.read() as connection:
        await connection.execute(text("SELECT 1"))  # opens the connection
    visits.clear()
    async with database.read() as connection:
        rows = (await connection.execute(text("SELECT name, amount FROM coin"))).all()
    assert [tuple(row) for row in rows] == [("SOL", 120)]
    assert visits == ["_executed", "commit"]
    await database.close()


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
