"""The whole way by webhook: a phone, Telegram's Bot API on a loopback port, our listener, the shell, the services."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.chat.application import Link, TelegramShell, build
from bot.sandbox.app import build_app as build_sandbox
from bot.web.app import build_app
from tests.chat.conftest import Chat, chat
from tests.fakes.database import sqlite_template, store
from tests.fakes.phone import Driver
from tests.fakes.sandbox_server import serving

__all__ = ["chat", "sqlite_template", "store"]


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[str]:
    sandbox = build_sandbox(data=tmp_path / "sandbox", token="1:sandbox", page=None, webhook_pause=0.01)
    async with serving(sandbox) as address:
        yield address


@pytest.fixture
async def driver(telegram: str) -> AsyncIterator[Driver]:
    async with aiohttp.ClientSession() as http:
        yield Driver(http, telegram)


@pytest.fixture
async def shell(chat: Chat, telegram: str) -> AsyncIterator[TelegramShell]:
    shell = build(chat.services, Link("1:sandbox", telegram))
    async with serving(build_app(shell, chat.store, secret="a-secret")) as listener:
        await shell.start(webhook_url=f"{listener}/webhook", webhook_secret="a-secret")
        yield shell
    await shell.stop()


async def said_to(driver: Driver, user: int, number: int = 1) -> list[str]:
    """What the bot has said to somebody, once there are so many messages."""
    async with asyncio.timeout(30):
        while True:
            said = [m["text"] for m in await driver.phone(user).messages() if m["from"] == "bot"]
            if len(said) >= number:
                return said
            await asyncio.sleep(0.02)


async def test_many_people_are_answered_by_webhook(shell: TelegramShell, driver: Driver) -> None:
    for user in range(1, 11):
        await driver.phone(user).write("/ping")
    for user in range(1, 11):
        assert await said_to(driver, user) == ["pong"]


async def test_an_update_that_could_not_be_stored_comes_again_and_is_neither_done_nor_answered_twice(
    shell: TelegramShell, chat: Chat, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = type(chat.store).settle_updates, iter([OSError("disk full")] * 2)

    async def fails_twice(*args: Any, **more: Any) -> Any:
        for failure in failures:
            raise failure
        return await real(*args, **more)

    monkeypatch.setattr(type(chat.store), "settle_updates", fails_twice)
    await driver.phone(1).write("/add SOL 100")
    await driver.phone(1).write("/ping")
    added, pong = await said_to(driver, 1, 2)
    assert "SOL" in added
    assert pong == "pong"
    (holding,) = await chat.store.holdings(1)
    assert holding.amount == 100
