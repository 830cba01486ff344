"""Rules, each with a version that grows when it becomes another one."""

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from sqlalchemy import bindparam, case, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.errors import StaleVersion
from bot.ports.records import KeptRule
from bot.storage.codec import fields_of
from bot.storage.database import Database
from bot.storage.tables import rules
from hedging.rules import HedgeRule

NAMES = tuple(field.name for field in fields(HedgeRule))
_RULE_OF = select(*(rules.c[name] for name in NAMES), rules.c.version).where(
    rules.c.user_id == bindparam("user", type_=rules.c.user_id.type)
)


class RuleTables:
    """The part of bot.ports.store.PeopleStore about rules."""

    _database: Database

    async def rule(self, user_id: int) -> HedgeRule | None:
        row = await self._kept(user_id)
        return None if row is None else HedgeRule(*row[:-1])

    async def kept_rule(self, user_id: int) -> KeptRule:
        row = await self._kept(user_id)
        return KeptRule(HedgeRule()) if row is None else KeptRule(HedgeRule(*row[:-1]), row.version)

    async def save_rule(self, user_id: int, rule: HedgeRule, *, under: int | None = None) -> None:
        async with self._database.write() as connection:
            await keep(self._database, connection, user_id, rule, under=under)

    async def name_account(self, user_id: int, account_id: int | None) -> None:
        first = self._database.insert(rules).values({**_row(user_id, HedgeRule()), "account_id": account_id})
        named = first.on_conflict_do_update(index_elements=["user_id"], set_={"account_id": account_id})
        async with self._database.write() as connection:
            await connection.execute(named)

    async def _kept(self, user_id: int) -> Any:
        async with self._database.read() as connection:
            return (await connection.execute(_RULE_OF, {"user": user_id})).one_or_none()


async def keep(
    database: Database,
    connection: AsyncConnection,
    user_id: int,
    rule: HedgeRule,
    *,
    sets: Collection[str] = NAMES,
    under: int | None = None,
) -> None:
    """The whole rule where there is none, else those fields of it that it `sets`. Raises StaleVersion."""
    first = database.insert(rules).values(_row(user_id, rule))
    if not sets:
        await connection.execute(first.on_conflict_do_nothing())
        return
    new = {name: first.excluded[name] for name in sets}
    changed = case((or_(*(rules.c[name] != value for name, value in new.items())), 1), else_=0)
    saved = first.on_conflict_do_update(
        index_elements=["user_id"],
        set_={**new, "version": rules.c.version + changed},
        where=None if under is None else rules.c.version == under,
    )
    if (await connection.execute(saved.returning(rules.c.version))).one_or_none() is None:
        raise StaleVersion(f"The rule of user {user_id} is no longer at version {under}.")


def _row(user_id: int, rule: HedgeRule) -> dict[str, Any]:
    """To write down the default rule changes nothing: it stays at version 0."""
    return {"user_id": user_id, **fields_of(rule), "version": 0 if rule == HedgeRule() else 1}
