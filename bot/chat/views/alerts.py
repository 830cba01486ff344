"""/alerts: what is open, and what its reader wants to hear, in one message."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bot.chat.texts import alerts as t
from bot.chat.texts.screens import CHOSEN
from bot.chat.views.alert import headline
from bot.chat.views.message import Button, Message, Rows, bold, code, html
from bot.chat.views.numbers import percent, price, usd
from bot.ports.records import Alert
from bot.ports.watching import AlertSettings
from bot.services.alerts import AlertsView, muted_kinds

_ALERTS_SHOWN = 6
USUAL_NIGHT = (22 * 60, 7 * 60)
USUAL_SUMMARY = 8 * 60
MUTABLE = (
    "drift",
    "market_move",
    "funding",
    "basis",
    "correlation",
    "volatility",
    "stale",
    "orphan",
    "margin",
    "liquidation",
    "adl",
)


def alerts(view: AlertsView) -> Message:
    """Open alerts, then the wishes; both change in this message."""
    count = len(view.alerts)
    title = t.LIST_NONE if not count else t.LIST_ONE if count == 1 else t.LIST_SOME.format(count=count)
    zone = ZoneInfo(view.settings.zone)
    lines = [_line(alert, zone) for alert in view.alerts[:_ALERTS_SHOWN]]
    if count > _ALERTS_SHOWN:
        lines.append(t.SUMMARY_MORE.format(count=count - _ALERTS_SHOWN))
    how = "\n".join([t.HOW, *map(code, t.EXAMPLES)])
    blocks = [bold(title), "\n".join(lines), "\n".join(_wishes(view)), how]
    return Message("\n\n".join(block for block in blocks if block), _buttons(view))


def muting(settings: AlertSettings) -> Message:
    """Kinds to switch off and on."""
    buttons = [
        Button(
            (t.MUTE_KIND if kind in settings.muted else t.UNMUTE).format(kind=t.KINDS[kind].capitalize()),
            f"al:{'ku' if kind in settings.muted else 'km'}:{kind}",
        )
        for kind in MUTABLE
    ]
    rows = tuple((button,) for button in buttons)
    return Message(f"{bold(t.MUTE_TITLE)}\n\n{t.MUTE_BODY}", (*rows, (Button(t.BACK, "al:list:0"),)))


def _line(alert: Alert, zone: ZoneInfo) -> str:
    line = t.LIST_LINE.format(headline=headline({**alert.facts, "kind": alert.kind, "level": alert.level}))
    state = "held" if alert.held else str(alert.state)
    if state not in t.STATES or (alert.held and alert.due_at is None):
        return line
    until = alert.due_at if alert.held else alert.snoozed_until
    told = t.STATES[state].format(until=f"{until.astimezone(zone):%H:%M}" if until else "")
    return t.LIST_STATE.format(line=line, state=told)


def _wishes(view: AlertsView) -> list[str]:
    settings = view.settings
    quiet = t.QUIET_NONE
    if settings.quiet_from is not None and settings.quiet_until is not None:
        quiet = t.QUIET.format(begin=_clock(settings.quiet_from), end=_clock(settings.quiet_until))
    summary = t.SUMMARY_NONE
    if settings.summary_at is not None:
        summary = t.SUMMARY_AT.format(at=_clock(settings.summary_at))
    muted = ", ".join(t.KINDS[kind] for kind in muted_kinds(settings))
    lines = [
        t.ZONE.format(zone=html(settings.zone.replace("_", " "))),
        quiet,
        summary,
        t.MUTED.format(kinds=muted) if muted else t.MUTED_NONE,
        t.CAP.format(cap=settings.daily_cap),
        t.PINNED if view.pinned else t.PINNED_NONE,
    ]
    ends = _exits(settings.exits)
    return [*lines, t.EXITS.format(exits=", ".join(ends))] if ends else lines


def _exits(exits: Mapping[str, Any]) -> list[str]:
    shown = {"asset": html(exits.get("asset", ""))}
    if "until" in exits:
        day = datetime.fromisoformat(exits["until"])
        shown["until"] = f"{day.day} {day:%b %Y}"
    for name, how in (("above", price), ("below", price), ("budget", usd), ("rise", percent)):
        if name in exits:
            shown[name] = how(Decimal(str(exits[name])))
    return [t.EXIT[name].format(**shown) for name in t.EXIT if name in shown]


def _buttons(view: AlertsView) -> Rows:
    settings = view.settings
    night = (settings.quiet_from, settings.quiet_until)
    return (
        (
            _choice(t.QUIET_ON, "al:quiet:on", chosen=night == USUAL_NIGHT),
            _choice(t.QUIET_OFF, "al:quiet:off", chosen=night[0] is None),
        ),
        (
            _choice(t.SUMMARY_ON, "al:day:on", chosen=settings.summary_at == USUAL_SUMMARY),
            _choice(t.SUMMARY_OFF, "al:day:off", chosen=settings.summary_at is None),
        ),
        (
            _choice(t.PINNED_ON, "al:pin:on", chosen=view.pinned),
            _choice(t.PINNED_OFF, "al:pin:off", chosen=not view.pinned),
        ),
        (Button(t.MUTING, "al:mutes:0"),),
    )


def _choice(label: str, data: str, *, chosen: bool) -> Button:
    return Button(CHOSEN.format(label=label) if chosen else label, data)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
