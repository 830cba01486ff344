"""/permission, /pause, /resume, /panic, and the undoing of what was done without a tap."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args

from bot.chat.handlers.hedge import show_anew, show_card
from bot.chat.parsing.caps import parse_caps
from bot.chat.parsing.words import parse_span
from bot.chat.texts import permission as words
from bot.chat.texts import words as misread
from bot.chat.turn import Turn, UnknownButton, number
from bot.chat.views import permission as views
from bot.ports.errors import StaleVersion
from bot.ports.permissions import Acts, Silence
from bot.services.desk.permission import Offer
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
        wider = before.permits and not after.permits
    await turn.say(views.permission(await service.view(turn.user_id), wider=wider))


async def tapped(turn: Turn) -> None:
    """`pm:<what>:…`."""
    match turn.tap.data.split(":")[1:] if turn.tap else []:
        case ["show", *_]:
            await turn.show(views.permission(await turn.services.permissions.view(turn.user_id)))
        case ["all", version] | ["all", version, _]:
            await _hedge_everything(turn, number(version))
        case ["ask", "never", "nothing"] | ["give", "never", "nothing", *_]:
            await turn.services.permissions.take_back(turn.user_id)
            await turn.toast(words.TAKEN)
            await turn.show(views.permission(await turn.services.permissions.view(turn.user_id)))
        case ["ask", acts, silence]:
            await _ask(turn, _acts(acts), _silence(silence))
        case ["give", acts, silence, account, terms, until]:
            ends = datetime.fromtimestamp(number(until), UTC)
            await _give(turn, Offer(_acts(acts), _silence(silence), number(account), number(terms), ends))
        case ["give", acts, silence]:  # a card of before, which was bound to nothing
            await turn.toast(words.OUTLIVED["terms"], alert=True)
            await _ask(turn, _acts(acts), _silence(silence))
        case _:
            raise UnknownButton(turn.tap.data if turn.tap else "")


async def _ask(turn: Turn, acts: Acts, silence: Silence) -> None:
    view, offer = await turn.services.permissions.offer(turn.user_id, acts, silence)
    await turn.show(views.asked(view, offer))


async def _give(turn: Turn, offer: Offer) -> None:
    """What the card showed, or nothing."""
    given = await turn.services.permissions.give(turn.user_id, offer)
    if isinstance(given, str):
        await turn.toast(words.OUTLIVED[given], alert=True)
        await _ask(turn, offer.acts, offer.silence)
        return
    view = await turn.services.permissions.view(turn.user_id)
    await turn.toast(words.GIVEN if view.pause is None else words.GIVEN_PAUSED, alert=view.pause is not None)
    await turn.show(views.permission(view))


async def pause(turn: Turn) -> None:
    """Until /resume; `/pause 2h` and `/pause until 8:00` end by themselves."""
    until, settings = None, await turn.services.alerts.settings(turn.user_id)
    if turn.text:
        span = parse_span(turn.text)
        if span is None:
            await turn.refuse(misread.PAUSE)
            return
        until = turn.services.permissions.end_of(span.lasts, span.until, settings)
    paused = await turn.services.permissions.pause(turn.user_id, until=until)
    await turn.say(views.paused(paused, settings.zone))


async def resume(turn: Turn) -> None:
    changed = await turn.services.permissions.resume(turn.user_id)
    await turn.say(views.resumed((await turn.services.permissions.view(turn.user_id)).permission, changed))


async def panic(turn: Turn) -> None:
    """Everything automatic stops; then both ways out, one tap each."""
    await turn.services.permissions.pause(turn.user_id)
    try:
        closing = await turn.services.hedge.unwind(turn.user_id, turn.chat_id, key=turn.key)
    except NothingToHedge:
        closing = None
    account = await turn.services.accounts.in_use(turn.user_id)
    kept = await turn.services.rules.kept(turn.user_id)
    shown = await turn.say(views.panic(closing, account, kept))
    if closing is not None:
        await turn.services.hedge.shown(closing.id, shown)


async def undo(turn: Turn) -> None:
    """A card that brings coverage back to what it was before."""
    (card_id,) = turn.carried(1)
    undone = await turn.services.hedge.undo(card_id, turn.user_id, turn.chat_id, key=turn.key)
    if not undone.why:
        await show_card(turn, undone.proposal)
        return
    turn.tap = None  # the receipt stays what it is
    await show_anew(turn, undone)


async def _hedge_everything(turn: Turn, version: int) -> None:
    """The button says that it sets the target; an old one changes no rule that was set since."""
    try:
        await turn.services.rules.change(turn.user_id, under=version, target=Decimal(1))
    except StaleVersion:
        await turn.toast(misread.RULE_MOVED, alert=True)
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
