"""Secrets that people paste by mistake."""

import re
from collections.abc import Sequence

from bot.chat.parsing.credentials import is_pair

_LONG = re.compile(r"(?<![\w/])(?=\w*\d)(?=\w*[A-Za-z])\w{60,}")  # API keys and secrets, private keys
_BOT_TOKEN = re.compile(r"\b\d{8,12}:[\w-]{35}\b")
_SEED_WORDS = 12  # the fewest that a seed phrase has
_SEED_WORD = re.compile(r"[a-z]{3,8}")


def looks_secret(text: str) -> bool:
    """Whether there is something in it that nobody should see: a key, a token, a seed phrase.

    Addresses of wallets are shorter, and no secret.
    """
    if _LONG.search(text) or _BOT_TOKEN.search(text) or is_pair(text):
        return True
    return _longest_run(text) >= _SEED_WORDS


def any_secret(words: Sequence[str]) -> bool:
    """Whether there is one in any of what stands in a message, or in two of them together."""
    return any(map(looks_secret, words)) or (len(words) > 1 and is_pair("\n".join(words)))


def _longest_run(text: str) -> int:
    """How many words in a row could belong to a seed phrase; their numbers ("1. legal 2. winner") do not count."""
    longest = run = 0
    for word in text.split():
        bare = word.strip(".,;:()")
        if bare.isdigit():
            continue
        run = run + 1 if _SEED_WORD.fullmatch(bare) else 0
        longest = max(longest, run)
    return longest
