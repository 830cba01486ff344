import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.checks import coverage_drift, market_move
from hedging.errors import BadInput


def drifts(coverage: float, was: bool, target: float = 0.75, band: float = 0.1) -> bool:
    got = coverage_drift(np.array([coverage]), np.array([target]), np.array([band]), np.array([was]))
    return bool(got[0])


@pytest.mark.parametrize("coverage", [0.64, 0.86, 0.0, 2.0])
def test_coverage_outside_the_band_has_drifted(coverage: float) -> None:
    assert drifts(coverage, was=False)


@pytest.mark.parametrize("coverage", [0.65, 0.85, 0.75])
def test_the_edge_of_the_band_still_belongs_to_it(coverage: float) -> None:
    assert not drifts(coverage, was=False)


@pytest.mark.parametrize(
    ("coverage", "still"), [(0.66, True), (0.69, True), (0.70, False), (0.80, False), (0.81, True)]
)
def test_a_drift_ends_only_within_half_the_band(coverage: float, still: bool) -> None:
    assert drifts(coverage, was=True) is still


@pytest.mark.parametrize("was", [True, False])
def test_an_unknown_coverage_changes_nothing(was: bool) -> None:
    assert drifts(float("nan"), was) is was


@pytest.mark.fault(26)
def test_noise_around_the_edge_raises_one_matter_and_not_ten() -> None:
    was, raised = False, 0
    for coverage in [0.66, 0.64, 0.66, 0.64, 0.66, 0.64, 0.75, 0.66]:
        now = drifts(coverage, was)
        raised += now and not was
        was = now
    assert raised == 1 and not was


def moved(value: float, reference: float = 100.0, was: bool = False, threshold: float = 0.1) -> bool:
    got = market_move(np.array([value]), np.array([reference]), np.array([threshold]), np.array([was]))
    return bool(got[0])


@pytest.mark.parametrize(("value", "expected"), [(89.0, True), (111.0, True), (90.0, False), (110.0, False)])
def test_a_move_beyond_the_threshold_counts_in_either_direction(value: float, expected: bool) -> None:
    assert moved(value) is expected


@pytest.mark.parametrize(("value", "still"), [(94.0, True), (95.0, False), (105.0, False), (106.0, True)])
def test_a_move_is_over_within_half_the_threshold(value: float, still: bool) -> None:
    assert moved(value, was=True) is still


@pytest.mark.parametrize(
    ("value", "reference"), [(90.0, 0.0), (90.0, -1.0), (float("nan"), 100.0), (1.0, float("nan"))]
)
@pytest.mark.parametrize("was", [True, False])
def test_without_a_reference_or_a_value_nothing_changes(value: float, reference: float, was: bool) -> None:
    assert moved(value, reference, was) is was


@given(
    st.lists(st.tuples(st.floats(0, 2), st.floats(0.25, 1), st.floats(0.02, 0.25), st.booleans()), min_size=1)
)
def test_everybody_at_once_equals_one_after_the_other(rows: list[tuple[float, float, float, bool]]) -> None:
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    together = coverage_drift(*columns)
    assert together.tolist() == [drifts(c, was, target=t, band=b) for c, t, b, was in rows]


@pytest.mark.parametrize("odd", range(4))
def test_arrays_that_do_not_speak_of_the_same_users_are_refused(odd: int) -> None:
    three = [np.ones(2), np.ones(2), np.ones(2)]
    flags = np.zeros(3 if odd == 3 else 2, dtype=bool)
    if odd < 3:
        three[odd] = np.ones(3)
    first, second, third = three
    for check in (coverage_drift, market_move):
        with pytest.raises(BadInput, match="do not speak of the same users"):
            check(first, second, third, flags)


def test_a_reference_below_one_is_still_a_reference() -> None:
    assert moved(0.4, reference=0.5)
