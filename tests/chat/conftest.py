"""A chat: the real shell and the real services over SQLite, in a still market; Telegram is a list of calls."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest_asyncio

from bot.bootstrap import build_services
from bot.chat.application import Link, TelegramShell, build
from bot.chat.notifier import TelegramNotifier
from bot.services import Services
from bot.settings import Settings
from bot.storage import SqlStore
from tests.chat.recording import Call, Json, RecordingRequest, message, tap
from tests.fakes.clock import ManualClock
from tests.fakes.database import sqlite_template, store
from tests.fakes.durable import ManualDurable
from tests.fakes.exchange import ScriptedExchange
from tests.fakes.market import StillMarket
from tests.fakes.telegram_oracle import check_calls
from tests.fakes.vault import OpenVault

__all__ = ["sqlite_template", "store"]

ADA, BOB = 11, 22


@dataclass
class Chat:
    shell: TelegramShell
    link: Link
    telegram: RecordingRequest
    services: Services
    store: SqlStore
    clock: ManualClock
    market: StillMarket
    exchange: ScriptedExchange
    durable: ManualDurable
    vault: OpenVault
    numbers: Any = field(default_factory=lambda: count(1))

    async def handle(self, update: Json) -> list[Call]:
        """Handle one update; the calls that were made for it."""
        before = len(self.telegram.calls)
        await self.shell.handle_update(update)
        return self.telegram.calls[before:]

    async def try_once(self, update: Json) -> list[Call]:
        """Take one update in, and wait until it is over or rests; the calls that were made for it."""
        before = len(self.telegram.calls)
        await self.shell.take_update(update)
        while self.services.inbox._fair._tasks:
            await asyncio.wait(self.services.inbox._fair._tasks)
        return self.telegram.calls[before:]

    async def write(self, text: str, user: int = ADA) -> Call:
        """Write something; the one message that answers it."""
        (answer,) = await self.handle(message(next(self.numbers), user, text))
        assert answer.method == "sendMessage", answer
        return answer

    async def tap(
        self, data: str, message_id: int = 101, user: int = ADA, chat: int | None = None
    ) -> list[Call]:
        return await self.handle(tap(next(self.numbers), user, message_id, data, chat=chat))

    async def work(self) -> None:
        """Let the durable work run to its end, deliveries included."""
        await self.durable.run_all()

    def last_id(self) -> int:
        """The id of the message that was sent last."""
        return 100 + len(self.telegram.of("sendMessage"))


@pytest_asyncio.fixture
async def chat(store: SqlStore) -> AsyncIterator[Chat]:
    clock, market, telegram = ManualClock(), StillMarket(), RecordingRequest()
    exchange, durable, vault = ScriptedExchange(market), ManualDurable(clock), OpenVault()
    link = Link("1:sandbox", "http://telegram.invalid", request=telegram)
    notifier = TelegramNotifier(link.out)
    services = build_services(Settings(), store, market, exchange, vault, notifier, durable, clock)
    shell = build(services, link)
    await shell.start()
    telegram.calls.clear()
    yield Chat(shell, link, telegram, services, store, clock, market, exchange, durable, vault)
    check_calls({"n": n, "method": c.method, "params": c.params} for n, c in enumerate(telegram.calls))
    await shell.stop(grace=0)
