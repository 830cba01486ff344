import csv
import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal as D
from pathlib import Path

import numpy as np
import pytest

from hedging.carry import (
    basis,
    expected_carry,
    fee,
    funding_payment,
    funding_per_month,
    insurance_per_month,
    round_trip,
)
from hedging.errors import BadInput, NotEnoughHistory
from hedging.market import Contract, Funding, Quote


def perpetual(linear: bool = True, size: str = "1") -> Contract:
    return Contract(
        symbol="SOL/USDT:USDT" if linear else "SOL/USD:SOL",
        base="SOL",
        quote="USDT" if linear else "USD",
        settle="USDT" if linear else "SOL",
        linear=linear,
        contract_size=D(size),
        lot=D(1),
        tick=D("0.01"),
        min_amount=D(1),
        min_notional=D(0),
        taker_fee=D("0.0005"),
        maker_fee=D("0.0002"),
        maintenance_margin_rate=D("0.01"),
        max_leverage=50,
    )


def rate(value: str, hours: int = 8) -> Funding:
    return Funding("SOL/USDT:USDT", D(value), hours, datetime(2025, 1, 1, tzinfo=UTC))


def test_a_short_receives_when_the_rate_is_positive_and_pays_when_it_is_negative() -> None:
    assert funding_payment(D(-10), perpetual(), D(150), D("0.0001")) == D("0.15")
    assert funding_payment(D(-10), perpetual(), D(150), D("-0.0001")) == D("-0.15")
    assert funding_payment(D(10), perpetual(), D(150), D("0.0001")) == D("-0.15")


def test_an_inverse_contract_settles_in_its_coin() -> None:
    assert funding_payment(D(-100), perpetual(linear=False, size="10"), D(200), D("0.001")) == D("0.005")


def test_a_mark_price_of_nothing_is_refused() -> None:
    with pytest.raises(BadInput):
        funding_payment(D(1), perpetual(), D(0), D("0.0001"))


@pytest.mark.parametrize(("hours", "settlements"), [(8, 90), (4, 180), (1, 720)])
def test_a_month_has_as_many_settlements_as_fit_in_thirty_days(hours: int, settlements: int) -> None:
    assert funding_per_month(D(1000), rate("0.0001", hours)) == D(1000) * D("0.0001") * settlements


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(BadInput):
        funding_per_month(D(1000), rate("0.0001", 0))


def test_a_fee_is_paid_on_either_side() -> None:
    assert fee(D(-1000), D("0.0005")) == fee(D(1000), D("0.0005")) == D("0.5")


def test_the_recorded_funding_of_a_short_adds_up(shared_path: Callable[[str], Path]) -> None:
    """Constant notional over the recorded history: the payments sum to notional x the sum of the recorded rates."""
    with gzip.open(shared_path("market/funding_8h_2025.csv.gz"), "rt") as file:
        rates = [D(row["funding_rate"]) for row in csv.DictReader(file) if row["symbol"] == "SOL/USDT:USDT"]
    assert len(rates) > 200
    paid = sum(funding_payment(D(-10), perpetual(), D(100), r) for r in rates)
    assert paid == D(1000) * sum(rates)


def history(count: int = 600, memory: float = 0.9, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rates = np.empty(count)
    rates[0] = 0.0001
    for i in range(1, count):
        rates[i] = 0.0001 + memory * (rates[i - 1] - 0.0001) + rng.normal(0, 0.00005)
    return rates


def test_expected_carry_is_the_sum_of_the_forecasts_step_by_step() -> None:
    rates = history()
    around = rates - rates.mean()
    phi = around[1:] @ around[:-1] / (around[:-1] @ around[:-1])
    steps = [rates.mean() + phi**k * around[-1] for k in range(1, 31)]
    assert expected_carry(rates, 30).mean == pytest.approx(sum(steps), rel=1e-9)


def test_its_range_held_as_often_as_it_says() -> None:
    rates = history()
    got = expected_carry(rates, 30, level=0.8)
    around = rates - rates.mean()
    phi = around[1:] @ around[:-1] / (around[:-1] @ around[:-1])
    missed = []
    for t in range(len(rates) - 30):
        forecast = sum(rates.mean() + phi**k * around[t] for k in range(1, 31))
        missed.append(rates[t + 1 : t + 31].sum() - forecast)
    np.testing.assert_allclose((got.low, got.high), got.mean + np.quantile(missed, [0.1, 0.9]), rtol=1e-9)
    assert got.low < got.mean < got.high
    assert (got.level, got.n) == (0.8, 600)


def test_a_rate_without_memory_is_expected_at_its_mean() -> None:
    rates = np.tile([0.0003, -0.0001], 100)
    assert expected_carry(rates, 10).mean == pytest.approx(10 * rates.mean())


@pytest.mark.parametrize("horizon", [1, 15])
def test_thirty_settlements_and_twice_the_horizon_are_needed(horizon: int) -> None:
    assert expected_carry(np.full(30, 1e-4), horizon).n == 30
    with pytest.raises(NotEnoughHistory):
        expected_carry(np.full(29, 1e-4), horizon)
    with pytest.raises(NotEnoughHistory):
        expected_carry(np.full(30, 1e-4), 16)


@pytest.mark.parametrize(
    ("rates", "horizon", "level"),
    [
        (np.full(50, 1e-4), 0, 0.8),
        (np.full(50, 1e-4), 5, 0.0),
        (np.full(50, 1e-4), 5, 1.0),
        (np.full(50, np.nan), 5, 0.8),
        (np.full((50, 2), 1e-4), 5, 0.8),
    ],
)
def test_carry_from_what_cannot_be_is_refused(rates: np.ndarray, horizon: int, level: float) -> None:
    with pytest.raises(BadInput):
        expected_carry(rates, horizon, level=level)


def quote(bid: str, ask: str, mark: str, index: str) -> Quote:
    return Quote("SOL/USDT:USDT", D(bid), D(ask), D(mark), D(index), D(1000))


def test_basis_is_how_far_the_mark_stands_above_the_index() -> None:
    assert basis(quote("99", "101", "101", "100")) == D("0.01")
    assert basis(quote("99", "101", "99", "100")) == D("-0.01")
    with pytest.raises(BadInput):
        basis(quote("99", "101", "99", "0"))


def test_a_round_trip_pays_two_fees_and_the_spread() -> None:
    assert round_trip(D(-1000), perpetual(), quote("99", "101", "100", "100")) == D(1) + D(20)


def test_the_insurance_is_cheaper_the_longer_it_is_held_and_the_more_funding_brings() -> None:
    assert insurance_per_month(D(1000), D(6), D(2), D("0.01")) == D(3) - D(10)
    assert insurance_per_month(D(-1000), D(6), D(3), D("-0.01")) == D(2) + D(10)
    with pytest.raises(BadInput):
        insurance_per_month(D(1000), D(6), D(0), D("0.01"))
