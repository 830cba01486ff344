"""The page in a real browser over the real sandbox, with a bot that does what the test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, async_playwright

from bot.sandbox.app import build_app
from bot.sandbox.exchanges.control import Exchanges
from bot.sandbox.market import market_json, open_world, routes
from bot.sandbox.waiting import Waiting
from tests.conftest import QUIET_CHROMIUM
from tests.fakes.sandbox_server import serving

Json = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    """One browser for all tests of a module; each opens a page, with cookies and storage, of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(QUIET_CHROMIUM))
        try:
            yield browser
        finally:
            await browser.close()


class FakeBot:
    """A bot in the test's hands: it calls the Bot API over HTTP, as any bot would."""

    def __init__(self, http: aiohttp.ClientSession, address: str) -> None:
        self._http, self._address = http, address
        self._offset = 0

    async def call(self, method: str, **params: Any) -> Any:
        async with self._http.post(f"{self._address}/bot1:sandbox/{method}", json=params) as response:
            answer = await response.json()
        assert answer["ok"], f"{method}: {answer}"
        return answer["result"]

    async def upload(self, method: str, kind: str, name: str, content: bytes, **params: str) -> Any:
        form = aiohttp.FormData(params)
        form.add_field(kind, content, filename=name)
        async with self._http.post(f"{self._address}/bot1:sandbox/{method}", data=form) as response:
            answer = await response.json()
        assert answer["ok"], f"{method}: {answer}"
        return answer["result"]

    async def say(self, text: str, user: int = 1, **params: Any) -> int:
        """Send a message; gives its id."""
        message = await self.call("sendMessage", chat_id=user, text=text, **params)
        return int(message["message_id"])

    async def update(self, kind: str) -> Json:
        """The next update of this kind; others before it are passed over."""
        while True:
            updates = await self.call("getUpdates", offset=self._offset, timeout=10, limit=1)
            assert updates, f"no {kind} came within ten seconds"
            self._offset = updates[0]["update_id"] + 1
            if kind in updates[0]:
                content: Json = updates[0][kind]
                return content


@dataclass(slots=True)
class Phone:
    """A page open at one person's chat. `hedges` is what the market panel is told of."""

    page: Page
    bot: FakeBot
    address: str
    hedges: list[Json]
    complaints: list[str] = field(default_factory=list)

    def at(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    def message(self, message_id: int) -> Locator:
        return self.page.locator(f'[data-message-id="{message_id}"]')

    async def write(self, text: str) -> Json:
        """Type and send; gives the message as the bot hears of it."""
        await self.at("composer").fill(text)
        await self.at("send").click()
        return await self.bot.update("message")


@contextlib.asynccontextmanager
async def phone(
    browser: Browser,
    data: Path,
    *,
    width: int = 1280,
    height: int = 860,
    started: bool = True,
    market: bool = False,
    **context: Any,
) -> AsyncIterator[Phone]:
    """Open the page. `started`: /start has been sent already, so that the field is there. `market`: there is one.

    In the end the browser must have had nothing to complain of, and have asked no other host for anything.
    """
    hedges: list[Json] = []

    async def told() -> list[Json]:
        return hedges

    telegram = data / "telegram"
    if market:
        world = open_world(data / "market", speed=0)
        app = build_app(
            data=telegram,
            token="1:sandbox",
            market_routes=[
                *routes(world, told),
                *Exchanges(world).routes(),
                *Waiting(data / "clock.txt").routes(),
            ],
            market_json=lambda: market_json(world, told),
        )
    else:
        app = build_app(data=telegram, token="1:sandbox")
    async with serving(app) as address, aiohttp.ClientSession() as http:
        page = await browser.new_page(viewport={"width": width, "height": height}, **context)
        shown = Phone(page, FakeBot(http, address), address, hedges)

        def on_console(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                shown.complaints.append(message.text)

        def on_request(request: Request) -> None:
            if not request.url.startswith((address, "data:", "blob:")):
                shown.complaints.append(f"asked another host: {request.url}")

        page.on("console", on_console)
        page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        page.on("request", on_request)
        await page.goto(address)
        await page.get_by_text("bot", exact=True).wait_for()
        if started:
            await shown.at("start").click()
            await shown.bot.update("message")
            await shown.page.locator("[data-message-id]").first.wait_for()
        yield shown
        await page.close()
        assert shown.complaints == []


class Wire:
    """A connection to `address` that can be cut and mended: it carries bytes from a port of its own."""

    def __init__(self, address: str) -> None:
        self._port = int(address.rpartition(":")[2])
        self._server: asyncio.Server | None = None
        self._own_port = 0
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._own_port}"

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._own_port)
        self._own_port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._open |= {writer, far_writer}
        try:
            await asyncio.gather(_pour(reader, far_writer), _pour(far_reader, writer))
        finally:
            self._open -= {writer, far_writer}


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
