"""The alert of drift as it was first told, without what the watch adds to it."""

from typing import Any

from bot.chat.views import alert
from bot.chat.views.message import Message


def alarm(**more: Any) -> dict[str, Any]:
    return {
        "alert_id": 7,
        "kind": "drift",
        "exchange": "bybit",
        "mode": "live",
        "coverage": "0.382",
        "target": "0.50",
        "band": "0.10",
        "value": "15230.5",
        "change": -0.2943,
        "hedge_pnl": "3120.4",
        "proposal_id": "abcdefghijklmnop",
        "legs": [{"symbol": "BTC/USDT:USDT", "side": "sell", "contracts": "0.120", "notional": "7590.2"}],
        "fees": "3.8",
    } | more


SCREENS: dict[str, Message] = {
    "alert_drift": alert.alert(alarm()),
    "alert_drift_up": alert.alert(
        alarm(
            coverage="0.66",
            change=0.12,
            hedge_pnl="-800.1",
            legs=[{"symbol": "SOL/USDT:USDT", "side": "buy", "contracts": "10.0", "notional": "1423"}] * 6,
        )
    ),
    "alert_move": alert.alert(alarm(kind="market_move", repeat=True, hedge_pnl=None)),
    "alert_no_remedy": alert.alert(alarm(legs=[], proposal_id=None, change=None)),
    "alert_recovered": alert.recovered(alarm(coverage="0.497")),
}
