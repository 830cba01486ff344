"""Secrets that people paste by mistake."""

import re

_LONG = re.compile(r"(?<![\w/])(?=\w*\d)(?=\w*[A-Za-z])\w{60,}")  # API keys and secrets, private keys
_BOT_TOKEN = re.compile(r"\b\d{8,12}:[\w-]{35}\b")
_SEED_LENGTHS = (12, 15, 18, 21, 24)
_SEED_WORD = re.compile(r"[a-z]{3,8}")


def looks_secret(text: str) -> bool:
    """Whether there is something in it that nobody should see: a key, a token, a seed phrase.

    Addresses of wallets are shorter, and no secret.
    """
    if _LONG.search(text) or _BOT_TOKEN.search(text):
        return True
    words = text.split()
    return len(words) in _SEED_LENGTHS and all(_SEED_WORD.fullmatch(word) for word in words)
