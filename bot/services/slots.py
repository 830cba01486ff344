"""When this process may send: within Telegram's limits, which all replicas keep together."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.ports.clock import Clock
from bot.ports.records import OutboxItem
from bot.ports.store import Store
from bot.ports.traffic import SPAN, Traffic

A_SECOND = 29.0  # messages, over all replicas, of the 30 that Telegram lets pass
EVERY = 1.0 / A_SECOND
BATCH = 27  # messages that are claimed together
CHAT_EVERY = 1.1
LATE = timedelta(seconds=0.15)
LISTEN_EARLY = timedelta(seconds=0.03)
LISTEN_BACK = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Slot:
    """From `at` to `until` no other replica sends, unless it was late. Several messages may share the end."""

    at: datetime
    until: datetime


@dataclass(slots=True)
class Slots:
    """Replicas share out the time by a row in the database. Within its own time a process heeds what is under way and
    what it sent in the last second, and, where its time begins, what the others did until then."""

    store: Store
    traffic: Traffic
    clock: Clock
    in_hand: set[int] = field(default_factory=set)  # items that this process sends

    async def wait(self, at: datetime) -> None:
        left = (at - self.clock.now()).total_seconds()
        if left > 0:
            await self.clock.sleep(left)

    async def claim(self) -> list[tuple[OutboxItem, Slot]]:
        """Up to a second's worth of what is due, each with its slot; they have one end in common."""
        claimed = await self.store.claim_due(
            now=self.clock.now(), limit=BATCH, every=EVERY, chat_every=CHAT_EVERY
        )
        return [(item, Slot(at, claimed[-1][1] + timedelta(seconds=EVERY))) for item, at in claimed]

    async def take(self, chat_id: int) -> Slot:
        """The next one for a message to this chat."""
        now = self.clock.now()
        at = await self.store.pace(chat_id, now=now, every=EVERY, chat_every=CHAT_EVERY)
        return Slot(at, at + timedelta(seconds=EVERY))

    async def take_and_listen(self, chat_id: int) -> Slot:
        """The next one for a message that counts."""
        slot = await self.take(chat_id)
        await self.listen(slot.at)
        return slot

    async def questions(self, number: int) -> AsyncIterator[int]:
        """So many times, one after the other, at which something else than a message may be sent."""
        if number == 0:
            return
        first = await self.store.pace(None, now=self.clock.now(), every=EVERY * number)
        for n in range(number):
            await self.wait(first + timedelta(seconds=EVERY * n))
            yield n

    async def listen(self, at: datetime) -> None:
        """Just before `at`, look what the others have sent and are sending."""
        await self.wait(at - LISTEN_EARLY)
        now = self.clock.now()
        ages = [
            -LATE.total_seconds() if one.message_id is None else (now - one.at).total_seconds()
            for one in await self.store.passing(since=now - LISTEN_BACK)
            if one.item_id not in self.in_hand and not self.traffic.has_seen(one.message_id)
        ]
        self.traffic.others([age for age in ages if age < SPAN])

    async def fits(self, slot: Slot) -> bool:
        """Wait until one more message fits. False when that was too long: others may be sending now."""
        while (wait := self.traffic.wait()) > 0:  # noqa: ASYNC110 - it is time that has to pass
            await asyncio.sleep(wait)
        return self.clock.now() <= slot.until + LATE
