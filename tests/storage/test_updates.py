"""Updates that finish at the same time."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import pytest

from bot.ports.errors import Unavailable
from bot.storage import SqlStore
from tests.fakes.clock import NOON


async def test_many_updates_finished_at_once_are_all_remembered(store: SqlStore) -> None:
    await asyncio.gather(*(store.finish_update(number, NOON) for number in range(500)))
    assert all([await store.update_done(number) for number in range(500)])
    assert not await store.update_done(500)


async def test_a_commit_that_fails_fails_only_for_the_one_who_made_it(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = store._write_finished, iter([Unavailable("the disk is full")])

    async def fails_once(finished: Mapping[int, datetime]) -> None:
        for failure in failures:
            await asyncio.sleep(0)
            raise failure
        await real(finished)

    monkeypatch.setattr(store, "_write_finished", fails_once)
    results = await asyncio.gather(*(store.finish_update(n, NOON) for n in range(5)), return_exceptions=True)
    failed = [number for number, result in enumerate(results) if result is not None]
    assert len(failed) == 1
    for number in range(5):
        assert await store.update_done(number) is (number not in failed)
