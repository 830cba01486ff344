"""Several alerts in one message, and the daily summary."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.chat.texts import alerts as t
from bot.chat.views.alert import headline
from bot.chat.views.message import Button, Message, bold, html
from bot.chat.views.numbers import percent, signed_usd, usd

Payload = Mapping[str, Any]

_LINES_SHOWN = 8


def summary(payload: Payload) -> Message:
    """What came together: one line each, the urgent ones first."""
    lines = sorted(payload["lines"], key=lambda line: -int(line["level"]))
    title = t.DIGEST if payload.get("digest") else t.SUMMARY
    if payload.get("loud"):
        title = t.SUMMARY_LOUD
    said = [t.LIST_LINE.format(headline=headline(line["facts"])) for line in lines[:_LINES_SHOWN]]
    if len(lines) > _LINES_SHOWN:
        said.append(t.SUMMARY_MORE.format(count=len(lines) - _LINES_SHOWN))
    blocks = [bold(title.format(count=len(lines))), "\n".join(said)]
    if payload.get("capped"):
        blocks.append(t.CAPPED)
    return Message("\n\n".join(blocks), ((Button(t.ALL_ALERTS, "al:list:1"),),))


def daily(payload: Payload) -> Message:
    """How somebody stands, once a day."""
    button = ((Button(t.STATUS, "st:refresh"), Button(t.ALL_ALERTS, "al:list:1")),)
    if payload.get("value") is None:
        return Message(f"{bold(t.DAILY_UNKNOWN)}\n\n{t.DAILY_UNKNOWN_BODY}", button, silent=True)
    value = usd(Decimal(payload["value"]))
    coverage, target = (percent(Decimal(payload[name])) for name in ("coverage", "target"))
    hedged = bool(payload.get("positions"))
    title = (t.DAILY if hedged else t.DAILY_OPEN).format(coverage=coverage, target=target, value=value)
    lines = [t.VALUE.format(value=value)]
    if payload.get("unhedged_pnl") is not None and payload.get("hedged_pnl") is not None:
        without, with_it = (signed_usd(Decimal(payload[name])) for name in ("unhedged_pnl", "hedged_pnl"))
        lines.append(t.DAILY_SINCE.format(without=without, with_it=with_it))
    named = [t.KINDS.get(kind, html(kind)) for kind in payload.get("alerts") or ()]
    lines.append(t.DAILY_ALERTS.format(alerts=", ".join(named)) if named else t.DAILY_QUIET)
    return Message(f"{bold(title)}\n\n" + "\n".join(lines), button, silent=True)
