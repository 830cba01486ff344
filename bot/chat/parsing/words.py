"""What somebody writes behind a command: how much, of which coin, for how long. Read whole, or not at all."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

POLITE = frozenset(("please", "pls", "now", "thanks", "thank", "you", "ok"))
_HIDDEN = re.compile("[\u200b-\u200f\u2060\ufeff\u061c\u00ad\u202a-\u202e\u2066-\u2069]")
_SHARE = re.compile(r"(\d{1,3}(?:[.,]\d{1,2})?)\s*(?:%|percent|per cent)")
_SHARES = {"half": Decimal("0.5"), "quarter": Decimal("0.25"), "all": Decimal(1), "everything": Decimal(1)}
_SPAN = re.compile(r"(\d{1,4})\s*(m|min|mins|minutes?|h|hours?|d|days?)")
_CLOCK = re.compile(r"(?:until|till|to)\s+(\d{1,2})(?::(\d{2}))?\s*(am|pm)?")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a hedge: a share of all of it, or of a coin's."""

    share: Decimal = Decimal(1)
    asset: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """How long: for a while, or until a minute of the day on the writer's clock."""

    lasts: timedelta | None = None
    until: int | None = None


def plain(text: str) -> str:
    """The text in the digits and signs of a keyboard, without what cannot be seen.

    >>> plain("５０ ％"), plain("٥٠٪")
    ('50 %', '50%')
    """
    signs = unicodedata.normalize("NFKC", _HIDDEN.sub("", text)).replace("\u066a", "%")
    return "".join(str(unicodedata.decimal(s)) if s.isdecimal() else s for s in signs).strip()


def polite(text: str) -> bool:
    """Whether nothing is said but a courtesy: /panic please."""
    words = re.sub(r"[.,!…]", " ", plain(text).lower()).split()
    return all(word in POLITE for word in words)


def later_command(text: str) -> str:
    """The first command on a later line of the same message, or nothing.

    >>> later_command("SOL 120\\n/hedge"), later_command("SOL 120")
    ('/hedge', '')
    """
    lines = [plain(line) for line in text.splitlines()]
    return next((line.split()[0][:32] for line in lines if re.match(r"/[A-Za-z]", line)), "")


def parse_share(text: str) -> Decimal | None:
    """How much of something: 75%, 75 %, half, all. None for anything else, also for a bare number.

    >>> parse_share("75 %"), parse_share("half"), parse_share("75")
    (Decimal('0.75'), Decimal('0.5'), None)
    """
    said = plain(text).lower()
    if said in _SHARES:
        return _SHARES[said]
    found = _SHARE.fullmatch(said)
    share = Decimal(found[1].replace(",", ".")) / 100 if found else None
    return share if share is not None and 0 < share <= 1 else None


def parse_part(text: str, known: Collection[str]) -> Part | None:
    """A share, a coin, or both in any order: SOL, 50%, half of SOL. None when anything of it is not understood.

    >>> parse_part("50 % of sol", {"SOL"}), parse_part("SOL", {"SOL"}), parse_part("50 SOL", {"SOL"})
    (Part(share=Decimal('0.5'), asset='SOL'), Part(share=Decimal('1'), asset='SOL'), None)
    """
    share = parse_share(text)
    if share is not None:
        return Part(share)
    words = [word for word in plain(text).split() if word.lower() not in ("of", "the", "my", "short")]
    for place in {0, len(words) - 1} if words else ():
        asset, rest = words[place].upper(), words[:place] + words[place + 1 :]
        share = parse_share(" ".join(rest)) if rest else Decimal(1)
        if asset in known and share is not None:
            return Part(share, asset)
    return None


def parse_span(text: str) -> Span | None:
    """How long: 2h, 30 min, 1 day, until 8:00, until 8am. None for anything else.

    >>> parse_span("2h").lasts, parse_span("until 8:30").until
    (datetime.timedelta(seconds=7200), 510)
    """
    said = plain(text).lower().removeprefix("for ").strip()
    found = _SPAN.fullmatch(said)
    if found:
        unit = {"m": "minutes", "h": "hours", "d": "days"}[found[2][0]]
        lasts = timedelta(**{unit: int(found[1])})
        return Span(lasts=lasts) if lasts else None
    clock = _CLOCK.fullmatch(said)
    if clock is None:
        return None
    hour, minute = int(clock[1]), int(clock[2] or 0)
    if clock[3] and not 1 <= hour <= 12:
        return None
    if clock[3]:
        hour = hour % 12 + (12 if clock[3] == "pm" else 0)
    return Span(until=hour * 60 + minute) if hour < 24 and minute < 60 else None
