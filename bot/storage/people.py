"""People, their holdings and accounts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

from sqlalchemy import and_, bindparam, case, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.errors import InvalidRecord
from bot.ports.records import Account, AccountState, User
from bot.ports.store import Changed, HoldingChange
from bot.storage.codec import fields_of, holdings_from_json, holdings_to_json
from bot.storage.database import Database
from bot.storage.tables import accounts, effects, holdings, people, rules
from bot.storage.tables.types import plain_text
from hedging.portfolio import Holding

# What every update asks for, made once: to make a statement takes longer than to look up a row.
_USER = bindparam("user", type_=people.c.id.type)
_PERSON = select(people).where(people.c.id == _USER)
_PEOPLE = select(people).where(people.c.id.in_(bindparam("users", expanding=True)))
_HOLDING = (holdings.c.asset, holdings.c.amount, holdings.c.cost)
_HOLDINGS = select(*_HOLDING).where(holdings.c.user_id == _USER)
_NAMED = rules.c.account_id == accounts.c.id
_START = and_(accounts.c.exchange == bindparam("exchange"), accounts.c.mode == bindparam("mode"))
_CHOSEN = (
    select(accounts)
    .outerjoin(rules, rules.c.user_id == accounts.c.user_id)
    .where(accounts.c.user_id == _USER, or_(_NAMED, _START))
    .order_by(case((_NAMED, 0), else_=1))
    .limit(1)
)


class PeopleTables:
    """bot.ports.store.PeopleStore."""

    _database: Database

    async def user(self, user_id: int) -> User | None:
        async with self._database.read() as connection:
            row = (await connection.execute(_PERSON, {"user": user_id})).one_or_none()
        return None if row is None else User(**row._mapping)

    async def users(self, ids: Collection[int]) -> Mapping[int, User]:
        async with self._database.read() as connection:
            rows = await connection.execute(_PEOPLE, {"users": sorted(ids)})
            return {row.id: User(**row._mapping) for row in rows}

    async def ensure_user(self, user: User) -> User:
        known = await self.user(user.id)
        if known and (known.name, known.chat_id, known.suspended) == (user.name, user.chat_id, False):
            return known  # every update comes by here: nothing is written for those who are known
        now = {"name": user.name, "chat_id": user.chat_id, "suspended": False}
        upsert = self._database.insert(people).values({**fields_of(user), **now})
        upsert = upsert.on_conflict_do_update(index_elements=["id"], set_=now)
        async with self._database.write() as connection:
            return User(**(await connection.execute(upsert.returning(people))).one()._mapping)

    async def suspend(self, user_id: int) -> None:
        async with self._database.write() as connection:
            await connection.execute(update(people).where(people.c.id == user_id).values(suspended=True))

    async def holdings(self, user_id: int) -> tuple[Holding, ...]:
        async with self._database.read() as connection:
            return await _holdings(connection, user_id)

    async def change_holdings(self, user_id: int, changes: Sequence[HoldingChange], *, key: str) -> Changed:
        async with self._database.write() as connection:
            # Whoever has this row has the turn: changes of one person come one after another.
            await connection.execute(select(people.c.id).where(people.c.id == user_id).with_for_update())
            earlier = select(effects.c.result).where(effects.c.user_id == user_id, effects.c.key == key)
            result = (await connection.execute(earlier)).scalar_one_or_none()
            if result is not None:
                return Changed(holdings_from_json(result), repeated=True)
            before = await _holdings(connection, user_id)
            after = changed(before, changes)
            gone = {one.asset for one in before} - {one.asset for one in after}
            if gone:
                its = (holdings.c.user_id == user_id, holdings.c.asset.in_(gone))
                await connection.execute(delete(holdings).where(*its))
            new = [{"user_id": user_id, **fields_of(one)} for one in after if one not in before]
            if new:
                upsert = self._database.insert(holdings)
                upsert = upsert.on_conflict_do_update(
                    index_elements=["user_id", "asset"],
                    set_={"amount": upsert.excluded.amount, "cost": upsert.excluded.cost},
                )
                await connection.execute(upsert, new)
            row = {"user_id": user_id, "key": key, "result": holdings_to_json(after)}
            await connection.execute(effects.insert().values(row))
            return Changed(holdings_from_json(row["result"]), repeated=False)

    async def ensure_account(
        self, user_id: int, exchange: str, mode: str, *, state: AccountState = AccountState.ACTIVE
    ) -> Account:
        its = {"user_id": user_id, "exchange": exchange, "mode": mode}
        wanted = select(accounts).filter_by(**its)
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            async with self._database.write() as connection:
                made = self._database.insert(accounts).values(**its, state=state.value)
                await connection.execute(made.on_conflict_do_nothing())
                row = (await connection.execute(wanted)).one()
        return account_of(row)

    async def account(self, account_id: int) -> Account | None:
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(accounts).where(accounts.c.id == account_id))
            ).one_or_none()
        return None if row is None else account_of(row)

    async def chosen_account(self, user_id: int, exchange: str, mode: str) -> Account | None:
        its = {"user": user_id, "exchange": exchange, "mode": mode}
        async with self._database.read() as connection:
            row = (await connection.execute(_CHOSEN, its)).one_or_none()
        return None if row is None else account_of(row)

    async def set_account_state(self, account_id: int, state: AccountState) -> Account:
        its = accounts.c.id == account_id
        async with self._database.write() as connection:
            await connection.execute(update(accounts).where(its).values(state=state.value))
            row = (await connection.execute(select(accounts).where(its))).one_or_none()
        if row is None:
            raise InvalidRecord(f"There is no account {account_id}.")
        return account_of(row)

    async def accounts(self, user_id: int | None = None) -> Sequence[Account]:
        wanted = select(accounts).order_by(accounts.c.id)
        if user_id is not None:
            wanted = wanted.where(accounts.c.user_id == user_id)
        async with self._database.read() as connection:
            return [account_of(row) for row in await connection.execute(wanted)]


async def _holdings(connection: AsyncConnection, user_id: int) -> tuple[Holding, ...]:
    return _sorted(Holding(*row) for row in await connection.execute(_HOLDINGS, {"user": user_id}))


def account_of(row: Sequence[Any]) -> Account:
    """The account of a row that begins with the columns of one."""
    values = dict(zip(Account.__dataclass_fields__, row, strict=False))
    return Account(**{**values, "state": AccountState(values["state"])})


def changed(holdings: Sequence[Holding], changes: Sequence[HoldingChange]) -> tuple[Holding, ...]:
    """`holdings` after `changes`, exactly. Costs are averaged by amount over the purchases whose cost is known;
    taking away leaves the cost as it was, and never goes below zero."""
    after = {one.asset: one for one in holdings}
    with localcontext(prec=120):
        for change in changes:
            _must_be_storable(change)
            old = after.pop(change.asset, Holding(change.asset, Decimal(0)))
            amount = max(old.amount + change.amount, Decimal(0))
            if not change.clear and amount > 0:
                after[change.asset] = Holding(change.asset, amount, _average_cost(old, change, amount))
    return _sorted(after.values())


def _must_be_storable(change: HoldingChange) -> None:
    try:
        plain_text(change.amount)
        plain_text(change.cost or Decimal(0))
    except ValueError as error:
        raise InvalidRecord(f"{change.asset}: {error}") from error


def _average_cost(old: Holding, change: HoldingChange, amount: Decimal) -> Decimal | None:
    if change.amount <= 0 or change.cost is None:
        return old.cost
    if old.cost is None:
        return change.cost
    with localcontext(prec=28):
        return (old.amount * old.cost + change.amount * change.cost) / amount


def _sorted(holdings: Iterable[Holding]) -> tuple[Holding, ...]:
    return tuple(sorted(holdings, key=_asset))


def _asset(one: Holding) -> Any:
    return one.asset
