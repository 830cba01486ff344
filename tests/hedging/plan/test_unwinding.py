"""The way out, and what holdings and shorts amount to together."""

from dataclasses import replace
from decimal import Decimal as D

from hedging.market import Snapshot
from hedging.plan import HedgePlan, exposure, unwind
from hedging.portfolio import Holding, Position
from hedging.rules import HedgeRule
from tests.hedging.plan.market import BETAS, check, market, short, traded


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
