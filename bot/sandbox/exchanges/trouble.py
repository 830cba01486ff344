"""What may befall everybody at one stand-in of an exchange, in one word each."""

from collections.abc import Callable, Mapping

from bot.sandbox.exchanges.venue import Venue

_FOR_LONG = 1_000_000  # requests
UNHEARD_OF = 98765
NEARLY_FIRST = 4  # of 5


def befall(venue: Venue, kind: object) -> None:
    """Let it happen until `back`. Raises ValueError for trouble that there is none of."""
    what = TROUBLES.get(kind) if isinstance(kind, str) else None
    if what is None:
        raise ValueError(f"The trouble must be one of {', '.join(TROUBLES)}.")
    what(venue)


def _away(venue: Venue) -> None:
    """In maintenance: nothing is answered."""
    venue.faults.add("refuse", word="maintenance", on="*", times=_FOR_LONG)


def _key(venue: Venue) -> None:
    """No key is let in any more."""
    for trader in venue.desk.traders.values():
        trader.revoked = True


def _close(venue: Venue) -> None:
    """It closes every short by itself (auto-deleveraging)."""
    for trader in venue.desk.traders.values():
        for held in venue.desk.held(trader):
            if held.position.contracts < 0:
                venue.desk.force_close(trader, held.symbol, "adl")


def _order(venue: Venue) -> None:
    """The next order takes effect, its answer is lost, and no look-up is answered."""
    venue.faults.add("cut", on="order", after=True)
    venue.faults.add("empty", on="find", times=_FOR_LONG)


def _silent(venue: Venue) -> None:
    """What it has closed or filled cannot be looked up."""
    for what in ("forced", "fills"):
        venue.faults.add("empty", on=what, times=_FOR_LONG)


def _balance(venue: Venue) -> None:
    """It tells nothing of anybody's money."""
    venue.faults.add("shrunk", on="balance", times=_FOR_LONG)


def _refuse(venue: Venue) -> None:
    """It refuses orders, with a code of its own that nobody knows."""
    venue.faults.add("refuse", on="order", times=_FOR_LONG, code=UNHEARD_OF, message="not now")


def _list(venue: Venue) -> None:
    """Its list of positions is empty for as long as a minute."""
    venue.faults.add("missing", on="positions", by="list", lasts=60)


def _rank(venue: Venue) -> None:
    """Every short stands far in front in the queue for auto-deleveraging, where the exchange tells it."""
    for trader in venue.desk.traders.values():
        trader.ranks |= {held.symbol: NEARLY_FIRST for held in venue.desk.held(trader)}


def _back(venue: Venue) -> None:
    """All is well again; what was closed stays closed."""
    venue.faults.clear()
    for trader in venue.desk.traders.values():
        trader.revoked = False
        trader.ranks.clear()


TROUBLES: Mapping[str, Callable[[Venue], None]] = {
    "away": _away,
    "key": _key,
    "close": _close,
    "order": _order,
    "silent": _silent,
    "balance": _balance,
    "refuse": _refuse,
    "list": _list,
    "rank": _rank,
    "back": _back,
}
