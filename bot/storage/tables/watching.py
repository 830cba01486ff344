"""Matters that deserve attention, and the messages that are owed."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, text
from sqlmodel import Field

from bot.storage.tables.base import Row
from bot.storage.tables.types import Id, Instant, Json

LIVE_ALERT = text("state <> 'recovered'")
OWED = text("state IN ('pending', 'sending')")


class Alert(Row, table=True):
    """At most one of a kind is live for a person."""

    __tablename__ = "alert"
    __table_args__: ClassVar[Any] = (
        Index(
            "uq_alert_live",
            "user_id",
            "kind",
            unique=True,
            sqlite_where=LIVE_ALERT,
            postgresql_where=LIVE_ALERT,
        ),
        {"sqlite_autoincrement": True},
    )

    id: int = Field(primary_key=True, sa_type=Id)
    user_id: int = Field(sa_type=Id, foreign_key="person.id")
    kind: str
    state: str
    facts: Any = Field(sa_type=Json)
    raised_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    snoozed_until: datetime | None = Field(sa_type=Instant, nullable=True)
    message_id: int | None = Field(sa_type=Id, nullable=True)
    version: int


class Memory(Row, table=True):
    """What the last tick remembered of a person."""

    __tablename__ = "memory"

    user_id: int = Field(primary_key=True, sa_type=Id, foreign_key="person.id")
    reference: Any = Field(sa_type=Json)


class Outbox(Row, table=True):
    """A message that is owed, stored together with its cause and sent afterwards."""

    __tablename__ = "outbox"
    __table_args__: ClassVar[Any] = (
        Index("ix_outbox_owed", "created_at", sqlite_where=OWED, postgresql_where=OWED),
        {"sqlite_autoincrement": True},
    )

    id: int = Field(primary_key=True, sa_type=Id)
    key: str = Field(unique=True)
    user_id: int = Field(sa_type=Id, foreign_key="person.id")
    chat_id: int = Field(sa_type=Id)
    kind: str
    payload: Any = Field(sa_type=Json)
    created_at: datetime = Field(sa_type=Instant)
    edit: int | None = Field(sa_type=Id, nullable=True)
    silent: bool
    state: str
    tries: int
    not_before: datetime | None = Field(sa_type=Instant, nullable=True)
    claimed_at: datetime | None = Field(sa_type=Instant, nullable=True)
    claimed_by: str | None = Field(nullable=True)
    message_id: int | None = Field(sa_type=Id, nullable=True)
