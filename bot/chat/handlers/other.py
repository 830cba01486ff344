"""Help, and everything that is no command: plain words, files, groups."""

from bot.chat import texts
from bot.chat.handlers.connect import key
from bot.chat.handlers.holdings import add_parsed
from bot.chat.parsing.credentials import holds_key
from bot.chat.parsing.holdings import Parsed, parse_holdings
from bot.chat.parsing.numerals import Trouble
from bot.chat.parsing.words import polite
from bot.chat.texts import words
from bot.chat.turn import Turn, UnknownButton
from bot.chat.views.message import Message
from bot.chat.views.plain import help_screen, sentence
from bot.ports.errors import PortError

_PONG = Message(texts.PONG)


async def help_(turn: Turn) -> None:
    """All commands, or the one that is named."""
    name = turn.text.lower().strip().removeprefix("/")
    if name in texts.COMMANDS:
        await turn.say(help_screen({name: texts.COMMANDS[name]}))
    elif name and not polite(name):
        await turn.refuse(words.HELP)
    else:
        await turn.say(help_screen(texts.COMMANDS))


async def ping(turn: Turn) -> None:
    await turn.say(_PONG)


async def unknown_command(turn: Turn) -> None:
    await turn.say(sentence(texts.UNKNOWN_COMMAND))


async def written(turn: Turn) -> None:
    """Coins with amounts are added; anything else gets a hint. While a key is waited for, what may be part of one is
    taken for it."""
    if await turn.services.connecting.invited(turn.user_id) and not await _plainly_coins(turn):
        await key(turn)
        return
    known = await turn.services.portfolio.known_assets(turn.user_id)
    parsed = parse_holdings(turn.text, known)
    if _means_coins(parsed):
        await add_parsed(turn, parsed)
    else:
        await turn.say(sentence(texts.NOT_UNDERSTOOD))


async def unreadable(turn: Turn) -> None:
    """A picture or file; while a key is waited for, it may show one."""
    if await turn.services.connecting.invited(turn.user_id):
        await key(turn)
    else:
        await turn.say(sentence(texts.ONLY_TEXT))


async def group(turn: Turn) -> None:
    await turn.say(sentence(texts.PRIVATE_ONLY))


async def unknown_button(turn: Turn) -> None:
    raise UnknownButton(turn.tap.data if turn.tap else "")


async def _plainly_coins(turn: Turn) -> bool:
    """Whether it is a list of coins without anything else. What cannot be told from a key does not stay in the chat."""
    if holds_key(turn.text):
        return False
    try:
        known = await turn.services.portfolio.known_assets(turn.user_id)
    except PortError:
        return False
    parsed = parse_holdings(turn.text, known)
    return bool(parsed.entries) and not parsed.problems


def _means_coins(parsed: Parsed) -> bool:
    """Whether it was meant as a list of coins: something of it is one, or came close with an amount."""
    if parsed.entries:
        return True
    plainly_not = (Trouble.UNKNOWN_COIN, Trouble.UNCLEAR, Trouble.NO_COIN)
    return any(problem.trouble not in plainly_not for problem in parsed.problems) or any(
        problem.trouble is Trouble.UNKNOWN_COIN and any(sign.isdigit() for sign in problem.line)
        for problem in parsed.problems
    )
