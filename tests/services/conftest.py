"""A desk: the real services over a real database, in a market and on an exchange that do as the test says."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest_asyncio

from bot.bootstrap import build_services
from bot.ports.permissions import Acts, Silence
from bot.ports.records import Proposal
from bot.ports.store import HoldingChange
from bot.services import Services
from bot.settings import Settings
from bot.storage import SqlStore, open_store
from hedging.assets import KNOWN, Alias
from tests.fakes.clock import ManualClock
from tests.fakes.database import prepared, sqlite_template
from tests.fakes.durable import ManualDurable
from tests.fakes.exchange import ScriptedExchange
from tests.fakes.market import StillMarket
from tests.fakes.notifier import Listener
from tests.fakes.vault import OpenVault

__all__ = ["sqlite_template"]

ADA, BOB = 1, 2  # two people


@dataclass
class Desk:
    store: SqlStore
    clock: ManualClock
    market: StillMarket
    exchange: ScriptedExchange
    durable: ManualDurable
    notifier: Listener
    services: Services
    aliases: Mapping[str, Alias] = field(default_factory=lambda: KNOWN)

    def restart(self) -> None:
        """The process is gone: everything but the database, the engine's memory and the outside world is new."""
        self.services = build_services(
            Settings(),
            self.store,
            self.market,
            self.exchange,
            OpenVault(),
            self.notifier,
            self.durable,
            self.clock,
            self.aliases,
        )

    async def hold(self, user: int = ADA, **amounts: str) -> None:
        """`await desk.hold(SOL="100")`: a user who holds that."""
        await self.services.people.meet(user, user, "Ada")
        changes = [HoldingChange(asset, Decimal(amount)) for asset, amount in amounts.items()]
        await self.services.portfolio.change(user, changes, key=f"hold:{user}:{amounts}")

    async def card(self, user: int = ADA, key: str = "update:1", message_id: int = 50) -> Proposal:
        """A proposal, shown."""
        proposal = await self.services.hedge.propose(user, user, key=key)
        await self.services.hedge.shown(proposal.id, message_id)
        return proposal

    async def tap(self, proposal: Proposal, user: int = ADA, message_id: int = 50) -> str:
        """Confirm, and begin the work as the handler does; the kind of the outcome."""
        outcome = await self.services.hedge.confirm(proposal.id, user, user, message_id)
        if outcome.kind in ("sending", "working"):
            await self.services.hedge.begin(outcome.proposal)
        return outcome.kind

    async def permit(self, acts: Acts = "never", silence: Silence = "nothing", user: int = ADA) -> None:
        """A permission for the account in use, as its card gives it."""
        _, offer = await self.services.permissions.offer(user, acts, silence)
        given = await self.services.permissions.give(user, offer)
        if isinstance(given, str):
            raise LookupError(f"nothing was given: {given}")

    async def hedged(self, user: int = ADA, key: str = "update:1") -> Proposal:
        """A hedge, confirmed and executed."""
        proposal = await self.card(user, key)
        await self.tap(proposal, user)
        await self.durable.run_all()
        done = await self.store.proposal(proposal.id)
        if done is None:
            raise LookupError("the proposal is gone")
        return done

    async def tick(self) -> None:
        """One tick of the watch, with everything it starts."""
        self.clock.pass_(seconds=60)
        await self.services.watch.tick(60)
        await self.durable.run_all()
        self.clock.pass_(seconds=2)
        await self.services.delivery.sweep()


@pytest_asyncio.fixture
async def desk(database: str, sqlite_template: Path) -> AsyncIterator[Desk]:
    store = open_store(prepared(database, sqlite_template))
    clock, market, notifier = ManualClock(), StillMarket(), Listener()
    exchange, durable = ScriptedExchange(market), ManualDurable(clock)
    services = build_services(Settings(), store, market, exchange, OpenVault(), notifier, durable, clock)
    yield Desk(store, clock, market, exchange, durable, notifier, services)
    await store.close()
