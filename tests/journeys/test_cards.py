"""What can be done with a card besides confirming it."""

from tests.fakes.person import Person, buttons_of, has, in_band, shorts, text_of, told
from tests.fakes.phone import Driver


async def test_cancel_leaves_everything_as_it_was(ada: Person) -> None:
    await ada.add("SOL 120")
    card = await ada.card()
    answer = await ada.tap(card, "Cancel")

    assert answer["answer"] is not None
    gone = await ada.see(
        lambda m: m["id"] == card["id"] and not has(m, "Confirm"), "the card without its buttons"
    )
    assert "nothing was traded" in text_of(gone).lower(), told(gone)
    assert "not hedged" in text_of(await ada.ask("/status")).lower()


async def test_change_prices_the_card_again_in_the_same_message(ada: Person) -> None:
    await ada.add("SOL 120")
    card = await ada.card()
    await ada.tap(card, "Change")
    choices = await ada.see(
        lambda m: m["id"] == card["id"] and not has(m, "Confirm") and m["buttons"], "what can be changed"
    )
    target = next(b["text"] for b in buttons_of(choices) if "100" in b["text"])
    await ada.tap(choices, target)
    again = await ada.see(
        lambda m: m["id"] == card["id"] and has(m, "Confirm") and text_of(m) != text_of(card), "the new card"
    )
    await ada.tap(again, "Confirm")
    await ada.receipt(again)

    hedge = await ada.hedge_when(shorts, "the short")
    assert hedge["target"] == 1.0
    assert float(hedge["coverage"]) > 0.98, hedge


async def test_change_of_the_leverage_is_kept_for_the_order(ada: Person) -> None:
    await ada.add("SOL 120")
    card = await ada.card()
    await ada.tap(card, "Change")
    choices = await ada.see(
        lambda m: m["id"] == card["id"] and not has(m, "Confirm") and m["buttons"], "choices"
    )
    await ada.tap(choices, "3x")
    again = await ada.see(
        lambda m: m["id"] == card["id"] and has(m, "Confirm") and text_of(m) != text_of(card), "the new card"
    )
    await ada.tap(again, "Confirm")
    await ada.receipt(again)
    hedge = await ada.hedge_when(shorts, "the short")
    assert [p["leverage"] for p in hedge["positions"]] == [3]


async def test_a_second_card_takes_the_place_of_the_first(ada: Person) -> None:
    await ada.add("SOL 120")
    first = await ada.card()
    second = await ada.card()
    answer = await ada.tap(first, "Confirm")

    assert answer["answer"] and answer["answer"]["text"], "a tap on the older card was answered with nothing"
    await ada.tap(second, "Confirm")
    await ada.receipt(second)
    hedge = await ada.hedge_when(shorts, "one short")
    assert in_band(hedge), hedge


async def test_hedge_at_the_target_proposes_nothing(ada: Person) -> None:
    await ada.add("SOL 120")
    await ada.confirm()
    answer = await ada.ask("/hedge")
    assert not has(answer, "Confirm"), told(answer)
    assert "target" in text_of(answer).lower(), told(answer)


async def test_the_seven_checkpoints_stand_on_the_card_each_with_its_verdict(ada: Person) -> None:
    await ada.add("SOL 120", "DOT 900")
    card = text_of(await ada.card())
    assert card.count("✓") + card.count("✗") >= 7, card


async def test_hedge_without_holdings_says_how_to_add_some(ada: Person) -> None:
    await ada.ask("/start")
    answer = await ada.ask("/hedge")
    assert "SOL" in text_of(answer) and not has(answer, "Confirm"), told(answer)


async def test_unhedge_without_a_hedge_says_so(ada: Person) -> None:
    await ada.add("SOL 120")
    answer = await ada.ask("/unhedge")
    assert "no hedge" in text_of(answer).lower(), told(answer)


async def test_an_alert_can_be_looked_into_and_snoozed_and_comes_back_while_its_matter_lasts(
    ada: Person, driver: Driver
) -> None:
    await ada.add("SOL 60", "DOT 1500")
    receipt = await ada.confirm()
    await ada.add("SOL 100")  # more coins, and the same short
    alert = await ada.alert(receipt["id"])

    await ada.tap(alert, "Details")
    details = await ada.see(
        lambda m: m["from"] == "bot" and m["id"] >= alert["id"] and text_of(m) != text_of(alert),
        "the details",
    )
    assert "%" in text_of(details), told(details)

    shown = await ada.message(alert["id"])
    answer = await ada.tap(shown if has(shown, "Snooze") else details, "Snooze")
    assert answer["answer"] and "4" in answer["answer"]["text"], answer

    last = max(m["id"] for m in await ada.messages())
    await driver.post("/market", {"skip": "3h"})
    await ada.ask("/status")
    assert not [
        m
        for m in await ada.messages()
        if m["id"] > last and "your target is" in text_of(m) and has(m, "Snooze")
    ]
    await driver.post("/market", {"skip": "2h"})
    again = await ada.see(
        lambda m: m["id"] > last and "your target is" in text_of(m) and has(m, "Snooze"), "the alert again"
    )
    await ada.tap(again, again["buttons"][0][0]["text"])
    await ada.receipt(again)
    assert in_band(await ada.hedge_when(in_band, "coverage back in band"))
