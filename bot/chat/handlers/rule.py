"""/rule: by text and by buttons."""

from decimal import Decimal

from bot.chat import texts
from bot.chat.parsing.rule import RuleEdit, parse_rule
from bot.chat.texts import words
from bot.chat.turn import Turn, UnknownButton, number
from bot.chat.views import rule as views
from bot.chat.views.message import Message
from bot.ports.errors import StaleVersion

UNKNOWN = -1  # the version behind a button of before: that of no rule


async def rule(turn: Turn) -> None:
    """The rule, changed first where the command says how."""
    if not turn.text:
        await turn.say(await _screen(turn))
        return
    edit = parse_rule(turn.text)
    if edit is None:
        await turn.refuse(texts.RULE_NOT_UNDERSTOOD)
        return
    await _change(turn, edit)
    await turn.say(await _screen(turn))
    await turn.services.watch.look(turn.user_id)  # alerts are about the new rule from now on


async def tapped(turn: Turn) -> None:
    """`r:<part>:<value>:<version>`: a button changes the rule that it was shown under, and no other."""
    parts = turn.tap.data.split(":")[1:] if turn.tap else []
    part, text, version = parts if len(parts) == 3 else (*turn.carried(2), "")
    value = number(text)
    match part:
        case "t":
            edit = RuleEdit(target=Decimal(value) / 100)
        case "l":
            edit = RuleEdit(leverage=value)
        case "b":
            edit = RuleEdit(band=Decimal(value) / 100)
        case _:
            raise UnknownButton(part)
    try:
        await _change(turn, edit, under=number(version) if version else UNKNOWN)
        await turn.toast(texts.SAVED.format(what=views.changed(edit)))
    except StaleVersion:
        await turn.toast(words.RULE_MOVED, alert=True)
    await turn.show(await _screen(turn))
    await turn.services.watch.look(turn.user_id)


async def _screen(turn: Turn) -> Message:
    kept = await turn.services.rules.kept(turn.user_id)
    return views.rule(kept, await turn.services.accounts.in_use(turn.user_id))


async def _change(turn: Turn, edit: RuleEdit, *, under: int | None = None) -> None:
    await turn.services.rules.change(
        turn.user_id,
        under=under,
        target=edit.target,
        leverage=edit.leverage,
        band=edit.band,
        factor=edit.factor,
    )
