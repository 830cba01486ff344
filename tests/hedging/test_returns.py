import numpy as np
import pytest

from hedging.errors import BadInput, UnknownAsset
from hedging.market import Candles
from hedging.returns import aligned, clipped


def hours(count: int) -> np.ndarray:
    return np.datetime64("2025-01-01T00:00:00", "s") + np.arange(count) * np.timedelta64(3600, "s")


def candles(
    close: list[list[float]], names: tuple[str, ...] = ("SOL",), times: np.ndarray | None = None
) -> Candles:
    return Candles(names, hours(len(close)) if times is None else times, np.array(close, dtype=float))


def test_a_return_is_the_log_of_the_price_ratio() -> None:
    got = aligned(candles([[100.0], [110.0], [99.0]]))
    np.testing.assert_allclose(got.values[:, 0], [np.log(1.1), np.log(0.9)], rtol=1e-14)
    assert got.times.tolist() == hours(3)[1:].tolist()


def test_a_gap_gives_no_return_on_either_side() -> None:
    got = aligned(candles([[100.0], [np.nan], [100.0], [101.0]]))
    assert np.isnan(got.values[:, 0]).tolist() == [True, True, False]


def test_a_late_listing_starts_with_its_second_bar() -> None:
    got = aligned(candles([[1.0, np.nan], [1.0, 5.0], [1.0, 6.0]], ("BTC", "NEW")))
    assert np.isnan(got.series("NEW")).tolist() == [True, False]
    assert got.complete(("BTC", "NEW")).shape == (1, 2)


def test_a_hole_in_the_grid_gives_no_return_over_it() -> None:
    times = hours(6)[[0, 1, 2, 4, 5]]
    got = aligned(candles([[1.0], [1.1], [1.2], [1.5], [1.6]], times=times))
    assert np.isnan(got.values[:, 0]).tolist() == [False, False, True, False]


def test_a_price_that_came_and_went_within_one_bar_is_set_aside_and_counted() -> None:
    got = aligned(candles([[100.0], [100.0], [1000.0], [100.0], [101.0]]))
    assert got.set_aside.tolist() == [1]
    assert np.isnan(got.values[:, 0]).tolist() == [False, True, True, False]


def test_a_tick_to_almost_nothing_is_set_aside_too() -> None:
    assert aligned(candles([[100.0], [0.01], [100.0]])).set_aside.tolist() == [1]


def test_a_crash_that_stays_is_kept_whole() -> None:
    got = aligned(candles([[100.0], [50.0], [52.0], [51.0]]))
    assert got.set_aside.tolist() == [0]
    assert got.values[0, 0] == pytest.approx(np.log(0.5))


def test_setting_aside_can_be_switched_off() -> None:
    assert np.isfinite(aligned(candles([[100.0], [1000.0], [100.0]]), spike=None).values).all()


def test_the_candles_themselves_are_not_changed() -> None:
    given = candles([[100.0], [1000.0], [100.0]])
    aligned(given)
    assert given.close[:, 0].tolist() == [100.0, 1000.0, 100.0]


@pytest.mark.parametrize("price", [0.0, -1.0, np.inf])
def test_a_price_that_cannot_be_is_refused(price: float) -> None:
    with pytest.raises(BadInput):
        aligned(candles([[100.0], [price], [100.0]]))


@pytest.mark.parametrize("order", [[0, 2, 1], [0, 1, 1]])
def test_times_out_of_order_or_repeated_are_refused(order: list[int]) -> None:
    with pytest.raises(BadInput, match="ascend"):
        aligned(candles([[1.0], [1.0], [1.0]], times=hours(3)[order]))


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_bars_for_a_return_give_none(count: int) -> None:
    got = aligned(candles([[1.0]] * count) if count else Candles(("SOL",), hours(0), np.empty((0, 1))))
    assert got.values.shape == (0, 1)


def test_an_unknown_series_is_named() -> None:
    with pytest.raises(UnknownAsset, match="PEPE"):
        aligned(candles([[1.0], [1.0]])).series("PEPE")


def test_clipping_draws_in_the_outlier_alone_and_counts_it() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0, 0.01, (500, 2))
    values[7, 1] = 3.0
    got, count = clipped(values)
    assert count.tolist() == [0, 1]
    assert 0.1 < got[7, 1] < 0.2
    np.testing.assert_array_equal(np.delete(got, 7, 0), np.delete(values, 7, 0))


def test_clipping_keeps_gaps_and_series_that_never_move() -> None:
    got, count = clipped(np.array([[np.nan, 0.0], [0.01, 0.0], [-0.01, 0.0], [0.01, 0.1]]))
    assert np.isnan(got[0, 0]) and got[3, 1] == 0.1 and count.tolist() == [0, 0]
