"""Waiting without waiting: the demo's bot has a clock that can be put ahead, so that what takes an hour is seen now.

The market has a clock of its own, and so have the stand-ins of exchanges: neither moves.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.market.clock import parse_span
from bot.sandbox.market.errors import BadCommand

_MOST = timedelta(days=1)


class BotClock:
    """bot.ports.clock.Clock: the machine's, as far ahead as the file says; it is asked each time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._written = -1
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def ahead(self) -> timedelta:
        try:
            written = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return timedelta(0)
        if written != self._written:
            self._ahead, self._written = timedelta(seconds=float(self._file.read_text())), written
        return self._ahead


class Waiting:
    """`POST /sandbox/wait {"for": "1h"}`: that much passes for the bot. Answers `{"ahead_seconds": 3600}`."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def routes(self) -> list[Route]:
        return [Route("/sandbox/wait", self._wait, methods=["POST"])]

    async def _wait(self, request: Request) -> Response:
        try:
            ahead = BotClock(self._file).ahead() + _span(await request.body())
        except BadCommand as error:
            return JSONResponse({"error": str(error)}, 400)
        fresh = self._file.with_suffix(".part")
        fresh.write_text(f"{ahead.total_seconds():g}")
        fresh.replace(self._file)  # whole at once: the bot may be reading it
        return JSONResponse({"ahead_seconds": ahead.total_seconds()})


def _span(raw: bytes) -> timedelta:
    try:
        body: Any = json.loads(raw)
    except ValueError:
        body = None
    if not isinstance(body, dict) or set(body) != {"for"}:
        raise BadCommand('Send how long to wait, such as {"for": "10m"}.')
    span = timedelta(milliseconds=parse_span(body["for"]))
    if span > _MOST:
        raise BadCommand("At most a day can be waited for at once.")
    return span
