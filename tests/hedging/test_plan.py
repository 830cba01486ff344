import hashlib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.errors import NotEnoughHistory, NothingToHedge
from hedging.market import Quote, Snapshot
from hedging.plan import HedgePlan, digest, exposure, unwind
from hedging.portfolio import Holding, Position
from hedging.ratio import Estimate
from hedging.rules import HedgeRule
from tests.hedging.plan_market import (
    BETAS,
    NOW,
    PRICES,
    carried_out,
    check,
    contract,
    market,
    plan,
    short,
    traded,
)

# Which short answers which holding


def test_a_coin_with_a_perpetual_is_shorted_directly_at_the_target_share() -> None:
    assert traded(plan(Holding("SOL", D(120)))) == {"SOL/USDT:USDT": ("sell", D("90.0"))}


def test_a_coin_without_a_perpetual_is_shorted_through_the_factor_in_proportion_to_its_beta() -> None:
    made = plan(Holding("XYZ", D(5000)))  # 10,000 x 1.2 x 0.75 = 9,000 of BTC at 60,000
    assert traded(made) == {"BTC/USDT:USDT": ("sell", D("0.150"))}
    assert made.choices[0].method == "cross" and made.choices[0].ratio == 1.2


def test_cross_hedges_and_the_factor_itself_share_one_leg() -> None:
    made = plan(Holding("XYZ", D(5000)), Holding("BTC", D("0.1")))  # (12,000 + 6,000) x 0.75 / 60,000
    assert traded(made) == {"BTC/USDT:USDT": ("sell", D("0.225"))}
    assert made.legs[0].assets == ("XYZ", "BTC")


def test_without_betas_a_direct_short_still_works_and_says_what_it_assumed() -> None:
    made = plan(Holding("SOL", D(120)), betas={})
    assert traded(made) == {"SOL/USDT:USDT": ("sell", D("90.0"))}
    assert made.before.gross == D(18000)
    assert check(made, "ratio").facts["beta_assumed"] == "SOL"


def test_the_factor_needs_no_estimate() -> None:
    made = plan(Holding("BTC", D(1)), betas={})
    assert "beta_assumed" not in check(made, "ratio").facts
    assert made.choices[0].r_squared == 1.0


@pytest.mark.parametrize(
    ("asset", "betas", "reason"),
    [
        ("ODD", BETAS, "weak_fit"),
        ("ODD", {"ODD": Estimate(-0.5, 0.1, 0.5, 500)}, "weak_fit"),
        ("ODD", {"ODD": Estimate(0.5, 0.1, float("nan"), 500)}, "weak_fit"),
        ("ODD", {}, "no_history"),
        ("NEW", BETAS, "no_price"),
        ("USDT", BETAS, "stablecoin"),
    ],
)
def test_a_holding_that_is_not_hedged_has_its_reason(
    asset: str, betas: dict[str, Estimate], reason: str
) -> None:
    made = plan(Holding("SOL", D(120)), Holding(asset, D(100)), betas=betas)
    assert (made.choices[1].method, made.choices[1].reason) == ("none", reason)
    assert set(traded(made)) == {"SOL/USDT:USDT"}


def test_a_tenth_of_the_variance_is_just_enough_for_a_cross_hedge() -> None:
    made = plan(Holding("ODD", D(1000)), betas={"ODD": Estimate(0.8, 0.1, 0.1, 500)})
    assert made.choices[0].reason == "cross"


def test_without_the_factors_perpetual_there_is_no_cross_hedge() -> None:
    made = plan(Holding("XYZ", D(100)), Holding("SOL", D(10)), snapshot=market(contract("SOL", "0.1")))
    assert made.choices[0].reason == "no_contract"


def test_a_weak_fit_is_counted_as_exposure_with_its_beta() -> None:
    assert plan(Holding("SOL", D(100)), Holding("ODD", D(100))).before.gross == D(22500) + D(800)


def test_a_beta_below_zero_counts_as_none() -> None:
    betas = BETAS | {"ODD": Estimate(-0.5, 0.1, 0.5, 500)}
    assert plan(Holding("SOL", D(100)), Holding("ODD", D(100)), betas=betas).before.gross == D(22500)


def test_ethereum_can_be_the_factor() -> None:
    made = plan(
        Holding("XYZ", D(5000)), rule=HedgeRule(target=D(1), factor="ETH"), snapshot=market(contract("ETH"))
    )
    assert traded(made) == {"ETH/USDT:USDT": ("sell", D("4.000"))}


# How much is traded


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


# What it costs


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


# The seven checkpoints


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


# The way out


def close(*positions: Position, snapshot: Snapshot | None = None) -> HedgePlan:
    return unwind(
        rule=HedgeRule(target=D("0.75")),
        positions=positions,
        snapshot=snapshot or market(),
        holdings=[Holding("SOL", D(120)), Holding("XYZ", D(100))],
        betas=BETAS,
    )


def test_unwinding_closes_every_short_whatever_it_protects() -> None:
    made = close(short("SOL", "-90"), short("BTC", "-0.2"), short("ADA", "-0.4"))
    assert traded(made) == {
        "BTC/USDT:USDT": ("buy", D("0.2")),
        "SOL/USDT:USDT": ("buy", D(90)),
        "ADA/USDT:USDT": ("buy", D("0.4")),
    }
    assert all(leg.reduce_only and leg.position_after == 0 and leg.margin == 0 for leg in made.legs)
    assert {leg.symbol[:3]: leg.assets for leg in made.legs} == {"BTC": ("XYZ",), "SOL": ("SOL",), "ADA": ()}
    assert made.purpose == "unhedge" and made.after.coverage == 0 and made.funding_per_month == 0
    assert all(c.passed for c in made.checks if c.key != "instrument")


def test_unwinding_leaves_longs_and_delisted_contracts_alone_and_names_them() -> None:
    delisted = replace(short("ADA", "-9"), symbol="GONE/USDT:USDT")
    made = close(short("SOL", "5"), delisted)
    assert made.legs == ()
    assert check(made, "exit").facts["left_alone"] == "SOL/USDT:USDT, GONE/USDT:USDT"


def test_a_position_that_is_flat_is_neither_closed_nor_named() -> None:
    made = close(short("SOL", "0"))
    assert made.legs == ()
    assert "left_alone" not in check(made, "exit").facts


def test_a_long_of_one_contract_is_named_like_any_other() -> None:
    assert check(close(short("SOL", "1")), "exit").facts["left_alone"] == "SOL/USDT:USDT"


def test_a_short_without_a_quote_still_counts_at_its_last_mark() -> None:
    snapshot = market()
    quiet = replace(snapshot, quotes={s: q for s, q in snapshot.quotes.items() if not s.startswith("SOL")})
    made = close(short("SOL", "-90"), snapshot=quiet)
    assert made.after.offset == D(13500) * D("1.5") and not check(made, "ratio").passed


# Refusals


@pytest.mark.parametrize(
    "holdings", [(), (Holding("USDT", D(100)),), (Holding("NEW", D(1)),), (Holding("SOL", D(0)),)]
)
def test_without_a_priced_exposed_holding_there_is_nothing_to_hedge(holdings: tuple[Holding, ...]) -> None:
    with pytest.raises(NothingToHedge):
        plan(*holdings)


def test_without_history_and_without_a_perpetual_it_says_so() -> None:
    with pytest.raises(NotEnoughHistory):
        plan(Holding("XYZ", D(100)), betas={})


# Exposure


def test_exposure_weighs_holdings_and_shorts_by_their_betas() -> None:
    got = exposure(
        [Holding("SOL", D(100)), Holding("USDT", D(500)), Holding("TUSD", D(7)), Holding("NEW", D(3))],
        [short("SOL", "-50"), short("BTC", "-0.1")],
        market(),
        BETAS,
        "BTC",
    )
    assert (got.value, got.gross) == (D(15507), D(22500))
    assert got.offset == D(7500) * D("1.5") + D(6000)
    assert got.coverage == got.offset / got.gross


def test_there_is_nothing_to_cover_without_exposure() -> None:
    assert exposure([], [short("SOL", "-50")], market(), BETAS, "BTC").coverage == 0


# The digest


def test_the_digest_is_over_what_is_sent_and_for_whom() -> None:
    made = plan(Holding("SOL", D(120)))
    leg = made.legs[0]
    changed = [
        replace(leg, contracts=D("90.1")),
        replace(leg, limit_price=D("148.51")),
        replace(leg, side="buy"),
        replace(leg, reduce_only=True),
        replace(leg, leverage=3),
        replace(leg, symbol="ADA/USDT:USDT"),
    ]
    digests = {digest(replace(made, legs=(other,)), 1) for other in changed} | {
        digest(made, 1),
        digest(made, 2),
    }
    digests |= {digest(replace(made, legs=()), 1), digest(replace(made, purpose="rebalance"), 1)}
    assert len(digests) == 10 and all(len(d) == 64 for d in digests)


def test_the_digest_never_changes_its_form() -> None:
    """Cards that were shown before an update must still match after it."""
    told = '[7,"hedge","paper",[["SOL/USDT:USDT","sell","90","148.5",false,2]]]'
    assert digest(plan(Holding("SOL", D(120))), 7) == hashlib.sha256(told.encode()).hexdigest()


def test_the_same_amounts_written_differently_have_the_same_digest() -> None:
    made = plan(Holding("SOL", D(120)))
    leg = made.legs[0]
    rewritten = replace(leg, contracts=D("9E+1"), limit_price=D("148.5000"), notional=D(1))
    assert digest(made, 1) == digest(replace(made, legs=(rewritten,)), 1)


# What always holds

AMOUNTS = st.decimals("0.01", "100000", places=2)
HOLDINGS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("BTC", "SOL", "ADA", "XYZ", "ODD"), AMOUNTS)
).filter(lambda held: set(held) & {"BTC", "SOL", "ADA", "XYZ"})
TARGETS = st.decimals("0.25", "1", places=2)
SHORTS = st.fixed_dictionaries(
    {}, optional={a: st.decimals("0.001", "5000", places=3) for a in ("BTC", "SOL", "ADA")}
)


def as_holdings(held: Mapping[str, D], scale: int = 1) -> list[Holding]:
    return [Holding(asset, amount * scale) for asset, amount in held.items()]


def wished(made: HedgePlan) -> dict[str, float]:
    """What each instrument should be short before rounding, from the choices alone."""
    sums: dict[str, float] = {}
    for c in made.choices:
        if c.symbol is not None:
            sums[c.symbol] = sums.get(c.symbol, 0.0) + float(made.target * c.value) * c.ratio
    return sums


@given(held=HOLDINGS, target=TARGETS, scale=st.integers(2, 50))
def test_scaling_the_holdings_scales_the_hedge(held: Mapping[str, D], target: D, scale: int) -> None:
    fine = market(*(contract(b, "0.000000001", min_notional="0") for b in ("BTC", "SOL", "ADA")))
    one = plan(*as_holdings(held), rule=HedgeRule(target), snapshot=fine)
    many = plan(*as_holdings(held, scale), rule=HedgeRule(target), snapshot=fine)
    small = {leg.symbol: leg.contracts for leg in one.legs}
    large = {leg.symbol: leg.contracts for leg in many.legs}
    assert small.keys() == large.keys()
    for symbol, contracts in large.items():
        assert 0 <= contracts - small[symbol] * scale <= D("0.000000001") * scale


@given(held=HOLDINGS, target=TARGETS, cash=AMOUNTS)
def test_adding_a_stablecoin_changes_nothing(held: Mapping[str, D], target: D, cash: D) -> None:
    without = plan(*as_holdings(held), rule=HedgeRule(target))
    with_cash = plan(*as_holdings(held), Holding("USDT", cash), rule=HedgeRule(target))
    assert with_cash.legs == without.legs
    assert (with_cash.after.gross, with_cash.after.offset) == (without.after.gross, without.after.offset)


@given(held=HOLDINGS, target=TARGETS, shorts=SHORTS)
def test_rounding_never_exceeds_the_target_and_closing_never_flips(
    held: Mapping[str, D], target: D, shorts: Mapping[str, D]
) -> None:
    positions = tuple(short(asset, str(-amount)) for asset, amount in shorts.items())
    made = plan(*as_holdings(held), rule=HedgeRule(target), positions=positions)
    wish = wished(made)
    for leg in made.legs:
        assert leg.position_after <= 0, "a short never becomes a long"
        if leg.reduce_only:
            assert leg.contracts <= shorts[leg.symbol.split("/")[0]]
        assert float(-leg.position_after * leg.mark_price) <= wish.get(leg.symbol, 0.0) * (1 + 1e-12)


@given(held=HOLDINGS, target=TARGETS)
def test_coverage_after_is_the_target_within_the_lots(held: Mapping[str, D], target: D) -> None:
    covered = {asset: amount for asset, amount in held.items() if asset != "ODD"}
    snapshot = market(
        *(contract(b, lot, min_notional="0") for b, lot in (("BTC", "0.001"), ("SOL", "0.1"), ("ADA", "1")))
    )
    made = plan(*as_holdings(covered), rule=HedgeRule(target), snapshot=snapshot)
    lots = D(60) + D(15) * D("1.5") + D("0.5") * D("1.25")
    assert made.after.coverage <= target
    assert made.after.coverage >= target - lots / made.after.gross


@given(held=HOLDINGS, target=TARGETS, shorts=SHORTS)
def test_carrying_a_plan_out_leaves_nothing_to_do(
    held: Mapping[str, D], target: D, shorts: Mapping[str, D]
) -> None:
    positions = tuple(short(asset, str(-amount)) for asset, amount in shorts.items())
    made = plan(*as_holdings(held), rule=HedgeRule(target), positions=positions)
    again = plan(*as_holdings(held), rule=HedgeRule(target), positions=carried_out(made, positions))
    assert again.legs == ()
    assert again.before.offset == made.after.offset


# Wrapped, staked, renamed coins and contracts by the thousand


def priced(**prices: str) -> Snapshot:
    snapshot = market(contract("BTC"), contract("ETH", "0.01"))
    return replace(snapshot, spot={**PRICES, **{asset: D(price) for asset, price in prices.items()}})


def test_a_staked_coin_is_shorted_through_the_coin_it_stands_for() -> None:
    made = plan(Holding("WSTETH", D(1)), snapshot=priced(WSTETH="3600"), rule=HedgeRule(D(1)))
    assert traded(made) == {"ETH/USDT:USDT": ("sell", D("1.20"))}
    assert made.choices[0].reason == "direct"


def test_a_wrapped_coin_without_a_price_counts_as_what_it_is_redeemed_for() -> None:
    made = plan(Holding("WBTC", D("0.5")), snapshot=priced(), rule=HedgeRule(D(1)))
    assert traded(made) == {"BTC/USDT:USDT": ("sell", D("0.500"))}
    assert made.before.gross == D(30000)


def test_a_staked_coin_that_grows_needs_a_price_of_its_own() -> None:
    made = plan(Holding("BTC", D(1)), Holding("WSTETH", D(1)), snapshot=priced())
    assert made.choices[1].reason == "no_price"


def test_a_contract_by_the_thousand_answers_its_coin() -> None:
    thousand = replace(contract("BTC", "1", "0.0001"), symbol="1000PEPE/USDT:USDT", base="1000PEPE")
    quote = Quote(thousand.symbol, *(D("0.01"),) * 4, D(1_000_000))
    snapshot = replace(
        market(contract("BTC")),
        spot={**PRICES, "PEPE": D("0.00001")},
        contracts={"BTC/USDT:USDT": contract("BTC"), thousand.symbol: thousand},
        quotes={**market(contract("BTC")).quotes, thousand.symbol: quote},
    )
    betas = {"PEPE": Estimate(1.5, 0.1, 0.5, 500)}
    made = plan(Holding("PEPE", D(10_000_000)), snapshot=snapshot, rule=HedgeRule(D(1)), betas=betas)
    assert traded(made) == {"1000PEPE/USDT:USDT": ("sell", D(10_000))}
    assert made.after.offset == D(150), "its short counts with its coin's beta"
