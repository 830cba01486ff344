"""From Telegram's update to a turn: who it is, whether they may, what they wrote or tapped."""

from collections.abc import Callable, Coroutine
from typing import Any

from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatMemberStatus, ChatType

from bot.chat import texts
from bot.chat.guard import serve
from bot.chat.outgoing import Outgoing
from bot.chat.parsing.secrets import looks_secret
from bot.chat.turn import Handler, Tap, Turn
from bot.services import Services

Callback = Callable[[Update, Any], Coroutine[Any, Any, None]]


class Entry:
    """Makes callbacks for python-telegram-bot out of handlers of turns."""

    def __init__(self, services: Services, out: Outgoing, *, secret: Handler) -> None:
        self._services = services
        self._out = out
        self._secret = secret  # handles what nobody should have typed here

    def message(self, handler: Handler) -> Callback:
        """For what somebody writes in their private chat."""

        async def callback(update: Update, _: Any) -> None:
            written = update.message
            if written is None or written.from_user is None:
                return
            text = _words(written)
            turn = Turn(
                services=self._services,
                out=self._out,
                update_id=update.update_id,
                user_id=written.from_user.id,
                chat_id=written.chat.id,
                text=text,
                message_id=written.message_id,
            )
            chosen = self._secret if looks_secret(text) else handler
            await serve(turn, _met(chosen, written.from_user.first_name))

        return callback

    def tap(self, handler: Handler) -> Callback:
        """For a tapped button. Only in the sender's own private chat; everybody else gets a sentence."""

        async def callback(update: Update, _: Any) -> None:
            query = update.callback_query
            if query is None:
                return
            shown = query.message
            turn = Turn(
                services=self._services,
                out=self._out,
                update_id=update.update_id,
                user_id=query.from_user.id,
                chat_id=shown.chat.id if shown else query.from_user.id,
                tap=Tap(query.id, query.data or "", shown.message_id if shown else 0),
            )
            refusal = _refusal(query)
            if refusal:
                await serve(turn, _refuse(refusal))
            else:
                await serve(turn, _met(handler, query.from_user.first_name))

        return callback

    def group(self, handler: Handler) -> Callback:
        """For what is written where others read along: no name, no data, nobody is met."""

        async def callback(update: Update, _: Any) -> None:
            if update.effective_chat is not None:
                await serve(self._anonymous(update.update_id, update.effective_chat.id), handler)

        return callback

    def invited(self, handler: Handler) -> Callback:
        """For the bot's own comings and goings: a sentence when it is added to a group."""

        async def callback(update: Update, _: Any) -> None:
            change = update.my_chat_member
            if change is None or change.chat.type == ChatType.PRIVATE:
                return  # blocked or unblocked: deliveries notice the one, the next message the other
            present = (ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR)
            if change.new_chat_member.status in present and change.old_chat_member.status not in present:
                await serve(self._anonymous(update.update_id, change.chat.id), handler)

        return callback

    def _anonymous(self, update_id: int, chat_id: int) -> Turn:
        return Turn(services=self._services, out=self._out, update_id=update_id, user_id=0, chat_id=chat_id)


def _refusal(query: CallbackQuery) -> str:
    """Why this tap is not served, or an empty text."""
    if query.message is None:
        return texts.BUTTON_UNKNOWN
    if query.message.chat.type != ChatType.PRIVATE:
        return texts.PRIVATE_ONLY
    return "" if query.message.chat.id == query.from_user.id else texts.NOT_YOURS


def _refuse(sentence: str) -> Handler:
    async def handler(turn: Turn) -> None:
        await turn.toast(sentence, alert=True)

    return handler


def _met(handler: Handler, name: str) -> Handler:
    async def greeted(turn: Turn) -> None:
        await turn.services.people.meet(turn.user_id, turn.chat_id, name)
        await handler(turn)

    return greeted


def _words(message: Message) -> str:
    """What stands behind the command; without one, the whole text."""
    text = message.text or ""
    if not text.startswith("/"):
        return text
    _, *rest = text.split(maxsplit=1)
    return rest[0] if rest else ""
