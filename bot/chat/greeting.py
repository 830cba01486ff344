"""Whether Telegram lets the token in."""

from telegram.error import EndPointNotFound, InvalidToken, TelegramError

from bot.chat.application import Link
from bot.ports.errors import Unavailable


async def name_of(link: Link) -> str:
    """The bot's user name. Raises Unavailable with what to do."""
    try:
        async with link.bot as bot:
            return (await bot.get_me()).username or bot.first_name
    except (InvalidToken, EndPointNotFound):
        raise Unavailable("Telegram refuses the token: check HEDGEHOG_TOKEN.") from None
    except TelegramError as failure:
        raise Unavailable(f"Telegram cannot be reached ({failure}): check this machine's network.") from None
    finally:
        for request in link.requests:
            await request.shutdown()
