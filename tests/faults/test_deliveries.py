"""kill -9 around the sending of an alert: it comes, once, and does not call itself a repetition.

Telegram takes no key that would tell a message which is sent twice. Whether one arrived is found out afterwards, by the
ids that it can have.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.ports.records import OutboxItem
from bot.storage import open_store
from tests.fakes.books import Books
from tests.fakes.database import sqlite_address
from tests.fakes.lives import Sandbox, running_sandbox
from tests.fakes.person import Person, people_at, text_of
from tests.fakes.phone import Json

PACE = 10  # a sender that fell silent is taken for dead after 6 s
CAUSE = {"exchange": "bybit", "mode": "live"}
BEFORE = ("store.begin_delivery ended", "telegram.send begins")
AFTER = ("telegram.send ended", "store.finish_delivery begins", "store.finish_delivery ended")

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def floor(tmp_path: Path, database: str) -> AsyncIterator[tuple[Sandbox, Books]]:
    server = "" if database.startswith("sqlite") else database.replace("+psycopg", "")
    with running_sandbox(tmp_path / "state", database=server, pace=PACE) as sandbox:
        books = Books.of(sandbox.data, server)
        yield sandbox, books
        books.engine.dispose()


async def _owe(sandbox: Sandbox, person: Person) -> None:
    """As is done when a key is refused for the third time."""
    clock = sandbox.clock
    now = clock.now() if clock else datetime.now(UTC)
    address = sandbox.database.replace("postgresql://", "postgresql+psycopg://")
    store = open_store(address or sqlite_address(sandbox.data / "bot" / "hedgehog.sqlite"))
    try:
        await store.owe(OutboxItem("key:1", person.id, person.id, "key_refused", CAUSE, now))
    finally:
        await store.close()


async def _told(books: Books, person: Person, seconds: float = 60) -> list[Json]:
    """The alerts in the chat, when nothing is owed any more."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while [row["state"] for row in books.owed(person.id)] != ["sent"]:  # noqa: ASYNC110 - others work
                await asyncio.sleep(0.1)
    assert [row["state"] for row in books.owed(person.id)] == ["sent"]
    return [m for m in await person.messages() if m["from"] == "bot" and "Bybit" in text_of(m)]


def _objections(books: Books, person: Person, alerts: list[Json]) -> list[str]:
    (owed,) = books.owed(person.id)
    found = [f"a repetition: {text_of(alert)!r}" for alert in alerts if "repeated" in text_of(alert)]
    if len(alerts) != 1:
        found.append(f"{len(alerts)} alerts")
    elif alerts[0]["id"] != owed["message_id"]:
        found.append(f"noted as {owed['message_id']}, and stands as {alerts[0]['id']}")
    elif alerts[0]["edited"]:
        found.append("it was changed")
    return found


@pytest.mark.fault(37)
@pytest.mark.parametrize("point", [*BEFORE, *AFTER])
async def test_an_alert_comes_once_though_the_bot_is_killed_over_it(
    floor: tuple[Sandbox, Books], point: str
) -> None:
    sandbox, books = floor
    async with people_at(sandbox.address) as people:
        ada, bob = people(1), people(2)
        life = sandbox.bot(kill_at=f"store.begin_delivery:{point}#1")
        await ada.ask("/start")
        await bob.ask("/start")
        await _owe(sandbox, ada)
        assert await asyncio.to_thread(life.ended, 30) and life.was_killed
        for person in (ada, bob):  # their messages take ids too
            await person.write("/help")
        with sandbox.living():
            await ada.ask("/alerts")
            assert _objections(books, ada, await _told(books, ada)) == []


@pytest.mark.fault(37)
async def test_an_alert_whose_answer_got_lost_comes_once(floor: tuple[Sandbox, Books]) -> None:
    sandbox, books = floor
    async with people_at(sandbox.address) as people:
        ada = people(1)
        with sandbox.living():
            await ada.ask("/start")
            await ada.phone.driver.post("/faults", {"method": "sendMessage", "drop_answer": True, "times": 1})
            await _owe(sandbox, ada)
            await ada.wait(lambda _: books.owed(ada.id)[0]["after_id"] is not None, "the alert on its way")
            assert _objections(books, ada, await _told(books, ada)) == []


@pytest.mark.fault(29)
@pytest.mark.postgres
@pytest.mark.parametrize("point", [BEFORE[-1], AFTER[0]])
async def test_a_replica_finds_the_alert_that_another_one_sent_and_died_over(
    tmp_path: Path, postgres_url: str, point: str
) -> None:
    with running_sandbox(tmp_path / "state", database=postgres_url, pace=PACE) as sandbox:
        books = Books.of(sandbox.data, postgres_url)
        async with people_at(sandbox.address) as people:
            ada = people(1)
            first = sandbox.bot(replica="first", kill_at=f"store.begin_delivery:{point}#1")
            await ada.ask("/start")
            await _owe(sandbox, ada)
            assert await asyncio.to_thread(first.ended, 30) and first.was_killed
            with sandbox.living(replica="second"):
                assert _objections(books, ada, await _told(books, ada)) == []
        books.engine.dispose()
