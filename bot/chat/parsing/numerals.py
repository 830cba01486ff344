"""Numbers as people write them: 1,5 and 1.5, 1.234,56 and 1,234.56, 1 234, 2k."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

SPACES = " \u00a0\u2009\u202f"  # plain, no-break, thin, narrow no-break
LARGEST = Decimal(10) ** 15
FINEST = 18  # decimal places

_UNIT = {"k": 3, "m": 6}
_GROUPED = re.compile(r"\d{1,3}(?:(?P<mark>[.,'’" + SPACES + r"])\d{3})(?:(?P=mark)\d{3})*")


class Trouble(StrEnum):
    """Why something cannot be meant. The texts put each into one sentence."""

    NO_AMOUNT = "no_amount"
    NO_COIN = "no_coin"
    NOT_A_NUMBER = "not_a_number"
    FOREIGN_DIGITS = "foreign_digits"
    NEGATIVE = "negative"
    ZERO = "zero"
    HUGE = "huge"
    TOO_FINE = "too_fine"
    DOLLARS = "dollars"
    UNKNOWN_COIN = "unknown_coin"
    HIDDEN_SIGNS = "hidden_signs"
    TOO_MANY = "too_many"
    UNCLEAR = "unclear"
    NOT_HELD = "not_held"


@dataclass(frozen=True, slots=True)
class Number:
    """A positive amount. `other`: what the same signs mean elsewhere in the world, when that is another number."""

    value: Decimal
    other: Decimal | None = None


def read_number(text: str, *, comma_is_decimal: bool | None = None) -> Number | Trouble:
    """The amount that `text` names, or why it names none.

    With both marks the last one is the decimal mark. A single comma before exactly three digits is read as a
    thousands mark, a single point as the decimal mark, and the other reading comes along; `comma_is_decimal`, learnt
    from another number of the same message, decides instead.

    >>> read_number("1.234,56"), read_number("1,5"), read_number("1,234").other
    (Number(value=Decimal('1234.56'), other=None), Number(value=Decimal('1.5'), other=None), Decimal('1.234'))
    """
    sign, unit, digits = _parts(text)
    if not re.search(r"\d", digits):
        return Trouble.NOT_A_NUMBER
    if re.search(r"(?![0-9])\d", digits):
        return Trouble.FOREIGN_DIGITS
    readings = _readings(digits, comma_is_decimal)
    if not readings:
        return Trouble.NOT_A_NUMBER
    scaled = [Decimal(reading).scaleb(unit) for reading in readings if len(reading) < 60]
    if not scaled or scaled[0] > LARGEST:
        return Trouble.HUGE
    if scaled[0] == 0:
        return Trouble.ZERO
    if sign < 0:
        return Trouble.NEGATIVE
    if -int(scaled[0].as_tuple().exponent) > FINEST:
        return Trouble.TOO_FINE
    return Number(_plain(scaled[0]), _plain(scaled[1]) if len(scaled) > 1 else None)


def comma_habit(numbers: list[str]) -> bool | None:
    """Whether this writer's comma is the decimal mark, as far as the unmistakable ones among the numbers tell."""
    votes = set()
    for text in numbers:
        digits = _parts(text)[2]
        readings = _readings(digits, None)
        if len(readings) != 1 or not re.search(r"[.,]", digits):
            continue
        last = digits[max(digits.rfind("."), digits.rfind(","))]
        votes.add((last == ",") == ("." in readings[0]))
    return votes.pop() if len(votes) == 1 else None


def _parts(text: str) -> tuple[int, int, str]:
    """Sign, power of ten of the unit, and the digits with their marks."""
    rest, sign, unit = text.strip(), 1, 0
    if rest[:1] in ("-", "−", "–"):
        rest, sign = rest[1:], -1
    elif rest[:1] == "+":
        rest = rest[1:]
    if rest[-1:].lower() in _UNIT:
        rest, unit = rest[:-1], _UNIT[rest[-1].lower()]
    return sign, unit, rest.strip()


def _readings(digits: str, comma_is_decimal: bool | None) -> list[str]:
    """Plain decimal texts: the likely one first, then the other one if the signs allow two; none if they allow none."""
    points, commas = digits.count("."), digits.count(",")
    if points and commas:
        decimal_mark = "," if digits.rfind(",") > digits.rfind(".") else "."
        return _split(digits, decimal_mark) if digits.count(decimal_mark) == 1 else []
    mark = "," if commas else "."
    if points + commas != 1:
        return _whole(digits)
    fraction = _split(digits, mark)
    grouped = _whole(digits)
    if not grouped or digits.startswith("0"):
        return fraction
    if comma_is_decimal is not None:
        return fraction if comma_is_decimal == (mark == ",") else grouped
    return [*grouped, *fraction] if mark == "," else [*fraction, *grouped]


def _split(digits: str, mark: str) -> list[str]:
    """Read with `mark` before the fraction."""
    whole, _, fraction = digits.partition(mark)
    before = _whole(whole) if whole else ["0"]
    if not before or not (fraction.isascii() and fraction.isdigit()):
        return []
    return [f"{before[0]}.{fraction}"]


def _whole(digits: str) -> list[str]:
    """Read as a whole number, with or without one kind of thousands mark."""
    if digits.isascii() and digits.isdigit():
        return [digits]
    if _GROUPED.fullmatch(digits):
        return [re.sub(r"\D", "", digits)]
    return []


def _plain(number: Decimal) -> Decimal:
    """Without trailing zeros or exponent."""
    return Decimal(format(number.normalize(), "f"))
