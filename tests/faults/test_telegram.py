"""When Telegram limits, fails, loses its answers or says that somebody has gone."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.fakes.books import Books
from tests.fakes.lives import Life, Sandbox
from tests.fakes.person import Person, has, shorts, text_of, told
from tests.fakes.phone import Driver, Json


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[Life]:
    with sandbox.living() as life:
        yield life


async def _sound(person: Person, books: Books) -> Json:
    await person.wait(lambda _: books.at_rest(person.id), "rest", seconds=60)

    def objections(hedge: Json) -> list[str]:
        return books.objections(
            person.id, positions={symbol: -Decimal(c) for symbol, c in shorts(hedge).items()}
        )

    hedge = await person.hedge_when(lambda h: not objections(h), "ledger and exchange agree", seconds=5)
    assert objections(hedge) == []
    return hedge


async def test_fault_35_while_telegram_limits_the_chat_the_trade_goes_on_and_the_receipt_comes_later(
    bot: Life, ada: Person, books: Books, driver: Driver
) -> None:
    await ada.add("SOL 120", "DOT 1500")
    card = await ada.card()
    await driver.post("/faults", {"method": "editMessageText", "error": 429, "retry_after": 3, "times": 2})
    await ada.tap(card, "Confirm")
    await ada.wait(lambda _: len(books.paper_orders(ada.id)) == 2, "both orders", seconds=5)
    receipt = await ada.receipt(card, seconds=30)
    assert text_of(receipt).startswith("✅"), told(receipt)
    await _sound(ada, books)


async def test_fault_35_one_chats_limit_delays_no_other_chat(
    bot: Life, ada: Person, new_person: object, books: Books, driver: Driver
) -> None:
    assert callable(new_person)
    bob: Person = new_person()
    await ada.add("SOL 120")
    await bob.add("SOL 60")
    card = await bob.card()
    await driver.post(
        "/faults", {"method": "*", "error": 429, "retry_after": 4, "times": 3, "chat_id": ada.id}
    )
    mine = await ada.write("/portfolio")
    await bob.tap(card, "Confirm")
    await bob.receipt(card, seconds=10)
    assert not [m for m in await ada.messages() if m["from"] == "bot" and m["id"] > mine], (
        "Ada was not limited"
    )
    await ada.answer_to(mine, seconds=40)


async def test_fault_35_errors_of_telegrams_own_servers_lose_nothing(
    bot: Life, ada: Person, books: Books, driver: Driver
) -> None:
    await ada.add("SOL 120", "DOT 1500")
    card = await ada.card()
    await driver.post("/faults", {"method": "editMessageText", "error": 500, "times": 3})
    await driver.post("/faults", {"method": "answerCallbackQuery", "error": 502, "times": 1})
    await ada.tap(card, "Confirm", wait=None)
    await ada.receipt(card, seconds=60)
    assert len(books.paper_orders(ada.id)) == 2
    await _sound(ada, books)


async def test_fault_35_a_command_is_answered_although_telegram_failed_at_first(
    bot: Life, ada: Person, driver: Driver
) -> None:
    await ada.ask("/start")
    await driver.post("/faults", {"method": "sendMessage", "error": 500, "times": 2})
    answer = await ada.ask("/help")
    assert "/hedge" in text_of(answer)
    await asyncio.sleep(0.5)
    assert len([m for m in await ada.messages() if "/unhedge" in text_of(m)]) == 1


async def test_fault_36_who_blocks_the_bot_is_left_in_peace_and_found_again_when_they_write(
    bot: Life, ada: Person, books: Books, driver: Driver
) -> None:
    await ada.add("SOL 120", "DOT 1500")
    card = await ada.card()
    await ada.phone.block()
    await ada.tap(card, "Confirm", wait=None)
    await ada.wait(lambda _: len(books.paper_orders(ada.id)) == 2, "the orders that were confirmed")
    await ada.wait(lambda _: books.at_rest(ada.id), "rest")
    refused = [c for c in await driver.calls() if c["params"].get("chat_id") == ada.id and not c["ok"]]
    assert 1 <= len(refused) <= 4, f"{len(refused)} calls to somebody who has blocked the bot"
    await ada.wait(
        lambda _: books.rows("SELECT suspended FROM person WHERE id = :user", user=ada.id)[0]["suspended"],
        "the suspension",
    )

    status = await ada.ask("/status")
    assert "SOL" in text_of(status), told(status)
    assert not books.rows("SELECT suspended FROM person WHERE id = :user", user=ada.id)[0]["suspended"]
    await _sound(ada, books)


async def test_fault_37_a_receipt_whose_answer_got_lost_stands_once_and_misleads_nobody(
    bot: Life, ada: Person, books: Books, driver: Driver
) -> None:
    await ada.add("SOL 120", "DOT 1500")
    card = await ada.card()
    await driver.post("/faults", {"method": "editMessageText", "drop_answer": True, "times": 2})
    await ada.tap(card, "Confirm")
    receipt = await ada.receipt(card)
    assert text_of(receipt).startswith("✅"), told(receipt)
    hedge = await _sound(ada, books)
    assert len(shorts(hedge)) == 2
    assert [m for m in await ada.messages() if m["from"] == "bot" and m["id"] > card["id"]] == []


async def test_fault_37_a_command_whose_answer_got_lost_has_one_effect(
    bot: Life, ada: Person, books: Books, driver: Driver
) -> None:
    await ada.ask("/start")
    await driver.post("/faults", {"method": "sendMessage", "drop_answer": True, "times": 1})
    await ada.ask("/add SOL 120")
    await ada.ask("/help")
    assert books.holdings(ada.id) == {"SOL": Decimal(120)}


async def test_fault_37_a_card_whose_answer_got_lost_can_still_be_confirmed_once(
    bot: Life, ada: Person, books: Books, driver: Driver
) -> None:
    await ada.add("SOL 120")
    await driver.post("/faults", {"method": "sendMessage", "drop_answer": True, "times": 1})
    mine = await ada.write("/hedge")
    await asyncio.sleep(2)
    cards = [m for m in await ada.messages() if m["id"] > mine and has(m, "Confirm")]
    assert cards, "no card came"
    for card in cards:  # Telegram may have shown it twice: the bot could not know
        now = await ada.message(card["id"])
        if has(now, "Confirm"):
            await ada.tap(now, "Confirm")
    await ada.wait(lambda _: books.paper_orders(ada.id), "the order")
    hedge = await _sound(ada, books)
    assert len(books.paper_orders(ada.id)) == 1 and len(shorts(hedge)) == 1


async def test_telegram_away_at_the_start_is_waited_for(
    sandbox: Sandbox, ada: Person, driver: Driver
) -> None:
    await driver.post("/faults", {"method": "*", "error": 502, "times": 3})
    with sandbox.living() as life:
        assert text_of(await ada.ask("/help"))
        assert not life.ended()


async def test_updates_that_came_while_the_bot_was_down_are_answered_in_order(
    sandbox: Sandbox, ada: Person, books: Books
) -> None:
    for amount in (1, 2, 3):
        await ada.write(f"/add SOL {amount}")
    await ada.write("/portfolio")
    with sandbox.living():
        await ada.wait(lambda messages: [m for m in messages if m["from"] == "bot"][3:], "four answers")
        said = [text_of(m).splitlines()[0] for m in await ada.messages() if m["from"] == "bot"]
        shown = text_of((await ada.messages())[-1])
    assert [line.split()[:2] for line in said[:3]] == [["Added", "1"], ["Added", "2"], ["Added", "3"]], said
    assert "SOL 6" in shown, shown
    assert books.holdings(ada.id) == {"SOL": Decimal(6)}
