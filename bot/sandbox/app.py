"""The sandbox as one web application: Telegram's Bot API, the driver, the page and the market."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from bot.sandbox.botapi import BotApi
from bot.sandbox.driver import Driver
from bot.sandbox.loopback import LoopbackOnly

Json = dict[str, Any]

_PAGE = Path(__file__).parent / "page"


def build_app(
    *,
    data: Path,
    token: str | None,
    market_routes: Sequence[BaseRoute] = (),
    market_json: Callable[[], Awaitable[Json]] | None = None,
    page: Path | None = _PAGE,
    clock: Callable[[], float] = time.time,
    webhook_pause: float = 0.5,
) -> Starlette:
    """The sandbox over the state in the folder `data`, which is made where it is missing.

    `token` is the only bot token that is let in (None: any). `market_routes` are served as they are.
    `market_json` gives what the page gets about once a second as `market` event. `page` is the folder of the
    page, served at `/`. `clock` gives seconds since 1970; `webhook_pause` is the first pause before a webhook
    is tried again, in seconds.

    `app.state.api` is the `BotApi`. The application saves its state when its lifespan ends.
    """
    api = BotApi(data, token, clock, webhook_pause)
    routes: list[BaseRoute] = [_BotApiRoute(api), *Driver(api, market_json).routes(), *market_routes]
    if page is not None:
        routes.append(Mount("/", _Page(directory=page, html=True)))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(api.run())
            yield
            running.cancel()

    app = Starlette(routes=routes, middleware=[Middleware(LoopbackOnly)], lifespan=lifespan)
    app.state.api = api
    return app


class _BotApiRoute(BaseRoute):
    """Takes `/bot<token>/…` and `/file/bot<token>/…`, whatever stands behind."""

    def __init__(self, api: BotApi) -> None:
        self._api = api

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        is_ours = scope["type"] == "http" and scope["path"].startswith(("/bot", "/file/bot"))
        return (Match.FULL if is_ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._api(scope, receive, send)


class _Page(StaticFiles):
    """The page, asked for anew each time, so that an update of the program is seen at once; no frame for others."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Frame-Options"] = "DENY"
        return response
