"""Keys of exchange accounts at rest: sealed under a data key a user, wrapped by a master key outside the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from bot.storage.database import Database
from bot.storage.vault.master_key import (
    FILE_SETTING,
    KeyFile,
    KeysInEnvironment,
    MasterKeys,
    NoKeys,
    master_keys,
)
from bot.storage.vault.rotation import Rotated, Rotation, Steps, rotate
from bot.storage.vault.store import SqlVault

__all__ = [
    "FILE_SETTING",
    "KeyFile",
    "KeysInEnvironment",
    "MasterKeys",
    "NoKeys",
    "Rotated",
    "Rotation",
    "SqlVault",
    "Steps",
    "open_rotation",
    "open_vault",
    "rotate",
]


def open_vault(database: str, *, key: str = "", key_file: Path | None = None) -> SqlVault:
    """The vault at an address such as Settings.database, with the master key of the settings; without one it is
    read-only. Nothing is connected or read before the first use. Raises BadMasterKey when both are given."""
    return SqlVault(Database(database), master_keys(key, key_file))


@asynccontextmanager
async def open_rotation(
    database: str, *, key: str = "", key_file: Path | None = None
) -> AsyncIterator[Rotation]:
    """The steps for `rotate`, with nobody else on this machine replacing the file meanwhile. Raises BadMasterKey."""
    source = master_keys(key, key_file)
    opened = Database(database)
    with source.alone() if isinstance(source, KeyFile) else nullcontext():
        try:
            yield Rotation(opened, source)
        finally:
            await opened.close()
