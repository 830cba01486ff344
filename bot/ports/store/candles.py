"""Past prices."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CandleChunk:
    """The first `count` bars of a stretch of one series, from `start` (epoch seconds) on; `bars` is packed by who keeps
    them. A stretch always begins at the same instants, so that of two versions the longer one has all of the other."""

    name: str
    start: int
    count: int
    bars: bytes


class CandleStore(Protocol):
    """Past prices of an exchange, opaque here. `bar`: seconds."""

    async def candles(
        self, exchange: str, bar: int, names: Collection[str], *, since: int
    ) -> Sequence[CandleChunk]:
        """The chunks of those series that start at or after `since` (epoch seconds), ascending for each."""
        ...

    async def keep_candles(self, exchange: str, bar: int, chunks: Sequence[CandleChunk]) -> None:
        """Insert, or put in the place of a shorter version; one that is as long already stays as it is."""
        ...

    async def forget_candles(self, bar: int, *, before: int) -> int:
        """Drop what starts before that instant (epoch seconds), of every exchange; how many rows went."""
        ...
