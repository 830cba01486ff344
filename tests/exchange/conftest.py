"""The exchanges that the contract suite of the port runs over: paper on a simulated market; others join here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from bot.exchange.paper import PaperExchange
from bot.ports.exchange import Exchange
from bot.ports.records import Account, User
from bot.ports.store import Store
from bot.sandbox.market import World, open_world
from tests.fakes.clock import ManualClock
from tests.fakes.database import sqlite_template, store
from tests.fakes.world_feed import WorldFeed

__all__ = ["sqlite_template", "store"]

TODAY = datetime(2025, 6, 1, 9, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A market that stands still; `skip` and `shock` move it."""
    return open_world(tmp_path / "market", today=TODAY, speed=0)


@pytest.fixture
def feed(world: World) -> WorldFeed:
    return WorldFeed(world)


async def paper_account(store: Store, user_id: int) -> Account:
    await store.ensure_user(User(user_id, user_id, f"user {user_id}", TODAY))
    return await store.ensure_account(user_id, "paper", "paper")


@pytest_asyncio.fixture
async def account(store: Store) -> Account:
    return await paper_account(store, 1)


@pytest_asyncio.fixture
async def other_account(store: Store) -> Account:
    return await paper_account(store, 2)


@dataclass(frozen=True, slots=True)
class Venue:
    """An exchange under test. `again` opens the same one anew, as a restarted or another process would."""

    exchange: Exchange
    again: Callable[[], Exchange]


@pytest.fixture(params=["paper"])
def venue(request: pytest.FixtureRequest, feed: WorldFeed, store: Store) -> Venue:
    def opened() -> Exchange:
        return PaperExchange(feed, store, ManualClock(), collateral={"BTC": Decimal(1)})

    return Venue(opened(), opened)
