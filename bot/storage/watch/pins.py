"""The pinned message of each person, and what it said last."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select

from bot.ports.records import OutboxItem
from bot.ports.watching import Pin
from bot.storage.codec import fields_of
from bot.storage.database import Database, execute_many
from bot.storage.outbox import row_of
from bot.storage.tables import outbox, pins
from bot.storage.watch.alerts import each


class PinTables:
    """The part of bot.ports.watching.WatchStore about pinned messages."""

    _database: Database

    async def pin(self, user_id: int) -> Pin:
        its = select(pins).where(pins.c.user_id == user_id)
        async with self._database.read() as connection:
            row = (await connection.execute(its)).one_or_none()
        return Pin(user_id) if row is None else Pin(**row._mapping)

    async def pins(self, shard: int = 0, shards: int = 1) -> Mapping[int, Pin]:
        mine = [pins.c.user_id % shards == shard] if shards > 1 else []
        async with self._database.snapshot() as connection:
            return {row.user_id: Pin(*row) async for row in each(connection, select(pins).where(*mine))}

    async def save_pins(
        self, pins_: Collection[Pin], owed: Collection[OutboxItem], *, keeps_message: bool = True
    ) -> Sequence[int]:
        upsert = self._database.insert(pins)
        kept = {"user_id", "message_id"} if keeps_message else {"user_id"}
        saved = upsert.on_conflict_do_update(
            index_elements=["user_id"],
            set_={c.name: upsert.excluded[c.name] for c in pins.c if c.name not in kept},
            where=pins.c.version == upsert.excluded.version - 1,
        ).returning(pins.c.user_id)
        rows = [fields_of(one) for one in sorted(pins_, key=lambda one: one.user_id)]
        async with self._database.write() as connection:
            done = {row.user_id for row in await execute_many(connection, saved, rows)}
            add = self._database.insert(outbox).on_conflict_do_nothing()
            await execute_many(connection, add, [row_of(item) for item in owed if item.user_id in done])
        return sorted(done)
