"""Somebody else holds the database for five seconds, in the middle of a tick and of a tap: both come to their end."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.chat.texts import NOT_WRITABLE
from tests.fakes.books import Books
from tests.fakes.lives import FORKS, Sandbox, running_sandbox, wait_until
from tests.fakes.person import Person, people_at, text_of
from tests.fakes.stand_in import StandIn, positions_in

EXCHANGE = "bybit"
HELD = 5.0

pytestmark = pytest.mark.timeout(300)

Floor = tuple[Sandbox, StandIn, Books, Person]


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    data = tmp_path / "state"
    with running_sandbox(data, exchange=EXCHANGE) as sandbox:
        async with people_at(sandbox.address) as people:
            books = Books.of(data, "")
            yield sandbox, StandIn(people(1).phone.driver, EXCHANGE), books, people(1)
            books.engine.dispose()


def _hold(files: list[str], seconds: float, held: object) -> None:
    """In a process of its own: nobody else writes meanwhile."""
    connections = [sqlite3.connect(file, timeout=10, isolation_level=None) for file in files]
    for connection in connections:
        connection.execute("BEGIN EXCLUSIVE")
    held.set()  # type: ignore[attr-defined]
    time.sleep(seconds)


@contextmanager
def locked(sandbox: Sandbox, *names: str, seconds: float = HELD) -> Iterator[None]:
    held = FORKS.Event()
    files = [str(sandbox.data / "bot" / f"{name}.sqlite") for name in names]
    holder = FORKS.Process(target=_hold, args=(files, seconds, held), daemon=True)
    holder.start()
    try:
        assert held.wait(20), "the lock was not had"
        yield
    finally:
        holder.join()


async def since(person: Person, message_id: int) -> list[str]:
    return [text_of(m) for m in await person.messages() if m["from"] == "bot" and m["id"] > message_id]


@pytest.mark.fault(31)
@pytest.mark.parametrize("names", [("hedgehog",), ("hedgehog", "engine")], ids=" and ".join)
async def test_a_tick_that_found_the_database_locked_tells_each_matter_once(
    floor: Floor, names: tuple[str, ...]
) -> None:
    sandbox, _, books, ada = floor
    with sandbox.living(tick_seconds=1) as life:
        await ada.add("SOL 120")
        receipt = await ada.confirm()
        with locked(sandbox, *names):
            await ada.phone.driver.post("/market", {"shock": "crash", "size": 0.4})
        await ada.alert(receipt["id"], seconds=30)
        await asyncio.sleep(4)
        kinds = [row["kind"] for row in books.rows("SELECT kind FROM alert WHERE user_id = :u", u=ada.id)]
        assert kinds
        assert len(kinds) == len(set(kinds)) == len(await since(ada, receipt["id"]))
        assert not life.ended()


@pytest.mark.fault(31)
@pytest.mark.parametrize("names", [("hedgehog",), ("hedgehog", "engine")], ids=" and ".join)
async def test_a_tap_on_a_locked_database_has_one_outcome(floor: Floor, names: tuple[str, ...]) -> None:
    """Done after a wait, or refused in plain words with nothing done: never both, never neither."""
    sandbox, stand_in, books, ada = floor
    with sandbox.living(tick_seconds=1) as life:
        await ada.add("SOL 120")
        card = await ada.card()
        with locked(sandbox, *names):
            answer = await ada.tap(card, "Confirm", wait=20)

        def outcome() -> bool:
            return books.proposals(ada.id)[0]["state"] == "done" and books.at_rest(ada.id)

        async def refused() -> bool:
            """Said in the tap's answer, or in a message right after it."""
            said = ((answer.get("answer") or {}).get("text") or "", *await since(ada, card["id"]))
            return NOT_WRITABLE in said

        until = time.monotonic() + 20
        while not await refused() and [p["state"] for p in books.proposals(ada.id)] == ["open"]:
            assert time.monotonic() < until, "the tap was neither taken nor refused"
            await asyncio.sleep(0.05)
        if await refused():
            assert [p["state"] for p in books.proposals(ada.id)] == ["open"]
            assert await stand_in.calls("order") == 0
            await ada.tap(await ada.message(card["id"]), "Confirm")
        await ada.receipt(card, seconds=60)
        wait_until(outcome, 20, "the outcome")
        attempts = books.attempts(ada.id)
        account = await stand_in.account_of({a["client_id"] for a in attempts})
        arrived = {order["client_id"] for order in account["orders"]}
        assert len(account["orders"]) == 1
        assert books.objections(ada.id, positions=positions_in(account), arrived=arrived) == []
        assert not life.ended()
