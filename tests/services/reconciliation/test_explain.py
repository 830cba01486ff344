"""From a change and the exchange's records to its causes, which are together exactly as large."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ports.exchange import TradeFill
from bot.services.reconciliation.explain import Part, explain, own_after

D = Decimal
NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def fill(amount: str, side: str | None = "sell", number: int = 1, **more: Any) -> TradeFill:
    usual: dict[str, Any] = {
        "symbol": "SOL/USDT:USDT", "order_id": f"o{number}", "side": side, "contracts": D(amount),
        "price": D(140), "fee": D(0), "time": NOON + timedelta(seconds=number), "id": f"f{number}",
    }  # fmt: skip
    return TradeFill(**(usual | more))


def brief(parts: list[Part]) -> list[tuple[str, Decimal]]:
    return [(part.kind, part.contracts) for part in parts]


def test_a_forced_close_comes_before_a_trade_by_hand() -> None:
    parts = explain(D(7), [fill("5", "buy", 2, forced="adl")], fills=[fill("2", "buy", 1)])
    assert brief(parts) == [("adl", D(5)), ("trade", D(2))]
    assert (parts[0].price, parts[0].records) == (D(140), ("f2",))


def test_an_order_of_ours_that_was_given_up_comes_before_a_trade_by_hand() -> None:
    parts = explain(D(-7), late=[fill("5", number=1)], fills=[fill("2", number=2)])
    assert brief(parts) == [("late", D(-5)), ("trade", D(-2))]


def test_several_executions_of_one_trade_are_one_cause_at_their_average() -> None:
    (part,) = explain(D(-3), fills=[fill("1"), fill("2", number=2, price=D(143))])
    assert (part.kind, part.contracts, part.price, part.records) == ("trade", D(-3), D(142), ("f1", "f2"))


def test_what_was_traded_since_the_positions_were_read_is_left_for_the_next_look() -> None:
    (part,) = explain(D(-1), fills=[fill("1"), fill("2", number=2)])
    assert (part.contracts, part.records) == (D(-1), ("f1",))


def test_what_nothing_tells_of_is_unexplained() -> None:
    assert brief(explain(D(4))) == [("unexplained", D(4))]
    assert brief(explain(D(4), fills=[fill("1", "buy")])) == [("trade", D(1)), ("unexplained", D(3))]
    assert brief(explain(D(4), fills=[fill("9", "sell")])) == [("unexplained", D(4))]


def test_an_exchange_that_does_not_tell_its_own_closes_names_nobody() -> None:
    assert brief(explain(D(4), fills=[fill("4", "buy")], names_forced=False)) == [("unexplained", D(4))]
    assert brief(explain(D(-4), fills=[fill("4", "sell")], names_forced=False)) == [("trade", D(-4))]


def test_trades_of_the_long_beside_explain_nothing_where_the_shorts_own_are_told() -> None:
    records = [fill("9", "buy", 1, of="long"), fill("4", "buy", 2, of="short")]
    (part,) = explain(D(4), fills=records)
    assert part.records == ("f2",)
    assert brief(explain(D(4), [fill("9", "sell", 1, forced="adl", of="long")])) == [("unexplained", D(4))]


def test_executions_without_a_side_go_with_the_change() -> None:
    assert brief(explain(D(4), fills=[fill("4", None)])) == [("trade", D(4))]
    assert brief(explain(D(-4), fills=[fill("4", None)])) == [("trade", D(-4))]


RECORDS = st.lists(
    st.builds(
        fill,
        st.integers(1, 9).map(str),
        st.sampled_from(["buy", "sell", None]),
        st.integers(1, 1000),
        of=st.sampled_from(["long", "short", None]),
        forced=st.sampled_from(["adl", "liquidation", None]),
    ),
    max_size=5,
)


@given(st.integers(-30, 30).filter(bool), RECORDS, RECORDS, RECORDS, st.booleans())
def test_causes_add_up_to_the_change_and_go_its_way(
    change: int, forced: list[TradeFill], late: list[TradeFill], fills: list[TradeFill], names: bool
) -> None:
    parts = explain(D(change), forced, late, fills, names_forced=names)
    assert sum(part.contracts for part in parts) == change
    assert all((part.contracts > 0) == (change > 0) for part in parts)


@pytest.mark.parametrize(
    ("own", "contracts", "kind", "change", "after"),
    [
        ("0", "-15", "trade", "-5", "-5"),  # sold by hand
        ("-5", "-12", "trade", "3", "-2"),  # bought back: first what is one's own
        ("-5", "-3", "trade", "12", "0"),  # and then ours
        ("-5", "-12", "adl", "3", "-5"),  # the exchange takes ours first
        ("-5", "-3", "liquidation", "12", "-3"),  # and then one's own
        ("0", "-15", "late", "-5", "0"),  # ours after all
        ("0", "-20", "found", "-20", "-20"),
        ("-5", "0", "settlement", "15", "0"),
    ],
)
def test_what_is_left_of_ones_own(own: str, contracts: str, kind: Any, change: str, after: str) -> None:
    assert own_after(D(own), D(contracts), [Part(kind, D(change))]) == D(after)
