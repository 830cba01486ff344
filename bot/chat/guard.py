"""Every handler runs in here: what Telegram cannot take now is tried again, and every failure ends in one sentence."""

import asyncio
import logging
import time
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
_PATIENCE_WITH_TELEGRAM = 600.0  # how long a person's update waits for a Telegram that is away
_PATIENCE_WITH_A_CHAT = 5.0  # how long for a chat that is told to wait: others may not stand behind it
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_ANSWER_AFTER = 1.0  # a tap that takes longer is answered before its outcome is known


async def serve(turn: Turn, handler: Handler) -> None:
    """Run the handler to an end that its person hears of. Raises nothing.

    A handler may run more than once (its answer was lost on the way): its effects are keyed by the update.
    """
    pause, give_up = _FIRST_PAUSE, time.monotonic() + _PATIENCE_WITH_TELEGRAM
    while True:
        try:
            await _attempt(turn, handler)
            return
        except Forbidden:
            log.info("user %d has blocked the bot", turn.user_id)
            return
        except RetryAfter as limit:
            if seconds_of(limit) > _PATIENCE_WITH_A_CHAT:
                log.warning(
                    "update %d goes unanswered: Telegram lets its chat wait %s", turn.update_id, limit
                )
                return
            pause = seconds_of(limit)
        except BadRequest:
            log.exception("update %d: Telegram refuses our answer", turn.update_id)
            return
        except NetworkError as failure:
            log.info("update %d: %s; trying again", turn.update_id, failure)
        except TelegramError:
            log.exception("update %d goes unanswered", turn.update_id)
            return
        if time.monotonic() + pause > give_up:
            log.error("update %d goes unanswered: Telegram was away too long", turn.update_id)
            return
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


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
