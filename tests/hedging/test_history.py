import numpy as np
import pytest

from hedging.errors import BadInput
from hedging.replay import parse

HEADER = "symbol,timestamp,open,high,low,close,volume"


def row(symbol: str = "BTC/USDT", hour: int = 0, close: str = "100", high: str = "101") -> str:
    return f"{symbol},2025-01-01T{hour:02d}:00:00Z,99,{high},98,{close},5"


def test_rows_become_closes_and_highs_on_one_grid() -> None:
    got = parse(
        [
            HEADER,
            row(hour=0),
            row(hour=1, close="102", high="103"),
            row("SOL/USDT", hour=1, close="7", high="8"),
        ]
    )
    assert got.names == ("BTC", "SOL")
    assert got.times.astype(str).tolist() == ["2025-01-01T00:00:00", "2025-01-01T01:00:00"]
    np.testing.assert_array_equal(got.close, [[100.0, np.nan], [102.0, 7.0]])
    assert got.high is not None
    np.testing.assert_array_equal(got.high, [[101.0, np.nan], [103.0, 8.0]])


def test_columns_may_come_in_any_order_and_only_three_are_needed() -> None:
    got = parse(["close, Timestamp ,symbol", "5,2025-01-01,ADA/USDT", "6,2025-01-02T00:00:00+00:00,ADA/USDT"])
    assert got.names == ("ADA",)
    assert got.close.tolist() == [[5.0], [6.0]]
    assert got.high is None


def test_series_may_be_interleaved_or_one_after_the_other() -> None:
    mixed = parse([HEADER, row("A/USDT", 0), row("B/USDT", 0), row("A/USDT", 1), row("B/USDT", 1)])
    stacked = parse([HEADER, row("A/USDT", 0), row("A/USDT", 1), row("B/USDT", 0), row("B/USDT", 1)])
    np.testing.assert_array_equal(mixed.close, stacked.close)


def test_a_perpetual_beside_its_spot_keeps_its_whole_symbol() -> None:
    assert parse([HEADER, row(), row("BTC/USDT:USDT")]).names == ("BTC", "BTC/USDT:USDT")
    assert parse([HEADER, row("BTC/USDT:USDT")]).names == ("BTC",)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "no column symbol"),
        (["symbol,timestamp"], "no column close"),
        ([HEADER], "no rows"),
        ([HEADER, row(hour=1), row(hour=0)], "Line 3 of the history goes back in time of BTC/USDT"),
        ([HEADER, row(), row("SOL/USDT"), row()], "Line 4 of the history repeats a time of BTC/USDT"),
        (
            [HEADER, row(), row(hour=1, close="nan")],
            "Line 3 of the history: the close nan is not a price above zero",
        ),
        ([HEADER, row(close="0")], "Line 2 of the history: the close 0 is not"),
        ([HEADER, row(close="-1")], "the close -1 is not"),
        ([HEADER, row(close="inf")], "the close inf is not"),
        ([HEADER, row(high="0")], "the high 0 is not"),
        ([HEADER, row(close="1,5")], "8 cells instead of 7"),
        ([HEADER, row(close="much")], "Line 2 of the history: the close 'much' is no number"),
        (
            [HEADER, row(), "BTC/USDT,yesterday,1,1,1,1,1"],
            "Line 3 of the history: 'yesterday' is no UTC time",
        ),
        ([HEADER, row("BTC/USDT"), row("BTC/EUR")], "BTC in more than one currency"),
    ],
)
def test_bad_input_is_named_in_one_sentence(lines: list[str], sentence: str) -> None:
    with pytest.raises(BadInput) as failure:
        parse(lines)
    assert sentence in str(failure.value)
    assert "\n" not in str(failure.value)


def test_empty_lines_are_passed_over() -> None:
    assert len(parse([HEADER, row(), "", row(hour=1)]).times) == 2
