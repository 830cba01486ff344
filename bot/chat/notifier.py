"""Brings owed messages into their chats."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut

from bot.chat.outgoing import EditGone, Outgoing, seconds_of
from bot.chat.request import AnswerLost, NotSent, ServerFailed
from bot.chat.views.accounts.suspended import suspended
from bot.chat.views.alert import alert, recovered, replaced
from bot.chat.views.message import Message
from bot.chat.views.permission import pause_over, permission_taken
from bot.chat.views.pinned import pinned
from bot.chat.views.position import position
from bot.chat.views.receipt import receipt, waiting
from bot.chat.views.summary import daily, summary
from bot.ports.errors import Ambiguous, ChatGone, DeliveryDelayed, MessageGone, Unavailable
from bot.ports.records import OutboxItem
from bot.ports.traffic import Traffic

VIEWS: Mapping[str, Callable[[Mapping[str, Any]], Message]] = {
    "receipt": receipt,
    "waiting": waiting,
    "alert": alert,
    "recovered": recovered,
    "replaced": replaced,
    "key_refused": suspended,
    "position": position,
    "summary": summary,
    "daily": daily,
    "pinned": pinned,
    "permission_taken": permission_taken,
    "pause_over": pause_over,
}

DELETION = "deletion"  # of the message that is named to be edited
PIN, UNPIN = "pin", "unpin"  # the same message, at the top of the chat

_CHAT_GONE = ("chat not found", "user is deactivated", "peer_id_invalid", "chat_id is empty")


class TelegramNotifier:
    """Implements ports.Notifier."""

    def __init__(self, out: Outgoing) -> None:
        self._out = out

    @property
    def traffic(self) -> Traffic:
        return self._out.traffic

    async def deliver(self, item: OutboxItem) -> int:
        """Send, edit, pin or delete; the id of the message that now shows it.

        An edit may be repeated without harm, so a lost answer to one is Unavailable; a new message whose answer was
        lost is Ambiguous. Raises ChatGone, MessageGone, DeliveryDelayed, Ambiguous or Unavailable.
        """
        with _named_failures(repeatable=item.edit is not None):
            if item.kind == DELETION and item.edit is not None:
                await self._out.delete(item.chat_id, item.edit)
                return item.edit
            if item.kind in (PIN, UNPIN) and item.edit is not None:
                await self._out.pin(item.chat_id, item.edit, on=item.kind == PIN)
                return item.edit
            message = VIEWS[item.kind](item.payload)
            if item.edit is None:
                return await self._out.send(item.chat_id, message, silent=item.silent)
            await self._out.edit(item.chat_id, item.edit, message)
            return item.edit

    async def stands(self, chat_id: int, message_id: int) -> bool:
        with _named_failures(repeatable=True):
            return await self._out.stands(chat_id, message_id)


@contextmanager
def _named_failures(*, repeatable: bool) -> Iterator[None]:
    """Telegram's failures as the port's. `repeatable`: it does no harm to do it again."""
    try:
        yield
    except EditGone as gone:
        raise MessageGone(str(gone)) from None
    except Forbidden as refusal:
        raise ChatGone(refusal.message) from None
    except RetryAfter as limit:
        raise DeliveryDelayed(seconds_of(limit)) from None
    except BadRequest as refusal:
        if any(sign in refusal.message.lower() for sign in _CHAT_GONE):
            raise ChatGone(refusal.message) from None
        raise Unavailable(f"Telegram refuses the message: {refusal.message}") from refusal
    except NetworkError as failure:
        if not repeatable and _may_have_arrived(failure):
            raise Ambiguous(failure.message) from None
        raise Unavailable(failure.message) from None
    except TelegramError as failure:
        raise Unavailable(failure.message) from failure


def _may_have_arrived(failure: NetworkError) -> bool:
    if isinstance(failure, ServerFailed):
        return failure.gateway
    return isinstance(failure, TimedOut | AnswerLost) and not isinstance(failure, NotSent)
