"""All checks over everybody, and what changed since the last tick."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hedging.checks.book import Book, Floats, Offsets
from hedging.errors import BadInput

Levels = NDArray[np.int8]

KINDS = (
    "coverage",
    "funding",
    "liquidation",
    "basis",
    "correlation",
    "volatility",
    "stale",
    "orphan",
    "margin",
)
LEVELS = ("fine", "raised", "escalated")

SOLD = 0.2  # of the spot: the hedge is of something that is no longer there
RISEN = 0.2  # since the hedge was made: what it was made for may be over
OLD = 90.0  # days without a new look at it
DUE = 3.0  # days before an expiring contract must be left


@dataclass(frozen=True, slots=True)
class Thresholds:
    """(9,) by kind, in the order of KINDS: above `raised` a matter is raised, above `escalated` it is worse, and it is
    over at or below `recovered`. Units of each kind as `measures` has them."""

    raised: Floats
    escalated: Floats
    recovered: Floats

    def __post_init__(self) -> None:
        ordered = (self.recovered <= self.raised) & (self.raised <= self.escalated)
        if self.raised.shape != (len(KINDS),) or not ordered.all():
            raise BadInput("every kind needs recovered <= raised <= escalated")

    @classmethod
    def usual(cls) -> "Thresholds":
        """What the watch uses unless somebody wishes otherwise."""
        return cls(
            raised=np.array([1.0, 0.02, -0.25, 0.01, 3.0, 2.0, 1.0, 0.01, 0.5]),
            escalated=np.array([2.0, 0.05, -0.10, 0.03, 5.0, 3.0, 2.0, 0.5, 0.8]),
            recovered=np.array([0.5, 0.01, -0.35, 0.005, 1.5, 1.4, 0.9, 0.0, 0.4]),
        )


@dataclass(frozen=True, slots=True)
class Transitions:
    """(N,) what changed, by user and then by kind: whose (row in the book), which (index in KINDS), from which level to
    which (index in LEVELS), and the measure that decided."""

    user: NDArray[np.int64]
    kind: NDArray[np.int64]
    before: Levels
    after: Levels
    measure: Floats


def tick(book: Book, levels: Levels, thresholds: Thresholds | None = None) -> tuple[Transitions, Levels]:
    """What changed for whom since `levels` (U, 9), and the new levels. What is unknown keeps its level.

    Hysteresis on both steps: raised above `raised`, over at `recovered`; escalated above `escalated`, back to raised at
    `raised`. Raises BadInput for levels of another shape.
    """
    edges = thresholds or Thresholds.usual()
    if levels.shape != (book.users, len(KINDS)):
        raise BadInput(f"levels of shape {levels.shape} are not of {book.users} users")
    raised, escalated, recovered = (
        edge[:, None] for edge in (edges.raised, edges.escalated, edges.recovered)
    )
    measured, was = measures(book), np.ascontiguousarray(levels.T)
    # Each kind in one run through memory; an unknown measure compares as false everywhere and is put back below.
    bad = (measured > raised) | ((measured > recovered) & (was >= 1))
    worse = (measured > escalated) | ((measured > raised) & (was == 2))
    new = bad.astype(np.int8) + (bad & worse)
    np.copyto(new, was, where=np.isnan(measured))
    after = np.ascontiguousarray(new.T)
    user, kind = np.divmod(np.flatnonzero(after != levels), len(KINDS))
    return Transitions(user, kind, levels[user, kind], after[user, kind], measured[kind, user]), after


def measures(book: Book) -> Floats:
    """(9, U), by kind and user, the higher the worse; NaN where it cannot be known.

    coverage: distance from the target in bands, 0 without exposure or without a hedge that fits none. funding: paid
    per 30 days as a share of the short. liquidation: minus the shortest runway. basis: mean absolute basis, by
    notional. correlation: Fisher's z of a fall of the correlation, in standard deviations. volatility: now over
    before. stale: the largest of age / 90 days, spot sold / 20 %, rise since / 20 %, 3 days / days to expiry. orphan:
    share of the short that protects nothing. margin: maintenance over equity.

    The test for a change of correlation: R. Fisher, Metron 1 (1921): atanh(r) is nearly normal with variance
    1 / (n - 3).
    """
    out = np.empty((len(KINDS), book.users))
    held, open_now = _Runs(book.holding_offsets), _Runs(book.position_offsets)
    short = np.maximum(book.notional, 0.0)
    total = open_now.sum(short)
    with np.errstate(all="ignore"):
        gross = held.sum(book.value * book.beta)
        offset = open_now.sum(short * book.position_beta)
        out[0] = np.where(gross > 0, np.abs(offset / gross - book.target) / book.band, 0.0)
        out[1] = _share(-open_now.sum(short * book.funding), total)
        open_runway = np.where((short > 0) & (book.runway == book.runway), book.runway, np.inf)
        out[2] = -open_now.least(open_runway)
        out[3] = _share(open_now.sum(short * np.abs(book.basis)), total)
        spread = np.sqrt(1.0 / (book.days - 3.0) + 1.0 / (book.days_before - 3.0))
        out[4] = (np.arctanh(book.correlation_before) - np.arctanh(book.correlation)) / spread
        out[5] = book.volatility / book.volatility_before
        sold = 1.0 - held.sum(book.value) / held.sum(book.value_before)
        dated = (short > 0) & (book.expires == book.expires)
        due = DUE / open_now.least(np.where(dated, np.maximum(book.expires, 1e-3), np.inf))
        out[6] = np.fmax(np.fmax(book.age / OLD, sold / SOLD), np.fmax(book.rise / RISEN, due))
        out[6] = np.where(total > 0, out[6], 0.0)
        out[7] = _share(open_now.sum(np.where(book.protected > 0, 0.0, short)), total)
        # Without equity any upkeep is too much; an unknown equity (NaN x 0) stays unknown.
        bare = np.where(book.maintenance > 0, np.inf, 0.0) + 0.0 * book.equity
        out[8] = np.where(book.equity > 0, book.maintenance / book.equity, bare)
    return out


def _share(part: Floats, whole: Floats) -> Floats:
    return np.where(whole > 0, part / whole, 0.0)


class _Runs:
    """Each user's rows in a flat array."""

    def __init__(self, offsets: Offsets) -> None:
        self.users = len(offsets) - 1
        self.filled = np.flatnonzero(offsets[:-1] < offsets[1:])
        self.starts = offsets[self.filled]

    def sum(self, values: Floats) -> Floats:
        """(U,) sums; 0 for who has no row."""
        return self._reduced(np.add, values, 0.0)

    def least(self, values: Floats) -> Floats:
        """(U,) the least; infinity for who has no row."""
        return self._reduced(np.minimum, values, np.inf)

    def _reduced(self, how: np.ufunc, values: Floats, otherwise: float) -> Floats:
        out = np.full(self.users, otherwise)
        if len(self.filled):
            out[self.filled] = how.reduceat(values, self.starts)
        return out
