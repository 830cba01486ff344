"""How updates are read, allowed, handled and, where Telegram does not take the answer now, tried again."""

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from telegram.error import TelegramError

from bot import metrics
from bot.chat import texts
from bot.chat.entry import Entry, Route, route_of
from bot.chat.guard import serve
from bot.chat.outgoing import Outgoing
from bot.chat.parsing.updates import Json, Read, Tapped, Written, dated, read_update
from bot.chat.turn import Handler, Turn
from bot.ports.store import TakenUpdate
from bot.services import Services
from bot.services.inbox import Allowance, Arrival

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Incoming(Arrival):
    """An arrival, read: None where nobody needs to answer it."""

    read: Read | None = None
    route: Route | None = None


def lane_of(read: Read | None) -> int:
    """The chat; without one the person. What nobody answers has no lane to wait in."""
    match read:
        case None:
            return 0
        case Tapped(chat_id=None):
            return read.sender.id
        case _:
            return read.chat_id or 0


@dataclass(slots=True)
class Newest:
    """What tells of an update that it cannot be older: Telegram numbers all as they come, and dates all but taps.
    `emptied`: when nothing waited at Telegram."""

    emptied: datetime | None = None
    number: int = 0
    date: datetime | None = None

    def since(self, number: int, update: Json, shown_at: datetime | None) -> datetime | None:
        """After what time this one was made; None when nobody can tell. `shown_at`: its message, where it is a tap."""
        known = [at for at in (self.emptied, shown_at) if at is not None]
        if self.date is not None and self.number < number:
            known.append(self.date)
        if (date := dated(update)) is not None:
            known.append(date)
            if number > self.number:
                self.number, self.date = number, date
        return max(known, default=None)


class ChatDesk:
    """bot.services.inbox.Desk."""

    def __init__(self, services: Services, out: Outgoing) -> None:
        self._entry = Entry(services, out)
        self._out = out
        self._allowance = Allowance()
        self.bot_name = ""

    def receive(self, update: Json, number: int, now: datetime, newest: Newest) -> Incoming:
        """What Telegram has just brought."""
        try:
            read = read_update(update, self.bot_name)
            content = json.dumps(update, separators=(",", ":")).encode()
        except (ValueError, RecursionError) as failure:
            log.error("update %d cannot be read: %s", number, failure)
            read, content = None, b"{}"
        since = newest.since(number, update, read.shown_at if isinstance(read, Tapped) else None)
        return self._incoming(TakenUpdate(number, lane_of(read), content, now, since), read)

    def read(self, taken: TakenUpdate) -> Incoming:
        try:
            return self._incoming(taken, read_update(json.loads(taken.content), self.bot_name))
        except (ValueError, RecursionError) as failure:
            log.error("update %d cannot be read: %s", taken.id, failure)
            return self._incoming(taken, None)

    def _incoming(self, taken: TakenUpdate, read: Read | None) -> Incoming:
        route = route_of(read) if read is not None else None
        if isinstance(read, Written) and read.private:
            self._out.traffic.saw(read.message_id)
        return Incoming(
            taken,
            tap=isinstance(read, Tapped),
            asks=route is None or route.asks,
            user_id=read.sender.id if isinstance(read, Tapped | Written) else None,
            read=read,
            route=route,
        )

    async def handle(
        self, one: Arrival, *, tries: int, quiet: bool, waited: timedelta | None
    ) -> float | None:
        if not isinstance(one, Incoming) or one.read is None or one.route is None:
            metrics.UPDATES.labels("odd").inc()
            return None
        quiet = quiet and not one.tap and not one.route.never_quiet
        if quiet and one.asks:
            metrics.UPDATES.labels("one of a lot").inc()
            return None
        turn = self._entry.turn(one.read, quiet=quiet, waited=waited)
        handler = self._entry.met(
            one.read, self._allowed(one, one.route, tries), one.person, unknown=one.unknown
        )
        again = await serve(turn, handler, tries=tries)
        if again is None:
            metrics.UPDATES.labels("handled").inc()
        return again

    async def tell_of_a_lot(self, one: Arrival, number: int) -> None:
        if not isinstance(one, Incoming) or one.read is None:
            return
        try:
            await self._entry.turn(one.read).say_plainly(texts.A_LOT.format(number=number))
        except TelegramError as failure:  # a courtesy
            log.info("a chat was not told how much waits: %s", failure)

    def _allowed(self, one: Incoming, route: Route, tries: int) -> Handler:
        """Its handler, or a sentence where its person has asked for too much that is costly. What is tried again was
        allowed before."""
        if not route.costly or one.user_id is None or tries:
            return route.handler
        seconds = self._allowance.take(one.user_id)
        if not seconds:
            return route.handler
        metrics.UPDATES.labels("too much").inc()
        tells = one.tap or self._allowance.tells(one.user_id)

        async def wait(turn: Turn) -> None:
            if tells:
                await turn.refuse(texts.TOO_MUCH.format(seconds=max(1, round(seconds))))

        return wait
