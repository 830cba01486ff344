from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedging.checks import KINDS, Book, Thresholds, Transitions, measures, tick
from hedging.checks.tick import BLOCK
from hedging.errors import BadInput
from tests.bench.loops import columns, crowd, measure_one, tick_loop

NAN = float("nan")


def one(**change: object) -> Book:
    """Somebody with 10,000 of a coin of beta 1.5, three quarters of it shorted, for whom all is well."""
    usual = {
        "holding_offsets": [0, 1],
        "value": 10_000.0,
        "beta": 1.5,
        "value_before": 10_000.0,
        "position_offsets": [0, 1],
        "notional": 7_500.0,
        "position_beta": 1.5,
        "runway": 1.0,
        "reach": NAN,
        "funding": 0.01,
        "basis": 0.0005,
        "protected": 10_000.0,
        "expires": NAN,
        "target": 0.75,
        "band": 0.1,
        "equity": 5_000.0,
        "maintenance": 100.0,
        "age": 10.0,
        "rise": 0.0,
        "correlation": 0.9,
        "correlation_before": 0.9,
        "days": 14.0,
        "days_before": 60.0,
        "volatility": 0.04,
        "volatility_before": 0.04,
    } | change
    made: dict[str, Any] = {}
    for name, value in usual.items():
        kind = np.int64 if name.endswith("offsets") else np.float64
        made[name] = np.atleast_1d(np.asarray(value, dtype=kind))
    return Book(**made)


def nobody_raised(users: int = 1) -> np.ndarray:
    return np.zeros((users, len(KINDS)), dtype=np.int8)


def said(changed: Transitions) -> list[tuple[str, int, int]]:
    return [
        (KINDS[k], int(b), int(a))
        for k, b, a in zip(changed.kind, changed.before, changed.after, strict=True)
    ]


def test_when_all_is_well_nothing_is_said() -> None:
    changed, levels = tick(one(), nobody_raised())
    assert said(changed) == []
    assert not levels.any()


@pytest.mark.parametrize(
    ("kind", "level", "change"),
    [
        ("coverage", 1, {"notional": 6_400.0}),
        ("coverage", 1, {"notional": 8_600.0}),
        ("coverage", 2, {"notional": 5_400.0}),
        ("funding", 1, {"funding": -0.021}),
        ("funding", 2, {"funding": -0.051}),
        ("liquidation", 1, {"runway": 0.24}),
        ("liquidation", 2, {"runway": 0.09}),
        ("basis", 1, {"basis": -0.011}),
        ("basis", 2, {"basis": 0.031}),
        ("correlation", 1, {"correlation": 0.3}),
        ("correlation", 2, {"correlation": -0.3}),
        ("volatility", 1, {"volatility": 0.081}),
        ("volatility", 2, {"volatility": 0.121}),
        ("stale", 1, {"age": 91.0}),
        ("stale", 2, {"age": 181.0}),
        ("stale", 1, {"rise": 0.21}),
        ("stale", 1, {"value_before": 12_600.0}),
        ("stale", 1, {"expires": 2.9}),
        ("stale", 2, {"expires": 0.0}),
        ("orphan", 2, {"protected": 0.0}),
        ("margin", 1, {"maintenance": 2_501.0}),
        ("margin", 2, {"maintenance": 4_001.0}),
    ],
)
def test_each_trouble_is_found_by_its_own_check_alone(
    kind: str, level: int, change: dict[str, float]
) -> None:
    assert said(tick(one(**change), nobody_raised())[0]) == [(kind, 0, level)]


@pytest.mark.parametrize(
    "change",
    [
        {"notional": 6_501.0},
        {"funding": -0.02},
        {"runway": 0.25},
        {"runway": NAN},
        {"basis": 0.01},
        {"correlation": 0.6},
        {"volatility": 0.08},
        {"age": 90.0},
        {"rise": 0.2},
        {"rise": -0.5},
        {"value_before": 12_500.0},
        {"expires": 3.0},
        {"maintenance": 2_500.0},
        {"equity": 0.0, "maintenance": 0.0},
    ],
)
def test_at_the_edge_nothing_is_said(change: dict[str, float]) -> None:
    assert said(tick(one(**change), nobody_raised())[0]) == []


@pytest.mark.parametrize(
    ("funding", "was", "now"),
    [
        (-0.015, 0, 0),
        (-0.015, 1, 1),
        (-0.010, 1, 0),
        (-0.030, 2, 2),
        (-0.020, 2, 1),
        (-0.010, 2, 0),
        (-0.060, 1, 2),
        (-0.030, 0, 1),
    ],
)
def test_a_level_is_left_at_its_inner_edge(funding: float, was: int, now: int) -> None:
    levels = nobody_raised()
    levels[0, KINDS.index("funding")] = was
    changed, new = tick(one(funding=funding), levels)
    assert new[0, KINDS.index("funding")] == now
    assert said(changed) == ([] if was == now else [("funding", was, now)])
    assert changed.measure.tolist() == ([] if was == now else [-funding])


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"funding": NAN}, "funding"),
        ({"correlation": NAN}, "correlation"),
        ({"days": 3.0, "correlation": NAN}, "correlation"),
        ({"volatility_before": NAN}, "volatility"),
        ({"equity": NAN}, "margin"),
        ({"equity": 0.0}, "margin"),  # no exchange keeps a hedge open on nothing
        ({"equity": -20.0}, "margin"),
        ({"equity": 110.0, "reach": 0.6}, "margin"),  # its liquidation price is 60 % away
        ({"notional": NAN}, "coverage"),
        ({"notional": NAN}, "funding"),
        ({"notional": NAN}, "basis"),
        ({"notional": NAN}, "orphan"),
        ({"value": NAN}, "coverage"),
    ],
)
@pytest.mark.parametrize("was", [0, 1, 2])
def test_what_is_unknown_changes_nothing(change: dict[str, float], kind: str, was: int) -> None:
    levels = nobody_raised()
    levels[0, KINDS.index(kind)] = was
    _, new = tick(one(**change), levels)
    assert new[0, KINDS.index(kind)] == was


def test_without_holdings_and_without_a_short_there_is_nothing_to_say() -> None:
    empty: dict[str, object] = {
        "holding_offsets": [0, 0],
        "position_offsets": [0, 0],
        "maintenance": 0.0,
        "age": 500.0,
    }
    rows = (
        "value",
        "beta",
        "value_before",
        "notional",
        "reach",
        "position_beta",
        "runway",
        "funding",
        "basis",
        "protected",
    )
    assert said(tick(one(**empty, **{name: [] for name in (*rows, "expires")}), nobody_raised())[0]) == []


def test_a_long_position_is_no_hedge_and_no_orphan() -> None:
    assert said(tick(one(notional=-7_500.0, protected=0.0), nobody_raised())[0]) == [("coverage", 0, 2)]


def test_what_is_unknown_of_a_long_position_says_nothing_of_the_short() -> None:
    levels = nobody_raised()
    levels[0, KINDS.index("funding")] = 1
    _, new = tick(one(notional=-1.0, funding=NAN), levels)
    assert new[0, KINDS.index("funding")] == 0


def test_more_users_than_are_looked_at_together_are_all_looked_at() -> None:
    book = crowd(3 * BLOCK + 5, seed=3)
    changed, _ = tick(book, nobody_raised(book.users))
    plain, _ = tick_loop(book, nobody_raised(book.users), Thresholds.usual())
    assert len(plain) > BLOCK
    assert list(zip(changed.user.tolist(), changed.kind.tolist(), strict=True)) == [c[:2] for c in plain]


def test_nobody_at_all_is_looked_at_without_complaint() -> None:
    changed, levels = tick(crowd(0), nobody_raised(0))
    assert not len(changed.user)
    assert levels.shape == (0, len(KINDS))


def test_a_change_of_correlation_is_a_test_and_not_a_threshold() -> None:
    # The same fall is noise over a few days and news over many.
    assert said(tick(one(correlation=0.6, days=14.0), nobody_raised())[0]) == []
    assert said(tick(one(correlation=0.6, days=60.0), nobody_raised())[0]) == [("correlation", 0, 1)]
    expected = (np.arctanh(0.9) - np.arctanh(0.6)) / np.sqrt(1 / 57 + 1 / 57)
    assert measures(one(correlation=0.6, days=60.0))[KINDS.index("correlation"), 0] == pytest.approx(expected)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), users=st.integers(1, 60))
def test_everybody_at_once_equals_a_plain_loop(seed: int, users: int) -> None:
    book = crowd(users, seed=seed)
    lists = columns(book)
    np.testing.assert_allclose(
        measures(book).T, [measure_one(lists, u) for u in range(users)], rtol=1e-9, atol=1e-12
    )
    levels = np.random.default_rng(seed).integers(0, 3, (users, len(KINDS))).astype(np.int8)
    changed, new = tick(book, levels)
    plain, levels_after = tick_loop(book, levels, Thresholds.usual())
    assert (new == levels_after).all()
    parts = (changed.user, changed.kind, changed.before, changed.after)
    assert list(zip(*(part.tolist() for part in parts), strict=True)) == [change[:4] for change in plain]
    np.testing.assert_allclose(changed.measure, [change[4] for change in plain], rtol=1e-9, atol=1e-12)
    again, same = tick(book, new)
    assert (same == new).all(), "a second look at the same state says something new"
    assert not len(again.user)


def test_a_second_look_never_goes_back_and_forth() -> None:
    book = crowd(2000, seed=5)
    _, once = tick(book, nobody_raised(2000))
    _, twice = tick(book, once)
    assert (once == twice).all()


@pytest.mark.parametrize(
    "change",
    [
        {"holding_offsets": [0, 2]},
        {"holding_offsets": [1, 1]},
        {"position_offsets": [0, 1, 1]},
        {"value": [1.0, 2.0]},
        {"notional": []},
        {"age": [1.0, 2.0]},
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        one(**change)


def test_levels_and_thresholds_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadInput):
        tick(one(), nobody_raised(2))
    usual = Thresholds.usual()
    with pytest.raises(BadInput):
        replace(usual, raised=usual.recovered - 1)
    with pytest.raises(BadInput):
        replace(usual, escalated=usual.recovered)
    with pytest.raises(BadInput):
        Thresholds(usual.raised[:-1], usual.escalated[:-1], usual.recovered[:-1])
