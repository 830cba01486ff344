"""What stands between the clients of one exchange and the exchange: its circuit, pauses that it asked for, budgets.

All is learned from the answers to everybody's calls. One guard an exchange, and one for its demo.
"""

import asyncio
import contextlib
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Hashable, Mapping
from datetime import datetime, timedelta

from bot import metrics
from bot.exchange.ccxt_wire import LONGEST_PAUSE, Call, Gate, Wire
from bot.exchange.dialects.dialect import Dialect
from bot.exchange.limits.address import AddressBudget
from bot.exchange.limits.budget import Budget, BudgetSpent
from bot.exchange.limits.circuit import PUBLIC, Circuit, State
from bot.ports.clock import Clock
from bot.ports.errors import Unavailable
from bot.ports.exchange import Health

_AT_ONCE = 4  # calls of one key under way
_PUBLIC_AT_ONCE = 12  # candles take four of them at most, so that prices always find room
_PATIENCE = timedelta(seconds=20)
_LONGEST_ERROR = 4000  # characters; what is longer is an answer
_KEY_PAUSE = 5.0  # seconds, where no answer says how long
_STAMP = re.compile(r"(?<!\d)1\d{12}(?!\d)")  # an instant in milliseconds
_ROOM_IN_SANDBOX = 20  # its stand-ins ban nobody for asking
_WORTH_TELLING = 60.0  # seconds of a pause
_STATES: Mapping[State, float] = {"closed": 0.0, "half-open": 0.5, "open": 1.0}


class Guard:
    """`room`: how many times the allowances of the real exchange there are."""

    def __init__(
        self, dialect: Dialect, gate: Gate, clock: Clock, *, demo: bool = False, room: int = 1
    ) -> None:
        self._dialect, self._gate, self._clock, self._room = dialect, gate, clock, room
        self._name = f"{dialect.name} demo" if demo else dialect.name
        self._title = f"{dialect.title}'s demo" if demo else dialect.title
        self._circuits: dict[str, Circuit] = {}  # by host: the spot market may be up while contracts are down
        self._since = clock.now()
        self._hosts: dict[str, AddressBudget] = {}
        self._keys: dict[Hashable, Budget] = {}
        self._under_way: defaultdict[Hashable, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_AT_ONCE), {PUBLIC: asyncio.Semaphore(_PUBLIC_AT_ONCE)}
        )
        self._key_pauses: dict[Hashable, datetime] = {}
        self._paused: tuple[str, datetime] | None = None  # the host that asked for it, and when

    @property
    def health(self) -> Health:
        """How the exchange is; if one of its hosts is not up, how that one is."""
        healths = [circuit.health for circuit in self._circuits.values()]
        for health in healths:
            if health.state != "up":
                return health
        if self._paused is not None:
            host, since = self._paused
            if self._gate.left(host) > _WORTH_TELLING:
                return Health("paused", since, self._gate.until[host], self._pause(host))
        return Health("up", max((health.since for health in healths), default=self._since))

    @contextlib.asynccontextmanager
    async def passage(
        self, source: Hashable, host: str, weight: float, *, write: bool
    ) -> AsyncIterator[None]:
        """Room for one call; before it is signed, since signatures age. Raises Unavailable: nothing was sent."""
        self._check(source, host)
        async with contextlib.nullcontext() if write else self._under_way[source]:
            try:
                if source != PUBLIC:
                    await self._key(source).take()
                await self._host(host).take(weight, source, urgent=write)
            except BudgetSpent as spent:
                metrics.EXCHANGE_CALLS.labels(self._name, "held back").inc()
                raise Unavailable(f"{self._title} is asked for too much at once; try again soon.") from spent
            self._check(source, host)
            refusal = self._circuit(host).refusal(source, write=write)
            if refusal is not None:
                raise self._held_back(refusal)
            yield

    def learn(self, source: Hashable, call: Call, headers: Mapping[str, str]) -> None:
        """From how a call went. Without an answer, `call.status` is None."""
        code = self._code(call)
        too_many = self._dialect.too_many.get(code) if code is not None else None
        if too_many is None and (call.status in self._dialect.bans or _asks_to_wait(call, headers)):
            too_many = "address"
        said_maintenance = self._says_maintenance(call, code)
        if too_many is not None:
            outcome = "paused"
            self._heed(too_many, source, call, code, headers)
        elif said_maintenance or not self._works(call, code):
            outcome = "failed"
            self._circuit(call.host).failed(
                source, call.begun or self._clock.now(), maintenance=said_maintenance
            )
        else:
            outcome = "answered"
            self._circuit(call.host).answered()
            self._spare(call, headers)
        metrics.EXCHANGE_CALLS.labels(self._name, outcome).inc()
        metrics.EXCHANGE_OPEN.labels(self._name).set(
            max((_STATES[circuit.state] for circuit in self._circuits.values()), default=0.0)
        )

    def forget(self, source: Hashable) -> None:
        """A key that is not used any more."""
        for part in (self._keys, self._under_way, self._key_pauses):
            part.pop(source, None)

    def _check(self, source: Hashable, host: str) -> None:
        circuit = self._circuit(host)
        if circuit.state == "open":
            raise self._held_back(circuit.health.sentence)
        if self._gate.left(host) > 0:
            raise self._held_back(self._pause(host))
        until = self._key_pauses.get(source)
        if until is not None and self._clock.now() < until:
            raise self._held_back(f"{self._title} asks this account to wait for a few seconds.")

    def _held_back(self, sentence: str) -> Unavailable:
        metrics.EXCHANGE_CALLS.labels(self._name, "held back").inc()
        return Unavailable(sentence)

    def _pause(self, host: str) -> str:
        return f"{self._title} asks this bot to wait until {self._gate.until[host]:%H:%M:%S} UTC."

    def _circuit(self, host: str) -> Circuit:
        if host not in self._circuits:
            self._circuits[host] = Circuit(self._clock, self._title)
        return self._circuits[host]

    def _host(self, host: str) -> AddressBudget:
        if host not in self._hosts:
            weight, span = self._dialect.weights.get(host) or self._dialect.weights[""]
            self._hosts[host] = AddressBudget(self._clock, weight * self._room, span, _PATIENCE)
        return self._hosts[host]

    def _key(self, source: Hashable) -> Budget:
        if source not in self._keys:
            count, span = self._dialect.calls_per
            self._keys[source] = Budget(self._clock, count * self._room, span, _PATIENCE)
        return self._keys[source]

    def _code(self, call: Call) -> str | None:
        if call.status is None or len(call.body) > _LONGEST_ERROR:
            return None
        try:
            return self._dialect.error(call.json())
        except (AttributeError, LookupError, TypeError, ValueError):
            return None

    def _says_maintenance(self, call: Call, code: str | None) -> bool:
        """A code of the list, or the word in what is no answer to the call itself."""
        if code is not None and code in self._dialect.maintenance:
            return True
        if call.status is None or len(call.body) > _LONGEST_ERROR or code in self._dialect.rejections:
            return False
        return (call.status >= 500 or _is_page(call)) and "maintenance" in call.body.lower()

    def _works(self, call: Call, code: str | None) -> bool:
        if call.status is None or call.status >= 500 or _is_page(call):
            return False
        return code is None or code not in self._dialect.busy

    def _heed(
        self, whom: str, source: Hashable, call: Call, code: str | None, headers: Mapping[str, str]
    ) -> None:
        told = _told_pause(call, headers, self._gate)
        if whom == "key" and source != PUBLIC:
            pause = timedelta(seconds=_KEY_PAUSE if told is None else told)
            self._key_pauses[source] = self._clock.now() + pause
            return
        bans = self._dialect.bans
        default = bans.get(call.status or 0) or bans.get(int(code) if code and code.isdigit() else 0)
        if self._gate.left(call.host) == 0:
            self._paused = call.host, self._clock.now()
        self._gate.close(call.host, (default or bans[429]) if told is None else told)

    def _spare(self, call: Call, headers: Mapping[str, str]) -> None:
        """Where an exchange tells how much of the address's allowance is used, stop short of the end of it."""
        limit = self._dialect.used_limits.get(call.host)
        used = headers.get(self._dialect.used_header) if limit else None
        if limit and used and used.isdigit() and int(used) > 0.9 * limit:
            self._gate.close(call.host, 60.0 - self._clock.now().second)


def guard_of(wire: Wire, dialect: Dialect, clock: Clock, *, demo: bool = False) -> Guard:
    """The one guard that all clients of an exchange share over a wire."""
    place = dialect.name, demo
    if place not in wire.guards:
        room = _ROOM_IN_SANDBOX if wire.in_sandbox else 1
        wire.guards[place] = Guard(dialect, wire.gate, clock, demo=demo, room=room)
    return wire.guards[place]


def _told_pause(call: Call, headers: Mapping[str, str], gate: Gate) -> float | None:
    """Seconds: from the header, or from the instant that some write into their sentence."""
    if "Retry-After" in headers:
        return gate.seconds(headers["Retry-After"], 0.0) or None
    stamps = [headers.get("X-Bapi-Limit-Reset-Timestamp", ""), *_STAMP.findall(call.body[:_LONGEST_ERROR])]
    now = gate.clock.now().timestamp()
    left = [int(stamp) / 1000 - now for stamp in stamps if _STAMP.fullmatch(stamp)]
    return max((seconds for seconds in left if 0 < seconds <= LONGEST_PAUSE), default=None)


def _asks_to_wait(call: Call, headers: Mapping[str, str]) -> bool:
    return call.status in (403, 503) and "Retry-After" in headers


def _is_page(call: Call) -> bool:
    return call.body.lstrip()[:1] == "<"
