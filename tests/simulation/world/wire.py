"""The network in one process: what ccxt asks reaches a stand-in's ASGI application without a socket, or does not.

The judging above it is the bot's own (bot.exchange.ccxt_wire): only the session under it is another. A request is the
network's, not the caller's: it goes on when the caller has given up or has died.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, cast

import aiohttp
import yarl
from multidict import CIMultiDict
from starlette.applications import Starlette

from bot.exchange.ccxt_wire import Wire
from bot.ports.clock import Clock
from tests.simulation.world.weather import Weather, is_signed

Scope = MutableMapping[str, Any]


class Answer:
    """The part of an aiohttp response that the wire reads."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status, self.reason, self._body = status, "", body
        self.headers = CIMultiDict(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in headers
        )

    async def text(self, errors: str = "strict") -> str:
        if len(self._body) < int(self.headers.get("Content-Length", "0")):
            raise aiohttp.ClientPayloadError("the answer ended in the middle")
        return self._body.decode(errors=errors)

    def release(self) -> None:
        """Nothing is held."""


class Network:
    """Between every life of the bot and the exchanges."""

    def __init__(
        self, app: Starlette, weather: Weather, spawn: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self._app, self._weather, self._spawn = app, weather, spawn

    async def request(self, method: str, url: yarl.URL, headers: dict[str, str], body: bytes) -> Answer:
        """Raises what aiohttp raises; waits for ever where a caller's own time-out must end it."""
        way = self._weather.way(method, signed=is_signed(headers.values()))
        if way.refused:
            raise aiohttp.ClientConnectorError(cast("Any", _Nowhere), OSError("refused"))
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if way.arrives:
            self._spawn(self._serve(method, url, headers, body, way.there, done))
        if way.breaks is not None:
            await asyncio.sleep(way.breaks)
            raise aiohttp.ServerDisconnectedError
        if not way.answered:
            await asyncio.Event().wait()
        answer = await done
        await asyncio.sleep(way.back)
        return answer

    async def _serve(
        self,
        method: str,
        url: yarl.URL,
        headers: dict[str, str],
        body: bytes,
        after: float,
        done: asyncio.Future[Answer],
    ) -> None:
        await asyncio.sleep(after)
        answer = await ask(self._app, method, url, headers, body)
        if not done.done():
            done.set_result(answer)


async def ask(app: Starlette, method: str, url: yarl.URL, headers: dict[str, str], body: bytes) -> Answer:
    """One request to an ASGI application."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "server": (url.host, 443),
        "path": f"/{url.host}{url.path}",
        "raw_path": f"/{url.host}{url.raw_path}".encode(),
        "query_string": url.raw_query_string.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    told: list[Any] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message)

    await app(scope, receive, send)
    begun = next(m for m in told if m["type"] == "http.response.start")
    whole = b"".join(m.get("body", b"") for m in told if m["type"] == "http.response.body")
    return Answer(begun["status"], list(begun["headers"]), whole)


class _Nowhere:
    """What aiohttp's connector error wants to name."""

    host, port, ssl, is_ssl = "exchange", 443, True, True


class InProcessWire(Wire):
    """bot.exchange.ccxt_wire.Wire over a network in this process. `point`: where the life may end."""

    def __init__(self, clock: Clock, network: Network, point: Callable[[str], Awaitable[None]]) -> None:
        super().__init__(clock)
        self._network, self._point = network, point

    @property
    def session(self) -> Any:
        return self

    async def request(
        self,
        method: str,
        url: yarl.URL,
        *,
        allow_redirects: bool = True,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout: aiohttp.ClientTimeout | None = None,
        **_others: Any,
    ) -> Answer:
        if allow_redirects:
            raise AssertionError("a redirect would be followed")
        await self._point(f"{method} {url.path} begins")
        async with asyncio.timeout(timeout.total if timeout else None):
            answer = await self._network.request(method, url, headers or {}, data or b"")
        await self._point(f"{method} {url.path} ended")
        return answer

    async def close(self) -> None:
        """Nothing is open."""
