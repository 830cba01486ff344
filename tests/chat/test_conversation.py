"""What people write and tap besides cards."""

from decimal import Decimal
from typing import Any

import pytest

from bot.chat import texts
from bot.chat.commands import COMMANDS
from hedging.rules import HedgeRule
from tests.chat.conftest import ADA, BOB, Chat
from tests.chat.recording import message, refused


async def held(chat: Chat, user: int = ADA) -> dict[str, Decimal]:
    return {holding.asset: holding.amount for holding in await chat.store.holdings(user)}


async def test_start_leads_in_three_taps_to_a_proposal_in_the_same_message(chat: Chat) -> None:
    welcome = await chat.write("/start")
    shown = chat.last_id()
    taps = []
    current = welcome
    for button in ("Try with a sample", "Protect 75%", "Show me the hedge"):
        calls = await chat.tap(current.data(button), shown)
        (current,) = [call for call in calls if call.method == "editMessageText"]
        assert current.params["message_id"] == shown
        taps.append(current)
    assert "Confirm" in [b["text"] for b in current.buttons]
    assert "0% → 75%" in current.text
    assert set(await held(chat)) == {"SOL", "ETH"}, "the coins of the sample that this market knows"

    await chat.tap(current.data("Confirm"), shown)
    await chat.work()
    assert chat.telegram.calls[-1].text.startswith("<b>✅ Hedged")


async def test_the_sample_is_added_once_however_often_its_button_is_tapped(chat: Chat) -> None:
    welcome = await chat.write("/start")
    for _ in range(3):
        await chat.tap(welcome.data("Try with a sample"), chat.last_id())
    assert await held(chat) == {"SOL": 60, "ETH": 2}


async def test_the_sample_is_not_mixed_with_coins_that_are_there(chat: Chat) -> None:
    welcome = await chat.write("/start")
    await chat.write("ADA 100")
    await chat.tap(welcome.data("Try with a sample"), 101)
    assert await held(chat) == {"ADA": 100}


async def test_whoever_comes_back_is_not_asked_for_coins_again(chat: Chat) -> None:
    await chat.write("SOL 100")
    assert "Welcome back" in (await chat.write("/start")).text


async def test_coins_are_added_with_or_without_the_command(chat: Chat) -> None:
    said = await chat.write("/add 120 sol @ 95, ETH 1,5")
    assert said.text.startswith("<b>Added 120 SOL, 1.5 ETH</b>")
    await chat.write("10 sol")
    (eth, sol) = await chat.store.holdings(ADA)
    assert (eth.asset, eth.amount) == ("ETH", Decimal("1.5"))
    assert (sol.asset, sol.amount) == ("SOL", Decimal(130))
    assert sol.cost == 95, "ten without a price leave the known price as it is"


async def test_one_bad_line_changes_nothing_and_offers_the_good_ones(chat: Chat) -> None:
    said = await chat.write("/add SOL 120\nSOOL 5\nETH 2")
    assert "Did you mean SOL?" in said.text
    assert "<code>/add SOL 120, ETH 2</code>" in said.text
    assert await held(chat) == {}


async def test_a_doubtful_amount_says_how_it_was_read_and_how_to_put_it_right(chat: Chat) -> None:
    said = await chat.write("/add SOL 1,234")
    assert "I read “1,234” as 1,234. If you meant 1.234" in said.text
    await chat.write("/remove SOL 1234")
    await chat.write("/add SOL 1.234")
    assert await held(chat) == {"SOL": Decimal("1.234")}


async def test_remove_takes_out_part_or_all_and_knows_what_is_not_there(chat: Chat) -> None:
    await chat.write("SOL 100, ETH 2, ADA 50")
    said = await chat.write("/remove SOL 40, ETH")
    assert said.buttons[0]["copy_text"] == {"text": "/add SOL 40, ETH 2"}
    assert await held(chat) == {"SOL": 60, "ADA": 50}
    assert "BTC: you do not hold any." in (await chat.write("/remove BTC, SOL")).text
    assert await held(chat) == {"SOL": 60, "ADA": 50}
    await chat.write("/remove all")
    assert await held(chat) == {}
    assert "nothing yet" in (await chat.write("/remove all")).text


async def test_removing_more_than_there_is_leaves_none(chat: Chat) -> None:
    await chat.write("SOL 100")
    await chat.write("/remove SOL 500")
    assert await held(chat) == {}


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("hello", texts.NOT_UNDERSTOOD),
        ("what is this?", texts.NOT_UNDERSTOOD),
        ("/nosuchcommand", texts.UNKNOWN_COMMAND),
        ("/rule 2", texts.RULE_NOT_UNDERSTOOD),
        ("/rule 900%", "The target must be between 25 % and 100 %."),
        ("/rule 9x", "The leverage must be a whole number from 1 to 5."),
        ("/unhedge", texts.NO_HEDGE_OPEN),
        ("/status", texts.NO_HOLDINGS),
        ("/hedge", texts.NO_HOLDINGS),
    ],
)
async def test_what_cannot_be_done_is_answered_with_one_sentence(
    chat: Chat, written: str, answer: str
) -> None:
    assert (await chat.write(written)).text == answer


async def test_coins_that_no_short_could_protect_get_a_sentence(chat: Chat) -> None:
    await chat.write("USDT 500")
    assert (await chat.write("/hedge")).text == texts.NOTHING_TO_HEDGE


async def test_text_with_markup_is_shown_and_not_obeyed(chat: Chat) -> None:
    said = await chat.write("/add <b>SOL</b> 5 &amp; <script>")
    assert "&lt;b&gt;SOL&lt;/b&gt;" in said.text


async def test_the_rule_changes_by_text_and_by_buttons(chat: Chat) -> None:
    said = await chat.write("/rule 75% 3x band 15")
    assert await chat.store.rule(ADA) == HedgeRule(Decimal("0.75"), Decimal("0.15"), 3)
    assert "✓ 75%" in [b["text"] for b in said.buttons]
    calls = await chat.tap(said.data("25%"), chat.last_id())
    assert [call.method for call in calls] == ["answerCallbackQuery", "editMessageText"]
    assert calls[0].text == "Saved: target 25%."
    calls = await chat.tap(calls[1].data("1x"), chat.last_id())
    await chat.tap(calls[1].data("±5%"), chat.last_id())
    assert await chat.store.rule(ADA) == HedgeRule(Decimal("0.25"), Decimal("0.05"), 1)
    assert await chat.store.rule(BOB) is None


@pytest.mark.fault(46)
async def test_an_old_button_of_the_rule_changes_nothing_and_shows_the_rule_of_now(chat: Chat) -> None:
    old = await chat.write("/rule")
    await chat.write("/rule 25%")
    toast, shown = await chat.tap(old.data("100%"), chat.last_id())
    assert "changed since" in toast.text
    assert shown.text.startswith("<b>Your rule: protect 25%")
    assert (await chat.services.rules.get(ADA)).target == Decimal("0.25")


async def test_a_tap_on_what_holds_already_is_no_failure(chat: Chat) -> None:
    said = await chat.write("/rule")
    chat.telegram.script["editMessageText"] = [refused(400, "Bad Request: message is not modified")]
    calls = await chat.tap(said.data("✓ 50%"), chat.last_id())
    assert [call.method for call in calls] == ["answerCallbackQuery", "editMessageText"]


async def test_a_screen_whose_message_is_gone_comes_as_a_new_one(chat: Chat) -> None:
    await chat.write("SOL 100")
    chat.telegram.script["editMessageText"] = [refused(400, "Bad Request: message to edit not found")]
    calls = await chat.tap("st:refresh", 5)
    assert [call.method for call in calls][:2] == ["editMessageText", "sendMessage"]


async def test_status_tells_of_coverage_and_closes_with_a_card(chat: Chat) -> None:
    await chat.write("SOL 100")
    assert "Not hedged: $15,000 is exposed" in (await chat.write("/status")).text
    card = await chat.write("/hedge")
    await chat.tap(card.data("Confirm"), chat.last_id())
    await chat.work()
    status = await chat.write("/status")
    assert status.text.startswith("<b>🛡 Coverage 50%, target 50%</b>")
    assert "Short 50 SOL ($7,500)" in status.text
    calls = await chat.tap(status.data("Close"), chat.last_id())
    (closing,) = [call for call in calls if call.method == "sendMessage"]
    assert "Buy back 50 SOL" in closing.text


async def test_a_pasted_key_is_deleted_and_its_owner_told_to_rotate(chat: Chat) -> None:
    key = "a1B2" * 16
    calls = await chat.handle(message(7, ADA, f"my api key is {key}"))
    deletion, warning = calls
    assert deletion.method == "deleteMessage"
    assert deletion.params["message_id"] == 1007
    assert "make a new key" in warning.text
    assert key not in warning.text


async def test_a_key_behind_a_command_is_seen_too_and_one_that_stays_is_asked_for(chat: Chat) -> None:
    chat.telegram.script["deleteMessage"] = [refused(400, "Bad Request: message can't be deleted")]
    calls = await chat.handle(message(7, ADA, "/add " + "a1B2" * 16))
    assert "Please delete the message" in calls[-1].text


@pytest.mark.parametrize("content", ["photo", "sticker", "document", "voice"])
async def test_what_is_no_text_gets_one_sentence(chat: Chat, content: str) -> None:
    file = {"file_id": "x", "file_unique_id": "y", "duration": 1, "width": 1, "height": 1}
    file |= {"type": "regular", "is_animated": False, "is_video": False}
    attached: dict[str, Any] = {content: [file] if content == "photo" else file}
    (said,) = await chat.handle(message(7, ADA, None, **attached))
    assert said.text == texts.ONLY_TEXT


async def test_telegrams_own_word_that_something_was_pinned_is_answered_by_nobody(chat: Chat) -> None:
    pinned = {"message_id": 3, "date": 0, "chat": {"id": ADA, "type": "private"}}
    assert await chat.handle(message(7, ADA, None, pinned_message=pinned)) == []


async def test_help_lists_every_command_that_stands_in_the_menu(chat: Chat) -> None:
    said = await chat.write("/help")
    for command in COMMANDS:
        assert (f"/{command.name} " in said.text) is not command.hidden
        assert command.description or command.hidden


async def test_a_blocked_user_who_comes_back_is_served_again(chat: Chat) -> None:
    await chat.write("SOL 100")
    await chat.store.suspend(ADA)
    await chat.write("/portfolio")
    user = await chat.store.user(ADA)
    assert user is not None
    assert not user.suspended
