"""/start, and three taps to a first proposal."""

from decimal import Decimal

from bot.chat.handlers.hedge import show_card
from bot.chat.texts import words
from bot.chat.turn import Turn, UnknownButton, number
from bot.chat.views import start as views
from bot.ports.errors import StaleVersion
from bot.ports.store import HoldingChange

SAMPLE = (
    ("SOL", Decimal(60)),
    ("ETH", Decimal(2)),
    ("LINK", Decimal(300)),
    ("DOGE", Decimal(20_000)),
)


async def start(turn: Turn) -> None:
    view = await turn.services.portfolio.view(turn.user_id)
    account = await turn.services.accounts.in_use(turn.user_id)
    version = (await turn.services.rules.kept(turn.user_id)).version
    await turn.say(views.welcome_back(view, account, version) if view.lines else views.welcome(account))


async def go(turn: Turn) -> None:
    """The buttons on the way. Each acts on the sender's own things alone."""
    match turn.tap.data.split(":")[1:] if turn.tap else []:
        case ["sample"]:
            await _sample(turn)
        case ["mine"]:
            await turn.show(views.type_yours())
        case ["t", percent, version]:
            await _protect(turn, percent, number(version))
        case ["t", percent]:  # a button of before
            await _protect(turn, percent, -1)
        case ["card"]:
            await _card(turn, in_place=True)
        case ["hedge"]:
            await _card(turn, in_place=False)
        case _:
            raise UnknownButton(turn.tap.data if turn.tap else "")


async def _sample(turn: Turn) -> None:
    """Coins to play with, for whoever holds none; a second tap on the same button adds nothing."""
    portfolio = turn.services.portfolio
    view = await portfolio.view(turn.user_id)
    version = (await turn.services.rules.kept(turn.user_id)).version
    if view.lines:
        await turn.show(views.how_much(view, version))
        return
    if (await turn.services.accounts.in_use(turn.user_id)).mode == "live":  # nobody plays with real money
        await turn.show(views.type_yours())
        return
    known = await portfolio.known_assets(turn.user_id)
    sample = [(asset, amount) for asset, amount in SAMPLE if asset in known]
    changes = [HoldingChange(asset, amount) for asset, amount in sample]
    view = await portfolio.change(turn.user_id, changes, key=turn.key)
    await turn.show(views.how_much(view, version, sample))


async def _protect(turn: Turn, percent: str, version: int) -> None:
    """An old button changes no rule that was set since: it shows how much is protected now."""
    if number(percent) not in views.PROTECTIONS:
        raise UnknownButton(percent)
    target = Decimal(percent) / 100
    try:
        await turn.services.rules.change(turn.user_id, under=version, target=target)
    except StaleVersion:
        await turn.toast(words.RULE_MOVED, alert=True)
        target = (await turn.services.rules.get(turn.user_id)).target
    await turn.show(views.ready(await turn.services.portfolio.view(turn.user_id), target))


async def _card(turn: Turn, *, in_place: bool) -> None:
    card = await turn.services.hedge.propose(turn.user_id, turn.chat_id, key=turn.key)
    await show_card(turn, card, in_place=in_place)
