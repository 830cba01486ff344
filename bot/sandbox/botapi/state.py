"""Everything Telegram would remember about one bot: its users, their chats, what was said and tapped."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from bot.sandbox.botapi.journal import SKIPPED_IDS, Journal

Json = dict[str, Any]


class Listener(Protocol):
    """Told of what changes in a chat (`None`: everywhere): "message", "edit", "delete", "toast" and so on."""

    def __call__(self, chat_id: int | None, kind: str, detail: Any) -> None: ...


@dataclass(slots=True)
class User:
    """A person, and the private chat with that person: in Telegram both have the same id."""

    id: int
    first_name: str
    username: str | None = None
    language_code: str = "en"
    started: bool = False
    blocked: bool = False
    pinned: list[int] = field(default_factory=list)
    reply_keyboard: Json | None = None

    def as_user(self) -> Json:
        user: Json = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        if self.username:
            user["username"] = self.username
        user["language_code"] = self.language_code
        return user

    def as_chat(self) -> Json:
        chat: Json = {"id": self.id, "first_name": self.first_name}
        if self.username:
            chat["username"] = self.username
        chat["type"] = "private"
        return chat


@dataclass(slots=True)
class Post:
    """A message as the Bot API shows it, and what the Bot API does not show of it."""

    body: Json
    outgoing: bool
    silent: bool = False
    editable: bool = True

    @property
    def message_id(self) -> int:
        return int(self.body["message_id"])

    @property
    def chat_id(self) -> int:
        return int(self.body["chat"]["id"])


@dataclass(slots=True)
class Tap:
    """A callback query: a tap on an inline button, and how the bot answered it."""

    id: str
    user_id: int
    chat_id: int
    message_id: int
    date: float
    answer: Json | None = None


class World:
    """The state of the sandbox's Telegram. Every change is put into the journal and told to the listeners."""

    def __init__(self, journal: Journal, bot_id: int, clock: Callable[[], float]) -> None:
        self.journal = journal
        self.clock = clock
        self.bot: Json = {
            "id": bot_id,
            "is_bot": True,
            "first_name": "Hedgehog",
            "username": "hedgehog_sandbox_bot",
        }
        self.users: dict[int, User] = {}
        self.chats: dict[int, dict[int, Post]] = {}
        self.taps: dict[str, Tap] = {}
        self.settings: dict[str, Any] = {}
        self.listeners: list[Listener] = []
        self._answered: dict[str, asyncio.Event] = {}
        self._last_message_id = 0
        self._last_tap_id = 0
        self._load()

    def _load(self) -> None:
        for _, record in self.journal.read("user"):
            user = User(**record)
            self.users[user.id] = user
        for key, record in self.journal.read("message"):
            post = Post(**record)
            self.chats.setdefault(post.chat_id, {})[int(key)] = post
        for key, record in self.journal.read("tap"):
            self.taps[key] = Tap(**record)
        for key, record in self.journal.read("setting"):
            self.settings[key] = record
        skipped = SKIPPED_IDS if self.journal.was_cut else 0
        self._last_message_id = int(self.settings.get("last_message_id", 0)) + skipped
        self._last_tap_id = int(self.settings.get("last_tap_id", 0)) + skipped

    # Users

    def add_user(self, user: User) -> None:
        """Somebody new, or somebody known who has changed."""
        self.users[user.id] = user
        self.save_user(user)
        self.tell(None, "users", user)

    def save_user(self, user: User) -> None:
        self.journal.put("user", user.id, lambda: asdict(user))

    # Messages

    def next_message_id(self) -> int:
        self._last_message_id += 1
        self.set("last_message_id", self._last_message_id)
        return self._last_message_id

    def post(self, post: Post) -> None:
        self.chats.setdefault(post.chat_id, {})[post.message_id] = post
        self.save_post(post)
        self.tell(post.chat_id, "message", post)

    def edited(self, post: Post) -> None:
        self.save_post(post)
        self.tell(post.chat_id, "edit", post)

    def delete(self, post: Post) -> None:
        del self.chats[post.chat_id][post.message_id]
        self.journal.drop("message", post.message_id)
        user = self.users[post.chat_id]
        if post.message_id in user.pinned:
            user.pinned.remove(post.message_id)
            self.save_user(user)
            self.tell(user.id, "pin", user)
        self.tell(post.chat_id, "delete", post.message_id)

    def save_post(self, post: Post) -> None:
        self.journal.put(
            "message",
            post.message_id,
            lambda: {
                "body": post.body,
                "outgoing": post.outgoing,
                "silent": post.silent,
                "editable": post.editable,
            },
        )

    def find(self, chat_id: int, message_id: int) -> Post | None:
        return self.chats.get(chat_id, {}).get(message_id)

    def transcript(self, chat_id: int) -> Iterator[Post]:
        yield from self.chats.get(chat_id, {}).values()

    # Taps

    def add_tap(self, user_id: int, chat_id: int, message_id: int) -> Tap:
        self._last_tap_id += 1
        self.set("last_tap_id", self._last_tap_id)
        # Telegram's ids are long numbers, given as text.
        tap = Tap(str((self.bot["id"] << 32) + self._last_tap_id), user_id, chat_id, message_id, self.clock())
        self.taps[tap.id] = tap
        self.journal.put("tap", tap.id, lambda: asdict(tap))
        return tap

    def answer_tap(self, tap: Tap, answer: Json) -> None:
        tap.answer = answer
        self.journal.put("tap", tap.id, lambda: asdict(tap))
        if tap.id in self._answered:
            self._answered[tap.id].set()
        if answer.get("text"):
            self.tell(tap.user_id, "toast", tap)

    async def wait_for_answer(self, tap: Tap, seconds: float) -> Json | None:
        """The answer to a tap, or None where none comes in time."""
        if tap.answer is None:
            event = self._answered.setdefault(tap.id, asyncio.Event())
            try:
                await asyncio.wait_for(event.wait(), seconds)
            except TimeoutError:
                pass
            finally:
                self._answered.pop(tap.id, None)
        return tap.answer

    # Settings: commands, names, the webhook, counters

    def set(self, name: str, value: Any) -> None:
        self.settings[name] = value
        self.journal.put("setting", name, lambda: self.settings[name])

    def tell(self, chat_id: int | None, kind: str, detail: Any) -> None:
        for listener in self.listeners:
            listener(chat_id, kind, detail)
