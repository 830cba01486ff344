"""Whose money it is about: practice, test or real. It stands on every card."""

from bot.chat.texts import accounts as t
from bot.chat.texts.exchanges import TITLES
from bot.chat.views.message import html
from bot.ports.records import PAPER, Account


def badge(exchange: str, mode: str) -> str:
    """A line of its own.

    >>> badge("bybit", "live")
    '💵 LIVE · Bybit: real money'
    """
    return t.BADGE[_kind(exchange, mode)].format(title=title(exchange))


def badge_of(account: Account) -> str:
    return badge(account.exchange, account.mode)


def short_badge(account: Account) -> str:
    """In a few letters, for a button or within a sentence."""
    return t.SHORT_BADGE[_kind(account.exchange, account.mode)].format(title=title(account.exchange))


def _kind(exchange: str, mode: str) -> str:
    return "paper there" if mode == "paper" and exchange != PAPER else mode


def title(exchange: str) -> str:
    """How people call an exchange."""
    return TITLES.get(exchange) or html(exchange)
