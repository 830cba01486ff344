"""What an account's shorts should be, by our orders and by what was last explained of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bot.ports.books import KnownShort
from bot.ports.records import TERMINAL, Attempt, AttemptState
from bot.ports.watching import Look
from hedging.money import ZERO
from hedging.portfolio import Position


@dataclass(frozen=True, slots=True)
class Ordered:
    """What our orders in one symbol did. `total`: signed contracts that they traded, whatever became of them."""

    attempts: tuple[Attempt, ...] = ()

    @property
    def total(self) -> Decimal:
        return sum((a.filled if a.side == "buy" else -a.filled for a in self.attempts), ZERO)

    @property
    def busy(self) -> bool:
        """One is on its way or unknown: the position may or may not have it yet."""
        return any(a.state not in TERMINAL for a in self.attempts)

    @property
    def latest(self) -> datetime | None:
        """When the last of them was settled (wall time)."""
        return max((a.updated_at for a in self.attempts), default=None)

    @property
    def lost(self) -> list[Attempt]:
        """Those that nobody could tell of, or that were thought never to have arrived or to have been refused, because
        nothing was found of them."""
        gone = (AttemptState.MANUAL, AttemptState.ABSENT)
        return [
            a for a in self.attempts if a.state in gone or (a.state is AttemptState.REJECTED and a.lookups)
        ]


def held_in(look: Look) -> dict[str, Decimal]:
    """The shorts that a look saw: signed contracts by symbol."""
    return {str(row[0]): Decimal(row[1]) for row in look.positions if str(row[1]).startswith("-")}


def shorts_of(positions: Sequence[Position]) -> dict[str, Decimal]:
    return {position.symbol: position.contracts for position in positions if position.contracts < 0}


def expected_of(symbol: str, known: Mapping[str, KnownShort], mine: Ordered) -> Decimal:
    """What our orders since the last look have made of the short."""
    short = known.get(symbol)
    return mine.total if short is None else short.contracts + mine.total - short.ordered


def unexpected(
    held: Mapping[str, Decimal], known: Mapping[str, KnownShort], ordered: Mapping[str, Ordered]
) -> dict[str, Decimal]:
    """What the shorts should be that are something else, and have no order of ours under way."""
    wanted = {
        symbol: expected_of(symbol, known, mine)
        for symbol in {*known, *ordered, *held}
        if not (mine := ordered.get(symbol, Ordered())).busy
    }
    return {symbol: size for symbol, size in wanted.items() if held.get(symbol, ZERO) != size}
