"""The real services on a real database and real ccxt, before the stand-in of one exchange; time is the test's own."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from bot.bootstrap import build_services
from bot.exchange.ccxt_wire import Wire
from bot.exchange.exchanges import Exchanges
from bot.ports.durable import Durable
from bot.ports.records import Account, Attempt, OutboxItem, Proposal
from bot.ports.store import HoldingChange
from bot.ports.vault import Credentials
from bot.sandbox.exchanges import VENUES
from bot.sandbox.exchanges.traders import DeskOrder, Trader
from bot.sandbox.exchanges.venue import Venue
from bot.sandbox.market import World, open_world
from bot.services import Services
from bot.settings import Settings
from bot.storage import SqlStore, open_store
from tests.fakes.clock import ManualClock
from tests.fakes.durable import ManualDurable
from tests.fakes.notifier import Listener
from tests.fakes.sandbox_server import serving
from tests.fakes.vault import OpenVault

TODAY = datetime(2025, 6, 1, 9, tzinfo=UTC)
ADA = 1
SOL = "SOL/USDT:USDT"


@dataclass
class Trading:
    """One exchange's stand-in, and Ada, who trades there."""

    name: str
    world: World
    venue: Venue
    wire: Wire
    store: SqlStore
    clock: ManualClock
    durable: ManualDurable
    notifier: Listener
    exchange: Exchanges
    services: Services
    moments: list[Callable[[str, str, str], None]]  # told of every request that begins, is answered, ends

    @property
    def trader(self) -> Trader:
        """Ada at the exchange."""
        return self.venue.desk.traders[f"key-of-{ADA}"]

    @property
    def orders(self) -> list[DeskOrder]:
        """Hers that arrived there."""
        return self.trader.orders

    async def account(self) -> Account:
        return await self.services.accounts.in_use(ADA)

    async def hold(self, **amounts: str) -> None:
        """`await trading.hold(SOL="100")`"""
        await self.services.people.meet(ADA, ADA, "Ada")
        changes = [HoldingChange(asset, Decimal(amount)) for asset, amount in amounts.items()]
        await self.services.portfolio.change(ADA, changes, key=f"hold:{amounts}")

    async def tapped(self, command: str = "hedge", *, message_id: int = 50) -> Proposal:
        """A card for /hedge or /unhedge, shown and confirmed; nothing is sent yet."""
        hedge = self.services.hedge
        ask = hedge.unwind if command == "unhedge" else hedge.propose
        card = await ask(ADA, ADA, key=f"update:{command}:{message_id}")
        await hedge.shown(card.id, message_id)
        outcome = await hedge.confirm(card.id, ADA, ADA, message_id)
        assert outcome.kind == "sending", outcome.kind
        await hedge.begin(card)
        return card

    async def ended(self, card: Proposal) -> dict[str, Any]:
        """Everything that was begun run to its end; the outcome that the receipt tells."""
        await self.durable.run_all()
        done = await self.store.proposal(card.id)
        assert done is not None
        return dict(done.outcome)

    async def hedged(self, **amounts: str) -> dict[str, Any]:
        await self.hold(**amounts)
        return await self.ended(await self.tapped())

    async def attempts(self, card: Proposal) -> list[Attempt]:
        return list(await self.store.attempts(card.id))

    async def held(self, symbol: str = SOL) -> Decimal:
        """Signed contracts, as the bot reads them."""
        positions = await self.exchange.positions(await self.account())
        return next((p.contracts for p in positions if p.symbol == symbol), Decimal(0))

    def receipts(self) -> list[OutboxItem]:
        return [item for item in self.notifier.told if item.kind == "receipt"]


@contextlib.asynccontextmanager
async def trading_on(
    name: str, folder: Path, database: str, *, durable: Durable | None = None
) -> AsyncIterator[Trading]:
    """`database`: with the newest schema. `durable`: what does the work in place of the test's own hands."""
    world = open_world(folder, today=TODAY, speed=0)
    venue = VENUES[name](world)
    clock = ManualClock(TODAY - timedelta(days=1))

    async def credentials_of(account: Account) -> Credentials:
        mine = Credentials(f"key-of-{account.user_id}", f"secret-of-{account.user_id}", "words")
        venue.desk.open_account(mine.api_key, mine.secret, "words")
        return mine

    async with contextlib.AsyncExitStack() as stack:
        address = await stack.enter_async_context(serving(Starlette(routes=venue.routes())))
        store = open_store(database)
        stack.push_async_callback(store.close)
        moments: list[Callable[[str, str, str], None]] = []

        def passing(method: str, path: str, moment: str) -> None:
            for tell in moments:
                tell(method, path, moment)

        wire = Wire(clock, loopback=address, passing=passing)
        stack.push_async_callback(wire.close)
        exchanges = Exchanges(name, store, wire, clock, credentials_of)
        stack.callback(exchanges.close)
        by_hand, notifier = ManualDurable(clock), Listener()
        settings = Settings.model_construct(practice_exchange=name, card_seconds=300.0)
        services = build_services(
            settings, store, exchanges, exchanges, OpenVault(), notifier, durable or by_hand, clock
        )
        yield Trading(name, world, venue, wire, store, clock, by_hand, notifier, exchanges, services, moments)
