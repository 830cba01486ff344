"""The HTTP side of the Bot API: who asks, which method, with what, and the answer or refusal."""

import asyncio
import inspect
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from bot.sandbox.botapi.backend import Backend, Method
from bot.sandbox.botapi.journal import Journal
from bot.sandbox.botapi.media import FileStore
from bot.sandbox.botapi.methods import METHODS
from bot.sandbox.botapi.refusals import Refusal, not_found, unauthorized
from bot.sandbox.botapi.request import Call, read_call, whole
from bot.sandbox.botapi.state import Json, World
from bot.sandbox.botapi.trouble import Faults, Limits
from bot.sandbox.botapi.updates import UpdateQueue
from bot.sandbox.botapi.webhook import WebhookSender

_CALLS_KEPT = 20_000
_FLUSH_SECONDS = 0.2
_DEFAULT_BOT_ID = 1


class BotApi:
    """Telegram for one bot. An ASGI application for `/bot<token>/<method>` and `/file/bot<token>/<path>`.

    `token` None takes any well-formed token. State lives in `data` and is there again after a restart;
    `run` has to be running for it to be saved, and for webhooks. `clock` gives seconds since 1970.
    """

    def __init__(
        self,
        data: Path,
        token: str | None,
        clock: Callable[[], float] = time.time,
        webhook_pause: float = 0.5,
    ) -> None:
        self._token = token
        self._journal = Journal(data / "telegram.sqlite")
        bot_id = int(token.partition(":")[0]) if token else _DEFAULT_BOT_ID
        self.world = World(self._journal, bot_id, clock)
        self.updates = UpdateQueue(self._journal)
        self.files = FileStore(data / "files", self._journal)
        self.webhook = WebhookSender(self.updates, self._journal, self._call_from_webhook, webhook_pause)
        self.backend = Backend(self.world, self.updates, self.files, self.webhook)
        self.faults = Faults()
        self.limits = Limits(clock)
        self.calls: deque[Json] = deque(maxlen=_CALLS_KEPT)
        self._last_call = 0

    async def run(self) -> None:
        """Save the state as it changes and deliver to the webhook, until cancelled; then save the rest."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._flush_often())
                tasks.create_task(self.webhook.run())
        finally:
            self.close()

    def close(self) -> None:
        """Save what is not saved yet; nothing can be changed after that."""
        self._journal.close()

    async def _flush_often(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            self._journal.flush()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path: str = scope["path"]
        if path.startswith("/file/bot"):
            await self._download(path.removeprefix("/file/bot"))(scope, receive, send)
            return
        answer = await self._answer(path, request)
        if answer is not None:
            await answer(scope, receive, send)
            return
        # The call was done, the answer is lost on the way: headers that promise a body, and no body.
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"64")]})

    async def _answer(self, path: str, request: Request) -> Response | None:
        token, _, name = path.removeprefix("/bot").partition("/")
        try:
            self._check(token)
            if request.method not in ("GET", "POST"):
                raise not_found()
            method = METHODS.get(name.lower())
            if method is None:
                raise not_found()
            call = await read_call(method.name, request)
        except Refusal as refusal:
            return _refused(refusal)
        fault = self.faults.next(call) if self.faults.ordered else None
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        try:
            ordered = fault.refusal() if fault is not None else None
            if ordered is not None:
                self._capture(method, call, ordered)
                raise ordered
            async with _watching(request, self.updates) if method.name == "getUpdates" else nullcontext():
                result = await self.perform(method, call)
        except Refusal as refusal:
            answer = _refused(refusal)
        else:
            answer = _json_response({"ok": True, "result": result})
        return None if fault is not None and fault.drop_answer else answer

    async def perform(self, method: Method, call: Call) -> Any:
        """Do what a call asks, and keep the call for those who check it. Raises `Refusal`."""
        try:
            self.limits.check(call)
            result = method.run(self.backend, call)
            if inspect.isawaitable(result):
                result = await result
        except Refusal as refusal:
            self._capture(method, call, refusal)
            raise
        self._capture(method, call, None)
        return result

    async def _call_from_webhook(self, body: Json) -> None:
        """A method in the bot's answer to a webhook. What comes of it is told to nobody, as at Telegram."""
        method = METHODS.get(str(body["method"]).lower())
        if method is None:
            return
        call = Call(method.name, {name: value for name, value in body.items() if name != "method"})
        try:
            await self.perform(method, call)
        except Refusal:
            return  # captured with its reason

    def _capture(self, method: Method, call: Call, refusal: Refusal | None) -> None:
        if method.name == "getUpdates":
            return
        self._last_call += 1
        self.calls.append(
            {
                "n": self._last_call,
                "method": method.name,
                "params": _captured(call),
                "ok": refusal is None,
                "description": refusal.description if refusal else None,
                "unknown": sorted(call.params.keys() - method.parameters),
            }
        )

    def _check(self, token: str) -> None:
        if not token.partition(":")[0].isdecimal():
            raise not_found()
        if self._token is not None and token != self._token:
            raise unauthorized()

    def _download(self, rest: str) -> Response:
        token, _, path = rest.partition("/")
        try:
            self._check(token)
        except Refusal as refusal:
            return _refused(refusal)
        place = self.files.content_path(path)
        return FileResponse(place) if place is not None and place.exists() else _refused(not_found())


@asynccontextmanager
async def _watching(request: Request, updates: UpdateQueue) -> AsyncIterator[None]:
    """End a long poll whose client is gone: what comes next is for the one who polls then."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        updates.end_poll("the client is gone")

    refusal: Refusal | None = None
    async with asyncio.TaskGroup() as tasks:
        watcher = tasks.create_task(watch())
        try:
            yield
        except Refusal as raised:  # kept out of the group, which would wrap it
            refusal = raised
        watcher.cancel()
    if refusal is not None:
        raise refusal


def _captured(call: Call) -> Json:
    """Parameters as they were meant: ids as numbers, JSON parsed, each file by the name of its part."""
    params = {name: _parsed(name, value) for name, value in call.params.items()}
    for part in call.uploads:
        if not any(f"attach://{part}" in str(value) for value in call.params.values()):
            params.setdefault(part, f"attach://{part}")
    return params


def _parsed(name: str, value: Any) -> Any:
    if name in ("chat_id", "message_id"):
        return whole(value) or value
    if not isinstance(value, str) or value[:1] not in ("{", "[") or name in ("text", "caption"):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _json_response(body: Json) -> Response:
    return Response(json.dumps(body, separators=(",", ":")), media_type="application/json")


def _refused(refusal: Refusal) -> Response:
    response = _json_response(refusal.body())
    response.status_code = refusal.code
    if refusal.parameters and "retry_after" in refusal.parameters:
        response.headers["Retry-After"] = str(refusal.parameters["retry_after"])
    return response
