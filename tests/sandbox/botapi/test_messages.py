"""Sending, editing and deleting, asked for by python-telegram-bot and refused in Telegram's words."""

from typing import Any

import aiohttp
import pytest
from aiogram.types import Message as AiogramMessage
from telegram import (
    Bot,
    CopyTextButton,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    MessageEntity,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
)
from telegram.error import BadRequest, Forbidden

from tests.fakes.phone import Driver, Phone
from tests.sandbox.botapi.conftest import TOKEN, Clock

DAY = 24 * 3600
URL = "inline keyboard button"


def keyboard(*names: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(name, callback_data=name)] for name in names])


async def ask(http: aiohttp.ClientSession, address: str, method: str, **params: Any) -> dict[str, Any]:
    """A call as no library would make it."""
    async with http.post(f"{address}/bot{TOKEN}/{method}", json=params) as response:
        answer: dict[str, Any] = await response.json()
        assert response.status == answer.get("error_code", 200)
        return answer


async def test_a_message_arrives_with_its_formatting_and_buttons(ada: Phone, bot: Bot) -> None:
    sent = await bot.send_message(
        1,
        "Cover <b>75 %</b>?",
        parse_mode="HTML",
        reply_markup=InlineKeyboardMarkup(
            [
                [InlineKeyboardButton("Confirm", callback_data="ok:1", api_kwargs={"style": "success"})],
                [InlineKeyboardButton("Copy", copy_text=CopyTextButton("id-1"))],
            ]
        ),
        disable_notification=True,
        protect_content=True,
    )

    assert sent.text == "Cover 75 %?"
    assert sent.entities == (MessageEntity("bold", 6, 4),)
    assert sent.chat.type == "private"
    assert sent.from_user is not None and sent.from_user.is_bot
    assert sent.has_protected_content
    shown = (await ada.messages())[-1]
    assert shown["id"] == sent.message_id
    assert (shown["from"], shown["text"], shown["silent"], shown["edited"]) == (
        "bot",
        "Cover 75 %?",
        True,
        False,
    )
    assert shown["entities"] == [{"type": "bold", "offset": 6, "length": 4}]
    assert shown["buttons"] == [
        [{"text": "Confirm", "callback_data": "ok:1", "style": "success"}],
        [{"text": "Copy", "copy_text": {"text": "id-1"}}],
    ]


async def test_aiogram_reads_the_answers_too(ada: Phone, http: aiohttp.ClientSession, address: str) -> None:
    answer = await ask(
        http, address, "sendMessage", chat_id=1, text="*x*", parse_mode="MarkdownV2",
        reply_parameters={"message_id": 1}, link_preview_options={"is_disabled": True},
    )  # fmt: skip
    message = AiogramMessage.model_validate(answer["result"])
    assert (message.text, message.html_text) == ("x", "<b>x</b>")
    assert message.reply_to_message is not None and message.reply_to_message.text == "/start"


@pytest.mark.parametrize("send", ["json", "urlencoded", "multipart", "query"])
async def test_parameters_may_come_in_every_way_the_bot_api_takes(
    send: str, ada: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    params = {"chat_id": "1", "text": "a & b", "disable_notification": "true"}
    url = f"{address}/bot{TOKEN}/SENDmessage"
    if send == "query":
        response = await http.get(url, params=params)
    elif send == "json":
        response = await http.post(url, json={"chat_id": 1, "text": "a & b", "disable_notification": True})
    elif send == "urlencoded":
        response = await http.post(url, data=params)
    else:
        form = aiohttp.FormData(default_to_multipart=True)
        form.add_fields(*params.items())
        response = await http.post(url, data=form)
    assert (await response.json())["result"]["text"] == "a & b"
    assert (await ada.messages())[-1]["silent"]


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": "  \n "}, "text must be non-empty"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "🦔" * 2049}, "message is too long"),
        ({"text": "x", "parse_mode": "BB"}, "unsupported parse_mode"),
        ({"text": "<br>", "parse_mode": "HTML"}, 'can\'t parse entities: Unsupported start tag "br" at byte offset 0'),
        ({"chat_id": "", "text": "x"}, "chat_id is empty"),
        ({"chat_id": 0, "text": "x"}, "chat not found"),
        ({"chat_id": 404, "text": "x"}, "chat not found"),
        ({"chat_id": "@nobody", "text": "x"}, "chat not found"),
        ({"text": "x", "reply_parameters": {"message_id": 999}}, "message to be replied not found"),
        ({"text": "x", "reply_parameters": {"quote": "y"}}, 'can\'t find field "message_id"'),
        ({"text": "x", "message_thread_id": 5}, "message thread not found"),
        ({"text": "x", "business_connection_id": "y"}, "business connection not found"),
        ({"text": "x", "link_preview_options": {"is_disabled": "yes"}}, 'field "is_disabled" must be of type Boolean'),
        ({"text": "x", "reply_markup": "{"}, "can't parse reply keyboard markup JSON object"),
        ({"text": "x", "reply_markup": []}, "object expected as reply markup"),
        ({"text": "x", "reply_markup": {"inline_keyboard": "bad"}}, 'field "inline_keyboard" must be of type Array'),
    ],
)  # fmt: skip
async def test_a_message_that_telegram_refuses_is_refused_in_its_words(
    params: dict[str, Any], reason: str, ada: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    answer = await ask(http, address, "sendMessage", **{"chat_id": 1, **params})
    assert answer == {"ok": False, "error_code": 400, "description": f"Bad Request: {reason}"}
    assert [m["text"] for m in await ada.messages()] == ["/start"]


@pytest.mark.parametrize(
    ("button", "reason"),
    [
        ({"text": "x", "callback_data": "x" * 65}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": "é" * 33}, "BUTTON_DATA_INVALID"),
        ({"callback_data": "x"}, 'can\'t parse inline keyboard button: Can\'t find field "text"'),
        ({"text": "", "callback_data": "x"}, "BUTTON_TEXT_INVALID"),
        ({"text": "x"}, "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
        ({"text": "x", "url": "no-url"}, f"{URL} URL 'no-url' is invalid: Wrong HTTP URL"),
        ({"text": "x", "url": "ftp://x.com"}, f"{URL} URL 'ftp://x.com' is invalid: Unsupported URL protocol"),
        ({"text": "x", "copy_text": {"text": "x" * 257}}, "BUTTON_COPY_TEXT_INVALID"),
        (
            {"text": "x", "web_app": {"url": "http://x.com"}},
            f"{URL} Web App URL 'http://x.com' is invalid: Only HTTPS links are allowed",
        ),
        ({"text": "x", "pay": True}, "BUTTON_TYPE_INVALID"),
    ],
)  # fmt: skip
async def test_a_button_that_telegram_refuses_is_refused_in_its_words(
    button: dict[str, Any], reason: str, ada: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    markup = {"inline_keyboard": [[button]]}
    answer = await ask(http, address, "sendMessage", chat_id=1, text="x", reply_markup=markup)
    assert answer["description"] == f"Bad Request: {reason}"


@pytest.mark.parametrize(
    ("rows", "columns", "fits"), [(12, 8, True), (1, 9, False), (100, 1, True), (101, 1, False)]
)
async def test_a_keyboard_has_at_most_eight_buttons_a_row_and_a_hundred_in_all(
    rows: int, columns: int, fits: bool, ada: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": "x"}] * columns] * rows}
    answer = await ask(http, address, "sendMessage", chat_id=1, text="x", reply_markup=markup)
    assert answer["ok"] is fits


async def test_texts_and_data_of_just_the_longest_length_pass(ada: Phone, bot: Bot) -> None:
    sent = await bot.send_message(1, "<b>" + "🦔" * 2048 + "</b>", "HTML", reply_markup=keyboard("x" * 64))
    assert sent.text == "🦔" * 2048


async def test_only_who_has_written_can_be_written_to(driver: Driver, bot: Bot) -> None:
    await driver.post("/users", {"id": 5, "first_name": "Eve"})
    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(5, "x")


async def test_who_blocks_the_bot_gets_nothing_until_they_come_back(ada: Phone, bot: Bot) -> None:
    message = await bot.send_message(1, "x")
    await ada.block()
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(1, "y")
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await message.edit_text("y")
    await ada.write("/start")
    await bot.send_message(1, "y")
    kinds = [(u.my_chat_member.new_chat_member.status) for u in await bot.get_updates() if u.my_chat_member]
    assert kinds == ["kicked", "member"]


async def test_a_reply_to_what_is_gone_may_be_sent_without_it(ada: Phone, bot: Bot) -> None:
    sent = await bot.send_message(
        1, "x", reply_parameters=ReplyParameters(99, allow_sending_without_reply=True)
    )
    assert sent.reply_to_message is None


async def test_an_edit_changes_the_message_in_place(ada: Phone, bot: Bot) -> None:
    message = await bot.send_message(1, "Sending…", reply_markup=keyboard("Confirm", "Cancel"))
    edited = await message.edit_text("Done", reply_markup=keyboard("Details"))

    assert isinstance(edited, type(message))
    assert edited.edit_date is not None
    shown = (await ada.messages())[-1]
    assert (shown["id"], shown["text"], shown["edited"]) == (message.message_id, "Done", True)
    assert [b["text"] for row in shown["buttons"] for b in row] == ["Details"]


async def test_an_edit_without_a_keyboard_takes_the_keyboard_away(ada: Phone, bot: Bot) -> None:
    message = await bot.send_message(1, "x", reply_markup=keyboard("Confirm"))
    await message.edit_text("y")
    assert (await ada.messages())[-1]["buttons"] == []


async def test_an_identical_edit_is_refused_in_telegrams_words(ada: Phone, bot: Bot) -> None:
    message = await bot.send_message(1, "<b>x</b>", "HTML", reply_markup=keyboard("Confirm"))
    with pytest.raises(BadRequest) as caught:
        await message.edit_text("*x*", "MarkdownV2", reply_markup=keyboard("Confirm"))
    assert caught.value.message == (
        "Message is not modified: specified new message content and reply markup are exactly the same "
        "as a current content and reply markup of the message"
    )
    with pytest.raises(BadRequest, match="not modified"):
        await message.edit_reply_markup(keyboard("Confirm"))
    with pytest.raises(BadRequest, match="not modified"):
        await message.edit_text(
            " <b>x</b>",
            "HTML",
            reply_markup=keyboard("Confirm"),
            link_preview_options=LinkPreviewOptions(True),
        )


async def test_the_keyboard_alone_can_be_changed_and_taken_away(ada: Phone, bot: Bot) -> None:
    message = await bot.send_message(1, "x", reply_markup=keyboard("Confirm"))
    await message.edit_reply_markup(keyboard("Sending…"))
    shown = (await ada.messages())[-1]
    assert (shown["buttons"], shown["edited"]) == (
        [[{"text": "Sending…", "callback_data": "Sending…"}]],
        False,
    )
    await message.edit_reply_markup()
    with pytest.raises(BadRequest, match="not modified"):
        await message.edit_reply_markup()


async def test_what_cannot_be_edited_is_refused(ada: Phone, bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("x", 1, 99)
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", 1, 1)  # the user's own
    with pytest.raises(BadRequest, match="Message identifier is not specified"):
        await bot.edit_message_text("x")
    message = await bot.send_message(1, "x")
    with pytest.raises(BadRequest, match="There is no caption in the message to edit"):
        await message.edit_caption("y")
    with pytest.raises(BadRequest, match="Message is too long"):
        await message.edit_text("x" * 4097)


@pytest.mark.parametrize("markup", [ReplyKeyboardMarkup([["/hedge"]]), ReplyKeyboardRemove(), ForceReply()])
async def test_a_message_that_brought_a_keyboard_below_cannot_be_edited(
    markup: Any, ada: Phone, bot: Bot
) -> None:
    message = await bot.send_message(1, "x", reply_markup=markup)
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await message.edit_text("y")


async def test_an_edit_takes_inline_keyboards_only(
    ada: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    await ask(http, address, "sendMessage", chat_id=1, text="x")
    answer = await ask(
        http,
        address,
        "editMessageText",
        chat_id=1,
        message_id=2,
        text="y",
        reply_markup={"keyboard": [["a"]]},
    )
    assert answer["description"] == "Bad Request: inline keyboard expected"


async def test_the_reply_keyboard_stays_until_it_is_removed(ada: Phone, bot: Bot) -> None:
    await bot.send_message(1, "x", reply_markup=ReplyKeyboardMarkup([["/hedge", "/status"]]))
    await bot.send_message(1, "y")
    assert (await ada.chat())["keyboard"] == [[{"text": "/hedge"}, {"text": "/status"}]]
    await bot.send_message(1, "z", reply_markup=ReplyKeyboardRemove())
    assert (await ada.chat())["keyboard"] is None


async def test_a_one_time_keyboard_goes_when_it_is_used(ada: Phone, bot: Bot) -> None:
    await bot.send_message(1, "x", reply_markup=ReplyKeyboardMarkup([["Yes"]], one_time_keyboard=True))
    await ada.write("Yes")
    assert (await ada.chat())["keyboard"] is None


async def test_messages_of_both_sides_can_be_deleted(ada: Phone, bot: Bot) -> None:
    message = await bot.send_message(1, "x")
    assert await bot.delete_message(1, 1)
    assert await message.delete()
    assert await ada.messages() == []
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await message.delete()


async def test_many_messages_are_deleted_at_once_and_those_gone_are_passed_over(ada: Phone, bot: Bot) -> None:
    ids = [(await bot.send_message(1, str(i))).message_id for i in range(3)]
    assert await bot.delete_messages(1, [*ids[:2], 99])
    assert [m["id"] for m in await ada.messages()] == [1, ids[2]]


async def test_after_48_hours_a_message_stays(ada: Phone, bot: Bot, clock: Clock) -> None:
    message = await bot.send_message(1, "x", reply_markup=keyboard("Confirm"))
    clock.later = 2 * DAY + 1
    with pytest.raises(BadRequest, match="Message can't be deleted for everyone"):
        await message.delete()
    await message.edit_text("edits have no such limit")


async def test_a_link_preview_can_be_switched_off(ada: Phone, bot: Bot) -> None:
    sent = await bot.send_message(
        1, "https://x.com", link_preview_options=LinkPreviewOptions(is_disabled=True)
    )
    assert sent.link_preview_options is not None and sent.link_preview_options.is_disabled


async def test_typing_is_shown_and_nonsense_is_not(ada: Phone, bot: Bot) -> None:
    assert await bot.send_chat_action(1, "typing")
    with pytest.raises(BadRequest, match="Wrong parameter action in request"):
        await bot.send_chat_action(1, "dancing")
