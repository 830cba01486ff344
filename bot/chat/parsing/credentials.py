"""The key of an exchange account as people send it: two or three lines, with or without labels, or as JSON."""

import re
from enum import StrEnum

from bot.chat.parsing.numerals import SPACES
from bot.ports.vault import BadCredentials, Credentials

_SHORTEST = 12  # characters of a key or a secret; a passphrase may be anything
_SHORT_KEY = 16  # no exchange's key is shorter
_ADDRESS = 32  # nor an address of a wallet shorter than this
_KEY_LIKE = re.compile(r"[A-Za-z0-9_\-+/=.]+")
_APART = re.compile(rf"[\s{SPACES},;|{{}}\[\]()<>\"'`“”‘’„«»]+")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_MASKED = re.compile(r"\*{3,}|\.{3,}|…|•{3,}")
_PRIVATE_KEY = "-----BEGIN"

_KEY, _SECRET, _PASSPHRASE = "key", "secret", "passphrase"
_LABELS = {
    **dict.fromkeys(("key", "apikey", "api_key", "api-key", "accesskey", "access_key", "access", "public"), _KEY),
    **dict.fromkeys(
        ("secret", "secretkey", "secret_key", "secret-key", "apisecret", "api_secret", "api-secret", "private"), _SECRET
    ),
    **dict.fromkeys(("passphrase", "password", "pass", "phrase", "api_passphrase"), _PASSPHRASE),
}  # fmt: skip
_FILLERS = frozenset(
    (
        "api",
        "my",
        "is",
        "and",
        "the",
        "here",
        "are",
        "for",
        "binance",
        "bybit",
        "bingx",
        "weex",
        "mexc",
        "demo",
        "live",
    )
)
_STRENGTH = (_KEY, _SECRET, _PASSPHRASE)  # "secret key" is a secret, "api key passphrase" a passphrase


class KeyTrouble(StrEnum):
    """Why no key was found. The texts put each into one sentence."""

    NOTHING = "nothing"
    ONE_PART = "one_part"
    NO_PASSPHRASE = "no_passphrase"
    TOO_MANY = "too_many"
    SAME = "same"
    MASKED = "masked"
    PRIVATE_KEY = "private_key"


def read_credentials(text: str, *, passphrase: bool) -> Credentials | KeyTrouble:
    """Key and secret in `text`, in that order where no labels say otherwise; with `passphrase` also the third part.

    >>> read_credentials("key: AbCd1234EfGh secret: s3cr3ts3cr3t", passphrase=False)
    Credentials()
    """
    if _PRIVATE_KEY in text:
        return KeyTrouble.PRIVATE_KEY
    if _MASKED.search(text):
        return KeyTrouble.MASKED
    labelled, bare = _parts(text)
    if labelled is None:
        return KeyTrouble.TOO_MANY
    if not labelled and len(bare) > 2 and not passphrase:
        bare = [part for part in bare if _looks_like_key(part)] or bare
    for name in (_KEY, _SECRET, *((_PASSPHRASE,) if passphrase else ())):
        if name not in labelled and bare:
            labelled[name] = bare.pop(0)
    key, secret, words = (labelled.get(name) for name in _STRENGTH)
    if not key or not _looks_like_key(key):
        return KeyTrouble.NOTHING
    if not secret or not _looks_like_key(secret):
        return KeyTrouble.ONE_PART
    if key == secret:
        return KeyTrouble.SAME
    if passphrase and not words:
        return KeyTrouble.NO_PASSPHRASE
    if any(_looks_like_key(part) for part in bare):
        return KeyTrouble.TOO_MANY
    try:
        return Credentials(key, secret, words if passphrase else None)
    except BadCredentials:
        return KeyTrouble.NOTHING


def holds_key(text: str) -> bool:
    """Whether there is something in it that may be part of a key: long, with letters and digits."""
    return any(_looks_like_key(word) and _is_mixed(word) for word in _words(text))


def is_pair(text: str) -> bool:
    """Whether it is a key and its secret, also where nobody asked for them: so labelled, or two parts of which one is
    longer than any name and the other as long as a secret."""
    labelled, bare = _parts(text)
    if labelled and any(_is_secret(part) for name, part in labelled.items() if name != _PASSPHRASE):
        return True
    parts = [part for part in bare if _is_secret(part) and not part.startswith("0x")]
    return len(parts) > 1 and min(map(len, parts)) < _ADDRESS <= max(map(len, parts))


def _parts(text: str) -> tuple[dict[str, str] | None, list[str]]:
    """What was labelled, and what was not, in order. None when one label stands before two things."""
    labelled: dict[str, str] = {}
    bare: list[str] = []
    label: str | None = None
    for word in _words(text):
        known = _LABELS.get(word.lower().rstrip(":="))
        if known is not None:
            label = known if label is None else max(label, known, key=_STRENGTH.index)
        elif word.lower().rstrip(":=") in _FILLERS or not word.strip(":=-–—.!?"):
            continue
        elif label is None:
            bare.append(word)
        elif label in labelled:
            return None, bare
        else:
            labelled[label], label = word, None
    return labelled, bare


def _words(text: str) -> list[str]:
    """Without quotes, brackets and commas; `key=value` and `key:value` are two."""
    words: list[str] = []
    for word in _APART.split(_INVISIBLE.sub("", text)):
        head, sign, tail = word.partition(":") if ":" in word else word.partition("=")
        if sign and head.lower() in _LABELS:
            words += [head, tail]
        else:
            words.append(word)
    return [word for word in words if word]


def _is_secret(word: str) -> bool:
    return len(word) >= _SHORT_KEY and _looks_like_key(word) and _is_mixed(word)


def _looks_like_key(word: str) -> bool:
    return len(word) >= _SHORTEST and word.isascii() and _KEY_LIKE.fullmatch(word) is not None


def _is_mixed(word: str) -> bool:
    return any(sign.isdigit() for sign in word) and any(sign.isalpha() for sign in word)
