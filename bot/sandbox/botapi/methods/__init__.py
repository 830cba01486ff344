"""The methods of the Bot API that the sandbox answers; any other is 404 Not Found."""

from bot.sandbox.botapi.backend import Method
from bot.sandbox.botapi.methods import chats, editing, media, profile, sending, updates

METHODS: dict[str, Method] = {
    method.name.lower(): method
    for module in (chats, editing, media, profile, sending, updates)
    for method in module.METHODS
}
