"""/add, /remove, /portfolio, and coins written without a command."""

from dataclasses import replace

from bot.chat.parsing.holdings import Entry, Parsed, Problem, parse_holdings, parse_removals
from bot.chat.parsing.numerals import Trouble
from bot.chat.turn import Turn
from bot.chat.views import portfolio as views
from bot.ports.store import HoldingChange
from bot.services.portfolio import PortfolioView

_EVERYTHING = ("all", "everything")


async def add(turn: Turn) -> None:
    """All lines, or none and a sentence for each bad one."""
    if not turn.text:
        await turn.say(views.how_to("add"))
        return
    await add_parsed(
        turn, parse_holdings(turn.text, await turn.services.portfolio.known_assets(turn.user_id))
    )


async def add_parsed(turn: Turn, parsed: Parsed) -> None:
    if parsed.problems or not parsed.entries:
        await turn.say(views.not_understood(parsed, "add") if parsed.problems else views.how_to("add"))
        return
    changes = [HoldingChange(e.asset, e.amount, e.cost) for e in parsed.entries if e.amount is not None]
    view = await turn.services.portfolio.change(turn.user_id, changes, key=turn.key)
    await turn.say(views.added(parsed.entries, view))


async def remove(turn: Turn) -> None:
    before = await turn.services.portfolio.view(turn.user_id)
    if not turn.text:
        await turn.say(views.how_to("remove"))
        return
    held = [line.asset for line in before.lines]
    if turn.text.lower() in _EVERYTHING:
        parsed = Parsed(tuple(Entry(asset, None) for asset in held), ())
    else:
        known = await turn.services.portfolio.known_assets(turn.user_id) | frozenset(held)
        parsed = _only_held(parse_removals(turn.text, known), before)
    if parsed.problems or not parsed.entries:
        await turn.say(views.not_understood(parsed, "remove") if parsed.problems else views.nothing_held())
        return
    changes = [_removal(entry) for entry in parsed.entries]
    view = await turn.services.portfolio.change(turn.user_id, changes, key=turn.key)
    await turn.say(views.removed(parsed.entries, before, view))


async def portfolio(turn: Turn) -> None:
    await turn.say(views.portfolio(await turn.services.portfolio.view(turn.user_id)))


def _removal(entry: Entry) -> HoldingChange:
    if entry.amount is None:
        return HoldingChange(entry.asset, clear=True)
    return HoldingChange(entry.asset, -entry.amount)


def _only_held(parsed: Parsed, view: PortfolioView) -> Parsed:
    held = {line.asset for line in view.lines}
    missing = [
        Problem(str(entry), Trouble.NOT_HELD, entry.asset)
        for entry in parsed.entries
        if entry.asset not in held
    ]
    return replace(
        parsed,
        entries=tuple(entry for entry in parsed.entries if entry.asset in held),
        problems=(*parsed.problems, *missing),
    )
