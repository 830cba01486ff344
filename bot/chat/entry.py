"""From what was read of an update to a turn and its handler: who it is, whether they may, what they wrote or tapped."""

from dataclasses import dataclass
from datetime import timedelta

from bot.chat import commands, texts
from bot.chat.outgoing import Outgoing
from bot.chat.parsing.secrets import any_secret
from bot.chat.parsing.updates import Invited, Read, Tapped, Written
from bot.chat.turn import Handler, Tap, Turn
from bot.ports.records import User
from bot.services import Services

_COMMANDS = {command.name: command for command in commands.COMMANDS}


@dataclass(frozen=True, slots=True)
class Route:
    """Who handles an update. `does`: the same without the look at the words behind a command."""

    handler: Handler
    does: Handler

    @property
    def asks(self) -> bool:
        """Its whole effect is its answer."""
        return self.does in commands.ASKING

    @property
    def costly(self) -> bool:
        return self.does in commands.COSTLY

    @property
    def never_quiet(self) -> bool:
        return self.does in commands.NEVER_QUIET


def route_of(read: Read) -> Route | None:
    """None for what needs no answer."""
    if isinstance(read, Written) and read.private and read.command in _COMMANDS:
        command = _COMMANDS[read.command]
        if not read.edited and not any_secret(read.words):
            return Route(command.handler, command.does)
    handler = _handler_of(read)
    return None if handler is None else Route(handler, handler)


def _handler_of(read: Read) -> Handler | None:
    match read:
        case Written():
            return _of_message(read)
        case Tapped():
            return commands.TAPS.get(read.data.partition(":")[0], commands.UNKNOWN_TAP)
        case Invited():
            return commands.GROUP


def _of_message(written: Written) -> Handler | None:
    if not written.private:
        return commands.GROUP if written.command is not None and not written.edited else None
    if any_secret(written.words):
        return commands.SECRET
    if written.edited:  # what it said at first was answered
        return None
    if written.command is not None:
        return commands.UNKNOWN_COMMAND
    return commands.PLAIN if written.readable else commands.UNREADABLE


class Entry:
    """Makes turns, and lets each of their senders be known."""

    def __init__(self, services: Services, out: Outgoing) -> None:
        self._services = services
        self._out = out

    def turn(self, read: Read, *, quiet: bool = False, waited: timedelta | None = None) -> Turn:
        """What a handler is given."""
        match read:
            case Written() if read.private:
                return self._turn(
                    read,
                    read.sender.id,
                    read.chat_id,
                    text=read.text,
                    message_id=read.message_id,
                    quiet=quiet,
                )
            case Tapped():
                tap = Tap(read.callback_id, read.data, read.message_id, waited)
                return self._turn(read, read.sender.id, _chat_of(read), tap=tap)
            case _:  # where others read along: no name, no data, nobody is met
                return self._turn(read, 0, read.chat_id)

    def _turn(self, read: Read, user_id: int, chat_id: int, **more: object) -> Turn:
        return Turn(
            services=self._services,
            out=self._out,
            update_id=read.update_id,
            user_id=user_id,
            chat_id=chat_id,
            **more,  # type: ignore[arg-type]  # fields of Turn, by their names
        )

    def met(self, read: Read, handler: Handler, known: User | None, *, unknown: bool) -> Handler:
        """`handler`, for somebody whom the bot knows from then on. `known`, `unknown`: as for People.meet."""
        match read:
            case Tapped() if refusal := _refusal(read):
                return _refuse(refusal)
            case Tapped() | Written(private=True):
                name = read.sender.name
            case _:
                return handler

        async def greeted(turn: Turn) -> None:
            await turn.services.people.meet(turn.user_id, turn.chat_id, name, known, unknown=unknown)
            await handler(turn)

        return greeted


def _chat_of(tapped: Tapped) -> int:
    return tapped.sender.id if tapped.chat_id is None else tapped.chat_id


def _refusal(tapped: Tapped) -> str:
    """Why this tap is not served, or an empty text."""
    if tapped.chat_id is None:
        return texts.BUTTON_UNKNOWN
    if not tapped.private:
        return texts.PRIVATE_ONLY
    return "" if tapped.chat_id == tapped.sender.id else texts.NOT_YOURS


def _refuse(sentence: str) -> Handler:
    async def handler(turn: Turn) -> None:
        await turn.toast(sentence, alert=True)

    return handler
