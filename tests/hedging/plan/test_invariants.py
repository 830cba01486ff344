"""What holds for every plan."""

from collections.abc import Mapping
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from hedging.plan import HedgePlan
from hedging.portfolio import Holding
from hedging.rules import HedgeRule
from tests.hedging.plan.market import carried_out, contract, market, plan, short

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
