"""A database that cannot be written: bounded waiting, and nothing is sent without a commit."""

import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from bot.ports.errors import Unavailable
from bot.ports.records import AttemptState
from bot.storage import database as storage
from tests.fakes.database import prepared, sqlite_template
from tests.faults.trading import Trading, trading_on

__all__ = ["sqlite_template"]

_HELD_UP = 1  # seconds that the store waits for a lock in these tests


@pytest_asyncio.fixture
async def ada(
    database: str, tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Trading]:
    ready = prepared(database, sqlite_template)
    monkeypatch.setattr(storage, "LOCK_SECONDS", _HELD_UP)
    async with trading_on("bybit", tmp_path / "market", ready) as trading:
        yield trading


def locked(database: str) -> Any:
    """Somebody else's transaction that lets nobody write to the ledger until it is closed."""
    if database.startswith("sqlite"):
        holder: Any = sqlite3.connect(database.partition("///")[2], isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        return holder
    holder = psycopg.connect(database.replace("postgresql+psycopg://", "postgresql://", 1))
    holder.execute("LOCK TABLE attempt IN EXCLUSIVE MODE")
    return holder


@pytest.mark.fault(31)
async def test_an_order_whose_sending_cannot_be_written_down_is_not_sent(ada: Trading, database: str) -> None:
    await ada.hold(SOL="100")
    card = await ada.tapped()
    holders: list[Any] = []

    def lock_before_the_order(method: str, path: str, moment: str) -> None:
        if path.endswith("set-leverage") and moment == "ended" and not holders:
            holders.append(locked(database))

    ada.moments.append(lock_before_the_order)
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        await ada.durable.run_all()
    assert time.monotonic() - begun < 20
    assert holders, "the lock came too late"
    assert ada.venue.calls["order"] == 0
    assert [a.state for a in await ada.attempts(card)] == [AttemptState.RESERVED]
    holders[0].close()
    outcome = await ada.ended(card)
    assert outcome["status"] == "complete"
    assert len(ada.orders) == 1
    assert len(ada.receipts()) == 1


@pytest.mark.fault(31)
async def test_an_order_whose_answer_cannot_be_written_down_is_looked_up_and_not_sent_again(
    ada: Trading, database: str
) -> None:
    await ada.hold(SOL="100")
    card = await ada.tapped()
    holders: list[Any] = []

    def lock_behind_the_order(method: str, path: str, moment: str) -> None:
        if path.endswith("order/create") and moment == "ended" and not holders:
            holders.append(locked(database))

    ada.moments.append(lock_behind_the_order)
    with pytest.raises(Unavailable):
        await ada.durable.run_all()
    assert [a.state for a in await ada.attempts(card)] == [AttemptState.SENDING]
    holders[0].close()
    outcome = await ada.ended(card)
    assert outcome["status"] == "complete"
    assert len(ada.orders) == 1
    assert ada.venue.calls["order"] == 1
