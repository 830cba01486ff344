"""The queue of updates: what the bot has not confirmed yet, and what it may be given a second time."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from bot.sandbox.botapi.journal import SKIPPED_IDS, Journal
from bot.sandbox.botapi.refusals import conflict

Json = dict[str, Any]

_KEPT = 5_000  # confirmed updates that can still be delivered again
_NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_LONGEST_WAIT = 50


class UpdateQueue:
    """Updates in order. An update is pending until a higher offset (or a webhook's 200) confirms it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.pending: dict[int, Json] = {}
        self.allowed: frozenset[str] | None = None
        self.wake_webhook: Callable[[], None] = lambda: None
        self._again: list[Json] = []  # to be delivered a second time, whatever the offset
        self._seen_again: list[Json] = []
        self._history: dict[int, Json] = {}
        self._last_id = 0
        self._poll: asyncio.Future[None] | None = None
        for key, record in journal.read("update"):
            update = record["update"]
            self._history[int(key)] = update
            self._last_id = int(key)
            if record["pending"]:
                self.pending[int(key)] = update
        if journal.was_cut:
            self._last_id += SKIPPED_IDS
        for _, record in journal.read("allowed_updates"):
            self.allowed = frozenset(record) if record is not None else None

    def add(self, kind: str, content: Json) -> int | None:
        """Queue an update of a kind ("message", "callback_query"); None where the bot asked not to get that kind."""
        if kind in _NOT_BY_DEFAULT if self.allowed is None else kind not in self.allowed:
            return None
        self._last_id += 1
        update: Json = {"update_id": self._last_id, kind: content}
        self.pending[self._last_id] = update
        self._history[self._last_id] = update
        self._save(update, pending=True)
        while len(self._history) > _KEPT and (oldest := next(iter(self._history))) not in self.pending:
            del self._history[oldest]
            self._journal.drop("update", oldest)
        self._wake()
        return self._last_id

    def again(self, update_id: int) -> bool:
        """Deliver an earlier update once more, confirmed or not. False where it is not known any more."""
        update = self._history.get(update_id)
        if update is None:
            return False
        self._again.append(update)
        self._wake()
        return True

    def take_again(self) -> list[Json]:
        """The updates waiting for a second delivery, taken out of the queue (for the webhook)."""
        again, self._again = self._again, []
        return again

    def confirm(self, update_id: int) -> None:
        update = self.pending.pop(update_id, None)
        if update is not None:
            self._save(update, pending=False)

    def forget_all(self) -> None:
        for update_id in list(self.pending):
            self.confirm(update_id)
        self._again.clear()

    def allow(self, kinds: Iterable[str] | None) -> None:
        """Which kinds come from now on; an empty list means all but the three that must be asked for."""
        allowed = frozenset(kinds or ()) or None
        if allowed != self.allowed:
            self.allowed = allowed
            self._journal.put("allowed_updates", 0, lambda: None if allowed is None else sorted(allowed))

    async def poll(self, offset: int, limit: int, timeout: float) -> list[Json]:
        """What `getUpdates` answers. Confirms everything below `offset`; a newer poll ends this one with 409."""
        self.end_poll(
            "terminated by other getUpdates request; make sure that only one bot instance is running"
        )
        self._confirm_below(offset)
        batch = self._batch(limit)
        if batch or timeout <= 0:
            return batch
        self._poll = poll = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(poll, min(timeout, _LONGEST_WAIT))
        except TimeoutError:
            return []
        finally:
            if self._poll is poll:
                self._poll = None
        return self._batch(limit)

    def end_poll(self, reason: str) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_exception(conflict(reason))

    def _confirm_below(self, offset: int) -> None:
        if offset < 0:  # the last -offset updates are wanted, all before them forgotten
            kept = sorted(self.pending)[offset:]
            offset = kept[0] if kept else 0
        for update_id in [known for known in self.pending if known < offset]:
            self.confirm(update_id)
        # What was delivered again is done with once the bot polls beyond it; otherwise it comes once more.
        self._again[:0] = [update for update in self._seen_again if update["update_id"] >= offset]
        self._seen_again = []

    def _batch(self, limit: int) -> list[Json]:
        batch: list[Json] = []
        for update in self.pending.values():
            if len(batch) == limit:
                return batch
            batch.append(update)
        # Telegram never gives one update twice in one answer: a repeat of a pending one waits.
        repeats = [u for u in self._again if u["update_id"] not in self.pending][: limit - len(batch)]
        for update in repeats:
            self._again.remove(update)
            self._seen_again.append(update)
        return sorted(batch + repeats, key=lambda update: int(update["update_id"]))

    def _save(self, update: Json, *, pending: bool) -> None:
        self._journal.put("update", update["update_id"], lambda: {"update": update, "pending": pending})

    def _wake(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        self.wake_webhook()
