"""What one address may ask of one host: a steady rate of weight, shared fairly between those who ask."""

import asyncio
import heapq
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.exchange.limits.budget import BudgetSpent
from bot.ports.clock import Clock

_AT_ONCE = 0.2  # the part of a span's weight that may go in one burst; the rest is spread over the span
_MOST_SOURCES = 5000


@dataclass(order=True, slots=True)
class _Ticket:
    later: bool  # than what is urgent
    start: float  # virtual: how much its source had taken before it
    number: int
    weight: float = field(compare=False)
    came: datetime = field(compare=False)
    outcome: bool | None = field(default=None, compare=False)  # True: may go; False: waited too long
    woken: asyncio.Event = field(default_factory=asyncio.Event, compare=False)


class AddressBudget:
    """At most `weight` in `span`. Who waits is served in turns by source (start-time fair queueing), so that one that
    asks for a thousand things holds up nobody who asks for one; what is urgent goes first."""

    def __init__(
        self, clock: Clock, weight: float, span: timedelta, patience: timedelta = timedelta(seconds=20)
    ) -> None:
        self._clock, self._patience = clock, patience
        self._burst = weight * _AT_ONCE
        self._rate = weight * (1 - _AT_ONCE) / span.total_seconds()
        self._left, self._at = self._burst, clock.now()
        self._line: list[_Ticket] = []
        self._taken: dict[Hashable, float] = {}  # virtual, by source
        self._served = 0.0  # the virtual start of what was served last
        self._numbers = 0
        self._driven = False

    async def take(self, weight: float, source: Hashable = "", *, urgent: bool = False) -> None:
        """Wait for a turn. Raises BudgetSpent for who waited too long."""
        if not self._line and self._spend(weight):
            return
        ticket = self._ticket(weight, source, urgent)
        heapq.heappush(self._line, ticket)
        try:
            while ticket.outcome is None:
                if self._driven:
                    await ticket.woken.wait()
                    ticket.woken.clear()
                else:
                    await self._drive(ticket)
        finally:
            if ticket.outcome is None:
                self._line.remove(ticket)
                heapq.heapify(self._line)
            if not self._driven and self._line:
                self._line[0].woken.set()  # somebody has to go on
        if not ticket.outcome:
            raise BudgetSpent("too many requests for this address")

    async def _drive(self, mine: _Ticket) -> None:
        """Serve the line until `mine` had its turn."""
        self._driven = True
        try:
            while mine.outcome is None:
                first = self._line[0]
                late = self._clock.now() - first.came > self._patience
                if not late and not self._spend(first.weight):
                    await self._clock.sleep(self._wait_for(first.weight))
                    continue
                heapq.heappop(self._line)
                self._served = max(self._served, first.start)
                first.outcome = not late
                first.woken.set()
        finally:
            self._driven = False

    def _ticket(self, weight: float, source: Hashable, urgent: bool) -> _Ticket:
        if len(self._taken) > _MOST_SOURCES:
            self._taken = {one: taken for one, taken in self._taken.items() if taken > self._served}
        start = max(self._served, self._taken.get(source, 0.0))
        self._taken[source] = start + weight
        self._numbers += 1
        return _Ticket(not urgent, start, self._numbers, weight, self._clock.now())

    def _spend(self, weight: float) -> bool:
        now = self._clock.now()
        passed = max((now - self._at).total_seconds(), 0.0)
        self._left, self._at = min(self._left + passed * self._rate, self._burst), now
        if self._left < min(weight, self._burst):
            return False
        self._left -= weight  # below zero for what is heavier than a burst: the next wait for it
        return True

    def _wait_for(self, weight: float) -> float:
        return max((min(weight, self._burst) - self._left) / self._rate, 0.001)
