"""How many updates are worked on at once, and in which order."""

import asyncio
from collections.abc import Awaitable, Hashable
from inspect import iscoroutine
from typing import Any

from telegram import Update
from telegram.ext import BaseUpdateProcessor

from bot.chat.lanes import Lanes

# The base class counts too, but before an update's turn has come: its limit would let one chat starve the rest.
_NO_LIMIT = 1_000_000


class ChatProcessor(BaseUpdateProcessor):
    """Serial within a chat, at most `at_once` updates over all chats.

    An update waits for its chat's turn first and takes one of the places only then. So a chat with a hundred
    waiting updates never holds more than one place, and places go to chats in the order in which they asked.
    """

    __slots__ = ("_lanes", "_places")

    def __init__(self, at_once: int = 64) -> None:
        super().__init__(_NO_LIMIT)
        self._lanes = Lanes()
        self._places = asyncio.Semaphore(at_once)

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        try:
            async with self._lanes.turn(_lane(update)), self._places:
                await coroutine
        finally:
            if iscoroutine(coroutine):
                coroutine.close()  # cancelled before its turn; without effect on a finished one


def _lane(update: object) -> Hashable:
    """The chat; without one the person; without either the update stands alone."""
    if not isinstance(update, Update):
        return object()
    if update.effective_chat is not None:
        return update.effective_chat.id
    return ("user", update.effective_user.id) if update.effective_user else ("update", update.update_id)
