"""Carrying shorts through history: profit and loss, fees, funding, margin, for many portfolios at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from hedging.replay.fitting import Rule
from hedging.returns import Floats

NEVER = np.iinfo(np.int64).max
MARGIN_CALL = 0.5  # of the collateral lost: it is topped up, as the watch would ask for


@dataclass(frozen=True, slots=True)
class Terms:
    """The parts of B rules that act between two fits: (B,) each, as in Rule."""

    target: Floats
    band: Floats
    leverage: Floats
    taker_fee: Floats
    slippage: Floats
    maintenance_rate: Floats

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> "Terms":
        return cls(*(np.array([getattr(rule, f.name) for rule in rules], dtype=float) for f in fields(cls)))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Prices from one fit to the next, (L + 1, ...): the first row is the moment of the fit. `value`: (L + 1, B) of the
    portfolios; `price`, `high`: (L + 1, K) of the instruments; `funding`: (L + 1, K) what a unit short receives at each
    bar, quote units, 0 in the first row."""

    value: Floats
    price: Floats
    high: Floats
    funding: Floats


@dataclass(slots=True)
class Books:
    """What B portfolios have; everything in quote units. `short`: (B, K) units, positive; `profit`: of the hedge so
    far, fees and funding included."""

    short: Floats
    profit: Floats
    collateral: Floats
    fees: Floats
    funding: Floats
    traded: Floats
    fits: NDArray[np.int64] = field(init=False)
    resizes: NDArray[np.int64] = field(init=False)
    top_ups: NDArray[np.int64] = field(init=False)
    liquidations: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        for name in ("fits", "resizes", "top_ups", "liquidations"):
            setattr(self, name, np.zeros(len(self.short), dtype=np.int64))

    @classmethod
    def empty(cls, users: int, instruments: int) -> "Books":
        """Nothing short, nothing paid."""
        return cls(np.zeros((users, instruments)), *(np.zeros(users) for _ in range(5)))


def trade(books: Books, terms: Terms, who: NDArray[np.bool_], wanted: Floats, price: Floats) -> None:
    """Bring the shorts of `who` (B,) to `wanted` (B, K) units at `price` (B, K), and pay for it."""
    moved = np.where(who[:, None], np.abs(wanted - books.short) * price, 0.0).sum(axis=1)
    cost = moved * (terms.taker_fee + terms.slippage)
    books.traded += moved
    books.fees += cost
    books.profit -= cost
    books.short = np.where(who[:, None], wanted, books.short)
    books.collateral = np.where(who, (books.short * price).sum(axis=1) / terms.leverage, books.collateral)


def carry(books: Books, terms: Terms, ratios: Floats, at: Stretch) -> Floats:
    """(L + 1, B) profit of the hedges over a stretch, from the fit on; `books` are moved on.

    `ratios`: (B, K) before the target. Bar by bar, whichever comes first: liquidation (collateral and
    profit since it was posted no more than the maintenance margin, at the bar's highs), coverage outside the band (the
    short is resized at the close), half of the collateral lost (topped up). A liquidated hedge stays off until the next
    fit; its loss is its collateral.
    """
    rows, users = at.value.shape
    everybody, target = np.ones(users, dtype=bool), terms.target
    start_value = at.value[0][:, None]
    trade(books, terms, everybody, target[:, None] * ratios * start_value / at.price[0], at.price[0])
    books.fits += ratios.any(axis=1)
    path = np.tile(books.profit, (rows, 1))
    begin = np.zeros(users, dtype=np.int64)
    row = np.arange(rows)[:, None]
    paid = np.cumsum(at.funding, axis=0)
    full = ratios.sum(axis=1)
    active = books.short.any(axis=1)
    user = np.arange(users)
    while active.any():
        notional, received = at.price @ books.short.T, paid @ books.short.T
        gain = notional[begin, user] - notional + received - received[begin, user]
        ahead = row > begin
        with np.errstate(all="ignore"):
            coverage = np.where(full > 0, notional / at.value / full, target)
        drifts = _first((np.abs(coverage - target) > terms.band) & ahead)
        backing = books.collateral + gain
        calls = _first((backing < MARGIN_CALL * notional / terms.leverage) & ahead)
        worst = at.high @ books.short.T
        taken = _first((backing + notional - worst <= terms.maintenance_rate * worst) & ahead & (worst > 0))
        until = np.minimum(np.minimum(drifts, calls), taken)
        stop = np.minimum(until, rows - 1)
        here = active & (row > begin) & (row <= stop)
        path = np.where(here, books.profit + gain, path)
        settled = gain[stop, user]
        books.funding += np.where(active, received[stop, user] - received[begin, user], 0.0)
        dead = active & (taken == until) & (until < NEVER)
        books.profit = np.where(
            dead, books.profit - books.collateral, np.where(active, books.profit + settled, books.profit)
        )
        books.short[dead] = 0.0
        books.liquidations += dead
        begin = np.where(active, stop, begin)
        active &= ~dead & (until < NEVER)
        price = at.price[begin]
        resize = active & (drifts == until)
        value_now = at.value[begin, user][:, None]
        trade(books, terms, resize, target[:, None] * ratios * value_now / price, price)
        books.resizes += resize
        call = active & ~resize
        books.collateral = np.where(
            call, (books.short * price).sum(axis=1) / terms.leverage, books.collateral
        )
        books.top_ups += call
        # What happened at a bar shows at that bar, and stays if nothing is short any more.
        path = np.where((row >= begin) & (resize | dead), books.profit, path)
    return path


def _first(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(B,) the first row that is set in each column of (L, B), NEVER where none is."""
    return np.where(flags.any(axis=0), flags.argmax(axis=0), NEVER)
