"""What somebody says that they hold: `SOL 120`, `120 sol @ 95`, several in one message."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from bot.chat.parsing.coins import nearest, symbol_of
from bot.chat.parsing.numerals import Number, Trouble, comma_habit, read_number
from bot.chat.parsing.tokens import Token, hides, lines, tokens

MOST_ENTRIES = 50
_CURRENCY = frozenset(("USD", "USDT", "USDC", "DOLLAR", "DOLLARS", "BUCKS", "EACH"))
_QUOTED = 40


@dataclass(frozen=True, slots=True)
class Doubt:
    """Signs that mean another number elsewhere: what was written, and that other number."""

    written: str
    other: Decimal


@dataclass(frozen=True, slots=True)
class Entry:
    """`amount` of `asset`, bought at `cost` dollars each if that was said. None: all of it (only when removing)."""

    asset: str
    amount: Decimal | None
    cost: Decimal | None = None
    doubt: Doubt | None = None

    def __str__(self) -> str:
        """As it can be typed again."""
        amount = "" if self.amount is None else f" {self.amount:f}"
        return f"{self.asset}{amount}" + ("" if self.cost is None else f" @ {self.cost:f}")


@dataclass(frozen=True, slots=True)
class Problem:
    """A statement that cannot be meant. `word`: the coin as it was written; `near`: what it may have been."""

    line: str
    trouble: Trouble
    word: str = ""
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was understood, in order, and what was not."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]


class _Unclear(Exception):
    def __init__(self, trouble: Trouble, word: str = "") -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.word = word


def parse_holdings(text: str, known: Collection[str]) -> Parsed:
    """Coins with amounts. `known`: the symbols that exist."""
    return _parse(text, known, whole=False)


def parse_removals(text: str, known: Collection[str]) -> Parsed:
    """Coins with or without amounts; without means all of it."""
    return _parse(text, known, whole=True)


def _parse(text: str, known: Collection[str], *, whole: bool) -> Parsed:
    if hides(text):
        return Parsed((), (Problem("", Trouble.HIDDEN_SIGNS),))
    statements = [(line, list(tokens(line, known))) for line in lines(text)]
    habit = comma_habit([t.text for _, found in statements for t in found if t.kind in ("number", "money")])
    entries: list[Entry] = []
    problems: list[Problem] = []
    for line, found in statements:
        try:
            entries += _Reader(found, known, whole, habit).entries()
        except _Unclear as unclear:
            near = nearest(unclear.word, known) if unclear.trouble is Trouble.UNKNOWN_COIN else ()
            problems.append(Problem(line[:_QUOTED], unclear.trouble, unclear.word[:20], near))
    if len(entries) > MOST_ENTRIES:
        return Parsed((), (Problem("", Trouble.TOO_MANY),))
    return Parsed(tuple(entries), tuple(problems))


class _Reader:
    """One statement, from left to right: coin and amount in either order, perhaps with a price."""

    def __init__(self, found: list[Token], known: Collection[str], whole: bool, habit: bool | None) -> None:
        self._left = found[::-1]
        self._known = known
        self._whole = whole
        self._habit = habit

    def entries(self) -> list[Entry]:
        read = []
        while self._left:
            read.append(self._entry())
        return read

    def _entry(self) -> Entry:
        first = self._left.pop()
        if first.kind == "word":
            asset = self._coin(first.text)
            if self._whole and not self._next_is("number", "money"):
                return Entry(asset, None)
            if not self._left:
                raise _Unclear(Trouble.NO_AMOUNT, first.text)
            amount = self._left.pop()
        elif first.kind in ("number", "money"):
            amount = first
            self._number(amount)  # a bad amount is the first thing to be told
            if not self._next_is("word"):
                raise _Unclear(Trouble.NO_COIN)
            asset = self._coin(self._left.pop().text)
        else:
            raise _Unclear(Trouble.UNCLEAR)
        if amount.kind not in ("number", "money"):
            raise _Unclear(Trouble.NO_AMOUNT, first.text)
        if amount.kind == "money":
            raise _Unclear(Trouble.DOLLARS, asset)
        number = self._number(amount)
        doubt = None if number.other is None else Doubt(amount.text.replace("\u202f", " "), number.other)
        return Entry(asset, number.value, self._cost(), doubt)

    def _cost(self) -> Decimal | None:
        if not self._next_is("at"):
            return None
        self._left.pop()
        if not self._next_is("number", "money"):
            raise _Unclear(Trouble.UNCLEAR)
        price = self._number(self._left.pop()).value
        followed = len(self._left) > 1 and self._left[-2].kind in ("number", "money")
        if self._next_is("word") and self._left[-1].text.upper() in _CURRENCY and not followed:
            self._left.pop()
        return price

    def _coin(self, word: str) -> str:
        symbol = symbol_of(word, self._known)
        if symbol is None:
            raise _Unclear(Trouble.UNKNOWN_COIN, word.upper())
        return symbol

    def _number(self, token: Token) -> Number:
        number = read_number(token.text, comma_is_decimal=self._habit)
        if isinstance(number, Trouble):
            raise _Unclear(number)
        return number

    def _next_is(self, *kinds: str) -> bool:
        return bool(self._left) and self._left[-1].kind in kinds
