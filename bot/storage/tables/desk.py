"""Wishes about alerts, what was last seen of accounts, standing permissions, and limits that replicas share."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Field

from bot.storage.tables.base import Row
from bot.storage.tables.types import Exact, Id, Instant, Json


class AlertSetting(Row, table=True):
    __tablename__ = "alert_setting"

    user_id: int = Field(primary_key=True, sa_type=Id, foreign_key="person.id")
    zone: str
    quiet_from: int | None = Field(nullable=True)
    quiet_until: int | None = Field(nullable=True)
    summary_at: int | None = Field(nullable=True)
    muted: Any = Field(sa_type=Json)
    daily_cap: int
    exits: Any = Field(sa_type=Json)
    sent_on: str
    sent_today: int
    next_at: datetime | None = Field(sa_type=Instant, nullable=True, index=True)


class AccountLook(Row, table=True):
    """What the last private read of an account saw."""

    __tablename__ = "account_look"

    account_id: int = Field(primary_key=True, sa_type=Id, foreign_key="account.id")
    looked_at: datetime = Field(sa_type=Instant)
    equity: Decimal = Field(sa_type=Exact)
    free: Decimal = Field(sa_type=Exact)
    positions: Any = Field(sa_type=Json)
    failing_since: datetime | None = Field(sa_type=Instant, nullable=True)
    failure: str
    failures: int
    maintenance: Decimal | None = Field(sa_type=Exact, nullable=True)
    doubt: str = Field(sa_column_kwargs={"server_default": text("''")})
    doubts: int = Field(sa_column_kwargs={"server_default": "0"})


class Permission(Row, table=True):
    """What may be done without a tap on one account."""

    __tablename__ = "permission"

    user_id: int = Field(primary_key=True, sa_type=Id, foreign_key="person.id")
    account_id: int = Field(primary_key=True, sa_type=Id, foreign_key="account.id")
    acts: str
    silence: str
    order_cap: Decimal = Field(sa_type=Exact)
    day_cap: Decimal = Field(sa_type=Exact)
    leverage_cap: int
    slippage_cap: Decimal = Field(sa_type=Exact)
    terms: int
    spent_on: str
    spent: Decimal = Field(sa_type=Exact)
    version: int


class Pause(Row, table=True):
    """Who wants nothing done without a tap."""

    __tablename__ = "pause"

    user_id: int = Field(primary_key=True, sa_type=Id, foreign_key="person.id")
    until: datetime | None = Field(sa_type=Instant, nullable=True)


class Pin(Row, table=True):
    """The message at the top of somebody's chat, and what it said last."""

    __tablename__ = "pin"

    user_id: int = Field(primary_key=True, sa_type=Id, foreign_key="person.id")
    wanted: bool
    message_id: int | None = Field(sa_type=Id, nullable=True)
    state: str
    figures: str
    told_at: datetime | None = Field(sa_type=Instant, nullable=True)
    version: int


class Pace(Row, table=True):
    """When the next message may go: to a chat, or (lane 0) to anybody."""

    __tablename__ = "pace"

    lane: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    free_at: datetime = Field(sa_type=Instant, index=True)
