"""What somebody writes behind /permission: caps."""

import re
from dataclasses import dataclass
from decimal import Decimal

_WORDS = re.compile(
    r"(?:order\s+\$?(?P<order>\d[\d,]{0,12}))|(?:day\s+\$?(?P<day>\d[\d,]{0,12}))"
    r"|(?P<leverage>\d{1,2})\s*x|(?:slippage\s+(?P<slippage>\d{1,2}(?:\.\d{1,3})?)\s*%)",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Caps:
    order: Decimal | None = None
    day: Decimal | None = None
    leverage: int | None = None
    slippage: Decimal | None = None


def parse_caps(text: str) -> Caps | None:
    """None when anything of it is not understood.

    >>> parse_caps("order 2,000 day 5000 2x slippage 1%")
    Caps(order=Decimal('2000'), day=Decimal('5000'), leverage=2, slippage=Decimal('0.01'))
    """
    found: dict[str, str] = {}
    for match in _WORDS.finditer(text):
        found |= {name: value for name, value in match.groupdict().items() if value is not None}
    if not found or _WORDS.sub("", text).strip(" ,;"):
        return None
    return Caps(
        order=Decimal(found["order"].replace(",", "")) if "order" in found else None,
        day=Decimal(found["day"].replace(",", "")) if "day" in found else None,
        leverage=int(found["leverage"]) if "leverage" in found else None,
        slippage=Decimal(found["slippage"]) / 100 if "slippage" in found else None,
    )
