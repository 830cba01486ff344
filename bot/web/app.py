"""Webhooks, health and metrics over HTTP."""

import asyncio
import hmac
import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.metrics import UPDATES
from bot.ports.errors import PortError

log = logging.getLogger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
_LARGEST_UPDATE = 1 << 20
BODY_SECONDS = 10.0  # for the whole of it
_LATE_AFTER_TICKS = 5


class Updates(Protocol):
    """Takes an update in and comes back when it is stored."""

    @property
    def ready(self) -> bool: ...

    async def take_update(self, update: Mapping[str, Any]) -> None: ...


class Database(Protocol):
    async def ping(self) -> None:
        """Raises a PortError when it cannot be read."""
        ...


def build_app(
    updates: Updates,
    database: Database,
    *,
    secret: str = "",
    last_tick: Callable[[], datetime | None] | None = None,
    tick_seconds: float = 60,
) -> Starlette:
    """POST /webhook (only with a secret), GET /healthz, GET /metrics.

    `last_tick`: when the watch last finished a round, None while it has not; without it health tells of no tick.
    """

    async def webhook(request: Request) -> Response:
        if not secret or not hmac.compare_digest(
            request.headers.get(SECRET_HEADER, "").encode(), secret.encode()
        ):
            return PlainTextResponse("the secret token is missing or wrong", 401)
        if not updates.ready:
            return PlainTextResponse("not ready", 503)
        update = await _update(request)
        if isinstance(update, Response):
            return update
        try:
            await updates.take_update(update)
        except Exception:  # not stored: Telegram delivers it again
            log.exception("update %s could not be stored", update.get("update_id"))
            return PlainTextResponse("not stored", 500)
        return PlainTextResponse("ok")

    async def health(_: Request) -> Response:
        told: dict[str, object] = {"database": "ok", "telegram": "ok" if updates.ready else "away"}
        well = True
        try:
            await database.ping()
        except PortError as failure:
            told["database"], well = str(failure), False
        if last_tick is not None:
            ticked = last_tick()
            late = ticked is not None and datetime.now(UTC) - ticked > timedelta(
                seconds=_LATE_AFTER_TICKS * tick_seconds
            )
            told["last_tick"], well = ticked.isoformat() if ticked else None, well and not late
        return JSONResponse({"status": "ok" if well else "failing", **told}, 200 if well else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/webhook", webhook, methods=["POST"]),
            Route("/healthz", health),
            Route("/metrics", metrics),
        ]
    )


async def _update(request: Request) -> Mapping[str, Any] | Response:
    """The update in the body, or why there is none."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LARGEST_UPDATE:
                    return PlainTextResponse("too large", 413)
        update = json.loads(body)
    except TimeoutError:
        return PlainTextResponse("too slow", 408, {"Connection": "close"})
    except ClientDisconnect:
        return PlainTextResponse("cut off", 400)
    except ValueError:
        return PlainTextResponse("not JSON", 400)
    except RecursionError:
        return _passed("nested too deeply")
    if isinstance(update, dict) and _is_number(update.get("update_id")):
        return update
    return _passed("not an update")


def _passed(why: str) -> Response:
    """Nobody can ever handle it. With any other answer Telegram would bring it again and again."""
    log.error("an update is passed over: %s", why)
    UPDATES.labels("unreadable").inc()
    return PlainTextResponse(why)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63
