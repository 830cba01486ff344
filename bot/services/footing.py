"""The position that an order meets, and what it may do to it. Why: deploy/decisions/0019-position-before-order.md"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.ports.clock import Clock
from bot.ports.exchange import Exchange
from bot.ports.records import Account, Attempt
from hedging.money import ZERO
from hedging.plan import Leg
from hedging.portfolio import Position

# Seconds before each further look for a fill of ours that the position does not show.
SHOWS_AFTER = (0.3, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Footing:
    """`held`: the positions in the symbol; `short`: contracts short there; `amount`: contracts to order; `refusal`: why
    nothing may be ordered, or an empty text."""

    held: Sequence[Position]
    short: Decimal
    amount: Decimal
    refusal: str = ""


async def footing(exchange: Exchange, clock: Clock, attempt: Attempt, account: Account, leg: Leg) -> Footing:
    """Read the position by its symbol, and hold it against the one that the attempt is to meet (its `position_before`).

    What opens is ordered on that position alone. What closes is never more than there is, as far as either read tells,
    and never leaves less than the plan does: reduce-only orders cannot flip a position, so that the larger read counts
    where the two differ. One request, but for a position that is not as expected. Raises Unavailable.
    """
    held = await exchange.read_ahead(account, attempt.symbol)
    expected, short = -attempt.position_before, short_of(held, attempt.symbol)
    if leg.reduce_only:
        if short < expected:
            short = max(short, short_of(await exchange.positions(account), attempt.symbol))
        amount = min(attempt.contracts, max(short - leg.kept, ZERO))
        nothing = "position_changed" if short else "reduce_only"
        return Footing(held, short, amount, "" if amount else nothing)
    ours = abs(attempt.position_before - leg.position_before)  # by earlier orders of this card
    for pause in SHOWS_AFTER:
        if not 0 < expected - short <= ours:
            break
        await clock.sleep(pause)
        held = await exchange.positions_in(account, attempt.symbol)
        short = short_of(held, attempt.symbol)
    return Footing(held, short, attempt.contracts, "" if short == expected else "position_changed")


def short_of(held: Iterable[Position], symbol: str) -> Decimal:
    """Contracts short in the symbol."""
    return sum((-p.contracts for p in held if p.symbol == symbol and p.contracts < 0), ZERO)
