"""A paper exchange as arithmetic: an account, an order and a quote give a fill; marks and rates give funding and
liquidations. Linear and inverse perpetuals, cross and isolated margin, one-way positions. Pure and in decimals."""

from hedging.paper.account import (
    MarginMode,
    PaperAccount,
    PaperPosition,
    equity,
    free_margin,
    liquidation,
    unrealized,
    value,
    with_leverage,
    with_margin_mode,
)
from hedging.paper.matching import Fill, PaperOrder, fill
from hedging.paper.settlement import FundingPaid, Liquidation, Marks, settle, settle_ended

__all__ = [
    "Fill",
    "FundingPaid",
    "Liquidation",
    "MarginMode",
    "Marks",
    "PaperAccount",
    "PaperOrder",
    "PaperPosition",
    "equity",
    "fill",
    "free_margin",
    "liquidation",
    "settle",
    "settle_ended",
    "unrealized",
    "value",
    "with_leverage",
    "with_margin_mode",
]
