"""/connect, its buttons, and the message that brings a key."""

import logging

from telegram.error import TelegramError

from bot import redaction
from bot.chat import texts
from bot.chat.outgoing import EditGone
from bot.chat.parsing.credentials import KeyTrouble, read_credentials
from bot.chat.texts import words as misread
from bot.chat.turn import Turn, UnknownButton
from bot.chat.views.accounts import connect as views
from bot.chat.views.message import Message
from bot.chat.views.plain import warning
from bot.ports.records import Invitation, Mode
from bot.ports.vault import Credentials
from bot.services.errors import CannotConnect

log = logging.getLogger(__name__)

_MODES: dict[str, Mode] = {"demo": "demo", "live": "live"}


async def connect(turn: Turn) -> None:
    """Which exchange; `/connect bybit` shows its guide, `/connect bybit demo` waits for the key at once, and
    `/connect bybit paper` needs none."""
    words = turn.text.lower().split()
    if len(words) > 2 or (len(words) == 2 and words[1] not in (*_MODES, "paper")):
        await turn.refuse(misread.CONNECT)
        return
    if words[1:] == ["paper"]:
        await turn.say(await _on_paper(turn, words[0]))
        return
    await turn.services.connecting.ready()
    if not words:
        await turn.say(views.choose(turn.services.connecting.offers))
        return
    offer = turn.services.connecting.offer(words[0])
    if len(words) > 1 and words[1] in _MODES:
        await turn.services.connecting.invite(turn.user_id, offer.name, _MODES[words[1]])
        await turn.say(views.send_key(offer, _MODES[words[1]]))
    else:
        await turn.say(views.guide(offer))


async def tapped(turn: Turn) -> None:
    connecting = turn.services.connecting
    match turn.tap.data.split(":")[1:] if turn.tap else []:
        case ["list"]:
            await connecting.ready()
            await turn.show(views.choose(connecting.offers))
        case ["stop"]:
            await connecting.withdraw(turn.user_id)
            await turn.show(views.stopped())
        case [name]:
            await turn.show(views.guide(connecting.offer(name)))
        case [name, "paper"]:
            await turn.show(await _on_paper(turn, name))
        case [name, mode] if mode in _MODES:
            offer = await connecting.invite(turn.user_id, name, _MODES[mode])
            await turn.show(views.send_key(offer, _MODES[mode]))
        case _:
            raise UnknownButton(turn.tap.data if turn.tap else "")


async def _on_paper(turn: Turn, name: str) -> Message:
    offer = turn.services.connecting.offer(name)
    return views.on_paper(await turn.services.accounts.practise(turn.user_id, offer.name))


async def key(turn: Turn) -> None:
    """A message with a key, or with what may be one: deleted before anything else is done with it.

    Handled a second time it is deleted again, and has no second outcome.
    """
    deleted = turn.message_id is not None and await _deleted(turn, turn.message_id)
    connecting = turn.services.connecting
    late = await connecting.late(turn.user_id)
    invitation = await connecting.answer(turn.user_id, by=turn.key)
    if invitation is None:
        await turn.say(views.too_late() if late and deleted else _nobody_asked(deleted))
        return
    if invitation.over:  # told in an earlier handling of the same message
        return
    read = read_credentials(turn.text, passphrase=connecting.offer(invitation.exchange).passphrase)
    if isinstance(read, KeyTrouble):
        shown = views.key_problem(read, invitation.exchange) if deleted else _nobody_asked(deleted)
        await turn.say(shown)
    elif not deleted:
        await turn.say(views.key_stays(invitation.exchange))
    else:
        await _try(turn, invitation, read)


async def _deleted(turn: Turn, message_id: int) -> bool:
    """Whether the message is gone. When Telegram does not take the call now, the deletion is owed: it happens also if
    nobody gets to an answer any more."""
    try:
        return await turn.out.delete(turn.chat_id, message_id)
    except TelegramError:
        await turn.services.connecting.owe_deletion(turn.user_id, turn.chat_id, message_id)
        raise


async def _try(turn: Turn, invitation: Invitation, credentials: Credentials) -> None:
    redaction.hide(credentials.api_key, credentials.secret, credentials.passphrase)
    connecting = turn.services.connecting
    if invitation.message_id is None:
        shown = await turn.say(views.trying(invitation.exchange))
        invitation = await connecting.shown(invitation, shown)
    try:
        done = await connecting.connect(invitation, credentials)
    except CannotConnect as failure:
        await _tell(turn, invitation, views.not_connected(failure, invitation.mode))
        return
    current = await turn.services.accounts.in_use(turn.user_id)
    await _tell(turn, invitation, views.connected(done, current))
    await connecting.fulfilled(invitation)


async def _tell(turn: Turn, invitation: Invitation, outcome: Message) -> None:
    """In the message that said that the key is tried."""
    try:
        await turn.out.edit(turn.chat_id, invitation.message_id or 0, outcome)
    except EditGone:
        await turn.say(outcome)


def _nobody_asked(deleted: bool) -> Message:
    return warning(texts.SECRET_DELETED if deleted else texts.SECRET_NOT_DELETED, texts.SECRET_ROTATE)
