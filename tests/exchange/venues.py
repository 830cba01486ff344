"""Exchanges under test: paper in this process, and the loopback stand-ins over real HTTP and real ccxt."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette

from bot.exchange.ccxt_clients import Clients
from bot.exchange.ccxt_exchange import CcxtExchange
from bot.exchange.ccxt_feed import CcxtFeed
from bot.exchange.ccxt_wire import Wire
from bot.exchange.dialects import DIALECTS
from bot.exchange.paper import PaperExchange
from bot.ports.exchange import Exchange
from bot.ports.records import Account, Order
from bot.ports.store import Store
from bot.ports.vault import Credentials
from bot.sandbox.exchanges import VENUES
from bot.sandbox.exchanges.venue import Venue as Loopback
from bot.sandbox.market import World
from hedging.market import Contract
from tests.fakes.clock import ManualClock
from tests.fakes.sandbox_server import serving
from tests.fakes.world_feed import WorldFeed

KEY, SECRET, PASSPHRASE = "key-of-{}", "secret-of-{}", "words-of-{}"


@dataclass(slots=True)
class Venue:
    """An exchange under test. `again` opens the same one anew, as a restarted or another process would; `away` cuts it
    off from its market or its network."""

    name: str
    world: World
    exchange: Exchange
    again: Callable[[], Exchange]
    away: Callable[[bool], None]
    contracts: Mapping[str, Contract]
    unique_ids: bool = True
    impatient: Any = None  # the same exchange with a time-out of a third of a second
    loopback: Any = None  # the bot.sandbox.exchanges.venue.Venue
    live: Any = None  # the CcxtExchange
    feed: Any = None  # the CcxtFeed
    wire: Any = None
    clock: Any = None

    def order(
        self,
        client_id: str,
        symbol: str,
        units: str,
        *,
        side: str = "sell",
        slippage: str = "0.01",
        reduce_only: bool = False,
    ) -> Order:
        """An order of so many base units (linear) or dollars (inverse) at the present quote, giving way by `slippage`,
        on the tick."""
        plain = quoted(
            self.world, client_id, symbol, units, side=side, slippage=slippage, reduce_only=reduce_only
        )
        return replace(plain, contracts=Decimal(units) / self.contracts[symbol].contract_size)

    def units(self, symbol: str, contracts: Decimal) -> Decimal:
        """Contracts as base units (linear) or dollars (inverse)."""
        return contracts * self.contracts[symbol].contract_size


def quoted(
    world: World,
    client_id: str,
    symbol: str = "SOL/USDT:USDT",
    contracts: str = "10",
    *,
    side: str = "sell",
    slippage: str = "0.01",
    reduce_only: bool = False,
) -> Order:
    """An order at the market's present quote, giving way by `slippage`, on the tick."""
    snapshot = world.snapshot()
    quote, tick = snapshot.quotes[symbol], snapshot.contracts[symbol].tick
    price = quote.bid * (1 - Decimal(slippage)) if side == "sell" else quote.ask * (1 + Decimal(slippage))
    return Order(client_id, symbol, side, Decimal(contracts), price // tick * tick, reduce_only)  # type: ignore[arg-type]


def paper_venue(world: World, feed: WorldFeed, store: Store) -> Venue:
    def opened() -> Exchange:
        return PaperExchange(feed, store, ManualClock(), collateral={"BTC": Decimal(1)})

    def away(gone: bool) -> None:
        feed.away = gone

    return Venue("paper", world, opened(), opened, away, world.snapshot().contracts)


async def credentials_of(account: Account) -> Credentials:
    return Credentials(*(part.format(account.id) for part in (KEY, SECRET, PASSPHRASE)))


@contextlib.asynccontextmanager
async def loopback_venue(
    name: str, world: World, *, timeout: timedelta = timedelta(seconds=5)
) -> AsyncIterator[Venue]:
    """The stand-in of an exchange, served over HTTP, with the bot's own side of it."""
    loopback: Loopback = VENUES[name](world)
    for n in (1, 2, 3):
        loopback.desk.open_account(*(part.format(n) for part in (KEY, SECRET, PASSPHRASE)))
    clock = ManualClock(world.now())
    dialect = DIALECTS[name]
    async with serving(Starlette(routes=loopback.routes())) as address:
        wire = Wire(clock, loopback=address)
        opened: list[CcxtExchange] = []

        def open_exchange(seconds: float = timeout.total_seconds()) -> CcxtExchange:
            clients = Clients(dialect, wire, clock, credentials_of, int(seconds * 1000))
            feed = CcxtFeed(dialect, clients, clock)
            opened.append(CcxtExchange(dialect, clients, clock, feed.prices))
            return opened[-1]

        def away(gone: bool) -> None:
            loopback.faults.clear()
            if gone:
                loopback.faults.add("cut", on="*", times=1000)
            else:
                clock.pass_(minutes=1)  # by then it is tried again

        exchange = open_exchange()
        clients = Clients(dialect, wire, clock, credentials_of)
        feed = CcxtFeed(dialect, clients, clock)
        contracts = (await feed.snapshot()).contracts
        try:
            yield Venue(
                name=name,
                world=world,
                exchange=exchange,
                again=open_exchange,
                away=away,
                contracts=contracts,
                unique_ids=dialect.unique_ids,
                impatient=open_exchange(0.3),
                loopback=loopback,
                live=exchange,
                feed=feed,
                wire=wire,
                clock=clock,
            )
        finally:
            for one in opened:
                one.close()
            clients.close()
            await wire.close()
