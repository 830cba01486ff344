"""Orders that are too small, too large for the book or for the money, and a database that is locked."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.books import Books
from tests.fakes.lives import Life, Sandbox, running_sandbox
from tests.fakes.person import Person, has, people_at, shorts, text_of, told
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


@pytest.mark.parametrize("coins", ["SOL 0.001", "DOGE 3", "BTC 0.0001", "USDC 5000"])
async def test_fault_28_what_is_too_small_to_hedge_is_said_and_not_sent(
    bot: Life, ada: Person, books: Books, coins: str
) -> None:
    await ada.ask(f"/add {coins}")
    answer = await ada.ask("/hedge")
    assert not has(answer, "Confirm"), told(answer)
    assert len(text_of(answer)) > 10
    assert books.attempts(ada.id) == []


@pytest.mark.parametrize(
    "coins",
    [
        ("SOL 33.333333", "ETH 1.000001"),
        ("XRP 1234.5678", "DOGE 98765.4321"),
        ("BTC 0.12345678", "LTC 7.654321"),
        ("SAND 54321.987", "ARB 7777.77"),
        ("SOL 50", "DOGE 3"),
    ],
)
async def test_fault_28_what_the_card_shows_is_what_is_sent_in_whole_lots(
    bot: Life, ada: Person, books: Books, driver: Driver, coins: tuple[str, ...]
) -> None:
    async with driver.http.get(f"{driver.address}/market/snapshot") as answer:
        contracts = {c["symbol"]: c for c in (await answer.json())["contracts"]}
    await ada.add(*coins)
    card = await ada.card()
    await ada.tap(card, "Confirm")
    await ada.receipt(card)
    sent = books.attempts(ada.id)
    assert sent
    for attempt in sent:
        amount, contract = Decimal(str(attempt["contracts"])), contracts[attempt["symbol"]]
        assert amount % Decimal(contract["lot"]) == 0
        assert Decimal(str(attempt["limit_price"])) % Decimal(contract["tick"]) == 0
        assert amount >= Decimal(contract["min_amount"])
        assert amount * Decimal(str(attempt["limit_price"])) >= Decimal(contract["min_notional"]) * Decimal(
            "0.98"
        )
        shown = text_of(card).replace(",", "")
        assert re.search(rf"(?<![\d.]){re.escape(f'{amount.normalize():f}')}(?![\d])", shown), (amount, shown)
    await _sound(ada, books)


async def test_fault_15_a_part_that_finds_no_buyer_is_reported_honestly_and_not_sent_again(
    data: Path,
) -> None:
    with running_sandbox(data) as sandbox, sandbox.living():
        async with people_at(sandbox.address) as people:
            ada, books = people(1), Books.of(data, "")
            driver = ada.phone.driver
            for _ in range(4):  # a market so frightened that its books are nearly empty
                await driver.post("/market", {"shock": "crash", "size": 0.4})
                await driver.post("/market", {"shock": "rally", "size": 0.7})
            coins = {coin["asset"]: coin for coin in (await driver.get("/market"))["coins"]}
            amount = int(
                440_000 / float(coins["LTC"]["spot"])
            )  # about what the account's money is enough for
            await ada.ask("/rule 100% 5x")
            await ada.add(f"LTC {amount}")
            receipt = await ada.confirm()
            hedge = await _sound(ada, books)
            (attempt,) = books.attempts(ada.id)
            filled, wanted = Decimal(attempt["filled"]), Decimal(attempt["contracts"])
            assert Decimal(0) < filled < wanted, f"{filled} of {wanted} were filled: this is no partial fill"
            assert shorts(hedge) == {"LTC/USDT:USDT": attempt["filled"]}
            assert "Partly" in text_of(receipt), told(receipt)
            assert f"{float(hedge['coverage']):.0%}" in text_of(receipt), told(receipt)
            assert len(books.paper_orders(ada.id)) == 1
            await ada.confirm()  # the rest needs another tap
            assert len(books.paper_orders(ada.id)) == 2
            await _sound(ada, books)


async def test_fault_27_not_enough_money_is_said_on_the_card_before_anything_is_sent(
    bot: Life, ada: Person, books: Books
) -> None:
    await ada.ask("/rule 100% 1x")
    await ada.add("BTC 8", "ETH 100")
    card = await ada.ask("/hedge")
    assert "✗" in text_of(card), told(card)
    if not has(card, "Confirm"):
        return
    await ada.tap(card, "Confirm")
    receipt = await ada.receipt(card)
    assert not text_of(receipt).startswith("✅"), told(receipt)
    await _sound(ada, books)


async def test_fault_31_a_database_locked_for_three_seconds_during_a_tap_delays_and_loses_nothing(
    bot: Life, sandbox: Sandbox, ada: Person, books: Books
) -> None:
    await ada.add("SOL 120", "DOT 1500")
    card = await ada.card()
    with sqlite3.connect(sandbox.data / "bot" / "hedgehog.sqlite", isolation_level=None) as lock:
        lock.execute("BEGIN IMMEDIATE")
        await ada.tap(card, "Confirm", wait=None)
        time.sleep(3)  # noqa: ASYNC251 - nobody else is served by this loop
        assert books.paper_orders(ada.id) == [] == books.attempts(ada.id)
        lock.execute("ROLLBACK")
    lock.close()
    receipt = await ada.receipt(card, seconds=60)
    assert text_of(receipt).startswith("✅"), told(receipt)
    assert len(books.paper_orders(ada.id)) == 2
    await _sound(ada, books)


async def test_fault_31_a_database_locked_while_somebody_adds_coins_adds_them_once(
    bot: Life, sandbox: Sandbox, ada: Person, books: Books
) -> None:
    await ada.ask("/start")
    with sqlite3.connect(sandbox.data / "bot" / "hedgehog.sqlite", isolation_level=None) as lock:
        lock.execute("BEGIN IMMEDIATE")
        mine = await ada.write("/add SOL 120")
        time.sleep(3)  # noqa: ASYNC251 - nobody else is served by this loop
        lock.execute("ROLLBACK")
    lock.close()
    assert "SOL" in text_of(await ada.answer_to(mine, seconds=60))
    assert books.holdings(ada.id) == {"SOL": Decimal(120)}


async def test_fault_2_an_order_confirmed_long_ago_is_not_sent_any_more(
    sandbox: Sandbox, new_person: Callable[[], Person], books: Books
) -> None:
    """The bot dies right after the tap and comes back an hour later: owner and price have moved on."""
    ada = new_person()
    with sandbox.living():
        await ada.add("SOL 120")
        card = await ada.card()
    life = sandbox.bot(kill_at="durable.start:1")
    try:
        await ada.tap(card, "Confirm", wait=None)
        assert life.ended(seconds=15) and life.was_killed
    finally:
        life.stop()
    with books.engine.begin() as connection:
        found = connection.exec_driver_sql(
            "SELECT confirmed_at FROM proposal WHERE state = 'confirmed' AND user_id = ?", (ada.id,)
        ).fetchall()
        if not found:
            pytest.fail("the bot died before the tap was stored; choose a later point")
        connection.exec_driver_sql(
            "UPDATE proposal SET confirmed_at = datetime(confirmed_at, '-1 hour') WHERE user_id = ?",
            (ada.id,),
        )
    with sandbox.living():
        receipt = await ada.receipt(card, seconds=60)
        assert "Nothing was traded" in text_of(receipt), told(receipt)
        await ada.wait(lambda _: books.at_rest(ada.id), "rest")
    assert books.paper_orders(ada.id) == []
