"""A sandbox on a free port, a real client of python-telegram-bot, and people at their phones."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from starlette.applications import Starlette
from telegram import Bot
from telegram.request import HTTPXRequest

from bot.sandbox.app import build_app
from tests.fakes.phone import Driver, Phone
from tests.fakes.sandbox_server import serving

TOKEN = "1:sandbox"


class Clock:
    """The time of day, as many seconds later as a test needs; it can be stopped."""

    later = 0.0
    stopped_at: float | None = None

    def __call__(self) -> float:
        return (self.stopped_at or time.time()) + self.later

    def stop(self) -> None:
        self.stopped_at = time.time()


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
    async with client(address) as bot:
        yield bot


def client(address: str) -> Bot:
    """A real client, spared the reading of the world's certificates, which plain HTTP has no use for."""
    requests = [HTTPXRequest(httpx_kwargs={"verify": False}) for _ in range(2)]
    return Bot(
        TOKEN,
        base_url=f"{address}/bot",
        base_file_url=f"{address}/file/bot",
        request=requests[0],
        get_updates_request=requests[1],
    )
