"""The Telegram shell: python-telegram-bot without its updater, on a request and a processor of ours."""

import asyncio
import logging
import re
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from telegram import BotCommand, Update
from telegram.constants import ChatType
from telegram.error import EndPointNotFound, InvalidToken, RetryAfter, TelegramError
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    ExtBot,
    MessageHandler,
    filters,
)
from telegram.request import BaseRequest
from telegram.warnings import PTBUserWarning

from bot import metrics
from bot.chat.commands import COMMANDS, GROUP, PLAIN, SECRET, TAPS, UNKNOWN_COMMAND, UNKNOWN_TAP, UNREADABLE
from bot.chat.entry import Entry
from bot.chat.outgoing import Outgoing, seconds_of
from bot.chat.polling import Poller, RawUpdate, TokenRefused
from bot.chat.processor import ChatProcessor
from bot.chat.request import AiohttpRequest
from bot.services import Services

log = logging.getLogger(__name__)

ALLOWED_UPDATES = ("message", "callback_query", "my_chat_member")
_LONGEST_BACK_OFF = 30.0
_POLL_CONNECTIONS = 2


class Link:
    """The connection to Telegram: the bot's client and the one way out. Opens nothing until the shell starts.

    `request`: carries all calls in place of aiohttp.
    """

    def __init__(self, token: str, telegram_url: str, *, request: BaseRequest | None = None) -> None:
        # Updates are fetched raw on purpose, so that one that cannot be read does not spoil its batch.
        warnings.filterwarnings("ignore", "Please use 'Bot.getUpdates'", PTBUserWarning)
        base = telegram_url.rstrip("/")
        proxied = base.startswith("https://")  # a proxy of the environment has no business with a loopback
        self.requests = (
            request or AiohttpRequest(trust_env=proxied),
            AiohttpRequest(connections=_POLL_CONNECTIONS, trust_env=proxied),
        )
        self.bot: ExtBot[None] = ExtBot(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=request or AiohttpRequest(trust_env=proxied),
            get_updates_request=request or AiohttpRequest(connections=_POLL_CONNECTIONS, trust_env=proxied),
        )
        self.out = Outgoing(self.bot)


class TelegramShell:
    """Takes updates in by polling or webhook; each is over only when its handler has finished."""

    def __init__(self, services: Services, link: Link, *, at_once: int = 64) -> None:
        self._services = services
        self._out = link.out
        self._bot = link.bot
        self._requests = link.requests
        self._started = False
        self._answered: set[int] = set()  # updates whose end is not noted yet
        self.application: Application[Any, Any, Any, Any, Any, Any] = (
            ApplicationBuilder()
            .bot(link.bot)
            .updater(None)
            .job_queue(None)
            .concurrent_updates(ChatProcessor(at_once))
            .build()
        )
        _register(self.application, Entry(services, link.out, secret=SECRET))

    @property
    def ready(self) -> bool:
        """Whether updates can be handled: Telegram has been reached once."""
        return self._started

    async def start(self, *, webhook_url: str = "", webhook_secret: str = "") -> None:
        """Reach Telegram, however long that takes; tell it the commands and where updates go.

        Raises TokenRefused.
        """
        pause, told = 0.5, False
        while not self._started:
            try:
                await self._introduce(webhook_url, webhook_secret)
                self._started = True
            except (InvalidToken, EndPointNotFound):
                raise TokenRefused("Telegram refuses the token: check HEDGEHOG_TOKEN.") from None
            except TelegramError as failure:
                if not told:
                    log.warning("Telegram is away (%s); trying until it is there", failure)
                told = True
                pause = (
                    seconds_of(failure)
                    if isinstance(failure, RetryAfter)
                    else min(2 * pause, _LONGEST_BACK_OFF)
                )
                await asyncio.sleep(pause)

    async def stop(self) -> None:
        """Close the connections. Call when nothing is handled any more."""
        self._started = False
        await self.application.shutdown()
        await self._bot.shutdown()
        # The bot leaves them open when it was stopped in the middle of its start.
        for request in self._requests:
            await request.shutdown()

    async def run_polling(self, stop: asyncio.Event, *, grace: float = 5) -> None:
        """Start, then take updates until `stop`. Raises TokenRefused."""
        try:
            async with asyncio.TaskGroup() as tasks:
                starting, stopping = tasks.create_task(self.start()), tasks.create_task(stop.wait())
                await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
                starting.cancel()
                stopping.cancel()
        except* TokenRefused as refused:
            raise refused.exceptions[0] from None
        if self._started:
            await Poller(self._fetch, self.handle_update).run(stop, grace=grace)

    async def handle_update(self, update: RawUpdate) -> None:
        """Handle one update to its end; one that was handled before is passed over.

        What cannot be read as an update is logged and over too, so that it cannot come back for ever. Raises
        ValueError when there is no update in it at all, and what the store raises: then it is not over.
        """
        number = update.get("update_id")
        if not isinstance(number, int):
            raise ValueError("an update must have a number")
        started = time.perf_counter()
        try:
            parsed = Update.de_json(dict(update), self._bot)
        except Exception:  # whatever is wrong with it will be wrong the next time as well
            log.exception("update %d cannot be read", number)
            await self._services.people.finish_update(number)
            metrics.UPDATES.labels("unreadable").inc()
            return
        said = parsed.effective_message
        if said is not None and said.chat.type == ChatType.PRIVATE:
            self._out.traffic.saw(said.message_id)
        await self.application.update_processor.process_update(parsed, self._once(parsed))
        metrics.UPDATE_SECONDS.observe(time.perf_counter() - started)

    async def _once(self, update: Update) -> None:
        people, number = self._services.people, update.update_id
        if number not in self._answered:
            if await people.update_done(number):
                metrics.UPDATES.labels("repeated").inc()
                return
            await self.application.process_update(update)
            # Its person has their answer. If that cannot be noted now, they are not answered again and again.
            self._answered.add(number)
        await people.finish_update(number)
        self._answered.discard(number)
        metrics.UPDATES.labels("handled").inc()

    async def _introduce(self, webhook_url: str, webhook_secret: str) -> None:
        await self.application.initialize()
        shown = [BotCommand(c.name, c.description) for c in COMMANDS if not c.hidden]
        await self._bot.set_my_commands(shown)
        if webhook_url:
            await self._bot.set_webhook(
                webhook_url, allowed_updates=ALLOWED_UPDATES, secret_token=webhook_secret
            )
        else:
            await self._bot.delete_webhook()

    async def _fetch(self, offset: int, seconds: int) -> Sequence[RawUpdate]:
        """Raw updates from Telegram."""
        batch = await self._bot.do_api_request(
            "getUpdates",
            {"offset": offset, "timeout": seconds, "limit": 100, "allowed_updates": list(ALLOWED_UPDATES)},
            read_timeout=seconds + 10,
        )
        if not isinstance(batch, list) or not all(
            isinstance(one, Mapping) and "update_id" in one for one in batch
        ):
            raise TelegramError("Telegram answered getUpdates with something else")
        return batch


def build(services: Services, link: Link, *, at_once: int = 64) -> TelegramShell:
    """The shell over `link`, with every command and button registered. Opens nothing."""
    return TelegramShell(services, link, at_once=at_once)


def _register(application: Application[Any, Any, Any, Any, Any, Any], entry: Entry) -> None:
    private = filters.ChatType.PRIVATE
    for command in COMMANDS:
        application.add_handler(CommandHandler(command.name, entry.message(command.handler), private))
    for prefix, handler in TAPS.items():
        application.add_handler(CallbackQueryHandler(entry.tap(handler), rf"^{re.escape(prefix)}(:|$)"))
    application.add_handler(CallbackQueryHandler(entry.tap(UNKNOWN_TAP)))
    application.add_handler(MessageHandler(private & filters.COMMAND, entry.message(UNKNOWN_COMMAND)))
    application.add_handler(MessageHandler(private & filters.TEXT, entry.message(PLAIN)))
    application.add_handler(MessageHandler(private & ~filters.StatusUpdate.ALL, entry.message(UNREADABLE)))
    application.add_handler(MessageHandler(~private & filters.COMMAND, entry.group(GROUP)))
    application.add_handler(ChatMemberHandler(entry.invited(GROUP), ChatMemberHandler.MY_CHAT_MEMBER))
