"""The permission card, and what pauses everything."""

from decimal import Decimal

from bot.chat.texts import permission as t
from bot.chat.texts.screens import CHOSEN
from bot.chat.views.message import Button, Message, bold, code
from bot.chat.views.numbers import base_of, exact, percent, usd
from bot.ports.records import Proposal
from bot.ports.watching import Permission
from bot.services.desk.permission import PermissionView

_LEGS_SHOWN = 3


def permission(view: PermissionView, *, wider: bool = False) -> Message:
    """What is permitted, and the steps that lead there."""
    given = view.permission
    title = t.PAUSED if given.paused else t.TITLE[given.acts]
    if given.acts == "never" and given.silence != "nothing" and not given.paused:
        title = t.TITLE_SILENCE
    steps = [(t.HERE if step == view.step else t.THERE).format(step=name) for step, name in t.STEPS.items()]
    blocks = [
        bold(title),
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


def asked(view: PermissionView, acts: str, silence: str) -> Message:
    """The card: what exactly would be permitted, with its caps."""
    lines = [t.ACTS[acts], t.SILENCE[silence], _caps(view.permission), "", t.ALWAYS]
    give = Button(t.GIVE, f"pm:give:{acts}:{silence}", style="success")
    return Message(f"{bold(t.ASK)}\n\n" + "\n".join(lines), ((give, Button(t.BACK, "pm:show:0:0")),))


def paused(given: Permission, *, on: bool, changed: bool = True) -> Message:
    """/pause and /resume."""
    if on:
        return Message(f"{bold(t.PAUSE)}\n{t.PAUSE_BODY}")
    body = t.RESUME_BODY if given.acts != "never" or given.silence != "nothing" else t.RESUME_BODY_NONE
    return Message(f"{bold(t.RESUME if changed else t.RESUME_NONE)}\n{body}")


def panic(closing: Proposal | None) -> Message:
    """Both ways out, the closing one priced: one tap confirms it."""
    lines = [t.PANIC_PAUSED]
    buttons = []
    if closing is not None and closing.plan.legs:
        legs = [f"{exact(leg.contracts)} {base_of(leg.symbol)}" for leg in closing.plan.legs[:_LEGS_SHOWN]]
        more = ["…"] if len(closing.plan.legs) > _LEGS_SHOWN else []
        lines.append(t.PANIC_CLOSE.format(orders=", ".join([*legs, *more]), fee=usd(closing.plan.fees)))
        buttons.append((Button(t.CLOSE_ALL, f"ok:{closing.id}", style="danger"),))
    else:
        lines.append(t.PANIC_NONE)
    lines.append(t.PANIC_HEDGE)
    buttons.append((Button(t.HEDGE_ALL, "pm:all:0:0", style="primary"),))
    return Message(f"{bold(t.PANIC)}\n\n" + "\n".join(lines), tuple(buttons))


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
