"""Alerts: the first line says it all, because that is what a locked screen shows."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bot.chat.texts import cards as t
from bot.chat.views.accounts.badge import badge
from bot.chat.views.message import Button, Message, bold, html
from bot.chat.views.numbers import MINUS, base_of, exact, percent, usd
from bot.chat.views.proposal import units

Payload = Mapping[str, Any]

_LEGS_SHOWN = 4


def alert(payload: Payload) -> Message:
    """What happened, what it means, and its remedy as one tap."""
    lines = [bold(_headline(payload)), *_whose(payload), "", _value(payload)]
    made = payload.get("hedge_pnl")
    if made is not None and Decimal(made):
        gained = Decimal(made) > 0
        lines.append((t.HEDGE_MADE if gained else t.HEDGE_LOST).format(amount=usd(abs(Decimal(made)))))
    lines += ["", *_remedy(payload)]
    number = payload["alert_id"]
    rest = (Button(t.SNOOZE, f"sn:{number}"), Button(t.DETAILS, f"dt:{number}"))
    if not payload["legs"]:
        return Message("\n".join(lines), (rest,))
    remedy = Button(_remedy_button(payload["legs"]), f"rb:{number}", style="primary")
    return Message("\n".join(lines), ((remedy,), rest))


def recovered(payload: Payload) -> Message:
    """The alert is over: the same message says so."""
    title = t.RECOVERED.format(
        coverage=percent(Decimal(payload["coverage"])), target=percent(Decimal(payload["target"]))
    )
    return Message("\n".join([bold(title), *_whose(payload), t.RECOVERED_BODY]), silent=True)


def _headline(payload: Payload) -> str:
    coverage, target = Decimal(payload["coverage"]), Decimal(payload["target"])
    change = Decimal(str(payload.get("change") or 0))
    if payload["kind"] == "market_move":
        template = t.MOVE_DOWN if change < 0 else t.MOVE_UP
    else:
        template = t.DRIFT_LOW if coverage < target else t.DRIFT_HIGH
    said = template.format(coverage=percent(coverage), target=percent(target), change=percent(abs(change)))
    return f"{said} {t.REPEATED}" if payload.get("repeat") else said


def _whose(payload: Payload) -> list[str]:
    return [badge(payload["exchange"], payload["mode"])] if payload.get("exchange") else []


def _value(payload: Payload) -> str:
    value, change = usd(Decimal(payload["value"])), payload.get("change")
    if change is None or abs(change) < 0.0005:
        return t.ALERT_VALUE.format(value=value)
    return t.ALERT_MOVED.format(value=value, change=percent(Decimal(str(change)), signed=True))


def _remedy(payload: Payload) -> list[str]:
    legs = payload["legs"]
    if not legs:
        return [t.NO_REMEDY]
    lines = [
        t.REMEDY_LEG.format(what=_order(leg), notional=usd(Decimal(leg["notional"])))
        for leg in legs[:_LEGS_SHOWN]
    ]
    if len(legs) > _LEGS_SHOWN:
        lines.append(f"• {t.MORE_ORDERS.format(count=len(legs) - _LEGS_SHOWN)}")
    return [t.REMEDY, *lines, t.REMEDY_FEE.format(fee=usd(Decimal(payload["fees"])))]


def _order(leg: Payload) -> str:
    template = t.SHORT if leg["side"] == "sell" else t.BUY_BACK
    return template.format(amount=_units(leg), asset=html(base_of(leg["symbol"])))


def _remedy_button(legs: Sequence[Payload]) -> str:
    """One order is named; several are a rebalance."""
    if len(legs) != 1:
        return t.REBALANCE
    (leg,) = legs
    sign = MINUS if leg["side"] == "sell" else "+"
    return t.REBALANCE_LEG.format(sign=sign, amount=_units(leg), asset=base_of(leg["symbol"]))


def _units(leg: Payload) -> str:
    """As on a card: in coins where one contract is one coin."""
    contracts, mark = Decimal(leg["contracts"]), leg.get("mark_price")
    return units(contracts, Decimal(leg["notional"]), Decimal(mark)) if mark else exact(contracts)
