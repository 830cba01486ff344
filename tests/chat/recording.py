"""Telegram played by a list: every call is kept, and answered as Telegram would or as the test scripts it."""

import json
from dataclasses import dataclass
from typing import Any

from telegram.request import BaseRequest, RequestData

Json = dict[str, Any]

ME = {"id": 1, "is_bot": True, "first_name": "Hedgehog", "username": "hedgehog_bot"}


@dataclass(frozen=True)
class Call:
    method: str
    params: Json

    @property
    def text(self) -> str:
        return str(self.params.get("text", ""))

    @property
    def buttons(self) -> list[Json]:
        return [
            button for row in self.params.get("reply_markup", {}).get("inline_keyboard", []) for button in row
        ]

    def data(self, text: str) -> str:
        """The callback data of the button whose text begins so."""
        return next(str(b["callback_data"]) for b in self.buttons if b["text"].startswith(text))


class RecordingRequest(BaseRequest):
    """`script`: method -> answers of its next calls, each (status, body) or an exception to raise; None: as usual."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.script: dict[str, list[tuple[int, Json] | Exception | None]] = {}
        self._messages = 100

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
        self.calls.append(call)
        scripted = self.script.get(call.method)
        answer = scripted.pop(0) if scripted else None
        if isinstance(answer, Exception):
            raise answer
        status, body = answer or (200, {"ok": True, "result": self._result(call)})
        return status, json.dumps(body).encode()

    def _result(self, call: Call) -> Any:
        if call.method == "getMe":
            return ME
        if call.method not in ("sendMessage", "editMessageText"):
            return True
        message_id = call.params.get("message_id")
        if message_id is None:
            self._messages += 1
            message_id = self._messages
        chat = {"id": call.params["chat_id"], "type": "private"}
        return {"message_id": message_id, "date": 0, "chat": chat, "text": call.text}

    def of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]


def refused(status: int, description: str, **parameters: Any) -> tuple[int, Json]:
    """An error answer of the Bot API."""
    body: Json = {"ok": False, "error_code": status, "description": description}
    return status, body | ({"parameters": parameters} if parameters else {})


def message(
    update_id: int,
    user: int,
    text: str | None,
    *,
    chat: int | None = None,
    kind: str = "private",
    **more: Any,
) -> Json:
    """An update with a message; a command in it is marked as Telegram marks it."""
    written: Json = {
        "message_id": 1000 + update_id,
        "date": 1,
        "chat": {"id": chat or user, "type": kind, "title": "A group"},
        "from": {"id": user, "is_bot": False, "first_name": f"User {user}"},
        **more,
    }
    if text is not None:
        written["text"] = text
        if text.startswith("/"):
            written["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
    return {"update_id": update_id, "message": written}


def tap(
    update_id: int, user: int, message_id: int, data: str, *, chat: int | None = None, kind: str = "private"
) -> Json:
    """An update with a tap of `user` on a button in `chat` (their own unless said otherwise)."""
    shown = {
        "message_id": message_id,
        "date": 1,
        "chat": {"id": chat or user, "type": kind, "title": "A group"},
    }
    sender = {"id": user, "is_bot": False, "first_name": f"User {user}"}
    query = {"id": f"tap{update_id}", "from": sender, "message": shown, "chat_instance": "1", "data": data}
    return {"update_id": update_id, "callback_query": query}
