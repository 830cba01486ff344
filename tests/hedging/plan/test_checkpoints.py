"""The seven checkpoints: when each passes, and why it does not."""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from hedging.plan import unwind
from hedging.portfolio import Holding
from hedging.rules import HedgeRule
from tests.hedging.plan.market import check, market, plan, short


def test_the_seven_checkpoints_are_always_there_in_order() -> None:
    keys = ["value", "instrument", "ratio", "leverage", "margin_mode", "funding", "exit"]
    made = plan(Holding("SOL", D(120)))
    assert [c.key for c in made.checks] == keys and all(c.passed for c in made.checks)
    closing = unwind(rule=HedgeRule(), positions=[], snapshot=market(), holdings=[], betas={})
    assert [c.key for c in closing.checks] == keys


def test_a_holding_without_a_price_fails_the_first() -> None:
    value = check(plan(Holding("SOL", D(120)), Holding("NEW", D(1))), "value")
    assert (value.passed, value.reason, value.facts) == (
        False,
        "no_price",
        {"value": "18000", "unpriced": "NEW"},
    )


def test_a_holding_without_an_instrument_fails_the_second() -> None:
    instrument = check(
        plan(Holding("SOL", D(120)), Holding("XYZ", D(100)), Holding("ODD", D(1))), "instrument"
    )
    assert (instrument.passed, instrument.reason) == (False, "not_all")
    assert instrument.facts == {"direct": "SOL", "cross": "XYZ", "weak_fit": "ODD"}


def test_coverage_that_cannot_reach_the_band_fails_the_third() -> None:
    ratio = check(plan(Holding("SOL", D(120)), Holding("ODD", D(2000))), "ratio")
    assert (ratio.passed, ratio.reason) == (False, "below_target")
    assert ratio.facts == {"target": "0.75", "band": "0.1", "before": "0", "after": "0.47093"}


def test_a_remainder_too_small_to_trade_away_can_leave_coverage_above_the_band() -> None:
    ratio = check(plan(Holding("ADA", D(7)), positions=(short("ADA", "-7"),)), "ratio")
    assert (ratio.passed, ratio.reason) == (False, "above_target")


@pytest.mark.parametrize(
    ("free", "passed"), [("6756.75", True), ("6756.74", False), ("0", False), ("-5", False)]
)
def test_margin_and_fee_must_be_there_in_full(free: str, passed: bool) -> None:
    leverage = check(plan(Holding("SOL", D(120)), free=free), "leverage")
    assert leverage.facts["needed"] == "6756.75"
    assert (leverage.reason != "not_enough_collateral") is passed


def test_taking_a_hedge_down_needs_no_collateral() -> None:
    made = plan(Holding("SOL", D(120)), positions=(replace(short("SOL", "-100"), margin=D(9000)),), free="0")
    assert check(made, "leverage").passed


@pytest.mark.parametrize(("free", "reason"), [("4233", "low"), ("4232", "liquidation_near")])
def test_the_shorts_must_survive_a_rise_of_thirty_percent(free: str, reason: str) -> None:
    # 13,500 short: 30 % up loses 4,050 and then needs 175.50 of maintenance margin; the fee is 6.75.
    leverage = check(
        plan(Holding("SOL", D(120)), rule=HedgeRule(D("0.75"), leverage=5), free=free), "leverage"
    )
    assert leverage.reason == reason
    assert leverage.facts["survives_at_least"] == "0.3"


def test_all_shorts_rise_together_in_that_reckoning() -> None:
    one = check(plan(Holding("SOL", D(80)), free="5000"), "leverage")
    two = check(plan(Holding("SOL", D(80)), Holding("BTC", D("0.2")), free="10000"), "leverage")
    assert one.facts["survives"] == two.facts["survives"]


def test_an_isolated_position_fails_the_margin_mode() -> None:
    mode = check(
        plan(Holding("SOL", D(120)), positions=(short("SOL", "-9", mode="isolated"),)), "margin_mode"
    )
    assert (mode.passed, mode.reason, mode.facts) == (False, "isolated", {"symbols": "SOL/USDT:USDT"})


@pytest.mark.parametrize(
    ("rate", "passed", "reason", "share"),
    [
        ("0.0001", True, "receives", "0.009"),
        ("-0.0002", True, "small", "-0.018"),
        ("-0.0003", False, "costly", "-0.027"),
    ],
)
def test_funding_is_judged_by_what_a_month_costs(rate: str, passed: bool, reason: str, share: str) -> None:
    funding = check(plan(Holding("SOL", D(120)), snapshot=market(funding=rate)), "funding")
    assert (funding.passed, funding.reason, funding.facts["share"]) == (passed, reason, share)


def test_unknown_funding_is_said() -> None:
    snapshot = replace(market(), funding={})
    funding = check(plan(Holding("SOL", D(120)), snapshot=snapshot), "funding")
    assert funding.facts["unknown"] == "SOL/USDT:USDT"


@pytest.mark.parametrize(("depth", "passed"), [("1350", True), ("1349", False)])
def test_a_market_too_thin_to_leave_within_the_slippage_fails_the_exit(depth: str, passed: bool) -> None:
    # 13,500 short; 1 % of slippage reaches ten times what stands within 0.1 %.
    way_out = check(plan(Holding("SOL", D(120)), snapshot=market(depth=depth)), "exit")
    assert (way_out.passed, way_out.reason) == (passed, "unhedge" if passed else "thin_market")
