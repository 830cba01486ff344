"""A vault with a master key in a file, on each database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.ports.records import Account
from bot.ports.store import Store
from bot.storage.vault import SqlVault, open_vault
from tests.storage.samples import ADA
from tests.storage.vault.samples import a_key_file


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    return a_key_file(folder / "master.key")


@pytest_asyncio.fixture
async def vault(database: str, key_file: Path) -> AsyncIterator[SqlVault]:
    opened = open_vault(database, key_file=key_file)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def live(store: Store) -> Account:
    """Ada's live account on Binance."""
    await store.ensure_user(ADA)
    return await store.ensure_account(ADA.id, "binance", "live")
