"""Matters that deserve attention, and the messages that are owed."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, false, text
from sqlmodel import Field

from bot.storage.tables.base import Row
from bot.storage.tables.types import Id, Instant, Json

LIVE_ALERT = text("state <> 'recovered'")
OWED = text("state IN ('pending', 'sending')")


class Alert(Row, table=True):
    """At most one of a kind and subject is live for a person."""

    __tablename__ = "alert"
    __table_args__: ClassVar[Any] = (
        Index(
            "uq_alert_live",
            "user_id",
            "kind",
            "subject",
            unique=True,
            sqlite_where=LIVE_ALERT,
            postgresql_where=LIVE_ALERT,
        ),
        Index("ix_alert_due", "due_at", sqlite_where=LIVE_ALERT, postgresql_where=LIVE_ALERT),
        {"sqlite_autoincrement": True},
    )

    id: int = Field(primary_key=True, sa_type=Id)
    user_id: int = Field(sa_type=Id, foreign_key="person.id")
    kind: str
    subject: str = Field(sa_column_kwargs={"server_default": text("''")})
    level: int = Field(sa_column_kwargs={"server_default": "1"})
    state: str
    facts: Any = Field(sa_type=Json)
    raised_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    snoozed_until: datetime | None = Field(sa_type=Instant, nullable=True)
    message_id: int | None = Field(sa_type=Id, nullable=True)
    version: int
    due_at: datetime | None = Field(sa_type=Instant, nullable=True)
    reminders: int = Field(sa_column_kwargs={"server_default": "0"})
    held: bool = Field(sa_column_kwargs={"server_default": false()})


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
        Index("ix_outbox_message_id", "message_id"),
        Index("ix_outbox_claimed_at", "claimed_at"),
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
    claimed_at: datetime | None = Field(
        sa_type=Instant, nullable=True
    )  # or begun, or sent, whichever was last
    claimed_by: str | None = Field(nullable=True)
    message_id: int | None = Field(sa_type=Id, nullable=True)
    began_at: datetime | None = Field(sa_type=Instant, nullable=True)
    after_id: int | None = Field(sa_type=Id, nullable=True)
