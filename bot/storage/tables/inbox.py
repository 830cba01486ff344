"""What came from Telegram."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, LargeBinary, text
from sqlmodel import Field

from bot.storage.tables.base import Row
from bot.storage.tables.types import Id, Instant

WAITING = text("content IS NOT NULL")


class InboxUpdate(Row, table=True):
    """Its content, sealed, until it has been handled; then only its number, by which a repetition is recognised.

    `owner`: the replica that handles it, and `held_at` when that was last heard of. An owner without `held_at` has not
    seen it yet.
    """

    __tablename__ = "inbox"
    __table_args__: ClassVar[Any] = (
        Index("ix_inbox_waiting", "lane", sqlite_where=WAITING, postgresql_where=WAITING),
    )

    id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Instant, index=True)
    lane: int = Field(sa_type=Id)
    since: datetime | None = Field(sa_type=Instant, nullable=True)
    content: bytes | None = Field(sa_type=LargeBinary, nullable=True)
    owner: str | None = Field(nullable=True)
    held_at: datetime | None = Field(sa_type=Instant, nullable=True)
    tries: int = Field(sa_column_kwargs={"server_default": "0"})
