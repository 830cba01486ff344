"""Alerts: the first line says it all, because that is what a locked screen shows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.chat.texts import alerts as t
from bot.chat.texts import cards
from bot.chat.views.accounts.badge import badge, title
from bot.chat.views.message import Button, Message, Rows, bold, html
from bot.chat.views.numbers import MINUS, base_of, exact, percent, price, usd
from bot.chat.views.proposal import units

Payload = Mapping[str, Any]

_LEGS_SHOWN = 4
_CALM_LEVERAGE = Decimal(2)
_KEEPS = frozenset(("stale", "funding", "exit"))
_AT_TARGET = frozenset(("volatility", "correlation"))
_CALM = frozenset(
    ("basis", "exchange_down", "key_failing", "key_expiring", "key_rights", "order_waiting", "balance")
)
_KEYS = frozenset(("key_expiring", "key_rights"))  # of an account, whether or not a hedge is open


def alert(payload: Payload, *, more: bool = False) -> Message:
    """What happened, what it means, and its remedy as one tap. `more`: with what else can be done."""
    said = headline(payload)
    if payload.get("repeat"):
        said = t.REPEATED.format(headline=said)
    if payload.get("reminder"):
        said = t.REMINDER.format(headline=said)
    blocks = [
        [bold(said), *_whose(payload), *_since(payload)],
        [*_body(payload), *_money(payload)],
        _cheaper(payload),
        _remedy(payload),
    ]
    text = "\n\n".join("\n".join(block) for block in blocks if block)
    return Message(text, _buttons(payload, more=more))


def recovered(payload: Payload) -> Message:
    """The alert is over: the same message says so."""
    of_itself = payload.get("hedged", True) or payload["kind"] in _KEYS
    kind = payload["kind"] if of_itself else "no_hedge"
    body = t.OVER_BODY
    if kind == "adl" and payload.get("rank") is None:
        kind, body = "adl_gone", t.CLOSED_BODY
    if payload.get("given_up"):
        kind, body = "given_up", t.GIVEN_UP_BODY.format_map(_figures(payload))
    if kind == "exchange_down" and payload.get("exchange") == "paper":
        kind = "exchange_down_paper"
    title = t.OVER[kind].format_map(_figures(payload))
    if not (payload.get("legs") and payload.get("aim")):
        return Message("\n".join([bold(title), *_whose(payload), body]), silent=True)
    lines = [bold(title), *_whose(payload), "", t.BACK_AGAIN, *_remedy(payload)]
    data = f"rb:{payload['alert_id']}:{payload['proposal_id']}"
    button = Button(t.BACK_TO.format(aim=percent(Decimal(payload["aim"]))), data, style="primary")
    return Message("\n".join(lines), ((button,),), silent=True)


def replaced(payload: Payload) -> Message:
    """What an earlier message of a matter turns into when a newer one tells of it: no button that is out of date."""
    heading = t.REPLACED.format(kind=t.KINDS[payload["kind"]].capitalize())
    return Message("\n".join([bold(heading), *_whose(payload), t.REPLACED_BODY]), silent=True)


def _whose(payload: Payload) -> list[str]:
    return [badge(payload["exchange"], payload["mode"])] if payload.get("mode") else []


def headline(payload: Payload) -> str:
    """One line, without markup but safe inside it."""
    return t.HEADLINES[_look(payload)].format_map(_figures(payload))


def _look(payload: Payload) -> str:
    """Which of its kind's wordings fits."""
    kind = str(payload["kind"])
    match kind:
        case "drift":
            low = Decimal(str(payload["coverage"])) < Decimal(str(payload["target"]))
            return "drift_low" if low else "drift_high"
        case "market_move":
            way = "down" if (payload.get("change") or 0) < 0 else "up"
            return f"market_move_{way}_again" if payload.get("again") else f"market_move_{way}"
        case "basis":
            return "basis_above" if (payload.get("basis") or 0) > 0 else "basis_below"
        case "orphan":
            return "orphan_several" if len(payload.get("symbols") or ()) > 1 else "orphan"
        case "stale" | "exit":
            return f"{kind}_{payload.get('reason', 'age')}"
        case "key_rights":
            return f"key_rights_{payload.get('lost', 'trading')}"
        case "key_expiring":
            return {0: "key_expiring_ended", 1: "key_expiring_red"}.get(payload.get("days") or 0, kind)
        case "balance":
            return "balance_none" if payload.get("reason") == "none" else "balance_contradicted"
        case "adl" if payload.get("level", 1) > 1:
            return "adl_front"
        case "exchange_down" if payload.get("exchange") == "paper":
            return "exchange_down_paper"
        case "exchange_down" if payload.get("state") and payload.get("level", 1) < 2:
            return "exchange_maintenance" if payload["state"] == "maintenance" else "exchange_silent"
        case _:
            red = f"{kind}_red"
            return red if payload.get("level", 1) > 1 and red in t.HEADLINES else kind


class _Figures(dict[str, str]):
    """What is not known is shown as such, and never keeps a message back."""

    def __missing__(self, key: str) -> str:
        return "?"


_SHARES = ("coverage", "target", "runway", "pump", "sold", "rise", "basis")
_MONEY = ("cost", "budget", "value")


def _figures(payload: Payload) -> Mapping[str, str]:
    shown = _Figures()
    for name in _SHARES:
        if payload.get(name) is not None:
            shown[name] = percent(abs(Decimal(str(payload[name]))))
    for name in _MONEY:
        if payload.get(name) is not None:
            shown[name] = usd(abs(Decimal(str(payload[name]))))
    if payload.get("change") is not None:
        shown["change"] = percent(abs(Decimal(str(payload["change"]))))
    measure = payload.get("measure")
    if measure is not None:
        shown["times"] = f"{measure:.1f}".removesuffix(".0")
        shown["share"] = percent(abs(Decimal(str(measure))))
    if payload.get("days") is not None:
        shown["days"] = f"{payload['days']:.0f}"
    if payload.get("correlation") is not None:
        shown["now"] = percent(max(Decimal(str(payload["correlation"])), Decimal(0)))
    if payload.get("symbol"):
        shown["asset"] = html(base_of(payload["symbol"]))
    if payload.get("asset"):
        shown["asset"] = html(payload["asset"])
    if payload.get("symbols"):
        *others, last = map(base_of, payload["symbols"])
        shown["assets"] = html(f"{', '.join(others)} and {last}" if others else last)
    if payload.get("price") is not None:
        shown["price"] = price(Decimal(str(payload["price"])))
    if payload.get("exchange"):
        shown["exchange"] = title(str(payload["exchange"]))
    if payload.get("since"):
        shown["since"] = f"{datetime.fromisoformat(payload['since']):%H:%M} UTC"
    if payload.get("rank") is not None:
        shown["rank"] = str(payload["rank"])
    if payload.get("until"):
        shown["until"] = _day(payload["until"])
    return _before_after(payload, shown)


def _before_after(payload: Payload, shown: _Figures) -> _Figures:
    """Of a correlation they are shares, of a closed short amounts."""
    if payload["kind"] == "correlation" and payload.get("before") is not None:
        shown["before"] = percent(max(Decimal(str(payload["before"])), Decimal(0)))
    elif payload["kind"] == "forced_close" and payload.get("before") is not None:
        shown["before"] = exact(Decimal(str(payload["before"])))
    return shown


def _since(payload: Payload) -> list[str]:
    """How a matter that is not new has developed."""
    if payload.get("event") not in ("worse", "better", "goes_on") or not payload.get("raised_at"):
        return []
    raised, now = datetime.fromisoformat(payload["raised_at"]), payload.get("at")
    present = datetime.fromisoformat(now) if now else raised
    time = _moment(raised, present)
    if payload["event"] == "worse":
        return [t.WORSE.format(time=time)]
    return [t.CHANGED.format(now=f"{present:%H:%M}", time=time)] if now else []


def _moment(then: datetime, now: datetime) -> str:
    """The time; with its day where that is another one."""
    return f"{then:%H:%M}" if then.date() == now.date() else f"{then.day} {then:%b, %H:%M}"


def _body(payload: Payload) -> list[str]:
    look = _look(payload)
    text = t.BODIES.get(look) or t.BODIES.get(str(payload["kind"]))
    return [text.format_map(_figures(payload))] if text else []


def _cheaper(payload: Payload) -> list[str]:
    """Where the same short would cost less, and how to get there."""
    moved = payload.get("switch")
    if moved:
        figures = {name: usd(abs(Decimal(moved[name]))) for name in ("there", "moving", "saves")}
        pays = Decimal(moved["there"]) < 0
        return [(t.SWITCH_PAYS if pays else t.SWITCH_RECEIVES).format(coin=html(moved["coin"]), **figures)]
    found = payload.get("cheaper")
    if not found:
        return []
    there = Decimal(found["there"])
    template = t.CHEAPER_PAYS if there < 0 else t.CHEAPER_RECEIVES
    shown = {name: usd(abs(Decimal(found[name]))) for name in ("here", "there", "moving", "saves")}
    where = title(found["exchange"])
    return [template.format(exchange=where, **shown), t.CHEAPER_HOW.format(exchange=where)]


def _money(payload: Payload) -> list[str]:
    """What the coins are worth and what the hedge has done, where that is what it is about."""
    lines = []
    if payload["kind"] in ("drift", "market_move") and payload.get("value") is not None:
        value, change = usd(Decimal(str(payload["value"]))), payload.get("change")
        if change is None or abs(change) < 0.0005:
            lines.append(t.VALUE.format(value=value))
        else:
            moved = t.MOVED_AGAIN if payload.get("again") else t.MOVED
            lines.append(moved.format(value=value, change=percent(Decimal(str(change)), signed=True)))
    made = payload.get("hedge_pnl")
    if made is not None and Decimal(made) and payload["kind"] not in _CALM:
        gained = Decimal(made) > 0
        lines.append((t.HEDGE_MADE if gained else t.HEDGE_LOST).format(amount=usd(abs(Decimal(made)))))
    return lines


def _remedy(payload: Payload) -> list[str]:
    legs = payload.get("legs") or []
    if payload["kind"] in _CALM and not legs:
        return [] if payload["kind"] != "basis" else [t.NOTHING_TO_DO]
    if payload.get("waits_for"):
        return [t.AFTER.format(kind=t.KINDS[payload["waits_for"]])]
    if not legs and payload["kind"] == "adl" and Decimal(payload.get("leverage", "9")) <= _CALM_LEVERAGE:
        return [t.ALREADY_CALM]
    if not legs:
        return [t.AT_TARGET if payload["kind"] in _AT_TARGET and _near_target(payload) else t.NO_REMEDY]
    lines = [line for leg in legs[:_LEGS_SHOWN] for line in _leg(leg)]
    if len(legs) > _LEGS_SHOWN:
        lines.append(f"• {cards.MORE_ORDERS.format(count=len(legs) - _LEGS_SHOWN)}")
    aim = percent(Decimal(payload["aim"])) if payload.get("aim") else ""
    titled = t.REMEDIES[payload.get("remedy", "rebalance")].format(aim=aim)
    return [titled, *lines, t.REMEDY_FEE.format(fee=usd(Decimal(payload["fees"])))]


def _near_target(payload: Payload) -> bool:
    known = [payload.get(name) for name in ("coverage", "target", "band")]
    coverage, target, band = (Decimal(str(one)) if one is not None else Decimal("NaN") for one in known)
    return not (coverage + target + band).is_nan() and abs(coverage - target) <= band / 2


def _buttons(payload: Payload, *, more: bool) -> Rows:
    number = payload["alert_id"]
    rows: list[tuple[Button, ...]] = []
    if payload.get("legs"):
        data = f"rb:{number}:{payload['proposal_id']}"
        rows.append((Button(_remedy_button(payload), data, style="primary"),))
    if payload.get("cheaper"):
        rows.append((Button(t.ACCOUNTS, "ac:list"),))
    if payload["kind"] in _KEEPS:
        rows.append((Button(t.KEEP, f"kp:{number}"),))
    if more:
        rows.append(
            (
                Button(t.SEEN, f"al:seen:{number}"),
                Button(t.ONE_HOUR, f"al:1h:{number}"),
                Button(t.MORNING, f"al:am:{number}"),
            )
        )
        rows.append((Button(t.MUTE, f"al:mute:{number}"), Button(t.BACK, f"al:back:{number}")))
    else:
        rows.append(
            (
                Button(t.SNOOZE, f"sn:{number}"),
                Button(t.DETAILS, f"dt:{number}"),
                Button(t.MORE, f"al:more:{number}"),
            )
        )
    return tuple(rows)


def _leg(leg: Payload) -> list[str]:
    """The order, and the worst price that its tap accepts."""
    lines = [t.REMEDY_LEG.format(what=_order(leg), notional=usd(Decimal(leg["notional"])))]
    if leg.get("limit_price"):
        template = cards.PRICED_SELL if leg["side"] == "sell" else cards.PRICED_BUY
        now, limit = price(Decimal(leg["mark_price"])), price(Decimal(leg["limit_price"]))
        lines.append(f"  {template.format(price=now, limit=limit)}")
    return lines


def _order(leg: Payload) -> str:
    template = cards.SHORT if leg["side"] == "sell" else cards.BUY_BACK
    return template.format(amount=_units(leg), asset=html(base_of(leg["symbol"])))


def _remedy_button(payload: Payload) -> str:
    """One order back to the target is named; everything else by what it does."""
    legs: Sequence[Payload] = payload["legs"]
    remedy = payload.get("remedy", "rebalance")
    if remedy == "switch":
        return t.SWITCH.format(coin=payload["switch"]["coin"])
    if remedy == "retarget":
        return t.RETARGET.format(aim=percent(Decimal(payload["aim"])))
    if remedy != "rebalance":
        return t.DELEVER if remedy == "delever" else t.CLOSE
    if len(legs) != 1:
        return t.REBALANCE
    (leg,) = legs
    sign = MINUS if leg["side"] == "sell" else "+"
    return t.REBALANCE_LEG.format(sign=sign, amount=_units(leg), asset=base_of(leg["symbol"]))


def _units(leg: Payload) -> str:
    """As on a card: in coins where one contract is one coin."""
    contracts, mark = Decimal(leg["contracts"]), leg.get("mark_price")
    return units(contracts, Decimal(leg["notional"]), Decimal(mark)) if mark else exact(contracts)


def _day(text: str) -> str:
    day = datetime.fromisoformat(text)
    return f"{day.day} {day:%b %Y}"
