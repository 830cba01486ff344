"""Updates are taken in durably and told to be taken; then they are handled, chat by chat, and none holds up another."""

from bot.services.inbox.fair import Arrival
from bot.services.inbox.inbox import Desk, Inbox
from bot.services.inbox.limits import Allowance

__all__ = ["Allowance", "Arrival", "Desk", "Inbox"]
