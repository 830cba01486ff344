"""Shorts that changed by no order of ours."""

from typing import Any

from bot.chat.views import position
from bot.chat.views.message import Message


def changed(kind: str, **more: Any) -> dict[str, Any]:
    """A change of a short of 0.12 BTC that none of our orders made."""
    usual: dict[str, Any] = {
        "kind": kind,
        "exchange": "bybit",
        "mode": "live",
        "symbol": "BTC/USDT:USDT",
        "grew": False,
        "amount": "0.12",
        "left": "0",
        "own": "0",
        "in_coins": True,
        "price": "63251.4",
        "coverage": "0.31",
        "target": "0.75",
        "closes_at": "",
    }
    return usual | more


SCREENS: dict[str, Message] = {
    "position_adl": position.position(changed("adl")),
    "position_adl_part": position.position(changed("adl", amount="0.05", left="0.07", coverage="0.5")),
    "position_liquidation": position.position(changed("liquidation", exchange="paper", mode="paper")),
    "position_settlement": position.position(changed("settlement", symbol="SOL/USDT:USDT", amount="12")),
    "position_sold": position.position(
        changed("trade", grew=True, amount="0.05", left="0.17", own="0.05", coverage="0.82")
    ),
    "position_bought": position.position(changed("trade", amount="0.05", left="0.07", coverage="0.5")),
    "position_late": position.position(changed("late", grew=True, left="0.12", coverage="0.75")),
    "position_found": position.position(
        changed("found", grew=True, left="0.12", own="0.12", coverage="0.75", price=None)
    ),
    "position_shrank": position.position(changed("unexplained", exchange="weex", price=None, coverage="0")),
    "position_grew": position.position(
        changed("unexplained", grew=True, left="0.24", in_coins=False, price=None, repeat=True)
    ),
    "position_delisting": position.position(
        changed("delisting", left="0.12", price=None, closes_at="2026-08-12T09:00:00+00:00")
    ),
    "position_gone": position.position(changed("delisting", left="0.12", price=None, closes_at="gone")),
}
