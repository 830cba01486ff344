"""The vault over the database: sealed credentials, and the wrapped data keys beside them."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import redaction
from bot.ports.errors import InvalidRecord
from bot.ports.records import Account
from bot.ports.vault import (
    Credentials,
    NoCredentials,
    NoMasterKey,
    Sealed,
    Tampered,
    WrongMasterKey,
)
from bot.storage.database import Database
from bot.storage.people import account_of
from bot.storage.tables import accounts, credentials, data_keys, master_keys, people
from bot.storage.vault.master_key import MasterKeys
from bot.storage.vault.sealing import DataKey, MasterKey, new_data_key, seal, unseal, unwrap, wrap


class SqlVault:
    """bot.ports.vault.Vault over SQLite or PostgreSQL.

    Master keys are read when they are first needed, and again when a row names one that is not known yet: a rotation
    needs no restart.
    """

    def __init__(self, database: Database, keys: MasterKeys) -> None:
        self._database = database
        self._source = keys
        self._keys: dict[str, MasterKey] = {}

    async def read_only(self) -> str | None:
        try:
            known = await self._read_keys()
        except NoMasterKey as failure:
            return str(failure)
        async with self._database.read() as connection:
            current = (await connection.execute(select(master_keys.c.fingerprint))).scalar_one_or_none()
        if current is None or current in {key.fingerprint for key in known}:
            return None
        return str(_wrong(current))

    async def seal(self, account: Account, credentials_: Credentials, *, at: datetime) -> Sealed:
        _hide(credentials_)
        first = (await self._read_keys())[0]
        async with self._database.write() as connection:
            await _must_be_stored(connection, account)
            master = await self._key(await _current(self._database, connection, first))
            data = await self._data_key(connection, account.user_id, master)
            row = {
                "user_id": account.user_id,
                "key_version": data.version,
                "sealed": seal(credentials_, account, data),
                "stored_at": at,
            }
            upsert = self._database.insert(credentials).values(account_id=account.id, **row)
            await connection.execute(upsert.on_conflict_do_update(index_elements=["account_id"], set_=row))
            await _forget_needless_keys(connection, account.user_id)
        return Sealed(account, data.version, at)

    async def open(self, account: Account) -> Credentials:
        row = await self._row(account)
        if row.wrapped_by not in self._keys:
            await self._read_keys()
            row = await self._row(account)  # a rotation may have passed it between the two reads
        master = await self._key(row.wrapped_by)
        try:
            data = unwrap(row.wrapped, account.user_id, row.key_version, row.made_under, master)
            opened = unseal(row.sealed, account, data)
        except Tampered:
            raise Tampered(
                f"The credentials of account {account.id} were altered, or sealed for another user, account or "
                "exchange. They are not used: connect the account again."
            ) from None
        _hide(opened)
        return opened

    async def forget(self, account: Account) -> bool:
        async with self._database.write() as connection:
            await _must_be_stored(connection, account)
            gone = await connection.execute(delete(credentials).where(credentials.c.account_id == account.id))
            await _forget_needless_keys(connection, account.user_id)
        return gone.rowcount > 0

    async def sealed(self, user_id: int | None = None) -> Sequence[Sealed]:
        wanted = (
            select(accounts, credentials.c.key_version, credentials.c.stored_at)
            .join_from(credentials, accounts, accounts.c.id == credentials.c.account_id)
            .order_by(accounts.c.id)
        )
        if user_id is not None:
            wanted = wanted.where(accounts.c.user_id == user_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        return [Sealed(account_of(row), row.key_version, row.stored_at) for row in rows]

    async def close(self) -> None:
        self._keys.clear()
        await self._database.close()

    async def _row(self, account: Account) -> Any:
        its_key = (data_keys.c.user_id == account.user_id) & (
            data_keys.c.version == credentials.c.key_version
        )
        wanted = (
            select(
                credentials.c.key_version,
                credentials.c.sealed,
                data_keys.c.made_under,
                data_keys.c.wrapped_by,
                data_keys.c.wrapped,
            )
            .join_from(credentials, data_keys, its_key, isouter=True)
            .where(credentials.c.account_id == account.id)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise NoCredentials(f"No credentials are stored for account {account.id}.")
        if row.wrapped is None:
            raise Tampered(f"The key of the credentials of account {account.id} is not where it was put.")
        return row

    async def _data_key(self, connection: AsyncConnection, user_id: int, master: MasterKey) -> DataKey:
        """The user's newest, when no earlier master key has wrapped it; else a fresh one."""
        newest = select(data_keys).where(data_keys.c.user_id == user_id).order_by(data_keys.c.version.desc())
        row = (await connection.execute(newest.limit(1))).one_or_none()
        if row is not None and row.made_under == row.wrapped_by == master.fingerprint:
            return unwrap(row.wrapped, user_id, row.version, row.made_under, master)
        data = new_data_key(user_id, row.version + 1 if row else 1, master)
        await connection.execute(
            data_keys.insert().values(
                user_id=user_id,
                version=data.version,
                made_under=data.made_under,
                wrapped_by=master.fingerprint,
                wrapped=wrap(data, master),
            )
        )
        return data

    async def _read_keys(self) -> Sequence[MasterKey]:
        known = await asyncio.to_thread(self._source.read)
        self._keys |= {key.fingerprint: key for key in known}
        return known

    async def _key(self, fingerprint: str) -> MasterKey:
        if fingerprint not in self._keys:
            await self._read_keys()
        try:
            return self._keys[fingerprint]
        except KeyError:
            raise _wrong(fingerprint) from None


def _hide(opened: Credentials) -> None:
    redaction.hide(opened.api_key, opened.secret, opened.passphrase)


def _wrong(fingerprint: str) -> WrongMasterKey:
    return WrongMasterKey(
        f"The credentials were sealed under the master key {fingerprint}, which is not the one that was given."
    )


async def _must_be_stored(connection: AsyncConnection, account: Account) -> None:
    """Raises InvalidRecord. Until the end of the transaction nobody else changes this person's keys."""
    await connection.execute(select(people.c.id).where(people.c.id == account.user_id).with_for_update())
    stored = (await connection.execute(select(accounts).where(accounts.c.id == account.id))).one_or_none()
    if stored is None or account_of(stored) != account:
        raise InvalidRecord(f"Account {account.id} is not stored as it was named.")


async def _current(database: Database, connection: AsyncConnection, first: MasterKey) -> str:
    """The fingerprint of the key that wraps; it stays so until the end of the transaction. The first key that is ever
    used becomes it."""
    wanted = select(master_keys.c.fingerprint).with_for_update(read=True)
    current = (await connection.execute(wanted)).scalar_one_or_none()
    if current is None:
        insert = database.insert(master_keys).values(id=1, fingerprint=first.fingerprint)
        await connection.execute(insert.on_conflict_do_nothing())
        current = (await connection.execute(wanted)).scalar_one()
    return str(current)


async def _forget_needless_keys(connection: AsyncConnection, user_id: int) -> None:
    used = (credentials.c.user_id == data_keys.c.user_id) & (credentials.c.key_version == data_keys.c.version)
    needless = ~exists().where(used).correlate(data_keys)
    await connection.execute(delete(data_keys).where(data_keys.c.user_id == user_id, needless))
