"""What one process knows of the messages that pass between the bot and its people."""

import asyncio
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager

SPAN = 1.0  # the seconds over which Telegram counts
MOST = 29  # in any of them, of the 30 that Telegram lets pass
KEPT = 5_000  # ids
LOOK_AGAIN = 0.01  # seconds


class Traffic:
    """Telegram numbers the messages of all private chats of a bot in one row, so a later message has a higher id.

    A message counts against the limit from its call until a second after its answer: whenever Telegram counted it, that
    was in between, so that however late calls and answers are there are never more than `MOST` in any second there.
    """

    def __init__(self) -> None:
        self.latest = 0  # the highest id that was seen
        self._seen: dict[int, None] = {}  # oldest first
        self._under_way = 0
        self._until: deque[float] = deque()  # when those that were answered count no more
        self._others: Collection[float] = ()

    def saw(self, message_id: int) -> None:
        """There is a message with this id, sent or received by this process."""
        self._seen[message_id] = None
        if len(self._seen) > KEPT:
            del self._seen[next(iter(self._seen))]
        self.latest = max(self.latest, message_id)

    def seen(self, after: int) -> set[int]:
        """Ids above `after` of messages that passed through this process."""
        return {one for one in self._seen if one > after}

    def has_seen(self, message_id: int | None) -> bool:
        return message_id in self._seen

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Around the call that sends a message."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            now = _now()
            self._until.append(now + SPAN)
            while self._until[0] <= now:
                self._until.popleft()

    def others(self, ages: Collection[float]) -> None:
        """What other processes sent lately, each so many seconds ago; in place of what was said before."""
        self._others = [_now() + SPAN - age for age in ages]

    def wait(self) -> float:
        """Seconds until one more message fits; 0 when it does now."""
        now = _now()
        until = sorted(at for at in (*self._until, *self._others) if at > now)
        too_many = self._under_way + len(until) - MOST
        if too_many < 0:
            return 0
        return until[too_many] - now if too_many < len(until) else LOOK_AGAIN


def _now() -> float:
    return asyncio.get_running_loop().time()
