"""Whole checklists: key, passed, reason and every figure, as the views get them."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, localcontext
from decimal import Decimal as D

import pytest

from hedging.errors import NotEnoughHistory, NothingToHedge
from hedging.plan import Choice, HedgePlan, exposure, propose, unwind
from hedging.plan.checklist import plain
from hedging.portfolio import Holding
from hedging.ratio import Estimate
from hedging.rules import HedgeRule
from tests.hedging.plan.market import BETAS, PRICES, check, contract, market, plan, short, traded

Told = dict[str, tuple[bool, str, Mapping[str, str]]]


def told(made: HedgePlan) -> Told:
    return {c.key: (c.passed, c.reason, c.facts) for c in made.checks}


def test_a_first_hedge_that_is_all_right() -> None:
    # 18,000 of SOL, three quarters short: 13,500; half of it as margin, 6.75 of fee.
    assert told(plan(Holding("SOL", D(120)), Holding("USDT", D(500)))) == {
        "value": (True, "priced", {"value": "18500"}),
        "instrument": (True, "found", {"direct": "SOL"}),
        "ratio": (True, "on_target", {"target": "0.75", "band": "0.1", "before": "0", "after": "0.75"}),
        "leverage": (
            True,
            "low",
            {
                "leverage": "2",
                "at_most": "5",
                "needed": "6756.75",
                "free": "100000",
                "survives": "7.3237",
                "survives_at_least": "0.3",
            },
        ),
        "margin_mode": (True, "cross", {}),
        "funding": (True, "receives", {"per_month": "121.5", "share": "0.009", "limit": "0.02"}),
        "exit": (True, "unhedge", {"band": "0.1"}),
    }


def test_a_hedge_with_everything_against_it() -> None:
    made = plan(
        Holding("SOL", D(120)),
        Holding("XYZ", D(500)),
        Holding("ODD", D(400)),
        Holding("LOST", D(1)),
        Holding("NEW", D(1)),
        Holding("GONE", D(1)),
        positions=(short("ADA", "100"), short("SOL", "-9", mode="isolated")),
        snapshot=market(funding="-0.0003", depth="100", prices=PRICES | {"LOST": D(7)}),
        free="100.005",
    )
    # Beta-weighted: 27,000 + 1,200 + 3,200 + 7; offset 2,025 before, 13,500 x 1.5 + 900 after.
    assert told(made) == {
        "value": (False, "no_price", {"value": "23007", "unpriced": "NEW, GONE"}),
        "instrument": (
            False,
            "not_all",
            {"direct": "SOL", "cross": "XYZ", "no_history": "LOST", "weak_fit": "ODD"},
        ),
        "ratio": (
            True,
            "on_target",
            {"target": "0.75", "band": "0.1", "before": "0.064476", "after": "0.673417"},
        ),
        "leverage": (
            False,
            "not_enough_collateral",
            {
                "leverage": "2",
                "at_most": "5",
                "needed": "6531.52",
                "free": "100",
                "survives": "0",
                "survives_at_least": "0.3",
            },
        ),
        "margin_mode": (False, "isolated", {"symbols": "SOL/USDT:USDT"}),
        "funding": (False, "costly", {"per_month": "-388.8", "share": "-0.027", "limit": "0.02"}),
        "exit": (
            False,
            "thin_market",
            {"band": "0.1", "left_alone": "ADA/USDT:USDT", "symbols": "SOL/USDT:USDT"},
        ),
    }


def test_a_hedge_that_is_taken_off() -> None:
    made = unwind(
        rule=HedgeRule(),
        positions=[short("SOL", "-60")],
        snapshot=market(),
        holdings=[Holding("SOL", D(120))],
        betas=BETAS,
    )
    assert told(made) == {
        "value": (True, "priced", {"value": "18000"}),
        "instrument": (True, "found", {"direct": "SOL"}),
        "ratio": (True, "closed", {"target": "0", "band": "0.1", "before": "0.5", "after": "0"}),
        "leverage": (True, "closed", {"leverage": "2", "at_most": "5", "needed": "4.5", "free": "0"}),
        "margin_mode": (True, "cross", {}),
        "funding": (True, "none", {"per_month": "0", "share": "0", "limit": "0.02"}),
        "exit": (True, "closed", {"band": "0.1"}),
    }


def test_a_hedge_that_cannot_be_taken_off_because_nothing_is_quoted() -> None:
    old = replace(short("SOL", "-60"), symbol="OLD/USDT:USDT")
    made = unwind(
        rule=HedgeRule(),
        positions=[old, short("BTC", "-0.1")],
        snapshot=replace(market(), quotes={}),
        holdings=[Holding("SOL", D(120))],
        betas=BETAS,
    )
    assert made.legs == ()
    got = told(made)
    # SOL's perpetual and the short of BTC have no price just now.
    assert got["instrument"] == (False, "paused", {"direct": "SOL", "paused": "BTC/USDT:USDT"})
    assert got["ratio"] == (
        False,
        "not_closed",
        {"target": "0", "band": "0.1", "before": "0.222222", "after": "0.222222"},
    )
    assert got["exit"] == (
        False,
        "thin_market",
        {"band": "0.1", "left_alone": "OLD/USDT:USDT, BTC/USDT:USDT", "symbols": "BTC/USDT:USDT"},
    )


def test_a_plan_with_nothing_to_trade_still_says_why() -> None:
    got = told(plan(Holding("ODD", D(100)), Holding("XYZ", D("0.1")), rule=HedgeRule(D("0.75"), leverage=3)))
    assert got["instrument"] == (False, "none", {"too_small": "XYZ", "weak_fit": "ODD"})
    assert got["ratio"][1] == "below_target"
    assert got["leverage"] == (
        True,
        "low",
        {"leverage": "3", "at_most": "5", "needed": "0", "free": "100000"},
    )
    assert got["funding"] == (True, "none", {"per_month": "0", "share": "0", "limit": "0.02"})


def test_coverage_exactly_at_the_bands_edge_is_on_target() -> None:
    # 90 of 120 SOL short; asked for 65 %, with a band of 10 %: three quarters is just inside.
    rule = HedgeRule(D("0.65"), band=D("0.10"))
    made = unwind(rule=rule, positions=[], snapshot=market(), holdings=[Holding("SOL", D(120))], betas=BETAS)
    assert told(made)["ratio"][1] == "closed"
    kept = plan(Holding("ADA", D(12)), rule=rule, positions=(short("ADA", "-9"),))
    assert kept.legs == (), "the gap is below the smallest order"
    assert told(kept)["ratio"][:2] == (True, "on_target")


def test_a_rally_of_exactly_what_must_be_survived_is_survived() -> None:
    # Needed of 13,500 short: 30 % lost and 1 % of maintenance on what is then 30 % more, and the fee.
    enough = D(13_500) * D("0.3") + D(135) * D("1.3") + D("6.75")
    rule = HedgeRule(D("0.75"), leverage=5)
    assert told(plan(Holding("SOL", D(120)), rule=rule, free=str(enough)))["leverage"][:2] == (True, "low")
    nearly = told(plan(Holding("SOL", D(120)), rule=rule, free=str(enough - D("0.01"))))["leverage"]
    assert nearly[:2] == (False, "liquidation_near")
    assert nearly[2]["survives"] == "0.3", "told in four digits, judged in all of them"


def test_funding_of_exactly_the_limit_is_small_and_none_at_all_is_received() -> None:
    holding = Holding("SOL", D(120))
    assert told(plan(holding, snapshot=market(funding="0")))["funding"][:2] == (True, "receives")
    assert told(plan(holding, snapshot=market(funding="0.0000001")))["funding"][:2] == (True, "receives")
    assert told(plan(holding, snapshot=market(funding="-0.00022222")))["funding"][:2] == (True, "small")
    assert told(plan(holding, snapshot=market(funding="-0.00022223")))["funding"][:2] == (False, "costly")


def test_figures_are_told_in_as_many_digits_as_they_deserve() -> None:
    made = plan(Holding("SOL", D("120.123456")), positions=(short("SOL", "-7"),), free="10000.126")
    got = told(made)
    assert got["value"][2] == {"value": "18018.52"}
    assert got["ratio"][2]["before"] == "0.058273"
    assert got["leverage"][2]["free"] == "10000.13"
    assert len(got["leverage"][2]["survives"]) == len("0.7225")
    assert got["funding"][2]["share"] == "0.009"


@pytest.mark.parametrize(
    ("number", "places", "text"),
    [
        ("0", 18, "0"),
        ("0.000", 18, "0"),
        ("-0.10", 18, "-0.1"),
        ("1000", 18, "1000"),
        ("1E+3", 2, "1000"),
        ("100.00", 18, "100"),
        ("0.125", 2, "0.12"),
        ("0.126", 2, "0.13"),
        ("12.5", 2, "12.5"),
        ("0.1234567890123456789", 18, "0.123456789012345679"),
    ],
)
def test_plain_text_of_a_number(number: str, places: int, text: str) -> None:
    assert plain(D(number), places) == text


def test_halves_are_rounded_to_even_whatever_a_library_has_told_the_context() -> None:
    with localcontext(rounding=ROUND_HALF_UP):
        assert plain(D("0.125"), 2) == "0.12"


def test_plain_text_has_eighteen_places_unless_asked_otherwise() -> None:
    assert plain(D(1) / 3) == "0.333333333333333333"


# Choices and exposure


@pytest.mark.parametrize(
    ("asset", "betas", "choice"),
    [
        ("USDT", BETAS, Choice("USDT", D(1000), "none", None, 0.0, 1.0, 0.0, 0.0, "stablecoin")),
        ("NEW", BETAS, Choice("NEW", D(0), "none", None, 0.0, 1.0, 0.0, 0.0, "no_price")),
        ("XYZ", {}, Choice("XYZ", D(2000), "none", None, 0.0, 1.0, 0.0, 0.0, "no_history")),
        ("ODD", BETAS, Choice("ODD", D(10_000), "none", None, 0.0, 0.8, 0.4, 0.05, "weak_fit")),
        (
            "ODD",
            {"ODD": Estimate(0.0, 0.1, 0.5, 500)},
            Choice("ODD", D(10_000), "none", None, 0.0, 0.0, 0.1, 0.5, "weak_fit"),
        ),
        ("XYZ", BETAS, Choice("XYZ", D(2000), "cross", "BTC/USDT:USDT", 1.2, 1.2, 0.1, 0.4, "cross")),
        ("SOL", BETAS, Choice("SOL", D(150_000), "direct", "SOL/USDT:USDT", 1.0, 1.5, 0.1, 0.6, "direct")),
        ("BTC", {}, Choice("BTC", D(60_000_000), "direct", "BTC/USDT:USDT", 1.0, 1.0, 0.0, 1.0, "direct")),
    ],
)
def test_every_choice_says_what_it_knows(asset: str, betas: dict[str, Estimate], choice: Choice) -> None:
    assert plan(Holding("ADA", D(100_000)), Holding(asset, D(1000)), betas=betas).choices[1] == choice


def test_without_the_factors_contract_the_choice_is_told_with_its_beta() -> None:
    made = plan(Holding("SOL", D(10)), Holding("XYZ", D(10)), snapshot=market(contract("SOL", "0.1")))
    assert made.choices[1] == Choice("XYZ", D(20), "none", None, 0.0, 1.2, 0.1, 0.4, "no_contract")


def test_a_coin_of_its_own_perpetual_is_not_shorted_through_what_it_stands_for() -> None:
    # Both stETH and ETH have a perpetual here: the nearer one is taken, and its beta is the coin's own.
    prices = PRICES | {"STETH": D(2990), "ETH": D(3000)}
    contracts = (contract("BTC"), contract("ETH", "0.01"))
    own = replace(contract("ETH", "0.01"), symbol="STETH/USDT:USDT", base="STETH")
    quotes = market(*contracts).quotes
    snapshot = replace(
        market(*contracts, prices=prices),
        contracts={c.symbol: c for c in (*contracts, own)},
        quotes={**quotes, own.symbol: replace(quotes["ETH/USDT:USDT"], symbol=own.symbol, mark=D(2990))},
    )
    betas = {"ETH": Estimate(1.1, 0.1, 0.8, 500), "STETH": Estimate(1.2, 0.2, 0.7, 400)}
    made = plan(Holding("STETH", D(10)), snapshot=snapshot, betas=betas)
    assert set(traded(made)) == {"STETH/USDT:USDT"}
    assert (made.choices[0].beta, made.choices[0].beta_se) == (1.2, 0.2)
    through = plan(
        Holding("STETH", D(10)), snapshot=market(*contracts, prices=prices), betas={"ETH": betas["ETH"]}
    )
    assert set(traded(through)) == {"ETH/USDT:USDT"}
    assert through.choices[0].beta == 1.1, "without an estimate of its own it has that of its coin"


def test_a_renamed_coin_counts_as_many_as_the_swap_gives() -> None:
    # One MKR became 24,000 SKY.
    prices = PRICES | {"SKY": D("0.07")}
    assert plan(Holding("SOL", D(1)), Holding("MKR", D(2)), snapshot=market(prices=prices)).choices[
        1
    ].value == D(3360)


def test_the_factor_is_measured_against_itself_and_a_beta_that_is_no_number_counts_as_one() -> None:
    rough = BETAS | {"BTC": Estimate(0.7, 0.3, 0.2, 9), "ETH": Estimate(float("nan"), 0.1, 0.5, 9)}
    got = exposure(
        [Holding("BTC", D(1)), Holding("ETH", D(1))], [short("BTC", "-0.5")], market(), rough, "BTC"
    )
    assert (got.gross, got.offset) == (D(63_000), D(30_000))


def test_flat_and_long_positions_offset_nothing_and_shorts_count_at_the_market() -> None:
    stale = replace(short("SOL", "-10"), mark_price=D(1))
    got = exposure(
        [Holding("SOL", D(100))], [stale, short("BTC", "0"), short("ADA", "0.5")], market(), BETAS, "BTC"
    )
    assert got.offset == D(10 * 150) * D("1.5")
    unquoted = replace(market(), quotes={})
    assert exposure([], [stale], unquoted, BETAS, "BTC").offset == D(10) * D("1.5")


def test_what_cannot_be_planned_is_told_in_one_sentence() -> None:
    with pytest.raises(NothingToHedge) as nothing:
        plan(Holding("USDT", D(100)), Holding("NEW", D(1)))
    assert str(nothing.value) == "There is no holding with a price that a short could protect."
    with pytest.raises(NotEnoughHistory) as unknown:
        plan(Holding("XYZ", D(1)), betas={})
    assert str(unknown.value) == "There is too little price history to measure how these coins move."


def test_what_an_earlier_hedge_left_in_either_factor_is_closed() -> None:
    both = market(contract("BTC"), contract("ETH"), contract("SOL", "0.1"))
    for factor in ("BTC", "ETH"):
        made = propose(
            rule=HedgeRule(D("0.75"), factor=factor),
            holdings=[Holding("SOL", D(120))],
            positions=[short("BTC", "-0.1"), short("ETH", "-1")],
            snapshot=both,
            betas=BETAS,
            free_collateral=D(100_000),
        )
        assert traded(made) == {
            "BTC/USDT:USDT": ("buy", D("0.1")),
            "ETH/USDT:USDT": ("buy", D(1)),
            "SOL/USDT:USDT": ("sell", D("90.0")),
        }
        assert check(made, "exit").passed
