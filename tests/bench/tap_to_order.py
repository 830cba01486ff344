"""What the bot adds between a tap and the order on the wire, beside a bare `create_order` of ccxt on the same stand-in.

python -m tests.bench.tap_to_order [--exchange bybit] [--taps 40] [--postgres URL] [--profile]

The stand-in is served by a process of its own. The bot is the real one: Telegram's update, the services, the durable
engine, the ledger in a database on this disk, ccxt. Times are taken when the request is about to leave.
"""

import argparse
import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import yarl
from pydantic import SecretStr

from bot.bootstrap import Bot, running
from bot.exchange import ccxt_wire
from bot.exchange.ccxt_exchange import CcxtExchange
from bot.exchange.exchanges import Exchanges
from bot.ports.store import HoldingChange
from bot.settings import Settings
from tests.chat.recording import tap

ORDER_PATHS = (
    "/fapi/v1/order",
    "/v5/order/create",
    "/trade/order",
    "/order/create",
    "/order/submit",
    "/capi/v3/order",
)
WARM_UP = 5
PAUSE = (
    1.5  # between card and tap: the market is read anew then, and the address keeps within what it may ask
)


@dataclass
class Sent:
    """When the latest order was about to leave."""

    at: float = 0.0
    calls: int = 0  # requests since the watch was set
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def watch(self) -> float:
        """From now on; the time."""
        self.calls = 0
        self.left.clear()
        return time.perf_counter()


def watch_the_wire(sent: Sent) -> None:
    """Note the time at which an order's request is handed to the socket."""
    address = ccxt_wire.Wire.address

    def noted(wire: ccxt_wire.Wire, url: yarl.URL) -> yarl.URL:
        sent.calls += 1
        if url.path.endswith(ORDER_PATHS):
            sent.at = time.perf_counter()
            sent.left.set()
        return address(wire, url)

    mock.patch.object(ccxt_wire.Wire, "address", noted).start()


@contextlib.contextmanager
def sandbox(folder: Path) -> Iterator[str]:
    """The sandbox without a bot, in a child; its address."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.tap_to_order", "--serve", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        yield child.stdout.readline().strip()
    finally:
        child.terminate()
        child.wait()


def serve(folder: Path) -> None:
    """The child: Telegram's stand-in, the market and the exchanges."""
    from bot.cli.supervisor import listen
    from bot.sandbox.app import build_app
    from bot.sandbox.exchanges.control import Exchanges as StandIns
    from bot.sandbox.market import open_world
    from bot.sandbox.market.routes import routes
    from bot.web.server import Server

    async def nobody() -> list[dict[str, Any]]:
        return []

    world = open_world(folder, speed=0)
    listener = listen(0)
    app = build_app(
        data=folder, token=None, market_routes=[*routes(world, nobody), *StandIns(world).routes()], page=None
    )
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    asyncio.run(Server(app, grace=0).serve(sockets=[listener]))


async def measure(exchange: str, taps: int, address: str, data: Path, database: str) -> None:
    settings = Settings.model_construct(
        token=SecretStr("1:sandbox"),
        data=data,
        database_url=database,
        telegram_url=address,
        market=exchange,
        practice_exchange=exchange,
        sandbox_url=address,
        tick_seconds=3600.0,
        replica="bench",
    )
    sent = Sent()
    watch_the_wire(sent)
    async with running(settings) as bot:
        await bot.shell.start()
        by_bot, calls = [], []
        for user in range(1, taps + WARM_UP + 1):
            took, asked = await one_tap(bot, user, sent)
            by_bot.append(took)
            calls.append(asked)
        bare = [await one_bare(bot, user, sent) for user in range(1, taps + WARM_UP + 1)]
    report(exchange, by_bot[WARM_UP:], bare[WARM_UP:], calls[WARM_UP:])


async def one_tap(bot: Bot, user: int, sent: Sent) -> tuple[float, int]:
    """Seconds from the update to the order's request, and how many requests there were on the way."""
    await bot.services.people.meet(user, user, f"User {user}")
    await bot.services.portfolio.change(user, [HoldingChange("SOL", Decimal(100))], key="hold")
    card = await bot.services.hedge.propose(user, user, key="card")
    await bot.services.hedge.shown(card.id, 1)
    await asyncio.sleep(PAUSE)
    before = sent.watch()
    handling = asyncio.get_running_loop().create_task(
        bot.shell.handle_update(tap(10_000 + user, user, 1, f"ok:{card.id}"))
    )
    async with asyncio.timeout(20):
        await sent.left.wait()
    took, calls = sent.at - before, sent.calls
    await handling
    await bot.durable.wait(f"exec:{card.id}")
    return took, calls


async def one_bare(bot: Bot, user: int, sent: Sent) -> float:
    """The same order by ccxt alone, on the same client."""
    account = await bot.services.accounts.in_use(user)
    exchanges = bot.exchanges
    assert isinstance(exchanges, Exchanges)
    trading: CcxtExchange = exchanges._connected(account.exchange)[0]
    client = await trading._client(account)
    quote = (await bot.exchanges.feed(account.exchange).snapshot()).quotes["SOL/USDT:USDT"]
    started = time.perf_counter()
    await client.create_order(
        "SOL/USDT:USDT", "limit", "sell", 1, float(quote.bid) * 0.99, {"timeInForce": "IOC"}
    )
    return sent.at - started


def report(exchange: str, by_bot: list[float], bare: list[float], calls: list[int]) -> None:
    mine, theirs = (statistics.median(each) * 1e3 for each in (by_bot, bare))
    worst = sorted(by_bot)[int(len(by_bot) * 0.95)] * 1e3
    print(f"{exchange}: {len(by_bot)} taps; milliseconds until the order's request leaves")
    print(
        f"  from the tap, median {mine:8.1f}   95 % {worst:8.1f}   requests on the way {statistics.median(calls):g}"
    )
    print(f"  bare create_order    {theirs:8.1f}")
    print(f"  the bot adds         {mine - theirs:8.1f}   ratio {mine / theirs:.1f}")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--exchange", default="bybit")
    options.add_argument("--taps", type=int, default=40)
    options.add_argument("--postgres", default="")
    options.add_argument("--serve", type=Path)
    given = options.parse_args()
    if given.serve:
        serve(given.serve)
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "market").mkdir()
        with sandbox(Path(folder) / "market") as address:
            asyncio.run(measure(given.exchange, given.taps, address, Path(folder) / "bot", given.postgres))


if __name__ == "__main__":
    main()
