"""What the methods of the Bot API work on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.sandbox.botapi.media import FileStore
from bot.sandbox.botapi.request import Call
from bot.sandbox.botapi.state import World
from bot.sandbox.botapi.updates import UpdateQueue

Json = dict[str, Any]


class Webhook(Protocol):
    """Where updates are sent to, if anywhere."""

    def set(self, settings: Json | None) -> None: ...

    def info(self) -> Json: ...

    @property
    def is_set(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Backend:
    world: World
    updates: UpdateQueue
    files: FileStore
    webhook: Webhook


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the Bot API: what runs it, and which parameters it knows. It may give its result later."""

    name: str
    run: Callable[[Backend, Call], Any]
    parameters: frozenset[str] = field(default_factory=frozenset)
