"""Long polling that loses nothing: Telegram is told that an update was taken only when it is stored."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from telegram.error import Conflict, EndPointNotFound, InvalidToken, RetryAfter, TelegramError

from bot.chat.outgoing import seconds_of
from bot.chat.parsing.updates import number_of
from bot.ports.errors import PortError

log = logging.getLogger(__name__)

RawUpdate = Mapping[str, Any]
Fetch = Callable[[int, int], Awaitable[Sequence[RawUpdate]]]  # (offset, seconds) -> at most MOST
# Stores them. The second: none of them came to Telegram before that time; None when nobody can tell.
Take = Callable[[Sequence[RawUpdate], datetime | None], Awaitable[object]]

MOST = 100  # updates in one answer
_LONG_POLL = 25
_LONGEST_BACK_OFF = 30.0
_CONFLICT_REST = 5.0


class TokenRefused(Exception):
    """Telegram does not know this bot's token: nothing will work until it is corrected."""


class Poller:
    """Asks for updates, has each batch stored, and asks for what follows."""

    def __init__(
        self,
        fetch: Fetch,
        take: Take,
        now: Callable[[], datetime],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._fetch = fetch
        self._take = take
        self._now = now
        self._pause = pause
        self._offset = 0
        self._emptied: datetime | None = None  # when Telegram had nothing left for us
        self._failures = 0
        self._away = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. What was not stored then comes again at the next start. Raises TokenRefused."""
        try:
            async with asyncio.TaskGroup() as tasks:
                polling = tasks.create_task(self._poll())
                await stop.wait()
                polling.cancel()
        except* TokenRefused as refused:
            raise refused.exceptions[0] from None
        await self._confirm()

    async def _poll(self) -> None:
        while True:
            asked = self._now()
            batch = await self._ask()
            if not batch or await self._stored(batch):
                self._note_back()
            if len(batch) < MOST:
                self._emptied = asked

    async def _stored(self, batch: Sequence[RawUpdate]) -> bool:
        """However long that takes: an update that is not stored is not confirmed. False where nothing can be."""
        numbers = [number for number in map(number_of, batch) if number is not None]
        if not numbers:  # there is nothing to confirm them by
            await self._pause(self._back_off())
            return False
        while True:
            try:
                await self._take(batch, self._emptied)
                break
            except PortError as failure:
                self._note_away(f"they cannot be stored ({failure})")
                await self._pause(self._back_off())
        self._offset = max(numbers) + 1
        return True

    async def _ask(self) -> Sequence[RawUpdate]:
        """One batch. Failures are waited out here; the log hears of them once."""
        while True:
            try:
                # First without waiting, so that it is known soon what had waited for us and what is new.
                batch = await self._fetch(self._offset, _LONG_POLL if self._emptied else 0)
            except (InvalidToken, EndPointNotFound):
                raise TokenRefused("Telegram refuses the token: check HEDGEHOG_TOKEN.") from None
            except RetryAfter as limit:
                await self._pause(seconds_of(limit))
            except Conflict as conflict:
                self._note_away(f"another process takes this bot's updates ({conflict})")
                await self._pause(_CONFLICT_REST)
            except TelegramError as error:
                self._note_away(f"Telegram is away ({error})")
                await self._pause(self._back_off())
            else:
                return batch

    async def _confirm(self) -> None:
        """Tell Telegram how far we are; without it the last updates come again and are recognised as taken."""
        if not self._offset:
            return
        try:
            await self._fetch(self._offset, 0)
        except TelegramError as error:
            log.info("the last updates are not confirmed: %s", error)

    def _back_off(self) -> float:
        self._failures += 1
        return min(0.25 * 2.0**self._failures, _LONGEST_BACK_OFF) * random.uniform(0.8, 1.2)

    def _note_away(self, why: str) -> None:
        if not self._away:
            log.warning("no updates: %s; asking again until it works", why)
        self._away = True

    def _note_back(self) -> None:
        if self._away:
            log.warning("updates flow again")
        self._away = False
        self._failures = 0
