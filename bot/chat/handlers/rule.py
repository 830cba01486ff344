"""/rule: by text and by buttons."""

from decimal import Decimal

from bot.chat import texts
from bot.chat.parsing.rule import RuleEdit, parse_rule
from bot.chat.turn import Turn, UnknownButton, number
from bot.chat.views import rule as views
from bot.chat.views.message import Message
from hedging.rules import HedgeRule


async def rule(turn: Turn) -> None:
    """The rule, changed first where the command says how."""
    if not turn.text:
        await turn.say(await _screen(turn, await turn.services.rules.get(turn.user_id)))
        return
    edit = parse_rule(turn.text)
    if edit is None:
        await turn.refuse(texts.RULE_NOT_UNDERSTOOD)
        return
    await turn.say(await _screen(turn, await _change(turn, edit)))


async def tapped(turn: Turn) -> None:
    part, text = turn.carried(2)
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
    changed = await _change(turn, edit)
    await turn.toast(texts.SAVED.format(what=views.changed(edit)))
    await turn.show(await _screen(turn, changed))


async def _screen(turn: Turn, current: HedgeRule) -> Message:
    return views.rule(current, await turn.services.accounts.in_use(turn.user_id))


async def _change(turn: Turn, edit: RuleEdit) -> HedgeRule:
    return await turn.services.rules.change(
        turn.user_id, target=edit.target, leverage=edit.leverage, band=edit.band, factor=edit.factor
    )
