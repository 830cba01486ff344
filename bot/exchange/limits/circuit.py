"""A circuit a host of an exchange: it opens while the host is down, lets a few calls try after a pause, and closes when
one of them is answered.

One key whose calls hang opens nothing: of each account only the first two failures count, of public calls all. A word
of maintenance opens at once.
"""

from collections import Counter
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Literal

from bot.ports.clock import Clock
from bot.ports.exchange import Health

PUBLIC = ""  # the source of calls that carry no key

_TOO_MANY = 5  # failures without an answer between them
_FOR_LONG = timedelta(seconds=10)  # between the first of them and the begin of the last: a hiccup is none
_OF_ONE_KEY = 2
_PROBES = 3  # accounts that may try at once
_PUBLIC_PROBES = 8  # prices take several calls together
_PROBE_LASTS = timedelta(seconds=30)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=5)

State = Literal["closed", "open", "half-open"]


class Circuit:
    """`title`: how people call the exchange."""

    def __init__(self, clock: Clock, title: str) -> None:
        self._clock, self._title = clock, title
        self._failures: Counter[Hashable] = Counter()
        self._failing_since = clock.now()
        self._probes: list[tuple[Hashable, datetime]] = []
        self._failed_probes: set[Hashable] = set()
        self._pause = _FIRST_PAUSE
        self._until: datetime | None = None  # None: closed
        self._why: Literal["maintenance", "down"] = "down"
        self._since = clock.now()

    @property
    def state(self) -> State:
        if self._until is None:
            return "closed"
        return "open" if self._clock.now() < self._until else "half-open"

    @property
    def health(self) -> Health:
        if self._until is None:
            return Health("up", self._since)
        return Health(self._why, self._since, self._until, self._sentence())

    def refusal(self, source: Hashable, *, write: bool) -> str | None:
        """Why a call must not be made now, in a sentence; None: it may. Only reads try whether an exchange is back:
        what is written then might neither be taken nor refused."""
        state = self.state
        if state == "closed":
            return None
        if state == "open" or write:
            return self._sentence()
        now = self._clock.now()
        self._probes = [probe for probe in self._probes if now - probe[1] < _PROBE_LASTS]
        trying = [one for one, _ in self._probes]
        if source == PUBLIC:
            full = trying.count(PUBLIC) >= _PUBLIC_PROBES
        else:
            full = source in trying or len(trying) - trying.count(PUBLIC) >= _PROBES
        if full:
            return self._sentence()
        self._probes.append((source, now))
        return None

    def answered(self) -> None:
        """It works. What was asked before it went down proves nothing."""
        self._failures.clear()
        if self.state == "half-open":
            self._until, self._since, self._pause = None, self._clock.now(), _FIRST_PAUSE
            self._forget_probes()

    def failed(self, source: Hashable, begun: datetime, *, maintenance: bool = False) -> None:
        """A call that began then was not answered, or was told that it is down."""
        state, now = self.state, self._clock.now()
        if state == "closed":
            if not self._failures:
                self._failing_since = now
            self._failures[source] += 1
            lasts = begun - self._failing_since >= _FOR_LONG
            if maintenance or (lasts and self._weight() >= _TOO_MANY):
                self._why = "maintenance" if maintenance else "down"
                self._since = self._failing_since
                self._open()
        elif state == "half-open" and any(source == one for one, _ in self._probes):
            self._failed_probes.add(source)
            if maintenance or source == PUBLIC or len(self._failed_probes) > 1:
                self._why = "maintenance" if maintenance else self._why
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)
                self._open()

    def _weight(self) -> int:
        counted = self._failures.items()
        return sum(count if source == PUBLIC else min(count, _OF_ONE_KEY) for source, count in counted)

    def _open(self) -> None:
        self._until = self._clock.now() + self._pause
        self._failures.clear()
        self._forget_probes()

    def _forget_probes(self) -> None:
        self._probes.clear()
        self._failed_probes.clear()

    def _sentence(self) -> str:
        since = f"since {self._since:%H:%M} UTC"
        if self._why == "maintenance":
            return f"{self._title} is in maintenance {since}."
        return f"{self._title} has not answered {since}."
