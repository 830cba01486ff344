"""What is owed to people is told to them: durable, in order of debt, and never twice without saying so."""

import logging
from dataclasses import replace
from datetime import timedelta

from bot.ports.clock import Clock
from bot.ports.durable import Durable, Run
from bot.ports.errors import Ambiguous, ChatGone, DeliveryDelayed, MessageGone, Unavailable
from bot.ports.notifier import Notifier
from bot.ports.records import OutboxItem
from bot.ports.store import Store

log = logging.getLogger(__name__)

DELIVER = "deliver"
MOST_TRIES = 8
LONGEST_PAUSE = 300.0


class Delivery:
    """Registers and runs the workflow that brings one owed message into its chat."""

    def __init__(self, store: Store, notifier: Notifier, durable: Durable, clock: Clock) -> None:
        self._store = store
        self._notifier = notifier
        self._durable = durable
        self._clock = clock
        durable.register(DELIVER, self.run)

    async def start(self, item_id: int) -> None:
        """Begin to deliver what was just owed."""
        await self._durable.start(DELIVER, f"deliver:{item_id}", item_id)

    async def sweep(self) -> None:
        """Take up what is due and left behind, each try under an id of its own."""
        for item in await self._store.due(now=self._clock.now()):
            await self._durable.start(DELIVER, f"deliver:{item.id}:{item.tries}", item.id)

    async def run(self, run: Run, item_id: int) -> None:
        """The workflow: try, wait as long as is asked, try again; the sweep takes over after that."""
        for number in range(MOST_TRIES):
            pause = await run.step(f"deliver {number}", self._deliver, item_id, run.id)
            if pause is None:
                return
            await run.sleep(pause)

    async def _deliver(self, item_id: int, by: str) -> float | None:
        """One try. Seconds to wait before the next one, or None when there is nothing left to do here."""
        now = self._clock.now()
        item = await self._store.outbox_item(item_id)
        claimed = await self._store.claim_delivery(item, now=now, by=by) if item else None
        if item is None or claimed is None:
            return None
        if item.state == "sending" and claimed.edit is None:  # an earlier life may have sent it
            claimed = replace(claimed, payload={**claimed.payload, "repeat": True})
        try:
            message_id = await self._send(claimed)
        except ChatGone:
            await self._store.finish_delivery(claimed, state="dropped")
            await self._store.suspend(claimed.user_id)
            return None
        except Ambiguous as unclear:  # stays `sending`: the sweep sends it again later, marked as repeated
            log.warning("message %s may or may not have arrived: %s", claimed.key, unclear)
            return None
        except DeliveryDelayed as delayed:
            return await self._later(claimed, delayed.seconds)
        except Unavailable as failure:
            log.warning("message %s could not be sent: %s", claimed.key, failure)
            return await self._later(claimed, min(2.0**claimed.tries, LONGEST_PAUSE))
        await self._store.finish_delivery(claimed, state="sent", message_id=message_id)
        return None

    async def _send(self, item: OutboxItem) -> int:
        try:
            return await self._notifier.deliver(item)
        except MessageGone:
            return await self._notifier.deliver(replace(item, edit=None))

    async def _later(self, item: OutboxItem, seconds: float) -> float:
        until = self._clock.now() + timedelta(seconds=seconds)
        await self._store.finish_delivery(item, state="pending", not_before=until)
        return seconds
