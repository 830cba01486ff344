"""A balance that cannot be: nothing, or most of it gone at once, while positions that it backs stand as before."""

from collections.abc import Sequence
from decimal import Decimal

from bot.ports.records import Balance
from bot.ports.watching import Doubt, Look
from hedging.money import ZERO
from hedging.portfolio import Position

MOST = Decimal("0.5")  # of the equity


def doubt_of(before: Look | None, balance: Balance, positions: Sequence[Position], *, traded: bool) -> Doubt:
    """Why a balance is not gone by, if it is not. `traded`: the positions may have changed since `before`.

    Nothing at all (`none`) is never believed while a position binds margin. A fall by most of the equity that no loss
    of the positions explains (`fell`) is believed when the next look says the same: its owner may have moved it.
    """
    if not any(position.margin > 0 for position in positions):
        return ""
    if balance.equity <= 0:
        return "none"
    if before is None or before.doubt or traded or before.equity <= 0:
        return ""
    lost = before.equity - balance.equity
    explained = sum((-position.unrealized_pnl for position in positions if position.unrealized_pnl < 0), ZERO)
    return "fell" if lost > before.equity * MOST and lost > 2 * explained else ""
