"""The watch: a tick looks at everybody at once, and hands what has changed to the alert desk."""

from bot.services.watch.tick import Watch

__all__ = ["Watch"]
