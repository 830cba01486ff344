"""Wishes about alerts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from bot.ports.records import OutboxItem
from bot.ports.watching import AlertSettings
from bot.storage.database import AT_ONCE, Database, execute_many
from bot.storage.outbox import row_of
from bot.storage.tables import alert_settings, outbox
from bot.storage.watch.counts import COUNTED, count_sent, settings_row


class DeskTables:
    """The part of bot.ports.watching.WatchStore about single people."""

    _database: Database

    async def alert_settings(self, users: Collection[int]) -> Mapping[int, AlertSettings]:
        found = {user: AlertSettings(user) for user in users}
        ids = sorted(found)
        async with self._database.read() as connection:
            for start in range(0, len(ids), AT_ONCE):
                its = alert_settings.c.user_id.in_(ids[start : start + AT_ONCE])
                for row in await connection.execute(select(alert_settings).where(its)):
                    found[row.user_id] = _settings(row)
        return found

    async def save_alert_settings(self, settings: AlertSettings) -> None:
        upsert = self._database.insert(alert_settings).values(settings_row(settings))
        counters = {*COUNTED, "user_id"} - {"next_at"}
        chosen = {c.name: upsert.excluded[c.name] for c in alert_settings.c if c.name not in counters}
        async with self._database.write() as connection:
            await connection.execute(upsert.on_conflict_do_update(index_elements=["user_id"], set_=chosen))

    async def summaries_due(self, now: datetime, shard: int = 0, shards: int = 1) -> Sequence[AlertSettings]:
        its = alert_settings.c.next_at <= now
        mine = [alert_settings.c.user_id % shards == shard] if shards > 1 else []
        async with self._database.read() as connection:
            return [
                _settings(row) for row in await connection.execute(select(alert_settings).where(its, *mine))
            ]

    async def note_sent(self, counts: Collection[AlertSettings], owed: Sequence[OutboxItem] = ()) -> None:
        async with self._database.write() as connection:
            await count_sent(self._database, connection, counts)
            add = self._database.insert(outbox).on_conflict_do_nothing()
            await execute_many(connection, add, [row_of(item) for item in owed])


def _settings(row: Row[Any]) -> AlertSettings:
    return AlertSettings(**{**row._mapping, "muted": frozenset(row.muted)})
