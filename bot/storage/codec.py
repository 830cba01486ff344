"""Plans and other values as JSON and back: decimals exact as text, instants aware and UTC, nothing lost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.ports.errors import InvalidRecord
from bot.ports.records import Aim
from bot.storage.tables.types import plain_text
from hedging.plan import HedgePlan
from hedging.portfolio import Holding

_PLAN = TypeAdapter(HedgePlan)


def fields_of(record: Any) -> dict[str, Any]:
    """The fields of a dataclass by name, as they are; mappings become the dicts that JSON columns take."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}


def plan_to_json(plan: HedgePlan) -> dict[str, Any]:
    """`plan` as JSON-able data. Decimals keep every digit, since the digest is reckoned over them.

    Raises InvalidRecord for a decimal that is not finite or a naive instant.
    """
    if plan.quoted_at.utcoffset() is None:
        raise InvalidRecord("A plan must be quoted at an aware instant.")
    data: dict[str, Any] = _PLAN.dump_python(
        replace(plan, quoted_at=plan.quoted_at.astimezone(UTC)), mode="json"
    )
    for choice in data["choices"]:  # JSON has no word for an infinite standard error
        choice.update({k: str(v) for k, v in choice.items() if isinstance(v, float) and not math.isfinite(v)})
    plan_from_json(data)  # what could not be read again is not stored
    return data


def plan_from_json(data: Any) -> HedgePlan:
    """The plan that `plan_to_json` wrote. Raises InvalidRecord."""
    try:
        plan = _PLAN.validate_python(data)
    except ValidationError as error:
        raise InvalidRecord(f"A stored plan cannot be read: {error.errors()[0]['msg']}") from error
    return replace(plan, quoted_at=plan.quoted_at.astimezone(UTC))


def aim_to_json(aim: Aim) -> dict[str, str]:
    """`aim` as JSON-able data."""
    return {"kind": aim.kind, "asset": aim.asset, "share": plain_text(aim.share)}


def aim_from_json(data: Any, plan: HedgePlan) -> Aim:
    """The aim that `aim_to_json` wrote; of a card of before, what can be told from its plan."""
    if data is None:
        return Aim("close") if plan.purpose == "unhedge" else Aim()
    return Aim(data["kind"], data["asset"], Decimal(data["share"]))


def holdings_to_json(holdings: Sequence[Holding]) -> list[list[str | None]]:
    """Asset, amount and cost of each."""
    return [
        [one.asset, plain_text(one.amount), None if one.cost is None else plain_text(one.cost)]
        for one in holdings
    ]


def holdings_from_json(data: Any) -> tuple[Holding, ...]:
    """The holdings that `holdings_to_json` wrote."""
    return tuple(
        Holding(asset, Decimal(amount), None if cost is None else Decimal(cost))
        for asset, amount, cost in data
    )
