"""Long polling that loses nothing: Telegram is told that an update is over only when its handler has finished."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from telegram.error import Conflict, EndPointNotFound, InvalidToken, RetryAfter, TelegramError

from bot.chat.outgoing import seconds_of

log = logging.getLogger(__name__)

RawUpdate = Mapping[str, Any]
Fetch = Callable[[int, int], Awaitable[Sequence[RawUpdate]]]  # (offset, seconds) -> at most 100
Handle = Callable[[RawUpdate], Awaitable[None]]

_LONG_POLL = 25
_BUSY = 60  # with more under way than this, the next batch would bring little that is new
_SHORTEST_REST, _LONGEST_REST = 0.01, 0.4
_LONGEST_BACK_OFF = 30.0
_CONFLICT_REST = 5.0
_TRY_AGAIN_AFTER = 2.0


class TokenRefused(Exception):
    """Telegram does not know this bot's token: nothing will work until it is corrected."""


class Window:
    """Which updates are under way and which are over, and from that the offset to ask from."""

    def __init__(self) -> None:
        self._open: dict[int, float | None] = {}  # under way (None), or to be tried again from that time on
        self._over: set[int] = set()
        self._next = 0

    @property
    def offset(self) -> int:
        """The lowest update that is not over; everything below it is confirmed by asking from here."""
        return min(self._open, default=self._next)

    @property
    def under_way(self) -> int:
        return sum(later is None for later in self._open.values())

    def take(self, update_ids: Sequence[int], now: float) -> set[int]:
        """Those of a batch that are to be worked on now."""
        if update_ids:
            self._next = update_ids[-1] + 1
        fresh = {number for number in update_ids if self._is_due(number, now)}
        self._open.update(dict.fromkeys(fresh))
        return fresh

    def finish(self, update_id: int) -> None:
        self._open.pop(update_id, None)
        self._over.add(update_id)
        self._over = {number for number in self._over if number >= self.offset}

    def put_off(self, update_id: int, until: float) -> None:
        """Not over: the offset stays here, and Telegram hands it out again."""
        self._open[update_id] = until

    def _is_due(self, update_id: int, now: float) -> bool:
        if update_id in self._open:
            later = self._open[update_id]
            return later is not None and later <= now
        return update_id not in self._over


class Poller:
    """Asks for updates and hands each to `handle`, many at a time.

    While some update is not over, Telegram answers at once with it and what follows, up to a hundred: those under
    way are ignored, and a short rest keeps the asking from becoming a busy loop. One slow chat therefore holds up
    nobody until a hundred updates have come after its own.
    """

    def __init__(
        self, fetch: Fetch, handle: Handle, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._fetch = fetch
        self._handle = handle
        self._pause = pause
        self._window = Window()
        self._moved = asyncio.Event()
        self._working: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._away = False

    async def run(self, stop: asyncio.Event, *, grace: float = 5) -> None:
        """Until `stop`; then those under way get `grace` seconds. What is cut off comes again at the next start.

        Raises TokenRefused.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                polling = tasks.create_task(self._poll(tasks))
                await stop.wait()
                polling.cancel()
                if self._working:
                    await asyncio.wait(self._working, timeout=grace)
                for task in self._working:
                    task.cancel()
        except* TokenRefused as refused:
            raise refused.exceptions[0] from None
        await self._confirm()

    async def _poll(self, tasks: asyncio.TaskGroup) -> None:
        rest = _SHORTEST_REST
        while True:
            batch = {int(update["update_id"]): update for update in await self._ask()}
            fresh = self._window.take(tuple(batch), time.monotonic())
            for number in sorted(fresh):
                task = tasks.create_task(self._work(number, batch[number]))
                self._working.add(task)
                task.add_done_callback(self._working.discard)
            rest = _SHORTEST_REST if fresh else min(2 * rest, _LONGEST_REST)
            if batch and not fresh:
                await self._wait_until_fewer_than(self._window.under_way, rest)
            await self._wait_until_fewer_than(_BUSY, _LONGEST_REST)

    async def _work(self, number: int, update: RawUpdate) -> None:
        try:
            await self._handle(update)
        except Exception:  # the handler could not even note that it was done: it is asked for again
            log.exception("update %d could not be finished", number)
            self._window.put_off(number, time.monotonic() + _TRY_AGAIN_AFTER)
        else:
            self._window.finish(number)
        self._moved.set()

    async def _wait_until_fewer_than(self, number: int, seconds: float) -> None:
        """Until fewer updates are under way, but not for ever: new ones may have come from others."""
        try:
            async with asyncio.timeout(seconds):
                while self._window.under_way >= number:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return

    async def _ask(self) -> Sequence[RawUpdate]:
        """One batch. Failures are waited out here; the log hears of them once."""
        while True:
            try:
                batch = await self._fetch(self._window.offset, _LONG_POLL)
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
                self._note_back()
                return batch

    async def _confirm(self) -> None:
        """Tell Telegram how far we are; without it the last updates come again and are recognised as done."""
        try:
            await self._fetch(self._window.offset, 0)
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
