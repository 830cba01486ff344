"""Where the keys of exchange accounts are kept: sealed at rest, opened only to talk to the exchange."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn, Protocol

from bot.ports.errors import PortError
from bot.ports.records import Account

LONGEST = 8192  # characters of one secret; a private key in PEM has some 3,500


class VaultError(PortError):
    """Root of what can go wrong with keys at rest. Its text names accounts and settings, never a secret."""


class NoMasterKey(VaultError):
    """Nobody gave the bot its master key: which accounts have credentials can be told, none can be opened or sealed."""


class BadMasterKey(VaultError):
    """What was given as the master key cannot be used: unreadable, open to others, or not 32 random bytes."""


class WrongMasterKey(VaultError):
    """The master key is a good one, but not the one that this was sealed under."""


class Tampered(VaultError):
    """What is stored was altered, or sealed for another user, account or exchange: nothing of it is handed out."""


class NoCredentials(VaultError):
    """Nothing is sealed for this account."""


class BadCredentials(VaultError):
    """The credentials are empty, absurdly long or not text."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an exchange asks for. No representation shows it, and it cannot be pickled or copied into a queue.

    Raises BadCredentials, which does not repeat what was given.
    """

    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name, value in (("key", self.api_key), ("secret", self.secret), ("passphrase", self.passphrase)):
            if value is not None and not (value and len(value) <= LONGEST and _is_text(value)):
                raise BadCredentials(f"The {name} is empty, too long or not text.")

    def __str__(self) -> str:
        return repr(self)

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("Credentials are never written anywhere but into the vault.")


@dataclass(frozen=True, slots=True)
class Sealed:
    """That an account has credentials, and since when. Nothing of them."""

    account: Account
    key_version: int  # of the user's data key
    stored_at: datetime


class Vault(Protocol):
    """One user's credentials for one account at a time. Every method may also raise Unavailable."""

    async def read_only(self) -> str | None:
        """None when credentials can be sealed and opened; else why not, in a sentence or two. Raises BadMasterKey."""
        ...

    async def seal(self, account: Account, credentials: Credentials, *, at: datetime) -> Sealed:
        """Keep them, in place of what was there. Raises NoMasterKey, BadMasterKey, WrongMasterKey, Tampered, and
        InvalidRecord when the account is not stored just so."""
        ...

    async def open(self, account: Account) -> Credentials:
        """What was sealed for exactly this account. Raises NoCredentials, NoMasterKey, BadMasterKey, WrongMasterKey
        or Tampered."""
        ...

    async def forget(self, account: Account) -> bool:
        """Delete them, and the data keys that nothing needs any more; whether there were any. Needs no master key."""
        ...

    async def sealed(self, user_id: int | None = None) -> Sequence[Sealed]:
        """One user's accounts with credentials, or everybody's, by account. Needs no master key."""
        ...

    async def close(self) -> None: ...


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
