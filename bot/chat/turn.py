"""One update of one person in their private chat, as the handlers see it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.chat.outgoing import LONGEST_TOAST, EditGone, Outgoing
from bot.chat.views.message import Message, html
from bot.services import Services


class UnknownButton(Exception):
    """The button carries what no button of ours carries now: an old one, or a forged one."""


@dataclass(frozen=True, slots=True)
class Tap:
    """A tapped button: what to answer, the data behind it, the message that it stands under. `waited`: at most so long;
    None when nobody can tell."""

    callback_id: str
    data: str
    message_id: int
    waited: timedelta | None = timedelta(0)


class Turn:
    """Who did what, and how to answer. The owner is always the sender; nothing in a button names a person."""

    __slots__ = (
        "_answered",
        "chat_id",
        "message_id",
        "out",
        "quiet",
        "services",
        "tap",
        "text",
        "update_id",
        "user_id",
    )

    def __init__(
        self,
        *,
        services: Services,
        out: Outgoing,
        update_id: int,
        user_id: int,
        chat_id: int,
        text: str = "",
        message_id: int | None = None,
        tap: Tap | None = None,
        quiet: bool = False,
    ) -> None:
        self.services = services
        self.out = out
        self.update_id = update_id
        self.user_id = user_id
        self.chat_id = chat_id
        self.text = text  # what stands behind the command, or the whole message
        self.message_id = message_id  # the person's own message
        self.tap = tap
        self.quiet = quiet  # one of a lot: what it changes is done, and not answered
        self._answered = False

    @property
    def key(self) -> str:
        """Names the effects of this update: delivered twice, they happen once."""
        return f"update:{self.update_id}"

    def carried(self, parts: int) -> tuple[str, ...]:
        """What the tapped button carries after its prefix: `tg:abc:75` gives ("abc", "75"). Raises UnknownButton."""
        found = tuple(self.tap.data.split(":")[1:]) if self.tap else ()
        if len(found) != parts or not all(found):
            raise UnknownButton(self.tap.data if self.tap else "")
        return found

    async def say(self, message: Message) -> int:
        """A new message; its id, 0 where nothing is said."""
        if self.quiet:
            return 0
        return await self.out.send(self.chat_id, message)

    async def say_plainly(self, sentence: str) -> None:
        """A new message of one sentence."""
        await self.say(Message(html(sentence)))

    async def show(self, message: Message) -> int:
        """The same screen goes on: in the tapped message, or in a new one. The id of the message that shows it."""
        if self.tap is None:
            return await self.say(message)
        try:
            await self.out.edit(self.chat_id, self.tap.message_id, message)
        except EditGone:
            return await self.say(message)
        return self.tap.message_id

    async def toast(self, text: str = "", *, alert: bool = False) -> None:
        """Answer the tap. A tap that was answered already gets the text as a message."""
        if self.tap is not None and not self._answered:
            self._answered = True
            await self.out.answer(self.tap.callback_id, text, alert=alert)
        elif text:
            await self.say_plainly(text)

    async def hint(self, text: str, *, alert: bool = False) -> None:
        """Answer the tap with what the message under it says as well: if it was answered already, that is enough."""
        if not self._answered:
            await self.toast(text, alert=alert)

    async def answered(self) -> None:
        """See to it that no tap is left spinning."""
        if self.tap is not None and not self._answered:
            await self.toast()

    async def refuse(self, sentence: str) -> None:
        """One clear sentence: over the tapped button, or as a message."""
        if self.tap is not None and not self._answered and len(sentence) <= LONGEST_TOAST:
            await self.toast(sentence, alert=True)
        else:
            await self.answered()
            await self.say_plainly(sentence)


def number(text: str) -> int:
    """The whole number that a button carries. Raises UnknownButton."""
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise UnknownButton(text)
    return int(text)


Handler = Callable[[Turn], Awaitable[None]]
