"""Small screens of one thought."""

from collections.abc import Mapping

from bot.chat.texts import screens as t
from bot.chat.views.message import Message, bold, html


def sentence(text: str) -> Message:
    return Message(html(text))


def warning(title: str, text: str) -> Message:
    return Message(f"{bold(html(title))}\n{html(text)}")


def help_screen(commands: Mapping[str, str]) -> Message:
    """Every command with what it does."""
    listed = [f"/{name} · {html(description)}" for name, description in commands.items()]
    return Message("\n".join([bold(t.HELP), *listed, "", t.HELP_PLAIN, t.HELP_NEVER]))
