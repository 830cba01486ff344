"""The inbox: what Telegram sends is stored and confirmed, and handled from there."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from bot import metrics
from bot.ports.clock import Clock
from bot.ports.errors import NotWritable, PortError
from bot.ports.records import User
from bot.ports.store import PeopleStore, TakenUpdate, UpdateStore
from bot.services.inbox.commits import TRY_AGAIN_AFTER, Commits
from bot.services.inbox.fair import Arrival, Fair, Lane

log = logging.getLogger(__name__)

A_LOT = 20  # that wait in one chat: beyond them none is answered by itself
HOLD_EVERY = timedelta(seconds=20)
LOST_AFTER = timedelta(seconds=60)  # what a replica has that was not heard of for so long goes to another one
MOST_TRIES = 5  # of an update at which processes end
PATIENCE = timedelta(seconds=5)  # with a database that cannot be written; then each hears so for itself


class Desk(Protocol):
    """Reads updates and handles them."""

    def read(self, taken: TakenUpdate) -> Arrival:
        """What it is. Raises nothing: what cannot be read is over when it is handled."""
        ...

    async def handle(
        self, one: Arrival, *, tries: int, quiet: bool, waited: timedelta | None
    ) -> float | None:
        """To its end (None), or with an answer still owed: the seconds until it is tried again. `quiet`: it is one of
        a lot, and what it changes is not answered. `waited`: at most so long; None when nobody can tell."""
        ...

    async def tell_of_a_lot(self, one: Arrival, number: int) -> None:
        """Say in its chat that so many wait."""
        ...


class Inbox:
    def __init__(
        self,
        updates: UpdateStore,
        people: PeopleStore,
        clock: Clock,
        *,
        replica: str = "main",
        at_once: int = 64,
    ) -> None:
        self._updates, self._people, self._clock, self._replica = updates, people, clock, replica
        self._commits = Commits(updates, clock, replica)
        self._at_once = at_once
        self._fair = Fair(self._serve, at_once=at_once)
        self._desk: Desk | None = None
        self._held_at = clock.now()
        self._own = True  # what an earlier life left is still to be claimed
        self._unstored: set[int] = set()  # that wait here and in no database
        self._writable = True

    async def open(self, desk: Desk) -> None:
        """From now on updates are handled by `desk`, first what an earlier life of this replica left."""
        self._desk = desk
        self._fair = Fair(self._serve, at_once=self._at_once)
        self._own = True
        try:
            await self._claim()
        except PortError as failure:
            log.warning("updates that an earlier life left wait: %s", failure)

    async def close(self, grace: float = 5) -> None:
        """Take in nothing more. What cannot end in time is left to the next life or to another replica."""
        if self._desk is None:
            return
        await self._fair.close(grace)
        await self._commits.close()
        try:
            if self._fair.ids:
                await self._updates.release_updates(by=self._replica)
        except PortError as failure:
            log.info("updates that wait go on only when this replica is back: %s", failure)
        self._desk = None

    def now(self) -> datetime:
        """Wall time, by which what comes is marked."""
        return self._clock.now()

    async def take(self, arrivals: Sequence[Arrival]) -> frozenset[int]:
        """Durable when this returns, and about to be handled. Those that are new here.

        Where nothing can be written down they are handled all the same: what they would change is refused, its person
        hears so, and what was lost with the process changed nothing. Raises Unavailable.
        """
        if self._desk is None:
            raise RuntimeError("nobody handles updates yet")
        await self._fair.room()
        try:
            known, fresh = await self._stored(arrivals)
        except NotWritable as failure:
            return self._unstored_taken(arrivals, failure)
        self._writable = True
        for one in arrivals:
            if one.taken.id in fresh:
                person = known.get(one.user_id) if one.user_id is not None else None
                self._put(replace(one, person=person, unknown=person is None))
            else:
                metrics.UPDATES.labels("repeated").inc()
        return fresh

    async def _stored(self, arrivals: Sequence[Arrival]) -> tuple[Mapping[int, User], frozenset[int]]:
        """Who sent them, as far as known, and which are new. What cannot be written at once is tried for a while, but
        by the first of many alone."""
        senders = {one.user_id for one in arrivals if one.user_id is not None}
        until = self._clock.now() + (PATIENCE if self._writable else timedelta(0))
        while True:
            try:
                known, fresh = await asyncio.gather(
                    self._people.users(senders), self._commits.take([one.taken for one in arrivals])
                )
                return known, fresh
            except NotWritable:
                if self._clock.now() >= until:
                    raise
                await self._clock.sleep(TRY_AGAIN_AFTER)

    def _unstored_taken(self, arrivals: Sequence[Arrival], failure: NotWritable) -> frozenset[int]:
        if self._writable:
            log.error("updates are handled without being stored: %s", failure)
        self._writable = False
        here = self._fair.ids
        fresh = [
            one for one in arrivals if one.taken.id not in here and not self._commits.is_over(one.taken.id)
        ]
        for one in fresh:
            self._unstored.add(one.taken.id)
            self._put(one)
        return frozenset(one.taken.id for one in fresh)

    async def ended(self, update_id: int) -> None:
        """Wait until an update that waits here has ended for good."""
        await self._commits.noted(update_id)

    async def sweep(self) -> None:
        """Say that this replica is alive, and take up what others have handed over or left behind."""
        if self._desk is None:
            return
        if self._clock.now() - self._held_at > HOLD_EVERY and len(self._fair):
            await self._hold()
        await self._claim()

    async def _claim(self) -> None:
        now = self._clock.now()
        left = await self._updates.claim_updates(
            by=self._replica, now=now, stale=now - LOST_AFTER, own=self._own
        )
        self._own = False
        here = self._fair.ids if left else set()
        for taken in left:
            if taken.id in here or self._commits.is_over(taken.id) or self._desk is None:
                continue
            if taken.tries >= MOST_TRIES:
                log.error("update %d is set aside: %d processes have ended at it", taken.id, taken.tries)
                metrics.UPDATES.labels("set_aside").inc()
                self._commits.end(taken.id, soon=False)
            else:
                self._put(replace(self._desk.read(taken), left=True))

    async def _hold(self) -> frozenset[int]:
        """Say that this replica is alive, and leave alone what has gone to another one; what is still its own."""
        now = self._clock.now()
        mine = await self._updates.hold_updates(by=self._replica, now=now)
        self._held_at = now
        mine |= self._unstored
        self._fair.drop(self._fair.ids - mine)
        return mine

    def _put(self, one: Arrival) -> None:
        if not len(self._fair):
            self._held_at = self._clock.now()
        self._fair.put(one)

    async def _serve(self, one: Arrival, lane: Lane) -> float | None:
        """See Serve."""
        number = one.taken.id
        try:
            if self._clock.now() - self._held_at > LOST_AFTER / 2 and number not in await self._hold():
                return None  # this process was asleep, and another one has it now
            if one.left and lane.tries == 0:
                await self._updates.begin_again(number)
        except PortError as failure:
            log.info("update %d waits: %s", number, failure)
            return TRY_AGAIN_AFTER
        again = await self._handle(one, lane, behind=lane.unanswered - (not one.tap))
        if again is None:
            self._unstored.discard(number)
            self._commits.end(number, soon=len(self._fair) == 1)
        return again

    async def _handle(self, one: Arrival, lane: Lane, *, behind: int) -> float | None:
        if self._desk is None:
            return TRY_AGAIN_AFTER
        since = one.taken.since
        waited = None if since is None else self._clock.now() - since
        try:
            if behind >= A_LOT and not lane.told:
                lane.told = True
                await self._desk.tell_of_a_lot(one, behind + 1)
            return await self._desk.handle(one, tries=lane.tries, quiet=behind >= A_LOT, waited=waited)
        except Exception:  # nobody foresaw it; others are not to wait for it
            log.exception("update %d cannot be handled", one.taken.id)
            metrics.UPDATES.labels("failed").inc()
            return None
