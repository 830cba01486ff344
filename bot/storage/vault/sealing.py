"""The envelope: AES-256-GCM, with what it belongs to as associated data. No database here.

A master key wraps a data key a user; a data key seals the credentials of that user's accounts. Both are written as one
byte of format, a nonce of 12 random bytes, and the ciphertext with its tag.
"""

import hashlib
import json
import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.ports.records import Account
from bot.ports.vault import Credentials, Tampered

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = b"\x01"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """32 random bytes that are kept outside the database. The fingerprint tells which key it is, and nothing of it."""

    fingerprint: str = field(init=False)
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(b"hedgehog master key\0" + self.key).hexdigest()
        object.__setattr__(self, "fingerprint", digest[:16])


@dataclass(frozen=True, slots=True)
class DataKey:
    """One user's key. `made_under` is the fingerprint of the master key that wrapped it first."""

    user_id: int
    version: int
    made_under: str
    key: bytes = field(repr=False)


def new_master_key() -> MasterKey:
    """A fresh one."""
    return MasterKey(os.urandom(KEY_BYTES))


def new_data_key(user_id: int, version: int, master: MasterKey) -> DataKey:
    """A fresh one."""
    return DataKey(user_id, version, master.fingerprint, os.urandom(KEY_BYTES))


def wrap(data: DataKey, master: MasterKey) -> bytes:
    """The data key under a master key."""
    return _encrypt(master.key, data.key, _of_data_key(data.user_id, data.version, data.made_under, master))


def unwrap(wrapped: bytes, user_id: int, version: int, made_under: str, master: MasterKey) -> DataKey:
    """The data key again. Raises Tampered unless it was wrapped by this master key with the same facts."""
    key = _decrypt(master.key, wrapped, _of_data_key(user_id, version, made_under, master))
    return DataKey(user_id, version, made_under, key)


def seal(credentials: Credentials, account: Account, data: DataKey) -> bytes:
    """The credentials under the data key of their owner."""
    plain = json.dumps([credentials.api_key, credentials.secret, credentials.passphrase]).encode()
    return _encrypt(data.key, plain, _of_account(account, data))


def unseal(sealed: bytes, account: Account, data: DataKey) -> Credentials:
    """The credentials again. Raises Tampered unless they were sealed with this data key for exactly this account."""
    return Credentials(*json.loads(_decrypt(data.key, sealed, _of_account(account, data))))


def _of_data_key(user_id: int, version: int, made_under: str, master: MasterKey) -> bytes:
    return _facts("data key", user_id, version, made_under, master.fingerprint)


def _of_account(account: Account, data: DataKey) -> bytes:
    owner = (account.user_id, account.exchange, account.mode, account.id)
    return _facts("credentials", *owner, data.user_id, data.version)


def _facts(*facts: str | int) -> bytes:
    """Unambiguous: no two lists of facts are written alike."""
    return json.dumps(["hedgehog", *facts], separators=(",", ":")).encode()


def _encrypt(key: bytes, plain: bytes, facts: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _FORMAT + nonce + AESGCM(key).encrypt(nonce, plain, _FORMAT + facts)


def _decrypt(key: bytes, sealed: bytes, facts: bytes) -> bytes:
    start = len(_FORMAT) + _NONCE_BYTES
    if sealed[: len(_FORMAT)] != _FORMAT or len(sealed) < start + 16:
        raise Tampered("What is stored is not in a form that was ever written.")
    try:
        return AESGCM(key).decrypt(sealed[len(_FORMAT) : start], sealed[start:], _FORMAT + facts)
    except InvalidTag:
        raise Tampered("What is stored was altered, or sealed for something else.") from None
