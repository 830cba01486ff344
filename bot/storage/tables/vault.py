"""Credentials at rest, and the keys that they are sealed with. Nothing in these rows is readable without a master key
that is kept elsewhere."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKeyConstraint
from sqlmodel import Field

from bot.storage.tables.base import Row
from bot.storage.tables.types import Id, Instant


class MasterKey(Row, table=True):
    """The one row says which master key wraps new data keys, by its fingerprint."""

    __tablename__ = "master_key"
    __table_args__: ClassVar[Any] = (CheckConstraint("id = 1", name="single"),)

    id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    fingerprint: str


class DataKey(Row, table=True):
    """A user's data key, wrapped by the master key `wrapped_by`. `made_under` never changes: a data key that an
    earlier master key has wrapped seals nothing new."""

    __tablename__ = "data_key"

    user_id: int = Field(primary_key=True, sa_type=Id, foreign_key="person.id")
    version: int = Field(primary_key=True)
    made_under: str
    wrapped_by: str
    wrapped: bytes


class KeyLook(Row, table=True):
    """What was last told of an account's key, in the order of the record's fields."""

    __tablename__ = "key_look"

    account_id: int = Field(
        primary_key=True, sa_type=Id, foreign_key="account.id", sa_column_kwargs={"autoincrement": False}
    )
    key_number: int
    looked_at: datetime = Field(sa_type=Instant)
    expires: datetime | None = Field(sa_type=Instant, nullable=True)
    futures: bool | None = Field(nullable=True)
    address_list: bool | None = Field(nullable=True)
    traded: bool
    was_bound: bool


class Credential(Row, table=True):
    """An account's credentials, sealed by its owner's data key `key_version`."""

    __tablename__ = "credential"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(["user_id", "key_version"], ["data_key.user_id", "data_key.version"]),
    )

    account_id: int = Field(
        primary_key=True, sa_type=Id, foreign_key="account.id", sa_column_kwargs={"autoincrement": False}
    )
    user_id: int = Field(sa_type=Id)
    key_version: int
    sealed: bytes
    stored_at: datetime = Field(sa_type=Instant)
