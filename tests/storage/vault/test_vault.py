"""Sealing and opening, and what happens without the right master key."""

import asyncio
import os
import pickle
from copy import copy, deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from bot.ports.errors import InvalidRecord
from bot.ports.records import Account
from bot.ports.store import Store
from bot.ports.vault import (
    BadCredentials,
    Credentials,
    NoCredentials,
    NoMasterKey,
    Sealed,
    WrongMasterKey,
)
from bot.storage.vault import SqlVault, open_vault
from tests.storage.samples import ADA, BOB, NOW, later
from tests.storage.vault.samples import CANARY, a_key, a_key_file, connected, theirs


async def test_what_was_sealed_is_opened_also_by_the_next_process(
    vault: SqlVault, live: Account, database: str, key_file: Path
) -> None:
    assert await vault.seal(live, CANARY, at=NOW) == Sealed(live, 1, NOW)
    assert await vault.open(live) == CANARY
    another = open_vault(database, key_file=key_file)
    assert await another.open(live) == CANARY
    assert await another.read_only() is None
    await another.close()


async def test_sealing_again_takes_the_place_of_what_was_there(vault: SqlVault, live: Account) -> None:
    await vault.seal(live, CANARY, at=NOW)
    new = Credentials("another key", "another secret")
    await vault.seal(live, new, at=later(60))
    assert await vault.open(live) == new
    assert await vault.sealed() == [Sealed(live, 1, later(60))]


async def test_everybody_opens_their_own(vault: SqlVault, store: Store) -> None:
    accounts = await connected(store, vault)
    for account in accounts:
        assert await vault.open(account) == theirs(account)
    assert [one.account for one in await vault.sealed()] == accounts
    assert [one.account for one in await vault.sealed(BOB.id)] == [a for a in accounts if a.user_id == BOB.id]


async def test_what_is_forgotten_is_gone_and_takes_its_data_key_along(vault: SqlVault, store: Store) -> None:
    first, second, *others = await connected(store, vault)
    assert await vault.forget(first) is True
    assert await vault.forget(first) is False
    with pytest.raises(NoCredentials):
        await vault.open(first)
    assert await vault.open(second) == theirs(second)
    assert await vault.forget(second) is True
    assert await vault.sealed(ADA.id) == []
    for account in others:
        assert await vault.open(account) == theirs(account)


async def test_an_account_without_credentials_is_named_as_such(vault: SqlVault, live: Account) -> None:
    with pytest.raises(NoCredentials, match=f"account {live.id}"):
        await vault.open(live)


@pytest.mark.parametrize(
    "changes", [{"user_id": BOB.id}, {"exchange": "bybit"}, {"mode": "demo"}, {"id": 9999}]
)
async def test_nothing_is_sealed_or_forgotten_for_an_account_that_is_not_stored_so(
    vault: SqlVault, store: Store, live: Account, changes: dict[str, object]
) -> None:
    await store.ensure_user(BOB)
    await vault.seal(live, CANARY, at=NOW)
    forged = replace(live, **changes)  # type: ignore[arg-type]
    with pytest.raises(InvalidRecord):
        await vault.seal(forged, theirs(live), at=NOW)
    with pytest.raises(InvalidRecord):
        await vault.forget(forged)
    assert await vault.open(live) == CANARY


async def test_many_seals_at_once_neither_lose_nor_mix_anything(
    vault: SqlVault, store: Store, database: str, key_file: Path
) -> None:
    accounts = []
    for user in (ADA, BOB):
        await store.ensure_user(user)
        accounts += [await store.ensure_account(user.id, f"exchange {n}", "live") for n in range(6)]
    another = open_vault(database, key_file=key_file)
    vaults = [(vault, another)[number % 2] for number in range(len(accounts))]
    async with asyncio.TaskGroup() as tasks:
        for at, account in zip(vaults, accounts, strict=True):
            tasks.create_task(at.seal(account, theirs(account), at=NOW))
    for account in accounts:
        assert await vault.open(account) == theirs(account)
    assert {one.key_version for one in await vault.sealed()} == {1}
    await another.close()


async def test_fault_40_without_a_master_key_the_vault_tells_who_is_connected_and_opens_nothing(
    vault: SqlVault, live: Account, database: str
) -> None:
    await vault.seal(live, CANARY, at=NOW)
    keyless = open_vault(database)
    reason = await keyless.read_only()
    assert reason is not None and "master key" in reason and "HEDGEHOG_MASTER_KEY_FILE" in reason
    assert [one.account for one in await keyless.sealed(ADA.id)] == [live]
    with pytest.raises(NoMasterKey, match="hedgehog master-key"):
        await keyless.open(live)
    with pytest.raises(NoMasterKey):
        await keyless.seal(live, theirs(live), at=NOW)
    assert await vault.open(live) == CANARY, "what was sealed is as it was"
    assert await keyless.forget(live) is True, "disconnecting needs no key"
    await keyless.close()


async def test_fault_40_a_named_file_that_is_missing_is_no_master_key_and_is_named(
    vault: SqlVault, live: Account, database: str, key_file: Path
) -> None:
    await vault.seal(live, CANARY, at=NOW)
    away = key_file.with_name("elsewhere")
    os.rename(key_file, away)
    keyless = open_vault(database, key_file=key_file)
    reason = await keyless.read_only()
    assert reason is not None and str(key_file) in reason
    with pytest.raises(NoMasterKey):
        await keyless.open(live)
    os.rename(away, key_file)
    assert await keyless.open(live) == CANARY, "once it is back, no restart is needed"
    await keyless.close()


async def test_another_master_key_opens_and_seals_nothing(
    vault: SqlVault, live: Account, database: str, tmp_path: Path
) -> None:
    await vault.seal(live, CANARY, at=NOW)
    wrong = open_vault(database, key_file=a_key_file(tmp_path / "wrong.key"))
    reason = await wrong.read_only()
    assert reason is not None and "not the one" in reason
    with pytest.raises(WrongMasterKey):
        await wrong.open(live)
    with pytest.raises(WrongMasterKey):
        await wrong.seal(live, theirs(live), at=NOW)
    assert await vault.open(live) == CANARY
    await wrong.close()


async def test_the_environment_serves_as_well_as_a_file(live: Account, database: str) -> None:
    key = a_key()
    vault = open_vault(database, key=key)
    await vault.seal(live, CANARY, at=NOW)
    await vault.close()
    again = open_vault(database, key=f"{key}=")
    assert await again.open(live) == CANARY
    await again.close()


@pytest.mark.parametrize("shown", [repr, str, "{}".format, "{!r:>5}".format, lambda c: f"{[c]}"])
def test_fault_44_credentials_are_never_shown(shown: object) -> None:
    assert callable(shown)
    assert "canary" not in shown(CANARY)


@pytest.mark.parametrize("written", [pickle.dumps, copy, deepcopy])
def test_fault_44_credentials_cannot_be_put_into_a_queue(written: object) -> None:
    assert callable(written)
    with pytest.raises(TypeError, match="never written"):
        written(CANARY)


@pytest.mark.parametrize("bad", ["", "\ud800canary", "canary" * 2000])
def test_credentials_that_cannot_be_any_are_refused_without_being_repeated(bad: str) -> None:
    for parts in ((bad, "s"), ("k", bad), ("k", "s", bad)):
        with pytest.raises(BadCredentials) as refused:
            Credentials(*parts)
        assert "canary" not in str(refused.value)
