"""Rows and prices that a loopback exchange leaves out for a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Json = dict[str, Any]
How = Literal["absent", "empty", "zero"]
On = Literal["quotes", "marks", "spot"]


@dataclass(slots=True)
class Gap:
    """`how` a contract (a coin, where `on` is spot) is told of in the next `reads` answers."""

    how: How
    reads: int


@dataclass(slots=True)
class Gaps:
    """What is missing, by the kind of answer and by symbol."""

    waiting: dict[tuple[On, str], Gap] = field(default_factory=dict)

    def add(self, symbol: str, on: On = "quotes", how: How = "absent", reads: int = 1) -> None:
        """Leave it out. Raises ValueError for a way or an answer that there is none of."""
        if how not in get_args(How) or on not in get_args(On):
            raise ValueError(f"A gap is {', '.join(get_args(How))} on {', '.join(get_args(On))}.")
        self.waiting[on, symbol] = Gap(how, reads)

    def told(self, on: On, rows: Mapping[str, Json], prices: Sequence[str]) -> list[Json]:
        """The rows of one answer, by symbol, as they are told; `prices`: the fields that may be empty."""
        found = []
        for symbol, row in rows.items():
            gap = self.waiting.get((on, symbol))
            if gap is None:
                found.append(row)
                continue
            gap.reads -= 1
            if gap.reads <= 0:
                del self.waiting[on, symbol]
            if gap.how != "absent":
                found.append(row | {name: _gone(row[name], gap.how) for name in prices})
        return found


def _gone(value: object, how: How) -> object:
    if isinstance(value, str):
        return "" if how == "empty" else "0"
    return None if how == "empty" else 0
