"""Fault 42: what is moved or altered in the database by hand does not open."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from bot.ports.records import Account
from bot.ports.store import Store
from bot.ports.vault import NoCredentials, Tampered, VaultError
from bot.storage import open_store
from bot.storage.schema import schema_connection
from bot.storage.vault import SqlVault
from tests.storage.samples import ADA, BOB, NOW
from tests.storage.vault.samples import CANARY, CAROL, connected, theirs


def by_hand(database: str, *statements: str, **values: Any) -> None:
    """Change rows behind the bot's back, as somebody with the database's password could."""
    with schema_connection(database) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))  # no checks of references
        for statement in statements:
            connection.execute(text(statement), values)


def swap(table: str, column: str, one: str, other: str) -> Iterator[str]:
    """Statements that exchange a column between two rows."""
    yield f"CREATE TABLE aside AS SELECT {column} AS held FROM {table} WHERE {one}"
    yield f"UPDATE {table} SET {column} = (SELECT {column} FROM {table} WHERE {other}) WHERE {one}"
    yield f"UPDATE {table} SET {column} = (SELECT held FROM aside) WHERE {other}"
    yield "DROP TABLE aside"


async def test_fault_42_a_secret_moved_to_another_user_does_not_open(
    vault: SqlVault, store: Store, database: str
) -> None:
    ada, _, bob, *_ = await connected(store, vault)
    assert (ada.user_id, bob.user_id) == (ADA.id, BOB.id) and ada.exchange == bob.exchange
    by_hand(database, *swap("credential", "sealed", f"account_id = {ada.id}", f"account_id = {bob.id}"))
    for account in (ada, bob):
        with pytest.raises(Tampered, match=f"account {account.id}") as refused:
            await vault.open(account)
        assert "canary" not in str(refused.value)


async def test_fault_42_a_whole_row_moved_to_another_users_account_does_not_open(
    vault: SqlVault, store: Store, database: str
) -> None:
    ada, _, bob, *_ = await connected(store, vault)
    by_hand(
        database,
        f"DELETE FROM credential WHERE account_id = {bob.id}",
        f"UPDATE credential SET account_id = {bob.id} WHERE account_id = {ada.id}",
    )
    with pytest.raises(Tampered):
        await vault.open(bob)
    with pytest.raises(NoCredentials):
        await vault.open(ada)


async def test_fault_42_the_data_key_moved_along_does_not_help(
    vault: SqlVault, store: Store, database: str
) -> None:
    ada, _, bob, *_ = await connected(store, vault)
    by_hand(
        database,
        *swap("credential", "sealed", f"account_id = {ada.id}", f"account_id = {bob.id}"),
        *swap("data_key", "wrapped", f"user_id = {ADA.id}", f"user_id = {BOB.id}"),
    )
    for account in (ada, bob):
        with pytest.raises(Tampered):
            await vault.open(account)


async def test_fault_42_a_secret_moved_between_accounts_of_one_user_does_not_open(
    vault: SqlVault, store: Store, database: str
) -> None:
    first, second, *_ = await connected(store, vault)
    assert first.user_id == second.user_id
    by_hand(database, *swap("credential", "sealed", f"account_id = {first.id}", f"account_id = {second.id}"))
    for account in (first, second):
        with pytest.raises(Tampered):
            await vault.open(account)


@pytest.mark.parametrize(("column", "value"), [("user_id", CAROL.id), ("exchange", "mexc"), ("mode", "demo")])
async def test_fault_42_an_account_rewritten_to_be_another_does_not_open(
    vault: SqlVault, store: Store, database: str, column: str, value: Any
) -> None:
    ada, *_ = await connected(store, vault)
    by_hand(database, f"UPDATE account SET {column} = :value WHERE id = {ada.id}", value=value)
    changed = await store.account(ada.id)
    assert changed == replace(ada, **{column: value})
    with pytest.raises(Tampered):
        await vault.open(changed)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE credential SET key_version = 2 WHERE account_id = {account}",
        "UPDATE data_key SET version = 2 WHERE user_id = {user}",
        "UPDATE data_key SET version = 2 WHERE user_id = {user}; UPDATE credential SET key_version = 2",
        "UPDATE data_key SET made_under = 'another' WHERE user_id = {user}",
        "UPDATE data_key SET wrapped_by = 'another' WHERE user_id = {user}",
        "DELETE FROM data_key WHERE user_id = {user}",
        "UPDATE credential SET sealed = '' WHERE account_id = {account}",
        "UPDATE data_key SET wrapped = '' WHERE user_id = {user}",
    ],
)
async def test_no_column_can_be_altered_by_hand(
    vault: SqlVault, live: Account, database: str, statement: str
) -> None:
    await vault.seal(live, CANARY, at=NOW)
    by_hand(database, *statement.format(account=live.id, user=live.user_id).split("; "))
    with pytest.raises(VaultError) as refused:
        await vault.open(live)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(("table", "column"), [("credential", "sealed"), ("data_key", "wrapped")])
async def test_every_byte_in_the_database_matters(
    vault: SqlVault, live: Account, database: str, table: str, column: str
) -> None:
    await vault.seal(live, CANARY, at=NOW)
    with schema_connection(database) as connection:
        stored = bytes(connection.execute(text(f"SELECT {column} FROM {table}")).scalar_one())
    for at in range(len(stored)):
        altered = stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :]
        by_hand(database, f"UPDATE {table} SET {column} = :altered", altered=altered)
        with pytest.raises(Tampered):
            await vault.open(live)
    by_hand(database, f"UPDATE {table} SET {column} = :altered", altered=stored)
    assert await vault.open(live) == CANARY


async def test_what_was_altered_can_be_connected_again(vault: SqlVault, live: Account, database: str) -> None:
    await vault.seal(live, CANARY, at=NOW)
    by_hand(database, "UPDATE credential SET sealed = ''")
    await vault.seal(live, theirs(live), at=NOW)
    assert await vault.open(live) == theirs(live)


async def test_a_data_key_that_was_altered_seals_nothing_until_its_accounts_are_disconnected(
    vault: SqlVault, live: Account, database: str
) -> None:
    await vault.seal(live, CANARY, at=NOW)
    by_hand(database, "UPDATE data_key SET wrapped = ''")
    with pytest.raises(Tampered):
        await vault.seal(live, theirs(live), at=NOW)
    await vault.forget(live)
    await vault.seal(live, theirs(live), at=NOW)
    assert await vault.open(live) == theirs(live)


async def test_the_tables_hold_as_many_rows_as_they_must(
    vault: SqlVault, store: Store, database: str
) -> None:
    accounts = await connected(store, vault)
    reopened = open_store(database)
    assert list(await reopened.accounts()) == accounts
    await reopened.close()
    with schema_connection(database) as connection:
        counted = {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in ("master_key", "data_key", "credential")
        }
    assert counted == {"master_key": 1, "data_key": 3, "credential": 5}
