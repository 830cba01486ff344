"""The daily summary: owed at the hour that its reader chose, once a day."""

import logging
from dataclasses import replace

from bot.ports.clock import Clock
from bot.ports.errors import PortError
from bot.ports.records import OutboxItem
from bot.ports.store import Store
from bot.ports.watching import AlertSettings
from bot.services.desk.hours import next_at
from bot.services.markets import Markets

log = logging.getLogger(__name__)


class Summaries:
    def __init__(self, store: Store, markets: Markets, clock: Clock) -> None:
        self._store = store
        self._markets = markets
        self._clock = clock

    async def run(self, shard: int, shards: int) -> int:
        """Owe everybody's summary whose hour has come; how many. Hours that were missed are one summary."""
        try:
            now = (await self._markets.home.snapshot()).time
        except PortError as failure:
            log.info("no summaries at this tick: %s", failure)
            return 0
        counts: list[AlertSettings] = []
        owed: list[OutboxItem] = []
        for settings in await self._store.summaries_due(now, shard, shards):
            user = await self._store.user(settings.user_id)
            if settings.next_at is None or settings.summary_at is None or user is None or user.suspended:
                counts.append(replace(settings, next_at=None))
                continue
            counts.append(replace(settings, next_at=next_at(now, settings.summary_at, settings)))
            owed.append(
                OutboxItem(
                    key=f"daily:{user.id}:{settings.next_at.isoformat()}",
                    user_id=user.id,
                    chat_id=user.chat_id,
                    kind="daily",
                    payload={"at": now.isoformat()},
                    created_at=self._clock.now(),
                    silent=True,
                )
            )
        if counts:
            await self._store.note_sent(counts, owed)
        return len(owed)
