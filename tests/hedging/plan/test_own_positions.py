"""What somebody opened by hand, on either side, and contracts that are about to end: what a plan makes of them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from hedging.plan import HedgePlan, exposure, propose, unwind
from hedging.portfolio import Holding, Position
from hedging.rules import HedgeRule
from tests.hedging.plan.market import BETAS, NOW, check, contract, market, short, traded

SOL, BTC, ADA = "SOL/USDT:USDT", "BTC/USDT:USDT", "ADA/USDT:USDT"
HELD = (Holding("SOL", D(120)),)  # 120 x 75 % = 90 SOL short


def long(base: str, contracts: str, *, leverage: int = 7, beside: bool = True) -> Position:
    return replace(short(base, contracts), leverage=leverage, beside=beside)


def planned(*positions: Position, own: dict[str, str] | None = None, **more: object) -> HedgePlan:
    given = {
        "rule": HedgeRule(target=D("0.75")),
        "holdings": HELD,
        "positions": positions,
        "snapshot": market(),
        "betas": BETAS,
        "free_collateral": D(100_000),
        "own": {symbol: D(amount) for symbol, amount in (own or {}).items()},
    }
    return propose(**(given | more))  # type: ignore[arg-type]


def test_a_short_of_ones_own_counts_towards_the_target() -> None:
    assert traded(planned(short("SOL", "-40"), own={SOL: "-40"})) == {SOL: ("sell", D("50.0"))}


@pytest.mark.parametrize(
    ("held", "own", "left"),
    [
        ("-150", "-60", "-90.0"),  # ours is enough to come down to the target
        ("-150", "-120", "-120.0"),  # only what is ours is bought back
        ("-150", "-150", None),  # nothing is ours
    ],
)
def test_what_is_ones_own_is_never_bought_back_by_a_rebalance(held: str, own: str, left: str | None) -> None:
    made = planned(short("SOL", held), own={SOL: own})
    assert [leg.position_after for leg in made.legs] == ([] if left is None else [D(left)])


@pytest.mark.parametrize(("own", "closed"), [("-3000", None), ("-1000", D(2000)), ("0", D(3000))])
def test_a_short_that_answers_no_holding_stays_as_far_as_it_is_ones_own(own: str, closed: D | None) -> None:
    made = planned(short("SOL", "-90"), short("ADA", "-3000"), own={ADA: own} if D(own) else {})
    assert traded(made) == ({} if closed is None else {ADA: ("buy", closed)})
    told = check(made, "exit").facts.get("left_alone", "")
    assert told == (ADA if closed is None else "")


def test_unwinding_closes_all_of_it_and_names_what_is_ones_own() -> None:
    made = unwind(
        rule=HedgeRule(),
        positions=(short("SOL", "-90"), short("BTC", "-0.2")),
        snapshot=market(),
        holdings=HELD,
        betas=BETAS,
        own={SOL: D("-12.5")},
    )
    assert traded(made) == {SOL: ("buy", D(90)), BTC: ("buy", D("0.2"))}
    assert check(made, "exit").facts["own"] == "12.5 SOL"


def test_contracts_of_a_thousandth_are_named_in_coins() -> None:
    small = market(replace(contract("SOL", "1"), contract_size=D("0.01")), contract("BTC"))
    made = unwind(
        rule=HedgeRule(), positions=(short("SOL", "-9000"),), snapshot=small, holdings=HELD, betas=BETAS,
        own={SOL: D("-1250")},
    )  # fmt: skip
    assert check(made, "exit").facts["own"] == "12.5 SOL"


def test_the_leverage_of_ones_own_short_stays_and_is_the_legs() -> None:
    mine = replace(short("SOL", "-40"), leverage=9)
    (leg,) = planned(mine, own={SOL: "-40"}).legs
    assert (leg.leverage, leg.margin) == (9, leg.notional / 9)
    (leg,) = planned(mine).legs
    assert leg.leverage == 2, "a short of ours is set as the rule says"


def test_a_long_beside_the_short_neither_counts_nor_hinders_nor_changes() -> None:
    made = planned(short("SOL", "-40"), long("SOL", "70"))
    assert traded(made) == {SOL: ("sell", D("50.0"))}
    assert made.before == planned(short("SOL", "-40")).before
    assert (made.after.coverage, made.legs[0].position_after) == (D("0.75"), D("-90.0"))
    assert check(made, "exit").facts["left_alone"] == SOL


def test_beside_a_long_alone_the_short_is_opened_at_the_longs_leverage() -> None:
    (leg,) = planned(long("SOL", "70", leverage=7)).legs
    assert (leg.side, leg.contracts, leg.leverage) == ("sell", D("90.0"), 7)


def test_in_one_way_mode_a_symbol_that_is_long_is_left_alone() -> None:
    made = planned(long("SOL", "70", beside=False))
    assert made.legs == ()
    assert made.before.coverage == 0


@pytest.mark.parametrize("order", [1, -1])
def test_exposure_is_the_same_whichever_side_is_told_first(order: int) -> None:
    both = (short("SOL", "-40"), long("SOL", "70"))[::order]
    alone = exposure(HELD, (short("SOL", "-40"),), market(), BETAS, "BTC")
    assert exposure(HELD, both, market(), BETAS, "BTC") == alone


def test_unwinding_leaves_the_long_beside_the_short() -> None:
    made = unwind(
        rule=HedgeRule(),
        positions=(long("SOL", "70"), short("SOL", "-40")),
        snapshot=market(),
        holdings=HELD,
        betas=BETAS,
    )
    assert traded(made) == {SOL: ("buy", D(40))}
    assert check(made, "exit").facts["left_alone"] == SOL


def test_the_longs_upkeep_weighs_on_the_shorts_liquidation() -> None:
    alone = planned(free_collateral=D(20_000)).legs[0].liquidation_price
    beside = planned(long("SOL", "70"), free_collateral=D(20_000)).legs[0].liquidation_price
    assert alone is not None and beside is not None
    assert beside < alone


def test_a_contract_that_is_about_to_end_is_closed_and_the_coin_covered_another_way() -> None:
    ending = replace(contract("SOL", "0.1"), closes_at=NOW + timedelta(days=9))
    made = planned(short("SOL", "-90"), snapshot=market(ending, contract("BTC")))
    assert traded(made) == {
        SOL: ("buy", D("90.0")),
        BTC: ("sell", D("0.337")),
    }  # 18,000 x 1.5 x 75 % / 60,000
    assert made.legs[0].reduce_only, "closed before the other is opened"


def test_a_contract_that_is_about_to_end_is_not_proposed() -> None:
    ending = replace(contract("SOL", "0.1"), closes_at=NOW + timedelta(days=9))
    assert set(traded(planned(snapshot=market(ending, contract("BTC"))))) == {BTC}


def test_a_short_in_a_contract_that_is_gone_fails_nothing_and_is_named() -> None:
    made = planned(short("SOL", "-90"), snapshot=market(contract("BTC")))
    assert set(traded(made)) == {BTC}
    assert made.before.coverage == 0
    assert check(made, "exit").facts["left_alone"] == SOL
