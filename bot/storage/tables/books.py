"""What was last known of positions, and the changes that came from outside."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import Index
from sqlmodel import Field

from bot.storage.tables.base import Row
from bot.storage.tables.types import Exact, Id, Instant, Json


class PositionBook(Row, table=True):
    """When an account's positions were last explained."""

    __tablename__ = "position_book"

    account_id: int = Field(primary_key=True, sa_type=Id, foreign_key="account.id")
    looked_at: datetime = Field(sa_type=Instant)
    version: int


class KnownShort(Row, table=True):
    __tablename__ = "known_short"

    account_id: int = Field(primary_key=True, sa_type=Id, foreign_key="position_book.account_id")
    symbol: str = Field(primary_key=True)
    contracts: Decimal = Field(sa_type=Exact)
    own: Decimal = Field(sa_type=Exact)
    ordered: Decimal = Field(sa_type=Exact)
    contract_size: Decimal | None = Field(sa_type=Exact, nullable=True)
    delisting: str


class PositionChange(Row, table=True):
    """Only ever added to."""

    __tablename__ = "position_change"
    __table_args__: ClassVar[Any] = (Index(None, "account_id", "symbol", "at"),)

    key: str = Field(primary_key=True)
    account_id: int = Field(sa_type=Id, foreign_key="account.id")
    symbol: str
    kind: str
    contracts: Decimal = Field(sa_type=Exact)
    price: Decimal | None = Field(sa_type=Exact, nullable=True)
    at: datetime = Field(sa_type=Instant)
    records: Any = Field(sa_type=Json)
