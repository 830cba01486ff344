"""Messages that are owed: stored with their cause, claimed by one sender at a time, settled once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.records import OutboxItem, Passing, Traces
from bot.storage.codec import fields_of
from bot.storage.database import Database
from bot.storage.tables import OWED, alerts, outbox, paces
from bot.storage.watch.pace import EVERYBODY, free_lanes, take_lanes
from bot.storage.watch.shown import note_shown

CLAIM_LASTS = timedelta(minutes=1)  # after which a sender that said nothing is taken for dead
CLAIMED = "claim"  # by a sweep that has not begun to send it: no doubt whether it arrived
AHEAD = timedelta(seconds=1)  # so far into the future messages are claimed
SURELY_OVER = timedelta(seconds=20)  # a call that was begun so long ago does not arrive any more
MOST_KNOWN = 10_000

_ITEM = [column for column in outbox.c if not column.name.startswith("claimed")]


def row_of(item: OutboxItem) -> dict[str, Any]:
    """`item` as a new row, whose id is the database's to give."""
    row = fields_of(item)
    del row["id"]
    return row


async def add_owed(database: Database, connection: AsyncConnection, item: OutboxItem | None) -> None:
    """Owe `item`, if there is one, in the transaction of its cause. A known key is left alone."""
    if item is not None:
        await connection.execute(database.insert(outbox).values(row_of(item)).on_conflict_do_nothing())


class OutboxTables:
    """bot.ports.store.OutboxStore."""

    _database: Database

    async def owe(self, item: OutboxItem) -> OutboxItem:
        async with self._database.write() as connection:
            await add_owed(self._database, connection, item)
            found = await connection.execute(select(*_ITEM).where(outbox.c.key == item.key))
            return OutboxItem(**found.one()._mapping)

    async def outbox_item(self, item_id: int) -> OutboxItem | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(*_ITEM).where(outbox.c.id == item_id))).one_or_none()
        return None if row is None else OutboxItem(**row._mapping)

    async def due(self, *, now: datetime, limit: int = 100) -> Sequence[OutboxItem]:
        wanted = (
            select(*_ITEM).where(OWED, _free(now)).order_by(outbox.c.created_at, outbox.c.id).limit(limit)
        )
        async with self._database.read() as connection:
            return [OutboxItem(**row._mapping) for row in await connection.execute(wanted)]

    async def claim_delivery(self, item: OutboxItem, *, now: datetime, by: str) -> OutboxItem | None:
        mine = and_(outbox.c.state == "sending", outbox.c.claimed_by == by, outbox.c.tries == item.tries)
        claim = (
            update(outbox)
            .where(outbox.c.id == item.id, or_(_free(now), mine))
            .values(state="sending", tries=outbox.c.tries + 1, claimed_at=now, claimed_by=by)
            .returning(*_ITEM)
        )
        async with self._database.write() as connection:
            row = (await connection.execute(claim)).one_or_none()
        return None if row is None else OutboxItem(**row._mapping)

    async def claim_due(
        self, *, now: datetime, limit: int, every: float, chat_every: float
    ) -> Sequence[tuple[OutboxItem, datetime]]:
        async with self._database.write() as connection:
            free = (await free_lanes(self._database, connection, (EVERYBODY,)))[EVERYBODY]
            first = max(now, free)
            if first - now > AHEAD:  # other replicas have claimed as much as can be sent
                return []
            wanted = (await connection.execute(_next_to_each_chat(now).limit(limit))).all()
            if not wanted:
                return []
            claim = (
                update(outbox)
                .where(outbox.c.id.in_([row.id for row in wanted]), _free(now))
                .values(state="sending", tries=outbox.c.tries + 1, claimed_at=now, claimed_by=CLAIMED)
                .returning(*_ITEM)
            )
            mine = {row.id: OutboxItem(**row._mapping) for row in await connection.execute(claim)}
            times = {id_: first + timedelta(seconds=n * every) for n, id_ in enumerate(mine)}
            lanes = {item.chat_id: times[id_] + timedelta(seconds=chat_every) for id_, item in mine.items()}
            lanes[EVERYBODY] = first + timedelta(seconds=len(mine) * every)
            await take_lanes(self._database, connection, lanes)
            return [(mine[row.id], times[row.id]) for row in wanted if row.id in mine]

    async def begin_delivery(self, item: OutboxItem, *, now: datetime, by: str, after: int = 0) -> bool:
        mine = (outbox.c.id == item.id, outbox.c.tries == item.tries, outbox.c.state == "sending")
        async with self._database.write() as connection:
            known = (await connection.execute(select(func.max(outbox.c.message_id)))).scalar_one()
            latest = max(after, known or 0) or None
            changes = {"claimed_at": now, "claimed_by": by, "began_at": now, "after_id": latest}
            begin = update(outbox).where(*mine).values(changes).returning(outbox.c.id)
            return (await connection.execute(begin)).one_or_none() is not None

    async def traces(self, item: OutboxItem) -> Traces:
        if item.began_at is None or item.after_id is None:
            return Traces(None, frozenset())
        above = outbox.c.message_id > item.after_id
        others = select(outbox.c.message_id).where(above).order_by(outbox.c.message_id)
        later = select(func.min(outbox.c.message_id)).where(
            above, outbox.c.began_at > item.began_at + SURELY_OVER
        )
        async with self._database.read() as connection:
            known = (await connection.execute(others.limit(MOST_KNOWN))).scalars().all()
            before = (await connection.execute(later)).scalar_one()
        return Traces(before, frozenset(known))

    async def passing(self, *, since: datetime) -> Sequence[Passing]:
        lately = (
            select(outbox.c.id, outbox.c.message_id, outbox.c.claimed_at)
            .where(outbox.c.claimed_at > since, outbox.c.began_at.is_not(None))
            .where(outbox.c.state.in_(("sending", "sent")))
        )
        async with self._database.read() as connection:
            return [Passing(*row) for row in await connection.execute(lately)]

    async def finish_delivery(
        self,
        item: OutboxItem,
        *,
        state: str,
        message_id: int | None = None,
        not_before: datetime | None = None,
        now: datetime | None = None,
    ) -> None:
        """`item` as it was claimed: a sender whose claim has gone over to another one changes nothing."""
        changes: dict[str, Any] = {
            "state": state,
            "not_before": not_before,
            "claimed_at": now if state == "sent" else None,
            "claimed_by": None,
        }
        if state != "sent":
            changes |= {"began_at": None, "after_id": None}
        if message_id is not None:
            changes["message_id"] = message_id
        mine = (
            outbox.c.id == item.id,
            outbox.c.tries == item.tries,
            outbox.c.state.in_(("pending", "sending")),
        )
        settle = update(outbox).where(*mine).values(changes).returning(outbox.c.payload)
        async with self._database.write() as connection:
            row = (await connection.execute(settle)).one_or_none()
            if row is not None and message_id is not None and row.payload.get("alert_id"):
                shown = update(alerts).where(alerts.c.id == row.payload["alert_id"])
                await connection.execute(shown.values(message_id=message_id))
            if row is not None and item.kind == "pinned":
                to_pin = await note_shown(connection, item, state, message_id)
                await add_owed(self._database, connection, to_pin)


def _next_to_each_chat(now: datetime) -> Select[Any]:
    """The ids of the first that is due in every chat that may be written to, those with a sound first."""
    order = (outbox.c.silent, outbox.c.created_at, outbox.c.id)
    place = func.row_number().over(partition_by=outbox.c.chat_id, order_by=order).label("place")
    busy = exists().where(paces.c.lane == outbox.c.chat_id, paces.c.free_at > now)
    due = select(*order, place).where(OWED, _free(now), ~busy).subquery()
    return select(due.c.id).where(due.c.place == 1).order_by(due.c.silent, due.c.created_at, due.c.id)


def _free(now: datetime) -> ColumnElement[bool]:
    """Waiting and due, or left behind by a sender that is taken for dead."""
    waiting = and_(
        outbox.c.state == "pending", or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now)
    )
    left = and_(outbox.c.state == "sending", outbox.c.claimed_at < now - CLAIM_LASTS)
    return or_(waiting, left)
