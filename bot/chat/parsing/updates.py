"""Telegram's updates as the bot needs them. Whatever else stands in them, or is missing, hurts nobody."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeGuard

Json = Mapping[str, Any]

LARGEST_ID = 2**63 - 1
_COMMAND = re.compile(r"/(\w{1,64})(?:@(\w{1,64}))?")
_PRESENT = ("member", "administrator", "creator")
# What people send. Everything else that comes as a message tells of something that happened.
_CONTENT = frozenset(
    (
        "animation",
        "audio",
        "checklist",
        "contact",
        "dice",
        "document",
        "game",
        "invoice",
        "live_photo",
        "location",
        "paid_media",
        "photo",
        "poll",
        "sticker",
        "story",
        "venue",
        "video",
        "video_note",
        "voice",
    )
)
# Under these names stands what people wrote; everything else are Telegram's own marks, some of them as long as a key.
_WORDS = frozenset(
    (
        "address",
        "button_text",
        "caption",
        "data",
        "description",
        "explanation",
        "file_name",
        "first_name",
        "last_name",
        "option_text",
        "performer",
        "phone_number",
        "question",
        "quote",
        "text",
        "title",
        "url",
        "vcard",
    )
)
_NOT_WRITTEN_HERE = frozenset(
    (
        "chat",
        "from",
        "sender_chat",
        "via_bot",
        "sender_business_bot",
        "forward_origin",
        "pinned_message",
        "reply_markup",
    )
)
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Sender:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Written:
    """A message of a person. `command`: its first word, where that is a command to this bot, without the slash.
    `text`: what stands behind the command; without one all of it. `words`: everything in it that people wrote, captions
    and names of files too. `readable`: it is a text. `edited`: it stood there
    before."""

    update_id: int
    chat_id: int
    private: bool
    sender: Sender
    message_id: int
    command: str | None
    text: str
    words: tuple[str, ...]
    readable: bool
    edited: bool


@dataclass(frozen=True, slots=True)
class Tapped:
    """A tap on a button. `chat_id` None: nobody knows any more where it stands. `shown_at`: when its message was sent
    or edited last."""

    update_id: int
    sender: Sender
    callback_id: str
    data: str
    chat_id: int | None
    private: bool
    message_id: int
    shown_at: datetime | None


@dataclass(frozen=True, slots=True)
class Invited:
    """The bot was added to a group."""

    update_id: int
    chat_id: int


Read = Written | Tapped | Invited


def number_of(update: object) -> int | None:
    """The number of an update, where it has one."""
    number = update.get("update_id") if isinstance(update, Mapping) else None
    return number if _is_id(number) and number >= 0 else None


def read_update(update: Json, bot_name: str = "") -> Read | None:
    """What it is; None for what nobody needs to answer."""
    number = number_of(update)
    if number is None:
        return None
    for name, edited in (("message", False), ("edited_message", True)):
        if isinstance(message := update.get(name), Mapping):
            return _written(number, message, bot_name, edited=edited)
    if isinstance(query := update.get("callback_query"), Mapping):
        return _tapped(number, query)
    if isinstance(change := update.get("my_chat_member"), Mapping):
        return _invited(number, change)
    return None


def dated(update: Json) -> datetime | None:
    """When Telegram took it, where it says so."""
    for name in ("message", "edited_message", "my_chat_member"):
        if isinstance(content := update.get(name), Mapping):
            return _time(content.get("edit_date"), content.get("date"))
    return None


def _written(number: int, message: Json, bot_name: str, *, edited: bool) -> Written | None:
    sender, chat = _sender(message.get("from")), _chat(message.get("chat"))
    message_id = message.get("message_id")
    if sender is None or chat is None or not _is_id(message_id):
        return None
    text = message.get("text")
    readable = isinstance(text, str)
    if not readable and _CONTENT.isdisjoint(message):
        return None
    said = text if isinstance(text, str) else ""
    command = _COMMAND.match(said)
    ours = command and (command[2] or bot_name).lower() == bot_name.lower()
    if not chat[1] and command and not ours:
        return None  # another bot's
    caption = message.get("caption")
    return Written(
        update_id=number,
        chat_id=chat[0],
        private=chat[1],
        sender=sender,
        message_id=message_id,
        command=(command[1].lower() if ours else "") if command else None,
        text=_behind(said) if readable else caption if isinstance(caption, str) else "",
        words=tuple(_words(_own_part(message))),
        readable=readable,
        edited=edited,
    )


def _own_part(message: Json) -> Json:
    """Without what it answers: that was read when it came. What it quotes of it is in both, unless the bot said it."""
    answered = message.get("reply_to_message")
    sender = answered.get("from") if isinstance(answered, Mapping) else None
    by_bot = isinstance(sender, Mapping) and sender.get("is_bot") is True
    left_out = ("reply_to_message", "quote") if by_bot else ("reply_to_message",)
    return {name: part for name, part in message.items() if name not in left_out}


def _behind(text: str) -> str:
    """What stands behind the command; without one, the whole text."""
    if not text.startswith("/"):
        return text
    _, *rest = text.split(maxsplit=1)
    return rest[0] if rest else ""


def _tapped(number: int, query: Json) -> Tapped | None:
    sender, callback_id, data = _sender(query.get("from")), query.get("id"), query.get("data")
    if sender is None or not isinstance(callback_id, str):
        return None
    shown = query.get("message")
    message = shown if isinstance(shown, Mapping) else {}
    chat, message_id = _chat(message.get("chat")), message.get("message_id")
    return Tapped(
        update_id=number,
        sender=sender,
        callback_id=callback_id,
        data=data if isinstance(data, str) else "",
        chat_id=chat[0] if chat else None,
        private=chat[1] if chat else True,
        message_id=message_id if _is_id(message_id) else 0,
        shown_at=_time(message.get("edit_date"), message.get("date")),
    )


def _invited(number: int, change: Json) -> Invited | None:
    """Blocked and unblocked are passed over: deliveries notice the one, the next message the other."""
    chat = _chat(change.get("chat"))
    before, after = (
        member.get("status") if isinstance(member := change.get(name), Mapping) else None
        for name in ("old_chat_member", "new_chat_member")
    )
    if chat is None or chat[1] or after not in _PRESENT or before in _PRESENT:
        return None
    return Invited(number, chat[0])


def _words(value: object, name: str = "", depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        if name in _WORDS:
            yield value
    elif depth > _DEEPEST:
        return
    elif isinstance(value, Mapping):
        for key, part in value.items():
            if key not in _NOT_WRITTEN_HERE:
                yield from _words(part, key, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _words(part, name, depth + 1)


def _sender(user: object) -> Sender | None:
    if not isinstance(user, Mapping) or not _is_id(user.get("id")) or user.get("is_bot") is True:
        return None
    name = user.get("first_name")
    return Sender(user["id"], name if isinstance(name, str) else "")


def _chat(chat: object) -> tuple[int, bool] | None:
    """Its id, and whether it is private."""
    if not isinstance(chat, Mapping) or not _is_id(chat.get("id")):
        return None
    return chat["id"], chat.get("type") == "private"


def _is_id(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_ID


def _time(*stamps: object) -> datetime | None:
    """The first that is one. Telegram gives 0 for messages that it does not know any more."""
    for stamp in stamps:
        if isinstance(stamp, int) and not isinstance(stamp, bool) and 0 < stamp < 2**33:
            return datetime.fromtimestamp(stamp, UTC)
    return None
