"""Webhook delivery: each update posted until the bot answers 2xx, in order within a chat."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from bot.sandbox.botapi.journal import Journal
from bot.sandbox.botapi.updates import Json, UpdateQueue

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_PATIENCE = aiohttp.ClientTimeout(total=60)


class WebhookSender:
    """Sends pending updates to the bot's webhook while one is set.

    Updates of one chat go one after another; up to `max_connections` chats at once. What the bot answers
    with a method in its body is called as if it had been asked for.
    """

    def __init__(
        self,
        updates: UpdateQueue,
        journal: Journal,
        call: Callable[[Json], Awaitable[None]],
        first_pause: float = _FIRST_PAUSE,
    ) -> None:
        self._updates = updates
        self._journal = journal
        self._call = call
        self._first_pause = first_pause
        self._settings: Json | None = None
        self._error: tuple[int, str] | None = None
        self._woken = asyncio.Event()
        self._changed = asyncio.Event()
        updates.wake_webhook = self._woken.set
        for _, record in journal.read("webhook"):
            self._settings = record

    @property
    def is_set(self) -> bool:
        return self._settings is not None

    def set(self, settings: Json | None) -> None:
        if settings == self._settings:
            return
        self._settings = settings
        self._error = None
        self._journal.put("webhook", 0, lambda: settings)
        self._changed.set()

    def info(self) -> Json:
        settings = self._settings or {"url": ""}
        info: Json = {
            "url": settings["url"],
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates.pending),
        }
        if self.is_set:
            info |= {"max_connections": settings["max_connections"], "ip_address": "127.0.0.1"}
        if self._error:
            info |= {"last_error_date": self._error[0], "last_error_message": self._error[1]}
        if self._updates.allowed:
            info["allowed_updates"] = sorted(self._updates.allowed)
        return info

    async def run(self) -> None:
        """Deliver for as long as the sandbox lives; a change of the webhook drops what is under way."""
        while True:
            self._changed.clear()
            async with asyncio.TaskGroup() as tasks:
                delivery = tasks.create_task(self._deliver(self._settings)) if self._settings else None
                await self._changed.wait()
                if delivery is not None:
                    delivery.cancel()

    async def _deliver(self, settings: Json) -> None:
        lanes: dict[int, list[Json]] = {}
        taken: set[int] = set()
        places = asyncio.Semaphore(settings["max_connections"])
        async with aiohttp.ClientSession(timeout=_PATIENCE) as session, asyncio.TaskGroup() as lane_tasks:

            async def empty(chat_id: int) -> None:
                lane = lanes[chat_id]
                while lane:
                    async with places:
                        await self._send_until_taken(session, settings, lane[0])
                    taken.discard(lane.pop(0)["update_id"])
                del lanes[chat_id]

            while True:
                self._woken.clear()
                fresh = [u for u in self._updates.pending.values() if u["update_id"] not in taken]
                for update in (*fresh, *self._updates.take_again()):
                    taken.add(update["update_id"])
                    chat_id = _chat_of(update)
                    if chat_id in lanes:
                        lanes[chat_id].append(update)
                    else:
                        lanes[chat_id] = [update]
                        lane_tasks.create_task(empty(chat_id))
                await self._woken.wait()

    async def _send_until_taken(self, session: aiohttp.ClientSession, settings: Json, update: Json) -> None:
        pause = self._first_pause
        headers = {"Content-Type": "application/json"}
        if settings["secret_token"]:
            headers["X-Telegram-Bot-Api-Secret-Token"] = settings["secret_token"]
        body = json.dumps(update).encode()
        while True:
            try:
                async with session.post(settings["url"], data=body, headers=headers) as response:
                    answer = await response.read()
                    if 200 <= response.status < 300:
                        self._updates.confirm(update["update_id"])
                        await self._call_answered(answer)
                        return
                    self._failed(f"Wrong response from the webhook: {response.status} {response.reason}")
            except TimeoutError:
                self._failed("Read timeout expired")
            except aiohttp.ClientError as error:
                self._failed(f"Connection failed: {type(error).__name__}")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _failed(self, message: str) -> None:
        self._error = (int(time.time()), message)

    async def _call_answered(self, answer: bytes) -> None:
        try:
            body: Any = json.loads(answer) if answer.strip() else None
        except ValueError:
            return
        if isinstance(body, dict) and isinstance(body.get("method"), str):
            await self._call(body)


def _chat_of(update: Json) -> int:
    for content in update.values():
        if isinstance(content, dict):
            message = content.get("message", content)
            return int(message.get("chat", content.get("from", {})).get("id", 0))
    return 0
