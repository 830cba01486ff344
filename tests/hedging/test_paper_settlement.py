"""What time does to a paper account: funding, and liquidation when the mark goes too far."""

import csv
import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal as D
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.market import Contract, Funding
from hedging.paper import (
    FundingPaid,
    Liquidation,
    MarginMode,
    Marks,
    PaperAccount,
    equity,
    fill,
    liquidation,
    settle,
    with_leverage,
    with_margin_mode,
)
from hedging.paper.settlement import LIQUIDATION_FEE, Event
from tests.hedging.paper_market import START, account, buy, inverse, linear, quote, sell

BTC, ETH, COIN = linear(), linear("ETH", tick="0.01"), inverse()
HOUR = timedelta(hours=1)


def marks(hours: float, **prices: str | tuple[str, str, str]) -> Marks:
    """`marks(1, BTC="50000")`, or with (high, low, close)."""
    bars = {f"{a}/USDT:USDT": (p, p, p) if isinstance(p, str) else p for a, p in prices.items()}
    high, low, close = ({symbol: D(bar[i]) for symbol, bar in bars.items()} for i in range(3))
    return Marks(START + hours * HOUR, high, low, close)


def coin_marks(hours: float, price: str) -> Marks:
    at = {COIN.symbol: D(price)}
    return Marks(START + hours * HOUR, at, at, at)


def funding(contract: Contract, rate: str, hours: float) -> Funding:
    return Funding(contract.symbol, D(rate), 8, START + hours * HOUR)


def short(
    start: PaperAccount, contract: Contract, contracts: str, price: str, leverage: int = 10
) -> PaperAccount:
    return fill(
        with_leverage(start, contract, leverage),
        contract,
        sell(contract, contracts, price),
        quote(contract, price),
    )[0]


# Binance, "Introduction to Binance Futures Funding Rates": nominal value x rate, longs to shorts when positive.
def test_a_short_receives_a_positive_rate_on_its_value_at_the_mark() -> None:
    held = short(account(), BTC, "10", "8000")
    after, events = settle(held, [marks(8, BTC="8000")], [funding(BTC, "0.0001", 8)])
    assert after.cash["USDT"] - held.cash["USDT"] == after.funding["USDT"] == D(8)
    assert [(e.amount, e.asset) for e in events if isinstance(e, FundingPaid)] == [(D(8), "USDT")]


def test_a_short_pays_a_negative_rate_and_a_long_a_positive_one() -> None:
    held = short(account(), BTC, "10", "8000")
    assert settle(held, [marks(8, BTC="9000")], [funding(BTC, "-0.001", 8)])[0].funding["USDT"] == D(-90)
    long, _ = fill(account(), BTC, buy(BTC, "10", "8000"), quote(BTC, "8000"))
    assert settle(long, [marks(8, BTC="9000")], [funding(BTC, "0.001", 8)])[0].funding["USDT"] == D(-90)


def test_inverse_funding_is_paid_in_coins() -> None:
    held = short(account(BTC="10"), COIN, "10000", "8000")
    after, _ = settle(held, [coin_marks(8, "8000")], [funding(COIN, "0.0001", 8)])
    assert after.funding["BTC"] == D("0.000125")  # 1.25 BTC at 0.01 %


def test_isolated_funding_goes_to_the_position_s_own_collateral() -> None:
    held = short(with_margin_mode(account(), BTC, "isolated"), BTC, "10", "8000")
    after, _ = settle(held, [marks(8, BTC="8000")], [funding(BTC, "-0.001", 8)])
    assert after.positions[BTC.symbol].margin == D(8000) - 80
    assert after.cash == held.cash


def test_funding_is_charged_once_and_only_after_the_last_settlement() -> None:
    held = short(account(), BTC, "1", "50000")
    owed = [funding(BTC, "0.0001", hours) for hours in (0, 8, 16, 24, 32)]
    once, _ = settle(held, [marks(8, BTC="50000"), marks(20, BTC="50000")], owed)
    assert once.funding["USDT"] == D(10)  # at 8 and 16, not at the start, not later
    again, events = settle(once, [marks(8, BTC="50000"), marks(20, BTC="50000")], owed)
    assert again == once and events == ()


def test_recorded_funding_sums_to_what_the_record_sums_to(shared_path: Callable[[str], Path]) -> None:
    with gzip.open(shared_path("market/funding_8h_2025.csv.gz"), "rt") as lines:
        rows = [row for row in csv.DictReader(lines) if row["symbol"] == BTC.symbol]
    rates = [
        Funding(BTC.symbol, D(r["funding_rate"]), 8, datetime.fromisoformat(r["timestamp"])) for r in rows
    ]
    at = {BTC.symbol: D(90_000)}
    path = [Marks(item.next_time, at, at, at) for item in rates]
    start = replace(short(account(USDT="1000000"), BTC, "1", "90000"), settled_at=rates[0].next_time - HOUR)
    after, events = settle(start, path, rates)
    assert len(events) == len(rows) > 200
    assert float(after.funding["USDT"]) == pytest.approx(
        90_000 * sum(float(row["funding_rate"]) for row in rows)
    )


@pytest.mark.parametrize("mode", ["cross", "isolated"])
@pytest.mark.parametrize("contract", [BTC, COIN], ids=["linear", "inverse"])
def test_a_short_survives_up_to_its_liquidation_price_and_not_beyond(
    contract: Contract, mode: MarginMode
) -> None:
    backing = account(USDT="6000") if contract is BTC else account(BTC="0.2")
    size = "1" if contract is BTC else "60000"
    held = short(with_margin_mode(backing, contract, mode), contract, size, "50000")
    price = liquidation(held, contract.symbol)
    assert price is not None and price > 52_000

    def reached(high: D) -> tuple[PaperAccount, tuple[object, ...]]:
        top, low = {contract.symbol: high}, {contract.symbol: D(49_000)}
        return settle(held, [Marks(START + HOUR, top, low, low)], [])

    alive, nothing = reached(price * D("0.999999"))
    gone, events = reached(price * D("1.000001"))
    assert nothing == () and contract.symbol in alive.positions
    assert gone.positions == {}
    assert [type(event) for event in events] == [Liquidation]


def test_a_long_is_liquidated_by_the_low_and_a_short_is_not() -> None:
    long, _ = fill(
        with_leverage(account(USDT="6000"), BTC, 10), BTC, buy(BTC, "1", "50000"), quote(BTC, "50000")
    )
    bar = marks(1, BTC=("50000", "40000", "50000"))
    assert settle(long, [bar], [])[0].positions == {}
    assert settle(short(account(USDT="6000"), BTC, "1", "50000"), [bar], [])[0].positions != {}


def test_a_liquidation_closes_where_the_mark_passed_its_price_and_what_the_fee_leaves_comes_back() -> None:
    thick = replace(BTC, maintenance_margin_rate=D("0.01"))
    held = short(with_margin_mode(account(), thick, "isolated"), thick, "1", "50000")
    after, (event,) = settle(held, [marks(1, BTC=("60000", "50000", "58000"))], [])
    price = D(55_000) / D("1.01")  # 5,000 + 50,000 - P = 1 % of P
    left = price * (D("0.01") - LIQUIDATION_FEE)
    assert isinstance(event, Liquidation)
    assert (event.contracts, round(event.price, 6)) == (D(-1), round(price, 6))
    assert round(event.loss, 6) == round(5000 - left, 6)
    assert round(after.cash["USDT"] - held.cash["USDT"], 6) == round(left, 6)


def test_an_isolated_liquidation_leaves_the_wallet_and_the_others_alone() -> None:
    start = with_margin_mode(account(), BTC, "isolated")
    held = short(short(start, BTC, "1", "50000"), ETH, "1", "2000")
    after, events = settle(held, [marks(1, BTC="70000", ETH="2000")], [])
    assert [event.symbol for event in events] == [BTC.symbol]
    assert list(after.positions) == [ETH.symbol]
    assert after.cash["USDT"] == held.cash["USDT"]


def test_cross_positions_stand_and_fall_together() -> None:
    held = short(short(account(USDT="12000"), BTC, "1", "50000"), ETH, "20", "2000")
    after, events = settle(held, [marks(1, BTC="58000", ETH="2300")], [])
    assert after.positions == {}
    assert {event.symbol for event in events} == {BTC.symbol, ETH.symbol}
    assert after.cash["USDT"] >= 0


def test_a_loss_on_one_cross_position_may_be_carried_by_the_profit_on_another() -> None:
    held = short(short(account(USDT="12000"), BTC, "1", "50000"), ETH, "20", "2000")
    after, events = settle(held, [marks(1, BTC="58000", ETH="1500")], [])
    assert events == () and len(after.positions) == 2


def test_nobody_owes_more_than_there_was() -> None:
    held = short(account(USDT="6000"), BTC, "1", "50000")
    jump = replace(held, positions={BTC.symbol: replace(held.positions[BTC.symbol], mark_price=D(80_000))})
    after, _ = settle(jump, [marks(1, BTC="80000")], [])
    assert after.cash["USDT"] == 0
    assert after.insurance["USDT"] > 20_000


def test_funding_alone_can_liquidate() -> None:
    held = short(account(USDT="5400"), BTC, "1", "50000")
    rates = [funding(BTC, "-0.02", 8 * n) for n in range(1, 7)]
    after, events = settle(held, [marks(8 * n, BTC="50000") for n in range(1, 7)], rates)
    assert isinstance(events[-1], Liquidation)
    assert after.positions == {}
    assert sum(isinstance(event, FundingPaid) for event in events) == 6


def test_a_symbol_without_a_price_keeps_its_last_mark() -> None:
    held = short(account(), BTC, "1", "50000")
    after, _ = settle(held, [Marks(START + HOUR, {}, {}, {})], [])
    assert after.positions == held.positions
    assert after.settled_at == START + HOUR


def test_without_positions_only_time_passes() -> None:
    after, events = settle(account(), [marks(1, BTC="1")], [funding(BTC, "0.01", 1)])
    assert after == replace(account(), settled_at=START + HOUR) and events == ()


BARS = st.lists(
    st.tuples(
        st.integers(-12, 14), st.integers(0, 6), st.integers(0, 6), st.integers(-12, 14), st.integers(-20, 20)
    ),
    min_size=1,
    max_size=30,
)


def walk(bars: list[tuple[int, int, int, int, int]]) -> tuple[list[Marks], list[Funding]]:
    path, rates, btc, eth = [], [], D(50_000), D(2_000)
    for hour, (move, up, down, other, rate) in enumerate(bars, start=1):
        btc, eth = btc * (100 + move) / 100, eth * (100 + other) / 100
        high, low = btc * (100 + up) / 100, btc * (100 - down) / 100
        path.append(marks(hour, BTC=(str(high), str(low), str(btc)), ETH=(str(eth), str(eth), str(eth))))
        if hour % 8 == 0:
            rates += [funding(BTC, str(D(rate) / 1000), hour), funding(ETH, str(D(-rate) / 2000), hour)]
    return path, rates


@given(BARS, st.sampled_from(["cross", "isolated"]), st.integers(2, 20))
def test_settling_at_once_or_bar_by_bar_comes_to_the_same_and_money_is_conserved(
    bars: list[tuple[int, int, int, int, int]], mode: MarginMode, leverage: int
) -> None:
    start = account(USDT="40000")
    for contract in (BTC, ETH):
        start = with_margin_mode(start, contract, mode)
    held = short(short(start, BTC, "1", "50000", leverage), ETH, "5", "2000", leverage)
    path, rates = walk(bars)
    batch, events = settle(held, path, rates)

    single = held
    seen: list[Event] = []
    for bar in path:
        single, some = settle(single, [bar], rates)
        seen += some
    assert single == batch
    assert tuple(seen) == events

    kept = sum((position.margin for position in batch.positions.values()), batch.cash["USDT"])
    tallies = [getattr(batch, name).get("USDT", D(0)) for name in ("realized", "funding", "insurance")]
    assert abs(kept - (40_000 + sum(tallies) - batch.fees["USDT"])) < D("1e-15")
    for position in batch.positions.values():
        assert position.mark_price == path[-1].close[position.contract.symbol]
    if not batch.positions:
        assert equity(batch)["USDT"] >= 0
