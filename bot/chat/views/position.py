"""A change of a short that was none of our orders."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.chat.texts import cards
from bot.chat.texts import positions as t
from bot.chat.views.accounts.badge import badge
from bot.chat.views.message import Button, Message, Rows, bold, html
from bot.chat.views.numbers import base_of, exact, percent, price

Payload = Mapping[str, Any]

_HEDGE: Rows = ((Button(t.HEDGE, "go:hedge", style="primary"),),)
_LESS_IS_WRONG = ("adl", "liquidation", "settlement", "bought", "shrank", "late_bought")


def position(payload: Payload) -> Message:
    """What happened, where that leaves coverage, and the way back."""
    if payload["kind"] == "delisting":
        return _delisting(payload)
    case = _case(payload)
    amounts = {
        "amount": _amount(payload, "amount"),
        "asset": html(base_of(payload["symbol"])),
        "exchange": _exchange(payload),
    }
    whole, part = t.HEADLINES[case]
    headline = (part if Decimal(payload["left"]) else whole).format(**amounts)
    coverage, target = Decimal(payload["coverage"]), Decimal(payload["target"])
    said = _first(t.COVERAGE.format(headline=headline, coverage=percent(coverage)))
    lines = [bold(f"{said} {cards.REPEATED}" if payload.get("repeat") else said)]
    lines += [badge(payload["exchange"], payload["mode"]), "", t.BODIES[case].format(**amounts)]
    if payload["price"] is not None:
        lines.append(t.AT.format(price=price(Decimal(payload["price"]))))
    if Decimal(payload["left"]):
        lines.append(t.LEFT.format(left=_amount(payload, "left")))
    back = case in _LESS_IS_WRONG and coverage < target
    lines.append((t.TARGET if back else t.TARGET_ONLY).format(target=percent(target)))
    quiet = payload["kind"] in ("trade", "found")
    return Message("\n".join(lines), _HEDGE if back else (), silent=quiet)


def _case(payload: Payload) -> str:
    grew = payload["grew"]
    names = {
        "trade": ("bought", "sold"),
        "late": ("late_bought", "late_sold"),
        "unexplained": ("shrank", "grew"),
    }
    kind: str = payload["kind"]
    return names[kind][grew] if kind in names else kind


def _delisting(payload: Payload) -> Message:
    words = {
        "exchange": _exchange(payload),
        "asset": html(base_of(payload["symbol"])),
        "left": _amount(payload, "left"),
    }
    title, body = t.GONE, t.GONE_BODY
    if payload["closes_at"] != "gone":
        title, body = t.DELISTING, t.DELISTING_BODY
        at = datetime.fromisoformat(payload["closes_at"])
        words |= {"date": f"{at.day} {at:%b}", "time": f"{at:%H:%M}"}
    said = _first(title.format(**words))
    lines = [bold(f"{said} {cards.REPEATED}" if payload.get("repeat") else said)]
    return Message(
        "\n".join([*lines, badge(payload["exchange"], payload["mode"]), "", body.format(**words)]), _HEDGE
    )


def _amount(payload: Payload, name: str) -> str:
    template = t.COINS if payload["in_coins"] else t.CONTRACTS
    return template.format(amount=exact(Decimal(payload[name])), asset=html(base_of(payload["symbol"])))


def _exchange(payload: Payload) -> str:
    return t.EXCHANGES.get(payload["exchange"], html(payload["exchange"]))


def _first(line: str) -> str:
    """A sentence begins with a capital, also behind its sign."""
    sign, space, rest = line.partition(" ")
    return f"{sign}{space}{rest[:1].upper()}{rest[1:]}"
