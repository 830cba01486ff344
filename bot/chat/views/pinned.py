"""The message at the top of the chat: how somebody stands, in one look."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bot.chat.texts import alerts as texts
from bot.chat.texts import pinned as t
from bot.chat.views.accounts.badge import badge
from bot.chat.views.alert import headline
from bot.chat.views.message import Button, Message, bold, html
from bot.chat.views.numbers import percent, usd

Payload = Mapping[str, Any]


def pinned(payload: Payload) -> Message:
    """Coverage first, since the bar at the top of a chat shows one line; then money, and what comes next."""
    if payload["look"] == "off":
        return Message(f"{bold(t.OFF)}\n\n{t.OFF_BODY}", silent=True)
    titled = [bold(_title(payload)), badge(payload["exchange"], payload["mode"])]
    blocks = [titled, _money(payload), [*_next(payload), _as_of(payload)]]
    text = "\n\n".join("\n".join(block) for block in blocks if block)
    button = ((Button(texts.STATUS, "st:show"), Button(texts.ALL_ALERTS, "al:list:1")),)
    return Message(text, button, silent=True)


def _title(payload: Payload) -> str:
    shares = {
        name: percent(Decimal(str(payload[name])))
        for name in ("coverage", "target")
        if payload.get(name) is not None
    }
    return t.TITLES[payload["look"]].format_map(shares)


def _money(payload: Payload) -> list[str]:
    if payload["look"] != "hedged":
        return []
    lines = [texts.VALUE.format(value=usd(Decimal(str(payload["value"]))))]
    if payload.get("hedge_pnl") is not None:
        made = Decimal(payload["hedge_pnl"])
        lines.append((texts.HEDGE_MADE if made >= 0 else texts.HEDGE_LOST).format(amount=usd(abs(made))))
    return lines


def _next(payload: Payload) -> list[str]:
    """The most urgent matter; without one, when the hedge is to end."""
    lines = [headline(payload["alert"])] if payload.get("alert") else []
    if payload.get("more"):
        lines.append((t.ONE_MORE if payload["more"] == 1 else t.MORE).format(count=payload["more"]))
    if payload.get("until"):
        day = datetime.fromisoformat(payload["until"])
        lines.append(t.UNTIL.format(day=f"{day.day} {day:%b}"))
    return lines or [t.CALM[payload["look"]]]


def _as_of(payload: Payload) -> str:
    zone = payload.get("zone") or "UTC"
    at = datetime.fromisoformat(payload["at"]).astimezone(ZoneInfo(zone))
    where = zone.rpartition("/")[2].replace("_", " ")
    return t.AS_OF.format(time=f"{at.day} {at:%b}, {at:%H:%M}", zone=html(where))
