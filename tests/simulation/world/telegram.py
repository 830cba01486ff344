"""Telegram in one process: chats as lists of messages, and a line to it that fails as the weather says."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from telegram.error import TimedOut
from telegram.request import BaseRequest, RequestData

from bot.chat.request import AnswerLost, NotSent
from tests.chat.recording import ME, Call, refused
from tests.simulation.evidence import Said
from tests.simulation.world.weather import Weather

Json = dict[str, Any]


class CaptionMissing(Exception):
    """The message to edit has a text instead."""


@dataclass(slots=True)
class Telegram:
    """What has arrived. `standing`: chat -> message id -> the callback data of its buttons now. Ids count over all
    chats, and what people write takes them too."""

    said: list[Said] = field(default_factory=list)
    standing: dict[int, dict[int, tuple[str, ...]]] = field(default_factory=dict)
    answered: dict[str, list[str]] = field(default_factory=dict)  # taps -> what they were told
    _ids: int = 100

    def next_id(self) -> int:
        self._ids += 1
        return self._ids

    def take(self, call: Call) -> Any:
        """Carry out a call; its result. Raises LookupError for a message that there is not, CaptionMissing for a
        caption of a text."""
        match call.method:
            case "getMe":
                return ME
            case "answerCallbackQuery":
                told = self.answered.setdefault(call.params["callback_query_id"], [])
                told.append(call.text)
                return True
            case "sendMessage" | "editMessageText":
                return self._shown(call)
            case "editMessageCaption":
                self.standing[int(call.params["chat_id"])][int(call.params["message_id"])]
                raise CaptionMissing
        return True

    def _shown(self, call: Call) -> Json:
        chat, edit = int(call.params["chat_id"]), call.method == "editMessageText"
        message = int(call.params["message_id"]) if edit else self.next_id()
        mine = self.standing.setdefault(chat, {})
        if edit:
            del mine[message]  # what was shown last stands last
        data = tuple(str(b["callback_data"]) for b in call.buttons if b.get("callback_data"))
        mine[message] = data
        self.said.append(Said(chat, message, call.text, data, edit))
        return {
            "message_id": message,
            "date": 0,
            "chat": {"id": chat, "type": "private"},
            "text": call.text,
        }


class TelegramLine(BaseRequest):
    """One life's connection to it. `point`: where that life may end."""

    def __init__(self, telegram: Telegram, weather: Weather, point: Callable[[str], Awaitable[None]]) -> None:
        self._telegram, self._weather, self._point = telegram, weather, point

    @property
    def read_timeout(self) -> float | None:
        return 5

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        call = Call(url.rsplit("/", 1)[-1], dict(request_data.parameters) if request_data else {})
        shows = call.method in ("sendMessage", "editMessageText", "editMessageCaption")
        await self._point(f"telegram.{call.method} begins")
        fault = self._weather.at_messenger() if shows or call.method == "answerCallbackQuery" else None
        await asyncio.sleep(self._weather.chance.uniform(0.01, 0.2))
        answer = self._answer(call, fault, shows=shows)
        await self._point(f"telegram.{call.method} ended")
        if fault == "lost":
            raise self._weather.chance.choice((AnswerLost("the answer was lost"), TimedOut()))
        status, body = answer
        return status, json.dumps(body).encode()

    def _answer(self, call: Call, fault: str | None, *, shows: bool) -> tuple[int, Json]:
        chance = self._weather.chance
        if fault == "delayed":
            return refused(429, "Too Many Requests: retry later", retry_after=chance.randint(1, 20))
        if fault == "unreachable":
            raise NotSent("no connection")
        if fault == "blocked" and chance.random() < 0.1:
            return refused(403, "Forbidden: bot was blocked by the user")
        if fault == "gone" and call.method == "editMessageText":
            return refused(400, "Bad Request: message to edit not found")
        try:
            return 200, {"ok": True, "result": self._telegram.take(call)}
        except LookupError:
            return refused(400, "Bad Request: message to edit not found")
        except CaptionMissing:
            return refused(400, "Bad Request: there is no caption in the message to edit")
