"""A matter starts at an outer edge and ends at an inner one, so that noise does neither."""

import numpy as np
from numpy.typing import NDArray

from hedging.errors import BadInput
from hedging.returns import Floats

Flags = NDArray[np.bool_]


def coverage_drift(coverage: Floats, target: Floats, band: Floats, was_drifting: Flags) -> Flags:
    """(U,) who has drifted: coverage further than `band` from `target`, all as shares. Who already `was_drifting` has
    recovered only within half the band: the outer band starts a matter, the inner one ends it, noise does neither.
    An unknown coverage (NaN) changes nothing.

    >>> coverage_drift(np.array([0.55, 0.55, 0.63]), np.full(3, 0.75), np.full(3, 0.15), np.array([False, True, True]))
    array([ True,  True,  True])
    >>> coverage_drift(np.array([0.62, 0.70]), np.full(2, 0.75), np.full(2, 0.15), np.array([False, True]))
    array([False, False])

    Raises BadInput when the shapes differ.
    """
    _same_shape(coverage, target, band, was_drifting)
    return _hysteresis(np.abs(coverage - target), band, was_drifting)


def market_move(value: Floats, reference: Floats, threshold: Floats, was: Flags) -> Flags:
    """(U,) for whom the market has moved: |value / reference - 1| above `threshold`, until it is back within half of
    it. A reference that is not positive, or an unknown value, changes nothing.

    >>> market_move(np.array([80.0, 95.0]), np.array([100.0, 100.0]), np.full(2, 0.1), np.array([False, False]))
    array([ True, False])

    Raises BadInput when the shapes differ.
    """
    _same_shape(value, reference, threshold, was)
    with np.errstate(all="ignore"):
        move = np.where(reference > 0, np.abs(value / reference - 1.0), np.nan)
    return _hysteresis(move, threshold, was)


def _hysteresis(distance: Floats, outer: Floats, was: Flags) -> Flags:
    # Ten decimals are far finer than any share that matters, and free the edges from binary dust.
    near, edge = np.round(distance, 10), np.round(outer, 10)
    flags: Flags = np.where(np.isfinite(near), near > np.where(was, edge / 2, edge), was)
    return flags


def _same_shape(*arrays: NDArray[np.generic]) -> None:
    if len({array.shape for array in arrays}) != 1:
        raise BadInput(f"arrays of shapes {[array.shape for array in arrays]} do not speak of the same users")
