"""Answers that are whole and not true: every amount smaller than it is, or some assets missing."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.sandbox.exchanges.faults import Fault

_NAMES = ("asset", "currency", "coin")  # where the exchanges name the asset of a row


def retold(answer: Any, fault: Fault) -> Any:
    """The answer as the fault has it."""
    if isinstance(answer, list):
        rows = answer if fault.kind != "lacking" else [row for row in answer if not _left_out(row, fault)]
        return [retold(row, fault) for row in rows]
    if isinstance(answer, Mapping):
        return {name: retold(value, fault) for name, value in answer.items()}
    return _smaller(answer, Decimal(fault.share)) if fault.kind == "shrunk" else answer


def _left_out(row: Any, fault: Fault) -> bool:
    return isinstance(row, Mapping) and any(row.get(name) in fault.assets for name in _NAMES)


def _smaller(value: Any, share: Decimal) -> Any:
    """Amounts have a point: whole numbers are times, codes and names."""
    if isinstance(value, float):
        return float(Decimal(str(value)) * share)
    try:
        return f"{Decimal(value) * share:.8f}" if isinstance(value, str) and "." in value else value
    except InvalidOperation:
        return value
