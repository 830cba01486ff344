"""Inline buttons: who taps, what the bot is told, and how a tap is answered."""

import asyncio
from typing import Any

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Message
from telegram.error import BadRequest

from tests.fakes.phone import Driver, DriverRefused, Phone
from tests.sandbox.botapi.conftest import Clock


async def card(bot: Bot) -> Message:
    rows = [
        [
            InlineKeyboardButton("Confirm", callback_data="ok:7"),
            InlineKeyboardButton("Cancel", callback_data="no:7"),
        ],
        [InlineKeyboardButton("Site", url="https://x.com")],
    ]
    return await bot.send_message(1, "Hedge?", reply_markup=InlineKeyboardMarkup(rows))


@pytest.mark.parametrize("button", ["Confirm", "ok:7"])
async def test_a_tap_by_text_or_data_reaches_the_bot_with_its_message(
    button: str, ada: Phone, bot: Bot
) -> None:
    message = await card(bot)
    tapped = await ada.tap(message.message_id, button)
    update = (await bot.get_updates())[-1]
    query = update.callback_query
    assert query is not None
    assert (update.update_id, query.id, query.data) == (tapped["update_id"], tapped["callback_id"], "ok:7")
    assert query.from_user.id == 1
    assert query.message == message


async def test_the_phone_waits_for_the_answer(ada: Phone, bot: Bot) -> None:
    message = await card(bot)

    async def answer() -> None:
        while True:
            for update in await bot.get_updates(offset=2, timeout=5):
                if update.callback_query:
                    await update.callback_query.answer("Sending…", show_alert=True)
                    return

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(answer())
        tapped = await ada.tap(message.message_id, "Confirm", wait=5)
    assert tapped["answer"] == {"text": "Sending…", "show_alert": True}


async def test_a_tap_without_an_answer_is_told_so(ada: Phone, bot: Bot) -> None:
    message = await card(bot)
    assert (await ada.tap(message.message_id, "Confirm", wait=0))["answer"] is None


async def test_another_user_can_tap_what_is_not_theirs(ada: Phone, driver: Driver, bot: Bot) -> None:
    message = await card(bot)
    await driver.phone(2).write("/start")
    await ada.tap(message.message_id, "Confirm", by=2)
    query = (await bot.get_updates())[-1].callback_query
    assert query is not None and query.message is not None
    assert (query.from_user.id, query.message.chat.id) == (2, 1)


@pytest.mark.parametrize(
    ("message_id", "button", "status"), [(99, "Confirm", 404), (2, "Nothing", 404), (2, "Site", 409)]
)
async def test_what_is_not_there_cannot_be_tapped(
    message_id: int, button: str, status: int, ada: Phone, bot: Bot
) -> None:
    await card(bot)
    with pytest.raises(DriverRefused) as caught:
        await ada.tap(message_id, button)
    assert caught.value.status == status


async def test_a_button_that_is_gone_cannot_be_tapped(ada: Phone, bot: Bot) -> None:
    message = await card(bot)
    await message.edit_text("Sending…")
    with pytest.raises(DriverRefused):
        await ada.tap(message.message_id, "Confirm")


OLD = "Query is too old and response timeout expired or query id is invalid"


async def refused(bot: Bot, callback_id: str, **params: Any) -> str:
    with pytest.raises(BadRequest) as caught:
        await bot.answer_callback_query(callback_id, **params)
    return caught.value.message


async def test_a_tap_is_answered_once(ada: Phone, bot: Bot) -> None:
    message = await card(bot)
    callback_id = (await ada.tap(message.message_id, "Confirm"))["callback_id"]
    assert await bot.answer_callback_query(callback_id, "ok")
    assert (await refused(bot, callback_id)).lower() == OLD.lower()


async def test_a_tap_is_answered_in_time_or_not_at_all(ada: Phone, bot: Bot, clock: Clock) -> None:
    message = await card(bot)
    callback_id = (await ada.tap(message.message_id, "Confirm"))["callback_id"]
    clock.later = 3600
    assert (await refused(bot, callback_id)).lower() == OLD.lower()
    assert (await refused(bot, "12345")).lower() == OLD.lower()


async def test_a_toast_is_short(ada: Phone, bot: Bot) -> None:
    message = await card(bot)
    callback_id = (await ada.tap(message.message_id, "Confirm"))["callback_id"]
    assert (await refused(bot, callback_id, text="x" * 201)).lower() == "message_too_long"
    assert await bot.answer_callback_query(callback_id, "x" * 200)
