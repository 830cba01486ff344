"""What a confirmed card turns into."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bot.chat.texts import cards as t
from bot.chat.texts.alerts import KINDS
from bot.chat.texts.permission import AUTO, UNDO
from bot.chat.views.accounts.badge import badge, title
from bot.chat.views.message import Button, Message, bold, folded, html
from bot.chat.views.numbers import base_of, exact, percent, price, usd
from bot.chat.views.proposal import FAR, repriced, units

Payload = Mapping[str, Any]

_LEGS_SHOWN = 5
_IDS_SHOWN = 3
_LIQUIDATIONS_SHOWN = 3


def receipt(payload: Payload) -> Message:
    """Which orders did what, at which price, and where that leaves their owner; or the card that takes their place."""
    if "cards" in payload:
        fresh, earlier, account = payload["cards"]
        return repriced(fresh, earlier, account, "position")
    legs, status = payload["legs"], payload["status"]
    again = "/unhedge" if payload["purpose"] == "unhedge" else "/hedge"
    where = title(payload["exchange"])
    lines = [
        bold(_title(payload)),
        badge(payload["exchange"], payload["mode"]),
        "",
        *_orders(legs, where),
        "",
    ]
    if status != "nothing":
        lines += _figures(payload)
    if status == "manual":
        lines += ["", t.CHECK_BY_HAND.format(exchange=where)]
    elif status == "partial":
        lines += ["", t.THE_REST.format(command=again)]
    elif status == "nothing":
        lines.append(t.NOTHING_CHANGED.format(command=again))
    if payload.get("repeat"):
        lines.append(t.REPEATED)
    ids = [
        Button(t.COPY_ID.format(asset=base_of(leg["symbol"])), copy=str(leg["order_id"])[:256])
        for leg in legs
        if leg.get("order_id")
    ]
    rows = [tuple(ids[:_IDS_SHOWN])] if ids else []
    if payload.get("auto"):
        lines += ["", AUTO.format(kind=KINDS.get(payload["auto"], html(payload["auto"])))]
        rows.append((Button(UNDO, f"un:{payload['proposal_id']}"),))
    return Message("\n".join(lines), tuple(rows))


def waiting(payload: Payload) -> Message:
    """An order whose fate is being looked up."""
    asset = html(base_of(payload["symbol"]))
    whose = [badge(payload["exchange"], payload["mode"])] if payload.get("exchange") else []
    return Message(
        "\n".join([bold(t.WAITING.format(asset=asset)), *whose, t.WAITING_BODY.format(asset=asset)])
    )


def _title(payload: Payload) -> str:
    if payload["status"] == "nothing":
        return t.NOTHING_DONE
    if payload["status"] == "manual":
        known = ("filled", "cancelled", "rejected", "absent")
        open_ = dict.fromkeys(base_of(leg["symbol"]) for leg in payload["legs"] if leg["state"] not in known)
        return t.MANUAL.format(assets=html(", ".join(open_)))
    return t.RECEIPT[payload["purpose"], payload["status"]].format(
        before=_coverage(payload["coverage_before"]), after=_coverage(payload["coverage_after"])
    )


def _coverage(text: str | None) -> str:
    return t.UNKNOWN_COVERAGE if text is None else percent(Decimal(text))


def _orders(legs: Sequence[Payload], where: str) -> list[str]:
    lines = [line for leg in legs[:_LEGS_SHOWN] for line in _order(leg, where)]
    rest = [line for leg in legs[_LEGS_SHOWN:] for line in _order(leg, where)]
    return [*lines, folded(rest)] if rest else lines


def _order(leg: Payload, where: str) -> list[str]:
    asset, filled, wanted = html(base_of(leg["symbol"])), Decimal(leg["filled"]), Decimal(leg["contracts"])
    lines = []
    if filled:
        at = "?" if leg["average_price"] is None else price(Decimal(leg["average_price"]))
        done = t.SOLD if leg["side"] == "sell" else t.BOUGHT
        parts = t.IN_ORDERS.format(count=leg["orders"]) if leg.get("orders", 1) > 1 else ""
        lines.append(f"• {done.format(amount=_units(leg, filled), asset=asset, price=at)}{parts}")
    if leg["state"] == "manual" or leg["state"] not in ("filled", "cancelled", "rejected", "absent"):
        lines.append(f"• {t.NOT_KNOWN.format(asset=asset)}")
    elif not filled:
        lines.append(f"• {t.NOT_TRADED.format(asset=asset, reason=_reason(leg, where))}")
    elif filled < wanted and leg["state"] in ("rejected", "absent"):
        short = t.OF_ORDERED_STOPPED.format(
            filled=exact(filled), amount=_units(leg, wanted), asset=asset, reason=_reason(leg, where)
        )
        lines.append(f"  {short}")
    elif filled < wanted:
        short = t.OF_ORDERED if leg["side"] == "sell" else t.OF_ORDERED_BUY
        if leg["state"] == "filled":  # all that was sent: it was cut to what was still open
            short = t.OF_ORDERED_CAPPED
        lines.append(f"  {short.format(filled=exact(filled), amount=_units(leg, wanted), asset=asset)}")
    if left := Decimal(leg.get("left") or 0):
        lines.append(f"  {t.STILL_OPEN.format(amount=_units(leg, left), asset=asset)}")
    return lines


def _units(leg: Payload, contracts: Decimal) -> str:
    """As on the card: in coins where one contract is one coin."""
    share = contracts / Decimal(leg["contracts"])
    notional = Decimal(leg.get("notional") or 0)
    return units(contracts, notional * share, Decimal(leg["mark_price"])) if notional else exact(contracts)


def _reason(leg: Payload, where: str) -> str:
    """In words; where the exchange gave a code that no word stands for, with the code."""
    reason = str(leg.get("reason") or "")
    if not reason:
        return t.NO_FILL
    kind, _, code = reason.partition(":")
    if kind in t.CODED and code:
        return t.CODED[kind].format(exchange=where, code=html(code[:20]))
    known = t.REASONS.get(reason)
    return known or t.REASON_UNKNOWN.format(reason=html(reason[:80]))


def _figures(payload: Payload) -> list[str]:
    lines = [t.FEES.format(fees=usd(Decimal(payload["fees"])))]
    if payload["purpose"] != "unhedge":
        target, band = percent(Decimal(payload["target"])), payload.get("band")
        lines.append(
            t.TARGET_ONLY.format(target=target)
            if band is None
            else t.TARGET.format(target=target, band=percent(Decimal(band)))
        )
    marks = {leg["symbol"]: Decimal(leg.get("mark_price") or 0) for leg in payload["legs"]}
    reachable = [one for one in payload["liquidation"] if _in_reach(one["price"], marks.get(one["symbol"]))]
    lines += [
        t.RECEIPT_LIQUIDATION.format(asset=html(base_of(one["symbol"])), price=price(Decimal(one["price"])))
        for one in reachable[:_LIQUIDATIONS_SHOWN]
    ]
    return lines


def _in_reach(liquidation: str | None, mark: Decimal | None) -> bool:
    """Whether it is worth a line: one at many times the price only worries people."""
    return liquidation is not None and (not mark or Decimal(liquidation) / mark - 1 <= FAR)
