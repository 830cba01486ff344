"""What a tick reads of everybody, and what it writes: in sets, however many users there are."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, Text, and_, bindparam, func, or_, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.errors import StaleVersion
from bot.ports.records import Account, AccountState, Alert, AlertState, OutboxItem, User
from bot.ports.store import AlertChange, Watched
from bot.ports.watching import AlertSettings
from bot.storage.codec import fields_of
from bot.storage.database import AT_ONCE, Database, execute_many
from bot.storage.events import Entry, record
from bot.storage.outbox import row_of
from bot.storage.tables import LIVE_ALERT, accounts, alerts, holdings, memories, outbox, people, rules
from bot.storage.watch.counts import count_sent
from hedging.portfolio import Holding
from hedging.rules import HedgeRule

# As they come.
_AMOUNT, _COST = (type_coerce(column, Text) for column in (holdings.c.amount, holdings.c.cost))
_HOLDINGS = select(holdings.c.user_id, holdings.c.asset, _AMOUNT, _COST).order_by(
    holdings.c.user_id, holdings.c.asset
)
_RULE = [rules.c[field.name] for field in fields(HedgeRule)]
# The account that the rule names, else the first one.
IN_USE = or_(
    accounts.c.id == rules.c.account_id,
    and_(
        rules.c.account_id.is_(None),
        accounts.c.id.in_(select(func.min(accounts.c.id)).group_by(accounts.c.user_id)),
    ),
)
_WATCHED = (
    select(
        people,
        accounts.c.id.label("account_id"),
        accounts.c.exchange,
        accounts.c.mode,
        accounts.c.state,
        *_RULE,
    )
    .select_from(people.join(accounts).join(rules, rules.c.user_id == people.c.id))
    .where(people.c.suspended.is_(False))
    .where(IN_USE)
    .order_by(people.c.id)
)


class _Done(NamedTuple):
    """An alert as it is stored now, and the messages that it owes."""

    alert: Alert
    owed: tuple[OutboxItem | None, OutboxItem | None]


class AlertTables:
    """bot.ports.store.AlertStore."""

    _database: Database

    async def watched(self) -> Sequence[Watched]:
        """A user with several accounts is watched at the one that the rule names, else at the first of them."""
        held: defaultdict[int, list[Holding]] = defaultdict(list)
        live: defaultdict[int, list[Alert]] = defaultdict(list)
        references: dict[int, Mapping[str, Any]] = {}
        found: list[Watched] = []
        async with self._database.snapshot() as connection:
            async for row in each(connection, _HOLDINGS):
                user_id, asset, amount, cost = row
                held[user_id].append(Holding(asset, Decimal(amount), cost if cost is None else Decimal(cost)))
            async for row in each(connection, select(alerts).where(LIVE_ALERT).order_by(alerts.c.id)):
                live[row.user_id].append(alert_of(row))
            async for row in each(connection, select(memories)):
                references[row.user_id] = row.reference
            async for row in each(connection, _WATCHED):
                if row.id in held:
                    user = User(row.id, row.chat_id, row.name, row.joined, row.suspended)
                    account = Account(row.account_id, row.id, row.exchange, row.mode, AccountState(row.state))
                    rule = HedgeRule(*row[-len(_RULE) :])
                    its = tuple(held[row.id]), tuple(live[row.id]), references.get(row.id, {})
                    found.append(Watched(user, account, rule, *its))
        return found

    async def change_alerts(
        self,
        changes: Sequence[AlertChange],
        references: Mapping[int, Mapping[str, Any]],
        *,
        owed: Sequence[OutboxItem] = (),
        counts: Sequence[AlertSettings] = (),
    ) -> None:
        known = [change for change in changes if change.alert.id]
        new = [change for change in changes if not change.alert.id]
        async with self._database.write() as connection:
            done = await _update(connection, known)
            done += await _insert(self._database, connection, new)
            entries = [Entry("alert", str(a.id), a.version, a.state, a.updated_at) for a, _ in done]
            await record(connection, *entries)
            first = [
                row_of(items[0]) | {"payload": {**items[0].payload, "alert_id": a.id}}
                for a, items in done
                if items[0]
            ]
            also = [
                row_of(items[1]) for _, items in done if items[1]
            ]  # to a message that is no longer its own
            rows = [*first, *also, *map(row_of, owed)]
            await execute_many(connection, self._database.insert(outbox).on_conflict_do_nothing(), rows)
            remembered = [{"user_id": k, "reference": dict(v)} for k, v in sorted(references.items())]
            upsert = self._database.insert(memories)
            upsert = upsert.on_conflict_do_update(
                index_elements=["user_id"], set_={"reference": upsert.excluded.reference}
            )
            await execute_many(connection, upsert, remembered)
            await count_sent(self._database, connection, counts)

    async def alert(self, alert_id: int) -> Alert | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(alerts).where(alerts.c.id == alert_id))).one_or_none()
        return None if row is None else alert_of(row)

    async def live_alerts(self, user_id: int) -> Sequence[Alert]:
        its = select(alerts).where(alerts.c.user_id == user_id, LIVE_ALERT).order_by(alerts.c.id)
        async with self._database.read() as connection:
            return [alert_of(row) for row in await connection.execute(its)]

    async def move_alert(
        self,
        alert: Alert,
        to: AlertState,
        *,
        at: datetime,
        snoozed_until: datetime | None = None,
        keeps_message: bool = True,
    ) -> Alert:
        its = (alerts.c.id == alert.id, alerts.c.version == alert.version, LIVE_ALERT)
        new: dict[str, Any] = {
            "state": to,
            "version": alert.version + 1,
            "updated_at": at,
            "snoozed_until": snoozed_until,
            "due_at": snoozed_until,
            "held": False,
        }
        if not keeps_message:
            new["message_id"] = None
        async with self._database.write() as connection:
            row = (
                await connection.execute(update(alerts).where(*its).values(new).returning(alerts))
            ).one_or_none()
            if row is None:
                raise StaleVersion(f"Alert {alert.id} has moved on from version {alert.version}.")
            await record(connection, Entry("alert", str(alert.id), row.version, to, at))
            return alert_of(row)


_MOVED = (
    "state",
    "level",
    "facts",
    "updated_at",
    "snoozed_until",
    "message_id",
    "due_at",
    "reminders",
    "held",
    "version",
)


async def _update(connection: AsyncConnection, changes: Sequence[AlertChange]) -> list[_Done]:
    """Move on those that are still at the version, and told by the message, that they were read with."""
    current: dict[int, tuple[int, int | None]] = {}
    ids = sorted(change.alert.id for change in changes)
    for start in range(0, len(ids), AT_ONCE):
        its = alerts.c.id.in_(ids[start : start + AT_ONCE])
        rows = select(alerts.c.id, alerts.c.version, alerts.c.message_id).where(its, LIVE_ALERT)
        found = await connection.execute(rows.order_by(alerts.c.id).with_for_update())
        current |= {row.id: (row.version, row.message_id) for row in found}
    fresh = {
        change.alert.id: change
        for change in changes
        if current.get(change.alert.id) == (change.alert.version, change.told_by)
    }
    done = [
        _Done(replace(one.alert, version=one.alert.version + 1), (one.outbox, one.also))
        for one in fresh.values()
    ]
    move = update(alerts).where(alerts.c.id == bindparam("its_id")).values({n: bindparam(n) for n in _MOVED})
    values = [fields_of(one.alert) for one in done]
    await execute_many(connection, move, [{n: v[n] for n in _MOVED} | {"its_id": v["id"]} for v in values])
    return done


async def _insert(
    database: Database, connection: AsyncConnection, changes: Sequence[AlertChange]
) -> list[_Done]:
    """Raise those whose kind and subject are not live for the user already."""
    rows = [fields_of(change.alert) for change in changes]
    for row in rows:
        del row["id"]
    insert = database.insert(alerts).on_conflict_do_nothing()
    insert_new = insert.returning(alerts.c.id, alerts.c.user_id, alerts.c.kind, alerts.c.subject)
    given = {
        (row.user_id, row.kind, row.subject): row.id
        for row in await execute_many(connection, insert_new, rows)
    }
    first = {_matter(change.alert): change for change in reversed(changes)}
    done = []
    for matter, id_ in given.items():
        change = first[matter]
        done.append(_Done(replace(change.alert, id=id_), (change.outbox, change.also)))
    return done


def _matter(alert: Alert) -> tuple[int, str, str]:
    return alert.user_id, alert.kind, alert.subject


def alert_of(row: Row[Any]) -> Alert:
    values = {**row._mapping, "state": AlertState(row.state)}
    return Alert(**values)


async def each(
    connection: AsyncConnection, wanted: Select[Any], at_once: int = AT_ONCE
) -> AsyncIterator[Any]:
    """Row after row, in portions: taps are answered while a large table is read."""
    async with connection.stream(wanted.execution_options(yield_per=at_once)) as rows:
        async for portion in rows.partitions():
            for row in portion:
                yield row
            await asyncio.sleep(0)
