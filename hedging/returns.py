"""From candles to aligned log returns: gaps stay gaps, late listings start late, bad ticks are set aside."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hedging.errors import BadInput, UnknownAsset
from hedging.market import Candles

Floats = NDArray[np.float64]

SPIKE = 0.25  # a bar this far (in logs) from both neighbours, on the same side, is a bad tick and not a move
MAD_TO_SIGMA = 1.4826  # scale of a normal sample over its median absolute deviation


@dataclass(frozen=True, slots=True)
class Returns:
    """Log returns of N series between adjacent bars.

    `times`: (T,) datetime64[s], the opening instant of the bar in which the return ended. `values`: (T, N) float64,
    NaN where either bar is missing or the grid itself has a hole. `set_aside`: (N,) how many closes were taken for
    bad ticks and treated as missing.
    """

    names: tuple[str, ...]
    times: NDArray[np.datetime64]
    values: Floats
    set_aside: NDArray[np.int64]

    def series(self, name: str) -> Floats:
        """The (T,) returns of one series. Raises UnknownAsset."""
        try:
            column: Floats = self.values[:, self.names.index(name)]
        except ValueError:
            raise UnknownAsset(f"there is no price history of {name}") from None
        return column

    def complete(self, names: tuple[str, ...]) -> Floats:
        """(t, len(names)) returns of the bars in which every one of `names` has one. Raises UnknownAsset."""
        columns = np.column_stack([self.series(name) for name in names])
        kept: Floats = columns[np.isfinite(columns).all(axis=1)]
        return kept


def aligned(candles: Candles, *, spike: float | None = SPIKE) -> Returns:
    """Log returns on the candles' own grid.

    A close that is not there gives no return on either side of it, and so does a hole in the grid (a step longer than
    the usual one): a return is only ever taken over one bar, for all series over the same one. A close that stands
    more than `spike` (log units; None switches this off) above both its neighbours, or below both, is a price that
    came and went within one bar: it is treated as missing and counted. A fall that stays is never touched.

    >>> from hedging.market import Candles
    >>> times = np.arange("2025-01-01T00", "2025-01-01T05", dtype="datetime64[h]").astype("datetime64[s]")
    >>> close = np.array([[100.0, 10.0], [110.0, np.nan], [99.0, 10.0], [990.0, 11.0], [99.0, 11.0]])
    >>> got = aligned(Candles(("SOL", "ADA"), times, close))
    >>> np.round(got.values, 4).tolist()
    [[0.0953, nan], [-0.1054, nan], [nan, 0.0953], [nan, 0.0]]
    >>> got.set_aside.tolist()
    [1, 0]

    Raises BadInput when times do not ascend or a close is infinite, zero or negative.
    """
    close, times = candles.close, candles.times
    if len(times) < 2:
        empty = np.empty((0, len(candles.names)))
        return Returns(candles.names, times[:0], empty, np.zeros(len(candles.names), dtype=np.int64))
    steps = np.diff(times).astype("timedelta64[s]").astype(np.int64)
    if not (steps > 0).all():
        raise BadInput("the times of a price history must ascend without repetition")
    if np.isinf(close).any() or bool((close <= 0).any()):
        raise BadInput("every close must be a positive, finite price, or NaN where there is none")
    logs = np.log(close)
    bad = _spikes(logs, spike) if spike is not None else np.zeros(close.shape, dtype=bool)
    logs[bad] = np.nan
    values = np.diff(logs, axis=0)
    values[steps > 1.5 * np.median(steps)] = np.nan
    return Returns(candles.names, times[1:], values, bad.sum(axis=0, dtype=np.int64))


def clipped(values: Floats, scales: float = 15.0) -> tuple[Floats, NDArray[np.int64]]:
    """(T, N) returns drawn in to `scales` robust standard deviations (1.4826 x median absolute deviation) around zero,
    and (N,) how many were. For fitting only: profit and loss is always reckoned with what happened.

    >>> values, count = clipped(np.array([[0.01], [-0.01], [0.02], [-0.02], [5.0]]), 10.0)
    >>> round(float(values[-1, 0]), 5), count.tolist()
    (0.29652, [1])
    """
    with np.errstate(all="ignore"):
        limit = scales * MAD_TO_SIGMA * _median(np.abs(values))
    limit = np.where(limit > 0, limit, np.inf)
    outside = np.abs(values) > limit
    return np.clip(values, -limit, limit), outside.sum(axis=0, dtype=np.int64)


def _median(values: Floats) -> Floats:
    """(N,) medians of the finite values of each column, NaN for a column that has none."""
    ordered = np.sort(values, axis=0)  # NaN sorts last
    count = np.isfinite(values).sum(axis=0)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    columns = np.arange(values.shape[1])
    middle: Floats = (ordered[low, columns] + ordered[np.minimum(high, len(values) - 1), columns]) / 2
    return middle


def _spikes(logs: Floats, size: float) -> NDArray[np.bool_]:
    bad = np.zeros(logs.shape, dtype=bool)
    into, out = logs[1:-1] - logs[:-2], logs[1:-1] - logs[2:]
    bad[1:-1] = ((into > size) & (out > size)) | ((into < -size) & (out < -size))
    return bad
