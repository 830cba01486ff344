"""`hedgehog master-key`, `hedgehog rotate-key`, and a start without the master key: the real command in a process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.ports.records import Account
from bot.storage import migrate, open_store
from bot.storage.vault import KeyFile, open_vault
from tests.fakes.database import sqlite_address
from tests.shared import ROOT
from tests.storage.samples import ADA, NOW
from tests.storage.vault.samples import CANARY

NOBODY = "http://127.0.0.1:9"  # the discard port: nobody listens


def environment(data: Path, **settings: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HEDGEHOG_") and k != "DATABASE_URL"}
    return {**clean, "HEDGEHOG_DATA": str(data), **settings}


def hedgehog(data: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=ROOT,
        env=environment(data, **settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def said_at_the_start(data: Path, until: str, **settings: str) -> str:
    """What `hedgehog run` says until a line holds these words, or it ends."""
    needed = {"TOKEN": "1:canary-token", "TELEGRAM_URL": NOBODY, "MARKET": "sandbox", "SANDBOX_URL": NOBODY}
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"],
        cwd=ROOT,
        env=environment(data, **{f"HEDGEHOG_{name}": value for name, value in needed.items()}, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if until in line:
            break
    process.terminate()
    process.communicate(timeout=30)
    return "".join(lines)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "master.key"


async def connect(data: Path, key_file: Path) -> Account:
    """Ada's account on Binance, with credentials."""
    database = sqlite_address(data / "hedgehog.sqlite")
    store, vault = open_store(database), open_vault(database, key_file=key_file)
    await store.ensure_user(ADA)
    account = await store.ensure_account(ADA.id, "binance", "live")
    await vault.seal(account, CANARY, at=NOW)
    await store.close()
    await vault.close()
    return account


def test_a_master_key_is_made_once_and_never_shown(data: Path, key_file: Path) -> None:
    made = hedgehog(data, "master-key", str(key_file))
    assert made.returncode == 0, made.stderr
    assert f"HEDGEHOG_MASTER_KEY_FILE={key_file}" in made.stdout
    content = key_file.read_text().strip()
    assert content not in made.stdout + made.stderr
    again = hedgehog(data, "master-key", HEDGEHOG_MASTER_KEY_FILE=str(key_file))
    assert again.returncode == 2 and "is there already" in again.stderr
    assert key_file.read_text().strip() == content


def test_no_master_key_is_made_in_no_place(data: Path) -> None:
    ended = hedgehog(data, "master-key", HEDGEHOG_MASTER_KEY_FILE="")
    assert ended.returncode == 2 and "Say where" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_fault_41_a_rotation_that_is_killed_is_gone_on_with_by_the_same_command(
    data: Path, key_file: Path
) -> None:
    KeyFile(key_file).make()
    database = sqlite_address(data / "hedgehog.sqlite")
    migrate(database)
    account = await connect(data, key_file)
    named = {"HEDGEHOG_MASTER_KEY_FILE": str(key_file)}
    killed = hedgehog(data, "rotate-key", HEDGEHOG_KILL_AT="rotation.prepare:7", **named)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    new, _old = KeyFile(key_file).read()
    ended = hedgehog(data, "rotate-key", **named)
    assert ended.returncode == 0, ended.stderr
    assert new.fingerprint in ended.stdout
    assert KeyFile(key_file).read() == (new,)
    vault = open_vault(database, key_file=key_file)
    assert await vault.open(account) == CANARY
    await vault.close()


def test_without_a_master_key_nothing_is_rotated_and_the_way_out_is_named(data: Path) -> None:
    ended = hedgehog(data, "rotate-key")
    assert ended.returncode == 2 and "hedgehog master-key" in ended.stderr, ended.stderr


async def test_fault_40_the_bot_starts_read_only_without_its_master_key_and_says_so(
    data: Path, key_file: Path
) -> None:
    KeyFile(key_file).make()
    migrate(sqlite_address(data / "hedgehog.sqlite"))
    await connect(data, key_file)
    said = said_at_the_start(data, "wait for it")
    assert "WARNING" in said and "There is no master key" in said and "wait for it: 1" in said, said
    assert "Traceback" not in said and "canary" not in said, said


def test_fault_40_a_master_key_that_others_can_read_stops_the_start(data: Path, key_file: Path) -> None:
    KeyFile(key_file).make()
    key_file.chmod(0o644)
    said = said_at_the_start(data, "never said", HEDGEHOG_MASTER_KEY_FILE=str(key_file))
    assert "chmod 600" in said and "Traceback" not in said, said


def test_fault_44_a_master_key_in_the_environment_that_does_not_fit_is_not_printed(data: Path) -> None:
    said = said_at_the_start(data, "never said", HEDGEHOG_MASTER_KEY="canary-of-a-passphrase-somebody-typed")
    assert "32 random bytes" in said, said
    assert "canary" not in said and "Traceback" not in said, said
