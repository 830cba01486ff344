"""A trading floor: the real services over a real database, on paper or over the wire of a stand-in exchange."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from starlette.applications import Starlette

from bot.bootstrap import build_services
from bot.exchange.ccxt_wire import Wire
from bot.exchange.exchanges import Exchanges
from bot.ports.records import Account, Proposal
from bot.ports.store import HoldingChange
from bot.ports.vault import Credentials
from bot.sandbox.exchanges import VENUES
from bot.sandbox.exchanges.desk import Desk
from bot.sandbox.exchanges.traders import Trader
from bot.sandbox.exchanges.venue import Venue
from bot.sandbox.market import World, open_world
from bot.services import Services
from bot.settings import Settings
from bot.storage import SqlStore
from hedging.market import Contract
from hedging.money import cap_price
from tests.fakes.clock import ManualClock
from tests.fakes.database import sqlite_template, store
from tests.fakes.durable import ManualDurable
from tests.fakes.notifier import Listener
from tests.fakes.sandbox_server import serving
from tests.fakes.vault import OpenVault
from tests.fakes.world_feed import WorldFeed

__all__ = ["sqlite_template", "store"]

D = Decimal
ADA = 1
TODAY = datetime(2025, 6, 1, 9, tzinfo=UTC)
SOL, BTC, ETH = "SOL/USDT:USDT", "BTC/USDT:USDT", "ETH/USDT:USDT"
Side = Literal["sell", "buy"]


async def credentials_of(account: Account) -> Credentials:
    return Credentials(f"key-{account.id}", f"secret-{account.id}", f"words-{account.id}")


@dataclass
class Floor:
    """`venue`: the stand-in; None on paper."""

    name: str
    world: World
    store: SqlStore
    clock: ManualClock
    feed: WorldFeed  # what paper follows
    exchanges: Exchanges
    notifier: Listener
    durable: ManualDurable
    venue: Venue | None
    services: Services

    def restart(self) -> None:
        """The process is gone; the database, the engine's memory and the outside world are not."""
        self.services = services_of(self)

    @property
    def desk(self) -> Desk:
        assert self.venue is not None
        return self.venue.desk

    @property
    def calls(self) -> Mapping[str, int]:
        """What was asked of the exchange so far, by operation."""
        return dict(self.venue.calls) if self.venue is not None else {}

    async def account(self) -> Account:
        return await self.services.accounts.in_use(ADA)

    async def trader(self) -> Trader:
        """Ada's account inside the stand-in."""
        made = await credentials_of(await self.account())
        return self.desk.open_account(made.api_key, made.secret, made.passphrase or "")

    async def hold(self, **amounts: str) -> None:
        await self.services.people.meet(ADA, ADA, "Ada")
        if self.venue is not None:
            await self.trader()
        changes = [HoldingChange(asset, D(amount)) for asset, amount in amounts.items()]
        await self.services.portfolio.change(ADA, changes, key=f"hold:{amounts}")

    async def contract(self, symbol: str) -> Contract:
        """As the account's exchange lists it."""
        feed = self.exchanges.feed(self.name) if self.venue else self.feed
        return (await feed.snapshot()).contracts[symbol]

    async def hedged(self, key: str = "update:1", message_id: int = 50) -> Proposal:
        """A hedge, confirmed and executed."""
        return await self.done(await self.services.hedge.propose(ADA, ADA, key=key), message_id)

    async def unhedged(self, key: str = "update:2", message_id: int = 60) -> Proposal:
        return await self.done(await self.services.hedge.unwind(ADA, ADA, key=key), message_id)

    async def done(self, card: Proposal, message_id: int) -> Proposal:
        """Show the card, tap it, work."""
        await self.services.hedge.shown(card.id, message_id)
        outcome = await self.services.hedge.confirm(card.id, ADA, ADA, message_id)
        assert outcome.kind == "sending", outcome.kind
        await self.services.hedge.begin(card)
        await self.durable.run_all()
        found = await self.store.proposal(card.id)
        assert found is not None
        return found

    async def by_hand(
        self, side: Side, units: str, symbol: str = SOL, *, position_side: str = "both", **more: Any
    ) -> None:
        """Ada trades on the exchange herself, in so many coins."""
        quote, contract = self.world.snapshot().quotes[symbol], await self.contract(symbol)
        worst = quote.bid * D("0.9") if side == "sell" else quote.ask * D("1.1")
        self.desk.place(
            await self.trader(),
            client_id=f"by-hand-{units}",
            symbol=symbol,
            side=side,
            contracts=D(units) / contract.contract_size,
            limit_price=cap_price(worst, contract.tick, selling=side == "sell"),
            reduce_only=False,
            position_side=position_side,  # type: ignore[arg-type]
            **more,
        )

    async def force(self, kind: str, symbol: str = SOL, share: str = "1") -> None:
        """The exchange closes a position by itself."""
        self.desk.force_close(await self.trader(), symbol, kind, D(share))  # type: ignore[arg-type]

    async def short(self, symbol: str = SOL) -> Decimal:
        """Coins short, as the exchange itself has it."""
        size = (await self.contract(symbol)).contract_size
        for position in await self.exchanges.positions(await self.account()):
            if position.symbol == symbol and position.contracts < 0:
                return -position.contracts * size
        return D(0)

    async def held(self) -> list[tuple[str, Decimal]]:
        """(side, coins) of everything that is open inside the stand-in."""
        open_now = self.desk.held(await self.trader())
        return [(one.side, one.position.contracts * one.position.contract.contract_size) for one in open_now]

    async def tick(self) -> None:
        """One tick of the watch, with everything it starts."""
        self.clock.pass_(seconds=60)
        await self.services.watch.tick(60)
        for _ in range(3):  # what is owed, one message a second
            await self.durable.run_all()
            self.clock.pass_(seconds=2)
            await self.services.delivery.sweep()

    def changes(self) -> list[dict[str, Any]]:
        """What was told of changes from outside, one payload each."""
        return [dict(item.payload) for item in self.notifier.told if item.kind == "position"]


def services_of(floor: Floor) -> Services:
    exchange = "" if floor.venue is None else floor.name
    return build_services(
        Settings.model_validate({"practice_exchange": exchange}),
        floor.store,
        floor.exchanges,
        floor.exchanges,
        OpenVault(),
        floor.notifier,
        floor.durable,
        floor.clock,
    )


@contextlib.asynccontextmanager
async def floor_of(name: str, world: World, store: SqlStore) -> AsyncIterator[Floor]:
    clock = ManualClock()
    venue = VENUES[name](world) if name in VENUES else None
    async with serving(Starlette(routes=venue.routes() if venue else [])) as address:
        wire = Wire(clock, loopback=address)
        feed = WorldFeed(world)
        exchanges = Exchanges(feed, store, wire, clock, credentials_of)
        unmade: Any = None
        floor = Floor(
            name, world, store, clock, feed, exchanges, Listener(), ManualDurable(clock), venue, unmade
        )
        floor.restart()
        try:
            yield floor
        finally:
            exchanges.close()
            await wire.close()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A market that stands still; `skip` and `shock` move it."""
    return open_world(tmp_path / "market", today=TODAY, speed=0)


@pytest_asyncio.fixture(params=[pytest.param(name, marks=pytest.mark.slow) for name in VENUES])
async def floor(request: pytest.FixtureRequest, world: World, store: SqlStore) -> AsyncIterator[Floor]:
    """Each of the five exchanges."""
    async with floor_of(request.param, world, store) as opened:
        yield opened


@pytest_asyncio.fixture
async def paper(world: World, store: SqlStore) -> AsyncIterator[Floor]:
    async with floor_of("paper", world, store) as opened:
        yield opened


@pytest.fixture(params=[False, True], ids=["one-way", "hedge-mode"])
def hedge_mode(request: pytest.FixtureRequest) -> bool:
    """Whether longs and shorts of the account stand side by side."""
    mode: bool = request.param
    return mode
