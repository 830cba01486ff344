"""What is owed to people is told to them: within Telegram's limits, and never twice without saying so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from bot import metrics
from bot.ports.clock import Clock
from bot.ports.durable import Durable, Run
from bot.ports.errors import Ambiguous, ChatGone, DeliveryDelayed, MessageGone, PortError, Unavailable
from bot.ports.notifier import Notifier
from bot.ports.records import OutboxItem
from bot.ports.store import Store
from bot.services.arrivals import Arrivals, Search, repeated
from bot.services.slots import BATCH, Slot, Slots

log = logging.getLogger(__name__)

DELIVER = "deliver"
MOST_TRIES = 8
LONGEST_PAUSE = 300.0
CLAIM_EARLY = timedelta(seconds=0.3)  # the next ones before these are all sent
SETTLE_PAUSES = (1.0, 3.0, 9.0)
BEGIN_EARLY = timedelta(seconds=0.1)  # to note that it is being sent
MOST_SLOTS = 4  # for one message
IN_FLIGHT = 6  # more would be in doubt together when this process dies
ROUNDS = 60  # of a sweep; the next one goes on

Prepare = Callable[[OutboxItem], Awaitable[OutboxItem | None]]


@dataclass(slots=True)
class Work:
    """A message that is being brought. `in_doubt`: it may have arrived; `search`: what came of looking for it."""

    item: OutboxItem
    by: str
    in_doubt: bool
    slot: Slot | None = None
    search: Search | None = None

    @property
    def stands(self) -> int | None:
        """The message that shows it, if it was looked for and found."""
        return None if self.search is None else self.search.stands


class Taken(Exception):
    """Somebody else has the message now."""


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
        self._slots = Slots(store, notifier.traffic, clock)
        self._arrivals = Arrivals(store, notifier, self._slots)
        self._in_flight = asyncio.Semaphore(IN_FLIGHT)
        durable.register(DELIVER, self.run)

    async def start(self, item_id: int) -> None:
        """Begin to deliver what was just owed."""
        await self._durable.start(DELIVER, f"deliver:{item_id}", item_id)

    async def sweep(self) -> None:
        """Deliver what is due and nobody has in hand, as fast as Telegram lets all replicas together."""
        async with asyncio.TaskGroup() as sending:
            for _ in range(ROUNDS):
                claimed = await self._slots.claim()
                if not claimed:
                    return
                sending.create_task(self._listen(claimed[0][1]))
                tasks = [sending.create_task(self._send(item, slot)) for item, slot in claimed]
                await self._slots.wait(claimed[-1][1].at - CLAIM_EARLY)
                # Who is behind claims later: other replicas may have the time. Those that took a later slot are not
                # waited for.
                left = (claimed[-1][1].until - self._clock.now()).total_seconds()
                plain = [task for (item, _), task in zip(claimed, tasks, strict=True) if not item.in_doubt]
                if plain:
                    await asyncio.wait(plain[: -BATCH // 3] or plain, timeout=max(left, 0))

    async def once(self) -> int:
        """Deliver a second's worth of what is due; how many."""
        claimed = await self._slots.claim()
        await asyncio.gather(*(self._send(item, slot) for item, slot in claimed))
        return len(claimed)

    async def run(self, run: Run, item_id: int) -> None:
        """The workflow of one message: try, wait as long as is asked, try again; the sweep takes over after that."""
        for number in range(MOST_TRIES):
            pause = await run.step(f"deliver {number}", self._deliver, item_id, run.id)
            if pause is None:
                return
            await run.sleep(pause)

    async def _listen(self, slot: Slot) -> None:
        try:
            await self._slots.listen(slot.at)
        except PortError as failure:  # then the pace alone has to do
            log.warning("nobody knows what other replicas are sending: %s", failure)

    async def _send(self, claimed: OutboxItem, slot: Slot) -> None:
        """What a sweep has claimed."""
        await self._slots.wait(slot.at - BEGIN_EARLY)
        try:
            await self._try(Work(claimed, "sweep", claimed.in_doubt, slot))
        except PortError as failure:  # the database is away; the claim ends by itself
            log.warning("message %s is left for later: %s", claimed.key, failure)

    async def _deliver(self, item_id: int, by: str) -> float | None:
        """One try. Seconds to wait before the next one, or None when there is nothing left to do here."""
        item = await self._store.outbox_item(item_id)
        claimed = await self._store.claim_delivery(item, now=self._clock.now(), by=by) if item else None
        if claimed is None:
            return None
        return await self._try(Work(claimed, by, claimed.in_doubt))

    async def _try(self, work: Work) -> float | None:
        self._slots.in_hand.add(work.item.id)
        try:
            return await self._try_in_hand(work)
        finally:
            self._slots.in_hand.discard(work.item.id)

    async def _try_in_hand(self, work: Work) -> float | None:
        """Bring what was claimed, and note what became of it. Seconds to wait before the next try."""
        item = work.item
        try:
            message_id = await self._bring(work)
        except Taken:
            return None
        except ChatGone:
            await self._store.finish_delivery(item, state="dropped")
            await self._store.suspend(item.user_id)
            return _counted("gone", None)
        except Ambiguous as unclear:  # stays `sending`: the sweep looks for it later
            log.warning("message %s may or may not have arrived: %s", item.key, unclear)
            return _counted("unclear", None)
        except DeliveryDelayed as delayed:
            until = self._clock.now() + timedelta(seconds=delayed.seconds)
            await self._store.hold_chat(item.chat_id, until)
            return _counted("limited", await self._later(work, delayed.seconds))
        except Unavailable as failure:
            log.warning("message %s could not be sent: %s", item.key, failure)
            return _counted("failed", await self._later(work, min(2.0**item.tries, LONGEST_PAUSE)))
        except Exception:  # one that cannot be shown keeps no other message back
            log.exception("message %s cannot be shown", item.key)
            return _counted("failed", await self._later(work, LONGEST_PAUSE))
        state = "dropped" if message_id is None else "sent"
        await self._settle(item, state, message_id)
        return _counted(state, None)

    async def _bring(self, work: Work) -> int | None:
        """The id of the message that shows it now; None when it has become pointless."""
        if work.item.edit is None:
            await self._look(work)
        ready = await self._prepare(work.item) if self._prepare else work.item
        if ready is None:
            return work.stands
        if ready.edit is not None:
            try:
                return await self._edit(work, ready)
            except MessageGone:
                if ready.payload.get("only_edit"):  # what it says is not worth a new message
                    return None
                ready = replace(ready, edit=None)
                await self._look(work)
        if work.stands is not None:
            try:
                return await self._notifier.deliver(replace(ready, edit=work.stands))
            except MessageGone:  # it had arrived, and its owner has removed it since
                return work.stands
        if work.search is not None and work.search.doubtful:
            ready = repeated(ready)
        message_id = await self._send_new(work, ready)
        if work.search is not None and not await self._arrivals.certain(work.item, work.search, message_id):
            await self._say_so(replace(repeated(ready), edit=message_id))
        return message_id

    async def _look(self, work: Work) -> None:
        """Find out whether it has arrived, where that is in doubt."""
        if work.in_doubt:
            work.search = await self._arrivals.look_for(work.item)
            work.slot = None  # its time has passed meanwhile

    async def _edit(self, work: Work, ready: OutboxItem) -> int:
        slot = work.slot or await self._slots.take(work.item.chat_id)
        await self._slots.wait(slot.at)
        async with self._in_flight:
            return await self._notifier.deliver(ready)

    async def _send_new(self, work: Work, ready: OutboxItem) -> int:
        """Note that it is being sent, and send it, in its slot or in the next one that is kept; in the last one anyway,
        because a machine that is always late has to send as well."""
        for left in reversed(range(MOST_SLOTS)):
            slot, work.slot = work.slot or await self._slots.take_and_listen(work.item.chat_id), None
            await self._slots.wait(slot.at - BEGIN_EARLY)
            if left and self._clock.now() > slot.until:
                continue
            if not await self._store.begin_delivery(
                work.item, now=self._clock.now(), by=work.by, after=self._notifier.traffic.latest
            ):
                raise Taken
            work.in_doubt = False  # until Telegram is called
            await self._slots.wait(slot.at)
            async with self._in_flight:
                if await self._slots.fits(slot) or not left:
                    return await self._notifier.deliver(ready)
        raise Unavailable("there was no time to send it")  # never: the last slot is used

    async def _say_so(self, ready: OutboxItem) -> None:
        """Put it into a message that turned out to be a repetition, perhaps."""
        try:
            await self._notifier.deliver(ready)
        except PortError as failure:
            log.warning("message %s may be a repetition, and does not say so: %s", ready.key, failure)

    async def _settle(self, item: OutboxItem, state: str, message_id: int | None) -> None:
        """Note that it was sent, also when the database is locked for a while: what is not noted is in doubt."""
        now = self._clock.now()
        for pause in SETTLE_PAUSES:
            try:
                await self._store.finish_delivery(item, state=state, message_id=message_id, now=now)
                return
            except Unavailable as failure:
                log.warning("message %s is sent and cannot be noted yet: %s", item.key, failure)
                await self._clock.sleep(pause)
        await self._store.finish_delivery(item, state=state, message_id=message_id, now=now)

    async def _later(self, work: Work, seconds: float) -> float:
        if not work.in_doubt:  # else it stays so: its claim ends by itself
            until = self._clock.now() + timedelta(seconds=seconds)
            await self._store.finish_delivery(work.item, state="pending", not_before=until)
        return seconds


def _counted(outcome: str, pause: float | None) -> float | None:
    metrics.DELIVERIES.labels(outcome).inc()
    return pause
