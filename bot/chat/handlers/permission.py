"""/permission, /pause, /resume, /panic, and the undoing of what was done without a tap."""

from decimal import Decimal
from typing import get_args

from bot.chat.handlers.hedge import show_card
from bot.chat.parsing.caps import parse_caps
from bot.chat.texts import permission as words
from bot.chat.turn import Turn, UnknownButton
from bot.chat.views import permission as views
from bot.ports.watching import Silence
from bot.services.desk.permission import Acts
from hedging.errors import NothingToHedge


async def permission(turn: Turn) -> None:
    """What is permitted; with caps behind it, changed first."""
    service, wider = turn.services.permissions, False
    if turn.text:
        caps = parse_caps(turn.text)
        if caps is None:
            await turn.refuse(words.NOT_UNDERSTOOD)
            return
        before = (await service.view(turn.user_id)).permission
        after = await service.caps(
            turn.user_id, order=caps.order, day=caps.day, leverage=caps.leverage, slippage=caps.slippage
        )
        wider = (before.acts, before.silence) != (after.acts, after.silence)
    await turn.say(views.permission(await service.view(turn.user_id), wider=wider))


async def tapped(turn: Turn) -> None:
    """`pm:<what>:<acts>:<silence>`."""
    what, acts, silence = turn.carried(3)
    service = turn.services.permissions
    if what == "show":
        await turn.show(views.permission(await service.view(turn.user_id)))
    elif what == "all":
        await _hedge_everything(turn)
    elif what in ("ask", "give"):
        chosen, quiet = _acts(acts), _silence(silence)
        if what == "ask" and (chosen, quiet) != ("never", "nothing"):
            await turn.show(views.asked(await service.view(turn.user_id), chosen, quiet))
            return
        await service.give(turn.user_id, chosen, quiet)
        await turn.toast(words.GIVEN if (chosen, quiet) != ("never", "nothing") else words.TAKEN)
        await turn.show(views.permission(await service.view(turn.user_id)))
    else:
        raise UnknownButton(what)


async def pause(turn: Turn) -> None:
    await turn.say(views.paused(await turn.services.permissions.pause(turn.user_id, on=True), on=True))


async def resume(turn: Turn) -> None:
    before = (await turn.services.permissions.view(turn.user_id)).permission
    given = await turn.services.permissions.pause(turn.user_id, on=False)
    await turn.say(views.paused(given, on=False, changed=before.paused))


async def panic(turn: Turn) -> None:
    """Everything automatic stops; then both ways out, one tap each."""
    await turn.services.permissions.pause(turn.user_id, on=True)
    try:
        closing = await turn.services.hedge.unwind(turn.user_id, turn.chat_id, key=turn.key)
    except NothingToHedge:
        closing = None
    shown = await turn.say(views.panic(closing))
    if closing is not None:
        await turn.services.hedge.shown(closing.id, shown)


async def undo(turn: Turn) -> None:
    """A card that brings coverage back to what it was before."""
    (card_id,) = turn.carried(1)
    card = await turn.services.hedge.undo(card_id, turn.user_id, turn.chat_id, key=turn.key)
    await show_card(turn, card)


async def _hedge_everything(turn: Turn) -> None:
    await turn.services.rules.change(turn.user_id, target=Decimal(1))
    await show_card(turn, await turn.services.hedge.propose(turn.user_id, turn.chat_id, key=turn.key))


def _acts(text: str) -> Acts:
    for known in get_args(Acts):
        if text == known:
            found: Acts = known
            return found
    raise UnknownButton(text)


def _silence(text: str) -> Silence:
    for known in get_args(Silence):
        if text == known:
            found: Silence = known
            return found
    raise UnknownButton(text)
