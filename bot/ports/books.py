"""What was last known of an account's shorts, and what explains them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from bot.ports.records import Attempt, OutboxItem

ChangeKind = Literal[
    "adl",
    "liquidation",
    "settlement",  # the contract was delisted
    "trade",  # by its owner's own hand
    "late",  # an order of ours that nobody could tell of
    "found",  # was there when the account was first looked at
    "unexplained",
    "delisting",  # announced, or the contract is gone: nothing has changed yet
]


@dataclass(frozen=True, slots=True)
class KnownShort:
    """A short as it was last explained. Amounts in signed contracts: `contracts` is never positive; `own` is the part
    that its owner sold by hand; `ordered` is what all our orders in the symbol had traded by then."""

    symbol: str
    contracts: Decimal
    own: Decimal
    ordered: Decimal
    contract_size: Decimal | None  # coins a contract; None for inverse ones
    delisting: str = ""  # of what its owner was told: an instant, or "gone"


@dataclass(frozen=True, slots=True)
class Book:
    """The shorts of an account, by symbol, as of `looked_at` (market time). Version 0 was never stored."""

    account_id: int
    looked_at: datetime
    shorts: Mapping[str, KnownShort] = field(default_factory=dict)
    version: int = 0

    @property
    def own(self) -> Mapping[str, Decimal]:
        """What its owner sold by hand: signed contracts by symbol."""
        return {symbol: short.own for symbol, short in self.shorts.items() if short.own}


@dataclass(frozen=True, slots=True)
class PositionChange:
    """A change of a short that no settled order of ours explains. `key` is the event's own: it is stored and told
    once. `contracts`: signed, positive when the short shrank. `records`: ids of the exchange's records behind it."""

    key: str
    account_id: int
    symbol: str
    kind: ChangeKind
    contracts: Decimal
    price: Decimal | None
    at: datetime  # market time
    records: tuple[str, ...] = ()


class BookStore(Protocol):
    async def book(self, account_id: int) -> Book | None:
        """None when the account was never looked at."""
        ...

    async def books(self, account_ids: Collection[int]) -> Mapping[int, Book]:
        """Those of these accounts that were looked at."""
        ...

    async def save_book(self, book: Book, changes: Sequence[tuple[PositionChange, OutboxItem]] = ()) -> Book:
        """Save over exactly `version` (0: never stored) and, in the same transaction, the changes that are not known
        yet with their messages: the book at its new version. Raises StaleVersion."""
        ...

    async def position_changes(
        self, account_id: int, symbol: str, limit: int = 100
    ) -> Sequence[PositionChange]:
        """The latest first."""
        ...

    async def orders_of(
        self, account_id: int, symbol: str | None = None, *, since: datetime | None = None
    ) -> Sequence[Attempt]:
        """Every attempt of the account, or those in one symbol, or that have moved since then (wall time); the oldest
        first."""
        ...
