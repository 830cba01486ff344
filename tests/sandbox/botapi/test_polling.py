"""Long polling as Telegram does it: offsets confirm, one poll at a time, nothing lost."""

import asyncio

import aiohttp
import pytest
from starlette.applications import Starlette
from telegram import Bot, Update
from telegram.error import Conflict
from telegram.ext import Application, MessageHandler, filters

from tests.fakes.phone import Driver, Phone
from tests.sandbox.botapi.conftest import TOKEN, client


def ids(updates: tuple[Update, ...]) -> list[int]:
    return [update.update_id for update in updates]


async def test_updates_come_again_until_a_higher_offset_confirms_them(ada: Phone, bot: Bot) -> None:
    for text in "abc":
        await ada.write(text)
    assert ids(await bot.get_updates()) == [1, 2, 3, 4]
    assert ids(await bot.get_updates(limit=2)) == [1, 2]
    assert ids(await bot.get_updates(offset=3)) == [3, 4]
    assert ids(await bot.get_updates()) == [3, 4]
    assert ids(await bot.get_updates(offset=5)) == []


async def test_a_negative_offset_keeps_only_the_last(ada: Phone, bot: Bot) -> None:
    for text in "abc":
        await ada.write(text)
    assert ids(await bot.get_updates(offset=-1)) == [4]
    assert ids(await bot.get_updates()) == [4]


async def test_a_long_poll_ends_when_something_happens(ada: Phone, bot: Bot) -> None:
    async with asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(bot.get_updates(offset=2, timeout=30))
        await asyncio.sleep(0.05)
        await ada.write("news")
    assert [u.message.text for u in poll.result() if u.message] == ["news"]


async def test_an_empty_long_poll_ends_in_time(ada: Phone, bot: Bot) -> None:
    assert await bot.get_updates(offset=2, timeout=1) == ()


async def test_a_second_poll_ends_the_first(ada: Phone, address: str, bot: Bot) -> None:
    async with client(address) as other:
        first = asyncio.gather(bot.get_updates(offset=2, timeout=30), return_exceptions=True)
        await asyncio.sleep(0.05)
        second = asyncio.gather(other.get_updates(offset=2, timeout=30))
        ended = (await first)[0]
        assert isinstance(ended, Conflict)
        assert "terminated by other getUpdates request" in str(ended)
        await ada.write("for the second")
        assert [u.message.text for u in (await second)[0] if u.message] == ["for the second"]


async def test_a_bot_asks_for_the_kinds_it_wants(ada: Phone, bot: Bot) -> None:
    await bot.get_updates(offset=2, allowed_updates=["callback_query"])
    assert (await ada.write("not wanted"))["update_id"] is None
    await bot.get_updates(allowed_updates=[])
    assert (await ada.write("wanted again"))["update_id"] == 2


async def test_what_a_killed_bot_was_given_comes_again(
    ada: Phone, http: aiohttp.ClientSession, address: str, bot: Bot
) -> None:
    poll = http.get(f"{address}/bot{TOKEN}/getUpdates", params={"offset": 2, "timeout": 30})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(poll, 0.05)  # the connection is cut, as by a kill
    await ada.write("while nobody polls")
    assert [u.message.text for u in await bot.get_updates(offset=2) if u.message] == ["while nobody polls"]


async def test_an_update_can_be_delivered_twice(ada: Phone, driver: Driver, bot: Bot) -> None:
    await ada.write("once")
    assert ids(await bot.get_updates(offset=3)) == []
    await driver.post("/updates/2/redeliver")
    assert ids(await bot.get_updates(offset=3)) == [2]
    assert ids(await bot.get_updates(offset=3)) == []


async def test_a_repeat_is_not_lost_on_a_bot_that_was_killed(
    ada: Phone, driver: Driver, http: aiohttp.ClientSession, address: str, bot: Bot
) -> None:
    poll = http.get(f"{address}/bot{TOKEN}/getUpdates", params={"offset": 2, "timeout": 30})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(poll, 0.05)
    await asyncio.sleep(0.05)  # until the cut connection is noticed
    await driver.post("/updates/1/redeliver")
    assert ids(await bot.get_updates(offset=2)) == [1]


async def test_an_update_not_confirmed_yet_is_not_twice_in_one_answer(
    ada: Phone, driver: Driver, bot: Bot
) -> None:
    await driver.post("/updates/1/redeliver")
    assert ids(await bot.get_updates()) == [1]
    assert ids(await bot.get_updates(offset=2)) == [1]
    assert ids(await bot.get_updates(offset=2)) == []


async def test_a_whole_application_of_python_telegram_bot_runs_on_it(ada: Phone, address: str) -> None:
    async def echo(update: Update, context: object) -> None:
        if update.effective_message:
            await update.effective_message.reply_text(f"You said {update.effective_message.text}")

    application = Application.builder().token(TOKEN).base_url(f"{address}/bot").build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    async with application:
        await application.start()
        assert application.updater is not None
        await application.updater.start_polling()
        for number in range(5):
            await ada.write(f"{number}")
        await ada.until(lambda messages: len(messages) == 12)
        await application.updater.stop()
        await application.stop()
    answers = [m["text"] for m in await ada.messages() if m["from"] == "bot"]
    assert answers == ["You said /start", *(f"You said {n}" for n in range(5))]


async def test_polls_are_not_among_the_calls_to_check(ada: Phone, bot: Bot, sandbox: Starlette) -> None:
    await bot.get_updates()
    await bot.send_message(1, "x")
    assert [call["method"] for call in await ada.driver.calls()] == ["getMe", "sendMessage"]
    assert [call["method"] for call in await ada.driver.calls(since=1)] == ["sendMessage"]
