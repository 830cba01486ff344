from dataclasses import replace

import numpy as np
import pytest

from hedging.errors import BadInput
from hedging.returns import Returns
from hedging.selection import Instrument, Selection, Wishes, select


def market(noise: float = 0.5, count: int = 1000, seed: int = 1) -> Returns:
    """Hourly: a common market; ALT follows it with noise, ODD does not at all."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.01, count)
    own = rng.normal(0, 0.01, (count, 5))
    columns = [
        common + 0.2 * own[:, 0],
        common + 0.3 * own[:, 1],
        1.2 * common + noise * own[:, 2],
        own[:, 3],
    ]
    times = np.datetime64("2025-01-01T00:00:00", "s") + np.arange(count) * np.timedelta64(3600, "s")
    return Returns(("BTC", "ETH", "ALT", "ODD"), times, np.column_stack(columns), np.zeros(4, dtype=np.int64))


def perpetual(base: str, **change: object) -> Instrument:
    usual = Instrument(f"{base}/USDT:USDT", base, base, 0.0005, 0.0002, 0.0, 1e6, 1e9, 5.0)
    return replace(usual, **change)  # type: ignore[arg-type]


def chosen(got: Selection) -> tuple[str, tuple[str, ...]]:
    assert got.chosen is not None
    return got.chosen.kind, tuple(s.split("/")[0] for s in got.chosen.symbols)


def reasons(got: Selection) -> dict[tuple[str, ...], str]:
    return {tuple(s.split("/")[0] for s in o.symbols): o.reason for o in got.options}


BOTH = [perpetual("BTC"), perpetual("ETH")]


def test_the_coin_itself_is_shorted_where_that_can_be_done() -> None:
    got = select("ALT", 10_000, [*BOTH, perpetual("ALT")], market())
    assert chosen(got) == ("direct", ("ALT",))
    assert got.chosen is not None
    assert (got.chosen.ratios, got.chosen.residual) == ((1.0,), 0.0)
    assert reasons(got)[("BTC",)] == "second_best"


def test_without_its_own_perpetual_the_basket_that_leaves_least_is_taken() -> None:
    got = select("ALT", 10_000, BOTH, market())
    assert chosen(got) == ("basket", ("BTC", "ETH"))
    assert reasons(got)[("BTC",)] == reasons(got)[("ETH",)] == "second_best"


def test_one_leg_is_taken_when_no_more_are_allowed() -> None:
    assert chosen(select("ALT", 10_000, BOTH, market(), Wishes(max_legs=1)))[0] == "cross"


def test_a_ratio_comes_with_the_error_that_it_has_from_sample_to_sample() -> None:
    options = [
        select("ALT", 10_000, BOTH, market(seed=seed), Wishes(max_legs=1)).chosen for seed in range(40)
    ]
    ratios = [option.ratios[0] for option in options if option]
    errors = [option.ses[0] for option in options if option]
    assert len(ratios) == 40
    assert 0.6 < np.std(ratios) / np.mean(errors) < 1.4


def test_a_direct_short_is_one_for_one_without_an_error() -> None:
    got = select("ALT", 10_000, [perpetual("ALT")], market()).chosen
    assert got is not None
    assert (got.ratios, got.ses) == ((1.0,), (0.0,))


def test_dear_funding_turns_the_choice() -> None:
    dear = [perpetual("BTC", carry=-0.02), perpetual("ETH"), perpetual("ALT", carry=-0.05)]
    assert chosen(select("ALT", 10_000, dear, market())) == ("cross", ("ETH",))


def test_nothing_is_proposed_when_nothing_pays_for_itself() -> None:
    got = select("ALT", 10_000, [perpetual("ALT", carry=-0.5), perpetual("BTC", carry=-0.5)], market())
    assert (got.chosen, got.reason) == (None, "too_dear")
    assert "too_dear" in reasons(got).values()


def test_below_the_smallest_order_nothing_is_proposed() -> None:
    got = select("ALT", 6.0, [perpetual("ALT")], market())
    assert (got.chosen, got.reason) == (None, "too_small")
    assert select("ALT", 7.0, [perpetual("ALT")], market()).chosen is not None


@pytest.mark.parametrize("thin", [{"depth": 700.0}, {"open_interest": 700_000.0}])
def test_a_market_that_cannot_carry_the_size_is_too_thin(thin: dict[str, float]) -> None:
    got = select("ALT", 10_000, [perpetual("ALT", **thin), *BOTH], market())
    assert chosen(got)[0] != "direct"
    assert reasons(got)[("ALT",)] == "too_thin"
    enough = {key: value * 1.1 for key, value in thin.items()}
    assert chosen(select("ALT", 10_000, [perpetual("ALT", **enough), *BOTH], market()))[0] == "direct"


def test_an_exchange_that_does_not_tell_its_open_interest_is_judged_by_depth() -> None:
    assert select("ALT", 10_000, [perpetual("ALT", open_interest=None)], market()).chosen is not None


def test_what_moves_on_its_own_is_not_cross_hedged() -> None:
    got = select("ODD", 10_000, BOTH, market())
    assert (got.chosen, got.reason) == (None, "weak_fit")


def test_without_history_only_a_direct_short_is_possible() -> None:
    assert select("NEW", 10_000, BOTH, market()).reason == "no_history"
    assert chosen(select("NEW", 10_000, [*BOTH, perpetual("NEW")], market())) == ("direct", ("NEW",))


def test_without_any_contract_it_says_so() -> None:
    assert select("ALT", 10_000, [], market()).reason == "no_contract"


def test_contracts_settled_in_coin_are_left_out_unless_wished_for() -> None:
    inverse = perpetual("ALT", linear=False)
    assert select("ALT", 10_000, [inverse], market()).reason == "no_contract"
    assert chosen(select("ALT", 10_000, [inverse], market(), Wishes(inverse=True))) == ("direct", ("ALT",))


def test_a_stablecoin_needs_no_hedge() -> None:
    assert select("USDC", 10_000, BOTH, market()).reason == "stablecoin"


@pytest.mark.parametrize(
    ("asset", "base"), [("WBTC", "BTC"), ("STETH", "ETH"), ("PEPE", "1000PEPE"), ("MATIC", "POL")]
)
def test_wrapped_staked_renamed_coins_and_thousands_find_their_contract(asset: str, base: str) -> None:
    assert chosen(select(asset, 10_000, [perpetual(base)], market())) == ("direct", (base,))


def test_a_contract_with_prices_of_its_own_leaves_what_it_strays() -> None:
    returns = market()
    marks = returns.series("ALT") + np.random.default_rng(5).normal(0, 0.002, 1000)
    both = Returns(
        (*returns.names, "ALT-PERP"),
        returns.times,
        np.column_stack([returns.values, marks]),
        returns.set_aside,
    )
    got = select("ALT", 10_000, [perpetual("ALT", series="ALT-PERP")], both)
    assert got.chosen is not None
    expected = np.sqrt(np.mean((marks - returns.series("ALT")) ** 2) / np.mean(returns.series("ALT") ** 2))
    assert got.chosen.residual == pytest.approx(expected)


def test_costs_are_fees_spread_and_funding_on_the_share_that_is_shorted() -> None:
    got = select(
        "ALT", 10_000, [perpetual("ALT", carry=-0.003)], market(), Wishes(target=0.5, horizon_days=60)
    )
    assert got.chosen is not None
    assert got.chosen.cost == pytest.approx(0.5 * (2 * 0.0005 + 0.0002 + 0.003 * 2))


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_a_value_of_nothing_is_refused(value: float) -> None:
    with pytest.raises(BadInput):
        select("ALT", value, BOTH, market())
