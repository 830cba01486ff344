"""A sandbox on a free port, a real client of python-telegram-bot, and people at their phones."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from starlette.applications import Starlette
from telegram import Bot

from bot.sandbox.app import build_app
from tests.fakes.phone import Driver, Phone
from tests.fakes.sandbox_server import serving

TOKEN = "1:sandbox"


class Clock:
    """The time of day, as many seconds later as a test needs."""

    later = 0.0

    def __call__(self) -> float:
        return time.time() + self.later


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(tmp_path: Path, clock: Clock) -> Starlette:
    return build_app(data=tmp_path / "demo", token=TOKEN, clock=clock, webhook_pause=0.01)


@pytest.fixture
async def address(sandbox: Starlette) -> AsyncIterator[str]:
    async with serving(sandbox) as address:
        yield address


@pytest.fixture
async def http(address: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def driver(http: aiohttp.ClientSession, address: str) -> Driver:
    return Driver(http, address)


@pytest.fixture
async def ada(driver: Driver) -> Phone:
    """Somebody who has started the bot."""
    phone = driver.phone(1)
    await phone.write("/start")
    return phone


@pytest.fixture
async def bot(address: str) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, base_url=f"{address}/bot", base_file_url=f"{address}/file/bot") as bot:
        yield bot
