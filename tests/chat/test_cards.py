"""A card from its command over its tap to its receipt."""

import asyncio
from decimal import Decimal

import pytest

from bot.chat import guard
from bot.ports.records import ProposalState
from hedging.market import Snapshot
from tests.chat.conftest import ADA, BOB, Chat
from tests.chat.recording import Call, tap


def one(calls: list[Call], method: str) -> Call:
    (found,) = [call for call in calls if call.method == method]
    return found


async def carded(chat: Chat) -> Call:
    """A card for a hundred SOL."""
    await chat.write("/add SOL 100")
    return await chat.write("/hedge")


async def test_hedge_shows_a_card_with_confirm_change_and_cancel(chat: Chat) -> None:
    card = await carded(chat)
    assert [b["text"] for b in card.buttons] == ["Confirm", "Change", "Cancel"]
    assert card.buttons[0]["style"] == "success"
    assert "Short 50 SOL" in card.text
    assert "0% → 50%" in card.text


async def test_a_tap_on_confirm_answers_freezes_the_card_and_then_turns_it_into_the_receipt(
    chat: Chat,
) -> None:
    card = await carded(chat)
    card_message = chat.last_id()

    calls = await chat.tap(card.data("Confirm"), card_message)
    assert one(calls, "answerCallbackQuery").text == "Sending your order…"
    frozen = one(calls, "editMessageText")
    assert frozen.params["message_id"] == card_message
    assert frozen.text.startswith("<b>⏳ Sending…")
    assert not frozen.buttons

    await chat.work()
    receipt = chat.telegram.calls[-1]
    assert receipt.params["message_id"] == card_message
    assert receipt.text.startswith("<b>✅ Hedged: coverage 0% → 50%</b>")
    assert chat.exchange.held == {"SOL/USDT:USDT": Decimal("-50.0")}


async def test_fifty_taps_at_once_have_one_outcome_and_fifty_answers(chat: Chat) -> None:
    card = await carded(chat)
    data, shown = card.data("Confirm"), chat.last_id()
    before = len(chat.telegram.calls)
    await asyncio.gather(*(chat.shell.handle_update(tap(1000 + n, ADA, shown, data)) for n in range(50)))
    await chat.work()

    calls = chat.telegram.calls[before:]
    answers = [call for call in calls if call.method == "answerCallbackQuery"]
    assert len(answers) == 50
    assert [a.text for a in answers].count("Sending your order…") == 1
    assert all(a.text for a in answers)
    assert len(chat.exchange.placed) == 1
    assert len([c for c in calls if c.method == "editMessageText"]) == 2, "frozen once, one receipt"


async def test_a_tap_that_takes_long_is_answered_early_and_leaves_no_stray_message(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = await carded(chat)
    card_message, snapshot = chat.last_id(), chat.market.snapshot

    async def slow() -> Snapshot:
        await asyncio.sleep(0.05)
        return await snapshot()

    monkeypatch.setattr(guard, "_ANSWER_AFTER", 0.0)
    monkeypatch.setattr(chat.market, "snapshot", slow)
    calls = await chat.tap(card.data("Confirm"), card_message)
    assert [call.method for call in calls] == ["answerCallbackQuery", "editMessageText"]


async def test_a_later_tap_never_overwrites_the_receipt(chat: Chat) -> None:
    card = await carded(chat)
    data, shown = card.data("Confirm"), chat.last_id()
    await chat.tap(data, shown)
    await chat.work()
    calls = await chat.tap(data, shown)
    assert [call.method for call in calls] == ["answerCallbackQuery"]
    assert "Already done" in calls[0].text


async def test_an_expired_card_says_so_and_offers_a_new_price(chat: Chat) -> None:
    card = await carded(chat)
    shown = chat.last_id()
    chat.clock.pass_(minutes=6)
    calls = await chat.tap(card.data("Confirm"), shown)
    assert "expired" in one(calls, "answerCallbackQuery").text
    assert one(calls, "answerCallbackQuery").params["show_alert"] is True
    over = one(calls, "editMessageText")
    assert not chat.exchange.placed

    again = await chat.tap(over.data("Price it again"), shown)
    fresh = one(again, "editMessageText")
    assert fresh.params["message_id"] == shown
    await chat.tap(fresh.data("Confirm"), shown)
    await chat.work()
    assert len(chat.exchange.placed) == 1


async def test_a_price_that_moved_is_shown_as_a_difference_and_asks_again(chat: Chat) -> None:
    card = await carded(chat)
    shown = chat.last_id()
    chat.clock.pass_(seconds=5)
    chat.market.move(SOL=0.97)
    calls = await chat.tap(card.data("Confirm"), shown)
    assert "The price moved, so nothing was sent" in one(calls, "answerCallbackQuery").text
    fresh = one(calls, "editMessageText")
    assert "SOL: $150.00 → $145.50 (−3%)" in fresh.text
    assert not chat.exchange.placed

    await chat.tap(fresh.data("Confirm"), shown)
    await chat.work()
    assert len(chat.exchange.placed) == 1


async def test_cancel_withdraws_the_card_and_confirm_is_over_then(chat: Chat) -> None:
    card = await carded(chat)
    shown = chat.last_id()
    calls = await chat.tap(card.data("Cancel"), shown)
    assert "Nothing was traded" in one(calls, "editMessageText").text
    late = await chat.tap(card.data("Confirm"), shown)
    assert "cancelled" in one(late, "answerCallbackQuery").text
    await chat.work()
    assert not chat.exchange.placed


async def test_change_keeps_the_message_and_prices_what_was_chosen(chat: Chat) -> None:
    card = await carded(chat)
    shown = chat.last_id()
    choices = one(await chat.tap(card.data("Change"), shown), "editMessageText")
    assert "✓ 50%" in [b["text"] for b in choices.buttons]
    fresh = one(await chat.tap(choices.data("100%"), shown), "editMessageText")
    assert "Short 100 SOL" in fresh.text
    assert fresh.params["message_id"] == shown

    old = await chat.tap(card.data("Confirm"), shown)
    assert "newer card" in one(old, "answerCallbackQuery").text
    await chat.tap(fresh.data("Confirm"), shown)
    await chat.work()
    assert chat.exchange.held == {"SOL/USDT:USDT": Decimal("-100.0")}


async def test_a_confirmed_card_can_no_longer_be_changed_or_cancelled(chat: Chat) -> None:
    card = await carded(chat)
    shown = chat.last_id()
    await chat.tap(card.data("Confirm"), shown)
    for button in ("Change", "Cancel"):
        calls = await chat.tap(card.data(button), shown)
        assert [call.method for call in calls] == ["answerCallbackQuery"], button
        assert "Already confirmed" in calls[0].text
    proposal = await chat.store.proposal(card.data("Confirm").removeprefix("ok:"))
    assert proposal is not None
    assert proposal.state is ProposalState.CONFIRMED


async def test_unhedge_closes_what_is_open_with_a_card_of_its_own(chat: Chat) -> None:
    card = await carded(chat)
    await chat.tap(card.data("Confirm"), chat.last_id())
    await chat.work()
    closing = await chat.write("/unhedge")
    assert closing.buttons[0]["style"] == "danger"
    assert [b["text"] for b in closing.buttons] == ["Confirm", "Cancel"]
    await chat.tap(closing.data("Confirm"), chat.last_id())
    await chat.work()
    assert chat.telegram.calls[-1].text.startswith("<b>✅ Hedge closed: coverage 50% → 0%</b>")
    assert chat.exchange.held["SOL/USDT:USDT"] == 0


async def test_at_the_target_there_is_nothing_to_confirm(chat: Chat) -> None:
    card = await carded(chat)
    await chat.tap(card.data("Confirm"), chat.last_id())
    await chat.work()
    again = await chat.write("/hedge")
    assert "You are at your target" in again.text
    assert [b["text"] for b in again.buttons] == ["Change"]


async def test_an_alerts_button_names_its_remedy_and_one_tap_sends_it(chat: Chat) -> None:
    card = await carded(chat)
    await chat.tap(card.data("Confirm"), chat.last_id())
    await chat.work()
    await chat.write("/add SOL 100")
    chat.clock.pass_(seconds=60)
    await chat.services.watch.tick(60)
    await chat.work()
    alert = chat.telegram.of("sendMessage")[-1]
    assert alert.text.startswith("<b>⚠️ Coverage fell to 25%, your target is 50%</b>")
    assert [b["text"] for b in alert.buttons] == ["Rebalance −50 SOL", "Snooze 4 h", "Details", "More"]

    shown = chat.last_id()
    stranger = await chat.tap(alert.data("Rebalance"), shown, BOB)
    assert stranger[0].params["show_alert"] is True
    calls = await chat.tap(alert.data("Rebalance"), shown)
    assert one(calls, "answerCallbackQuery").text == "Sending your order…"
    await chat.work()
    assert chat.telegram.calls[-1].params["message_id"] == shown
    assert chat.telegram.calls[-1].text.startswith("<b>✅ Rebalanced: coverage 25% → 50%</b>")


async def test_snooze_and_details_of_an_alert(chat: Chat) -> None:
    card = await carded(chat)
    await chat.tap(card.data("Confirm"), chat.last_id())
    await chat.work()
    await chat.write("/add SOL 100")
    chat.clock.pass_(seconds=60)
    await chat.services.watch.tick(60)
    await chat.work()
    alert, shown = chat.telegram.of("sendMessage")[-1], chat.last_id()
    (snoozed,) = await chat.tap(alert.data("Snooze"), shown)
    assert snoozed.text == "Quiet for 4 hours (market time)."
    details = await chat.tap(alert.data("Details"), shown)
    assert "Open alerts: coverage off target (snoozed)" in one(details, "sendMessage").text


async def test_an_order_that_fails_leaves_a_receipt_that_says_why(chat: Chat) -> None:
    card = await carded(chat)
    chat.exchange.script = ["reject"]
    await chat.tap(card.data("Confirm"), chat.last_id())
    await chat.work()
    receipt = chat.telegram.calls[-1]
    assert receipt.text.startswith("<b>❌ Nothing was traded</b>")
    assert "there is not enough free money" in receipt.text


async def test_a_receipt_still_comes_when_the_freeze_is_refused(chat: Chat) -> None:
    card = await carded(chat)
    chat.telegram.script["editMessageText"] = [(429, {"ok": False, "error_code": 429, "description": "x"})]
    await chat.tap(card.data("Confirm"), chat.last_id())
    await chat.work()
    assert chat.telegram.calls[-1].text.startswith("<b>✅ Hedged")
