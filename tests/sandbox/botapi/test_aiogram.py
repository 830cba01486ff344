"""A second real client: aiogram makes every call the sandbox knows and reads every answer into its own models."""

from collections.abc import AsyncIterator

import pytest
from aiogram import Bot, methods
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.methods.base import TelegramMethod
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
)

from bot.sandbox.botapi.methods import METHODS
from tests.fakes.phone import Driver, Phone
from tests.fakes.telegram_oracle import check_calls
from tests.sandbox.botapi.conftest import TOKEN
from tests.sandbox.botapi.test_media import png

ASKED_FOR = [
    *("getMe", "logOut", "close", "getUpdates", "setWebhook", "deleteWebhook", "getWebhookInfo"),
    *(
        "setMyCommands",
        "getMyCommands",
        "deleteMyCommands",
        "setMyName",
        "setMyDescription",
        "setMyShortDescription",
    ),
    *("setChatMenuButton", "getChat", "getFile", "sendChatAction", "answerCallbackQuery"),
    *("sendMessage", "sendPhoto", "sendDocument", "sendMediaGroup"),
    *("editMessageText", "editMessageCaption", "editMessageReplyMarkup", "editMessageMedia"),
    *("deleteMessage", "deleteMessages", "pinChatMessage", "unpinChatMessage", "unpinAllChatMessages"),
]


@pytest.fixture
async def second(address: str) -> AsyncIterator[Bot]:
    server = TelegramAPIServer.from_base(address)
    async with Bot(TOKEN, session=AiohttpSession(api=server)) as bot:
        yield bot


def model_of(name: str) -> type[TelegramMethod[object]]:
    model: type[TelegramMethod[object]] = getattr(methods, name[0].upper() + name[1:])
    return model


def test_the_sandbox_knows_these_methods_and_no_others() -> None:
    assert sorted(method.name for method in METHODS.values()) == sorted(ASKED_FOR)


@pytest.mark.parametrize("name", ASKED_FOR)
def test_a_method_knows_the_parameters_that_aiogram_knows(name: str) -> None:
    assert METHODS[name.lower()].parameters == set(model_of(name).model_fields)


async def test_aiogram_reads_every_answer(ada: Phone, second: Bot) -> None:
    rows = [[InlineKeyboardButton(text="Confirm", callback_data="ok:1")]]
    markup = InlineKeyboardMarkup(inline_keyboard=rows)

    def photo(shade: int) -> BufferedInputFile:
        return BufferedInputFile(png(20, 20, shade), f"{shade}.png")

    me = await second.me()
    assert me.username == "hedgehog_sandbox_bot"
    await second.set_my_commands([BotCommand(command="hedge", description="Propose")])
    assert [c.command for c in await second.get_my_commands()] == ["hedge"]
    await second.delete_my_commands()
    assert (await second.get_webhook_info()).url == ""
    sent = await second.send_message(1, "<b>x</b>", parse_mode="HTML", reply_markup=markup)
    assert sent.html_text == "<b>x</b>"
    assert isinstance(await sent.edit_text("y", reply_markup=markup), Message)
    tapped = await ada.tap(sent.message_id, "Confirm")
    update = (await second.get_updates())[-1]
    assert update.callback_query is not None
    assert (update.update_id, update.callback_query.data) == (tapped["update_id"], "ok:1")
    assert await update.callback_query.answer("ok")
    await sent.edit_reply_markup()
    await sent.pin()
    assert (await second.get_chat(1)).pinned_message is not None
    await sent.unpin()
    await second.unpin_all_chat_messages(1)
    pictured = await second.send_photo(1, photo(1), caption="c")
    await pictured.edit_caption(caption="d")
    edited = await pictured.edit_media(InputMediaPhoto(media=photo(2)))
    assert isinstance(edited, Message) and edited.photo is not None
    content = await second.download(edited.photo[-1])
    assert content is not None and content.read() == png(20, 20, 2)
    album = await second.send_media_group(1, [InputMediaPhoto(media=photo(s)) for s in (3, 4)])
    await second.delete_messages(1, [m.message_id for m in album])
    document = await second.send_document(1, BufferedInputFile(b"SOL,1", "a.csv"))
    assert document.document is not None and document.document.file_name == "a.csv"
    await second.send_chat_action(1, "typing")
    await document.delete()
    await second.set_my_name("Hedgehog")
    await second.set_my_description("x")
    await second.set_my_short_description("x")
    await second.set_chat_menu_button()
    await second.delete_webhook()
    await second.log_out()
    await second.close()
    calls = await ada.driver.calls()
    assert {call["method"] for call in calls} == set(ASKED_FOR) - {"getUpdates", "setWebhook"}
    assert check_calls(calls) == len(calls)


async def test_aiogram_knows_the_refusals(ada: Phone, driver: Driver, second: Bot, address: str) -> None:
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await second.send_message(99, "x")
    await driver.post("/faults", {"method": "sendMessage", "error": 429, "retry_after": 3})
    with pytest.raises(TelegramRetryAfter) as caught:
        await second.send_message(1, "x")
    assert caught.value.retry_after == 3
    await ada.block()
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await second.send_message(1, "x")
    async with Bot("1:other", session=second.session) as stranger:
        with pytest.raises(TelegramUnauthorizedError):
            await stranger.me()
