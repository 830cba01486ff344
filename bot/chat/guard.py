"""Every handler runs in here: what Telegram cannot take now stays owed, and every failure ends in one sentence."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError

from bot.chat import texts
from bot.chat.outgoing import seconds_of
from bot.chat.turn import Handler, Turn, UnknownButton
from bot.ports.errors import PortError
from bot.services.errors import ServiceError
from hedging.errors import HedgingError

log = logging.getLogger(__name__)

_HANDLER_SECONDS = 60.0
_MOST_TRIES = 150  # more than an hour; then the answer helps nobody any more
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_ANSWER_AFTER = 1.0  # a tap that takes longer is answered before its outcome is known


async def serve(turn: Turn, handler: Handler, *, tries: int = 0) -> float | None:
    """Run the handler to an end that its person hears of: None. Where Telegram does not take the answer it is owed:
    after how many seconds the handler is to be run again. Raises nothing.

    A handler may run more than once (its answer was lost on the way): its effects are keyed by the update.
    """
    try:
        await _attempt(turn, handler)
        return None
    except Forbidden:
        log.info("user %d has blocked the bot", turn.user_id)
        return None
    except RetryAfter as limit:
        again = seconds_of(limit) + 0.1 * _share(turn)
    except BadRequest:
        log.exception("update %d: Telegram refuses our answer", turn.update_id)
        return None
    except NetworkError as failure:
        if tries == 0:
            log.info("update %d: %s; trying again", turn.update_id, failure)
        # Not all at the same time, when Telegram was away and is back.
        again = min(_FIRST_PAUSE * 2.0 ** min(tries, 10), _LONGEST_PAUSE) * (0.7 + 0.6 * _share(turn))
    except TelegramError:
        log.exception("update %d goes unanswered", turn.update_id)
        return None
    if tries >= _MOST_TRIES:
        log.error("update %d goes unanswered: Telegram does not take the answer", turn.update_id)
        return None
    return again


def _share(turn: Turn) -> float:
    """Of an interval, from 0 to 1, another one for each chat."""
    return turn.chat_id * 0.618034 % 1


async def _attempt(turn: Turn, handler: Handler) -> None:
    """One run; failures that are not of the way to Telegram become a sentence."""
    try:
        async with _answering(turn), asyncio.timeout(_HANDLER_SECONDS):
            await handler(turn)
    except BadRequest as refusal:
        await _apologise(turn, refusal)
    except TelegramError:
        raise
    except UnknownButton:
        await turn.refuse(texts.BUTTON_UNKNOWN)
    except TimeoutError:
        log.warning("update %d took longer than %g s", turn.update_id, _HANDLER_SECONDS)
        await turn.refuse(texts.TOOK_TOO_LONG)
    except (ServiceError, HedgingError, PortError) as failure:
        await turn.refuse(texts.sentence(failure))
    except Exception as failure:  # noqa: BLE001 - logged with its trace, and its person is told
        await _apologise(turn, failure)


async def _apologise(turn: Turn, failure: Exception) -> None:
    """For what should not happen: the log has the trace under the name that the person is given."""
    reference = f"E{turn.update_id}"
    log.error("%s: update %d of user %d failed", reference, turn.update_id, turn.user_id, exc_info=failure)
    await turn.refuse(texts.FAILED.format(reference=reference))


@asynccontextmanager
async def _answering(turn: Turn) -> AsyncIterator[None]:
    """A tap is answered with its outcome, or emptily when that takes long, but always."""

    async def later() -> None:
        await asyncio.sleep(_ANSWER_AFTER)
        await turn.answered()

    if turn.tap is None:
        yield
        return
    waiting = asyncio.get_running_loop().create_task(later())
    try:
        yield
    finally:
        waiting.cancel()
    await turn.answered()
