"""Who is expected to send a key, and whose key is not let in any more. No key comes by here."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update

from bot.ports.errors import InvalidRecord
from bot.ports.records import Account, AccountState, Invitation, KeyLook, OutboxItem
from bot.storage.codec import fields_of
from bot.storage.database import Database
from bot.storage.outbox import add_owed
from bot.storage.people import account_of
from bot.storage.tables import accounts, invitations, key_looks


class KeyTables:
    """bot.ports.store.KeyStore."""

    _database: Database

    async def invite(self, invitation: Invitation) -> None:
        values = fields_of(invitation)
        upsert = self._database.insert(invitations).values(values)
        upsert = upsert.on_conflict_do_update(index_elements=["user_id"], set_=values)
        async with self._database.write() as connection:
            await connection.execute(upsert)

    async def invitation(self, user_id: int) -> Invitation | None:
        async with self._database.read() as connection:
            wanted = select(invitations).where(invitations.c.user_id == user_id)
            row = (await connection.execute(wanted)).one_or_none()
        return None if row is None else Invitation(**row._mapping)

    async def answer_invitation(self, user_id: int, *, by: str, now: datetime) -> Invitation | None:
        known = await self.invitation(user_id)
        if known is None or known.answered_by == by:
            return known
        its = (invitations.c.user_id == user_id, invitations.c.over.is_(False), invitations.c.until > now)
        answered = update(invitations).where(*its).values(answered_by=by, message_id=None)
        async with self._database.write() as connection:
            row = (await connection.execute(answered.returning(invitations))).one_or_none()
        return None if row is None else Invitation(**row._mapping)

    async def save_invitation(self, invitation: Invitation) -> None:
        its = (
            invitations.c.user_id == invitation.user_id,
            invitations.c.answered_by == invitation.answered_by,
        )
        changes = {"message_id": invitation.message_id, "over": invitation.over}
        async with self._database.write() as connection:
            await connection.execute(update(invitations).where(*its).values(changes))

    async def withdraw_invitation(self, user_id: int) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(invitations).where(invitations.c.user_id == user_id))

    async def renew_key(self, account_id: int) -> Account:
        its = accounts.c.id == account_id
        changes = {"state": AccountState.ACTIVE.value, "refusals": 0, "key_number": accounts.c.key_number + 1}
        async with self._database.write() as connection:
            renewed = update(accounts).where(its).values(changes).returning(accounts)
            row = (await connection.execute(renewed)).one_or_none()
        if row is None:
            raise InvalidRecord(f"There is no account {account_id}.")
        return account_of(row)

    async def count_refusal(self, account: Account, *, most: int, outbox: OutboxItem | None) -> Account:
        its = accounts.c.id == account.id
        live = (
            its,
            accounts.c.state == AccountState.ACTIVE.value,
            accounts.c.key_number == account.key_number,
        )
        once_more = update(accounts).where(*live).values(refusals=accounts.c.refusals + 1)
        async with self._database.write() as connection:
            row = (await connection.execute(once_more.returning(accounts))).one_or_none()
            if row is not None and row.refusals >= most:
                suspended = update(accounts).where(its).values(state=AccountState.SUSPENDED.value)
                row = (await connection.execute(suspended.returning(accounts))).one()
                await add_owed(self._database, connection, outbox)
            if row is None:
                row = (await connection.execute(select(accounts).where(its))).one_or_none()
        if row is None:
            raise InvalidRecord(f"There is no account {account.id}.")
        return account_of(row)

    async def key_looks(self, shard: int = 0, shards: int = 1) -> Sequence[tuple[Account, KeyLook | None]]:
        same = (key_looks.c.account_id == accounts.c.id) & (key_looks.c.key_number == accounts.c.key_number)
        mine = [accounts.c.user_id % shards == shard] if shards > 1 else []
        wanted = (
            select(accounts, *(column.label(f"look_{column.name}") for column in key_looks.c))
            .join(key_looks, same, isouter=True)
            .where(accounts.c.state != AccountState.DISCONNECTED.value, accounts.c.mode != "paper", *mine)
            .order_by(accounts.c.id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        known = len(accounts.c)
        return [(account_of(row), None if row[known] is None else KeyLook(*row[known:])) for row in rows]

    async def key_look(self, account: Account) -> KeyLook | None:
        its = (key_looks.c.account_id == account.id, key_looks.c.key_number == account.key_number)
        async with self._database.read() as connection:
            row = (await connection.execute(select(key_looks).where(*its))).one_or_none()
        return None if row is None else KeyLook(*row)

    async def save_key_look(self, look: KeyLook) -> None:
        values = fields_of(look)
        upsert = self._database.insert(key_looks).values(values)
        upsert = upsert.on_conflict_do_update(index_elements=["account_id"], set_=values)
        async with self._database.write() as connection:
            await connection.execute(upsert)

    async def forget_refusals(self, account: Account) -> None:
        its = (accounts.c.id == account.id, accounts.c.key_number == account.key_number)
        async with self._database.write() as connection:
            await connection.execute(update(accounts).where(*its).values(refusals=0))
