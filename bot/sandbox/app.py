"""The sandbox as one web application: Telegram's Bot API, the driver, the page and the market."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from bot.sandbox.botapi import BotApi
from bot.sandbox.driver import Driver
from bot.sandbox.loopback import LoopbackOnly

Json = dict[str, Any]

_PAGE = Path(__file__).parent / "page"


class _BotApiRoute(BaseRoute):
    """Takes `/bot<token>/…` and `/file/bot<token>/…`: a token may hold what a path pattern would split."""

    def __init__(self, api: BotApi) -> None:
        self._api = api

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        is_ours = scope["type"] == "http" and scope["path"].startswith(("/bot", "/file/bot"))
        return (Match.FULL if is_ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._api(scope, receive, send)


def build_app(
    *,
    data: Path,
    token: str | None,
    market_routes: Sequence[BaseRoute] = (),
    hedges: Callable[[], Awaitable[list[Json]]] | None = None,
    market_json: Callable[[], Awaitable[Json]] | None = None,
    page: Path | None = _PAGE,
    clock: Callable[[], float] = time.time,
    webhook_pause: float = 0.5,
) -> Starlette:
    """The sandbox over the state in the folder `data`, which is made where it is missing.

    `token` is the only bot token that is let in (None: any). `market_routes` are served as they are, before
    the page. `market_json` gives the body of `GET /sandbox/market`, which the page also gets about once a
    second as an event; `hedges`, where given, fills its `"hedges"`. `page` is the folder of the page, served at
    `/` and `/page/…`. `clock` gives seconds since 1970; `webhook_pause` is the first pause before a webhook is
    tried again, in seconds.

    `app.state.api` is the `BotApi`. The application saves its state when its lifespan ends.
    """
    api = BotApi(data, token, clock, webhook_pause)
    market = _with_hedges(market_json, hedges)
    routes: list[BaseRoute] = [_BotApiRoute(api), *Driver(api, market).routes(), *market_routes]
    if market is not None:
        routes.append(Route("/sandbox/market", _serving(market), methods=["GET"]))
    if page is not None and page.is_dir():
        routes.append(Route("/", _index(page)))
        routes.append(Mount("/page", StaticFiles(directory=page)))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(api.run())
            yield
            running.cancel()

    app = Starlette(routes=routes, middleware=[Middleware(LoopbackOnly)], lifespan=lifespan)
    app.state.api = api
    return app


def _with_hedges(
    market_json: Callable[[], Awaitable[Json]] | None, hedges: Callable[[], Awaitable[list[Json]]] | None
) -> Callable[[], Awaitable[Json]] | None:
    if market_json is None or hedges is None:
        return market_json

    async def market() -> Json:
        return {**await market_json(), "hedges": await hedges()}

    return market


def _serving(market: Callable[[], Awaitable[Json]]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return JSONResponse(await market())

    return serve


def _index(page: Path) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return FileResponse(page / "index.html")

    return serve
