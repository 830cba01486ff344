"""Taps that come twice, too late, from somebody else, or at another price: one outcome each, and a clear answer."""

import asyncio
import re
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from tests.fakes.books import Books
from tests.fakes.lives import Life, Sandbox
from tests.fakes.person import Person, all_at_once, has, is_receipt, shorts, text_of, told
from tests.fakes.phone import Driver, DriverRefused, Json


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[Life]:
    with sandbox.living() as life:
        yield life


async def _sound(person: Person, books: Books) -> None:
    """At rest, the ledger equals the exchange and nothing was told twice."""
    await person.wait(lambda _: books.at_rest(person.id), "rest")

    def objections(hedge: Json) -> list[str]:
        positions = {symbol: -Decimal(c) for symbol, c in shorts(hedge).items()}
        return books.objections(person.id, positions=positions)

    hedge = await person.hedge_when(lambda h: not objections(h), "ledger and exchange agree", seconds=5)
    assert objections(hedge) == []


async def _outcome(person: Person, card: Json) -> Json:
    return await person.see(lambda m: m["id"] == card["id"] and not has(m, "Confirm"), "an outcome")


def _answer(tap: Json) -> str:
    return str((tap.get("answer") or {}).get("text") or "")


async def test_fault_5_fifty_taps_at_once_make_one_order_set_and_every_tap_is_answered(
    bot: Life, ada: Person, books: Books
) -> None:
    await ada.add("SOL 120", "DOT 1500")
    card = await ada.card()
    taps = await all_at_once(*(ada.tap(card, "Confirm", wait=30) for _ in range(50)))

    assert all(tap["answer"] is not None for tap in taps), "a tap was never answered"
    await ada.receipt(card)
    assert len(books.attempts(ada.id)) == 2
    assert len(books.paper_orders(ada.id)) == 2
    assert [m for m in await ada.messages() if m["from"] == "bot" and m["id"] > card["id"]] == []
    told_first = [tap for tap in taps if "sending" in _answer(tap).lower()]
    assert len(told_first) <= 1, f"{len(told_first)} of 50 taps were told that they sent the order"
    await _sound(ada, books)


async def test_fault_5_fifty_taps_on_unhedge_close_once_and_never_flip(
    bot: Life, ada: Person, books: Books
) -> None:
    await ada.add("SOL 120", "DOT 1500")
    await ada.confirm()
    card = await ada.card("/unhedge")
    await all_at_once(*(ada.tap(card, "Confirm", wait=30) for _ in range(50)))
    await ada.receipt(card)
    assert (await ada.hedge_when(lambda h: not shorts(h), "no short"))["positions"] == []
    await _sound(ada, books)


async def test_fault_5_confirm_and_cancel_at_once_have_one_outcome(
    bot: Life, new_person: Callable[[], Person], books: Books
) -> None:
    for _ in range(4):
        ada = new_person()
        await ada.add("SOL 120")
        card = await ada.card()
        taps = await all_at_once(*(ada.tap(card, b) for b in ("Confirm", "Cancel", "Confirm", "Cancel")))
        assert all(tap["answer"] is not None for tap in taps)
        await _outcome(ada, card)
        await _sound(ada, books)
        state = [p["state"] for p in books.proposals(ada.id)]
        assert state in (["done"], ["cancelled"]), state
        assert len(books.attempts(ada.id)) == (0 if state == ["cancelled"] else 1)


async def test_fault_5_two_cards_confirmed_at_once_hedge_once(bot: Life, ada: Person, books: Books) -> None:
    await ada.add("SOL 120")
    first, second = await ada.card(), await ada.card()
    await all_at_once(*(ada.tap(card, "Confirm") for card in (first, second) for _ in range(5)))
    await ada.receipt(second)
    assert len(books.paper_orders(ada.id)) == 1
    await _sound(ada, books)


async def test_fault_6_a_tap_delivered_twice_has_one_effect(
    bot: Life, ada: Person, books: Books, driver: Driver
) -> None:
    await ada.add("SOL 120")
    card = await ada.card()
    tap = await ada.tap(card, "Confirm")
    await driver.post(f"/updates/{tap['update_id']}/redeliver")
    receipt = await ada.receipt(card)
    for _ in range(3):
        await driver.post(f"/updates/{tap['update_id']}/redeliver")
    await ada.ask("/help")  # what came before it has been dealt with
    assert await ada.message(card["id"]) == receipt
    assert len(books.paper_orders(ada.id)) == 1
    await _sound(ada, books)


async def test_fault_6_an_add_delivered_twice_adds_once(
    bot: Life, ada: Person, books: Books, driver: Driver
) -> None:
    sent = await ada.phone.write("/add SOL 120")
    await ada.answer_to(sent["message_id"])
    for _ in range(5):
        await driver.post(f"/updates/{sent['update_id']}/redeliver")
    await ada.ask("/help")
    assert books.holdings(ada.id) == {"SOL": Decimal(120)}
    assert len([m for m in await ada.messages() if "Added 120" in text_of(m)]) == 1


async def test_fault_6_an_add_delivered_again_to_the_next_life_adds_once(
    sandbox: Sandbox, ada: Person, books: Books, driver: Driver
) -> None:
    with sandbox.living():
        sent = await ada.phone.write("/add SOL 120")
        await ada.answer_to(sent["message_id"])
    await driver.post(f"/updates/{sent['update_id']}/redeliver")
    with sandbox.living():
        await ada.ask("/help")
    assert books.holdings(ada.id) == {"SOL": Decimal(120)}


async def test_fault_6_a_hedge_command_delivered_twice_leaves_one_card(
    bot: Life, ada: Person, books: Books, driver: Driver
) -> None:
    await ada.add("SOL 120")
    sent = await ada.phone.write("/hedge")
    await ada.answer_to(sent["message_id"])
    await driver.post(f"/updates/{sent['update_id']}/redeliver")
    await ada.ask("/help")
    assert len([m for m in await ada.messages() if has(m, "Confirm")]) == 1
    assert len(books.proposals(ada.id)) == 1


async def test_fault_7_an_expired_card_is_refused_and_a_fresh_one_offered(
    sandbox: Sandbox, ada: Person, books: Books
) -> None:
    with sandbox.living(card_seconds=1):
        await ada.add("SOL 120")
        card = await ada.card()
        await asyncio.sleep(1.2)
        taps = await all_at_once(*(ada.tap(card, "Confirm") for _ in range(5)))
        assert all("expired" in _answer(tap).lower() for tap in taps), taps
        over = await ada.see(lambda m: m["id"] == card["id"] and not has(m, "Confirm"), "the expired card")
        assert "expired" in text_of(over).lower(), told(over)
        assert books.paper_orders(ada.id) == []
        assert over["buttons"], "an expired card offers no way on"
    with sandbox.living():
        await ada.tap(over, over["buttons"][0][0]["text"])
        again = await ada.see(lambda m: m["id"] >= card["id"] and has(m, "Confirm"), "a fresh card")
        await ada.tap(again, "Confirm")
        await ada.receipt(again)
        await _sound(ada, books)


async def test_fault_7_a_used_card_tapped_again_by_its_data_is_refused(
    bot: Life, ada: Person, books: Books, driver: Driver
) -> None:
    await ada.add("SOL 120")
    card = await ada.card()
    tap = await ada.tap(card, "Confirm")
    receipt = await ada.receipt(card)
    data = next(b["callback_data"] for row in card["buttons"] for b in row if b["text"] == "Confirm")
    with pytest.raises(DriverRefused):
        await ada.phone.tap(card["id"], data)  # the button is gone from the phone,
    redelivered = await driver.post(f"/updates/{tap['update_id']}/redeliver")  # yet an old update may come
    assert redelivered["update_id"] == tap["update_id"]
    await ada.ask("/help")
    assert await ada.message(card["id"]) == receipt
    assert len(books.paper_orders(ada.id)) == 1


async def test_fault_8_a_price_that_moved_is_shown_and_asked_again_and_that_can_be_confirmed(
    bot: Life, ada: Person, books: Books, driver: Driver
) -> None:
    await ada.add("SOL 120", "ETH 4")
    card = await ada.card()
    await driver.post("/market", {"shock": "rally", "size": 0.05})
    tap = await ada.tap(card, "Confirm")
    assert "moved" in _answer(tap).lower(), tap
    again = await ada.see(
        lambda m: m["id"] == card["id"] and has(m, "Confirm") and text_of(m) != text_of(card), "the new card"
    )
    assert re.search(r"SOL.*→", text_of(again)), f"no difference is shown: {told(again)}"
    assert books.paper_orders(ada.id) == []

    await ada.tap(again, "Confirm")
    receipt = await ada.receipt(again)
    assert text_of(receipt).startswith("✅"), told(receipt)
    assert len(books.paper_orders(ada.id)) == 2
    await _sound(ada, books)


async def test_fault_8_fifty_taps_at_a_moved_price_ask_again_once(
    bot: Life, ada: Person, books: Books, driver: Driver
) -> None:
    await ada.add("SOL 120")
    card = await ada.card()
    await driver.post("/market", {"shock": "crash", "size": 0.05})
    data = next(b["callback_data"] for row in card["buttons"] for b in row if b["text"] == "Confirm")
    answers = await asyncio.gather(
        *(ada.phone.tap(card["id"], data, wait=30) for _ in range(50)), return_exceptions=True
    )
    # A tap that comes after the edit finds no such button; no other failure is one.
    assert [a for a in answers if isinstance(a, BaseException) and not isinstance(a, DriverRefused)] == []
    assert all(a["answer"] is not None for a in answers if isinstance(a, dict))
    assert books.paper_orders(ada.id) == []
    again = await ada.see(lambda m: m["id"] == card["id"] and has(m, "Confirm"), "the new card")
    assert len(books.proposals(ada.id)) == 2
    await ada.tap(again, "Confirm")
    await ada.receipt(again)
    await _sound(ada, books)


async def test_fault_9_another_persons_tap_on_any_button_is_refused(
    bot: Life, new_person: Callable[[], Person], books: Books
) -> None:
    ada, mallory = new_person(), new_person()
    await mallory.ask("/start")
    await ada.add("SOL 120")
    card = await ada.card()
    for button in ("Confirm", "Change", "Cancel"):
        tap = await ada.tap(card, button, by=mallory.id)
        assert _answer(tap), f"Mallory's tap on {button} was answered with nothing"
        assert "somebody else" in _answer(tap).lower(), tap
    assert await ada.message(card["id"]) == card
    assert [p["state"] for p in books.proposals(ada.id)] == ["open"]
    assert books.paper_orders(ada.id) == books.paper_orders(mallory.id) == []

    await ada.tap(card, "Confirm")
    await ada.receipt(card)
    await _sound(ada, books)


async def test_fault_9_another_persons_card_number_in_ones_own_chat_is_refused(
    bot: Life, new_person: Callable[[], Person], books: Books, driver: Driver
) -> None:
    """Who writes the data behind a button cannot be trusted: the owner is looked up."""
    ada, mallory = new_person(), new_person()
    await ada.add("SOL 120")
    await mallory.add("SOL 5")
    card = await ada.card()
    stolen = [b["callback_data"] for row in card["buttons"] for b in row]
    (proposal,) = books.proposals(ada.id)
    mine = await mallory.card()
    for data in stolen:
        # The bot's own token lets the test put the stolen data under a message of Mallory's chat.
        async with driver.http.post(
            f"{driver.address}/bot1:sandbox/sendMessage",
            json={
                "chat_id": mallory.id,
                "text": "stolen",
                "reply_markup": {"inline_keyboard": [[{"text": "stolen", "callback_data": data}]]},
            },
        ) as answer:
            message = (await answer.json())["result"]
        tap = await mallory.phone.tap(message["message_id"], "stolen", wait=10)
        assert _answer(tap), f"{data} in Mallory's hands was answered with nothing"
    (after,) = books.proposals(ada.id)
    assert (after["state"], after["version"]) == (proposal["state"], proposal["version"])
    assert books.paper_orders(ada.id) == []
    assert await mallory.message(mine["id"]) == mine


@pytest.mark.parametrize(
    "data",
    [
        "ok",
        "ok:",
        "ok:nosuchcard",
        "ok:a:b:c",
        "zz:1",
        "rb:999999",
        "rb:x",
        "sn:-1",
        "tg:x:75",
        "r:t:9",
        "r:t:75;",
        "ok:" + "a" * 61,
    ],
)
async def test_fault_7_a_button_nobody_knows_is_answered_with_a_sentence(
    bot: Life, ada: Person, books: Books, driver: Driver, data: str
) -> None:
    await ada.ask("/start")
    async with driver.http.post(
        f"{driver.address}/bot1:sandbox/sendMessage",
        json={
            "chat_id": ada.id,
            "text": "old",
            "reply_markup": {"inline_keyboard": [[{"text": "old", "callback_data": data}]]},
        },
    ) as answer:
        message = (await answer.json())["result"]
    tap = await ada.phone.tap(message["message_id"], "old", wait=10)
    assert len(_answer(tap)) > 10, f"{data!r}: {tap}"
    assert "wrong on my side" not in _answer(tap), f"{data!r}: {tap}"
    assert not any(is_receipt(m) and "✅" in text_of(m) for m in await ada.messages())
