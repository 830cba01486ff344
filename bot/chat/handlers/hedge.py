"""/hedge, /unhedge and the buttons of a card."""

import asyncio
import logging
from decimal import Decimal

from telegram.error import TelegramError

from bot.chat import texts
from bot.chat.outgoing import EditGone
from bot.chat.parsing.words import Part, parse_part, parse_share
from bot.chat.texts import cards, words
from bot.chat.turn import Turn, UnknownButton, number
from bot.chat.views import proposal as views
from bot.chat.views import rule as rule_views
from bot.ports.errors import StaleVersion
from bot.ports.records import Proposal, ProposalState
from bot.services.errors import NoSuchShort
from bot.services.hedge import Confirmation
from hedging.errors import NothingToHedge
from hedging.rules import MAX_TARGET, MIN_TARGET

log = logging.getLogger(__name__)

_OVER = {
    ProposalState.CONFIRMED: texts.ALREADY_SENT,
    ProposalState.DONE: texts.ALREADY_DONE,
    ProposalState.CANCELLED: texts.ALREADY_CANCELLED,
    ProposalState.SUPERSEDED: texts.ALREADY_REPLACED,
    ProposalState.EXPIRED: texts.EXPIRED,
}
_PRICEABLE = (ProposalState.OPEN, ProposalState.EXPIRED, ProposalState.CANCELLED)


async def hedge(turn: Turn) -> None:
    """A new card; `/hedge 75%` asks first whether that is to be the rule."""
    if turn.text:
        await _ask_target(turn)
        return
    await show_card(turn, await turn.services.hedge.propose(turn.user_id, turn.chat_id, key=turn.key))


async def _ask_target(turn: Turn) -> None:
    """Nothing is priced or changed before the answer."""
    wanted = parse_share(turn.text)
    if wanted is None:
        await turn.refuse(words.HEDGE)
        return
    if not MIN_TARGET <= wanted <= MAX_TARGET or wanted != wanted.quantize(Decimal("0.01")):
        await turn.refuse(words.HEDGE_TARGET)
        return
    kept = await turn.services.rules.kept(turn.user_id)
    if wanted == kept.rule.target:
        await show_card(turn, await turn.services.hedge.propose(turn.user_id, turn.chat_id, key=turn.key))
    else:
        await turn.say(rule_views.ask_target(kept, wanted))


async def chosen(turn: Turn) -> None:
    """The answer: `hq:<percent>:<version of the rule>`, or `hq:keep:0`."""
    what, version = turn.carried(2)
    if what != "keep":
        try:
            await turn.services.rules.change(
                turn.user_id, under=number(version), target=Decimal(number(what)) / 100
            )
        except StaleVersion:
            await turn.hint(words.RULE_MOVED, alert=True)
            kept = await turn.services.rules.kept(turn.user_id)
            await turn.show(rule_views.ask_target(kept, Decimal(number(what)) / 100))
            return
    card = await turn.services.hedge.propose(turn.user_id, turn.chat_id, key=turn.key)
    await show_card(turn, card, in_place=True)


async def unhedge(turn: Turn) -> None:
    """A new card that closes every short, or the part that is named."""
    part = Part()
    if turn.text:
        known = await turn.services.portfolio.known_assets(turn.user_id)
        found = parse_part(turn.text, known)
        if found is None:
            await turn.refuse(words.UNHEDGE)
            return
        part = found
    try:
        card = await turn.services.hedge.unwind(
            turn.user_id, turn.chat_id, key=turn.key, asset=part.asset, share=part.share
        )
    except NothingToHedge:
        await turn.refuse(texts.NO_HEDGE_OPEN)
        return
    except NoSuchShort as missing:
        await turn.refuse(words.NO_SUCH_SHORT.format(asset=missing.asset, open=", ".join(missing.open_in)))
        return
    if part.share < 1 and not card.plan.legs:
        await turn.refuse(words.TOO_LITTLE)
        return
    await show_card(turn, card)


async def show_card(turn: Turn, card: Proposal, *, in_place: bool = False) -> None:
    """Put the card into the chat and remember where it stands."""
    message = views.proposal(card, await turn.services.hedge.account(card))
    shown = await (turn.show(message) if in_place else turn.say(message))
    await turn.services.hedge.shown(card.id, shown)


async def show_anew(turn: Turn, tapped: Confirmation) -> None:
    """The card of now in the place of the one that was tapped, with what is different."""
    card = tapped.proposal
    account = await turn.services.hedge.account(card)
    if tapped.why == "slow":
        message = views.asked_again(card, account, turn.tap.waited if turn.tap else None)
    else:
        message = views.repriced(card, tapped.earlier, account, tapped.why)
    await turn.services.hedge.shown(card.id, await turn.show(message))


async def confirm(turn: Turn) -> None:
    if turn.tap is None:
        return
    (card_id,) = turn.carried(1)
    taken = await turn.services.hedge.confirm(
        card_id, turn.user_id, turn.chat_id, turn.tap.message_id, waited=turn.tap.waited
    )
    await conclude(turn, taken)


async def conclude(turn: Turn, tapped: Confirmation) -> None:
    """Tell what became of the tap, and start the work when it was this tap that confirmed."""
    card = tapped.proposal
    match tapped.kind:
        case "sending":
            await _freeze_and_begin(turn, card)
        case "working":  # its own message is left alone: the receipt may be on its way into it
            await turn.hint(texts.ALREADY_SENT, alert=True)
            await turn.services.hedge.begin(card)
        case "repriced":
            slow = tapped.why == "slow"
            again = cards.LOOK_AGAIN.format(why=views.why_anew(card, tapped.earlier, tapped.why))
            await turn.hint(texts.TAP_LATE if slow else again, alert=slow)
            await show_anew(turn, tapped)
        case "at_target":
            await turn.hint(texts.NO_PRICE_NOW if views.waiting(card.plan) else texts.AT_TARGET)
            await show_anew(turn, tapped)
        case "expired":
            await turn.hint(texts.EXPIRED, alert=True)
            await turn.show(views.over(card))
        case _:
            await turn.toast(_OVER[card.state], alert=True)


async def _freeze_and_begin(turn: Turn, card: Proposal) -> None:
    """The card loses its buttons; the work does not wait for that, but its receipt queues up behind it."""
    freezing = asyncio.get_running_loop().create_task(_freeze(turn, card))
    try:
        await asyncio.sleep(0)  # now the freeze stands first in the chat's queue
        await turn.services.hedge.begin(card)
        await turn.hint(texts.SENDING)
    finally:
        await freezing


async def _freeze(turn: Turn, card: Proposal) -> None:
    if turn.tap is None:
        return
    try:
        await turn.out.edit(turn.chat_id, turn.tap.message_id, views.sending(card))
    except (TelegramError, EditGone) as failure:  # the receipt will say more than this could have
        log.info("card %s is not frozen: %s", card.id, failure)


async def change(turn: Turn) -> None:
    """What can be changed about an open card."""
    (card_id,) = turn.carried(1)
    card = await turn.services.hedge.proposal(card_id, turn.user_id)
    if card.state not in _PRICEABLE:
        await turn.toast(_OVER[card.state], alert=True)
        return
    if await turn.services.hedge.outlived(card):
        await _adjust(turn, card_id)
        return
    await turn.show(views.change(card, await turn.services.rules.get(turn.user_id)))


async def target(turn: Turn) -> None:
    card_id, percent = turn.carried(2)
    await _adjust(turn, card_id, target=Decimal(_one_of(percent, views.TARGETS)) / 100)


async def leverage(turn: Turn) -> None:
    card_id, times = turn.carried(2)
    await _adjust(turn, card_id, leverage=_one_of(times, views.LEVERAGES))


async def band(turn: Turn) -> None:
    card_id, percent = turn.carried(2)
    await _adjust(turn, card_id, band=Decimal(_one_of(percent, views.BANDS)) / 100)


async def price_again(turn: Turn) -> None:
    (card_id,) = turn.carried(1)
    await _adjust(turn, card_id)


async def _adjust(
    turn: Turn,
    card_id: str,
    *,
    target: Decimal | None = None,
    leverage: int | None = None,
    band: Decimal | None = None,
) -> None:
    hedge = turn.services.hedge
    card = await hedge.proposal(card_id, turn.user_id)
    if card.state not in _PRICEABLE:
        await turn.toast(_OVER[card.state], alert=True)
        return
    fresh = await hedge.adjust(
        card_id, turn.user_id, key=turn.key, target=target, leverage=leverage, band=band
    )
    await (show_anew(turn, fresh) if fresh.why else show_card(turn, fresh.proposal, in_place=True))


async def cancel(turn: Turn) -> None:
    (card_id,) = turn.carried(1)
    card = await turn.services.hedge.cancel(card_id, turn.user_id)
    if card.state is not ProposalState.CANCELLED:
        await turn.toast(_OVER[card.state], alert=True)
        return
    await turn.hint(texts.CANCELLED)
    await turn.show(views.over(card))


def _one_of(text: str, allowed: tuple[int, ...]) -> int:
    """The value that a button carries. Raises UnknownButton for one that no button of ours carries."""
    value = number(text)
    if value not in allowed:
        raise UnknownButton(text)
    return value
