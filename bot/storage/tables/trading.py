"""Cards, the attempt ledger, the journal of both, and the state of paper accounts."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from bot.storage.tables.base import Row
from bot.storage.tables.types import Exact, Id, Instant, Json, Prose

LIVE_ATTEMPT = text("state IN ('reserved', 'sending', 'acked', 'partial', 'unknown', 'reconciling')")


class Proposal(Row, table=True):
    __tablename__ = "proposal"
    __table_args__: ClassVar[Any] = (
        Index(None, "state", "quoted_at"),
        Index(None, "user_id", "state", "quoted_at"),
    )

    id: str = Field(primary_key=True)
    user_id: int = Field(sa_type=Id, foreign_key="person.id")
    chat_id: int = Field(sa_type=Id)
    account_id: int = Field(sa_type=Id, foreign_key="account.id")
    plan: Any = Field(sa_type=Json)
    digest: str
    quoted_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    state: str
    version: int
    message_id: int | None = Field(sa_type=Id, nullable=True)
    alert_id: int | None = Field(sa_type=Id, nullable=True, foreign_key="alert.id")
    replaces: str | None = Field(nullable=True, foreign_key="proposal.id")
    confirmed_at: datetime | None = Field(sa_type=Instant, nullable=True)
    outcome: Any = Field(sa_type=Json)
    aim: Any = Field(sa_type=Json, nullable=True)
    rule_version: int | None = Field(nullable=True)
    holdings: str = Field(sa_column_kwargs={"server_default": text("''")})


class Attempt(Row, table=True):
    """At most one open or unknown attempt an account and symbol."""

    __tablename__ = "attempt"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("proposal_id", "leg", "number"),
        Index(None, "account_id", "symbol"),
        Index(
            "uq_attempt_live",
            "account_id",
            "symbol",
            unique=True,
            sqlite_where=LIVE_ATTEMPT,
            postgresql_where=LIVE_ATTEMPT,
        ),
        Index("ix_attempt_live", "updated_at", sqlite_where=LIVE_ATTEMPT, postgresql_where=LIVE_ATTEMPT),
    )

    client_id: str = Field(primary_key=True)
    proposal_id: str = Field(foreign_key="proposal.id")
    leg: int
    number: int
    account_id: int = Field(sa_type=Id, foreign_key="account.id")
    symbol: str
    side: str
    contracts: Decimal = Field(sa_type=Exact)
    limit_price: Decimal = Field(sa_type=Exact)
    reduce_only: bool
    leverage: int
    position_before: Decimal = Field(sa_type=Exact)
    state: str
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    version: int
    order_id: str | None = Field(nullable=True)
    filled: Decimal = Field(sa_type=Exact)
    average_price: Decimal | None = Field(sa_type=Exact, nullable=True)
    fee: Decimal = Field(sa_type=Exact)
    lookups: int
    reason: str = Field(sa_type=Prose)


class Event(Row, table=True):
    """Every state that a proposal, attempt or alert has been in. Only ever added to."""

    __tablename__ = "event"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("subject", "subject_id", "version"),
        {"sqlite_autoincrement": True},
    )

    id: int = Field(primary_key=True, sa_type=Id)
    subject: str  # proposal, attempt, alert
    subject_id: str
    version: int
    state: str
    at: datetime = Field(sa_type=Instant)


class PaperAccount(Row, table=True):
    __tablename__ = "paper_account"

    account_id: int = Field(primary_key=True, sa_type=Id, foreign_key="account.id")
    state: Any = Field(sa_type=Json)
    version: int


class PaperOrder(Row, table=True):
    __tablename__ = "paper_order"

    account_id: int = Field(primary_key=True, sa_type=Id, foreign_key="paper_account.account_id")
    client_id: str = Field(primary_key=True)
    symbol: str
    report: Any = Field(sa_type=Json)
