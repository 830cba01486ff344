"""The key of an account is not let in any more."""

from collections.abc import Mapping
from typing import Any

from bot.chat.texts import accounts as t
from bot.chat.texts.cards import REPEATED
from bot.chat.views.accounts.badge import badge, title
from bot.chat.views.message import Message, bold


def suspended(payload: Mapping[str, Any]) -> Message:
    """What is not done any more, and what to do."""
    name = title(payload["exchange"])
    heading = t.SUSPENDED.format(title=name) + (f" {REPEATED}" if payload.get("repeat") else "")
    whose = badge(payload["exchange"], payload["mode"])
    return Message(f"{bold(heading)}\n{whose}\n{t.SUSPENDED_BODY.format(title=name)}")
