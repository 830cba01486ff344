"""What is larger than the largest order: the fewest parts, exact in sum, on the lot, none too large or too small."""

from dataclasses import replace
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from hedging.plan import digest
from hedging.plan.splitting import split
from hedging.portfolio import Holding
from tests.hedging.plan.market import contract, market, plan, short

LOTS = st.sampled_from([D("0.001"), D("0.1"), D(1), D("0.00001")])


@given(LOTS, st.integers(2, 50), st.integers(1, 5_000), st.sampled_from([D(0), D("0.4")]))
def test_the_parts_are_the_fewest_and_together_exactly_the_amount(
    lot: D, most: int, amount: int, dust: D
) -> None:
    listed = replace(contract("SOL"), lot=lot, min_amount=lot, max_amount=most * lot)
    whole = (amount + dust) * lot
    parts = split(whole, listed)
    if whole <= most * lot:
        assert parts == ()
        return
    assert sum(parts) == whole
    assert len(parts) == -int(-(amount + dust) // most) + bool((amount + dust) % most)
    assert all(part <= most * lot for part in parts)
    assert all(part % lot == 0 for part in parts[:-1])
    assert min(parts) >= most * lot / 2 - lot, "far above the smallest order"


def test_a_plan_splits_what_opens_and_what_closes_and_signs_for_the_parts() -> None:
    listed = market(replace(contract("SOL", "0.1"), max_amount=D(40)), contract("BTC"))
    opening = plan(Holding("SOL", D(120)), snapshot=listed)
    (leg,) = opening.legs
    assert leg.parts == (D(30), D(30), D(30))
    assert [(order.leg, order.number, order.contracts) for order in opening.orders] == [
        (0, 0, D(30)), (0, 1, D(30)), (0, 2, D(30))
    ]  # fmt: skip
    whole = replace(opening, legs=(replace(leg, parts=()),))
    other = replace(opening, legs=(replace(leg, parts=(D(40), D(40), D(10))),))
    assert len({digest(one, 1) for one in (opening, whole, other)}) == 3
    closing = plan(Holding("SOL", D(20)), positions=(short("SOL", "-90"),), snapshot=listed)
    assert closing.legs[0].reduce_only and closing.legs[0].parts == (D("37.5"), D("37.5"))


def test_a_leg_knows_the_position_that_it_starts_from_and_what_it_leaves() -> None:
    more = plan(Holding("SOL", D(120)), positions=(short("SOL", "-60"),)).legs[0]
    less = plan(Holding("SOL", D(120)), positions=(short("SOL", "-100"),)).legs[0]
    assert (more.position_before, less.position_before, less.kept) == (D(-60), D(-100), D(90))


def test_where_no_largest_order_is_listed_everything_is_one_order() -> None:
    assert split(D(10**9), contract("SOL")) == ()
