"""Updates while they wait: who has them, in what form they are stored, and what is left of them afterwards."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.ports.store import TakenUpdate
from bot.storage import SqlStore, open_store
from bot.storage.updates import HELD
from tests.fakes.clock import NOON
from tests.fakes.database import is_over, prepared, sqlite_address

ANN, BEN = 1, 2
LONG_AGO = NOON - timedelta(days=1)


def update(number: int, lane: int = ANN, content: bytes = b"{}") -> TakenUpdate:
    return TakenUpdate(number, lane, content, NOON, NOON - timedelta(seconds=number))


def ids(updates: object) -> list[int]:
    assert isinstance(updates, list)
    return [one.id for one in updates]


async def taken(store: SqlStore, *updates: TakenUpdate, by: str = "a", now: datetime = NOON) -> set[int]:
    return set(await store.settle_updates(updates, [], by=by, now=now))


async def claimed(
    store: SqlStore, *, by: str = "a", now: datetime = NOON, own: bool = False
) -> list[TakenUpdate]:
    return list(await store.claim_updates(by=by, now=now, stale=now - HELD, own=own))


async def test_an_update_is_new_once(store: SqlStore) -> None:
    assert await taken(store, update(1), update(2)) == {1, 2}
    assert await taken(store, update(2), update(3)) == {3}


async def test_the_next_life_of_a_replica_finds_what_the_last_one_had_not_ended_in_order(
    store: SqlStore,
) -> None:
    await taken(store, *(update(number) for number in (3, 1, 2)))
    await store.settle_updates([], [2], by="a", now=NOON)
    assert await claimed(store) == [], "it has them in hand"
    left = await claimed(store, own=True)
    assert left == [update(1), update(3)]
    assert await is_over(store, 2)


async def test_what_has_ended_is_recognised_and_forgotten_after_a_week(store: SqlStore) -> None:
    await taken(store, update(1), update(2))
    await store.settle_updates([], [1], by="a", now=NOON)
    assert await taken(store, update(1)) == set()
    assert await store.forget_updates(before=NOON + timedelta(days=7)) == 1
    assert await taken(store, update(1)) == {1}
    assert await taken(store, update(2)) == set(), "it still waits"


async def test_two_replicas_never_have_the_same_update(store: SqlStore) -> None:
    assert await taken(store, update(1), by="a") == {1}
    assert await taken(store, update(1), by="b") == set()
    assert await claimed(store, by="b", own=True) == []


async def test_what_a_silent_replica_has_is_taken_over_after_a_while(store: SqlStore) -> None:
    await taken(store, update(1), update(2), by="a")
    assert await claimed(store, by="b", now=NOON + HELD) == []
    later = NOON + HELD + timedelta(seconds=1)
    assert ids(await claimed(store, by="b", now=later)) == [1, 2]
    assert await store.hold_updates(by="a", now=later) == set(), (
        "so the first one knows, when it is awake again"
    )


async def test_a_replica_that_is_heard_of_keeps_what_it_has(store: SqlStore) -> None:
    await taken(store, update(1), by="a")
    assert await store.hold_updates(by="a", now=NOON + HELD) == {1}
    assert await claimed(store, by="b", now=NOON + HELD + timedelta(seconds=1)) == []


async def test_a_chats_updates_go_to_the_replica_that_is_at_work_on_it(store: SqlStore) -> None:
    assert await taken(store, update(1, ANN), by="a") == {1}
    assert await taken(store, update(2, ANN), update(3, BEN), by="b") == {3}
    assert ids(await claimed(store, by="a")) == [2]
    await store.settle_updates([], [1, 2], by="a", now=NOON)
    assert await taken(store, update(4, ANN), by="b") == {4}, "nobody is at work on it any more"


async def test_what_was_handed_to_a_replica_that_then_died_goes_to_another(store: SqlStore) -> None:
    await taken(store, update(1), by="a")
    await taken(store, update(2), by="b")
    assert ids(await claimed(store, by="b", now=NOON + HELD + timedelta(seconds=1))) == [1, 2]


async def test_what_a_stopping_replica_leaves_is_there_for_anybody_at_once(store: SqlStore) -> None:
    await taken(store, update(1), by="a")
    await store.release_updates(by="a")
    assert ids(await claimed(store, by="b")) == [1]


async def test_tries_are_counted_over_lives(store: SqlStore) -> None:
    await taken(store, update(1))
    for tries in range(3):
        (left,) = await claimed(store, own=True)
        assert left.tries == tries
        await store.begin_again(1)


@pytest.mark.fault(44)
async def test_what_somebody_wrote_is_never_in_the_database_in_the_open(
    tmp_path: Path, sqlite_template: Path
) -> None:
    address = prepared(sqlite_address(tmp_path / "sealed.sqlite"), sqlite_template)
    store = open_store(address, token="1:token")
    await taken(store, update(1, content=b'{"text":"my canary key"}'))
    files = _contents(tmp_path)
    assert len(files) > 1, "the log beside the file is looked at too"
    assert not any(b"canary" in content for content in files)
    await store.close()

    other = open_store(address, token="1:token")
    (left,) = await claimed(other, own=True)
    assert left.content == b'{"text":"my canary key"}', "the next life opens it"
    await other.close()

    stranger = open_store(address, token="2:another")
    (left,) = await claimed(stranger, own=True)
    assert left.content == b"", "without the token nobody does"
    await stranger.close()


async def test_nothing_of_the_content_is_left_when_it_has_ended(store: SqlStore) -> None:
    await taken(store, update(1, content=b"words"))
    await store.settle_updates([], [1], by="a", now=NOON)
    async with store._database.read() as connection:
        row = (await connection.exec_driver_sql("SELECT content, owner, held_at, since FROM inbox")).one()
    assert tuple(row) == (None, None, None, None)


def _contents(folder: Path) -> list[bytes]:
    return [one.read_bytes() for one in folder.iterdir()]
