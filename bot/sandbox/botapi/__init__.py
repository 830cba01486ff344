"""The Telegram Bot API over loopback HTTP, refusing what Telegram refuses."""

from bot.sandbox.botapi.server import BotApi

__all__ = ["BotApi"]
