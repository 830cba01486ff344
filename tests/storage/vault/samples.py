"""Credentials that can be searched for, and people who have them."""

import secrets
from pathlib import Path

from bot.ports.records import Account, User
from bot.ports.store import Store
from bot.ports.vault import Credentials
from bot.storage.vault import SqlVault
from tests.storage.samples import ADA, BOB, NOW

CAROL = User(7_300_000_003, 7_300_000_003, "Carol", NOW)
CANARY = Credentials("canary-of-the-key", "canary-of-the-secret", "canary-of-the-passphrase")


def a_key() -> str:
    """A master key, another one at each call, as the setting takes it."""
    return secrets.token_urlsafe(32)


def a_key_file(path: Path, *keys: str) -> Path:
    path.write_text("".join(f"{key}\n" for key in keys or (a_key(),)))
    path.chmod(0o600)
    return path


def theirs(account: Account) -> Credentials:
    """What the samples seal for an account."""
    return Credentials(
        f"canary-key-{account.id}", f"canary-secret-{account.id}", f"canary-phrase-{account.id}"
    )


async def connected(store: Store, vault: SqlVault) -> list[Account]:
    """Three people and their five accounts, all sealed."""
    accounts = []
    for user, exchanges in ((ADA, ("binance", "weex")), (BOB, ("binance", "bybit")), (CAROL, ("mexc",))):
        await store.ensure_user(user)
        for exchange in exchanges:
            account = await store.ensure_account(user.id, exchange, "live")
            await vault.seal(account, theirs(account), at=NOW)
            accounts.append(account)
    return accounts
