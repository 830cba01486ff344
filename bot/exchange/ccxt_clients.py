"""ccxt clients: one public client an exchange with the markets, and a private one an account that borrows them."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from bot.exchange.ccxt_wire import Wire, calls_noted
from bot.exchange.dialects.dialect import Dialect
from bot.exchange.limits.circuit import PUBLIC
from bot.exchange.limits.guard import Guard, guard_of
from bot.ports.clock import Clock
from bot.ports.errors import Unavailable
from bot.ports.records import Account
from bot.ports.vault import Credentials

log = logging.getLogger(__name__)

TIMEOUT_MS = 10_000
_MARKETS_LAST, _TRY_AGAIN = timedelta(hours=1), timedelta(minutes=1)
_MOST_CLIENTS = 500

CredentialsOf = Callable[[Account], Awaitable[Credentials]]


class Clients:
    """Makes ccxt clients on demand. Writes are never repeated by ccxt (`maxRetriesOnFailure` 0)."""

    def __init__(
        self,
        dialect: Dialect,
        wire: Wire,
        clock: Clock,
        credentials: CredentialsOf,
        timeout_ms: int = TIMEOUT_MS,
    ) -> None:
        self._dialect, self.wire, self._clock, self._credentials = dialect, wire, clock, credentials
        self._timeout_ms = timeout_ms
        self._public: dict[bool, tuple[Any, datetime]] = {}  # by demo
        self._private: OrderedDict[tuple[int, bool, int], Any] = OrderedDict()
        self._loading = asyncio.Lock()
        self._ahead_ms = 0  # by how much this machine's clock is ahead of the exchange's
        self._syncing = asyncio.Lock()
        self._syncs = 0

    def guard(self, *, demo: bool = False) -> Guard:
        """What knows how the exchange is; shared with all other clients of it."""
        return guard_of(self.wire, self._dialect, self._clock, demo=demo)

    async def public(self, *, demo: bool = False, fresh: bool = False) -> Any:
        """The client that holds the markets; they are read anew every hour, with `fresh` every minute."""
        lasts = _TRY_AGAIN if fresh else _MARKETS_LAST
        known = self._public.get(demo)
        if known is not None and not fresh and self._loading.locked():
            return known[0]  # while somebody reads them anew, nobody has to wait for it
        async with self._loading:
            known = self._public.get(demo)
            if known is None:
                known = self._public[demo] = await self._loaded(demo=demo), self._clock.now()
            elif self._clock.now() - known[1] > lasts:
                known = self._public[demo] = known[0], await self._renewed(known[0], demo=demo)
        return known[0]

    async def _loaded(self, *, demo: bool) -> Any:
        """A client with the contracts of now. Raises Unavailable for answers of which ccxt would make none at all."""
        await asyncio.to_thread(preload)
        client = self._make(None, PUBLIC, demo=demo)
        try:
            with calls_noted() as calls:
                await client.load_markets()
            told = all(self._dialect.whole(call.json()) for call in calls)
            if not told or not any(market.get("swap") for market in client.markets.values()):
                raise Unavailable(f"{self._dialect.title} did not tell its contracts.")
        except BaseException:
            self._let_go(client)
            raise
        return client

    async def _renewed(self, client: Any, *, demo: bool) -> datetime:
        """Give every client the contracts of now; as of when they are. While they cannot be read, those of before go on
        to serve: one call that fails must not keep everybody from their positions."""
        try:
            fresh = await self._loaded(demo=demo)
        except Exception as failure:  # noqa: BLE001 - ccxt raises anything
            kind = type(failure).__name__
            log.warning("the contracts of %s cannot be read anew: %s", self._dialect.title, kind)
            return self._clock.now() + _TRY_AGAIN - _MARKETS_LAST
        client.set_markets_from_exchange(fresh)
        for (_, is_demo, _), private in self._private.items():
            if is_demo == demo:
                private.set_markets_from_exchange(fresh)
        self._let_go(fresh)
        return self._clock.now()

    async def private(self, account: Account) -> Any:
        """The account's own client."""
        place = account.id, account.mode == "demo", account.key_number
        public = await self.public(demo=place[1])  # also so that what was delisted is noticed
        if place not in self._private:
            credentials = await self._credentials(account)
            if place not in self._private:  # nobody was quicker
                made = self._private[place] = self._make(credentials, place[0], demo=place[1])
                made.set_markets_from_exchange(public)
        known = self._private[place]
        self._private.move_to_end(place)
        while len(self._private) > _MOST_CLIENTS:
            self._let_go(self._private.popitem(last=False)[1])
        return known

    def trying(self, credentials: Credentials) -> "Clients":
        """The same clients, but every account is served with these credentials; nothing of them is kept."""
        return _Trying(self, credentials)

    def forget(self, account_id: int) -> None:
        """Let go of an account's clients: its key changed or is gone."""
        for place in [place for place in self._private if place[0] == account_id]:
            self._let_go(self._private.pop(place))
            self.guard(demo=place[1]).forget(account_id)

    async def set_clock(self, *, demo: bool = False) -> None:
        """Ask for the exchange's time, for every client; once for all who find at the same time that they are wrong."""
        asked = self._syncs
        async with self._syncing:
            if self._syncs == asked:
                public = await self.public(demo=demo)
                self._ahead_ms = int(await public.load_time_difference())
                for client in self._private.values():
                    client.options["timeDifference"] = self._ahead_ms
                self._syncs += 1

    def close(self) -> None:
        """Let go of every client. The wire is its owner's to close."""
        for client in [*self._private.values(), *(client for client, _ in self._public.values())]:
            self._let_go(client)
        self._private.clear()
        self._public.clear()

    def _make(self, credentials: Credentials | None, source: Hashable, *, demo: bool) -> Any:
        dialect, guard = self._dialect, self.guard(demo=demo)
        config: dict[str, Any] = {
            "session": self.wire.door(partial(guard.learn, source)),
            "timeout": self._timeout_ms,
            "enableRateLimit": False,  # budgets are kept by the guard
            "options": {**dialect.options, "maxRetriesOnFailure": 0, "timeDifference": self._ahead_ms},
        }
        if credentials is not None:
            config |= {"apiKey": credentials.api_key, "secret": credentials.secret}
            if dialect.passphrase:
                config["password"] = credentials.passphrase or ""
        client = _exchange_class(dialect.name)(config)
        client.ssl_context = False  # it makes no connection of its own
        client.has |= {"fetchCurrencies": False, **dialect.has}
        client.nonce = lambda: client.milliseconds() - client.options.get("timeDifference", 0)
        if demo and dialect.demo == "demo":
            client.enable_demo_trading(True)
        elif demo and dialect.demo == "sandbox":
            client.set_sandbox_mode(True)
        _let_through(client, guard, source)
        return client

    def _let_go(self, client: Any) -> None:
        client.session = None  # nothing else is open; ccxt warns where one is left


class _Trying(Clients):
    """Borrows the public clients of another, and has one private client of its own."""

    def __init__(self, lender: Clients, credentials: Credentials) -> None:
        self._lender, self._given, self.wire = lender, credentials, lender.wire
        self._made: Any = None

    async def public(self, *, demo: bool = False, fresh: bool = False) -> Any:
        return await self._lender.public(demo=demo, fresh=fresh)

    async def private(self, account: Account) -> Any:
        demo = account.mode == "demo"
        public = await self.public(demo=demo)
        if self._made is None:
            self._made = self._lender._make(self._given, self, demo=demo)
            self._made.set_markets_from_exchange(public)
        return self._made

    async def set_clock(self, *, demo: bool = False) -> None:
        await self._lender.set_clock(demo=demo)
        if self._made is not None:
            self._made.options["timeDifference"] = self._lender._ahead_ms

    def close(self) -> None:
        if self._made is not None:
            self._let_go(self._made)
        for demo in (False, True):
            self._lender.guard(demo=demo).forget(self)


def _let_through(client: Any, guard: Guard, source: Hashable) -> None:
    """Have each request of ccxt ask the guard before it is signed."""
    plain = client.request

    async def request(
        path: str,
        api: Sequence[str] = ("public",),
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Any:
        given, settings = params or {}, config or {}
        weight = float(client.calculate_rate_limiter_cost(api, method, path, given, settings))
        async with guard.passage(source, _host(client, api), weight, write=method != "GET"):
            return await plain(path, api, method, given, settings)

    client.request = request


def _host(client: Any, api: Sequence[str]) -> str:
    """The host that ccxt will call for a section of an exchange's interface."""
    place: Any = client.urls["api"]
    for part in api:
        if isinstance(place, Mapping) and part in place:
            place = place[part]
    while isinstance(place, Mapping):  # a section that ccxt looks up in a way of its own
        place = next(iter(place.values()))
    return urlsplit(client.implode_hostname(place)).hostname or ""


def preload() -> None:
    """Import ccxt: 100 MB and some seconds, so never in the event loop's thread."""
    # ccxt has no types, and whoever needs it imports it again, at no cost.
    import ccxt.async_support  # type: ignore[import-untyped]  # noqa: F401


def _exchange_class(name: str) -> Any:
    import ccxt.async_support

    logging.getLogger("ccxt").setLevel(logging.WARNING)  # below that it logs signed requests
    return getattr(ccxt.async_support, name)
