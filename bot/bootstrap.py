"""The composition root: every part of a process is built here, and a test may put another in its place."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from bot.clock import SystemClock
from bot.ports.clock import Clock
from bot.ports.durable import Durable
from bot.ports.errors import Unavailable
from bot.ports.exchange import Connections, Exchange, Feeds, Healths, MarketFeed
from bot.ports.notifier import Notifier
from bot.ports.store import Store
from bot.ports.vault import Vault
from bot.sandbox.faults import Fault
from bot.sandbox.practice import PracticeKeys, start_account
from bot.sandbox.waiting import BotClock
from bot.schedule import Entry, Schedule
from bot.services import Services
from bot.services.accounts import Accounts
from bot.services.alerts import Alerts
from bot.services.connecting import Connecting
from bot.services.delivery import Delivery
from bot.services.desk.acting import Acting
from bot.services.desk.permission import Permissions
from bot.services.desk.pinned import Pinned
from bot.services.desk.remedies import Remedies
from bot.services.desk.summaries import Summaries
from bot.services.execution import Execution
from bot.services.fresh_cards import FreshCards
from bot.services.hedge import Hedge
from bot.services.inbox import Inbox
from bot.services.markets import Markets
from bot.services.people import People
from bot.services.portfolio import Portfolio
from bot.services.reconciliation import Reconciliation
from bot.services.results import Results
from bot.services.rules import Rules
from bot.services.second_source import SecondSource
from bot.services.situation import Situations
from bot.services.status import Status
from bot.services.watch import Watch
from bot.services.watch.keys import KeyLooks
from bot.settings import Settings
from hedging.assets import KNOWN, Alias, table
from hedging.errors import BadInput

if TYPE_CHECKING:
    from bot.chat.application import TelegramShell
    from bot.exchange.ccxt_clients import CredentialsOf
    from bot.exchange.exchanges import Exchanges
    from bot.sandbox.hedges import Hedges
    from bot.services.checkup import Checkup


class NotConfigured(Exception):
    """A setting is missing or does not fit. One sentence that says which and how to mend it."""


class Outside(Feeds, Healths, Connections, Protocol):
    """The exchanges as feeds, as they are, and as places to connect."""


class Everywhere(Outside, Exchange, Protocol):
    """The exchanges, also for trading."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a test may put in place of the real thing. None: the real one."""

    clock: Clock | None = None
    store: Store | None = None
    exchanges: Everywhere | None = None
    durable: Durable | None = None
    vault: Vault | None = None


@dataclass(frozen=True, slots=True)
class Bot:
    """One running process."""

    settings: Settings
    services: Services
    exchanges: Everywhere
    shell: "TelegramShell"
    store: Store
    durable: Durable
    schedule: Schedule
    vault: Vault


@asynccontextmanager
async def running(settings: Settings, parts: Parts = Parts()) -> AsyncIterator[Bot]:
    """Migrate, open, resume what was left unfinished, listen to Telegram; close all of it on the way out.

    Starting and recovering are the same path. Raises NotConfigured, BadInput or Unavailable.
    """
    from bot.chat.application import Link, build
    from bot.chat.notifier import TelegramNotifier
    from bot.storage import migrate

    if not settings.token.get_secret_value():
        raise NotConfigured("Set HEDGEHOG_TOKEN to the token that BotFather gave you.")
    if settings.webhook_trouble:
        raise NotConfigured(settings.webhook_trouble)
    aliases = coins(settings)
    settings.data.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(migrate, settings.database)
    async with AsyncExitStack() as stack:
        fault = Fault(settings.kill_at, settings.data / "fault-points.txt")
        clock = parts.clock or _clock(settings)
        store = fault.around("store", parts.store or await _open_store(settings, stack))
        vault = parts.vault or await _open_vault(settings, stack)
        exchanges: Everywhere = parts.exchanges or await _open_exchanges(
            settings, store, vault, clock, stack, fault
        )
        exchange: Exchange = fault.around("exchange", exchanges)
        durable = fault.around("durable", parts.durable or await _open_engine(settings, stack))
        link = Link(settings.token.get_secret_value(), settings.telegram_url)
        link.out = fault.around("telegram", link.out)
        notifier = TelegramNotifier(link.out)
        services = build_services(
            settings,
            store,
            exchanges,
            exchange,
            vault,
            notifier,
            durable,
            clock,
            aliases,
            wall=SystemClock(),
        )
        shell = build(services, link)
        stack.push_async_callback(shell.stop)
        schedule = Schedule(_jobs(settings, services, store, durable, clock))
        await durable.launch()
        schedule.start()
        stack.push_async_callback(schedule.stop)
        yield Bot(settings, services, exchanges, shell, store, durable, schedule, vault)


def build_services(
    settings: Settings,
    store: Store,
    outside: Outside,
    exchange: Exchange,
    vault: Vault,
    notifier: Notifier,
    durable: Durable,
    clock: Clock,
    aliases: Mapping[str, Alias] = KNOWN,
    *,
    wall: Clock | None = None,
) -> Services:
    """The use cases over their ports. Their workflows are registered on the way: the engine is launched after this.
    `wall`: Telegram's time, where a demo's or a test's clock runs otherwise."""
    markets = Markets(outside, clock, aliases)
    rules = Rules(store)
    start = start_account(settings.practice_exchange, outside.offers)
    source = SecondSource(store, exchange)
    accounts = Accounts(store, exchange, source, outside, vault, clock, start)
    situations = Situations(store, accounts, exchange, markets, rules)
    reconciliation = Reconciliation(store, exchange, source, markets, clock)
    hedge = Hedge(
        store,
        accounts,
        situations,
        rules,
        reconciliation,
        durable,
        clock,
        timedelta(seconds=settings.card_seconds),
    )
    results = Results(store, exchange, markets)
    status = Status(store, situations, reconciliation, results, clock)
    remedies = Remedies(store, hedge, situations, reconciliation, status, results, markets)
    delivery = Delivery(store, notifier, durable, clock, FreshCards(store, remedies.prepare).prepare)
    summaries = Summaries(store, markets, clock)
    permissions = Permissions(store, accounts, clock)
    acting = Acting(store, hedge, situations, reconciliation, clock)
    return Services(
        inbox=Inbox(store, store, wall or clock, replica=settings.replica),
        people=People(store, clock),
        accounts=accounts,
        connecting=Connecting(store, accounts, exchange, outside, vault, clock),
        portfolio=Portfolio(store, accounts, rules, markets),
        rules=rules,
        reconciliation=reconciliation,
        hedge=hedge,
        status=status,
        permissions=permissions,
        alerts=Alerts(store, accounts, status, markets, remedies, Pinned(store, clock)),
        execution=Execution(store, exchange, situations, reconciliation, hedge, delivery, durable, clock),
        delivery=delivery,
        watch=Watch(
            store,
            exchange,
            markets,
            outside,
            situations,
            reconciliation,
            summaries,
            acting,
            delivery,
            durable,
            clock,
            KeyLooks(store, outside, clock),
            shards=settings.tick_shards,
        ),
    )


@asynccontextmanager
async def hedge_panel(settings: Settings) -> AsyncIterator["Hedges"]:
    """Everybody's hedge, read from the bot's database without the bot: for the sandbox's market panel."""
    from bot.sandbox.hedges import Hedges
    from bot.storage import migrate

    settings.data.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(migrate, settings.database)
    async with AsyncExitStack() as stack:
        clock = _clock(settings)
        store = await _open_store(settings, stack)
        vault = await _open_vault(settings, stack)
        exchanges = await _open_exchanges(settings, store, vault, clock, stack)
        start = start_account(settings.practice_exchange, exchanges.offers)
        source = SecondSource(store, exchanges)
        accounts = Accounts(store, exchanges, source, exchanges, vault, clock, start)
        markets = Markets(exchanges, clock, coins(settings))
        situations = Situations(store, accounts, exchanges, markets, Rules(store))
        reconciliation = Reconciliation(store, exchanges, source, markets, clock)
        results = Results(store, exchanges, markets)
        yield Hedges(store, Status(store, situations, reconciliation, results, clock))


@asynccontextmanager
async def checkup(settings: Settings) -> AsyncIterator["Checkup"]:
    """The parts of a process, to be looked at and not to be run. Raises what opening the database raises."""
    from bot.chat.application import Link
    from bot.chat.greeting import name_of
    from bot.services.checkup import Checkup
    from bot.storage import migrate

    settings.data.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(migrate, settings.database)
    async with AsyncExitStack() as stack:
        store = await _open_store(settings, stack)
        vault = await _open_vault(settings, stack)
        clock = SystemClock()
        exchanges = await _open_exchanges(settings, store, vault, clock, stack)

        async def greet() -> str:
            if not settings.token.get_secret_value():
                raise Unavailable("Set HEDGEHOG_TOKEN to the token that BotFather gave you.")
            return await name_of(Link(settings.token.get_secret_value(), settings.telegram_url))

        yield Checkup(
            greet,
            store,
            vault,
            exchanges,
            lambda: coins(settings),
            clock,
            webhook=settings.webhook_trouble if settings.webhook_url else None,
        )


def coins(settings: Settings) -> Mapping[str, Alias]:
    """What coins really are: the known table, with the rows of the operator's file. Raises BadInput, one sentence."""
    if settings.assets is None:
        return KNOWN
    try:
        with settings.assets.open(encoding="utf-8-sig") as lines:
            return table(lines)
    except (OSError, UnicodeDecodeError) as failure:
        reason = getattr(failure, "strerror", None) or failure
        raise BadInput(f"HEDGEHOG_ASSETS: {settings.assets} cannot be read: {reason}.") from failure
    except BadInput as failure:
        raise BadInput(f"HEDGEHOG_ASSETS: {failure}") from failure


def _clock(settings: Settings) -> Clock:
    return SystemClock() if settings.clock_file is None else BotClock(settings.clock_file)


async def _open_store(settings: Settings, stack: AsyncExitStack) -> Store:
    from bot.storage import open_store

    store = open_store(settings.database, token=settings.token.get_secret_value())
    stack.push_async_callback(store.close)
    await store.ping()
    return store


async def _open_vault(settings: Settings, stack: AsyncExitStack) -> Vault:
    """Without a master key it is read-only; with one that cannot be used, nothing starts: BadMasterKey."""
    from bot.storage.vault import open_vault

    key, file = settings.master_key.get_secret_value(), settings.master_key_file
    vault = open_vault(settings.database, key=key, key_file=file)
    stack.push_async_callback(vault.close)
    await vault.read_only()
    return vault


async def _open_home(settings: Settings, stack: AsyncExitStack) -> MarketFeed | str:
    """Whose prices paper accounts follow: the sandbox's own market, or an exchange by its name."""
    if settings.market != "sandbox":
        return settings.market
    from bot.sandbox.feed import SandboxFeed

    if not settings.sandbox_url:
        raise NotConfigured(
            "Set HEDGEHOG_SANDBOX_URL to the sandbox's address, or HEDGEHOG_MARKET to binance."
        )
    sandbox = SandboxFeed(settings.sandbox_url)
    stack.push_async_callback(sandbox.close)
    return sandbox


async def _open_exchanges(
    settings: Settings,
    store: Store,
    vault: Vault,
    clock: Clock,
    stack: AsyncExitStack,
    fault: Fault | None = None,
) -> "Exchanges":
    """Every exchange, over one wire: the sandbox's stand-ins when its address is set, else the real ones."""
    from bot.exchange.ccxt_wire import Wire
    from bot.exchange.exchanges import Exchanges

    home = await _open_home(settings, stack)
    wire = Wire(
        clock,
        loopback=settings.sandbox_url,
        address=settings.public_address,
        passing=fault.request if fault else None,
    )
    stack.push_async_callback(wire.close)
    if settings.sandbox_url:
        credentials: CredentialsOf = PracticeKeys(settings.sandbox_url, settings.practice_exchange, vault)
    else:
        credentials = vault.open
    exchanges = Exchanges(home, store, wire, clock, credentials)
    stack.callback(exchanges.close)
    return exchanges


async def _open_engine(settings: Settings, stack: AsyncExitStack) -> Durable:
    from bot.durable import Engine
    from bot.storage import log_ahead

    await asyncio.to_thread(log_ahead, settings.engine_database)
    engine = await asyncio.to_thread(Engine, database=settings.engine_database, replica=settings.replica)
    stack.push_async_callback(engine.close)
    return engine


def _jobs(
    settings: Settings, services: Services, store: Store, durable: Durable, clock: Clock
) -> tuple[Entry, ...]:
    from bot.exchange.candles.kept import prune as prune_candles

    every = settings.tick_seconds

    async def tick() -> None:
        await services.watch.tick(every)

    async def prune() -> None:
        week_ago = clock.now() - timedelta(days=7)
        await durable.prune(week_ago)
        await store.forget_updates(before=week_ago)
        await store.forget_paces(before=clock.now() - timedelta(hours=1))
        await prune_candles(store, clock.now())

    return (
        Entry("tick", timedelta(seconds=every), tick),
        Entry("unfinished work", timedelta(seconds=5), services.execution.sweep),
        # Cut off between sending and noting it, a message would be in doubt for a minute.
        Entry("owed messages", timedelta(seconds=1), services.delivery.sweep, finish=timedelta(seconds=4)),
        Entry("updates left behind", timedelta(seconds=1), services.inbox.sweep),
        Entry("old work", timedelta(hours=1), prune),
    )
