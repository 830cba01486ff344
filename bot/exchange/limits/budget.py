"""A budget of requests: so many in a span, then waiting, and refusing what would wait too long."""

from collections import deque
from datetime import datetime, timedelta

from bot.ports.clock import Clock


class BudgetSpent(Exception):
    """Nothing was sent: it would have had to wait too long."""


class Budget:
    """At most `count` within `span`; whoever comes later waits in line, at most `patience`."""

    def __init__(
        self, clock: Clock, count: int, span: timedelta, patience: timedelta = timedelta(seconds=5)
    ) -> None:
        self._clock, self._count, self._span, self._patience = clock, count, span, patience
        self._given: deque[datetime] = deque()  # when the latest `count` may go, ascending

    async def take(self) -> None:
        """Wait for a place. Raises BudgetSpent when none comes up soon enough."""
        now = self._clock.now()
        at = now
        if len(self._given) >= self._count:
            at = max(now, self._given[0] + self._span)
        if at - now > self._patience:
            raise BudgetSpent("too many requests for one key")
        if len(self._given) >= self._count:
            self._given.popleft()
        self._given.append(at)
        if at > now:
            await self._clock.sleep((at - now).total_seconds())
