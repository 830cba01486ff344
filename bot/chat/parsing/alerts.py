"""What somebody writes behind /alerts."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

_HOURS = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*(am|pm)?", re.IGNORECASE)
_SPAN = re.compile(r"\s*(?:-|–|to|until)\s*", re.IGNORECASE)
_OFF = frozenset(("off", "none", "no", "never"))


What = Literal[
    "zone",
    "quiet",
    "summary",
    "pinned",
    "cap",
    "mute",
    "unmute",
    "until",
    "above",
    "below",
    "rise",
    "budget",
    "end",
]


@dataclass(frozen=True, slots=True)
class AlertsEdit:
    """One wish. `minutes`: after midnight; `value`: a number or a date, by what is wished."""

    what: What
    text: str = ""
    minutes: tuple[int, int] | None = None
    value: Decimal | datetime | None = None


def parse_alerts(text: str) -> AlertsEdit | None:
    """None when it is not understood.

    >>> parse_alerts("quiet 22:30-7").minutes
    (1350, 420)
    >>> parse_alerts("end SOL above 250").value
    Decimal('250')
    """
    word, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    match word.lower():
        case "zone" | "time" if rest:
            return AlertsEdit("zone", rest)
        case "quiet":
            return _quiet(rest)
        case "summary" | "daily":
            return _summary(rest)
        case "pinned" | "pin" if rest.lower() in ("on", *_OFF):
            return AlertsEdit("pinned", "on" if rest.lower() == "on" else "off")
        case "cap" | "most" if rest.isascii() and rest.isdigit() and len(rest) < 4:
            return AlertsEdit("cap", value=Decimal(rest))
        case "mute" | "unmute" if rest:
            return AlertsEdit("mute" if word.lower() == "mute" else "unmute", rest.lower())
        case "end" | "exit":
            return _end(rest)
        case _:
            return None


def _quiet(text: str) -> AlertsEdit | None:
    if text.lower() in _OFF:
        return AlertsEdit("quiet")
    ends = [_minutes(part) for part in _SPAN.split(text)]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return None
    return AlertsEdit("quiet", minutes=(ends[0], ends[1]))


def _summary(text: str) -> AlertsEdit | None:
    if text.lower() in _OFF:
        return AlertsEdit("summary")
    at = _minutes(text)
    return None if at is None else AlertsEdit("summary", minutes=(at, at))


def _minutes(text: str) -> int | None:
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return hour * 60 + minute if hour < 24 and minute < 60 else None


def _end(text: str) -> AlertsEdit | None:
    words = text.split()
    match [word.lower() for word in words]:
        case [off] if off in _OFF:
            return AlertsEdit("end")
        case ["on" | "until", _]:
            return _date(words[1])
        case [day] if "-" in day:
            return _date(day)
        case [_, "above" | "below" as side, _]:
            value = _number(words[2])
            return (
                None
                if value is None
                else AlertsEdit("above" if side == "above" else "below", words[0].upper(), value=value)
            )
        case ["up" | "rise", _]:
            value = _number(words[1].rstrip("%"))
            return None if value is None else AlertsEdit("rise", value=value / 100)
        case ["funding" | "budget", _]:
            value = _number(words[1])
            return None if value is None else AlertsEdit("budget", value=value)
        case _:
            return None


def _edge(what: What, value: Decimal | None, asset: str = "") -> AlertsEdit | None:
    return None if value is None else AlertsEdit(what, asset, value=value)


def _number(text: str) -> Decimal | None:
    plain = text.lstrip("$").replace(",", "")
    if not re.fullmatch(r"\d{1,12}(\.\d{1,8})?", plain) or not plain.isascii():
        return None
    return Decimal(plain)


def _date(text: str) -> AlertsEdit | None:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return AlertsEdit("until", value=day)
