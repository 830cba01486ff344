"""Books of positions: replaced whole by version, with what changed from outside and the word about it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.books import Book, KnownShort, PositionChange
from bot.ports.errors import StaleVersion
from bot.ports.records import Attempt, OutboxItem
from bot.storage.codec import fields_of
from bot.storage.database import AT_ONCE, Database, execute_many
from bot.storage.ledger import attempt_of
from bot.storage.outbox import add_owed
from bot.storage.tables import attempts, known_shorts, position_books, position_changes

_BOOK = (
    select(position_books.c.looked_at, position_books.c.version, known_shorts)
    .outerjoin(known_shorts, known_shorts.c.account_id == position_books.c.account_id)
    .where(position_books.c.account_id == bindparam("account", type_=position_books.c.account_id.type))
)


class BookTables:
    """bot.ports.books.BookStore."""

    _database: Database

    async def book(self, account_id: int) -> Book | None:
        async with self._database.read() as connection:
            rows = (await connection.execute(_BOOK, {"account": account_id})).all()
        if not rows:
            return None
        shorts = {row.symbol: _short(row) for row in rows if row.symbol is not None}
        return Book(account_id, rows[0].looked_at, shorts, rows[0].version)

    async def books(self, account_ids: Collection[int]) -> Mapping[int, Book]:
        found: dict[int, Book] = {}
        shorts: defaultdict[int, dict[str, KnownShort]] = defaultdict(dict)
        wanted = sorted(account_ids)
        async with self._database.snapshot() as connection:
            for start in range(0, len(wanted), AT_ONCE):
                some = wanted[start : start + AT_ONCE]
                its = known_shorts.c.account_id.in_(some)
                for row in await connection.execute(select(known_shorts).where(its)):
                    shorts[row.account_id][row.symbol] = _short(row)
                its = position_books.c.account_id.in_(some)
                for row in await connection.execute(select(position_books).where(its)):
                    known = shorts.pop(row.account_id, {})
                    found[row.account_id] = Book(row.account_id, row.looked_at, known, row.version)
        return found

    async def save_book(self, book: Book, changes: Sequence[tuple[PositionChange, OutboxItem]] = ()) -> Book:
        rows = [{"account_id": book.account_id, **fields_of(short)} for short in book.shorts.values()]
        upsert = self._database.insert(known_shorts)
        upsert = upsert.on_conflict_do_update(
            index_elements=["account_id", "symbol"],
            set_={
                name: upsert.excluded[name]
                for name in ("contracts", "own", "ordered", "contract_size", "delisting")
            },
        )
        async with self._database.write() as connection:
            await self._move_on(connection, book)
            await execute_many(connection, upsert, rows)
            for change, message in changes:
                values = {**fields_of(change), "records": list(change.records)}
                insert = self._database.insert(position_changes).values(values).on_conflict_do_nothing()
                new = await connection.execute(insert.returning(position_changes.c.key))
                if new.one_or_none() is not None:
                    await add_owed(self._database, connection, message)
        return Book(book.account_id, book.looked_at, book.shorts, book.version + 1)

    async def _move_on(self, connection: AsyncConnection, book: Book) -> None:
        new = {"looked_at": book.looked_at, "version": book.version + 1}
        if book.version:
            its = (position_books.c.account_id == book.account_id, position_books.c.version == book.version)
            moved = update(position_books).where(*its).values(new).returning(position_books.c.version)
            row = (await connection.execute(moved)).one_or_none()
        else:
            first = self._database.insert(position_books).values(account_id=book.account_id, **new)
            first = first.on_conflict_do_nothing()
            row = (await connection.execute(first.returning(position_books.c.version))).one_or_none()
        if row is None:
            raise StaleVersion(f"The book of account {book.account_id} has moved on from {book.version}.")

    async def position_changes(
        self, account_id: int, symbol: str, limit: int = 100
    ) -> Sequence[PositionChange]:
        its = select(position_changes).where(
            position_changes.c.account_id == account_id, position_changes.c.symbol == symbol
        )
        latest = its.order_by(position_changes.c.at.desc(), position_changes.c.key).limit(limit)
        async with self._database.read() as connection:
            return [
                PositionChange(**{**row._mapping, "records": tuple(row.records)})
                for row in await connection.execute(latest)
            ]

    async def orders_of(
        self, account_id: int, symbol: str | None = None, *, since: datetime | None = None
    ) -> Sequence[Attempt]:
        its = select(attempts).where(attempts.c.account_id == account_id)
        if symbol is not None:
            its = its.where(attempts.c.symbol == symbol)
        if since is not None:
            its = its.where(attempts.c.updated_at >= since)
        async with self._database.read() as connection:
            rows = await connection.execute(its.order_by(attempts.c.created_at, attempts.c.client_id))
            return [attempt_of(row) for row in rows]


def _short(row: Row[Any]) -> KnownShort:
    return KnownShort(*(row._mapping[name] for name in KnownShort.__dataclass_fields__))
