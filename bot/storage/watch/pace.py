"""The limits on sending that replicas keep together: when the next message may go, to a chat and at all."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.database import Database, execute_many
from bot.storage.tables import paces

EVERYBODY = 0  # the lane that all messages share; no chat has that id
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class PaceTables:
    """bot.ports.watching.PaceStore."""

    _database: Database

    async def pace(
        self, chat_id: int | None, *, now: datetime, every: float, chat_every: float = 0
    ) -> datetime:
        lanes = [EVERYBODY] if chat_id is None else [EVERYBODY, chat_id]
        async with self._database.write() as connection:
            free = await free_lanes(self._database, connection, lanes)
            at = max(now, *free.values())
            taken = {EVERYBODY: at + timedelta(seconds=every)}
            if chat_id is not None:
                taken[chat_id] = at + timedelta(seconds=chat_every)
            await take_lanes(self._database, connection, taken)
        return at

    async def hold_chat(self, chat_id: int, until: datetime) -> None:
        async with self._database.write() as connection:
            await take_lanes(self._database, connection, {chat_id: until})

    async def forget_paces(self, *, before: datetime) -> int:
        async with self._database.write() as connection:
            gone = await connection.execute(delete(paces).where(paces.c.free_at < before))
            return gone.rowcount


async def free_lanes(
    database: Database, connection: AsyncConnection, lanes: Collection[int]
) -> dict[int, datetime]:
    """When each of these lanes is free, for those that were ever taken. They are locked until the transaction ends."""
    common = database.insert(paces).values(lane=EVERYBODY, free_at=LONG_AGO).on_conflict_do_nothing()
    await connection.execute(common)
    its = select(paces).where(paces.c.lane.in_(lanes)).order_by(paces.c.lane).with_for_update()
    return {row.lane: row.free_at for row in await connection.execute(its)}


async def take_lanes(database: Database, connection: AsyncConnection, until: Mapping[int, datetime]) -> None:
    """Nobody sends there before; a lane that is taken for longer stays so."""
    upsert = database.insert(paces)
    upsert = upsert.on_conflict_do_update(
        index_elements=["lane"],
        set_={"free_at": upsert.excluded.free_at},
        where=paces.c.free_at < upsert.excluded.free_at,
    )
    rows = [{"lane": lane, "free_at": at} for lane, at in sorted(until.items())]
    await execute_many(connection, upsert, rows)
