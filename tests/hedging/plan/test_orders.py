"""How much is traded, and in which order."""

from dataclasses import replace
from decimal import Decimal as D

from hedging.portfolio import Holding
from tests.hedging.plan.market import check, contract, market, plan, short, traded


def test_only_the_gap_to_the_present_short_is_traded() -> None:
    made = plan(Holding("SOL", D(120)), positions=(short("SOL", "-60"),))
    assert traded(made) == {"SOL/USDT:USDT": ("sell", D("30.0"))}
    assert made.legs[0].position_after == D(-90) and not made.legs[0].reduce_only


def test_too_large_a_short_is_bought_back_reduce_only_without_margin() -> None:
    leg = plan(Holding("SOL", D(120)), positions=(short("SOL", "-100"),)).legs[0]
    assert (leg.side, leg.contracts, leg.reduce_only, leg.margin) == ("buy", D("10.0"), True, D(0))
    assert leg.position_after == D(-90)


def test_at_the_target_there_is_nothing_to_trade() -> None:
    made = plan(Holding("SOL", D(120)), positions=(short("SOL", "-90"),))
    assert made.legs == () and made.before == made.after and all(c.passed for c in made.checks)


def test_a_short_off_the_lot_is_bought_back_to_the_target_or_just_below_it() -> None:
    made = plan(Holding("SOL", D(120)), positions=(short("SOL", "-100.05"),))
    assert made.legs[0].contracts == D("10.1") and made.legs[0].position_after == D("-89.95")


def test_a_factor_short_that_protects_nothing_any_more_is_closed() -> None:
    made = plan(Holding("SOL", D(120)), positions=(short("BTC", "-0.5"),))
    assert traded(made)["BTC/USDT:USDT"] == ("buy", D("0.5"))


def test_a_short_of_the_other_factor_is_closed_when_the_rule_changed() -> None:
    snapshot = market(contract("BTC"), contract("ETH"))
    made = plan(Holding("XYZ", D(5000)), positions=(short("ETH", "-3"),), snapshot=snapshot)
    assert traded(made) == {"ETH/USDT:USDT": ("buy", D(3)), "BTC/USDT:USDT": ("sell", D("0.150"))}


def test_orders_that_free_margin_come_first_and_then_the_largest() -> None:
    made = plan(
        Holding("SOL", D(120)),
        Holding("ADA", D(1000)),
        Holding("XYZ", D(100)),
        positions=(short("BTC", "-0.5"),),
    )
    assert [leg.symbol[:3] for leg in made.legs] == ["BTC", "SOL", "ADA"]
    assert [leg.reduce_only for leg in made.legs] == [True, False, False]


def test_a_long_position_is_left_alone_and_named() -> None:
    made = plan(Holding("SOL", D(120)), Holding("ADA", D(1000)), positions=(short("SOL", "5"),))
    assert set(traded(made)) == {"ADA/USDT:USDT"}
    assert check(made, "exit").facts["left_alone"] == "SOL/USDT:USDT"
    assert made.after.offset == D("375") * D("1.25"), "a long offsets nothing"


def test_a_short_that_answers_no_holding_any_more_is_closed() -> None:
    made = plan(Holding("SOL", D(120)), positions=(short("ADA", "-100"),))
    assert traded(made)["ADA/USDT:USDT"] == ("buy", D(100))
    assert [(leg.reduce_only, leg.assets) for leg in made.legs if leg.symbol == "ADA/USDT:USDT"] == [
        (True, ())
    ]
    assert made.after.coverage <= D("0.75")


def test_a_short_that_nothing_quotes_any_more_is_left_alone_and_named() -> None:
    delisted = replace(short("ADA", "-9"), symbol="GONE/USDT:USDT")
    made = plan(Holding("SOL", D(120)), positions=(delisted,))
    assert set(traded(made)) == {"SOL/USDT:USDT"}
    assert check(made, "exit").facts["left_alone"] == "GONE/USDT:USDT"


def test_less_than_the_smallest_order_is_left_out_with_its_reason() -> None:
    made = plan(Holding("SOL", D(120)), Holding("ADA", D(13)))  # 9 ADA are 4.50, the smallest order is 5
    assert set(traded(made)) == {"SOL/USDT:USDT"}
    assert (made.choices[1].method, made.choices[1].reason) == ("none", "too_small")
    assert check(made, "instrument").facts["too_small"] == "ADA"


def test_exactly_the_smallest_order_is_sent() -> None:
    assert traded(plan(Holding("ADA", D(14)))) == {"ADA/USDT:USDT": ("sell", D(10))}


def test_less_than_the_smallest_amount_is_left_out() -> None:
    big = replace(contract("SOL", "0.1"), min_amount=D(91))
    assert plan(Holding("SOL", D(120)), snapshot=market(contract("BTC"), big)).legs == ()


def test_a_gap_too_small_to_trade_at_an_open_short_is_no_failure() -> None:
    made = plan(Holding("ADA", D(1000)), positions=(short("ADA", "-745"),))
    assert made.legs == () and check(made, "instrument").passed


def test_a_short_below_the_smallest_order_can_still_be_closed() -> None:
    made = plan(Holding("SOL", D(120)), positions=(short("BTC", "-0.00005"),))
    assert traded(made)["BTC/USDT:USDT"] == ("buy", D("0.00005"))


def test_a_plan_can_have_no_leg_at_all() -> None:
    made = plan(Holding("ADA", D(1)))
    assert made.legs == () and check(made, "instrument").reason == "none" and not check(made, "ratio").passed
