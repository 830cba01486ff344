"""What goes wrong in a run, drawn from its seed: how rough it is, which kinds of faults there are, and when it ends.

Each seed has a few kinds of its own: some faults are found only where others are absent.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.sandbox.exchanges.faults import Asking, Fault, Faults, Kind
from tests.simulation.story import KEY

NETWORK = ("refused", "lost", "broken_before", "broken_after", "broken_early", "unanswered", "late", "slow")
EXCHANGE = (
    "html", "empty", "truncated", "nan", "cut", "fivehundred", "ban", "redirect", "refuse", "repeated", "hide", "hang",
)  # fmt: skip
MESSENGER = ("delayed", "unreachable", "lost", "gone", "blocked")
UNCLEAR = ("overload", "timeout", "unknown", "duplicate")  # may be said of an order that was accepted
_CLEAR = ("margin", "min_notional", "key", "clock", "rate_limited", "maintenance", "reduce_only", "lot")
_LATEST = 16.0  # seconds that a request may be under way at most
_MOST = 0.6  # of the orders go wrong, so that some do not


@dataclass(frozen=True, slots=True)
class Way:
    """One request's way there and back, in seconds."""

    there: float
    back: float
    refused: bool = False  # there is no connection
    arrives: bool = True
    breaks: float | None = None  # seconds until the connection breaks
    answered: bool = True


def is_signed(headers: Iterable[str]) -> bool:
    """Whether a request with these values in its headers asks in somebody's name: its key is among them."""
    return any(KEY in value for value in headers)


class Weather:
    """`over`: from then on nothing goes wrong any more."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.over = False
        self.unclear: tuple[str, ...] = UNCLEAR  # for which this exchange has a word
        self.share = chance.choice((0.0, 0.02, 0.05, 0.12, 0.25))  # of the requests that go wrong
        self.kinds = [kind for kind in (*NETWORK, *EXCHANGE, *MESSENGER) if chance.random() < 0.4]
        self.writes_more = chance.choice((1.0, 4.0, 10.0))  # orders fare worse than reads
        # A card takes twenty reads: where they fare as badly as all else, it hardly ever comes to an order.
        self.prices_less = chance.choice((0.05, 0.05, 0.2, 1.0))
        self.accounts_less = chance.choice((0.2, 1.0))
        # Lists of positions that are short or behind: by a source of their own, so that all else is drawn as before.
        self._reads = random.Random(repr(chance.getstate()[1][:8]))
        self._misreads = self._reads.choice((0.0, 0.0, 0.05, 0.2))

    def way(self, method: str, *, signed: bool) -> Way:
        """Drawn for each request."""
        there, back = self.chance.uniform(0.01, 0.2), self.chance.uniform(0.01, 0.2)
        match self._fault(NETWORK, self._weight(writes=method == "POST", signed=signed)):
            case "refused":
                return Way(there, back, refused=True)
            case "lost":
                return Way(there, back, arrives=False, answered=False)
            case "broken_before":
                return Way(there, back, arrives=False, breaks=there)
            case "broken_after":
                return Way(there, back, breaks=there + back)
            case "broken_early":  # somebody on the way still has the request
                return Way(self.chance.uniform(0.5, 4.0), back, breaks=0.1)
            case "unanswered":
                return Way(there, back, answered=False)
            case "late":
                return Way(self.chance.uniform(1.0, _LATEST), back)
            case "slow":
                return Way(there, self.chance.uniform(1.0, _LATEST))
        return Way(there, back)

    def at_exchange(self, operation: str, *, signed: bool) -> Fault | None:
        """The stand-in's misbehaviour for one request."""
        kind = self._fault(EXCHANGE, self._weight(writes=operation == "order", signed=signed))
        after = self.chance.random() < 0.5
        # An order that took effect and was not acknowledged may not be seen at once either.
        unseen = self.chance.choice((0, 1, 2)) if operation == "order" and after else 0
        match kind:
            case None:
                return None
            case "fivehundred":
                status = self.chance.choice((500, 502, 503, 504))
                return Fault("answer", after=after, status=status, unseen=unseen)
            case "ban":
                wait = self.chance.choice((None, 1, 10, 60))
                return Fault("ban", status=self.chance.choice((418, 429)), retry_after=wait)
            case "refuse":
                return Fault("refuse", word=self.chance.choice(_CLEAR + self.unclear))
            case "repeated":  # it took effect, and the answer does not tell
                return Fault("refuse", after=True, word=self.chance.choice(self.unclear), unseen=unseen)
            case "hide":
                if operation != "order":
                    return None
                return Fault("hide", lookups=self.chance.choice((1, 2, 5)))
            case "hang":
                return Fault("hang", after=after, seconds=self.chance.uniform(5, 60), unseen=unseen)
            case "redirect":
                return Fault("redirect", after=after, unseen=unseen)
            case "html" | "empty" | "truncated" | "nan" | "cut":
                return Fault(kind, after=after, unseen=unseen)
        raise AssertionError(f"nobody knows what {kind} is")

    def misread(self) -> Fault | None:
        """How positions are told otherwise than they are, for some seconds from this read on."""
        if self.over or self._reads.random() >= self._misreads:
            return None
        kind: Kind = self._reads.choice(("missing", "stale"))
        by: Asking = self._reads.choice(("", "list", "list", "symbol"))
        return Fault(kind, on="positions", by=by, lasts=self._reads.uniform(0.5, 12.0))

    def at_messenger(self) -> str | None:
        """What becomes of one message."""
        return self._fault(MESSENGER, 1.0)

    def _weight(self, *, writes: bool, signed: bool) -> float:
        if writes:
            return self.writes_more
        return self.accounts_less if signed else self.prices_less

    def _fault(self, kinds: tuple[str, ...], more: float) -> str | None:
        mine = [kind for kind in kinds if kind in self.kinds]
        if self.over or not mine or self.chance.random() >= min(self.share * more, _MOST):
            return None
        return self.chance.choice(mine)


class SeededFaults(Faults):
    """Of a stand-in, drawn where others are told. `beside`: what happens at the same time as an order."""

    def __init__(self, weather: Weather, beside: Callable[[], None]) -> None:
        super().__init__()
        self._weather, self._beside = weather, beside

    def take(self, operation: str, carried: Iterable[str] = (), by: Asking = "") -> Fault | None:
        if operation == "order":
            self._beside()
        if operation == "positions" and not self.waiting and (fault := self._weather.misread()):
            self.begin(fault)
        told = super().take(operation, carried, by)
        return told or self._weather.at_exchange(operation, signed=is_signed(carried))
