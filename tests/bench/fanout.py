"""A storm of alerts through the loopback Bot API, which enforces Telegram's limits; killed in the middle.

python -m tests.bench.fanout [--alerts 3000] [--processes 2] [--postgres] [--kill]

Each process sweeps the outbox as the bot does, over the real client. With --kill the first one dies by SIGKILL half
way, and another life of it begins at once. The rate is that of the messages which nobody's death held up; the others
follow when their claims are over. `doubled`: messages that say themselves that they are repeated, because nobody could
find out whether they had arrived; `twice`: any other that came more than once; `found`: those that were found to have
arrived, though the process died before it noted them.
"""

import argparse
import asyncio
import multiprocessing
import signal
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import aiohttp

from bot.ports.records import OutboxItem, User
from bot.sandbox.app import build_app
from bot.services.delivery import Delivery
from bot.storage import migrate, open_store
from bot.storage.database import execute_many
from bot.storage.outbox import row_of
from bot.storage.tables import outbox, people
from tests import postgres
from tests.fakes.clock import ManualClock
from tests.fakes.durable import ManualDurable
from tests.fakes.sandbox_server import serving_in_thread

TOKEN = "1:sandbox"
FIRST = 10_001
ALLOWED = 30  # a second


@dataclass(frozen=True)
class FanOut:
    alerts: int
    processes: int
    database: str
    killed: bool
    seconds: float
    in_time: int  # told within these
    refused: int  # 429
    lost: int
    doubled: int
    twice: int
    found: int

    @property
    def rate(self) -> float:
        return self.in_time / self.seconds

    def line(self) -> str:
        return (
            f"{self.database:<11}{self.processes} process{'es' if self.processes > 1 else ''}"
            f"{', killed' if self.killed else ''}: {self.in_time} of {self.alerts} alerts in "
            f"{self.seconds:.1f} s, "
            f"{self.rate:.1f} a second "
            f"({self.rate / ALLOWED:.0%} of what is allowed), refused {self.refused}, lost {self.lost}, "
            f"doubled {self.doubled}, twice {self.twice}, found {self.found}"
        )


def run(alerts: int, processes: int, database: str, folder: Path, *, kill: bool) -> FanOut:
    """`database`: an empty one."""
    migrate(database)
    with serving_in_thread(build_app(data=folder, token=TOKEN)) as address, ExitStack() as stack:
        asyncio.run(_prepare(address, database, alerts))
        lives = [_begin(stack, address, database) for _ in range(processes)]
        asyncio.run(_until(address, 1))  # importing is not sending
        started = time.perf_counter()
        if kill:
            asyncio.run(_until(address, alerts // 2))
            lives[0].kill()
            lives[0].join()
            _begin(stack, address, database)
        seconds, in_time = asyncio.run(_all_told(database, started))
        return asyncio.run(_count(address, database, alerts, processes, seconds, in_time, killed=kill))


def _begin(stack: ExitStack, address: str, database: str) -> BaseProcess:
    process = multiprocessing.get_context("spawn").Process(
        target=_live, args=(address, database), daemon=True
    )
    process.start()
    stack.callback(process.kill)
    return process


def _live(address: str, database: str) -> None:
    """One process that does nothing but sweep."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(KeyboardInterrupt):
        asyncio.run(_sweeping(address, database))


async def _sweeping(address: str, database: str) -> None:
    from bot.chat.application import Link
    from bot.chat.notifier import TelegramNotifier
    from bot.clock import SystemClock

    store, clock = open_store(database), SystemClock()
    link = Link(TOKEN, address)
    async with link.bot:
        delivery = Delivery(store, TelegramNotifier(link.out), ManualDurable(ManualClock()), clock)
        while True:
            await delivery.sweep()
            await asyncio.sleep(0.2)


async def _prepare(address: str, database: str, alerts: int) -> None:
    """So many people who have written to the bot, each with one alert that is owed."""
    store, now = open_store(database), datetime.now(UTC)
    users = [User(FIRST + n, FIRST + n, "Ada", now) for n in range(alerts)]
    facts = {"kind": "exchange_down", "exchange": "bybit", "level": 2, "event": "raised", "legs": []}
    items = [
        OutboxItem(f"alert:{u.id}", u.id, u.id, "alert", {**facts, "alert_id": u.id - FIRST + 1}, now)
        for u in users
    ]
    async with store._database.write() as connection:
        rows = [
            {"id": u.id, "chat_id": u.chat_id, "name": u.name, "joined": u.joined, "suspended": False}
            for u in users
        ]
        await execute_many(connection, people.insert(), rows)
        await execute_many(connection, outbox.insert(), [row_of(item) for item in items])
    await store.close()
    async with aiohttp.ClientSession() as http:
        for user in users:
            async with http.post(
                f"{address}/sandbox/users/{user.id}/messages", json={"text": "/start"}
            ) as answer:
                answer.raise_for_status()
        async with http.post(f"{address}/sandbox/limits", json={"on": True}) as answer:
            answer.raise_for_status()


async def _calls(http: aiohttp.ClientSession, address: str, since: int = 0) -> list[dict[str, Any]]:
    async with http.get(f"{address}/sandbox/calls?since={since}") as answer:
        found: list[dict[str, Any]] = await answer.json()
    return [call for call in found if call["method"] in ("sendMessage", "editMessageText")]


async def _until(address: str, sent: int) -> None:
    """Look on without being a load: what was seen is not asked for again."""
    seen, last = 0, 0
    async with aiohttp.ClientSession() as http:
        while seen < sent:
            fresh = await _calls(http, address, last)
            seen, last = seen + len(fresh), fresh[-1]["n"] if fresh else last
            await asyncio.sleep(0.1)


async def _all_told(database: str, started: float) -> tuple[float, int]:
    """Seconds until nobody was owed anything but what the dead one had claimed, and how many were told by then. Waits
    for the rest."""
    store, last, told = open_store(database), 0.0, 0
    while True:
        async with store._database.read() as connection:
            found = await connection.exec_driver_sql(
                "SELECT state, count(*) AS count FROM outbox GROUP BY state"
            )
            states = {str(row[0]): row._mapping["count"] for row in found}
        if not states.get("pending") and not last:
            last, told = time.perf_counter() - started, states.get("sent", 0)
        if not states.get("pending") and not states.get("sending"):
            await store.close()
            return last, told
        await asyncio.sleep(0.2)


async def _count(
    address: str,
    database: str,
    alerts: int,
    processes: int,
    seconds: float,
    in_time: int,
    *,
    killed: bool,
) -> FanOut:
    async with aiohttp.ClientSession() as http:
        calls = await _calls(http, address)
    sent = [call for call in calls if call["method"] == "sendMessage" and call["ok"]]
    good = Counter(call["params"]["chat_id"] for call in sent)
    said = Counter(call["params"]["chat_id"] for call in calls if call["ok"] and _says_so(call))
    return FanOut(
        alerts,
        processes,
        "SQLite" if database.startswith("sqlite") else "PostgreSQL",
        killed,
        seconds,
        in_time,
        refused=sum("Too Many Requests" in (call["description"] or "") for call in calls),
        lost=alerts - len(good),
        doubled=sum(min(said[chat], count - 1) for chat, count in good.items()),
        twice=sum(max(count - 1 - said[chat], 0) for chat, count in good.items()),
        found=sum("not modified" in (call["description"] or "") for call in calls),
    )


def _says_so(call: Any) -> bool:
    return "(repeated)" in call["params"]["text"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=3_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--kill", action="store_true")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = f"sqlite+aiosqlite:///{folder / 'outbox.sqlite'}"
        if given.postgres:
            server = stack.enter_context(postgres.running())
            database = stack.enter_context(server.new_database()).replace(
                "postgresql:", "postgresql+psycopg:"
            )
        print(run(given.alerts, given.processes, database, folder / "telegram", kill=given.kill).line())


if __name__ == "__main__":
    main()
