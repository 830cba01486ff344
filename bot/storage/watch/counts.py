"""How much somebody was sent today, and when they are sent a summary next."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.watching import AlertSettings
from bot.storage.codec import fields_of
from bot.storage.database import Database, execute_many
from bot.storage.tables import alert_settings

COUNTED = ("sent_on", "sent_today", "next_at")


async def count_sent(
    database: Database, connection: AsyncConnection, counts: Iterable[AlertSettings]
) -> None:
    """Keep the counters of these settings; what somebody chose stays as it is."""
    rows = [settings_row(one) for one in sorted(counts, key=lambda one: one.user_id)]
    upsert = database.insert(alert_settings)
    kept = {name: upsert.excluded[name] for name in COUNTED}
    await execute_many(connection, upsert.on_conflict_do_update(index_elements=["user_id"], set_=kept), rows)


def settings_row(settings: AlertSettings) -> dict[str, object]:
    return fields_of(settings) | {"muted": sorted(settings.muted)}
