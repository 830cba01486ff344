"""How a loopback exchange can be told to misbehave."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Kind = Literal[
    "hang",  # no answer until the caller gives up
    "cut",  # the connection breaks in the middle of the answer
    "answer",  # `status` and `body` instead of the real ones
    "html",  # 200 and a web page
    "empty",  # 200 and nothing
    "truncated",  # 200 and the first half
    "nan",  # 200 and a number that is none
    "ban",  # 429 or 418 with Retry-After
    "redirect",  # 302 to somewhere else on this machine
    "refuse",  # an error: by our word for it (margin, reduce_only, key, clock, maintenance, ...) or by its raw code
    "hide",  # accepted, but not seen by the next `lookups` look-ups
    "linger",  # accepted, and still at work with half of its fill for the next `lookups` look-ups
    "shrunk",  # every amount of the answer is so small a `share` of itself
    "lacking",  # the answer leaves out the rows of some `assets`
    "late",  # 504 at once; it takes effect only at the look-up after `lookups` more, as if it had stood in a queue
    "missing",  # a read of positions leaves some out (`symbols`; none named: all)
    "stale",  # a read of positions shows them as they were before the latest order
]
Asking = Literal["", "list", "symbol"]
SHOWN_OTHERWISE = frozenset({"missing", "stale"})
RETOLD = frozenset({"shrunk", "lacking"})  # the real answer, told otherwise
AFTER = frozenset({"hang", "cut", "answer", "html", "empty", "truncated", "nan", "redirect"})


@dataclass(slots=True)
class Fault:
    """One misbehaviour. `on`: the operation's name, such as order, find, positions; "*" is any. `after`: the request
    takes effect first. `times`: for so many requests. `unseen`: an order that took effect is not seen by so many
    look-ups either. `key`: only requests that carry it. `by`: only reads of the account's list, or of one symbol.
    `lasts`: for so many seconds, however many requests that are. `code`, `message` and `status`: of a refusal, as the
    exchange writes it; 200 stands for the status that it has there."""

    kind: Kind
    on: str = "order"
    after: bool = False
    times: int = 1
    status: int = 200
    body: str = ""
    retry_after: int | None = None
    word: str = ""
    lookups: int = 2
    unseen: int = 0
    seconds: float = 3600.0
    key: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # of an `answer`
    by: Asking = ""
    symbols: Sequence[str] = ()
    lasts: float | None = None
    code: int | None = None
    message: str = ""
    share: str = "0"
    assets: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"There is no fault {self.kind}; there are {', '.join(get_args(Kind))}.")


@dataclass(slots=True)
class Faults:
    """What is to go wrong next; the first that fits a request is used up."""

    waiting: list[Fault] = field(default_factory=list)
    _ends: dict[int, float] = field(default_factory=dict)  # by identity, on the loop's clock

    def add(self, kind: Kind, **details: Any) -> Fault:
        """Let it happen. Raises ValueError for a kind that there is none of."""
        return self.begin(Fault(kind, **details))

    def begin(self, fault: Fault) -> Fault:
        self.waiting.append(fault)
        if fault.lasts is not None:
            self._ends[id(fault)] = asyncio.get_running_loop().time() + fault.lasts
        return fault

    def take(self, operation: str, carried: Iterable[str] = (), by: Asking = "") -> Fault | None:
        """`carried`: the texts of a request that its key is among; `by`: how it asks for positions."""
        texts = [*carried]
        self._end()
        for fault in self.waiting:
            if fault.on not in ("*", operation) or fault.by not in ("", by):
                continue
            if not fault.key or fault.key in texts:
                if fault.lasts is None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.waiting.remove(fault)
                return fault
        return None

    def _end(self) -> None:
        """Let go of those whose seconds are over."""
        if self._ends:
            now = asyncio.get_running_loop().time()
            self.waiting = [fault for fault in self.waiting if self._ends.get(id(fault), now + 1) > now]
            self._ends = {
                id(fault): self._ends[id(fault)] for fault in self.waiting if id(fault) in self._ends
            }

    def clear(self) -> None:
        self.waiting.clear()
        self._ends.clear()
