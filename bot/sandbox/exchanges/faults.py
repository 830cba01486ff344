"""How a loopback exchange can be told to misbehave."""

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
    "refuse",  # a definite error by our word for it: margin, reduce_only, key, clock, maintenance, ...
    "hide",  # accepted, but not seen by the next `lookups` look-ups
    "linger",  # accepted, and still at work with half of its fill for the next `lookups` look-ups
    "shrunk",  # every amount of the answer is so small a `share` of itself
    "lacking",  # the answer leaves out the rows of some `assets`
    "late",  # 504 at once; it takes effect only at the look-up after `lookups` more, as if it had stood in a queue
]
RETOLD = frozenset({"shrunk", "lacking"})  # the real answer, told otherwise
AFTER = frozenset({"hang", "cut", "answer", "html", "empty", "truncated", "nan", "redirect"})


@dataclass(slots=True)
class Fault:
    """One misbehaviour. `on`: the operation's name, such as order, find, positions; "*" is any. `after`: the request
    takes effect first. `times`: for so many requests. `unseen`: an order that took effect is not seen by so many
    look-ups either. `key`: only requests that carry it."""

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
    share: str = "0"
    assets: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"There is no fault {self.kind}; there are {', '.join(get_args(Kind))}.")


@dataclass(slots=True)
class Faults:
    """What is to go wrong next; the first that fits a request is used up."""

    waiting: list[Fault] = field(default_factory=list)

    def add(self, kind: Kind, **details: Any) -> Fault:
        """Let it happen. Raises ValueError for a kind that there is none of."""
        fault = Fault(kind, **details)
        self.waiting.append(fault)
        return fault

    def take(self, operation: str, carried: Iterable[str] = ()) -> Fault | None:
        """`carried`: the texts of a request that its key is among."""
        texts = [*carried]
        for fault in self.waiting:
            if fault.on in ("*", operation) and (not fault.key or fault.key in texts):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        self.waiting.clear()
