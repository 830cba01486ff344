"""Past prices in stretches of bars, opaque here: of two versions of a stretch the longer one stays."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select

from bot.ports.store import CandleChunk
from bot.storage.database import AT_ONCE, Database, execute_many
from bot.storage.tables import candles

_CHUNK = (candles.c.name, candles.c.start, candles.c.count, candles.c.bars)


class CandleTables:
    """bot.ports.store.CandleStore."""

    _database: Database

    async def candles(
        self, exchange: str, bar: int, names: Collection[str], *, since: int
    ) -> Sequence[CandleChunk]:
        wanted = sorted(set(names))
        found: list[CandleChunk] = []
        async with self._database.read() as connection:
            for first in range(0, len(wanted), AT_ONCE):
                its = (
                    candles.c.exchange == exchange,
                    candles.c.bar == bar,
                    candles.c.name.in_(wanted[first : first + AT_ONCE]),
                    candles.c.start >= since,
                )
                rows = await connection.execute(select(*_CHUNK).where(*its).order_by("name", "start"))
                found += [CandleChunk(*row) for row in rows]
        return found

    async def keep_candles(self, exchange: str, bar: int, chunks: Sequence[CandleChunk]) -> None:
        rows = [
            {
                "exchange": exchange,
                "bar": bar,
                "name": chunk.name,
                "start": chunk.start,
                "count": chunk.count,
                "bars": chunk.bars,
            }
            for chunk in sorted(chunks, key=lambda chunk: (chunk.name, chunk.start))  # two writers: one order
        ]
        if not rows:
            return
        keep = self._database.insert(candles)
        longer = keep.excluded.count > candles.c.count
        new = {"count": keep.excluded.count, "bars": keep.excluded.bars}
        upsert = keep.on_conflict_do_update(index_elements=candles.primary_key, set_=new, where=longer)
        async with self._database.write() as connection:
            await execute_many(connection, upsert, rows)

    async def forget_candles(self, bar: int, *, before: int) -> int:
        its = (candles.c.bar == bar, candles.c.start < before)
        async with self._database.write() as connection:
            gone = await connection.execute(delete(candles).where(*its))
        return gone.rowcount
