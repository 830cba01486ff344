"""Which short answers which holding; wrapped, staked and renamed coins; and what cannot be hedged at all."""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from hedging.assets import table
from hedging.errors import NotEnoughHistory, NothingToHedge
from hedging.market import Quote, Snapshot
from hedging.portfolio import Holding
from hedging.ratio import Estimate
from hedging.rules import HedgeRule
from tests.hedging.plan.market import BETAS, PRICES, check, contract, market, plan, traded


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


@pytest.mark.parametrize(
    "holdings", [(), (Holding("USDT", D(100)),), (Holding("NEW", D(1)),), (Holding("SOL", D(0)),)]
)
def test_without_a_priced_exposed_holding_there_is_nothing_to_hedge(holdings: tuple[Holding, ...]) -> None:
    with pytest.raises(NothingToHedge):
        plan(*holdings)


def test_without_history_and_without_a_perpetual_it_says_so() -> None:
    with pytest.raises(NotEnoughHistory):
        plan(Holding("XYZ", D(100)), betas={})


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


def test_a_snapshot_may_know_more_coins_than_the_table() -> None:
    mine = table(
        ["name,asset,units,kind", "MYETH,ETH,,staked", "MYUSD,USD,1,stable", "OLDSOL,SOL,10,renamed"]
    )
    snapshot = replace(priced(MYETH="3600", MYUSD="0.99"), aliases=mine)
    made = plan(
        Holding("MYETH", D(1)), Holding("MYUSD", D(900)), Holding("OLDSOL", D(2)), snapshot=snapshot,
        rule=HedgeRule(D(1)), betas={**BETAS, "ETH": Estimate(1.1, 0.1, 0.6, 500)},
    )  # fmt: skip
    assert [(c.asset, c.value, c.reason, c.symbol) for c in made.choices] == [
        ("MYETH", D(3600), "direct", "ETH/USDT:USDT"),
        ("MYUSD", D(891), "stablecoin", None),
        ("OLDSOL", D(3000), "cross", "BTC/USDT:USDT"),  # ten SOL each, which have no perpetual here
    ]
    # By hand: 3600 dollars at ETH's beta of 1.1, 3000 at SOL's of 1.5; the dollars move nothing.
    assert made.before.gross == D(3600) * D("1.1") + D(3000) * D("1.5")
    assert traded(made) == {"ETH/USDT:USDT": ("sell", D("1.20")), "BTC/USDT:USDT": ("sell", D("0.075"))}


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
