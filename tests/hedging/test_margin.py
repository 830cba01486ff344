"""Liquidation prices against the figures that the exchanges publish."""

from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.errors import BadInput, NotEnoughHistory
from hedging.margin import (
    initial_margin,
    liquidation_price,
    liquidation_prices,
    maintenance_margin,
    runway,
    tier_of,
    tiered_liquidation_price,
    tiers,
    worst_pumps,
)
from hedging.market import Contract


def contract(linear: bool = True, size: str = "1", rate: str = "0.005") -> Contract:
    return Contract(
        symbol="BTC/USDT:USDT" if linear else "BTC/USD:BTC",
        base="BTC",
        quote="USDT" if linear else "USD",
        settle="USDT" if linear else "BTC",
        linear=linear,
        contract_size=D(size),
        lot=D("0.001"),
        tick=D("0.01"),
        min_amount=D("0.001"),
        min_notional=D(5),
        taker_fee=D("0.0005"),
        maker_fee=D("0.0002"),
        maintenance_margin_rate=D(rate),
        max_leverage=100,
    )


# Binance, "How to Calculate Liquidation Price of USD-M Futures Contracts", the worked example: wallet balance
# 1,535,443.01 USDT, ETHUSDT long 3,683.979 at 1,456.84 (mark 1,335.18, rate 10 %, amount 135,365) and BTCUSDT long
# 109.488 at 32,481.98 (mark 31,967.27, rate 2.5 %, amount 16,300), cross margin.
WALLET = D("1535443.01")
ETH = (D("3683.979"), D("1456.84"), D("1335.18"), D("0.10"), D("135365.00"))
BTC = (D("109.488"), D("32481.980"), D("31967.27"), D("0.025"), D("16300.00"))


@pytest.mark.parametrize(("one", "other", "published"), [(ETH, BTC, D("1153.26")), (BTC, ETH, D("26316.89"))])
def test_two_cross_longs_of_binance_are_liquidated_where_binance_says(
    one: tuple[D, ...], other: tuple[D, ...], published: D
) -> None:
    amount, entry, _, rate, deduction = one
    size, paid, mark, other_rate, other_deduction = other
    backing = WALLET - maintenance_margin(size * mark, other_rate, other_deduction) + size * (mark - paid)
    got = liquidation_price(contract(), amount, entry, backing, rate=rate, deduction=deduction)
    assert got is not None
    assert round(got, 2) == published


# Bybit, "Liquidation Price (USDT Contract)", isolated: 1 BTC at 20,000 with 50x, 0.5 %; maintenance at entry value.
@pytest.mark.parametrize(
    ("contracts", "collateral", "published"),
    [(D(1), D(400), D(19700)), (D(-1), D(400) + D(3000), D(23300)), (D(1), D(400) - D(200), D(19900))],
    ids=["long", "short with 3,000 added", "long after 200 of funding"],
)
def test_isolated_linear_positions_of_bybit_are_liquidated_where_bybit_says(
    contracts: D, collateral: D, published: D
) -> None:
    got = liquidation_price(contract(), contracts, D(20000), collateral, maintenance_at="entry")
    assert got == published


# Bybit, "Liquidation Price Calculation under Isolated Mode", inverse: 60,000 USD of BTCUSD short at 50,000, 10x, 0.5 %:
# value 1.2 BTC, initial margin 0.12, maintenance margin 0.006, hence 60,000 / (1.2 - 0.114).
def test_the_isolated_inverse_short_of_bybit_is_liquidated_where_bybit_says() -> None:
    got = liquidation_price(contract(linear=False), D(-60000), D(50000), D("0.12"), maintenance_at="entry")
    assert got is not None
    assert round(got, 2) == D("55248.62")


# MCS, "Isolated Margin": 10x at 2,000 with 0.5 %: long 1,826.48, short 2,209.94 (inverse contract).
@pytest.mark.parametrize(("side", "published"), [(1, D("1826.48")), (-1, D("2209.94"))])
def test_isolated_inverse_positions_of_mcs_are_liquidated_where_mcs_says(side: int, published: D) -> None:
    got = liquidation_price(contract(linear=False), side * D(2000), D(2000), D("0.1"), maintenance_at="entry")
    assert got is not None
    assert round(got, 2) == published


# Binance, "How to Calculate Liquidation Price of COIN-M Futures Contracts": 100 contracts of 100 USD at 25,000, 0.4 %.
def test_the_maintenance_margin_of_an_inverse_contract_is_as_binance_says() -> None:
    value = contract(linear=False, size="100").notional(D(100), D(25000)) / D(25000)
    assert value == D("0.4")
    assert maintenance_margin(value, D("0.004")) == D("0.0016")


def test_a_deduction_never_makes_the_maintenance_margin_negative() -> None:
    assert maintenance_margin(D(100), D("0.01"), D(50)) == 0


@given(
    linear=st.booleans(),
    short=st.booleans(),
    entry=st.decimals("0.01", "100000", places=4),
    leverage=st.integers(1, 20),
    rate=st.sampled_from(["0", "0.004", "0.01", "0.02"]),
)
def test_at_the_liquidation_price_equity_is_exactly_the_maintenance_margin(
    linear: bool, short: bool, entry: D, leverage: int, rate: str
) -> None:
    """The definition itself, reckoned from profit and loss and not from the closed formula."""
    perpetual = contract(linear=linear, rate=rate)
    contracts = D(-1000) if short else D(1000)
    units = abs(contracts)
    value = units * entry if linear else units / entry
    margin = initial_margin(value, leverage)
    price = liquidation_price(perpetual, contracts, entry, margin)
    if price is None:
        return
    side = -1 if short else 1
    profit = side * units * (price - entry) if linear else side * units * (1 / entry - 1 / price)
    upkeep = units * D(rate) * (price if linear else 1 / price)
    assert abs(margin + profit - upkeep) <= value * D("1e-20")
    assert (price > entry) is short


def test_a_short_with_more_collateral_survives_longer() -> None:
    near = liquidation_price(contract(), D(-1), D(100), D(50))
    far = liquidation_price(contract(), D(-1), D(100), D(100))
    assert near is not None and far is not None
    assert D(100) < near < far


def test_flat_is_never_liquidated() -> None:
    assert liquidation_price(contract(), D(0), D(100), D(10)) is None


def test_a_fully_covered_inverse_short_is_never_liquidated() -> None:
    assert liquidation_price(contract(linear=False), D(-100), D(100), D(1)) is None
    assert liquidation_price(contract(linear=False), D(-100), D(100), D(2)) is None


def test_a_linear_long_without_leverage_is_never_liquidated() -> None:
    assert liquidation_price(contract(), D(1), D(100), D(100)) is None


def test_the_contract_size_counts() -> None:
    small, large = contract(size="0.01"), contract(size="1")
    assert liquidation_price(small, D(-100), D(100), D(50)) == liquidation_price(large, D(-1), D(100), D(50))


def test_an_entry_price_of_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="entry price"):
        liquidation_price(contract(), D(1), D(0), D(1))


def test_initial_margin_is_the_notional_over_the_leverage_for_either_side() -> None:
    assert initial_margin(D(-1000), 4) == initial_margin(D(1000), 4) == D(250)
    with pytest.raises(BadInput):
        initial_margin(D(1000), 0)


# Tiers

LEVELS = tiers(
    [
        (D(0), D("0.004"), 125),
        (D(50_000), D("0.005"), 100),
        (D(250_000), D("0.01"), 50),
        (D(10**6), D("0.025"), 20),
    ]
)


def test_deductions_are_those_that_binance_publishes() -> None:
    assert [tier.deduction for tier in LEVELS] == [0, 50, 1300, 16300]
    assert [tier.max_leverage for tier in LEVELS] == [125, 100, 50, 20]
    assert [tier.floor for tier in LEVELS] == [0, 50_000, 250_000, 1_000_000]


def test_a_tier_may_lower_the_leverage_alone() -> None:
    assert tiers([(D(0), D("0.01"), 50), (D(10), D("0.01"), 25)])[1].deduction == 0


@pytest.mark.parametrize("edge", [50_000, 250_000, 1_000_000])
def test_the_maintenance_margin_does_not_jump_between_tiers(edge: int) -> None:
    below, above = tier_of(LEVELS, D(edge)), tier_of(LEVELS, D(edge) + 1)
    assert below is not above
    assert maintenance_margin(D(edge), below.rate, below.deduction) == maintenance_margin(
        D(edge), above.rate, above.deduction
    )


def test_a_position_of_nothing_is_in_the_first_tier_and_shorts_count_by_size() -> None:
    assert tier_of(LEVELS, D(0)) is LEVELS[0]
    assert tier_of(LEVELS, D(-300_000)) is LEVELS[2]


@pytest.mark.parametrize(
    "brackets",
    [
        [],
        [(D(1), D("0.004"), 125)],
        [(D(0), D("0.004"), 125), (D(0), D("0.005"), 100)],
        [(D(0), D("0.004"), 125), (D(10), D("0.003"), 100)],
    ],
)
def test_tiers_that_cannot_be_are_refused(brackets: list[tuple[D, D, int]]) -> None:
    with pytest.raises(
        BadInput, match=r"^(margin tiers start at 0 and ascend in size and rate|there is no margin tier)$"
    ):
        tiers(brackets)


@pytest.mark.parametrize("size", ["0.1", "2", "8", "30"])
@pytest.mark.parametrize("side", [1, -1])
def test_a_tiered_position_is_liquidated_in_the_tier_of_that_very_price(size: str, side: int) -> None:
    contracts = side * D(size)
    margin = D(size) * 30_000 / 5
    price = tiered_liquidation_price(contract(), contracts, D(30_000), margin, LEVELS)
    assert price is not None
    tier = tier_of(LEVELS, contracts * price)
    equity = margin + contracts * (price - 30_000)
    assert abs(equity - maintenance_margin(contracts * price, tier.rate, tier.deduction)) < D("1e-15")


def test_a_short_that_grows_into_a_higher_tier_is_liquidated_earlier_than_its_first_tier_says() -> None:
    margin = D(8) * 30_000 / 5
    first = liquidation_price(
        contract(), D(-8), D(30_000), margin, rate=LEVELS[1].rate, deduction=LEVELS[1].deduction
    )
    tiered = tiered_liquidation_price(contract(), D(-8), D(30_000), margin, LEVELS)
    assert first is not None
    assert tiered is not None
    assert tiered < first


def test_inverse_positions_have_their_tiers_in_coin() -> None:
    levels = tiers([(D(0), D("0.004"), 125), (D(5), D("0.005"), 100)])
    price = tiered_liquidation_price(contract(linear=False), D(-400_000), D(50_000), D(2), levels)
    assert price is not None
    tier = tier_of(levels, D(400_000) / price)
    assert price == liquidation_price(
        contract(linear=False), D(-400_000), D(50_000), D(2), rate=tier.rate, deduction=tier.deduction
    )


def test_what_is_never_liquidated_is_so_in_every_tier() -> None:
    assert tiered_liquidation_price(contract(), D(1), D(100), D(100), LEVELS) is None
    assert tiered_liquidation_price(contract(), D(0), D(100), D(100), LEVELS) is None


def test_many_positions_at_once_equal_one_after_the_other() -> None:
    rng = np.random.default_rng(1)
    units = np.round(rng.normal(0, 10, 60), 3)
    units[:3] = 0.0
    entry, linear = rng.uniform(10, 1000, 60), rng.random(60) < 0.6
    value = np.where(linear, np.abs(units) * entry, np.abs(units) / entry)
    collateral, rate = value * rng.uniform(0.05, 1.5, 60), rng.choice([0.0, 0.004, 0.02], 60)
    got = liquidation_prices(units, entry, collateral, rate, linear)
    for i in range(60):
        one = liquidation_price(
            contract(linear=bool(linear[i]), rate=str(rate[i])),
            D(str(units[i])),
            D(str(entry[i])),
            D(str(collateral[i])),
        )
        assert got[i] == pytest.approx(float("nan") if one is None else float(one), rel=1e-9, nan_ok=True)


# Runway


def test_the_runway_is_the_rise_until_liquidation() -> None:
    assert runway(D(200), D(250)) == D("0.25")
    assert runway(D(200), None) is None
    assert runway(D("0.5"), D(1)) == 1
    with pytest.raises(BadInput, match="must be positive, not 0"):
        runway(D(0), D(1))


def test_the_worst_pump_is_the_largest_rise_from_a_close_to_a_later_high() -> None:
    close = np.array([10.0, 11.0, 10.0, 20.0, 5.0, 6.0])
    high = np.array([99.0, 12.0, 11.0, 21.0, 20.0, 6.0])
    assert worst_pumps(close, high, [1, 2, 5]) == (1.1, 1.1, 1.1)
    assert worst_pumps(close, close, [1, 3]) == (1.0, 1.0)


def test_missing_bars_hide_nothing_else() -> None:
    close = np.array([10.0, np.nan, 10.0, 30.0])
    assert worst_pumps(close, close, [1, 2]) == (2.0, 2.0)


def test_a_missing_high_is_no_pump() -> None:
    assert worst_pumps(np.array([10.0, 11.0, 12.0]), np.array([10.0, np.nan, 12.0]), [2]) == pytest.approx(
        (0.2,)
    )


def test_pumps_need_bars_to_look_at() -> None:
    with pytest.raises(NotEnoughHistory, match=r"^5 bars are too few to look 5 ahead$"):
        worst_pumps(np.ones(5), np.ones(5), [5])
    with pytest.raises(NotEnoughHistory, match=r"^there are no prices to look for pumps in$"):
        worst_pumps(np.full(5, np.nan), np.full(5, np.nan), [1])
    for bars in ([], [0]):
        with pytest.raises(
            BadInput, match=r"^pumps are looked for in closes and highs of the same bars, over at least one"
        ):
            worst_pumps(np.ones(5), np.ones(5), bars)
    with pytest.raises(BadInput, match=r"^pumps are looked for"):
        worst_pumps(np.ones(5), np.ones(4), [1])


def test_the_contract_size_counts_in_tiers_too() -> None:
    levels = tiers([(D(0), D("0.004"), 125), (D(5), D("0.005"), 100)])
    for linear, contracts, entry, margin in (
        (False, D(-4_000), D(50_000), D(2)),
        (True, D(-300), D(1), D(10)),
    ):
        big = contract(linear=linear, size="100")
        price = tiered_liquidation_price(big, contracts, entry, margin, levels)
        assert price is not None
        size = -contracts * 100 * (price if linear else 1 / price)
        tier = levels[1] if size > 5 else levels[0]
        assert price == liquidation_price(
            big, contracts, entry, margin, rate=tier.rate, deduction=tier.deduction
        )


def test_a_price_just_above_nothing_still_liquidates() -> None:
    one, linear = np.ones(1), np.ones(1, dtype=bool)
    assert liquidation_prices(one, one, one / 2, 0 * one, linear) == pytest.approx([0.5])
    assert np.isnan(liquidation_prices(one, one, one, 0 * one, linear)).all()
