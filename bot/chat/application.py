"""The Telegram shell: how updates come in. Of python-telegram-bot it uses the client, on a request of ours."""

import asyncio
import contextlib
import logging
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime

from telegram import BotCommand
from telegram.error import EndPointNotFound, InvalidToken, RetryAfter, TelegramError
from telegram.ext import ExtBot
from telegram.request import BaseRequest
from telegram.warnings import PTBUserWarning

from bot import metrics
from bot.chat.commands import COMMANDS
from bot.chat.desk import ChatDesk, Incoming, Newest
from bot.chat.outgoing import Outgoing, seconds_of
from bot.chat.parsing.updates import number_of
from bot.chat.polling import MOST, Poller, RawUpdate, TokenRefused
from bot.chat.request import AiohttpRequest, TooDeep
from bot.ports.errors import InvalidRecord
from bot.services import Services

log = logging.getLogger(__name__)

# Edited messages only because somebody may write a key into one.
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
_LONGEST_BACK_OFF = 30.0
_POLL_CONNECTIONS = 2
_LOOK_EVERY, _LOOK_AGAIN = 45.0, 3.0  # seconds; a tap is old after two minutes


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
    """Takes updates in by polling or webhook: each is confirmed when it is stored, and handled from there."""

    def __init__(self, services: Services, link: Link) -> None:
        self._inbox = services.inbox
        self._bot = link.bot
        self._requests = link.requests
        self._desk = ChatDesk(services, link.out)
        self._started = False
        self._newest = Newest()

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
                self._desk.bot_name = self._bot.username
                await self._inbox.open(self._desk)
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

    async def stop(self, *, grace: float = 5) -> None:
        """Let what is being handled end, so many seconds long, and close the connections. What waits is stored."""
        self._started = False
        await self._inbox.close(grace)
        await self._bot.shutdown()
        # The bot leaves them open when it was stopped in the middle of its start.
        for request in self._requests:
            await request.shutdown()

    async def run_polling(self, stop: asyncio.Event) -> None:
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
            await Poller(self._fetch, self._take_batch, self._inbox.now).run(stop)

    async def watch_webhook(self, stop: asyncio.Event) -> None:
        """Until `stop`, ask Telegram now and then whether anything waits there: what comes after that is young."""
        while not stop.is_set():
            asked, pending = self._inbox.now(), 1
            try:
                pending = (await self._bot.get_webhook_info()).pending_update_count
            except TelegramError as failure:
                log.info("what waits at Telegram is not known: %s", failure)
            if pending == 0:
                self._newest.emptied = asked
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_EVERY if pending == 0 else _LOOK_AGAIN)

    async def take_update(self, update: RawUpdate) -> None:
        """Store one update, as a webhook brings it; durable when this returns. Raises Unavailable."""
        await self._take([update])

    async def handle_update(self, update: RawUpdate) -> None:
        """Take in an update that has just been made, and wait until it is over. Raises ValueError where there is none,
        and Unavailable."""
        number = number_of(update)
        if number is None:
            raise ValueError("an update must have a number")
        if await self._take([update], Newest(self._inbox.now())):
            await self._inbox.ended(number)

    async def _take_batch(self, updates: Sequence[RawUpdate], emptied: datetime | None) -> None:
        self._newest.emptied = emptied
        await self._take(updates)

    async def _take(self, updates: Sequence[RawUpdate], newest: Newest | None = None) -> frozenset[int]:
        newest = newest or self._newest
        now = self._inbox.now()
        arrivals: dict[int, Incoming] = {}
        for update in updates:
            number = number_of(update)
            if number is None:
                log.error("an update without a number is passed over")
                metrics.UPDATES.labels("unreadable").inc()
            else:
                arrivals[number] = self._desk.receive(update, number, now, newest)
        return await self._stored(list(arrivals.values()))

    async def _stored(self, arrivals: Sequence[Incoming]) -> frozenset[int]:
        """Those that are new. One that the database refuses would be refused again: it is passed, and the others are
        not. Raises Unavailable."""
        if not arrivals:
            return frozenset()
        try:
            return await self._inbox.take(arrivals)
        except InvalidRecord as failure:
            if len(arrivals) > 1:
                return frozenset().union(*[await self._stored([one]) for one in arrivals])
            log.error("update %d is passed over: %s", arrivals[0].taken.id, failure)
            metrics.UPDATES.labels("unreadable").inc()
            return frozenset()

    async def _introduce(self, webhook_url: str, webhook_secret: str) -> None:
        await self._bot.initialize()
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
        try:
            return await self._get_updates(offset, seconds, MOST)
        except TooDeep:  # one by one, so that it takes no other with it
            try:
                return await self._get_updates(offset, 0, 1)
            except TooDeep as found:
                return [{"update_id": number} for number in found.numbers[:1]]

    async def _get_updates(self, offset: int, seconds: int, most: int) -> Sequence[RawUpdate]:
        batch = await self._bot.do_api_request(
            "getUpdates",
            {"offset": offset, "timeout": seconds, "limit": most, "allowed_updates": list(ALLOWED_UPDATES)},
            read_timeout=seconds + 10,
        )
        if not isinstance(batch, list) or not all(isinstance(one, Mapping) for one in batch):
            raise TelegramError("Telegram answered getUpdates with something else")
        return batch


def build(services: Services, link: Link) -> TelegramShell:
    """The shell over `link`. Opens nothing."""
    return TelegramShell(services, link)
