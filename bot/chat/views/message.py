"""What a screen is: text in Telegram's HTML and rows of buttons."""

from dataclasses import dataclass
from html import escape
from typing import Literal

Style = Literal["primary", "success", "danger"]


@dataclass(frozen=True, slots=True)
class Button:
    """One button: `data` calls back (64 bytes at most), `copy` puts text on the clipboard (256 characters)."""

    text: str
    data: str | None = None
    copy: str | None = None
    style: Style | None = None


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A whole screen. `silent`: it may arrive without a sound."""

    text: str
    buttons: Rows = ()
    silent: bool = False


def html(text: object) -> str:
    """Text that anybody may have written, safe inside Telegram's HTML."""
    return escape(str(text), quote=False)


def bold(text: str) -> str:
    return f"<b>{text}</b>"


def code(text: object) -> str:
    """Monospace that copies itself on a tap."""
    return f"<code>{html(text)}</code>"


def folded(lines: list[str]) -> str:
    """Lines that open on a tap."""
    return f"<blockquote expandable>{chr(10).join(lines)}</blockquote>"
