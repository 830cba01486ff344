"""The journal: every state that a proposal, an attempt or an alert has been in. Only ever added to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.database import execute_many
from bot.storage.tables import events

Subject = Literal["proposal", "attempt", "alert"]
_ADD = events.insert()


class Entry(NamedTuple):
    """One line of the journal."""

    subject: Subject
    subject_id: str
    version: int
    state: str
    at: datetime


async def record(connection: AsyncConnection, *entries: Entry) -> None:
    """Add to the journal, in the transaction of what happened."""
    await execute_many(connection, _ADD, [entry._asdict() for entry in entries])


async def history(connection: AsyncConnection, subject: Subject, subject_id: str) -> Sequence[Any]:
    """(state, at) of one subject, in order."""
    lines = select(events.c.state, events.c.at).where(
        events.c.subject == subject, events.c.subject_id == subject_id
    )
    return (await connection.execute(lines.order_by(events.c.version))).all()
