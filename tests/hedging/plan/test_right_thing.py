"""A contract hedges a coin when it is on that coin, in dollars, and quoted now; otherwise its short stays as it is.
Faults 48 and 53 of ../shared/FAULTS.md."""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from hedging.market import Contract, Quote, Snapshot
from hedging.plan import HedgePlan, exposure, propose, unwind
from hedging.portfolio import Holding, Position
from hedging.ratio import Estimate
from hedging.rules import HedgeRule
from tests.hedging.plan.market import BETAS, NOW, PRICES, check, contract, short, traded

WHOLE = HedgeRule(target=D(1), leverage=2)


def perpetual(symbol: str, lot: str = "0.001", tick: str = "0.00000001") -> Contract:
    base, _, rest = symbol.partition("/")
    quote, _, settle = rest.partition(":")
    linear = quote == settle
    return replace(
        contract("BTC", lot, tick), symbol=symbol, base=base, quote=quote, settle=settle, linear=linear
    )


def street(
    marks: dict[str, str], spot: dict[str, str] | None = None, unquoted: tuple[str, ...] = ()
) -> Snapshot:
    """Perpetuals in the order in which they are listed, by their marks. A spot price of "" is not told."""
    contracts = {symbol: perpetual(symbol) for symbol in marks}
    prices = {**PRICES, **{coin: D(price or 0) for coin, price in (spot or {}).items()}}
    return Snapshot(
        "paper",
        NOW,
        {coin: price for coin, price in prices.items() if price},
        {s: Quote(s, *(D(mark),) * 4, D(1_000_000)) for s, mark in marks.items() if s not in unquoted},
        {},
        contracts,
    )


def held(symbol: str, contracts: str, mark: str) -> Position:
    return replace(short("BTC", contracts), symbol=symbol, entry_price=D(mark), mark_price=D(mark))


def planned(
    holdings: dict[str, str],
    snapshot: Snapshot,
    *positions: Position,
    rule: HedgeRule = WHOLE,
    free: str = "1000000",
    free_in: dict[str, str] | None = None,
    betas: dict[str, Estimate] = BETAS,
) -> HedgePlan:
    return propose(
        rule=rule,
        holdings=[Holding(coin, D(amount)) for coin, amount in holdings.items()],
        positions=positions,
        snapshot=snapshot,
        betas=betas,
        free_collateral=D(free),
        free_in={coin: D(amount) for coin, amount in (free_in or {}).items()},
    )


# What it is on. CAT costs seven millionths of a dollar; CAT/USDT is a stock.

CAT = {"CAT": "0.000007"}
STOCK_FIRST = {"CAT/USDT:USDT": "350", "1000CAT/USDT:USDT": "0.007", "BTC/USDT:USDT": "60000"}


@pytest.mark.fault(53)
def test_a_stock_of_the_same_name_is_passed_over_for_the_coin_by_the_thousand() -> None:
    made = planned({"CAT": "10000000"}, street(STOCK_FIRST, CAT))
    assert traded(made) == {"1000CAT/USDT:USDT": ("sell", D(10_000))}


@pytest.mark.fault(53)
def test_where_only_the_stock_is_listed_the_factor_answers_and_the_card_says_why() -> None:
    betas = {"CAT": Estimate(1.5, 0.1, 0.5, 500)}
    only_stock = {"CAT/USDT:USDT": "350", "BTC/USDT:USDT": "60000"}
    made = planned({"CAT": "1000000000"}, street(only_stock, CAT), betas=betas)  # 7,000 x 1.5 / 60,000
    assert traded(made) == {"BTC/USDT:USDT": ("sell", D("0.175"))}
    assert made.choices[0].another
    assert check(made, "instrument").facts["another"] == "CAT"


@pytest.mark.fault(53)
@pytest.mark.parametrize(
    ("name", "mark"), [("1000PEPE", "0.01"), ("1MPEPE", "10"), ("PEPE1000", "0.01"), ("PEPE", "0.00001")]
)
def test_any_multiple_of_the_coin_is_the_coin(name: str, mark: str) -> None:
    snapshot = street({f"{name}/USDT:USDT": mark}, {"PEPE": "0.00001"})
    made = planned({"PEPE": "10000000"}, snapshot)  # 100 dollars
    assert [leg.notional for leg in made.legs] == [D(100)]


@pytest.mark.fault(53)
@pytest.mark.parametrize(
    ("mark", "taken"), [("155", True), ("179", True), ("121", True), ("181", False), ("119", False)]
)
def test_a_premium_of_a_fifth_is_the_most_that_a_contract_on_the_coin_can_have(
    mark: str, taken: bool
) -> None:
    made = planned({"SOL": "10"}, street({"SOL/USDT:USDT": mark}))
    assert bool(made.legs) is taken
    if not taken:
        assert made.choices[0].reason == "apart"
        assert check(made, "instrument").facts["apart"] == "SOL"


@pytest.mark.fault(53)
def test_the_contracts_own_index_is_no_evidence_of_what_the_coin_costs() -> None:
    marks = {"CAT/USDT:USDT": "350", "SOL/USDT:USDT": "150"}
    made = planned({"CAT": "100", "SOL": "1"}, street(marks, {"CAT": ""}))
    assert made.choices[0].reason == "no_price" and set(traded(made)) == {"SOL/USDT:USDT"}
    told = street(marks, CAT)
    coins_index = replace(
        told.quotes["CAT/USDT:USDT"], index=D("0.000007")
    )  # and yet its mark is the stock's
    told = replace(told, quotes={**told.quotes, coins_index.symbol: coins_index})
    assert set(traded(planned({"CAT": "100000000", "SOL": "1"}, told))) == {"SOL/USDT:USDT"}


@pytest.mark.fault(53)
def test_a_short_of_the_stock_neither_covers_the_coin_nor_is_touched() -> None:
    snapshot, stock = street(STOCK_FIRST, CAT), held("CAT/USDT:USDT", "-2", "350")
    assert exposure([Holding("CAT", D(10_000_000))], [stock], snapshot, BETAS, "BTC").offset == 0
    made = planned({"CAT": "10000000"}, snapshot, stock)
    assert traded(made) == {"1000CAT/USDT:USDT": ("sell", D(10_000))}
    assert check(made, "exit").facts["left_alone"] == "CAT/USDT:USDT"


@pytest.mark.fault(53)
def test_a_hedge_is_neither_closed_nor_moved_while_its_price_is_far_from_the_coins() -> None:
    crash = street({"SOL/USDT:USDT": "90", "SOL/USDC:USDC": "150", "BTC/USDT:USDT": "60000"})
    made = planned({"SOL": "100"}, crash, held("SOL/USDT:USDT", "-40", "90"))
    assert made.legs == ()
    assert check(made, "instrument").facts["apart"] == "SOL"


@pytest.mark.fault(53)
@pytest.mark.parametrize("quoted", ["BTC", "EUR", "TRY"])
def test_a_contract_in_another_coin_is_never_taken_for_dollars(quoted: str) -> None:
    odd = f"ETH/{quoted}:{quoted}"
    marks = {odd: "0.05", "ETH/USDT:USDT": "3000", "BTC/USDT:USDT": "60000"}
    made = planned({"ETH": "10"}, street(marks), held(odd, "-4", "0.05"))
    assert traded(made) == {"ETH/USDT:USDT": ("sell", D(10))}
    assert made.before.coverage == 0
    assert check(made, "exit").facts["left_alone"] == odd
    closing = unwind(
        rule=WHOLE, positions=[held(odd, "-4", "0.05")], snapshot=street(marks), holdings=[], betas={}
    )
    assert closing.legs == () and check(closing, "exit").facts["left_alone"] == odd


@pytest.mark.fault(53)
@pytest.mark.parametrize("dollars", ["USD1", "FDUSD", "USDC"])
def test_every_dollar_is_one(dollars: str) -> None:
    made = planned({"SOL": "10"}, street({f"SOL/{dollars}:{dollars}": "150"}))
    assert traded(made) == {f"SOL/{dollars}:{dollars}": ("sell", D(10))}


@pytest.mark.fault(53)
def test_a_dollar_that_has_lost_its_peg_prices_nothing() -> None:
    assert planned({"SOL": "10"}, street({"SOL/USDE:USDE": "230"})).legs == ()  # at 0.65


# A price that is missing for a moment.

SIBLINGS = {
    "SOL": ("SOL/USDT:USDT", "SOL/USDC:USDC", "150"),
    "another quote": ("SOL/USDC:USDC", "SOL/USDT:USDT", "150"),
}


@pytest.mark.fault(53)
@pytest.mark.parametrize(("mine", "sibling", "mark"), SIBLINGS.values(), ids=SIBLINGS)
@pytest.mark.parametrize("contracts", ["-50", "-100", "-150"], ids=["too small", "right", "too large"])
def test_a_hedge_without_a_quote_is_left_as_it_is(mine: str, sibling: str, mark: str, contracts: str) -> None:
    marks = {mine: mark, sibling: mark, "BTC/USDT:USDT": "60000"}
    made = planned({"SOL": "100"}, street(marks, unquoted=(mine,)), held(mine, contracts, mark))
    assert made.legs == ()
    assert made.after.coverage == -D(contracts) / 100, "at its last mark"
    assert check(made, "instrument").reason == "paused"
    assert check(made, "instrument").facts["paused"] == "SOL"


@pytest.mark.fault(53)
@pytest.mark.parametrize("sibling", ["SOL/USDC:USDC", "1000SOL/USDT:USDT", "BTC/USDT:USDT"])
def test_a_hedge_that_is_not_there_yet_waits_for_its_quote_too(sibling: str) -> None:
    marks = {"SOL/USDT:USDT": "150", sibling: {"1": "150000", "B": "60000"}.get(sibling[0], "150")}
    made = planned({"SOL": "100"}, street(marks, unquoted=("SOL/USDT:USDT",)))
    assert made.legs == () and made.choices[0].reason == "no_quote"


@pytest.mark.fault(53)
def test_another_multiple_does_not_take_over_while_the_held_one_has_no_quote() -> None:
    marks = {"1000PEPE/USDT:USDT": "0.01", "PEPE/USDT:USDT": "0.00001"}
    snapshot = street(marks, {"PEPE": "0.00001"}, unquoted=("1000PEPE/USDT:USDT",))
    made = planned({"PEPE": "10000000"}, snapshot, held("1000PEPE/USDT:USDT", "-5000", "0.01"))
    assert made.legs == ()


@pytest.mark.fault(53)
def test_a_cross_hedge_waits_for_the_factors_quote_and_the_others_go_on() -> None:
    marks = {"BTC/USDT:USDT": "60000", "BTC/USDC:USDC": "60000", "SOL/USDT:USDT": "150"}
    there = held("BTC/USDT:USDT", "-0.1", "60000")
    made = planned({"XYZ": "5000", "SOL": "10"}, street(marks, unquoted=("BTC/USDT:USDT",)), there)
    assert traded(made) == {"SOL/USDT:USDT": ("sell", D(10))}
    assert check(made, "instrument").facts["paused"] == "XYZ"


@pytest.mark.fault(53)
def test_a_coin_whose_spot_price_is_missing_keeps_its_short() -> None:
    marks = {"SOL/USDT:USDT": "150", "BTC/USDT:USDT": "60000"}
    made = planned(
        {"SOL": "100", "BTC": "1"}, street(marks, {"SOL": ""}), held("SOL/USDT:USDT", "-100", "150")
    )
    assert traded(made) == {"BTC/USDT:USDT": ("sell", D(1))}
    assert check(made, "instrument").facts["paused"] == "SOL"
    alone = planned({"SOL": "100"}, street(marks, {"SOL": ""}), held("SOL/USDT:USDT", "-100", "150"))
    assert alone.legs == (), "and it is not said that there is nothing to hedge"


@pytest.mark.fault(53)
def test_a_cross_hedge_is_not_cut_for_a_coin_whose_price_is_missing_for_a_moment() -> None:
    snapshot = street({"BTC/USDT:USDT": "60000"}, {"XYZ": ""})
    made = planned({"XYZ": "5000", "BTC": "0.1"}, snapshot, held("BTC/USDT:USDT", "-0.3", "60000"))
    assert made.legs == ()


@pytest.mark.fault(53)
def test_closing_names_what_cannot_be_closed_just_now() -> None:
    marks = {"SOL/USDT:USDT": "150", "BTC/USDT:USDT": "60000"}
    made = unwind(
        rule=WHOLE,
        positions=[held("SOL/USDT:USDT", "-10", "150"), held("BTC/USDT:USDT", "-1", "60000")],
        snapshot=street(marks, unquoted=("SOL/USDT:USDT",)),
        holdings=[Holding("SOL", D(10))],
        betas=BETAS,
    )
    assert traded(made) == {"BTC/USDT:USDT": ("buy", D(1))}
    assert check(made, "instrument").facts["paused"] == "SOL/USDT:USDT"


# Where it settles.

BOTH = {"SOL/USDC:USDC": "150", "SOL/USDT:USDT": "150"}  # as Bybit lists them


@pytest.mark.fault(48)
def test_in_one_pool_tether_goes_before_what_is_listed_first() -> None:
    assert set(traded(planned({"SOL": "10"}, street(BOTH)))) == {"SOL/USDT:USDT"}


@pytest.mark.fault(48)
@pytest.mark.parametrize(
    ("free_in", "settles"),
    [
        ({"USDT": "1000", "USDC": "0"}, "USDT"),
        ({"USDT": "0", "USDC": "1000"}, "USDC"),
        ({"USDC": "1000"}, "USDC"),
        ({"USDT": "800", "USDC": "90000"}, "USDT"),  # 750 are needed: enough, and tether goes first
        ({"USDT": "700", "USDC": "800"}, "USDC"),
        ({"USDT": "300", "USDC": "400"}, "USDC"),  # neither is enough: where most is
        ({"USDT": "400", "USDC": "300"}, "USDT"),
    ],
)
def test_the_settle_coin_is_where_the_money_is(free_in: dict[str, str], settles: str) -> None:
    made = planned({"SOL": "10"}, street(BOTH), free_in=free_in)
    assert set(traded(made)) == {f"SOL/{settles}:{settles}"}


@pytest.mark.fault(48)
@pytest.mark.parametrize(("unquoted", "legs"), [("USDT", 1), ("USDC", 0)])
def test_only_the_quote_of_the_contract_that_the_money_is_for_matters(unquoted: str, legs: int) -> None:
    snapshot = street(BOTH, unquoted=(f"SOL/{unquoted}:{unquoted}",))
    made = planned({"SOL": "10"}, snapshot, free_in={"USDT": "0", "USDC": "1000"})
    assert len(made.legs) == legs
    assert made.choices[0].symbol == "SOL/USDC:USDC"


@pytest.mark.fault(48)
def test_a_hedge_stays_in_the_coin_in_which_it_stands() -> None:
    there = held("SOL/USDC:USDC", "-50", "150")
    made = planned({"SOL": "100"}, street(BOTH), there, free_in={"USDT": "90000", "USDC": "9000"})
    assert traded(made) == {"SOL/USDC:USDC": ("sell", D(50))}


@pytest.mark.fault(48)
@pytest.mark.parametrize(
    ("target", "legs"),
    [
        ("1", {"SOL/USDC:USDC": ("sell", D(20))}),
        ("0.8", {}),
        ("0.5", {"SOL/USDC:USDC": ("buy", D(30))}),
        ("0.25", {"SOL/USDC:USDC": ("buy", D(50)), "SOL/USDT:USDT": ("buy", D(5))}),
    ],
)
def test_shorts_in_two_settle_coins_are_one_hedge(target: str, legs: dict[str, tuple[str, D]]) -> None:
    there = held("SOL/USDC:USDC", "-50", "150"), held("SOL/USDT:USDT", "-30", "150")
    made = planned({"SOL": "100"}, street(BOTH), *there, rule=HedgeRule(D(target), leverage=2))
    assert traded(made) == legs


@pytest.mark.fault(48)
def test_an_inverse_short_is_part_of_the_hedge_and_nothing_is_doubled() -> None:
    # 100 x 300 contracts of a dollar: half a bitcoin.
    inverse = replace(perpetual("BTC/USD:BTC", "1", "0.1"), linear=False, contract_size=D(100))
    snapshot = street({"BTC/USDT:USDT": "60000", inverse.symbol: "60000"})
    snapshot = replace(snapshot, contracts={**snapshot.contracts, inverse.symbol: inverse})
    made = planned({"BTC": "1"}, snapshot, held(inverse.symbol, "-300", "60000"))
    assert traded(made) == {"BTC/USDT:USDT": ("sell", D("0.5"))}


@pytest.mark.fault(48)
def test_what_is_needed_must_be_free_in_the_coin_that_is_drawn_upon() -> None:
    marks = {"SOL/USDT:USDT": "150", "ETH/USDC:USDC": "3000"}
    made = planned(
        {"SOL": "10", "ETH": "1"}, street(marks), free="5000", free_in={"USDT": "5000", "USDC": "100"}
    )
    leverage = check(made, "leverage")
    assert (leverage.passed, leverage.reason) == (False, "not_enough_in_coin")
    # 3,000 at twofold leverage, and a fee of five basis points.
    assert (leverage.facts["coin"], leverage.facts["needed"], leverage.facts["free"]) == (
        "USDC",
        "1501.5",
        "100",
    )
    one_pool = planned({"SOL": "10", "ETH": "1"}, street(marks), free="5000")
    assert check(one_pool, "leverage").reason != "not_enough_in_coin"


@pytest.mark.fault(48)
def test_a_short_is_liquidated_by_what_backs_it_in_its_own_coin() -> None:
    # By hand: 1,500 short, 1,000 of USDC behind it, fee 0.75, maintenance of a percent:
    # (1000 - 0.75 + 1500) / (10 x 1.01) = 247.4505.
    made = planned(
        {"SOL": "10"},
        street({"SOL/USDC:USDC": "150"}),
        free="91000",
        free_in={"USDT": "90000", "USDC": "1000"},
    )
    (leg,) = made.legs
    assert leg.liquidation_price == pytest.approx(D("247.450495"), abs=D("0.00001"))


@pytest.mark.fault(48)
def test_listing_order_does_not_matter() -> None:
    turned = street(dict(reversed(BOTH.items())))
    assert traded(planned({"SOL": "10"}, street(BOTH))) == traded(planned({"SOL": "10"}, turned))


def test_the_deeper_book_decides_between_equals() -> None:
    snapshot = street({"1000PEPE/USDT:USDT": "0.01", "PEPE/USDT:USDT": "0.00001"}, {"PEPE": "0.00001"})
    deep = replace(snapshot.quotes["PEPE/USDT:USDT"], depth=D(2_000_000))
    made = planned({"PEPE": "10000000"}, replace(snapshot, quotes={**snapshot.quotes, deep.symbol: deep}))
    assert set(traded(made)) == {"PEPE/USDT:USDT"}
