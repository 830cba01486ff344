"""Server-sent events: what happens in the chats and on the market, for the page to follow."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from bot.sandbox.botapi.methods.profile import commands_for
from bot.sandbox.botapi.state import Json, World
from bot.sandbox.transcript import keyboard_view, message_view

_BACKLOG = 1_000  # events a page may fall behind before it has to connect and load the chat anew
_QUIET_SECONDS = 15.0


class Events:
    """Followers of chats. One that falls too far behind is cut off; it connects again and loads the chat."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._followers: dict[asyncio.Queue[Json | None], int | None] = {}
        world.listeners.append(self._tell)

    def _tell(self, chat_id: int | None, kind: str, detail: Any) -> None:
        for queue, user_id in self._followers.items():
            if chat_id is not None and user_id is not None and user_id != chat_id:
                continue
            event = {"user_id": chat_id, **self._event(kind, detail, user_id)}
            if queue.qsize() < _BACKLOG:
                queue.put_nowait(event)
            elif queue.qsize() == _BACKLOG:
                queue.put_nowait(None)

    def _event(self, kind: str, detail: Any, user_id: int | None) -> Json:
        event: Json = {"kind": kind}
        match kind:
            case "message" | "edit":
                event["message"] = message_view(detail)
            case "delete":
                event["message_id"] = detail
            case "toast":
                event |= {**detail.answer, "message_id": detail.message_id}
            case "pin":
                event["pinned"] = detail.pinned[-1] if detail.pinned else None
            case "keyboard":
                event |= keyboard_view(detail)
            case "typing":
                event["action"] = detail
            case "commands":
                user = self._world.users.get(user_id or 0)
                event["commands"] = commands_for(
                    self._world, user_id or 0, user.language_code if user else ""
                )
            case "users":
                event["id"] = detail.id
        return event

    async def follow(
        self, user_id: int | None, market: Callable[[], Awaitable[Json]] | None, every: float = 1.0
    ) -> AsyncIterator[str]:
        """Events of a user's chat as text lines, and the market about once a second."""
        queue: asyncio.Queue[Json | None] = asyncio.Queue()
        self._followers[queue] = user_id
        loop = asyncio.get_running_loop()
        pause = every if market is not None else _QUIET_SECONDS
        due = loop.time()
        try:
            yield "retry: 1000\n\n"
            while True:
                if loop.time() >= due:
                    yield _lines("market", await market()) if market is not None else ": still here\n\n"
                    due = loop.time() + pause
                try:
                    event = await asyncio.wait_for(queue.get(), max(0.0, due - loop.time()))
                except TimeoutError:
                    continue
                if event is None:
                    return
                yield _lines("chat", event)
        finally:
            del self._followers[queue]


def _lines(name: str, content: Json) -> str:
    return f"event: {name}\ndata: {json.dumps(content, separators=(',', ':'))}\n\n"
