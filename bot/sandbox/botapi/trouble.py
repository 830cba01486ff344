"""Trouble on purpose: faults ordered through the driver, and Telegram's limits where they are switched on."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.botapi.refusals import Refusal, forbidden, too_many_requests
from bot.sandbox.botapi.request import Call

Json = dict[str, Any]

_WORDS = {
    400: "Bad Request: ordered by the driver",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class MistakenOrder(Exception):
    """A fault or limit that the driver was asked for makes no sense; the text says why."""


@dataclass(slots=True)
class Fault:
    """The next calls of a method go wrong: refused with an error, answered late, or done and not answered."""

    method: str  # "*" for any
    error: int | None = None
    description: str | None = None
    retry_after: int = 1
    drop_answer: bool = False
    delay: float = 0.0
    chat_id: int | None = None
    times: int = 1

    def refusal(self) -> Refusal | None:
        if self.error is None:
            return None
        if self.error == 429:
            return too_many_requests(self.retry_after)
        if self.error == 403 and self.description is None:
            return forbidden("bot was blocked by the user")
        return Refusal(self.error, self.description or _WORDS.get(self.error, "Internal Server Error"))

    def as_json(self) -> Json:
        return {name: getattr(self, name) for name in self.__slots__}


_KINDS: dict[str, type | tuple[type, ...]] = {
    "method": str,
    "error": int,
    "description": str,
    "retry_after": int,
    "drop_answer": bool,
    "delay": (int, float),
    "chat_id": int,
    "times": int,
}


def read_fault(order: Json) -> Fault:
    """A fault as the driver gives it. Raises `MistakenOrder`."""
    given = {name: value for name, value in order.items() if value is not None}
    for name, value in given.items():
        if name not in _KINDS or not isinstance(value, _KINDS[name]):
            raise MistakenOrder(f"A fault has no {name} {value!r}.")
    if "method" not in given:
        raise MistakenOrder('A fault needs a method; "*" means any.')
    fault = Fault(**given)
    if fault.error is not None and not 400 <= fault.error < 600:
        raise MistakenOrder("A fault's error lies between 400 and 599.")
    return fault


class Faults:
    def __init__(self) -> None:
        self.ordered: list[Fault] = []

    def next(self, call: Call) -> Fault | None:
        for fault in self.ordered:
            if fault.method not in ("*", call.method):
                continue
            if fault.chat_id is not None and call.integer("chat_id") != fault.chat_id:
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.ordered.remove(fault)
            return fault
        return None


@dataclass(slots=True)
class Limits:
    """Telegram's limits on sending: about 30 messages a second in all, one a second to a chat with short bursts."""

    clock: Callable[[], float]
    on: bool = False
    overall: int = 30
    burst: int = 5
    per_chat_seconds: float = 1.0
    _sent: deque[float] = field(default_factory=deque)
    _chats: dict[int, float] = field(default_factory=dict)

    def set(self, order: Json) -> None:
        for name, value in order.items():
            if name not in ("on", "overall", "burst", "per_chat_seconds") or not isinstance(
                value, bool | int | float
            ):
                raise MistakenOrder(f"There is no limit {name} {value!r}.")
            setattr(self, name, value)
        self._sent.clear()
        self._chats.clear()

    def as_json(self) -> Json:
        return {name: getattr(self, name) for name in ("on", "overall", "burst", "per_chat_seconds")}

    def check(self, call: Call) -> None:
        """Count a message about to be sent. Raises `Refusal` (429) where it is one too many."""
        if not self.on or not call.method.startswith("send") or call.method == "sendChatAction":
            return
        now = self.clock()
        while self._sent and self._sent[0] <= now - 1:
            self._sent.popleft()
        if len(self._sent) >= self.overall:
            raise too_many_requests(max(1, math.ceil(self._sent[0] + 1 - now)))
        # The generic cell rate algorithm: the time at which the chat would be free if it sent evenly.
        chat_id = call.integer("chat_id")
        free_at = max(self._chats.get(chat_id, 0.0), now)
        wait = free_at - now - (self.burst - 1) * self.per_chat_seconds
        if wait > 0:
            raise too_many_requests(max(1, math.ceil(wait)))
        self._chats[chat_id] = free_at + self.per_chat_seconds
        self._sent.append(now)
