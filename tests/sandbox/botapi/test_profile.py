"""Commands, pins, chats and the bot's own profile, by python-telegram-bot."""

import aiohttp
import pytest
from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats, BotCommandScopeChat, MenuButtonCommands
from telegram.error import BadRequest, EndPointNotFound

from tests.fakes.phone import Phone
from tests.sandbox.botapi.conftest import TOKEN


async def test_the_bot_knows_itself(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.is_bot, me.can_join_groups) == (1, True, False)
    assert await bot.log_out()
    assert await bot.close()


async def test_the_narrowest_commands_are_shown_in_the_menu(ada: Phone, bot: Bot) -> None:
    await bot.set_my_commands([BotCommand("start", "Begin")])
    assert (await ada.chat())["commands"] == [{"command": "start", "description": "Begin"}]
    await bot.set_my_commands([("hedge", "Propose")], scope=BotCommandScopeAllPrivateChats())
    assert [c["command"] for c in (await ada.chat())["commands"]] == ["hedge"]
    await bot.set_my_commands([("hedge", "Vorschlagen")], BotCommandScopeAllPrivateChats(), "de")
    assert [c["description"] for c in (await ada.chat())["commands"]] == ["Propose"]
    await bot.set_my_commands([("admin", "Rule")], scope=BotCommandScopeChat(1))
    assert [c["command"] for c in (await ada.chat())["commands"]] == ["admin"]
    await bot.delete_my_commands(scope=BotCommandScopeChat(1))
    assert [c["command"] for c in (await ada.chat())["commands"]] == ["hedge"]
    assert [c.command for c in await bot.get_my_commands()] == ["start"]


@pytest.mark.parametrize(
    ("command", "description", "reason"),
    [
        ("Hedge!", "x", "Bot_command_invalid"),
        ("x" * 33, "x", "Bot_command_invalid"),
        ("", "x", "Command must not be empty"),
        ("hedge", " ", "Command description must not be empty"),
        ("hedge", "x" * 257, "Command description length must not exceed 256"),
    ],
)
async def test_a_wrong_command_is_refused(command: str, description: str, reason: str, bot: Bot) -> None:
    with pytest.raises(BadRequest) as caught:
        await bot.set_my_commands([(command, description)])
    assert caught.value.message.lower() == reason.lower()


async def test_the_newest_pin_is_shown_until_it_is_unpinned(ada: Phone, bot: Bot) -> None:
    first = await bot.send_message(1, "a")
    second = await bot.send_message(1, "b")
    await first.pin()
    await second.pin(disable_notification=True)
    assert (await ada.chat())["pinned"] == second.message_id
    chat = await bot.get_chat(1)
    assert chat.pinned_message is not None and chat.pinned_message.text == "b"
    await bot.unpin_chat_message(1)
    assert (await ada.chat())["pinned"] == first.message_id
    await bot.unpin_all_chat_messages(1)
    assert (await ada.chat())["pinned"] is None
    with pytest.raises(BadRequest, match="Message to pin not found"):
        await bot.pin_chat_message(1, 99)
    with pytest.raises(BadRequest, match="Message to unpin not found"):
        await bot.unpin_chat_message(1)


async def test_a_deleted_message_is_not_pinned_any_more(ada: Phone, bot: Bot) -> None:
    message = await bot.send_message(1, "a")
    await message.pin()
    await message.delete()
    assert (await ada.chat())["pinned"] is None


async def test_name_descriptions_and_menu_button_can_be_set(ada: Phone, bot: Bot) -> None:
    assert await bot.set_my_name("Hedgehog")
    assert await bot.set_my_description("Hedges what you hold")
    assert await bot.set_my_short_description("Hedges", "de")
    assert await bot.set_chat_menu_button(1, MenuButtonCommands())
    assert await bot.set_chat_menu_button()
    with pytest.raises(BadRequest):
        await bot.set_my_description("x" * 513)


async def test_a_chat_is_known_by_its_user(ada: Phone, bot: Bot) -> None:
    chat = await bot.get_chat(1)
    assert (chat.id, chat.type, chat.first_name) == (1, "private", "User 1")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.get_chat(99)


async def test_any_other_method_is_not_found(http: aiohttp.ClientSession, address: str, bot: Bot) -> None:
    with pytest.raises(EndPointNotFound):
        await bot.do_api_request("getWeather")
    for path in (f"bot{TOKEN}/nonsense", "botnonsense/getMe", f"bot{TOKEN}"):
        async with http.get(f"{address}/{path}") as response:
            assert await response.json() == {"ok": False, "error_code": 404, "description": "Not Found"}
    async with http.get(f"{address}/bot1:other/getMe") as response:
        assert (response.status, (await response.json())["description"]) == (401, "Unauthorized")
