"""The attempt ledger: at most one live attempt an account and symbol, each state once, ends for good."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.errors import InvalidRecord, StaleVersion, SymbolBusy
from bot.ports.records import Attempt, AttemptState, OutboxItem
from bot.storage.codec import fields_of
from bot.storage.database import Database
from bot.storage.events import Entry, history, record
from bot.storage.outbox import add_owed
from bot.storage.proposals import MOVING, in_turn
from bot.storage.tables import LIVE_ATTEMPT, attempts

# What becomes known of an order after it was reserved. What is ordered never changes.
_CHANGEABLE = frozenset(
    {"order_id", "filled", "average_price", "fee", "lookups", "reason", "position_before"}
)
_MOVE = (
    update(attempts)
    .where(
        attempts.c.client_id == bindparam("attempt", type_=attempts.c.client_id.type),
        attempts.c.version == bindparam("known", type_=attempts.c.version.type),
        LIVE_ATTEMPT,
    )
    .returning(attempts)
)


class LedgerTables:
    """bot.ports.store.LedgerStore."""

    _database: Database

    async def reserve(self, attempt: Attempt) -> Attempt:
        if attempt.state is not AttemptState.RESERVED:
            raise InvalidRecord(f"An attempt begins as reserved, not as {attempt.state}.")
        async with self._database.write() as connection:
            going_on, row = await in_turn(connection, attempt.proposal_id) in (None, *MOVING), None
            if going_on:
                new = self._database.insert_new(attempts)
                row = (await connection.execute(new, fields_of(attempt))).one_or_none()
            if row is None:
                return await _standing(connection, attempt, going_on=going_on)
            at = attempt.created_at
            await record(connection, Entry("attempt", attempt.client_id, row.version, attempt.state, at))
            return attempt_of(row)

    async def transition(
        self,
        attempt: Attempt,
        to: AttemptState,
        *,
        at: datetime,
        outbox: OutboxItem | None = None,
        **changes: Any,
    ) -> Attempt:
        if not changes.keys() <= _CHANGEABLE:
            raise InvalidRecord(
                f"An attempt's {', '.join(sorted(changes.keys() - _CHANGEABLE))} cannot change."
            )
        its = {"attempt": attempt.client_id, "known": attempt.version}
        new = {**changes, "state": to, "version": attempt.version + 1, "updated_at": at}
        async with self._database.write() as connection:
            row = (await connection.execute(_MOVE, {**its, **new})).one_or_none()
            if row is None:
                raise StaleVersion(
                    f"Attempt {attempt.client_id} has moved on from version {attempt.version}."
                )
            await record(connection, Entry("attempt", attempt.client_id, row.version, to, at))
            await add_owed(self._database, connection, outbox)
            return attempt_of(row)

    async def attempt(self, client_id: str) -> Attempt | None:
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(attempts).where(attempts.c.client_id == client_id))
            ).one_or_none()
        return None if row is None else attempt_of(row)

    async def attempts(self, proposal_id: str) -> Sequence[Attempt]:
        its = select(attempts).where(attempts.c.proposal_id == proposal_id)
        async with self._database.read() as connection:
            return [
                attempt_of(row)
                for row in await connection.execute(its.order_by(attempts.c.leg, attempts.c.number))
            ]

    async def open_attempts(self, *, before: datetime) -> Sequence[Attempt]:
        left = select(attempts).where(LIVE_ATTEMPT, attempts.c.updated_at < before)
        async with self._database.read() as connection:
            return [attempt_of(row) for row in await connection.execute(left.order_by(attempts.c.updated_at))]

    async def events(self, client_id: str) -> Sequence[tuple[AttemptState, datetime]]:
        async with self._database.read() as connection:
            lines = await history(connection, "attempt", client_id)
        return [(AttemptState(line.state), line.at) for line in lines]


async def _standing(connection: AsyncConnection, new: Attempt, *, going_on: bool) -> Attempt:
    """What kept `new` from being reserved: itself, reserved earlier, or a live attempt on its symbol (SymbolBusy), or
    that its card has come to an end (StaleVersion)."""
    place = and_(
        attempts.c.proposal_id == new.proposal_id,
        attempts.c.leg == new.leg,
        attempts.c.number == new.number,
    )
    same = select(attempts).where(or_(attempts.c.client_id == new.client_id, place))
    row = (await connection.execute(same)).first()
    if row is None and not going_on:
        raise StaleVersion(f"The card {new.proposal_id} has come to its end.")
    if row is None:
        raise SymbolBusy(f"Another attempt on {new.symbol} of account {new.account_id} is not settled yet.")
    if row.client_id != new.client_id:
        raise InvalidRecord(f"Attempt {new.number} of leg {new.leg} has another client id already.")
    return attempt_of(row)


def attempt_of(row: Row[Any]) -> Attempt:
    """The record of a row of attempts."""
    values = {**row._mapping, "state": AttemptState(row.state)}
    return Attempt(**values)
