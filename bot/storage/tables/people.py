"""Who uses the bot, what they hold and want, and which of their changes took effect."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import UniqueConstraint, func
from sqlmodel import Field

from bot.storage.tables.base import Row
from bot.storage.tables.types import Exact, Id, Instant, Json, Prose


class Person(Row, table=True):
    """`id` and `chat_id` are Telegram's."""

    __tablename__ = "person"

    id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    chat_id: int = Field(sa_type=Id)
    name: str = Field(sa_type=Prose)
    joined: datetime = Field(sa_type=Instant)
    suspended: bool


class Holding(Row, table=True):
    __tablename__ = "holding"

    user_id: int = Field(primary_key=True, sa_type=Id, foreign_key="person.id")
    asset: str = Field(primary_key=True)
    amount: Decimal = Field(sa_type=Exact)
    cost: Decimal | None = Field(sa_type=Exact, nullable=True)


class Rule(Row, table=True):
    __tablename__ = "rule"

    user_id: int = Field(primary_key=True, sa_type=Id, foreign_key="person.id")
    target: Decimal = Field(sa_type=Exact)
    band: Decimal = Field(sa_type=Exact)
    leverage: int
    factor: str
    max_slippage: Decimal = Field(sa_type=Exact)
    version: int = Field(sa_column_kwargs={"server_default": "1"})
    account_id: int | None = Field(sa_type=Id, foreign_key="account.id", nullable=True)


class Account(Row, table=True):
    """Its id appears nowhere but in other rows; it is never used again after a deletion."""

    __tablename__ = "account"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("user_id", "exchange", "mode"),
        {"sqlite_autoincrement": True},
    )

    id: int = Field(primary_key=True, sa_type=Id)
    user_id: int = Field(sa_type=Id, foreign_key="person.id")
    exchange: str
    mode: str
    state: str = Field(sa_column_kwargs={"server_default": "active"})
    refusals: int = Field(sa_column_kwargs={"server_default": "0"})
    key_number: int = Field(sa_column_kwargs={"server_default": "0"})


class Invitation(Row, table=True):
    """Who is expected to send a key, and for what. At most one a person."""

    __tablename__ = "invitation"

    user_id: int = Field(primary_key=True, sa_type=Id, foreign_key="person.id")
    exchange: str
    mode: str
    until: datetime = Field(sa_type=Instant)
    answered_by: str
    message_id: int | None = Field(sa_type=Id, nullable=True)
    over: bool


class Effect(Row, table=True):
    """A mutation that took effect under a key, and what it gave: the same key again has no second effect."""

    __tablename__ = "effect"

    user_id: int = Field(primary_key=True, sa_type=Id, foreign_key="person.id")
    key: str = Field(primary_key=True)
    result: Any = Field(sa_type=Json)
    at: datetime = Field(
        sa_type=Instant, sa_column_kwargs={"server_default": func.current_timestamp()}, index=True
    )
