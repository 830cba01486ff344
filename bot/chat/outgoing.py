"""Everything that goes out to Telegram: one call at a time a chat, in the order in which it was asked for."""

import logging
import re
import time
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Any, TypeVar

from telegram import Bot, CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, RetryAfter, TelegramError

from bot.chat.lanes import Lanes
from bot.chat.views.message import Button, Message, Rows
from bot.ports.traffic import Traffic

log = logging.getLogger(__name__)

T = TypeVar("T")

LONGEST_TOAST = 200
LONGEST_TEXT = 4096

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_UNCHANGED = "message is not modified"
_UNREADABLE = ("can't parse entities", "message is too long")
_DELETED = "message to delete not found"
_PINNED_SO = "chat_not_modified"
_NO_PIN = ("message to pin not found", "message to unpin not found", "message_id_invalid")
_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")
_TEXT = "there is no caption in the message to edit"


class EditGone(Exception):
    """The message to edit is not there any more, or is not ours to edit."""


class Outgoing:
    """The one way out, shared by handlers and deliveries, so that an edit never overtakes a later one.

    A chat that Telegram has told to wait is not called again before the time: RetryAfter at once.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.traffic = Traffic()
        self._lanes = Lanes()
        self._not_before: dict[int, float] = {}

    async def send(self, chat_id: int, message: Message, *, silent: bool = False) -> int:
        """A new message; its id."""

        async def call(to: int, text: str, mode: ParseMode | None) -> int:
            with self.traffic.sending():
                sent = await self._bot.send_message(
                    to,
                    text,
                    parse_mode=mode,
                    reply_markup=_keyboard(message.buttons),
                    disable_notification=(silent or message.silent) or None,
                    link_preview_options=_NO_PREVIEW,
                )
            if to > 0:  # groups number their messages themselves
                self.traffic.saw(sent.message_id)
            return sent.message_id

        return await self._in_turn(chat_id, lambda to: _readable(message.text, to, call))

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        """The whole message in place. One that already looks so is fine. Raises EditGone."""

        async def call(to: int, text: str, mode: ParseMode | None) -> None:
            await self._bot.edit_message_text(
                text,
                chat_id=to,
                message_id=message_id,
                parse_mode=mode,
                reply_markup=_keyboard(message.buttons),
                link_preview_options=_NO_PREVIEW,
            )

        try:
            await self._in_turn(chat_id, lambda to: _readable(message.text, to, call))
        except BadRequest as refusal:
            said = refusal.message.lower()
            if any(sign in said for sign in _GONE):
                raise EditGone(refusal.message) from None
            if _UNCHANGED not in said:
                raise

    async def stands(self, chat_id: int, message_id: int) -> bool:
        """Whether there is such a text of the bot in the chat. Nothing changes: a caption is asked for, which no text
        has, and Telegram says so only of a message that is there and is the bot's."""

        async def call(to: int) -> object:
            return await self._bot.edit_message_caption(to, message_id)

        try:
            await self._in_turn(chat_id, call)
        except BadRequest as refusal:
            said = refusal.message.lower()
            if _TEXT in said:
                return True
            if any(sign in said for sign in _GONE):
                return False
            raise
        return True

    async def delete(self, chat_id: int, message_id: int) -> bool:
        """Whether the message is gone now."""

        async def call(to: int) -> bool:
            return await self._bot.delete_message(to, message_id)

        try:
            return await self._in_turn(chat_id, call)
        except BadRequest as refusal:
            if _DELETED in refusal.message.lower():
                return True
            log.info("message %d cannot be deleted: %s", message_id, refusal)
            return False

    async def pin(self, chat_id: int, message_id: int, *, on: bool = True) -> bool:
        """To the top of the chat without a sound, or away from there; whether there was such a message."""

        async def call(to: int) -> bool:
            if on:
                return await self._bot.pin_chat_message(to, message_id, disable_notification=True)
            return await self._bot.unpin_chat_message(to, message_id=message_id)

        try:
            return await self._in_turn(chat_id, call)
        except BadRequest as refusal:
            said = refusal.message.lower()
            if _PINNED_SO in said:
                return True
            if any(sign in said for sign in _NO_PIN):
                return False
            raise

    async def answer(self, callback_id: str, text: str = "", *, alert: bool = False) -> None:
        """Answer a tap. It is a courtesy: a tap too old to be answered, or a failure, is only logged."""
        try:
            await self._bot.answer_callback_query(
                callback_id, text[:LONGEST_TOAST] or None, show_alert=alert or None
            )
        except TelegramError as failure:
            log.info("a tap was not answered: %s", failure)

    async def _in_turn(self, chat_id: int, call: Callable[[int], Awaitable[T]]) -> T:
        async with self._lanes.turn(chat_id):
            self._refuse_too_early(chat_id)
            try:
                return await call(chat_id)
            except ChatMigrated as moved:
                return await call(moved.new_chat_id)
            except RetryAfter as limit:
                self._not_before[chat_id] = time.monotonic() + seconds_of(limit)
                raise

    def _refuse_too_early(self, chat_id: int) -> None:
        until = self._not_before.get(chat_id)
        if until is None:
            return
        left = until - time.monotonic()
        if left > 0:
            raise RetryAfter(max(1, round(left)))
        del self._not_before[chat_id]


async def _readable(text: str, to: int, call: Callable[[int, str, ParseMode | None], Awaitable[T]]) -> T:
    """Send HTML; what Telegram cannot read as such goes out as plain text, because it may be a receipt."""
    try:
        return await call(to, text, ParseMode.HTML)
    except BadRequest as refusal:
        if not any(sign in refusal.message.lower() for sign in _UNREADABLE):
            raise
        log.error("a message goes out as plain text: %s", refusal)
        return await call(to, unescape(re.sub(r"<[^>]*>", "", text))[:LONGEST_TEXT], None)


def seconds_of(limit: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    after: Any = limit.retry_after
    return float(after) if isinstance(after, int) else float(after.total_seconds())


def _keyboard(rows: Rows) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup([[_button(button) for button in row] for row in rows])


def _button(button: Button) -> InlineKeyboardButton:
    return InlineKeyboardButton(
        button.text,
        callback_data=button.data,
        copy_text=CopyTextButton(button.copy) if button.copy else None,
        style=button.style,
    )
