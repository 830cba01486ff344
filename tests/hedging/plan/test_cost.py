"""What a plan costs: price caps, fees, margin, and where its shorts would be liquidated."""

from dataclasses import replace
from decimal import Decimal as D

from hedging.plan import unwind
from hedging.portfolio import Holding
from hedging.rules import HedgeRule
from tests.hedging.plan.market import NOW, contract, market, plan, short


def test_the_legs_carry_price_cap_fee_and_margin() -> None:
    leg = plan(Holding("SOL", D(120))).legs[0]  # 90 SOL at 150 = 13,500, 1 % of slippage, 2x
    assert (leg.notional, leg.fee, leg.margin) == (D(13500), D("6.75"), D(6750))
    assert (leg.limit_price, leg.mark_price, leg.leverage) == (D("148.50"), D(150), 2)


def test_the_price_cap_is_on_the_tick_and_never_beyond_the_slippage() -> None:
    coarse = market(contract("BTC", tick="7"), contract("SOL", "0.1", tick="7"))
    sell = plan(Holding("SOL", D(120)), snapshot=coarse).legs[0]
    buy = plan(Holding("SOL", D(120)), snapshot=coarse, positions=(short("SOL", "-100"),)).legs[0]
    assert (sell.limit_price, buy.limit_price) == (D(154), D(147))


def test_an_exchange_that_allows_less_leverage_is_believed() -> None:
    tame = replace(contract("SOL", "0.1"), max_leverage=3)
    leg = plan(Holding("SOL", D(120)), rule=HedgeRule(D("0.75"), leverage=5), snapshot=market(tame)).legs[0]
    assert (leg.leverage, leg.margin) == (3, D(4500))


def test_totals_are_the_sums_of_the_legs() -> None:
    made = plan(Holding("SOL", D(120)), Holding("BTC", D("0.1")))
    assert made.fees == D("6.75") + D("2.25")
    assert made.margin == D(6750) + D(2250)
    assert made.funding_per_month == D(18000) * D("0.0001") * 90
    assert (made.free_collateral, made.quoted_at, made.exchange) == (D(100000), NOW, "paper")


def test_one_short_is_liquidated_where_the_free_collateral_is_used_up() -> None:
    leg = plan(Holding("SOL", D(120)), free="20000").legs[0]
    # 20,000 - 6.75 of fee + 90 x (150 - P) = 1 % x 90 x P, down to the tick
    assert leg.liquidation_price == D("368.46")


def test_what_a_short_has_set_aside_already_backs_it_too() -> None:
    before = replace(short("SOL", "-60"), margin=D(4500))
    assert plan(Holding("SOL", D(120)), positions=(before,), free="15500").legs[0].liquidation_price == D(
        "368.51"
    )


def test_isolated_margin_backs_nothing_else() -> None:
    apart = replace(short("BTC", "-0.1", mode="isolated"), margin=D(3000))
    made = plan(Holding("SOL", D(120)), Holding("BTC", D("0.1")), positions=(apart,), free="20000")
    without = plan(
        Holding("SOL", D(120)),
        Holding("BTC", D("0.1")),
        positions=(replace(apart, margin=D(0)),),
        free="20000",
    )
    assert made.legs == without.legs


def test_another_short_takes_its_maintenance_margin_away() -> None:
    made = plan(Holding("SOL", D(120)), Holding("BTC", D("0.1")), free="20000")
    sol = next(leg for leg in made.legs if leg.symbol.startswith("SOL"))
    # 20,000 - 9 of fees - 1 % of 4,500 of BTC, the rest as above
    assert sol.liquidation_price == D("367.94")


def test_a_position_that_ends_flat_has_no_liquidation_price() -> None:
    made = unwind(
        rule=HedgeRule(),
        positions=[short("SOL", "-9")],
        snapshot=market(),
        holdings=[],
        betas={},
        free_collateral=D(9),
    )
    assert made.legs[0].liquidation_price is None
