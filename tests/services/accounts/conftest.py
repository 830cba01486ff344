"""A bot between its chat and the exchanges: the real services, ccxt and the vault, over the stand-ins' HTTP."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest_asyncio
from starlette.applications import Starlette

from bot.bootstrap import build_services
from bot.exchange.ccxt_wire import Wire
from bot.exchange.exchanges import Exchanges
from bot.ports.records import Invitation, Mode, OutboxItem
from bot.ports.vault import Credentials
from bot.sandbox.exchanges.control import Exchanges as Standins
from bot.sandbox.exchanges.venue import Venue
from bot.sandbox.market import World, open_world
from bot.services import Services
from bot.services.connecting import INVITED_FOR, Connected
from bot.settings import Settings
from bot.storage import SqlStore, open_store
from bot.storage.vault import SqlVault, open_vault
from tests.fakes.clock import ManualClock
from tests.fakes.database import prepared, sqlite_address
from tests.fakes.durable import ManualDurable
from tests.fakes.notifier import Listener
from tests.fakes.sandbox_server import serving

ADA, BOB = 1, 2
EVERYWHERE = ("binance", "bybit", "bingx", "mexc", "weex")
MASTER = base64.b64encode(bytes(range(32))).decode()
SOL = "SOL/USDT:USDT"


@dataclass
class Floor:
    """Everything of a bot between its chat and the exchanges' wires."""

    address: str
    world: World
    standins: Standins
    store: SqlStore
    vault: SqlVault
    database: str
    clock: ManualClock = field(default_factory=ManualClock)
    notifier: Listener = field(default_factory=Listener)
    exchanges: Any = None
    services: Any = None
    durable: Any = None

    def start(self) -> Services:
        """A life of the bot; what was before it is only in the database and at the exchanges."""
        wire, self.durable = Wire(self.clock, loopback=self.address), ManualDurable(self.clock)
        self.exchanges = Exchanges("bybit", self.store, wire, self.clock, self.vault.open)
        self.services = build_services(
            Settings(),
            self.store,
            self.exchanges,
            self.exchanges,
            self.vault,
            self.notifier,
            self.durable,
            self.clock,
        )
        self._wires.append(wire)
        found: Services = self.services
        return found

    @property
    def file(self) -> Path:
        return Path(self.database.partition(":///")[2])

    _wires: list[Wire] = field(default_factory=list)

    async def close(self) -> None:
        self.exchanges.close()
        for wire in self._wires:
            await wire.close()

    def venue(self, name: str) -> Venue:
        return self.standins.venues[name]

    def open(self, name: str, key: str = "key-1", **flags: Any) -> None:
        """An account at the exchange, with practice money."""
        trader = self.venue(name).desk.open_account(key, f"secret of {key}", "words")
        for flag, value in flags.items():
            setattr(trader, flag, value)

    async def connect(
        self,
        name: str,
        mode: Mode = "live",
        key: str = "key-1",
        user: int = ADA,
        passphrase: str | None = "words",
    ) -> Connected:
        invitation = Invitation(user, name, mode, self.clock.now() + INVITED_FOR)
        done: Connected = await self.services.connecting.connect(
            invitation, Credentials(key, f"secret of {key}", passphrase)
        )
        return done

    def calls(self, name: str) -> int:
        """Signed calls that have reached the exchange."""
        venue = self.venue(name)
        signed = {operation.name for operation in venue.operations().values() if operation.signed}
        return sum(count for operation, count in venue.calls.items() if operation in signed)

    async def hedge(self, user: int = ADA, message_id: int = 50) -> None:
        """A card, its tap, and the orders."""
        card = await self.services.hedge.propose(user, user, key=f"update:{message_id}")
        await self.services.hedge.shown(card.id, message_id)
        outcome = await self.services.hedge.confirm(card.id, user, user, message_id)
        assert outcome.kind == "sending"
        await self.services.hedge.begin(card)
        await self.durable.run_all()

    async def held(self, user: int = ADA) -> Decimal:
        """Contracts of SOL in the account in use, signed."""
        account = await self.services.accounts.in_use(user)
        return sum(
            (p.contracts for p in await self.exchanges.positions(account) if p.symbol == SOL), Decimal(0)
        )

    async def tick(self, **later: float) -> list[OutboxItem]:
        """A tick of the watch after so much time; what it told."""
        self.clock.pass_(**(later or {"seconds": 60}))
        before = len(self.notifier.told)
        await self.services.watch.tick(60)
        await self.durable.run_all()
        for _ in range(4):  # a chat gets one message a second
            self.clock.pass_(seconds=2)
            await self.services.delivery.sweep()
            await self.durable.run_all()
        return self.notifier.told[before:]

    def sell(self, name: str, key: str = "key-1", contracts: str = "30") -> None:
        """A short, by the owner's own hand."""
        body = {"trade": "sell", "key": key, "symbol": SOL, "contracts": contracts}
        self.standins._event(self.venue(name), body)


@pytest_asyncio.fixture
async def floor(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Floor]:
    database = prepared(sqlite_address(tmp_path / "store.sqlite"), sqlite_template)
    world = open_world(tmp_path, today=datetime(2025, 6, 1, 9, tzinfo=UTC), speed=0)
    standins = Standins(world)
    store, vault = open_store(database), open_vault(database, key=MASTER)
    async with serving(Starlette(routes=standins.routes())) as address:
        made = Floor(address, world, standins, store, vault, database)
        services = made.start()
        for user in (ADA, BOB):
            await services.people.meet(user, user, "Somebody")
        yield made
        await made.close()
    await vault.close()
    await store.close()


async def keys_of(floor: Floor, user: int = ADA) -> list[tuple[str, str]]:
    return [(sealed.account.exchange, sealed.account.mode) for sealed in await floor.vault.sealed(user)]
