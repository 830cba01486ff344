"""bot.ports.vault.Vault that keeps credentials in this process's memory, unsealed."""

from collections.abc import Sequence
from datetime import datetime

from bot.ports.records import Account
from bot.ports.vault import Credentials, NoCredentials, NoMasterKey, Sealed


class OpenVault:
    """`locked`: why nothing can be kept, as when the master key is missing."""

    def __init__(self, locked: str | None = None) -> None:
        self.locked = locked
        self.kept: dict[int, tuple[Account, Credentials, datetime]] = {}

    async def read_only(self) -> str | None:
        return self.locked

    async def seal(self, account: Account, credentials: Credentials, *, at: datetime) -> Sealed:
        if self.locked:
            raise NoMasterKey(self.locked)
        self.kept[account.id] = account, credentials, at
        return Sealed(account, 1, at)

    async def open(self, account: Account) -> Credentials:
        if account.id not in self.kept:
            raise NoCredentials("nothing is kept for this account")
        return self.kept[account.id][1]

    async def forget(self, account: Account) -> bool:
        return self.kept.pop(account.id, None) is not None

    async def sealed(self, user_id: int | None = None) -> Sequence[Sealed]:
        return [
            Sealed(account, 1, at)
            for account, _, at in self.kept.values()
            if user_id in (None, account.user_id)
        ]

    async def close(self) -> None:
        self.kept.clear()
