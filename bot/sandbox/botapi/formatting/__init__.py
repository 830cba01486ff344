"""Formatted text: markup in, plain text and entities out, in Telegram's own terms."""

from bot.sandbox.botapi.formatting.entities import Formatted, utf16_length
from bot.sandbox.botapi.formatting.html import parse_html
from bot.sandbox.botapi.formatting.markdown import parse_markdown
from bot.sandbox.botapi.formatting.markdown_v2 import parse_markdown_v2
from bot.sandbox.botapi.formatting.text import format_text, plain_text

__all__ = [
    "Formatted",
    "format_text",
    "parse_html",
    "parse_markdown",
    "parse_markdown_v2",
    "plain_text",
    "utf16_length",
]
