"""One chat writes a lot, or cannot be written to, and the bot dies in the middle: the real process and a Bot API."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.fakes.books import Books
from tests.fakes.lives import Sandbox
from tests.fakes.person import Person, is_receipt, text_of
from tests.fakes.phone import Driver


@pytest.mark.fault(60)
async def test_a_bot_that_is_killed_in_a_flood_loses_nothing_and_does_nothing_twice(
    sandbox: Sandbox, new_person: Callable[[], Person], books: Books
) -> None:
    flooder, bob = new_person(), new_person()
    with sandbox.living() as life:
        await bob.add("SOL 60")
        card = await bob.card()
        for _ in range(70):
            await flooder.write("/add SOL 1")
        await bob.tap(card, "Confirm", wait=None)
        await flooder.wait(lambda _: books.holdings(flooder.id), "the first additions")
        life.kill()
    for _ in range(30):
        await flooder.write("/add SOL 1")
    with sandbox.living():
        await flooder.wait(lambda _: books.holdings(flooder.id) == {"SOL": Decimal(100)}, "all additions")
        await bob.wait(
            lambda messages: [m for m in messages if is_receipt(m)] or books.paper_orders(bob.id), "his order"
        )
        await bob.receipt(card)
        await flooder.ask("/help")
    assert books.holdings(flooder.id) == {"SOL": Decimal(100)}
    assert len(books.paper_orders(bob.id)) == 1


@pytest.mark.fault(61)
async def test_while_telegram_fails_for_one_chat_another_is_answered_and_the_one_afterwards(
    sandbox: Sandbox, new_person: Callable[[], Person], driver: Driver
) -> None:
    ada, bob = new_person(), new_person()
    with sandbox.living():
        await ada.ask("/start")
        await bob.ask("/start")
        await driver.post("/faults", {"method": "sendMessage", "error": 500, "times": 4, "chat_id": ada.id})
        mine = [await ada.write("/help") for _ in range(3)]
        assert "/hedge" in text_of(await bob.ask("/help", seconds=5))
        await ada.wait(
            lambda messages: [m for m in messages if m["from"] == "bot" and m["id"] > mine[0]][2:],
            "all three answers",
        )
        await asyncio.sleep(0.3)
        said = [m for m in await ada.messages() if m["from"] == "bot" and m["id"] > mine[0]]
    assert len(said) == 3


@pytest.mark.fault(60)
async def test_a_tap_that_waited_while_the_bot_was_away_is_sent_because_its_card_is_young(
    sandbox: Sandbox, new_person: Callable[[], Person], books: Books
) -> None:
    ada = new_person()
    with sandbox.living():
        await ada.add("SOL 60")
        card = await ada.card()
    await ada.tap(card, "Confirm", wait=None)
    with sandbox.living():
        await ada.receipt(card)
    assert len(books.paper_orders(ada.id)) == 1
