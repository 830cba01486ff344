"""Updates that come and end at the same time share a commit."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import pytest

from bot.ports.errors import Unavailable
from bot.ports.store import TakenUpdate
from bot.services.inbox.commits import Commits
from tests.fakes.clock import NOON, ManualClock


def update(number: int) -> TakenUpdate:
    return TakenUpdate(number, 1, b"{}", NOON)


class Slow:
    """A store whose disk takes a moment. `fails`: so many of its next commits."""

    def __init__(self, fails: int = 0) -> None:
        self.commits: list[tuple[list[int], list[int]]] = []
        self.known: set[int] = set()
        self.fails = fails

    async def settle_updates(
        self, taken: Sequence[TakenUpdate], ended: Collection[int], **_: Any
    ) -> frozenset[int]:
        await asyncio.sleep(0)
        if self.fails:
            self.fails -= 1
            raise Unavailable("the disk is full")
        self.commits.append((sorted(one.id for one in taken), sorted(ended)))
        fresh = frozenset(one.id for one in taken) - self.known
        self.known |= fresh
        return fresh


def commits(store: Any) -> Commits:
    return Commits(store, ManualClock(), "a")


async def test_many_updates_taken_at_once_share_two_commits() -> None:
    store = Slow()
    shared = commits(store)
    fresh = await asyncio.gather(*(shared.take([update(number)]) for number in range(500)))
    assert [set(one) for one in fresh] == [{number} for number in range(500)]
    assert len(store.commits) == 2, "that of the first one, and that of all who came meanwhile"


async def test_the_same_update_twice_in_one_commit_is_new_for_one() -> None:
    shared = commits(Slow())
    fresh = await asyncio.gather(*(shared.take([update(number)]) for number in (1, 7, 7, 7)))
    assert sorted(number for one in fresh for number in one) == [1, 7]


async def test_a_commit_that_fails_fails_only_for_the_one_who_made_it() -> None:
    shared = commits(Slow(fails=1))
    results = await asyncio.gather(
        *(shared.take([update(number)]) for number in range(5)), return_exceptions=True
    )
    assert [type(one) for one in results].count(Unavailable) == 1
    assert [set(one) for one in results if not isinstance(one, BaseException)] == [{1}, {2}, {3}, {4}]


async def test_ends_are_noted_together_with_what_is_taken() -> None:
    store = Slow()
    shared = commits(store)
    for number in (1, 2, 3):
        shared.end(number, soon=False)
    await shared.take([update(4)])
    assert store.commits == [([4], [1, 2, 3])]
    await shared.close()


async def test_an_end_that_cannot_be_noted_is_noted_when_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.services.inbox.commits.TRY_AGAIN_AFTER", 0.0)
    store = Slow(fails=3)
    shared = commits(store)
    shared.end(1, soon=True)
    assert shared.is_over(1)
    await shared.noted(1)
    assert store.commits == [([], [1])]
    assert not shared.is_over(1)
