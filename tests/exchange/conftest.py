"""The exchanges that the contract suite of the port runs over: paper, and every stand-in of a real one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from bot.ports.records import Account, User
from bot.ports.store import Store
from bot.sandbox.exchanges import VENUES
from bot.sandbox.market import World, open_world
from tests.exchange.venues import Venue, loopback_venue, paper_venue
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


@pytest_asyncio.fixture(params=["paper", *VENUES])
async def venue(
    request: pytest.FixtureRequest, world: World, feed: WorldFeed, store: Store
) -> AsyncIterator[Venue]:
    if request.param == "paper":
        yield paper_venue(world, feed, store)
        return
    async with loopback_venue(request.param, world) as opened:
        yield opened


@pytest_asyncio.fixture(params=list(VENUES))
async def live(request: pytest.FixtureRequest, world: World) -> AsyncIterator[Venue]:
    """A stand-in of each real exchange."""
    async with loopback_venue(request.param, world) as opened:
        yield opened
