"""Fault 44: after all that can be done with credentials, nothing that was written anywhere holds a plain secret."""

import base64
import io
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from bot.ports.errors import PortError
from bot.ports.records import Account
from bot.ports.store import Store
from bot.ports.vault import Credentials
from bot.storage.schema import schema_connection
from bot.storage.vault import KeyFile, SqlVault, open_rotation, open_vault, rotate
from bot.storage.vault.master_key import spelt
from tests.storage.samples import NOW, later
from tests.storage.vault.samples import CANARY, a_key, connected, theirs

NEEDLE = b"canary"


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that any library says, down to the finest level, with nothing masked."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    for noisy in ("sqlalchemy.engine", "sqlalchemy.pool", "aiosqlite"):
        logging.getLogger(noisy).setLevel(logging.DEBUG)
    yield stream
    for noisy in ("sqlalchemy.engine", "sqlalchemy.pool", "aiosqlite"):
        logging.getLogger(noisy).setLevel(logging.NOTSET)
    root.setLevel(level)
    root.removeHandler(handler)


def files_of(database: str) -> list[Path]:
    """Every file that the database has written: tables, journals, and the server's log."""
    if database.startswith("sqlite"):
        return sorted(Path(make_url(database).database or "").parent.glob("store.sqlite*"))
    with schema_connection(database) as connection:
        folder = Path(connection.execute(text("SHOW data_directory")).scalar_one()).parent
    return [file for file in folder.rglob("*") if file.is_file()]


def flushed(database: str) -> None:
    """PostgreSQL keeps pages in memory for a while."""
    if not database.startswith("sqlite"):
        with schema_connection(database) as connection:
            connection.execute(text("COMMIT"))
            connection.execute(text("CHECKPOINT"))


async def a_life(vault: SqlVault, store: Store, database: str, key_file: Path) -> list[Account]:
    """Connect, open, replace, rotate, disconnect."""
    accounts = await connected(store, vault)
    for account in accounts:
        await vault.open(account)
    await vault.seal(accounts[0], CANARY, at=later(1))
    async with open_rotation(database, key_file=key_file) as rotation:
        await rotate(rotation)
    await vault.seal(accounts[1], CANARY, at=later(2))
    await vault.forget(accounts[2])
    return accounts


async def test_fault_44_the_database_holds_no_plain_secret(
    vault: SqlVault, store: Store, database: str, key_file: Path
) -> None:
    before = KeyFile(key_file).read()
    accounts = await a_life(vault, store, database, key_file)
    masters = (*before, *KeyFile(key_file).read())
    flushed(database)
    written = {file.name: file.read_bytes() for file in files_of(database)}
    assert any(b"binance" in content for content in written.values()), "looked elsewhere"
    forbidden = [
        NEEDLE,
        base64.b64encode(b"canary-"),
        b"canary-".hex().encode(),
        "canary".encode("utf-16-le"),
    ]
    forbidden += [key.key for key in masters] + [spelt(key).encode() for key in masters]
    forbidden += [key.key.hex().encode() for key in masters]
    for name, content in written.items():
        assert [needle for needle in forbidden if needle in content] == [], name
    assert await vault.open(accounts[1]) == CANARY


async def test_fault_44_no_library_logs_a_secret_even_at_its_finest_level(
    vault: SqlVault, store: Store, database: str, key_file: Path, logged: io.StringIO
) -> None:
    before = KeyFile(key_file).read()
    await a_life(vault, store, database, key_file)
    said = logged.getvalue()
    assert "INSERT INTO credential" in said, "nothing was listened to"
    assert "canary" not in said
    for key in (*before, *KeyFile(key_file).read()):
        for spelling in (spelt(key), key.key.hex(), repr(key.key)):
            assert spelling not in said


async def test_fault_44_no_failure_repeats_a_secret_in_its_words_or_its_trace(
    vault: SqlVault, store: Store, live: Account, database: str, key_file: Path
) -> None:
    await vault.seal(live, CANARY, at=NOW)
    keyless, wrong = open_vault(database), open_vault(database, key=a_key())
    gone = Account(999, live.user_id, "binance", "live")
    told = []
    for attempt in (
        lambda: keyless.open(live),
        lambda: keyless.seal(live, theirs(live), at=NOW),
        lambda: wrong.open(live),
        lambda: wrong.seal(live, theirs(live), at=NOW),
        lambda: vault.open(gone),
        lambda: vault.seal(gone, CANARY, at=NOW),
        lambda: vault.seal(live, CANARY, at=NOW.replace(tzinfo=None)),
    ):
        with pytest.raises(PortError) as failed:
            await attempt()
        told.append("".join(traceback.format_exception(failed.value)))
    with schema_connection(database) as connection:
        connection.execute(text("UPDATE credential SET sealed = sealed || :more"), {"more": b"x"})
    with pytest.raises(PortError) as failed:
        await vault.open(live)
    told.append("".join(traceback.format_exception(failed.value)))
    assert [trace for trace in told if "canary-of" in trace or "canary-key" in trace] == []
    for opened in (keyless, wrong):
        await opened.close()


async def test_fault_44_a_frame_that_shows_its_variables_shows_no_secret(
    vault: SqlVault, live: Account
) -> None:
    """Tools that report errors print the local variables of each frame."""
    await vault.seal(live, CANARY, at=NOW)
    await vault.open(live)
    wrong: Credentials = theirs(live)
    try:
        await vault.seal(live, wrong, at=NOW.replace(tzinfo=None))
    except PortError as failure:
        frames = traceback.StackSummary.extract(traceback.walk_tb(failure.__traceback__), capture_locals=True)
        shown = "".join(frames.format())
    assert "_must_be_stored" in shown or "seal" in shown
    assert "canary-key" not in shown and "canary-secret" not in shown
