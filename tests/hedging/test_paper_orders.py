"""Paper orders: what a book gives, what it costs, and what is refused."""

from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.errors import OrderRejected, UnknownContract
from hedging.market import Contract
from hedging.paper import (
    Fill,
    MarginMode,
    PaperAccount,
    PaperOrder,
    equity,
    fill,
    free_margin,
    liquidation,
    unrealized,
    with_leverage,
    with_margin_mode,
)
from tests.hedging.paper_market import account, buy, inverse, linear, quote, sell

BTC, COIN = linear(), inverse()


def levered(start: PaperAccount, leverage: int = 10) -> PaperAccount:
    return with_leverage(with_leverage(start, BTC, leverage), COIN, leverage)


def near(value: D, expected: str) -> bool:
    return abs(value - D(expected)) < D("1e-12")


# Bybit, "P&L calculations (USDT Contract)": 0.5 BTC at 5,000, then 0.3 at 6,000.
def test_two_linear_fills_average_as_bybit_says() -> None:
    now, _ = fill(account(), BTC, buy(BTC, "0.5", "5000"), quote(BTC, "5000"))
    now, _ = fill(now, BTC, buy(BTC, "0.3", "6000"), quote(BTC, "6000"))
    assert now.positions[BTC.symbol].entry_price == D(5375)


@pytest.mark.parametrize(
    ("order", "entry", "now", "gain"),
    [(buy(BTC, "0.2", "7000"), "7000", "7500", D(100)), (sell(BTC, "0.4", "6000"), "6000", "5000", D(400))],
    ids=["long", "short"],
)
def test_linear_profit_is_what_bybit_says(order: PaperOrder, entry: str, now: str, gain: D) -> None:
    held, _ = fill(account(), BTC, order, quote(BTC, entry))
    assert unrealized(held.positions[BTC.symbol], D(now)) == gain


# The same page: a short of 0.4 BTC from 6,000 to 5,000 at 0.055 % a side; 1.32 and 1.10 of fees.
def test_a_closed_linear_short_leaves_what_bybit_says() -> None:
    opened, first = fill(account(), BTC, sell(BTC, "0.4", "6000"), quote(BTC, "6000"))
    closed, second = fill(opened, BTC, buy(BTC, "0.4", "5000", reduce_only=True), quote(BTC, "5000"))
    assert (first.fee, second.fee, second.realized) == (D("1.32"), D("1.1"), D(400))
    assert closed.cash["USDT"] == D(100_000) + 400 - D("1.32") - D("1.10")
    assert closed.positions == {}


# Bybit, "P&L calculations (Inverse Contract)": 1,000 at 5,000 and 2,000 at 6,000; 1,000 from 5,000 to 5,500.
def test_two_inverse_fills_average_as_bybit_says() -> None:
    now, _ = fill(account(BTC="10"), COIN, buy(COIN, "1000", "5000"), quote(COIN, "5000"))
    now, _ = fill(now, COIN, buy(COIN, "2000", "6000"), quote(COIN, "6000"))
    assert near(now.positions[COIN.symbol].entry_price, "5625")


def test_inverse_profit_is_what_bybit_says() -> None:
    held, _ = fill(account(BTC="10"), COIN, buy(COIN, "1000", "5000"), quote(COIN, "5000"))
    assert round(unrealized(held.positions[COIN.symbol], D(5500)), 7) == D("0.0181818")
    held, _ = fill(account(BTC="10"), COIN, buy(COIN, "10000", "8000"), quote(COIN, "8000"))
    assert near(unrealized(held.positions[COIN.symbol], D(12500)), "0.45")


def test_an_inverse_short_wins_coins_when_the_price_falls_and_fees_are_in_coins() -> None:
    opened, got = fill(account(BTC="10"), COIN, sell(COIN, "60000", "50000"), quote(COIN, "50000"))
    assert near(got.fee, "0.00066")  # 1.2 BTC at 0.055 %
    assert near(unrealized(opened.positions[COIN.symbol], D(40000)), "0.3")  # 60,000 / 40,000 - 1.2


def test_a_deep_book_fills_at_the_touch_and_a_thin_one_worse() -> None:
    _, deep = fill(account(), BTC, sell(BTC, "1", "49000"), quote(BTC, "50000"))
    _, thin = fill(account(), BTC, sell(BTC, "1", "49000"), quote(BTC, "50000", depth="100000"))
    assert deep.price == D(50000)
    assert thin.price == D(50000) * (
        1 - D("0.001") * D("0.5") / 2
    )  # half of a tenth of a percent deep, on average


def test_an_order_takes_the_book_up_to_its_limit_and_no_further() -> None:
    # 100,000 within 0.1 % of 50,000 is 2 contracts; down to 0.2 % there are 4, and one tick more.
    now, got = fill(
        account(USDT="1000000"), BTC, sell(BTC, "100", "49900"), quote(BTC, "50000", depth="100000")
    )
    assert got.contracts == D("4.004")
    assert got.price is not None and D(49900) <= got.price < D(50000)
    assert now.positions[BTC.symbol].contracts == -got.contracts


def test_at_the_touch_itself_lies_one_tick_of_the_book() -> None:
    _, got = fill(account(), BTC, sell(BTC, "100", "50000"), quote(BTC, "50000", depth="100000"))
    assert (got.contracts, got.price) == (D("0.004"), D(50000))


@pytest.mark.parametrize("order", [sell(BTC, "1", "50000.1"), buy(BTC, "1", "49999.9")])
def test_an_order_beyond_the_touch_gets_nothing_and_costs_nothing(order: PaperOrder) -> None:
    before = account()
    after, got = fill(before, BTC, order, quote(BTC, "50000"))
    assert after == before
    assert got == Fill(D(0), None, D(0), D(0))


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (sell(linear("ETH"), "1", "50000"), "unknown_symbol"),
        (sell(BTC, "0.0005", "50000"), "lot"),
        (sell(BTC, "1.0005", "50000"), "lot"),
        (sell(BTC, "0", "50000"), "lot"),
        (sell(BTC, "-1", "50000"), "lot"),
        (sell(BTC, "NaN", "50000"), "lot"),
        (sell(BTC, "1", "50000.05"), "tick"),
        (sell(BTC, "1", "0"), "tick"),
        (sell(BTC, "1", "Infinity"), "tick"),
        (sell(BTC, "1", "49000", reduce_only=True), "reduce_only"),
        (sell(BTC, "3", "49000"), "margin"),
    ],
)
def test_what_an_exchange_refuses_is_refused_by_name(order: PaperOrder, code: str) -> None:
    with pytest.raises(OrderRejected) as refusal:
        fill(account(), BTC, order, quote(BTC, "50000"))
    assert refusal.value.code == code
    assert str(refusal.value).endswith(".")


def test_an_order_below_the_least_value_is_refused_unless_it_only_reduces() -> None:
    small = linear(least="100")
    with pytest.raises(OrderRejected, match="at least 100 USDT"):
        fill(account(), small, sell(small, "0.001", "50000"), quote(small, "50000"))
    held, _ = fill(account(), small, sell(small, "0.01", "50000"), quote(small, "50000"))
    rest, got = fill(held, small, buy(small, "0.001", "50000", reduce_only=True), quote(small, "50000"))
    assert got.contracts == D("0.001")
    assert rest.positions[small.symbol].contracts == D("-0.009")


def test_a_reduce_only_order_is_cut_to_the_position_and_never_flips_it() -> None:
    held, _ = fill(account(), BTC, sell(BTC, "1", "50000"), quote(BTC, "50000"))
    closed, got = fill(held, BTC, buy(BTC, "7", "50000", reduce_only=True), quote(BTC, "50000"))
    assert got.contracts == 1
    assert closed.positions == {}
    with pytest.raises(OrderRejected, match="nothing"):
        fill(held, BTC, sell(BTC, "1", "50000", reduce_only=True), quote(BTC, "50000"))


def test_an_order_that_is_not_reduce_only_may_flip_and_the_rest_opens_at_its_own_price() -> None:
    held, _ = fill(account(), BTC, sell(BTC, "1", "50000"), quote(BTC, "50000"))
    flipped, got = fill(held, BTC, buy(BTC, "1.5", "40000"), quote(BTC, "40000"))
    position = flipped.positions[BTC.symbol]
    assert (position.contracts, position.entry_price) == (D("0.5"), D(40000))
    assert got.realized == D(10000)


def test_leverage_sets_what_an_order_binds() -> None:
    start = account(USDT="10000")
    with pytest.raises(OrderRejected, match="margin"):
        fill(start, BTC, sell(BTC, "1", "50000"), quote(BTC, "50000"))
    held, got = fill(levered(start, 10), BTC, sell(BTC, "1", "50000"), quote(BTC, "50000"))
    assert free_margin(held)["USDT"] == D(10000) - got.fee - D(5000)


def test_leverage_beyond_the_contract_s_or_too_low_for_an_open_position_is_refused() -> None:
    for leverage in (0, 51, -1):
        with pytest.raises(OrderRejected, match="leverage"):
            with_leverage(account(), BTC, leverage)
    held, _ = fill(levered(account(USDT="10000")), BTC, sell(BTC, "1", "50000"), quote(BTC, "50000"))
    with pytest.raises(OrderRejected, match="needs more margin"):
        with_leverage(held, BTC, 2)
    assert with_leverage(held, BTC, 20).positions[BTC.symbol].leverage == 20


def test_isolated_collateral_leaves_the_wallet_and_comes_back_with_the_profit() -> None:
    start = with_margin_mode(levered(account()), BTC, "isolated")
    held, first = fill(start, BTC, sell(BTC, "1", "50000"), quote(BTC, "50000"))
    assert held.positions[BTC.symbol].margin == D(5000)
    assert held.cash["USDT"] == D(100_000) - 5000 - first.fee
    half, second = fill(held, BTC, buy(BTC, "0.5", "48000", reduce_only=True), quote(BTC, "48000"))
    assert half.positions[BTC.symbol].margin == D(2500)
    assert half.cash["USDT"] == D(100_000) - 2500 - first.fee - second.fee + 1000


def test_the_margin_mode_of_an_open_position_cannot_change() -> None:
    held, _ = fill(account(), BTC, sell(BTC, "1", "50000"), quote(BTC, "50000"))
    with pytest.raises(OrderRejected, match="Close the position"):
        with_margin_mode(held, BTC, "isolated")
    assert with_margin_mode(held, BTC, "cross").margin_modes == {BTC.symbol: "cross"}


def test_a_cross_position_s_liquidation_price_counts_what_the_others_have_to_spare() -> None:
    eth = linear("ETH", tick="0.01")
    held, _ = fill(levered(account(USDT="10000")), BTC, sell(BTC, "1", "50000"), quote(BTC, "50000"))
    alone = liquidation(held, BTC.symbol)
    assert alone is not None
    both, _ = fill(with_leverage(held, eth, 10), eth, sell(eth, "10", "2000"), quote(eth, "2000"))
    gaining = replace(
        both,
        positions={**both.positions, eth.symbol: replace(both.positions[eth.symbol], mark_price=D(1500))},
    )
    losing = replace(
        both,
        positions={**both.positions, eth.symbol: replace(both.positions[eth.symbol], mark_price=D(2200))},
    )
    with_gain, with_loss = liquidation(gaining, BTC.symbol), liquidation(losing, BTC.symbol)
    assert with_gain is not None and with_loss is not None
    assert with_loss < alone < with_gain
    with pytest.raises(UnknownContract):
        liquidation(held, "SOL/USDT:USDT")


TRADES = st.lists(
    st.tuples(
        st.sampled_from([BTC, COIN]),
        st.booleans(),
        st.integers(1, 400),
        st.integers(30_000, 70_000),
        st.booleans(),
        st.sampled_from(["1e15", "100000", "3000"]),
    ),
    max_size=25,
)


@given(TRADES, st.sampled_from(["cross", "isolated"]))
def test_whatever_is_traded_money_is_conserved_and_reduce_only_never_grows(
    trades: list[tuple[Contract, bool, int, int, bool, str]], mode: MarginMode
) -> None:
    deposits = {"USDT": D(1_000_000), "BTC": D(20)}
    now = levered(account(USDT="1000000", BTC="20"))
    for contract in (BTC, COIN):
        now = with_margin_mode(now, contract, mode)
    for contract, selling, size, price, reduce_only, depth in trades:
        contracts = D(size) / 100 if contract is BTC else D(size) * 100
        limit = str(price * D("0.99") if selling else price * D("1.01"))
        make = sell if selling else buy
        order = make(contract, str(contracts), str(D(limit).quantize(D("0.1"))), reduce_only)
        before = now.positions.get(contract.symbol)
        try:
            now, got = fill(now, contract, order, quote(contract, str(price), depth))
        except OrderRejected:
            continue
        assert got.contracts <= order.contracts
        after = now.positions.get(contract.symbol)
        if reduce_only and got.contracts:
            assert before is not None
            held = after.contracts if after else D(0)
            assert abs(held) < abs(before.contracts) and held * before.contracts >= 0

    for asset, deposit in deposits.items():
        kept = sum((p.margin for p in now.positions.values() if p.contract.settle == asset), now.cash[asset])
        told = deposit + now.realized.get(asset, D(0)) - now.fees.get(asset, D(0))
        assert abs(kept - told) < D("1e-15")
        gain = sum((unrealized(p) for p in now.positions.values() if p.contract.settle == asset), D(0))
        assert abs(equity(now)[asset] - (told + gain)) < D("1e-15")


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(30_000, 70_000)), min_size=1, max_size=8))
def test_an_inverse_position_s_entry_is_where_its_profit_is_what_its_parts_made(
    parts: list[tuple[int, int]],
) -> None:
    now, coins = levered(account(BTC="1000")), D(0)
    for contracts, price in parts:
        now, _ = fill(now, COIN, sell(COIN, str(contracts), str(price)), quote(COIN, str(price)))
        coins += -contracts * (1 / D(price) - 1 / D(45_000))
    assert abs(unrealized(now.positions[COIN.symbol], D(45_000)) - coins) < D("1e-20")
