"""A price history in tidy CSV: text in, candles out. One reader for the recorded markets and for a user's own file."""

import csv
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hedging.errors import BadInput
from hedging.market import Candles

Times = NDArray[np.datetime64]
Floats = NDArray[np.float64]


def parse(lines: Iterable[str]) -> Candles:
    """Candles from lines of CSV with the columns symbol, timestamp, close, and if there high and low, in any order.

    Times are ISO 8601 in UTC, the opening instant of the bar; rows of one symbol ascend. A series is called by its
    asset (BTC/USDT is BTC), a perpetual beside its coin's spot by its whole symbol (BTC/USDT:USDT). Bars that are not
    there are NaN on the common grid.

    Raises BadInput, one sentence that names the first bad line: a missing column, a time or price that cannot be read,
    NaN, zero and negative prices, a repeated or unsorted row.

    >>> rows = ["BTC/USDT,2025-01-01T00:00:00Z,94000", "BTC/USDT,2025-01-01T01:00:00Z,94500"]
    >>> candles = parse(["symbol,timestamp,close", *rows])
    >>> candles.names, candles.close.ravel().tolist()
    (('BTC',), [94000.0, 94500.0])
    """
    reader = csv.reader(lines)
    header = [cell.strip().lower() for cell in next(reader, [])]
    columns = {
        name: header.index(name) for name in ("symbol", "timestamp", "close", "high", "low") if name in header
    }
    missing = [name for name in ("symbol", "timestamp", "close") if name not in columns]
    if missing:
        raise BadInput(f"The history has no column {missing[0]}: it needs symbol, timestamp and close.")
    rows = [row for row in reader if row]
    short = next((i for i, row in enumerate(rows) if len(row) != len(header)), None)
    if short is not None:
        raise BadInput(
            f"Line {short + 2} of the history has {len(rows[short])} cells instead of {len(header)}."
        )
    if not rows:
        raise BadInput("The history has no rows.")
    cells = list(zip(*rows, strict=True))
    grid, at = _times(cells[columns["timestamp"]])
    prices = {
        name: _prices(cells[i], name) for name, i in columns.items() if name in ("close", "high", "low")
    }
    codes: dict[str, int] = {}
    series = np.array([codes.setdefault(symbol, len(codes)) for symbol in cells[columns["symbol"]]])
    symbols = [symbol.strip() for symbol in codes]
    for index, symbol in enumerate(symbols):
        _ascending(at, np.flatnonzero(series == index), symbol)

    def spread(name: str) -> Floats | None:
        if name not in prices:
            return None
        table = np.full((len(grid), len(symbols)), np.nan)
        table[at, series] = prices[name]
        return table

    close = spread("close")
    if close is None:  # excluded above; said for the type checker
        raise BadInput("The history has no column close.")
    return Candles(_names(symbols), grid, close, high=spread("high"), low=spread("low"))


def _times(texts: tuple[str, ...]) -> tuple[Times, NDArray[np.int64]]:
    """The distinct times, ascending, and where in them each row is. Every text is read once: there are many series."""
    codes: dict[str, int] = {}
    code = np.array([codes.setdefault(text, len(codes)) for text in texts])
    plain = [text.strip().removesuffix("Z").removesuffix("+00:00") for text in codes]
    try:
        read = np.array(plain, dtype="datetime64[s]")
    except ValueError:
        read = np.array([_time(text, texts.index(raw) + 2) for text, raw in zip(plain, codes, strict=True)])
    grid, at = np.unique(read, return_inverse=True)
    return grid, at[code].astype(np.int64)


def _time(text: str, line: int) -> np.datetime64:
    try:
        return np.datetime64(text, "s")
    except ValueError:
        raise BadInput(f"Line {line} of the history: {text!r} is no UTC time.") from None


def _prices(texts: tuple[str, ...], name: str) -> Floats:
    try:
        values = np.fromiter(map(float, texts), dtype=np.float64, count=len(texts))
    except ValueError:
        for i, text in enumerate(texts):
            try:
                float(text)
            except ValueError:
                raise BadInput(f"Line {i + 2} of the history: the {name} {text!r} is no number.") from None
        raise
    bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if len(bad):
        raise BadInput(
            f"Line {bad[0] + 2} of the history: the {name} {texts[bad[0]]} is not a price above zero."
        )
    return values


def _ascending(at: NDArray[np.int64], rows: NDArray[np.intp], symbol: str) -> None:
    steps = np.diff(at[rows])
    wrong = np.flatnonzero(steps <= 0)
    if len(wrong):
        line = rows[wrong[0] + 1] + 2
        what = "repeats a time" if steps[wrong[0]] == 0 else "goes back in time"
        raise BadInput(f"Line {line} of the history {what} of {symbol}.")


def _names(symbols: list[str]) -> tuple[str, ...]:
    """Assets for spot pairs; a perpetual takes its asset's name only where there is no spot."""
    spot = {s.partition("/")[0] for s in symbols if ":" not in s}
    names = [s if ":" in s and s.partition("/")[0] in spot else s.partition("/")[0] for s in symbols]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"The history holds {twice} in more than one currency; keep one of them.")
    return tuple(names)
