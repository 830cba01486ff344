"""What others notice while one chat writes a thousand messages.

    python -m tests.bench.flood [--messages 1000] [--people 20] [--by polling webhook] [--kill]

The sandbox and the real bot are processes of their own; Telegram's limits are on and each of its answers takes 50 ms.
The others ask for figures, tap buttons and confirm a hedge on Bybit's stand-in, as people do. Printed are the seconds
from a tap to its answer, and from a Confirm to the moment before its order leaves, by the ledger. With --kill
the bot is killed and begun again in the middle, and what was lost or done twice is counted.
"""

import argparse
import asyncio
import random
import socket
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.fakes.books import Books
from tests.fakes.lives import Life, Sandbox, running_sandbox
from tests.fakes.person import Person, people_at

FLOODER, FIRST = 1, 100
LATENCY = 0.05
WORDS = ("/portfolio", "/add SOL 1", "hello", "/status", "/ping", "/add SOL 1", "what is this", "/hedge")
ROUNDS = 6
PATIENCE = 300.0


@dataclass
class Seen:
    """Seconds, and what went wrong."""

    taps: list[float] = field(default_factory=list)
    orders: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Flood:
    sandbox: Sandbox
    books: Books
    people: Sequence[Person]
    flooder: Person
    messages: int
    seen: Seen = field(default_factory=Seen)
    confirmed: dict[int, float] = field(default_factory=dict)

    async def prepare(self) -> dict[int, tuple[Any, Any]]:
        """Everybody has coins, a screen with a Refresh and a card."""

        async def one(person: Person) -> tuple[Any, Any]:
            await person.add("SOL 120")
            return await person.ask("/status"), await person.card()

        shown = [await one(person) for person in self.people]  # a crowd at the start is not what is measured
        driver = self.flooder.phone.driver
        await driver.post("/faults", {"method": "*", "delay": LATENCY, "times": 10**9})
        await driver.post("/limits", {"on": True})
        return {person.id: both for person, both in zip(self.people, shown, strict=True)}

    async def flood(self) -> None:
        for number in range(self.messages):
            await self.flooder.write(WORDS[number % len(WORDS)])

    async def live(self, person: Person, status: Any, card: Any) -> None:
        chance = random.Random(person.id)
        confirms = chance.randrange(ROUNDS)
        for turn in range(ROUNDS):
            await asyncio.sleep(chance.uniform(0.5, 3.0))
            button, shown = ("Confirm", card) if turn == confirms else ("Refresh", status)
            before = time.time()
            try:
                await person.tap(shown, button, wait=60)
            except Exception as failure:  # noqa: BLE001 - told in the report
                self.seen.wrong.append(f"{person.id} {button}: {failure}")
                continue
            self.seen.taps.append(time.time() - before)
            if button == "Confirm":
                self.confirmed[person.id] = before

    def judge(self) -> None:
        """From the books, when all is over."""
        for person in self.people:
            sent = self.books.rows(
                "SELECT min(event.at) AS at, count(*) AS times FROM event"
                " JOIN attempt ON attempt.client_id = event.subject_id"
                " JOIN proposal ON proposal.id = attempt.proposal_id"
                " WHERE event.state = 'sending' AND proposal.user_id = :user",
                user=person.id,
            )[0]
            if sent["times"] != 1:
                self.seen.wrong.append(f"{person.id}: {sent['times']} orders")
            elif person.id in self.confirmed:
                at = datetime.fromisoformat(str(sent["at"])).replace(tzinfo=UTC).timestamp()
                self.seen.orders.append(at - self.confirmed[person.id])
        held = self.books.holdings(self.flooder.id).get("SOL", Decimal(0))
        added = sum(WORDS[number % len(WORDS)].startswith("/add") for number in range(self.messages))
        if held != added:
            self.seen.wrong.append(f"the flooder wrote {added} additions, and holds {held}")

    async def over(self) -> None:
        """Wait until nothing waits in the inbox and every order has its outcome."""
        until, looks = time.monotonic() + PATIENCE, [(-1, -1)]
        counts = "SELECT count(content) AS waiting, count(*) AS known FROM inbox"
        while time.monotonic() < until:
            now = self.books.rows(counts)[0]
            looks = [*looks[-5:], (now["waiting"], now["known"])]
            at_rest = all(self.books.at_rest(one.id) for one in self.people)
            if len(looks) == 6 and set(looks) == {(0, now["known"])} and at_rest:
                return
            await asyncio.sleep(0.5)
        self.seen.wrong.append("updates still wait")


async def measure(by: str, people: int, messages: int, *, kill: bool) -> Seen:
    with tempfile.TemporaryDirectory() as folder, running_sandbox(Path(folder), exchange="bybit") as sandbox:
        settings = _webhook() if by == "webhook" else {}
        life = sandbox.bot(**settings)
        try:
            async with people_at(sandbox.address) as person:
                others = [person(FIRST + number) for number in range(people)]
                flood = Flood(sandbox, Books.of(sandbox.data, ""), others, person(FLOODER), messages)
                shown = await flood.prepare()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(flood.flood())
                    for one in others:
                        tasks.create_task(flood.live(one, *shown[one.id]))
                    if kill:
                        await asyncio.sleep(4)
                        life = await asyncio.to_thread(_again, sandbox, life, settings)
                await flood.over()
                flood.judge()
        finally:
            life.kill()
        return flood.seen


def _again(sandbox: Sandbox, life: Life, settings: dict[str, Any]) -> Life:
    life.kill()
    return sandbox.bot(**settings)


def _webhook() -> dict[str, Any]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        "webhook_url": f"http://127.0.0.1:{port}/webhook",
        "webhook_secret": "a-secret",
        "listen_port": port,
    }


def _told(seconds: list[float]) -> str:
    if len(seconds) < 2:
        return "too few"
    p99 = statistics.quantiles(seconds, n=100, method="inclusive")[98]
    return f"{statistics.median(seconds):.2f} median, {p99:.2f} p99, {max(seconds):.2f} most"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--by", nargs="+", choices=("polling", "webhook"), default=["polling", "webhook"])
    parser.add_argument("--kill", action="store_true")
    chosen = parser.parse_args()
    for by in chosen.by:
        seen = asyncio.run(measure(by, chosen.people, chosen.messages, kill=chosen.kill))
        print(f"{by}: tap to answer, s: {_told(seen.taps)}; tap to order, s: {_told(seen.orders)}")
        for wrong in seen.wrong or ["nothing lost, nothing twice"]:
            print(f"    {wrong}")


if __name__ == "__main__":
    main()
