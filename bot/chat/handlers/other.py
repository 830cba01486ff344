"""Help, and everything that is no command: plain words, files, groups, keys pasted by mistake."""

from bot.chat import texts
from bot.chat.handlers.holdings import add_parsed
from bot.chat.parsing.holdings import Parsed, parse_holdings
from bot.chat.parsing.numerals import Trouble
from bot.chat.turn import Turn, UnknownButton
from bot.chat.views.message import Message
from bot.chat.views.plain import help_screen, sentence, warning

_PONG = Message(texts.PONG)


async def help_(turn: Turn) -> None:
    await turn.say(help_screen(texts.COMMANDS))


async def ping(turn: Turn) -> None:
    await turn.say(_PONG)


async def unknown_command(turn: Turn) -> None:
    await turn.say(sentence(texts.UNKNOWN_COMMAND))


async def written(turn: Turn) -> None:
    """Coins with amounts are added; anything else gets a hint."""
    known = await turn.services.portfolio.known_assets(turn.user_id)
    parsed = parse_holdings(turn.text, known)
    if _means_coins(parsed):
        await add_parsed(turn, parsed)
    else:
        await turn.say(sentence(texts.NOT_UNDERSTOOD))


async def unreadable(turn: Turn) -> None:
    await turn.say(sentence(texts.ONLY_TEXT))


async def group(turn: Turn) -> None:
    await turn.say(sentence(texts.PRIVATE_ONLY))


async def secret(turn: Turn) -> None:
    """Delete what nobody should see, and say what to do now."""
    deleted = turn.message_id is not None and await turn.out.delete(turn.chat_id, turn.message_id)
    await turn.say(
        warning(texts.SECRET_DELETED if deleted else texts.SECRET_NOT_DELETED, texts.SECRET_ROTATE)
    )


async def unknown_button(turn: Turn) -> None:
    raise UnknownButton(turn.tap.data if turn.tap else "")


def _means_coins(parsed: Parsed) -> bool:
    """Whether it was meant as a list of coins: something of it is one, or came close with an amount."""
    if parsed.entries:
        return True
    plainly_not = (Trouble.UNKNOWN_COIN, Trouble.UNCLEAR, Trouble.NO_COIN)
    return any(problem.trouble not in plainly_not for problem in parsed.problems) or any(
        problem.trouble is Trouble.UNKNOWN_COIN and any(sign.isdigit() for sign in problem.line)
        for problem in parsed.problems
    )
