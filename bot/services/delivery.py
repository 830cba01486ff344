"""What is owed to people is told to them: within Telegram's limits, and never twice without saying so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot import metrics
from bot.ports.clock import Clock
from bot.ports.durable import Durable, Run
from bot.ports.errors import Ambiguous, ChatGone, DeliveryDelayed, MessageGone, PortError, Unavailable
from bot.ports.notifier import Notifier
from bot.ports.records import OutboxItem
from bot.ports.store import Store

log = logging.getLogger(__name__)

DELIVER = "deliver"
MOST_TRIES = 8
LONGEST_PAUSE = 300.0
A_SECOND = 27.4  # messages, over all replicas: Telegram lets 30 pass, and handlers answer besides
BATCH = 27  # messages that are claimed together
EVERY = 1.0 / A_SECOND
CHAT_EVERY = 1.1
CLAIM_EARLY = timedelta(seconds=0.3)  # the next ones before these are all sent
LATE = timedelta(seconds=0.4)
SETTLE_PAUSES = (1.0, 3.0, 9.0)
BEGIN_EARLY = timedelta(seconds=0.1)  # to note that it is being sent
IN_FLIGHT = 3  # more would arrive in one heap when Telegram, or this process, was held up
ROUNDS = 60  # of a sweep; the next one goes on

Prepare = Callable[[OutboxItem], Awaitable[OutboxItem | None]]


class Delivery:
    """Brings owed messages into their chats: many at once in a sweep, or one by a workflow of its own.

    `prepare` is asked just before a message is sent: it puts in what must be fresh, or says (None) that the message has
    become pointless.
    """

    def __init__(
        self,
        store: Store,
        notifier: Notifier,
        durable: Durable,
        clock: Clock,
        prepare: Prepare | None = None,
    ) -> None:
        self._store = store
        self._notifier = notifier
        self._durable = durable
        self._clock = clock
        self._prepare = prepare
        self._in_flight = asyncio.Semaphore(IN_FLIGHT)
        self._free_at: datetime | None = None
        durable.register(DELIVER, self.run)

    async def start(self, item_id: int) -> None:
        """Begin to deliver what was just owed."""
        await self._durable.start(DELIVER, f"deliver:{item_id}", item_id)

    async def sweep(self) -> None:
        """Deliver what is due and nobody has in hand, as fast as Telegram lets all replicas together."""
        async with asyncio.TaskGroup() as sending:
            for _ in range(ROUNDS):
                claimed = await self._claim()
                if not claimed:
                    return
                tasks = [sending.create_task(self._send_at(item, at)) for item, at in claimed]
                await self._until(claimed[-1][1] - CLAIM_EARLY)
                # Who is behind claims no more: other replicas may have the time.
                await asyncio.wait(tasks[: -BATCH // 3] or tasks)

    async def once(self) -> int:
        """Deliver a second's worth of what is due; how many."""
        claimed = await self._claim()
        await asyncio.gather(*(self._send_at(item, at) for item, at in claimed))
        return len(claimed)

    async def run(self, run: Run, item_id: int) -> None:
        """The workflow of one message: try, wait as long as is asked, try again; the sweep takes over after that."""
        for number in range(MOST_TRIES):
            pause = await run.step(f"deliver {number}", self._deliver, item_id, run.id)
            if pause is None:
                return
            await run.sleep(pause)

    async def _claim(self) -> list[tuple[OutboxItem, datetime]]:
        return [
            *await self._store.claim_due(
                now=self._clock.now(), limit=BATCH, every=EVERY, chat_every=CHAT_EVERY
            )
        ]

    async def _send_at(self, claimed: OutboxItem, at: datetime) -> None:
        in_doubt = claimed.state == "sending" and claimed.edit is None  # an earlier life may have sent it
        await self._until(at - BEGIN_EARLY)
        try:
            if self._clock.now() - at > LATE and not in_doubt:
                # Its instant has long passed, and others may be sending now: it gets another one.
                await self._store.finish_delivery(claimed, state="pending")
                return
            if not await self._store.begin_delivery(claimed, now=self._clock.now(), by="sweep"):
                return
            if in_doubt:
                claimed = replace(claimed, payload={**claimed.payload, "repeat": True})
            await self._until(at)
            await self._try(claimed)
        except PortError as failure:  # the database is away; the claim ends by itself
            log.warning("message %s is left for later: %s", claimed.key, failure)

    async def _take_turn(self) -> None:
        """In this process never two within the pace, however late they are."""
        now = self._clock.now()
        free = max(now, self._free_at or now)
        self._free_at = free + timedelta(seconds=EVERY)
        await self._until(free)

    async def _until(self, at: datetime) -> None:
        left = (at - self._clock.now()).total_seconds()
        if left > 0:
            await self._clock.sleep(left)

    async def _deliver(self, item_id: int, by: str) -> float | None:
        """One try. Seconds to wait before the next one, or None when there is nothing left to do here."""
        item = await self._store.outbox_item(item_id)
        claimed = await self._store.claim_delivery(item, now=self._clock.now(), by=by) if item else None
        if item is None or claimed is None:
            return None
        if item.state == "sending" and claimed.edit is None:  # an earlier life may have sent it
            claimed = replace(claimed, payload={**claimed.payload, "repeat": True})
        now = self._clock.now()
        await self._until(
            await self._store.pace(claimed.chat_id, now=now, every=EVERY, chat_every=CHAT_EVERY)
        )
        return await self._try(claimed)

    async def _try(self, claimed: OutboxItem) -> float | None:
        """Send what was claimed, and note what became of it."""
        try:
            message_id = await self._send(claimed)
        except ChatGone:
            await self._store.finish_delivery(claimed, state="dropped")
            await self._store.suspend(claimed.user_id)
            return _counted("gone", None)
        except Ambiguous as unclear:  # stays `sending`: the sweep sends it again later, marked as repeated
            log.warning("message %s may or may not have arrived: %s", claimed.key, unclear)
            return _counted("unclear", None)
        except DeliveryDelayed as delayed:
            until = self._clock.now() + timedelta(seconds=delayed.seconds)
            await self._store.hold_chat(claimed.chat_id, until)
            return _counted("limited", await self._later(claimed, delayed.seconds))
        except Unavailable as failure:
            log.warning("message %s could not be sent: %s", claimed.key, failure)
            return _counted("failed", await self._later(claimed, min(2.0**claimed.tries, LONGEST_PAUSE)))
        except Exception:  # one that cannot be shown keeps no other message back
            log.exception("message %s cannot be shown", claimed.key)
            return _counted("failed", await self._later(claimed, LONGEST_PAUSE))
        state = "dropped" if message_id is None else "sent"
        await self._settle(claimed, state, message_id)
        return _counted(state, None)

    async def _settle(self, claimed: OutboxItem, state: str, message_id: int | None) -> None:
        """Note that it was sent, also when the database is locked for a while: what is not noted is sent again."""
        for pause in SETTLE_PAUSES:
            try:
                await self._store.finish_delivery(claimed, state=state, message_id=message_id)
                return
            except Unavailable as failure:
                log.warning("message %s is sent and cannot be noted yet: %s", claimed.key, failure)
                await self._clock.sleep(pause)
        await self._store.finish_delivery(claimed, state=state, message_id=message_id)

    async def _send(self, item: OutboxItem) -> int | None:
        """The id of the message that shows it now; None when it has become pointless."""
        ready = await self._prepare(item) if self._prepare else item
        if ready is None:
            return None
        async with self._in_flight:
            await self._take_turn()
            try:
                return await self._notifier.deliver(ready)
            except MessageGone:
                if ready.payload.get("only_edit"):  # what it says is not worth a new message
                    return None
                return await self._notifier.deliver(replace(ready, edit=None))

    async def _later(self, item: OutboxItem, seconds: float) -> float:
        until = self._clock.now() + timedelta(seconds=seconds)
        await self._store.finish_delivery(item, state="pending", not_before=until)
        return seconds


def _counted(outcome: str, pause: float | None) -> float | None:
    metrics.DELIVERIES.labels(outcome).inc()
    return pause
