"""A change of a short that no order of ours explains: what the exchange's own records say of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bot.ports.books import ChangeKind
from bot.ports.exchange import TradeFill
from hedging.money import ZERO


@dataclass(frozen=True, slots=True)
class Part:
    """One cause and its share of the change (signed contracts; positive: the short shrank)."""

    kind: ChangeKind
    contracts: Decimal
    price: Decimal | None = None
    at: datetime | None = None
    records: tuple[str, ...] = ()


def explain(
    change: Decimal,
    forced: Sequence[TradeFill] = (),
    late: Sequence[TradeFill] = (),
    fills: Sequence[TradeFill] = (),
    *,
    names_forced: bool = True,
) -> list[Part]:
    """The causes of a change, together exactly as large as it is.

    `forced`: what the exchange closed by itself; `late`: executions of orders of ours that were given up; `fills`: all
    others that are not of our orders; each ascending, and none that was counted before. What is larger than the change
    is counted up to it: a trade may have been made since the positions were read. Where the exchange does not tell its
    own closes from its user's (not `names_forced`), a short that shrank is unexplained.
    """
    parts: list[Part] = []
    left = change
    for close in forced:
        if close.forced and close.side != "sell" and close.of != "long" and left > 0:
            parts.append(Part(close.forced, min(close.contracts, left), close.price, close.time, (close.id,)))
            left -= parts[-1].contracts
    by_hand: ChangeKind = "trade" if names_forced or left < 0 else "unexplained"
    causes: tuple[tuple[ChangeKind, Sequence[TradeFill]], ...] = (("late", late), (by_hand, fills))
    for kind, made in causes:
        part = _traded(left, kind, made)
        if part is not None:
            parts.append(part)
            left -= part.contracts
    return [*parts, Part("unexplained", left)] if left else parts


def _traded(change: Decimal, kind: ChangeKind, fills: Sequence[TradeFill]) -> Part | None:
    """What trades in the direction of the change explain of it."""
    mine = [fill for fill in fills if fill.side in (None, "buy" if change > 0 else "sell")]
    taken = _up_to(abs(change), [fill for fill in mine if fill.of != "long"] or mine)
    amount = min(sum((fill.contracts for fill in taken), ZERO), abs(change))
    if not amount:
        return None
    records = tuple(fill.id for fill in taken)
    return Part(kind, amount.copy_sign(change), _average(taken), taken[-1].time, records)


def own_after(own: Decimal, contracts: Decimal, parts: Iterable[Part]) -> Decimal:
    """The part of a short of `contracts` that its owner sold by hand, after `parts`. What they buy back is their own
    first; what we or the exchange buy back is ours first."""
    by_hand = ("trade", "found", "unexplained")
    moved = own + sum((part.contracts for part in parts if part.kind in by_hand), ZERO)
    return max(contracts, min(moved, ZERO))


def _up_to(amount: Decimal, fills: Sequence[TradeFill]) -> list[TradeFill]:
    """The first fills that together make the amount, or all."""
    taken: list[TradeFill] = []
    total = ZERO
    for fill in fills:
        if total >= amount:
            break
        taken.append(fill)
        total += fill.contracts
    return taken


def _average(fills: Sequence[TradeFill]) -> Decimal | None:
    total = sum((fill.contracts for fill in fills), ZERO)
    return sum((fill.price * fill.contracts for fill in fills), ZERO) / total if total else None
