"""How many updates a second are answered: our shell and python-telegram-bot as it comes, side by side.

    python -m tests.bench.bench_shell [--updates 3000] [--chats 300]

Each shell takes `/ping` updates by long polling from a Bot API on a loopback port, in this process, and answers each
by sendMessage; the shell runs in a process of its own. The Bot API answers at once, or 50 ms later. "ours" counts
with nothing behind it, "ours on SQLite" with the real store: the update stored, a person looked up, its end noted.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from telegram import Update
from telegram.ext import Application, CommandHandler

from bot.bootstrap import build_services
from bot.chat.application import Link, build
from bot.clock import SystemClock
from bot.ports.records import User
from bot.ports.store import TakenUpdate
from bot.services import Services
from bot.services.inbox import Inbox
from bot.services.people import People
from bot.settings import Settings
from bot.storage import migrate, open_store
from tests.fakes.durable import ManualDurable
from tests.fakes.exchange import ScriptedExchange
from tests.fakes.market import StillMarket
from tests.fakes.notifier import Listener
from tests.fakes.vault import OpenVault

SHELLS = ("plain", "plain concurrent", "ours", "ours on SQLite")
SLOW = "plain"  # one after the other: a smaller number of updates tells its rate as well
_ME = {"id": 1, "is_bot": True, "first_name": "b", "username": "b"}


@dataclass
class LoopbackApi:
    """The least of a Bot API: hands out the updates, takes the answers, notes when the first and the last came."""

    total: int
    chats: int
    delay: float
    answered: int = 0
    begun: float = 0.0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    seconds: float = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length")
                    ),
                    0,
                )
                body = await reader.readexactly(length)
                method = head.split(b" ", 2)[1].rsplit(b"/", 1)[-1].decode()
                answer = json.dumps({"ok": True, "result": await self._result(method, body)}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _result(self, method: str, body: bytes) -> Any:
        if method == "getMe":
            return _ME
        if method == "getUpdates":
            return await self._updates(body)
        if method != "sendMessage":
            return True
        await asyncio.sleep(self.delay)
        self.answered += 1
        if self.answered == self.total:
            self.seconds = time.perf_counter() - self.begun
            self.ended.set()
        return {"message_id": self.answered, "date": 0, "chat": {"id": 1, "type": "private"}, "text": "pong"}

    async def _updates(self, body: bytes) -> list[Any]:
        fields = dict(part.split("=") for part in body.decode().split("&") if "=" in part)
        first = max(int(fields.get("offset", 0)), 1)
        if first > self.total:
            await asyncio.sleep(0.2)
            return []
        self.begun = self.begun or time.perf_counter()
        return [self._ping(number) for number in range(first, min(first + 100, self.total + 1))]

    def _ping(self, number: int) -> Any:
        user = 1 + number % self.chats
        return {
            "update_id": number,
            "message": {
                "message_id": number,
                "date": 0,
                "text": "/ping",
                "entities": [{"type": "bot_command", "offset": 0, "length": 5}],
                "chat": {"id": user, "type": "private"},
                "from": {"id": user, "is_bot": False, "first_name": "x"},
            },
        }


class Nobody:
    """People, and their updates, without a database."""

    async def meet(self, *_: object, **__: object) -> None:
        return None

    async def users(self, _: object) -> dict[int, User]:
        return {}

    async def settle_updates(self, taken: Sequence[TakenUpdate], *_: object, **__: object) -> frozenset[int]:
        return frozenset(one.id for one in taken)

    async def claim_updates(self, **_: object) -> Sequence[TakenUpdate]:
        return []


@dataclass(frozen=True)
class Bare:
    """Services of which `/ping` needs only the people and their updates."""

    people: Nobody = field(default_factory=Nobody)
    inbox: Inbox = field(
        default_factory=lambda: Inbox(cast("Any", Nobody()), cast("Any", Nobody()), SystemClock())
    )


async def pong(update: Update, _: Any) -> None:
    if update.message:
        await update.message.reply_text("pong")


def run_plain(address: str, *, concurrent: bool) -> None:
    builder = (
        Application.builder().token("1:sandbox").base_url(f"{address}/bot").concurrent_updates(concurrent)
    )
    application = builder.build()
    application.add_handler(CommandHandler("ping", pong))
    application.run_polling(stop_signals=[15])


async def run_ours(address: str, services: Services) -> None:
    await build(services, Link("1:sandbox", address)).run_polling(asyncio.Event())


async def run_on_sqlite(address: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite+aiosqlite:///{Path(folder) / 'bench.sqlite'}"
        await asyncio.to_thread(migrate, database)
        store, clock, market = open_store(database, token="1:sandbox"), SystemClock(), StillMarket()
        exchange = ScriptedExchange(market)
        services = build_services(
            Settings(), store, market, exchange, OpenVault(), Listener(), ManualDurable(clock), clock
        )
        if not isinstance(services.people, People):
            raise TypeError("the bench must count the real people")
        await run_ours(address, services)


async def measure(shell: str, total: int, chats: int, delay: float) -> tuple[float, float]:
    """Updates answered a second, and the shell's largest memory in MB."""
    api = LoopbackApi(total, chats, delay)
    server = await asyncio.start_server(api.serve, "127.0.0.1", 0)
    async with server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.bench_shell", "--run", shell, "--address", address
        )
        ended = asyncio.get_running_loop().create_task(api.ended.wait())
        died = asyncio.get_running_loop().create_task(child.wait())
        await asyncio.wait({ended, died}, return_when=asyncio.FIRST_COMPLETED)
        if died.done():
            raise RuntimeError(f"{shell} died")
        memory = _peak_memory(child.pid)
        child.kill()
        await died
    return total / api.seconds, memory


def _peak_memory(pid: int) -> float:
    """MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


async def table(updates: int, chats: int, shells: Sequence[str] = SHELLS) -> dict[tuple[str, float], float]:
    """Prints the table; the rates."""
    rates: dict[tuple[str, float], float] = {}
    print(f"{'updates answered a second':<28}{'0 ms':>9}{'':>8}{'50 ms':>9}{'':>8}{'peak MB':>9}")
    for shell in shells:
        cells, memory = [], 0.0
        for delay in (0.0, 0.05):
            total = max(updates // 15, 20) if shell == SLOW and delay else updates
            rates[shell, delay], used = await measure(shell, total, chats, delay)
            memory = max(memory, used)
            base = rates.get((SLOW, delay))
            ratio = f"x{rates[shell, delay] / base:.1f}" if base else ""
            cells.append(f"{rates[shell, delay]:>9,.0f}{ratio:>8}")
        print(f"{shell:<28}{''.join(cells)}{memory:>9.0f}", flush=True)
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=3000)
    parser.add_argument("--chats", type=int, default=300)
    parser.add_argument("--run", choices=SHELLS)
    parser.add_argument("--address")
    chosen = parser.parse_args()
    match chosen.run:
        case None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
            asyncio.run(table(chosen.updates, chosen.chats))
        case "ours":
            asyncio.run(run_ours(chosen.address, cast("Services", Bare())))
        case "ours on SQLite":
            asyncio.run(run_on_sqlite(chosen.address))
        case plain:
            run_plain(chosen.address, concurrent=plain == "plain concurrent")


if __name__ == "__main__":
    main()
