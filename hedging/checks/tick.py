"""All checks over everybody, and what changed since the last tick."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hedging.checks.book import Book, Floats, Offsets
from hedging.errors import BadInput
from hedging.margin import contradicted

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
WORST = np.int8(len(LEVELS) - 1)

SOLD = 0.2  # of the spot: the hedge is of something that is no longer there
RISEN = 0.2  # since the hedge was made: what it was made for may be over
OLD = 90.0  # days without a new look at it
DUE = 3.0  # days before an expiring contract must be left
SOON = 1e-3  # days: what expires within that is as good as expired
BLOCK = 12_500  # users that are looked at together
SHORT = 4  # rows a user has at most where they are taken in turns


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
    kind: NDArray[np.int8]
    before: Levels
    after: Levels
    measure: Floats


def tick(book: Book, levels: Levels, thresholds: Thresholds | None = None) -> tuple[Transitions, Levels]:
    """What changed for whom since `levels` (U, 9), and the new levels. What is unknown keeps its level.

    Hysteresis on both steps: raised above `raised`, over at `recovered`; escalated above `escalated`, back to raised at
    `raised`. Raises BadInput for levels of another shape.

    Somebody for whom all is well but that prices rose by 30 % since the hedge was made:

    >>> one = {name: np.full(1, 1.0) for name in Book.__dataclass_fields__}
    >>> one |= {"holding_offsets": np.array([0, 1]), "position_offsets": np.array([0, 1])}
    >>> one |= {"basis": np.zeros(1), "maintenance": np.zeros(1), "expires": np.full(1, np.nan)}
    >>> one |= {"days": np.full(1, 14.0), "days_before": np.full(1, 60.0), "rise": np.full(1, 0.3)}
    >>> one |= {"correlation": np.full(1, 0.9), "correlation_before": np.full(1, 0.9)}
    >>> changed, levels = tick(Book(**one), np.zeros((1, 9), dtype=np.int8))
    >>> [(KINDS[k], LEVELS[a]) for k, a in zip(changed.kind, changed.after, strict=True)]
    [('stale', 'raised')]
    """
    edges = thresholds or Thresholds.usual()
    if levels.shape != (book.users, len(KINDS)):
        raise BadInput(f"levels of shape {levels.shape} are not of {book.users} users")
    after, found = np.empty_like(levels), []
    for some in _blocks(book.users):
        measured, old = _measured(book, some), levels[some]
        after[some] = _stepped(measured, np.ascontiguousarray(old.T), edges).T
        at = np.flatnonzero((after[some] != old).ravel())
        user = at // len(KINDS)
        kind = at - user * len(KINDS)
        figure = measured.ravel().take(kind * measured.shape[1] + user)
        levels_at = (old.ravel().take(at), after[some].ravel().take(at))
        found.append((user + some.start, kind.astype(np.int8), *levels_at, figure))
    return Transitions(*map(np.concatenate, zip(*found, strict=True))), after


def measures(book: Book) -> Floats:
    """(9, U), by kind and user, the higher the worse; NaN where it cannot be known.

    coverage: distance from the target in bands, 0 without exposure or without a hedge that fits none. funding: paid
    per 30 days as a share of the short. liquidation: minus the shortest runway. basis: mean absolute basis, by
    notional. correlation: Fisher's z of a fall of the correlation, in standard deviations. volatility: now over
    before. stale: the largest of age / 90 days, spot sold / 20 %, rise since / 20 %, 3 days / days to expiry. orphan:
    share of the short that protects nothing. margin: maintenance over equity; unknown without equity, and where the
    exchange's own liquidation price contradicts it.

    The test for a change of correlation: R. Fisher, Metron 1 (1921): atanh(r) is nearly normal with variance
    1 / (n - 3).
    """
    out = np.empty((len(KINDS), book.users))
    for some in _blocks(book.users):
        out[:, some] = _measured(book, some)
    return out


def _blocks(users: int) -> Iterator[slice]:
    """Everybody in turn, as many at once as the processor's cache holds with all that is reckoned of them."""
    return (slice(first, min(first + BLOCK, users)) for first in range(0, max(users, 1), BLOCK))


def _stepped(measured: Floats, was: Levels, edges: Thresholds) -> Levels:
    """(9, b) new levels: as high as the measure lifts them, or as what was is held up by it. An unknown measure neither
    lifts nor lets go."""
    raised, escalated, recovered = (
        edge[:, None] for edge in (edges.raised, edges.escalated, edges.recovered)
    )
    lifted = (measured > raised).view(np.int8) + (measured > escalated).view(np.int8)
    let_go = (measured <= raised).view(np.int8) + (measured <= recovered).view(np.int8)
    new: Levels = np.maximum(lifted, np.minimum(was, WORST - let_go))
    return new


def _measured(book: Book, some: slice) -> Floats:
    """(9, b) measures of the users `some`."""
    out = np.empty((len(KINDS), some.stop - some.start))
    held, open_now = _Runs(book.holding_offsets, some), _Runs(book.position_offsets, some)
    value, short = book.value[held.rows], np.maximum(book.notional[open_now.rows], 0.0)
    reach = book.reach[open_now.rows].copy()
    runway, expires = book.runway[open_now.rows].copy(), np.maximum(book.expires[open_now.rows], SOON)
    funding, basis = short * book.funding[open_now.rows], short * np.abs(book.basis[open_now.rows])
    needless = short * ~(book.protected[open_now.rows] > 0)
    not_short = np.flatnonzero(short == 0)
    runway[not_short] = expires[not_short] = np.inf
    funding[not_short] = basis[not_short] = 0.0
    with np.errstate(all="ignore"):
        gross, total = held.sum(value * book.beta[held.rows]), open_now.sum(short)
        offset, whole = open_now.sum(short * book.position_beta[open_now.rows]), total + (total == 0)
        out[0] = np.abs(offset / gross - book.target[some]) / book.band[some]
        out[1] = -open_now.sum(funding) / whole
        out[2] = -open_now.least(runway)
        out[3] = open_now.sum(basis) / whole
        spread = np.sqrt(1.0 / (book.days[some] - 3.0) + 1.0 / (book.days_before[some] - 3.0))
        out[4] = (np.arctanh(book.correlation_before[some]) - np.arctanh(book.correlation[some])) / spread
        out[5] = book.volatility[some] / book.volatility_before[some]
        sold = 1.0 - held.sum(value) / held.sum(book.value_before[held.rows])
        stale = np.fmax(book.age[some] / OLD, book.rise[some] / RISEN)
        out[6] = np.fmax(stale, np.fmax(sold / SOLD, DUE / open_now.least(expires)))
        out[7] = open_now.sum(needless) / whole
        out[8] = book.maintenance[some] / book.equity[some]
        reach[not_short] = np.inf
        doubted = contradicted(
            book.equity[some], book.maintenance[some], -open_now.least(-short), open_now.least(reach)
        )
    out[0, np.flatnonzero(gross <= 0)] = 0.0
    out[6, np.flatnonzero(total == 0)] = 0.0
    # No exchange keeps a position open on nothing: such a figure is no margin that ran out, but one that is not told.
    out[8, np.flatnonzero(doubted | (book.equity[some] <= 0))] = np.nan
    out[8, np.flatnonzero(book.maintenance[some] == 0)] = 0.0
    return out


class _Runs:
    """The rows of the users `some` in a flat array, and what each user's come to.

    Long runs are reduced one after the other; short ones together, everybody's first row, then everybody's second:
    users are ranked by how many they have, so that those with another one are always the first.
    """

    def __init__(self, offsets: Offsets, some: slice) -> None:
        here = offsets[some.start : some.stop + 1]
        self.rows = slice(int(here[0]), int(here[-1]))
        self.users, self.offsets = some.stop - some.start, here - here[0]
        counts = np.diff(here)
        most = int(counts.max(initial=0))
        self.short = most <= SHORT
        if self.short:
            self.rank = np.argsort(-counts.astype(np.int8), kind="stable")
            first = self.offsets[self.rank]
            self.turns = [first[: np.count_nonzero(counts > turn)] + turn for turn in range(most)]
        else:
            self.filled = np.flatnonzero(counts > 0)
            self.starts = self.offsets[self.filled]

    def sum(self, values: Floats) -> Floats:
        """(b,) sums; 0 for who has no row."""
        return self._reduced(np.add, values, 0.0)

    def least(self, values: Floats) -> Floats:
        """(b,) the least that is known; infinity for who has none."""
        return np.fmin(self._reduced(np.fmin, values, np.inf), np.inf)

    def _reduced(self, how: np.ufunc, values: Floats, start: float) -> Floats:
        out = np.full(self.users, start)
        if not self.short:
            out[self.filled] = how.reduceat(values, self.starts)
            return out
        ranked = out.copy()
        for rows in self.turns:
            how(ranked[: len(rows)], values[rows], out=ranked[: len(rows)])
        out[self.rank] = ranked
        return out
