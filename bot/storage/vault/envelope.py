"""What people write may hold a key or a secret, so nothing of it is stored in the open."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.ports.vault import Tampered

_NONCE_BYTES = 12


class Envelope:
    """AES-256-GCM under a key that follows from the bot's token: whoever has that can read the same from Telegram.

    Without a token the key is drawn anew, and ends with the process.
    """

    def __init__(self, token: str) -> None:
        secret = token.encode() or os.urandom(32)
        key = HKDF(SHA256(), 32, salt=None, info=b"hedgehog: updates that wait").derive(secret)
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, number: int) -> bytes:
        """`plain`, which belongs to the update of that number."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, b"%d" % number)

    def open(self, sealed: bytes, number: int) -> bytes:
        """It again. Raises Tampered when it was sealed under another token or for another update."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], b"%d" % number)
        except (InvalidTag, ValueError):
            raise Tampered(f"Update {number} cannot be opened: the bot's token has changed since.") from None
