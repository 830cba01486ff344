import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.errors import BadInput
from hedging.scenario import MOVES, what_if


def array(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=float)


def test_the_table_runs_from_a_fall_of_sixty_to_a_doubling() -> None:
    got = what_if(array(1000), array(1.0), array(), array())
    assert (got.moves[0], got.moves[-1]) == (-0.6, 1.0)
    np.testing.assert_allclose(got.unhedged, 1000 * MOVES)
    assert (got.hedged == got.unhedged).all()
    assert not got.liquidated.any()


def test_a_full_hedge_of_the_coin_itself_takes_everything_away_in_both_directions() -> None:
    got = what_if(array(1000), array(1.3), array(1000), array(1.3))
    np.testing.assert_allclose(got.hedged, 0.0, atol=1e-9)
    np.testing.assert_allclose(got.given_up, np.maximum(got.unhedged, 0.0))


def test_a_coin_never_loses_more_than_everything() -> None:
    got = what_if(array(1000), array(2.0), array(500), array(1.0), moves=array(-0.6))
    assert got.unhedged.tolist() == [-1000.0]
    assert got.hedged.tolist() == pytest.approx([-700.0])


def test_a_short_loses_no_more_than_its_collateral_and_the_table_says_so() -> None:
    got = what_if(
        array(1000),
        array(1.0),
        array(1000),
        array(1.0),
        collateral=500,
        maintenance_rate=0.01,
        moves=array(0.48, 0.49, 1.0),
    )
    # 500 - 1,000 x against 1 % of 1,000 (1 + x): taken at 48.51 %.
    assert got.liquidated.tolist() == [False, True, True]
    np.testing.assert_allclose(got.hedged, [0.0, -10.0, 500.0], atol=1e-9)


def test_without_a_short_nothing_can_be_liquidated() -> None:
    assert not what_if(array(1000), array(1.0), array(0), array(1.0), collateral=0.0).liquidated.any()


@given(scale=st.floats(0.01, 100))
def test_everything_scales_with_the_money(scale: float) -> None:
    one = what_if(array(1000, 500), array(1.0, 1.5), array(700), array(1.0))
    many = what_if(array(1000, 500) * scale, array(1.0, 1.5), array(700) * scale, array(1.0))
    np.testing.assert_allclose(many.hedged, one.hedged * scale, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("values", "betas", "notionals", "short_betas", "moves"),
    [
        (array(1), array(1, 2), array(), array(), MOVES),
        (array(1), array(1), array(1), array(), MOVES),
        (array(-1), array(1), array(), array(), MOVES),
        (array(1), array(1), array(-1), array(1), MOVES),
        (array(1), array(1), array(), array(), array(-1.1)),
    ],
)
def test_what_cannot_be_is_refused(
    values: np.ndarray, betas: np.ndarray, notionals: np.ndarray, short_betas: np.ndarray, moves: np.ndarray
) -> None:
    with pytest.raises(BadInput):
        what_if(values, betas, notionals, short_betas, moves=moves)
