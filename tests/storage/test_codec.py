"""Values come back from the database exactly as they went in: to the digit, to the microsecond, to the character."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, create_engine, make_url, select
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.exc import StatementError

from bot.ports.errors import InvalidRecord
from bot.storage.codec import holdings_from_json, holdings_to_json, plan_from_json, plan_to_json
from bot.storage.database import postgresql_arguments
from bot.storage.tables.types import Exact, Id, Instant, Json, Prose, plain_text
from hedging.plan import Check, Choice, HedgePlan, Leg
from hedging.portfolio import Exposure, Holding
from tests.storage.samples import LEG, PLAN

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=18)
NUMBERS = AMOUNTS | st.decimals(allow_nan=False, allow_infinity=False)
FLOATS = st.floats(allow_nan=False)
NAIVE = datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None)
INSTANTS = st.integers(-(10**15), 10**16).map(
    lambda n: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=n)
)
WORDS = st.text(max_size=12)
LEGS = st.builds(
    Leg,
    symbol=WORDS,
    side=st.sampled_from(["sell", "buy"]),
    contracts=NUMBERS,
    limit_price=NUMBERS,
    mark_price=NUMBERS,
    notional=NUMBERS,
    reduce_only=st.booleans(),
    leverage=st.integers(1, 125),
    fee=NUMBERS,
    margin=NUMBERS,
    position_after=NUMBERS,
    liquidation_price=st.none() | NUMBERS,
    assets=st.lists(WORDS, max_size=3).map(tuple),
)
CHOICES = st.builds(
    Choice,
    asset=WORDS,
    value=NUMBERS,
    method=st.sampled_from(["direct", "cross", "none"]),
    symbol=st.none() | WORDS,
    ratio=FLOATS,
    beta=FLOATS,
    beta_se=FLOATS,
    r_squared=FLOATS,
    reason=WORDS,
)
CHECKS = st.builds(
    Check, key=WORDS, passed=st.booleans(), reason=WORDS, facts=st.dictionaries(WORDS, WORDS, max_size=3)
)
EXPOSURES = st.builds(Exposure, value=NUMBERS, gross=NUMBERS, offset=NUMBERS)
PLANS = st.builds(
    HedgePlan,
    purpose=st.sampled_from(["hedge", "rebalance", "unhedge"]),
    exchange=WORDS,
    target=NUMBERS,
    factor=WORDS,
    legs=st.lists(LEGS, max_size=2).map(tuple),
    choices=st.lists(CHOICES, max_size=2).map(tuple),
    checks=st.lists(CHECKS, max_size=2).map(tuple),
    before=EXPOSURES,
    after=EXPOSURES,
    fees=NUMBERS,
    funding_per_month=NUMBERS,
    margin=NUMBERS,
    free_collateral=NUMBERS,
    quoted_at=INSTANTS,
)


@given(PLANS)
def test_a_plan_survives_json_to_the_digit(plan: HedgePlan) -> None:
    again = plan_from_json(json.loads(json.dumps(plan_to_json(plan), allow_nan=False)))
    assert again == plan
    assert repr(again) == repr(plan)  # 1.0 and 1.00 are equal, but a digest tells them apart


def test_a_plan_with_an_unknown_beta_survives() -> None:
    unknown = Choice("NEW", Decimal(5), "none", None, 0.0, math.nan, math.inf, -math.inf, "no_history")
    again = plan_from_json(json.loads(json.dumps(plan_to_json(replace(PLAN, choices=(unknown,))))))
    assert repr(again.choices) == repr((unknown,))


def test_the_time_of_a_plan_is_kept_in_utc() -> None:
    tokyo = datetime(2026, 3, 1, 21, tzinfo=timezone(timedelta(hours=9)))
    again = plan_from_json(plan_to_json(replace(PLAN, quoted_at=tokyo)))
    assert again.quoted_at == tokyo
    assert again.quoted_at.tzinfo is UTC


@pytest.mark.parametrize(
    "broken",
    [
        replace(PLAN, fees=Decimal("NaN")),
        replace(PLAN, legs=(replace(LEG, contracts=Decimal("Infinity")),)),
        replace(PLAN, quoted_at=NAIVE),
    ],
    ids=["nan", "infinite", "naive"],
)
def test_a_plan_that_could_not_be_read_again_is_refused(broken: HedgePlan) -> None:
    with pytest.raises(InvalidRecord):
        plan_to_json(broken)


@pytest.mark.parametrize("data", [None, {}, [], "plan", {**plan_to_json(PLAN), "legs": [{}]}])
def test_a_plan_that_was_damaged_is_named_so(data: Any) -> None:
    with pytest.raises(InvalidRecord):
        plan_from_json(data)


@given(st.lists(st.builds(Holding, asset=WORDS, amount=AMOUNTS, cost=st.none() | AMOUNTS), max_size=4))
def test_holdings_survive_json(holdings: Sequence[Holding]) -> None:
    assert holdings_from_json(json.loads(json.dumps(holdings_to_json(holdings)))) == tuple(holdings)


@given(AMOUNTS)
def test_one_number_has_one_spelling(number: Decimal) -> None:
    text = plain_text(number)
    assert Decimal(text) == number
    assert plain_text(Decimal(f"{text}000" if "." in text else f"{text}.000")) == text
    assert "e" not in text.lower()
    assert "." not in text or not text.endswith(("0", "."))


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+61", "1E-61", "1E+999999"])
def test_a_number_that_no_amount_can_be_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="a stored amount must"):
        plain_text(Decimal(value))


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        Instant().process_bind_param(NAIVE, SQLiteDialect())


ROW = st.fixed_dictionaries(
    {
        "id": st.integers(-(2**63), 2**63 - 1),
        "amount": AMOUNTS,
        "at": INSTANTS,
        "data": st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=8,
        ),
        "words": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    }
)
MIXED = Table(
    "mixed",
    MetaData(),
    Column("id", Id),
    Column("amount", Exact),
    Column("at", Instant),
    Column("data", Json),
    Column("words", Prose),
)


def test_every_column_type_survives_the_database(database: str) -> None:
    url = make_url(database)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url.set(drivername="sqlite"))
    else:
        arguments = postgresql_arguments(url.query)
        engine = create_engine(url.set(drivername="postgresql+psycopg"), connect_args=arguments)
    with engine.begin() as connection:
        MIXED.create(connection)

        @given(ROW)
        def survives(row: dict[str, Any]) -> None:
            connection.execute(MIXED.delete())
            connection.execute(MIXED.insert(), row)
            stored = connection.execute(select(MIXED)).one()
            assert dict(stored._mapping) == row
            assert stored.at.tzinfo is UTC
            assert f"{stored.amount:f}" == plain_text(row["amount"])

        survives()
        with pytest.raises(StatementError):
            connection.execute(MIXED.insert(), {"at": NAIVE})
    engine.dispose()
