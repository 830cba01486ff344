"""Who is served when, in virtual time: nobody holds up anybody, whatever one chat does."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from typing import Any

import pytest

from bot.ports.errors import NotWritable, Unavailable
from bot.ports.records import User
from bot.ports.store import TakenUpdate
from bot.services.inbox import Allowance, Arrival, Inbox
from bot.services.inbox.inbox import A_LOT, LOST_AFTER, MOST_TRIES
from tests.simulation.process.loop import VirtualClock, run

FLOODER, BEN = 1, 2
WORK = 0.05  # seconds for one update, as Telegram takes to answer


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def ran(*args: Any, **more: Any) -> None:
        run(test(*args, **more))

    return ran


@dataclass
class Memory:
    """A store without a disk. `left`: by an earlier life."""

    left: list[TakenUpdate] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    mine: frozenset[int] | None = None  # what another replica has left; None: all
    away: bool = False
    full: bool = False
    _known: set[int] = field(default_factory=set)

    async def settle_updates(
        self, taken: Sequence[TakenUpdate], ended: Collection[int], **_: Any
    ) -> frozenset[int]:
        if self.away:
            raise Unavailable("away")
        if self.full:
            raise NotWritable("no room")
        self.ended += ended
        fresh = frozenset(one.id for one in taken) - self._known
        self._known |= fresh
        return fresh

    async def claim_updates(self, *, own: bool, **_: Any) -> Sequence[TakenUpdate]:
        left, self.left = (self.left, []) if own else ([], self.left)
        return left

    async def hold_updates(self, **_: Any) -> frozenset[int]:
        if self.full:
            raise NotWritable("no room")
        return frozenset(self._known) if self.mine is None else self.mine

    async def release_updates(self, **_: Any) -> None:
        return None

    async def begin_again(self, number: int) -> None:
        self.begun.append(number)

    async def users(self, ids: Collection[int]) -> Mapping[int, User]:
        return {}


@dataclass
class Log:
    """bot.services.inbox.Desk that takes `WORK` for each. `again`: what to answer for an update, each time."""

    handled: list[int] = field(default_factory=list)
    quiet: list[int] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    at: dict[int, float] = field(default_factory=dict)
    waited: dict[int, timedelta | None] = field(default_factory=dict)
    again: dict[int, list[float]] = field(default_factory=dict)
    raises: set[int] = field(default_factory=set)
    busy: int = 0
    most: int = 0

    def read(self, taken: TakenUpdate) -> Arrival:
        return Arrival(taken)

    async def handle(
        self, one: Arrival, *, tries: int, quiet: bool, waited: timedelta | None
    ) -> float | None:
        self.busy += 1
        self.most = max(self.most, self.busy)
        if not quiet:
            await asyncio.sleep(WORK)
        self.busy -= 1
        if one.taken.id in self.raises:
            raise ZeroDivisionError
        if self.again.get(one.taken.id):
            return self.again[one.taken.id].pop(0)
        (self.quiet if quiet else self.handled).append(one.taken.id)
        self.at[one.taken.id] = asyncio.get_running_loop().time()
        self.waited[one.taken.id] = waited
        return None

    async def tell_of_a_lot(self, one: Arrival, number: int) -> None:
        self.told.append(number)


@dataclass
class World:
    inbox: Inbox
    desk: Log
    memory: Memory
    clock: VirtualClock

    def arrival(self, number: int, lane: int, **more: Any) -> Arrival:
        now = self.clock.now()
        return Arrival(TakenUpdate(number, lane, b"{}", now, now), **more)

    async def take(self, *arrivals: Arrival) -> None:
        await self.inbox.take(arrivals)


async def a_world(memory: Memory | None = None, *, at_once: int = 64, desk: Log | None = None) -> World:
    clock = VirtualClock(asyncio.get_running_loop())
    memory, desk = memory or Memory(), desk or Log()
    store: Any = memory
    inbox = Inbox(store, store, clock, at_once=at_once)
    await inbox.open(desk)
    return World(inbox, desk, memory, clock)


@pytest.mark.fault(60)
@in_virtual_time
async def test_with_one_chats_300_messages_waiting_anothers_tap_is_served_next() -> None:
    world = await a_world(at_once=1)
    await world.take(*(world.arrival(number, FLOODER) for number in range(300)))
    await asyncio.sleep(WORK / 2)
    await world.take(world.arrival(900, BEN, tap=True))
    await asyncio.sleep(2 * WORK)
    assert 900 in world.desk.at, "one message of the flood was under way, and no other goes before"


@pytest.mark.fault(60)
@in_virtual_time
async def test_a_chat_that_floods_is_told_once_how_much_waits_and_only_its_last_ones_are_answered() -> None:
    world = await a_world()
    await world.take(*(world.arrival(number, FLOODER) for number in range(300)))
    await asyncio.sleep(60)
    assert world.desk.told == [300]
    assert world.desk.quiet == list(range(300 - A_LOT))
    assert world.desk.handled == list(range(300 - A_LOT, 300)), "nothing is lost, and all is in order"
    assert sorted(world.memory.ended) == list(range(300))


@in_virtual_time
async def test_chats_take_turns_and_each_keeps_its_order() -> None:
    world = await a_world(at_once=1)
    await world.take(*(world.arrival(n, lane) for n, lane in enumerate([1, 1, 1, 2, 2, 3])))
    await asyncio.sleep(1)
    assert world.desk.handled == [0, 3, 5, 1, 4, 2]


@in_virtual_time
async def test_one_chat_never_has_two_under_way_and_all_together_no_more_than_allowed() -> None:
    world = await a_world(at_once=5)
    await world.take(*(world.arrival(n, n % 20) for n in range(100)))
    await asyncio.sleep(0.01)
    assert world.desk.busy == 5
    await asyncio.sleep(60)
    assert world.desk.most == 5
    assert len(world.desk.handled) == 100


@in_virtual_time
async def test_an_update_with_a_lower_number_that_comes_later_goes_first() -> None:
    """By webhook they come on several connections."""
    world = await a_world()
    await world.take(*(world.arrival(n, BEN) for n in (1, 4, 3, 2)))
    await asyncio.sleep(1)
    assert world.desk.handled == [1, 2, 3, 4]


@in_virtual_time
async def test_a_tap_goes_before_what_only_asks_but_not_before_what_changes_something() -> None:
    world = await a_world()
    await world.take(
        world.arrival(1, BEN),
        world.arrival(2, BEN, asks=True),
        world.arrival(3, BEN, asks=True),
        world.arrival(4, BEN, tap=True),
        world.arrival(5, BEN, asks=True),
        world.arrival(6, BEN),
        world.arrival(7, BEN, tap=True),
    )
    await asyncio.sleep(1)
    assert world.desk.handled == [1, 4, 2, 3, 5, 6, 7]


@pytest.mark.fault(61)
@in_virtual_time
async def test_an_answer_that_is_owed_for_minutes_holds_no_place_and_keeps_its_chats_order() -> None:
    world = await a_world(at_once=1, desk=Log(again={1: [30.0] * 10}))
    await world.take(world.arrival(1, FLOODER), world.arrival(2, FLOODER), world.arrival(3, BEN))
    await asyncio.sleep(1)
    assert world.desk.handled == [3]
    await asyncio.sleep(400)
    assert world.desk.handled == [3, 1, 2]
    assert world.memory.ended == [3, 1, 2]


@pytest.mark.fault(62)
@in_virtual_time
async def test_an_update_that_cannot_be_handled_is_over_and_its_chat_goes_on() -> None:
    world = await a_world(desk=Log(raises={1}))
    await world.take(world.arrival(1, BEN), world.arrival(2, BEN))
    await asyncio.sleep(1)
    assert world.desk.handled == [2]
    assert world.memory.ended == [1, 2]


@pytest.mark.fault(62)
@in_virtual_time
async def test_an_update_at_which_processes_end_is_set_aside_after_some() -> None:
    moment = VirtualClock(asyncio.get_running_loop()).now()
    poison = TakenUpdate(1, FLOODER, b"{}", moment, tries=MOST_TRIES)
    innocent = TakenUpdate(2, FLOODER, b"{}", moment, tries=MOST_TRIES - 1)
    world = await a_world(Memory(left=[poison, innocent]))
    await asyncio.sleep(1)
    assert world.memory.begun == [2], "each try is counted before it is made"
    assert world.desk.handled == [2]
    assert sorted(world.memory.ended) == [1, 2]


@in_virtual_time
async def test_what_an_earlier_life_left_is_handled_first_in_order_and_of_unknown_age() -> None:
    moment = VirtualClock(asyncio.get_running_loop()).now()
    left = [TakenUpdate(n, BEN, b"{}", moment, None if n == 2 else moment) for n in (1, 2)]
    world = await a_world(Memory(left=left))
    await world.take(world.arrival(3, BEN))
    await asyncio.sleep(1)
    assert world.desk.handled == [1, 2, 3]
    assert world.desk.waited[2] is None
    assert (world.desk.waited[1] or timedelta()) < timedelta(seconds=1)


@pytest.mark.fault(60)
@in_virtual_time
async def test_how_long_an_update_waited_counts_what_it_waited_here() -> None:
    world = await a_world(desk=Log(again={1: [100.0, 100.0]}))
    await world.take(world.arrival(1, BEN), world.arrival(2, BEN, tap=True))
    await asyncio.sleep(300)
    assert (world.desk.waited[2] or timedelta()) > timedelta(seconds=200)


@in_virtual_time
async def test_a_process_that_was_asleep_leaves_alone_what_another_has_taken_over() -> None:
    world = await a_world(at_once=1, desk=Log(again={1: [LOST_AFTER.total_seconds() * 2]}))
    await world.take(world.arrival(1, BEN), world.arrival(2, BEN), world.arrival(3, FLOODER))
    world.memory.mine = frozenset()
    await asyncio.sleep(600)
    assert world.desk.handled == [3]
    assert world.memory.ended == [3]
    assert len(world.inbox._fair) == 0


@in_virtual_time
async def test_what_cannot_be_stored_is_handled_once_so_that_its_person_hears_of_it() -> None:
    world = await a_world()
    world.memory.full = True
    one, two = world.arrival(1, BEN), world.arrival(2, BEN)
    await world.take(one)
    await world.take(one, two)  # as Telegram may bring it again
    await asyncio.sleep(1)
    assert world.desk.handled == [1, 2]
    world.memory.full = False
    await world.take(world.arrival(3, BEN))
    await asyncio.sleep(2)
    assert world.desk.handled == [1, 2, 3]
    assert sorted(world.memory.ended) == [1, 2, 3], "their end is noted once there is room"


@in_virtual_time
async def test_a_database_that_is_away_for_a_moment_is_waited_for() -> None:
    world = await a_world()
    world.memory.full = True
    asyncio.get_running_loop().call_later(3, setattr, world.memory, "full", False)
    await world.take(world.arrival(1, BEN))
    assert world.desk.handled == []
    assert world.memory._known == {1}, "it is stored before it is handled"


@in_virtual_time
async def test_who_brings_more_than_fits_waits_until_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.services.inbox.fair.MOST", 10)
    world = await a_world(at_once=1)
    await world.take(*(world.arrival(n, n) for n in range(10)))
    await world.take(world.arrival(10, 10))
    assert asyncio.get_running_loop().time() == pytest.approx(WORK)


@in_virtual_time
async def test_stopping_lets_what_is_under_way_end_and_begins_nothing() -> None:
    world = await a_world(at_once=1)
    await world.take(world.arrival(1, BEN), world.arrival(2, BEN))
    await asyncio.sleep(WORK / 2)
    await world.inbox.close()
    await asyncio.sleep(1)
    assert world.desk.handled == [1]
    assert world.memory.ended == [1], "and its end is written down"


@pytest.mark.fault(60)
@in_virtual_time
async def test_a_person_has_so_much_at_once_and_then_some_again_after_a_while() -> None:
    allowed = Allowance(most=3, every=2)
    assert [allowed.take(BEN) for _ in range(3)] == [0, 0, 0]
    assert allowed.take(BEN) == pytest.approx(2)
    assert allowed.take(FLOODER) == 0, "another one's is their own"
    assert [allowed.tells(BEN) for _ in range(2)] == [True, False], "one sentence"
    await asyncio.sleep(2)
    assert [allowed.take(BEN) > 0 for _ in range(2)] == [False, True]
    assert allowed.tells(BEN)
