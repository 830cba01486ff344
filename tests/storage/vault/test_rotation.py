"""Another master key: whoever interrupts it, every row can be read at every moment. Fault 41."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.ports.records import Account
from bot.ports.store import Store
from bot.ports.vault import BadMasterKey, WrongMasterKey
from bot.storage.schema import schema_connection
from bot.storage.vault import KeyFile, SqlVault, open_rotation, open_vault, rotate
from bot.storage.vault.master_key import spelt
from tests.shared import ROOT
from tests.storage.samples import ADA, NOW
from tests.storage.vault.samples import CANARY, a_key, a_key_file, connected, theirs


async def all_open(vault: SqlVault, accounts: Sequence[Account]) -> None:
    for account in accounts:
        assert await vault.open(account) == theirs(account)


async def all_open_anew(database: str, key_file: Path, accounts: Sequence[Account]) -> None:
    vault = open_vault(database, key_file=key_file)
    assert await vault.read_only() is None
    await all_open(vault, accounts)
    await vault.close()


def wrapped_by(database: str) -> list[str]:
    with schema_connection(database) as connection:
        return list(connection.execute(text("SELECT wrapped_by FROM data_key ORDER BY user_id")).scalars())


class Rotator:
    """Rotations in processes of their own, one after the other."""

    def __init__(self, database: str, key_file: Path) -> None:
        self._points = key_file.with_name("points.txt")
        command = [sys.executable, "-m", "tests.storage.vault.rotator", database, str(key_file)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def begin(self, plan: str = "") -> int:
        """The id of a process that has just begun one."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{plan}\n")
        return self._heard()

    def ended(self) -> int:
        """Its exit code."""
        return self._heard()

    def recorded(self) -> list[str]:
        """The points that it passed."""
        return self._points.read_text().splitlines()

    def _heard(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


@pytest.fixture
def rotator(database: str, key_file: Path) -> Iterator[Rotator]:
    hired = Rotator(database, key_file)
    yield hired
    hired.process.kill()
    hired.process.communicate()


async def test_a_new_master_key_takes_over_and_the_old_one_opens_nothing_more(
    vault: SqlVault, store: Store, database: str, key_file: Path, tmp_path: Path
) -> None:
    accounts = await connected(store, vault)
    (old,) = map(spelt, KeyFile(key_file).read())
    async with open_rotation(database, key_file=key_file) as rotation:
        rotated = await rotate(rotation)
    (new,) = KeyFile(key_file).read()
    assert (rotated.fingerprint, rotated.wrapped, rotated.unreadable) == (new.fingerprint, 3, 0)
    assert rotated.old_dropped
    assert wrapped_by(database) == [new.fingerprint] * 3
    await all_open(vault, accounts)  # it was open all along, and needs no restart
    await all_open_anew(database, key_file, accounts)
    outdated = open_vault(database, key_file=a_key_file(tmp_path / "old.key", old))
    for account in accounts:
        with pytest.raises(WrongMasterKey):
            await outdated.open(account)
    await outdated.close()


async def test_what_is_sealed_after_a_rotation_has_a_data_key_that_the_old_master_key_never_wrapped(
    vault: SqlVault, store: Store, database: str, key_file: Path
) -> None:
    first, second, *_ = await connected(store, vault)
    async with open_rotation(database, key_file=key_file) as rotation:
        await rotate(rotation)
    assert (await vault.seal(first, theirs(first), at=NOW)).key_version == 2
    assert [one.key_version for one in await vault.sealed(ADA.id)] == [2, 1]
    await all_open(vault, [first, second])
    assert (await vault.seal(second, theirs(second), at=NOW)).key_version == 2
    assert len(wrapped_by(database)) == 3, "the first version seals nothing more, and is gone"
    await all_open(vault, [first, second])


@pytest.mark.slow
async def test_fault_41_killed_at_every_point_every_row_is_readable_and_the_rotation_goes_on(
    vault: SqlVault, store: Store, database: str, key_file: Path, rotator: Rotator
) -> None:
    accounts = await connected(store, vault)
    rotator.begin("rotation.prepare:record")
    assert rotator.ended() == 0
    points = rotator.recorded()
    assert sum("rewrap begins" in point for point in points) == 3
    assert sum("before the commit" in point for point in points) >= 4, points
    assert sum("after the file" in point for point in points) == 2, points

    for number in range(1, len(points) + 1):
        generation = KeyFile(key_file).read()
        assert len(generation) == 1
        rotator.begin(f"rotation.prepare:{number}")
        assert rotator.ended() == -signal.SIGKILL, points[number - 1]
        await all_open(vault, accounts)
        await all_open_anew(database, key_file, accounts)
        begun = KeyFile(key_file).read()
        async with open_rotation(database, key_file=key_file) as rotation:
            rotated = await rotate(rotation)
        assert rotated.old_dropped and rotated.unreadable == 0
        (now,) = KeyFile(key_file).read()
        assert now.fingerprint != generation[0].fingerprint, "the old key still rules"
        if len(begun) == 2:
            assert now == begun[0], "it went on with the key that it had made"
        assert wrapped_by(database) == [now.fingerprint] * 3
        await all_open(vault, accounts)


@pytest.mark.slow
async def test_fault_41_killed_at_any_moment_while_the_bot_seals_and_opens(
    vault: SqlVault, store: Store, database: str, key_file: Path, rotator: Rotator
) -> None:
    accounts = await connected(store, vault)
    for milliseconds in (1, 2, 5, 10, 15, 20, 30, 40, 60, 100, 150):
        process, end = rotator.begin(), time.monotonic() + milliseconds / 1000
        while time.monotonic() < end:
            await vault.seal(accounts[0], theirs(accounts[0]), at=NOW)
            await all_open(vault, accounts)
        with suppress(ProcessLookupError):  # it has ended already
            os.kill(process, signal.SIGKILL)
        assert rotator.ended() in (0, -signal.SIGKILL)
        await all_open_anew(database, key_file, accounts)
    async with open_rotation(database, key_file=key_file) as rotation:
        await rotate(rotation)
    (now,) = KeyFile(key_file).read()
    assert set(wrapped_by(database)) == {now.fingerprint}
    await all_open(vault, accounts)


async def test_nothing_new_is_wrapped_under_the_old_key_once_the_new_one_is_announced(
    vault: SqlVault, store: Store, live: Account, database: str, key_file: Path
) -> None:
    async with open_rotation(database, key_file=key_file) as rotation:
        keys = await rotation.prepare()
        await rotation.announce(keys)
        await vault.seal(live, CANARY, at=NOW)
        assert wrapped_by(database) == [keys[0].fingerprint]
        assert await rotation.left() == []
    assert await vault.open(live) == CANARY


async def test_with_the_environment_the_operator_brings_both_keys_and_takes_the_old_one_out(
    store: Store, database: str
) -> None:
    old, new = a_key(), a_key()
    vault = open_vault(database, key=old)
    accounts = await connected(store, vault)
    await vault.close()
    async with open_rotation(database, key=old) as rotation:
        with pytest.raises(BadMasterKey, match="in front of it"):
            await rotate(rotation)
    async with open_rotation(database, key=f"{new} {old}") as rotation:
        rotated = await rotate(rotation)
    assert (rotated.wrapped, rotated.old_dropped) == (3, False)
    alone = open_vault(database, key=new)
    await all_open(alone, accounts)
    await alone.close()


async def test_a_rotation_with_a_key_that_is_not_the_databases_changes_nothing(
    vault: SqlVault, store: Store, database: str, tmp_path: Path
) -> None:
    accounts = await connected(store, vault)
    before, wrong = wrapped_by(database), a_key_file(tmp_path / "wrong.key")
    content = wrong.read_bytes()
    async with open_rotation(database, key_file=wrong) as rotation:
        with pytest.raises(WrongMasterKey):
            await rotate(rotation)
    assert wrong.read_bytes() == content and wrapped_by(database) == before
    await all_open(vault, accounts)


async def test_of_two_rotations_on_two_machines_one_is_refused_and_nothing_is_lost(
    vault: SqlVault, store: Store, database: str, key_file: Path, tmp_path: Path
) -> None:
    accounts = await connected(store, vault)
    other = a_key_file(tmp_path / "master.key", *map(spelt, KeyFile(key_file).read()))
    async with (
        open_rotation(database, key_file=key_file) as here,
        open_rotation(database, key_file=other) as there,
    ):
        ours, its = await here.prepare(), await there.prepare()
        await here.announce(ours)
        with pytest.raises(WrongMasterKey, match="Another rotation"):
            await there.announce(its)
        await rotate(here)
    await all_open_anew(database, key_file, accounts)


async def test_a_data_key_that_was_altered_keeps_the_old_master_key_in_its_place(
    vault: SqlVault, store: Store, database: str, key_file: Path
) -> None:
    accounts = await connected(store, vault)
    with schema_connection(database) as connection:
        spoilt = text("UPDATE data_key SET wrapped = :noise WHERE user_id = :ada")
        connection.execute(spoilt, {"noise": b"noise", "ada": ADA.id})
    async with open_rotation(database, key_file=key_file) as rotation:
        rotated = await rotate(rotation)
    assert (rotated.wrapped, rotated.unreadable, rotated.old_dropped) == (2, 1, False)
    assert len(KeyFile(key_file).read()) == 2
    await all_open(vault, [account for account in accounts if account.user_id != ADA.id])
    for account in accounts[:2]:
        await vault.forget(account)
    async with open_rotation(database, key_file=key_file) as rotation:
        assert (await rotate(rotation)).old_dropped
    await all_open_anew(database, key_file, accounts[2:])
