import csv
import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal as D
from pathlib import Path

import pytest

from hedging.carry import fee, funding_payment, funding_per_month
from hedging.errors import BadInput
from hedging.market import Contract, Funding


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
