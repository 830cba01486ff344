"""Alerts as their reader sees them: raised, developed and over, over HTTP calls to the driver alone."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.demo import running_demo
from tests.fakes.person import Person, has, named, people_at, text_of
from tests.fakes.phone import Driver, Json

LONG = 90.0


@pytest.fixture
async def people(data: Path) -> AsyncIterator[Callable[[int], Person]]:
    """A demo of this test's own, whose market nobody else pushes about."""
    with running_demo(data, "--speed", "0", "--seed", "11") as demo:
        async with people_at(demo.address) as people:
            yield people


@pytest.fixture
def ada(people: Callable[[int], Person]) -> Person:
    return people(501)


@pytest.fixture
def driver(ada: Person) -> Driver:
    return ada.phone.driver


async def said(person: Person, words: str) -> Json:
    """Wait for a message of the bot in which these words stand."""
    return await person.see(
        lambda m: m["from"] == "bot" and words in text_of(m), f"a message with {words!r}", seconds=LONG
    )


async def becomes(person: Person, message: Json, words: str) -> Json:
    """Wait until that very message says so."""
    return await person.see(
        lambda m: m["id"] == message["id"] and words in text_of(m), f"{words!r} in it", seconds=LONG
    )


async def hedged(person: Person, *coins: str) -> None:
    await person.add(*coins)
    await person.confirm()


async def test_a_week_later_a_hedge_of_sold_coins_is_stale_and_its_last_day_has_come(
    ada: Person, driver: Driver
) -> None:
    await hedged(ada, "SOL 60", "ETH 2")
    today = datetime.fromisoformat((await driver.get("/market"))["time"])
    agreed = await ada.ask(f"/alerts end on {today + timedelta(days=3):%Y-%m-%d}")
    assert "Way out: on" in text_of(agreed)
    await ada.ask("/remove SOL 40")
    stale = await said(ada, "of what this hedge protects")
    assert stale["silent"], "what is not urgent makes no sound"
    assert has(stale, "Close the hedge")
    assert has(stale, "Keep 7 days")

    await driver.post("/market", {"skip": "7d"})
    ended = await said(ada, "has reached its last day")
    await ada.tap(ended, "Close the hedge")
    await ada.receipt(ended)
    await becomes(ada, stale, "No hedge is open any more")


async def test_costly_funding_is_told_kept_for_a_week_and_listed(ada: Person, driver: Driver) -> None:
    await hedged(ada, "SOL 60")
    await driver.post("/market", {"shock": "funding", "size": 0.003})
    await driver.post("/market", {"skip": "8h"})  # a rate that turns for an hour only is no reason
    await driver.post("/market", {"skip": "9h"})
    costly = await said(ada, "a month in funding")
    answer = await ada.tap(costly, "Keep 7 days")
    assert "7 days" in answer["answer"]["text"]
    listed = await ada.ask("/alerts")
    assert "snoozed until" in text_of(listed)
    muting = await ada.tap(listed, "Mute")
    assert muting is not None
    await ada.tap(await becomes(ada, listed, "What should I be quiet about?"), "🔔 Costly funding")
    await becomes(ada, listed, "What should I be quiet about?")
    await ada.tap(await ada.message(listed["id"]), "Back")
    await becomes(ada, listed, "Muted: costly funding")


async def test_drift_is_told_gets_more_and_is_over_in_the_same_message(ada: Person, driver: Driver) -> None:
    await hedged(ada, "DOT 3000")
    await ada.ask("/add DOT 1500")
    low = await said(ada, "Coverage fell to")
    more = await ada.tap(low, "More")
    assert more is not None
    assert named(await ada.message(low["id"]), "Until morning")
    await ada.tap(await ada.message(low["id"]), "Seen")
    await ada.ask("/remove DOT 1500")
    await becomes(ada, low, "Coverage is back at")


async def test_with_permission_drift_is_mended_and_undone(ada: Person) -> None:
    await hedged(ada, "DOT 3000")
    asked = await ada.ask("/permission order 50000 day 100000")
    await ada.tap(asked, "Both")
    await ada.tap(await becomes(ada, asked, "Give this permission?"), "Give permission")
    await becomes(ada, asked, "without asking")
    await ada.ask("/add DOT 1500")
    done = await said(ada, "Done by your permission")
    assert has(done, "Undo")
    await ada.ask("/pause")
    await ada.tap(done, "Undo")
    card = await ada.see(lambda m: m["id"] > done["id"] and has(m, "Confirm"), "a card that undoes it")
    assert "Coverage" in text_of(card)


async def test_the_status_at_the_top_follows_the_hedge_and_can_be_switched_off(
    ada: Person, driver: Driver
) -> None:
    await hedged(ada, "DOT 3000")
    first = await ada.pinned("Coverage 50%, target 50%", seconds=LONG)
    assert first["silent"]
    assert "Nothing needs you now." in text_of(first)
    await ada.ask("/add DOT 1500")
    changed = await ada.pinned("Coverage fell to", seconds=LONG)
    assert changed["id"] == first["id"], "it is one message, edited"
    answer = await ada.phone.tap(first["id"], "Status", wait=10)
    assert answer is not None
    await said(ada, "Your coins:")

    listed = await ada.ask("/alerts")
    await ada.tap(listed, "No pinned status")
    await becomes(ada, listed, "Pinned status: off")
    await _gone_from_the_top(ada)
    assert "no longer kept up to date" in text_of(
        next(m for m in await ada.phone.messages() if m["id"] == first["id"])
    )
    await ada.tap(await ada.message(listed["id"]), "Pin my status")
    again = await ada.pinned("Coverage", seconds=LONG)
    assert again["id"] > first["id"]


async def _gone_from_the_top(person: Person) -> None:
    until = time.monotonic() + LONG
    while (await person.phone.chat())["pinned"] is not None:
        assert time.monotonic() < until, "it is still at the top"
        await asyncio.sleep(0.1)
