"""Every kind of alert raised, developed and over, with the figures that the watch gives it; summaries and /alerts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.chat.views import alert, alerts, pinned, summary
from bot.chat.views.message import Message
from bot.ports.records import Alert, AlertState
from bot.ports.watching import AlertSettings
from bot.services.alerts import AlertsView

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

SELL = {"symbol": "BTC/USDT:USDT", "side": "sell", "contracts": "0.120", "notional": "7590.2"}
SELL |= {"mark_price": "63251.7", "limit_price": "62619.2"}
BUY = {"symbol": "SOL/USDT:USDT", "side": "buy", "contracts": "30.0", "notional": "4269"}
BUY |= {"mark_price": "142.3", "limit_price": "143.7"}

# Figures of each kind: as first told, and as it is worse. What an alert is about besides is the same for all.
RAISED: dict[str, dict[str, Any]] = {
    "drift": {"legs": [SELL]},
    "market_move": {"legs": [SELL], "hedge_pnl": "3120.4"},
    "funding": {"cost": 182.3, "measure": 0.024, "legs": [BUY], "remedy": "close", "hedge_pnl": "-310.2"},
    "liquidation": {
        "symbol": "SOL/USDT:USDT",
        "runway": 0.34,
        "pump": 0.41,
        "legs": [BUY],
        "remedy": "delever",
    },
    "basis": {"symbol": "SOL/USDT:USDT", "basis": 0.0132},
    "correlation": {"correlation": 0.41, "before": 0.86, "legs": [SELL]},
    "volatility": {"measure": 2.24, "legs": [SELL], "remedy": "retarget", "aim": "0.75"},
    "stale": {"reason": "age", "days": 91.3, "legs": [BUY], "remedy": "close", "hedge_pnl": "-310.2"},
    "orphan": {"symbols": ["SOL/USDT:USDT"], "legs": [BUY], "remedy": "rebalance"},
    "margin": {"measure": 0.53, "legs": [BUY], "remedy": "delever"},
    "forced_close": {"symbol": "SOL/USDT:USDT", "before": "120", "after": "0", "legs": [SELL]},
    "exchange_down": {"exchange": "bybit"},
    "key_failing": {"exchange": "bybit"},
    "key_expiring": {"exchange": "bybit", "mode": "live", "days": 14},
    "key_rights": {"exchange": "bybit", "mode": "live", "lost": "addresses"},
    "adl": {
        "exchange": "bybit",
        "symbol": "SOL/USDT:USDT",
        "rank": 4,
        "legs": [BUY],
        "remedy": "delever",
        "leverage": "3.1",
    },
    "order_waiting": {"symbol": "SOL/USDT:USDT", "side": "sell", "contracts": "12"},
    "balance": {"exchange": "binance", "reason": "none", "equity": 0.0},
    "exit": {
        "reason": "price",
        "asset": "SOL",
        "price": 251.4,
        "above": 250,
        "legs": [BUY],
        "remedy": "close",
    },
}
DEVELOPED: dict[str, dict[str, Any]] = {
    "drift": {"coverage": 0.21},
    "market_move": {"change": 0.1832, "event": "raised"},
    "funding": {"cost": 402.8, "measure": 0.053},
    "liquidation": {"runway": 0.08},
    "basis": {"basis": -0.0323},
    "correlation": {"correlation": 0.12, "coverage": 0.47, "legs": []},
    "volatility": {"measure": 3.1},
    "stale": {"reason": "sold", "sold": 0.62},
    "orphan": {"symbols": ["SOL/USDT:USDT", "ADA/USDT:USDT"]},
    "margin": {"measure": 0.86},
    "forced_close": {"level": 1, "event": "due", "reminder": 1},
    "exchange_down": {},
    "key_failing": {"level": 1, "event": "due", "reminder": 1},
    "key_expiring": {"days": 1, "level": 3},
    "key_rights": {"lost": "trading"},
    "adl": {"rank": 5},
    "order_waiting": {},
    "balance": {"level": 1, "event": "raised", "reason": "contradicted", "equity": 52.1, "runway": 0.6},
    "exit": {"reason": "date", "until": "2026-03-01T00:00:00+00:00", "event": "goes_on"},
}


def told(kind: str, **more: Any) -> dict[str, Any]:
    """What the outbox has of an alert when it is sent."""
    usual = {
        "alert_id": 7,
        "kind": kind,
        "level": 1,
        "event": "raised",
        "raised_at": NOON.isoformat(),
        "at": (NOON + timedelta(minutes=50)).isoformat(),
        "coverage": 0.382,
        "target": 0.5,
        "band": 0.1,
        "value": 15230.5,
        "change": -0.1243,
        "hedge_pnl": None,
        "proposal_id": "abcdefghijklmnop",
        "legs": [],
        "fees": "3.8",
        "remedy": "rebalance",
    }
    return usual | RAISED[kind] | more


def worse(kind: str) -> dict[str, Any]:
    return told(kind, **({"level": 2, "event": "worse"} | DEVELOPED[kind]))


def over(kind: str) -> dict[str, Any]:
    return told(kind, coverage=0.493, event="over", legs=[])


def live(number: int, kind: str, **changes: Any) -> Alert:
    new = Alert(number, 1, kind, AlertState.RAISED, told(kind), NOON, NOON)
    return replace(new, **changes)


MOVE = {
    "exchange": "bingx",
    "mode": "live",
    "here": "-182.3",
    "there": "-30.2",
    "moving": "14.1",
    "saves": "138",
}
WHY = {
    state: {"exchange": "bingx", "state": state, "since": NOON.isoformat()}
    for state in ("maintenance", "down")
}
WISHES = AlertSettings(
    1,
    "Europe/Berlin",
    22 * 60,
    7 * 60,
    8 * 60,
    frozenset({"basis", "funding"}),
    exits={"asset": "SOL", "above": 250.0, "until": "2026-12-31T00:00:00+00:00"},
)
LINES = [{"kind": k, "subject": "", "level": 1, "facts": told(k)} for k in ("drift", "funding", "stale")]
TOP = {
    "look": "hedged",
    "exchange": "bybit",
    "mode": "live",
    "coverage": 0.4987,
    "target": 0.5,
    "value": 21595.0,
}
TOP |= {"equity": 10123.5, "at": NOON.isoformat()}
DAY = {"value": "21595", "coverage": "0.4987", "target": "0.5", "positions": 2, "alerts": ["funding"]}

SCREENS: dict[str, Message] = {
    **{f"alert_{kind}_raised": alert.alert(told(kind)) for kind in RAISED},
    **{f"alert_{kind}_developed": alert.alert(worse(kind)) for kind in RAISED},
    **{f"alert_{kind}_over": alert.recovered(over(kind)) for kind in RAISED},
    "alert_stale_risen": alert.alert(told("stale", reason="risen", rise=0.23)),
    "alert_exit_rise": alert.alert(told("exit", reason="rise", rise=0.31)),
    "alert_exit_budget": alert.alert(told("exit", reason="budget", cost=132.0, budget=100.0)),
    "alert_funding_cheaper": alert.alert(told("funding", cheaper=MOVE)),
    "alert_funding_switch": alert.alert(
        told("funding", remedy="switch", switch=MOVE | {"coin": "ETH"}, legs=[BUY, SELL])
    ),
    "alert_funding_elsewhere_receives": alert.alert(told("funding", cheaper=MOVE | {"there": "41.2"})),
    "alert_volatility_back": alert.recovered(over("volatility") | {"legs": [BUY], "aim": "0.5"}),
    "alert_exchange_maintenance": alert.alert(told("exchange_down", **WHY["maintenance"])),
    "alert_exchange_silent": alert.alert(told("exchange_down", **WHY["down"])),
    "alert_exchange_down_paper": alert.alert(told("exchange_down", exchange="paper")),
    "alert_exchange_back_paper": alert.recovered(over("exchange_down") | {"exchange": "paper"}),
    "alert_key_expiring_week": alert.alert(told("key_expiring", days=7, level=2)),
    "alert_reminder": alert.alert(told("margin", level=2, measure=0.86, event="due", reminder=1)),
    "alert_goes_on": alert.alert(told("drift", event="goes_on", coverage=0.31)),
    "alert_waits": alert.alert(told("drift", legs=[], waits_for="liquidation")),
    "alert_more": alert.alert(told("drift"), more=True),
    "alert_replaced": alert.replaced(worse("liquidation")),
    "alert_adl_calm": alert.alert(told("adl", legs=[], leverage="1.9")),
    "alert_adl_gone": alert.recovered(over("adl") | {"rank": None}),
    "alert_move_again": alert.alert(told("market_move", again=True)),
    "alert_given_up": alert.recovered(over("order_waiting") | {"given_up": True}),
    "alert_no_hedge": alert.recovered(told("drift", hedged=False)),
    "summary": summary.summary({"lines": LINES, "capped": False, "loud": False, "digest": False}),
    "summary_digest": summary.summary({"lines": LINES[:2], "digest": True}),
    "summary_storm": summary.summary(
        {"lines": [{"level": 2, "facts": told("order_waiting", level=2)}] * 12, "loud": True, "capped": True}
    ),
    "daily": summary.daily(DAY | {"unhedged_pnl": "-2310.5", "hedged_pnl": "-204.1"}),
    "daily_open": summary.daily(DAY | {"positions": 0, "alerts": []}),
    "daily_unknown": summary.daily({"at": NOON.isoformat()}),
    "pinned": pinned.pinned(TOP | {"hedge_pnl": "123.5", "zone": "Europe/Berlin", "until": None, "more": 0}),
    "pinned_alerts": pinned.pinned(
        TOP
        | {"hedge_pnl": "-310.2", "zone": "UTC", "alert": told("drift", level=2, coverage=0.21), "more": 2}
    ),
    "pinned_end": pinned.pinned(TOP | {"mode": "paper", "until": "2026-12-31T00:00:00+00:00"}),
    "pinned_open": pinned.pinned(
        {"look": "open", "exchange": "bybit", "mode": "demo", "at": NOON.isoformat()}
    ),
    "pinned_away": pinned.pinned(
        {"look": "away", "exchange": "bybit", "mode": "live", "at": NOON.isoformat()}
    ),
    "pinned_off": pinned.pinned({"look": "off"}),
    "alerts_none": alerts.alerts(AlertsView((), AlertSettings(1), NOON)),
    "alerts_some": alerts.alerts(
        AlertsView(
            (
                live(1, "margin", level=2),
                live(2, "drift", state=AlertState.SNOOZED, snoozed_until=NOON + timedelta(hours=4)),
                live(3, "stale", held=True, due_at=NOON + timedelta(hours=18)),
                live(4, "exit", state=AlertState.ACKNOWLEDGED),
            ),
            WISHES,
            NOON,
        )
    ),
    "alerts_mute": alerts.muting(WISHES),
}
