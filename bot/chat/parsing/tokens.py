"""A line of holdings as words, numbers and signs."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from bot.chat.parsing.coins import symbol_of
from bot.chat.parsing.numerals import SPACES

Kind = Literal["word", "number", "money", "at", "junk"]


@dataclass(frozen=True, slots=True)
class Token:
    """`money` is a number with a dollar sign; `at` announces a price; `junk` is none of these."""

    kind: Kind
    text: str


_HIDING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # they make a line look other than it is
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u061c\u00ad]")
_SEPARATOR = re.compile(r"[\n;]|,(?!\d)|(?<!\d),|\s(?:and|plus|[&+])\s", re.IGNORECASE)
_GROUPS = re.compile(r"(?<![\w.,])\d{1,3}(?: \d{3})+(?!\d)")
_NUMBER = re.compile(
    r"(?P<number>[+\-−–]?[\d.,'’\u202f]*\d[\d.,'’\u202f]*)(?P<unit>[kKmM]?)(?P<tail>[A-Za-z]\w*)?"
)
_SCIENTIFIC = re.compile(r"[+\-−–]?\d+(?:[.,]\d+)?[eE][+\-]?\d+")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]{0,19}")
_SKIPPED = frozenset(
    (
        "i",
        "i've",
        "ive",
        "have",
        "hold",
        "own",
        "bought",
        "got",
        "add",
        "my",
        "also",
        "of",
        "a",
        "the",
        "coin",
        "coins",
        "token",
        "tokens",
        "and",
        "x",
        "=",
        ":",
        "-",
        "–",
        "—",
        "*",
        "•",
        "·",
    )
)


def hides(text: str) -> bool:
    """Whether signs in it turn the writing direction by force."""
    return _HIDING.search(text) is not None


def lines(text: str) -> list[str]:
    """The single statements of a message: by line, semicolon, comma, "and"; never inside a number."""
    visible = _INVISIBLE.sub("", text)
    spaced = re.sub(f"[{SPACES}\t\r]", " ", visible)
    return [line for line in (part.strip() for part in _SEPARATOR.split(f" {spaced} ")) if line]


def tokens(line: str, known: Collection[str]) -> Iterator[Token]:
    """The tokens of one statement. `known` tells 1INCH, a coin, from 120SOL, an amount of one."""
    joined = _GROUPS.sub(lambda match: match.group().replace(" ", "\u202f"), line)
    for chunk in re.sub(r"[:=()]", " ", joined.replace("@", " @ ")).split(" "):
        if chunk and chunk.lower() not in _SKIPPED:
            yield from _tokens_of(chunk, known)


def _tokens_of(chunk: str, known: Collection[str]) -> Iterator[Token]:
    if not any(sign.isalnum() or sign == "@" for sign in chunk):
        return
    bare = chunk.strip("\"'“”«»").rstrip(".!?")
    if bare.lower() in ("@", "at"):
        yield Token("at", bare)
        return
    cash = bare.startswith("$") or bare.endswith("$")
    bare = bare.strip("$")
    if symbol_of(bare, known) or _WORD.fullmatch(bare):
        yield Token("word", bare)
        return
    match = _NUMBER.fullmatch(bare)
    if match is None or _SCIENTIFIC.fullmatch(bare):
        word = _WORD.fullmatch(bare.lstrip("-–•*·"))
        if word is not None:
            yield Token("word", word.group())
        else:
            yield Token("number" if re.match(r"[+\-−–.]?\d", bare) else "junk", bare)
        return
    number, unit, tail = match["number"], match["unit"], match["tail"] or ""
    if tail and unit and not symbol_of(tail, known) and symbol_of(unit + tail, known):
        unit, tail = "", unit + tail
    yield Token("money" if cash else "number", number + unit)
    if tail:
        yield Token("word", tail)
