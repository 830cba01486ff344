"""The HTTP session that ccxt is given: it follows no redirect, keeps one gate an address, counts, and remembers what
was answered, so that an order's outcome is read from the wire and not from the class of an exception."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

import aiohttp
import yarl

from bot.ports.clock import Clock

if TYPE_CHECKING:
    from bot.exchange.limits.guard import Guard

_MOST_BODY = 4_000_000  # characters; the longest list of contracts is below it
_CONNECTIONS = 300  # calls that hang must not use up all of them: each key has four at most
LONGEST_PAUSE = 3 * 86_400.0  # the longest ban that is documented (Binance: three days)


class NotSent(aiohttp.ClientError):
    """The request never left this machine: nothing can have come of it."""


class TooLate(NotSent):
    """The request must not leave any more."""


class Redirected(aiohttp.ClientError):
    """A redirect, which is never followed: a signed request goes to whom it was signed for, or nowhere."""


@dataclass(slots=True)
class Call:
    """One request and, when there was one, its answer. Kept only while the call is being judged."""

    method: str
    host: str
    path: str
    sent: bool = False
    too_late: bool = False  # kept here, because it should have left before
    status: int | None = None  # None: no answer, or none that could be read to its end
    body: str = ""
    begun: datetime | None = None

    def json(self) -> Any:
        """The answer as JSON; None when it is none, or holds a number that is not finite."""
        try:
            return json.loads(self.body, parse_constant=_no_constant)
        except ValueError:
            return None


Learn = Callable[[Call, Mapping[str, str]], None]  # a call that was made, and the headers of its answer

_calls: ContextVar[list[Call] | None] = ContextVar("calls", default=None)
_not_after: ContextVar[datetime | None] = ContextVar("not_after", default=None)


@contextmanager
def calls_noted() -> Iterator[list[Call]]:
    """Every call that this task, and the tasks that it starts, makes inside the block."""
    noted: list[Call] = []
    token = _calls.set(noted)
    try:
        yield noted
    finally:
        _calls.reset(token)


@contextmanager
def leaving_by(instant: datetime | None) -> Iterator[None]:
    """What this task begins to send inside the block after that instant stays here: TooLate."""
    token = _not_after.set(instant)
    try:
        yield
    finally:
        _not_after.reset(token)


@dataclass(slots=True)
class Gate:
    """Addresses that asked for a pause, and until when. Shared by everything that calls from this machine."""

    clock: Clock
    until: dict[str, datetime] = field(default_factory=dict)

    def left(self, host: str) -> float:
        """Seconds until `host` may be called again; 0 when it may."""
        until = self.until.get(host)
        return max((until - self.clock.now()).total_seconds(), 0.0) if until else 0.0

    def close(self, host: str, seconds: float) -> None:
        """Never shorten a pause that stands."""
        until = self.clock.now() + timedelta(seconds=min(seconds, LONGEST_PAUSE))
        self.until[host] = max(until, self.until.get(host, until))

    def seconds(self, retry_after: str | None, default: float) -> float:
        """How long an answer asks to wait: a number, or an instant."""
        if retry_after is None:
            return default
        try:
            return max(float(int(retry_after)), 0.0)
        except ValueError:
            pass
        try:
            return max((parsedate_to_datetime(retry_after) - self.clock.now()).total_seconds(), 0.0)
        except (ValueError, TypeError):
            return default


class Wire:
    """Where all that ccxt sends goes through. One for all clients of a process; close it when done.

    `loopback`: the address of the sandbox; every request then goes to `{loopback}/{host}/{path}` on this machine, while
    ccxt goes on seeing the real one. Empty: to the exchange itself. `passing`: told of three moments of every request
    (begins, answering: the exchange has done it and its answer is unread, ended), for tests that die there.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        loopback: str = "",
        address: str = "",
        passing: Callable[[str, str, str], None] | None = None,
    ) -> None:
        self._passing = passing
        self._loopback = yarl.URL(loopback) if loopback else None
        if self._loopback is not None and self._loopback.host not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("The sandbox's address must be on this machine.")
        self._session: aiohttp.ClientSession | None = None
        self.gate = Gate(clock)
        self.own_address = address  # this machine's: as it was given, or as the latest refusal told it
        self.in_sandbox = self._loopback is not None
        self.counts: Counter[str] = Counter()  # "GET fapi.binance.com/fapi/v1/premiumIndex"
        self.guards: dict[tuple[str, bool], Guard] = {}  # by exchange and whether it is its demo

    def door(self, learn: Learn) -> "Door":
        """What one client is given as its session; `learn` is told how each of its calls went."""
        return Door(self, learn)

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session

    def address(self, url: yarl.URL) -> yarl.URL:
        """Where a request for `url` really goes."""
        if self._loopback is None:
            return url
        target = f"{str(self._loopback).rstrip('/')}/{url.host}{url.raw_path}"
        return yarl.URL(f"{target}?{url.raw_query_string}" if url.raw_query_string else target, encoded=True)

    def passes(self, call: Call, moment: str) -> None:
        if self._passing is not None:
            self._passing(call.method, call.path, moment)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


class Door:
    """The part of an aiohttp session that ccxt uses."""

    def __init__(self, wire: Wire, learn: Learn) -> None:
        self._wire, self._learn = wire, learn
        self.headers: dict[str, str] = {}  # ccxt looks for it

    def get(self, url: yarl.URL, **arguments: Any) -> "_Request":
        return _Request(self._wire, self._learn, "GET", url, arguments)

    def post(self, url: yarl.URL, **arguments: Any) -> "_Request":
        return _Request(self._wire, self._learn, "POST", url, arguments)

    def put(self, url: yarl.URL, **arguments: Any) -> "_Request":
        return _Request(self._wire, self._learn, "PUT", url, arguments)

    def delete(self, url: yarl.URL, **arguments: Any) -> "_Request":
        return _Request(self._wire, self._learn, "DELETE", url, arguments)

    def patch(self, url: yarl.URL, **arguments: Any) -> "_Request":
        return _Request(self._wire, self._learn, "PATCH", url, arguments)

    def head(self, url: yarl.URL, **arguments: Any) -> "_Request":
        return _Request(self._wire, self._learn, "HEAD", url, arguments)


class _Request:
    """One request as an asynchronous context manager, as aiohttp's own are."""

    def __init__(
        self, wire: Wire, learn: Learn, method: str, url: yarl.URL, arguments: dict[str, Any]
    ) -> None:
        self._wire, self._learn, self._url, self._arguments = wire, learn, url, arguments
        self._call = Call(method, url.host or "", url.path)

    async def __aenter__(self) -> "_Answer":
        wire, call = self._wire, self._call
        noted = _calls.get()
        if noted is not None:
            noted.append(call)
        if wire.gate.left(call.host) > 0:
            raise NotSent("the address asked for a pause")
        wire.counts[f"{call.method} {call.host}{call.path}"] += 1
        headers: Mapping[str, str] = {}
        try:
            response, text = await self._sent()
            headers = response.headers
            if 300 <= response.status < 400:
                raise Redirected("a redirect is not followed")
            call.body, call.status = text[:_MOST_BODY], response.status
            wire.passes(call, "ended")
        except (asyncio.CancelledError, TooLate):
            raise  # whoever asked went away, or came too late: that says nothing of the exchange
        except BaseException:
            self._learn(call, headers)
            raise
        self._learn(call, headers)
        return _Answer(response, text)

    async def _sent(self) -> tuple[aiohttp.ClientResponse, str]:
        wire, call = self._wire, self._call
        arguments = {name: value for name, value in self._arguments.items() if name != "proxy"}
        wire.passes(call, "begins")
        latest, now = _not_after.get(), wire.gate.clock.now()
        if latest is not None and now > latest:  # this process may have stood still meanwhile
            call.too_late = True
            raise TooLate("it should have left before")
        call.sent, call.begun = True, now
        try:
            response = await wire.session.request(
                call.method, wire.address(self._url), allow_redirects=False, **arguments
            )
        except aiohttp.ClientConnectorError as failure:
            call.sent = False  # there was no connection to send it over
            raise NotSent("no connection") from failure
        wire.passes(call, "answering")
        try:
            return response, await response.text(errors="replace")
        finally:
            response.release()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class _Answer:
    """The part of aiohttp's response that ccxt uses; the body has been read."""

    def __init__(self, response: aiohttp.ClientResponse, text: str) -> None:
        self.status, self.reason, self.headers = response.status, response.reason or "", response.headers
        self.content = text.encode()
        self._text = text

    async def text(self, errors: str = "strict") -> str:
        return self._text


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")
