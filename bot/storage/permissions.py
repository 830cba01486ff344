"""Standing permissions, each for one account of one person, and what pauses all of theirs."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Exists, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.errors import StaleVersion
from bot.ports.permissions import Pause, Permission
from bot.ports.records import OutboxItem
from bot.storage.codec import fields_of
from bot.storage.database import Database
from bot.storage.outbox import add_owed
from bot.storage.tables import accounts, pauses, people, permissions, rules
from bot.storage.watch.alerts import IN_USE

_SOMETHING = or_(permissions.c.acts != "never", permissions.c.silence != "nothing")


class PermissionTables:
    """bot.ports.permissions.PermissionStore."""

    _database: Database

    async def permission(self, user_id: int, account_id: int) -> Permission:
        its = (permissions.c.user_id == user_id, permissions.c.account_id == account_id)
        async with self._database.read() as connection:
            row = (await connection.execute(select(permissions).where(*its))).one_or_none()
        return Permission(user_id, account_id) if row is None else Permission(**row._mapping)

    async def permissions(self, now: datetime, shard: int = 0, shards: int = 1) -> Sequence[Permission]:
        mine = [permissions.c.user_id % shards == shard] if shards > 1 else []
        given = (
            select(permissions)
            .join(people, people.c.id == permissions.c.user_id)
            .join(accounts, accounts.c.id == permissions.c.account_id)
            .outerjoin(rules, rules.c.user_id == permissions.c.user_id)
            .where(_SOMETHING, IN_USE, people.c.suspended.is_(False), ~_paused(now), *mine)
        )
        async with self._database.read() as connection:
            return [Permission(**row._mapping) for row in await connection.execute(given)]

    async def save_permission(self, permission: Permission) -> Permission:
        async with self._database.write() as connection:
            saved = await _save(self._database, connection, permission)
        if saved is None:
            raise StaleVersion(f"The permission of user {permission.user_id} has moved on.")
        return saved

    async def take_back(self, user_id: int, account_id: int, owed: OutboxItem | None = None) -> bool:
        its = (permissions.c.user_id == user_id, permissions.c.account_id == account_id, _SOMETHING)
        nothing = {
            "acts": "never",
            "silence": "nothing",
            "terms": permissions.c.terms + 1,
            "version": permissions.c.version + 1,
        }
        async with self._database.write() as connection:
            taken = (await connection.execute(update(permissions).where(*its).values(nothing))).rowcount > 0
            if taken:
                await add_owed(self._database, connection, owed)
            return taken

    async def pause(self, user_id: int) -> Pause | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(pauses).where(pauses.c.user_id == user_id))).one_or_none()
        return None if row is None else Pause(**row._mapping)

    async def set_pause(self, user_id: int, pause: Pause | None, owed: OutboxItem | None = None) -> None:
        async with self._database.write() as connection:
            if pause is None:
                await connection.execute(delete(pauses).where(pauses.c.user_id == user_id))
                return
            upsert = self._database.insert(pauses).values(fields_of(pause))
            upsert = upsert.on_conflict_do_update(index_elements=["user_id"], set_={"until": pause.until})
            await connection.execute(upsert)
            await add_owed(self._database, connection, owed)


async def spend(connection: AsyncConnection, permission: Permission, at: datetime) -> bool:
    """Save what was counted; not over another version than it was read at, and not while its owner has paused."""
    its = (
        permissions.c.user_id == permission.user_id,
        permissions.c.account_id == permission.account_id,
        permissions.c.version == permission.version,
        ~_paused(at),
    )
    new = {"spent": permission.spent, "spent_on": permission.spent_on, "version": permission.version + 1}
    return (await connection.execute(update(permissions).where(*its).values(new))).rowcount == 1


async def _save(database: Database, connection: AsyncConnection, permission: Permission) -> Permission | None:
    new = fields_of(permission) | {"version": permission.version + 1}
    if permission.version == 0:
        add = database.insert(permissions).values(new).on_conflict_do_nothing()
        saved = await connection.execute(add.returning(permissions))
    else:
        its = (
            permissions.c.user_id == permission.user_id,
            permissions.c.account_id == permission.account_id,
            permissions.c.version == permission.version,
        )
        saved = await connection.execute(update(permissions).where(*its).values(new).returning(permissions))
    row = saved.one_or_none()
    return None if row is None else Permission(**row._mapping)


def _paused(now: datetime) -> Exists:
    holds = or_(pauses.c.until.is_(None), pauses.c.until > now)
    return exists().where(pauses.c.user_id == permissions.c.user_id, holds)
