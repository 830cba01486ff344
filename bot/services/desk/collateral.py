"""What backs somebody's positions, and whether the exchange's word on it is one to go by."""

from decimal import Decimal

import numpy as np

from bot.services.situation import Situation
from hedging.margin import contradicted


def leverage_of(situation: Situation) -> Decimal | None:
    """Notional of all positions over the equity behind them; None where no equity is told."""
    equity = situation.balance.equity
    return sum(map(abs, _notionals(situation)), Decimal(0)) / equity if equity > 0 else None


def sound(situation: Situation, watched: float | None = None) -> bool:
    """Whether the balance is one to go by: there is some, most of what was watched is still there, and the exchange's
    own liquidation prices do not contradict it. `watched`: the equity when the alert was raised."""
    equity, maintenance = situation.balance.equity, _maintenance(situation)
    if equity <= 0 or (watched is not None and float(equity) < watched / 2):
        return False
    rises = [
        float(p.liquidation_price / p.mark_price - 1)
        for p in situation.shorts
        if p.liquidation_price is not None
    ]
    largest = max((abs(n) for n in _notionals(situation)), default=Decimal(0))
    told = (np.array([float(x)]) for x in (equity, maintenance, largest, min(rises, default=float("nan"))))
    return not contradicted(*told)[0]


def _maintenance(situation: Situation) -> Decimal:
    """Margin that keeps the positions open: the account's own total, or by the lowest tiers."""
    told, listed = situation.balance.maintenance, situation.snapshot.contracts
    if told:
        return told
    held = [p for p in situation.positions if p.symbol in listed and listed[p.symbol].in_dollars]
    return sum(
        (
            abs(listed[p.symbol].notional(p.contracts, p.mark_price))
            * listed[p.symbol].maintenance_margin_rate
            for p in held
        ),
        Decimal(0),
    )


def _notionals(situation: Situation) -> list[Decimal]:
    """Of all positions; what is not listed any more, or not quoted in dollars, is left out."""
    listed = situation.snapshot.contracts
    held = [p for p in situation.positions if p.symbol in listed and listed[p.symbol].in_dollars]
    return [listed[p.symbol].notional(p.contracts, p.mark_price) for p in held]
