"""Updates from Telegram: sealed while they wait, a number when they are over."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, delete, or_, select, update

from bot.ports.store import TakenUpdate
from bot.ports.vault import Tampered
from bot.storage.database import Database, execute_many
from bot.storage.tables import effects, inbox
from bot.storage.vault.envelope import Envelope

log = logging.getLogger(__name__)

HELD = timedelta(seconds=60)  # a replica that has not been heard of for so long has lost its updates

# Made once: to make a statement takes longer than to execute it.
_WAITS = inbox.c.content.is_not(None)
_OVER = {"content": None, "owner": None, "held_at": None, "since": None}
_END = update(inbox).where(inbox.c.id == bindparam("number", type_=inbox.c.id.type)).values(_OVER)
_ELSEWHERE = select(inbox.c.lane, inbox.c.owner).where(
    _WAITS,
    inbox.c.lane.in_(bindparam("lanes", expanding=True)),
    inbox.c.owner != bindparam("me"),
    inbox.c.held_at > bindparam("alive", type_=inbox.c.held_at.type),
)


class UpdateTables:
    """bot.ports.store.UpdateStore."""

    _database: Database
    _envelope: Envelope

    async def settle_updates(
        self, taken: Sequence[TakenUpdate], ended: Collection[int], *, by: str, now: datetime
    ) -> frozenset[int]:
        async with self._database.write() as connection:
            if ended:
                await connection.execute(_END, [{"number": number} for number in sorted(ended)])
            if not taken:
                return frozenset()
            asked = {"lanes": {one.lane for one in taken}, "me": by, "alive": now - HELD}
            busy = {row.lane: row.owner for row in await connection.execute(_ELSEWHERE, asked)}
            rows = [
                {
                    "id": one.id,
                    "at": one.at,
                    "lane": one.lane,
                    "since": one.since,
                    "content": self._envelope.seal(one.content, one.id),
                    "owner": busy.get(one.lane, by),
                    "held_at": None if one.lane in busy else now,
                }
                for one in sorted(taken, key=lambda one: one.id)  # no deadlock: all in one order
            ]
            made = await execute_many(connection, self._database.insert_new(inbox, inbox.c.id), rows)
        elsewhere = {one.id for one in taken if one.lane in busy}
        return frozenset(row.id for row in made) - elsewhere

    async def claim_updates(
        self, *, by: str, now: datetime, stale: datetime, own: bool = False
    ) -> Sequence[TakenUpdate]:
        free = and_(_WAITS, _free(by, stale, own=own))
        async with self._database.read() as connection:
            if (await connection.execute(select(inbox.c.id).where(free).limit(1))).first() is None:
                return []
        claim = update(inbox).where(free).values(owner=by, held_at=now).returning(inbox)
        async with self._database.write() as connection:
            rows = (await connection.execute(claim)).all()
        opened = []
        for row in sorted(rows, key=lambda row: int(row.id)):
            try:
                content = self._envelope.open(row.content, row.id)
            except Tampered as failure:
                log.error("an update is set aside: %s", failure)
                content = b""  # nothing can be read from it, and so it is over
            opened.append(TakenUpdate(row.id, row.lane, content, row.at, row.since, row.tries))
        return opened

    async def hold_updates(self, *, by: str, now: datetime) -> frozenset[int]:
        mine = (_WAITS, inbox.c.owner == by, inbox.c.held_at.is_not(None))
        hold = update(inbox).where(*mine).values(held_at=now).returning(inbox.c.id)
        async with self._database.write() as connection:
            return frozenset((await connection.execute(hold)).scalars())

    async def release_updates(self, *, by: str) -> None:
        mine = (_WAITS, inbox.c.owner == by)
        async with self._database.write() as connection:
            await connection.execute(update(inbox).where(*mine).values(owner=None, held_at=None))

    async def begin_again(self, update_id: int) -> None:
        async with self._database.write() as connection:
            again = update(inbox).where(inbox.c.id == update_id).values(tries=inbox.c.tries + 1)
            await connection.execute(again)

    async def forget_updates(self, *, before: datetime) -> int:
        """Delete what only guards against repetitions and is older than any repetition can be: Telegram keeps
        updates for a day. Returns how many rows went."""
        async with self._database.write() as connection:
            seen = await connection.execute(delete(inbox).where(inbox.c.at < before, ~_WAITS))
            done = await connection.execute(delete(effects).where(effects.c.at < before))
            return seen.rowcount + done.rowcount


def _free(by: str, stale: datetime, *, own: bool) -> ColumnElement[bool]:
    """Nobody's, handed to this replica, or left behind by one that is taken for dead."""
    mine, handed = inbox.c.owner == by, inbox.c.held_at.is_(None)
    return or_(
        inbox.c.owner.is_(None),
        mine if own else and_(mine, handed),
        and_(~handed, inbox.c.held_at < stale),
        and_(handed, ~mine, inbox.c.at < stale),
    )
