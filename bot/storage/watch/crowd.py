"""Everybody as columns: what a tick reads, however many there are."""

from array import array
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Double, Select, Text, cast, exists, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.records import Account, Alert, ProposalState
from bot.ports.watching import Crowd, Look, Reader
from bot.storage.codec import fields_of
from bot.storage.database import AT_ONCE, Database, execute_many
from bot.storage.people import account_of
from bot.storage.tables import (
    LIVE_ALERT,
    accounts,
    alert_settings,
    alerts,
    attempts,
    holdings,
    looks,
    memories,
    people,
    proposals,
    rules,
)
from bot.storage.watch.alerts import IN_USE, alert_of, each

CARD_LASTS = timedelta(days=1)  # at most, before it is tapped
CLOCK_SET_BACK = timedelta(minutes=5)  # further apart, two looks are no race of replicas
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
WORK_LASTS = timedelta(minutes=10)  # at most; what takes longer is found by its orders

_MEMBERS = people.join(accounts, accounts.c.user_id == people.c.id).join(
    rules, rules.c.user_id == people.c.id
)
_ACCOUNT = [accounts.c[name] for name in Account.__dataclass_fields__]
_LOOK = [looks.c[name] for name in Look.__dataclass_fields__]


def _in_shard(user_id: ColumnElement[int], shard: int, shards: int) -> list[ColumnElement[bool]]:
    return [user_id % shards == shard] if shards > 1 else []


class CrowdTables:
    """The part of bot.ports.watching.WatchStore that reads and writes everybody at once."""

    _database: Database

    async def crowd(self, shard: int = 0, shards: int = 1) -> Crowd:
        async with self._database.snapshot() as connection:
            return await _Reading(connection, shard, shards).crowd()

    async def readers(self, shard: int = 0, shards: int = 1) -> Sequence[Reader]:
        ours = exists().where(
            attempts.c.account_id == accounts.c.id,
            or_(looks.c.looked_at.is_(None), attempts.c.updated_at >= looks.c.looked_at),
        )
        wanted = (
            select(*_ACCOUNT, *_LOOK, ours.label("asked"))
            .select_from(_MEMBERS.outerjoin(looks, looks.c.account_id == accounts.c.id))
            .where(people.c.suspended.is_(False), IN_USE, *_in_shard(people.c.id, shard, shards))
            .order_by(looks.c.looked_at.is_not(None), looks.c.looked_at, accounts.c.id)
        )
        remembered = select(memories).where(*_in_shard(memories.c.user_id, shard, shards))
        async with self._database.snapshot() as connection:
            hedged = {
                row.user_id async for row in each(connection, remembered) if row.reference.get("hedged")
            }
            return [
                Reader(
                    account=(account := account_of(row)),
                    look=None if row.looked_at is None else Look(*row[len(_ACCOUNT) : -1]),
                    hedged=account.user_id in hedged,
                    asked=row.asked,
                )
                async for row in each(connection, wanted)
            ]

    async def traded_since(self, since: datetime) -> Collection[int]:
        worked_on = exists().where(
            attempts.c.proposal_id == proposals.c.id,
            attempts.c.updated_at.between(since, since + CLOCK_SET_BACK),
        )
        wanted = select(proposals.c.user_id).where(
            proposals.c.state == ProposalState.DONE,
            proposals.c.quoted_at >= since - CARD_LASTS,
            proposals.c.confirmed_at >= since - WORK_LASTS,
            worked_on,
        )
        async with self._database.read() as connection:
            return set((await connection.execute(wanted)).scalars())

    async def save_looks(self, seen: Collection[Look]) -> None:
        # One from far ahead was made by a clock that has been set back since: it is no newer one.
        ahead = max((one.looked_at for one in seen), default=LONG_AGO) + CLOCK_SET_BACK
        upsert = self._database.insert(looks)
        fresh = {c.name: upsert.excluded[c.name] for c in looks.c if c.name != "account_id"}
        upsert = upsert.on_conflict_do_update(
            index_elements=["account_id"],
            set_=fresh,
            where=or_(looks.c.looked_at <= upsert.excluded.looked_at, looks.c.looked_at > ahead),
        )
        rows = [fields_of(one) for one in sorted(seen, key=lambda one: one.account_id)]
        async with self._database.write() as connection:
            await execute_many(connection, upsert, rows)


class _Reading:
    """One read of everybody, in one snapshot of the database."""

    def __init__(self, connection: AsyncConnection, shard: int, shards: int) -> None:
        self._connection, self._shard, self._shards = connection, shard, shards

    async def crowd(self) -> Crowd:
        users, chats, leverage = array("q"), array("q"), array("q")
        target, band = array("d"), array("d")
        whose: list[Account] = []
        factor: list[str] = []
        for row in await self._rows(self._members()):
            users.append(row[0])
            chats.append(row[1])
            target.append(row[2])
            band.append(row[3])
            leverage.append(row[4])
            factor.append(row[5])
            whose.append(account_of(row[6:]))
        row_of = {user: n for n, user in enumerate(users)}
        holding = await self._holdings(row_of)
        user_of = {account.id: account.user_id for account in whose}
        return Crowd(
            users=users,
            chats=chats,
            accounts=tuple(whose),
            target=target,
            band=band,
            leverage=leverage,
            factor=tuple(factor),
            assets=holding[0],
            holding_user=holding[1],
            holding_asset=holding[2],
            amount=holding[3],
            looks=await self._looks(user_of),
            memories=await self._memories(row_of),
            alerts=await self._alerts(row_of),
            exits=await self._exits(row_of),
        )

    def _members(self) -> Select[Any]:
        columns = (
            people.c.id,
            people.c.chat_id,
            cast(rules.c.target, Double),
            cast(rules.c.band, Double),
            rules.c.leverage,
            rules.c.factor,
            *_ACCOUNT,
        )
        wanted = select(*columns).select_from(_MEMBERS).where(people.c.suspended.is_(False), IN_USE)
        return wanted.where(*self._mine(people.c.id)).order_by(people.c.id)

    async def _holdings(
        self, row_of: Mapping[int, int]
    ) -> "tuple[tuple[str, ...], array[int], array[int], array[float]]":
        """The assets' names, and three columns."""
        number: dict[str, int] = {}
        whose, which, amount = array("q"), array("q"), array("d")
        wanted = select(holdings.c.user_id, holdings.c.asset, cast(holdings.c.amount, Double))
        wanted = wanted.where(*self._mine(holdings.c.user_id)).order_by(holdings.c.user_id)
        async with self._connection.stream(wanted.execution_options(yield_per=5 * AT_ONCE)) as rows:
            async for portion in rows.partitions():
                users, names, amounts = zip(*portion, strict=True)
                whose.extend([row_of.get(user, -1) for user in users])
                which.extend([number.setdefault(name, len(number)) for name in names])
                amount.extend(amounts)
        if -1 in whose:  # who holds something and is not watched
            kept = [n for n, user in enumerate(whose) if user >= 0]
            whose, which = array("q", [whose[n] for n in kept]), array("q", [which[n] for n in kept])
            amount = array("d", [amount[n] for n in kept])
        return tuple(number), whose, which, amount

    async def _looks(self, user_of: Mapping[int, int]) -> dict[int, Look]:
        """By user."""
        wanted = select(*_LOOK)
        if self._shards > 1:
            wanted = wanted.join(accounts).where(*self._mine(accounts.c.user_id))
        return {user_of[row[0]]: Look(*row) for row in await self._rows(wanted) if row[0] in user_of}

    async def _memories(self, row_of: Mapping[int, int]) -> dict[int, Mapping[str, Any]]:
        wanted = select(memories).where(*self._mine(memories.c.user_id))
        return {row[0]: row[1] for row in await self._rows(wanted) if row[0] in row_of}

    async def _alerts(self, row_of: Mapping[int, int]) -> dict[int, list[Alert]]:
        wanted = select(alerts).where(LIVE_ALERT, *self._mine(alerts.c.user_id)).order_by(alerts.c.id)
        live: defaultdict[int, list[Alert]] = defaultdict(list)
        for row in await self._rows(wanted):
            if row.user_id in row_of:
                live[row.user_id].append(alert_of(row))
        return dict(live)

    async def _exits(self, row_of: Mapping[int, int]) -> dict[int, Mapping[str, Any]]:
        exits = alert_settings.c.exits
        wanted = select(alert_settings.c.user_id, exits).where(
            type_coerce(exits, Text) != "{}", *self._mine(alert_settings.c.user_id)
        )
        return {row[0]: row[1] for row in await self._rows(wanted) if row[0] in row_of}

    def _mine(self, user_id: ColumnElement[int]) -> list[ColumnElement[bool]]:
        return _in_shard(user_id, self._shard, self._shards)

    async def _rows(self, wanted: Select[Any]) -> list[Any]:
        return [row async for row in each(self._connection, wanted, 5 * AT_ONCE)]
