"""What somebody wants changed in their rule: `75% 2x band 10`."""

import re
from dataclasses import dataclass
from decimal import Decimal

from bot.chat.parsing.numerals import SPACES, Number, read_number

_AMOUNT = r"(\d[\d.,]*)"
_IS = r"\s*(?:is|to|of|at|=|:)?\s*"
_BAND = re.compile(rf"(?:\bband\b{_IS}(?:±|\+/-)?\s*|±\s*|\+/-\s*){_AMOUNT}\s*%?")
_LEVERAGE = re.compile(
    rf"\b(?:leverage|lev)\b{_IS}{_AMOUNT}\s*[x×]?(?![\d%])|{_AMOUNT}\s*[x×](?!\w)|(?<!\w)[x×]\s*{_AMOUNT}"
)
_FACTOR = re.compile(r"(?:\b(?:factor|against|market)\b\s*)?\b(btc|bitcoin|eth|ethereum)\b")
_TARGET = re.compile(
    rf"\b(?:target|protect|hedge|cover|coverage)\b{_IS}{_AMOUNT}\s*%?|(?<![\w.,]){_AMOUNT}\s*%"
)
_BARE = re.compile(rf"(?<![\w.,]){_AMOUNT}(?![\w.,%])")
_FILLERS = re.compile(r"\b(?:and|with|my|the|set|rule|to|at|a|leverage|target|band|of)\b|[,;:+\s]")
_SMALLEST_TARGET = 20  # a bare number below may as well be meant as leverage or band


@dataclass(frozen=True, slots=True)
class RuleEdit:
    """What is to change; None stays. `target` and `band` as fractions."""

    target: Decimal | None = None
    leverage: int | None = None
    band: Decimal | None = None
    factor: str | None = None


def parse_rule(text: str) -> RuleEdit | None:
    """The change that `text` names, or None when some of it cannot be understood. Bounds are not checked here.

    >>> parse_rule("75% 2x band 10")
    RuleEdit(target=Decimal('0.75'), leverage=2, band=Decimal('0.1'), factor=None)
    """
    rest = re.sub(f"[{SPACES}\\n\\t]+", " ", text.lower()).strip()
    if not rest or len(rest) > 200:
        return None
    band, rest = _take(_BAND, rest)
    leverage, rest = _take(_LEVERAGE, rest)
    factor, rest = _take(_FACTOR, rest)
    target, rest = _take(_TARGET, rest)
    if target is None:
        bare, without = _take(_BARE, rest)
        number = _number(bare)
        if number is not None and number >= _SMALLEST_TARGET:
            target, rest = bare, without
    if _FILLERS.sub("", rest):
        return None
    edit = RuleEdit(
        target=_share(target),
        leverage=_whole(leverage),
        band=_share(band),
        factor={"bitcoin": "BTC", "ethereum": "ETH"}.get(factor, factor.upper()) if factor else None,
    )
    asked = [wanted is not None for wanted in (target, leverage, band, factor)]
    understood = [value is not None for value in (edit.target, edit.leverage, edit.band, edit.factor)]
    return edit if asked == understood and any(asked) else None


def _take(pattern: re.Pattern[str], text: str) -> tuple[str | None, str]:
    """The first match's value and the text without it."""
    match = pattern.search(text)
    if match is None:
        return None, text
    value = next(group for group in match.groups() if group is not None)
    return value, f"{text[: match.start()]} {text[match.end() :]}"


def _number(text: str | None) -> Decimal | None:
    if text is None:
        return None
    number = read_number(text.rstrip(".,"))
    return number.value if isinstance(number, Number) else None


def _share(text: str | None) -> Decimal | None:
    number = _number(text)
    return None if number is None else number / 100


def _whole(text: str | None) -> int | None:
    number = _number(text)
    return int(number) if number is not None and number == int(number) and number < 1000 else None
