"""The permission card, and what pauses everything."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bot.chat.texts import permission as t
from bot.chat.texts.screens import CHOSEN
from bot.chat.views.accounts.badge import badge, badge_of, title
from bot.chat.views.message import Button, Message, bold, code, html
from bot.chat.views.numbers import base_of, exact, percent, price, usd
from bot.ports.permissions import Pause, Permission
from bot.ports.records import Account, KeptRule, Proposal
from bot.services.desk.permission import Offer, PermissionView
from hedging.plan import Leg

_LEGS_SHOWN = 3


def permission(view: PermissionView, *, wider: bool = False) -> Message:
    """What is permitted on the account in use, and the steps that lead there."""
    given, paused = view.permission, view.pause is not None
    heading = t.PAUSED if paused else t.TITLE[given.acts]
    if given.acts == "never" and given.silence != "nothing" and not paused:
        heading = t.TITLE_SILENCE
    steps = [(t.HERE if step == view.step else t.THERE).format(step=name) for step, name in t.STEPS.items()]
    blocks = [
        f"{bold(heading)}\n{badge_of(view.account)}",
        "\n".join([t.ACTS[given.acts], t.SILENCE[given.silence], _caps(given), *_spent(given)]),
        "\n".join([t.LADDER, *steps, t.NEXT[view.step]]),
        f"{t.HOW}\n{code(t.EXAMPLE)}",
    ]
    if wider:
        blocks.insert(1, t.WIDER)
    rows = (
        tuple(
            _choice(label, f"pm:ask:{acts}:{given.silence}", chosen=acts == given.acts)
            for acts, label in t.CHOICES.items()
        ),
        *(
            (_choice(label, f"pm:ask:{given.acts}:{silence}", chosen=silence == given.silence),)
            for silence, label in t.SILENCES.items()
        ),
    )
    return Message("\n\n".join(blocks), rows)


def asked(view: PermissionView, offer: Offer) -> Message:
    """The card: what exactly would be permitted, on which account, with its caps, and until when the card counts."""
    lines = [
        t.ACTS[offer.acts],
        t.SILENCE[offer.silence],
        _caps(view.permission),
        "",
        t.ONLY_HERE,
        t.ALWAYS,
        *([t.STILL_PAUSED] if view.pause is not None else []),
        t.VALID.format(time=f"{offer.until:%H:%M}"),
    ]
    bound = f"{offer.account_id}:{offer.terms}:{int(offer.until.timestamp())}"
    give = Button(t.GIVE, f"pm:give:{offer.acts}:{offer.silence}:{bound}", style="success")
    heading = f"{bold(t.ASK)}\n{badge_of(view.account)}"
    return Message(f"{heading}\n\n" + "\n".join(lines), ((give, Button(t.BACK, "pm:show:0:0")),))


def paused(pause: Pause, zone: str) -> Message:
    """/pause, and when it ends."""
    if pause.until is None:
        return Message(f"{bold(t.PAUSE)}\n{t.PAUSE_BODY}")
    at = pause.until.astimezone(ZoneInfo(zone))
    where = zone.rpartition("/")[2].replace("_", " ")
    until = f"{at.day} {at:%b, %H:%M} ({html(where)})"
    return Message(f"{bold(t.PAUSE_UNTIL.format(until=until))}\n{t.PAUSE_UNTIL_BODY}")


def resumed(given: Permission, changed: bool) -> Message:
    """/resume."""
    body = t.RESUME_BODY if given.permits else t.RESUME_BODY_NONE
    return Message(f"{bold(t.RESUME if changed else t.RESUME_NONE)}\n{body}")


def pause_over(payload: Mapping[str, Any]) -> Message:
    """A pause has come to its end by itself."""
    del payload  # it only tells which one
    return Message(f"{bold(t.PAUSE_OVER)}\n{t.PAUSE_OVER_BODY}")


def permission_taken(payload: Mapping[str, Any]) -> Message:
    """Nothing is done on that account without a tap any more."""
    heading = f"{bold(t.TAKEN_BACK)}\n{badge(payload['exchange'], payload['mode'])}"
    why = t.TAKEN_BACK_WHY[payload["why"]].format(title=title(payload["exchange"]))
    return Message(f"{heading}\n{why} {t.TAKEN_BACK_BODY}")


def panic(closing: Proposal | None, account: Account, kept: KeptRule) -> Message:
    """Both ways out, the closing one priced: one tap confirms it."""
    lines = [t.PANIC_PAUSED]
    buttons = []
    if closing is not None and closing.plan.legs:
        lines += [t.PANIC_CLOSE, *map(_closing, closing.plan.legs[:_LEGS_SHOWN])]
        rest = len(closing.plan.legs) - _LEGS_SHOWN
        lines += [t.PANIC_MORE.format(count=rest)] if rest > 0 else []
        lines.append(t.PANIC_FEE.format(fee=usd(closing.plan.fees)))
        buttons.append((Button(t.CLOSE_ALL, f"ok:{closing.id}", style="danger"),))
    else:
        lines.append(t.PANIC_NONE)
    lines.append(t.PANIC_HEDGE.format(now=percent(kept.rule.target)))
    buttons.append((Button(t.HEDGE_ALL, f"pm:all:{kept.version}", style="primary"),))
    return Message(f"{bold(t.PANIC)}\n{badge_of(account)}\n\n" + "\n".join(lines), tuple(buttons))


def _closing(leg: Leg) -> str:
    told = {
        "amount": exact(leg.contracts),
        "asset": html(base_of(leg.symbol)),
        "limit": price(leg.limit_price),
    }
    return t.PANIC_ORDER.format(**told)


def _caps(given: Permission) -> str:
    return t.CAPS.format(
        order=usd(given.order_cap),
        day=usd(given.day_cap),
        leverage=given.leverage_cap,
        slippage=percent(given.slippage_cap),
    )


def _spent(given: Permission) -> list[str]:
    return (
        [t.SPENT.format(spent=usd(given.spent), day=usd(given.day_cap))] if given.spent > Decimal(0) else []
    )


def _choice(label: str, data: str, *, chosen: bool) -> Button:
    return Button(CHOSEN.format(label=label) if chosen else label, data)
