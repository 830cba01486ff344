"""Faults on order, and Telegram's limits where they are switched on."""

from datetime import timedelta

import pytest
from telegram import Bot
from telegram.error import Forbidden, NetworkError, RetryAfter, TimedOut

from tests.fakes.phone import Driver, DriverRefused, Phone
from tests.sandbox.botapi.conftest import Clock


@pytest.fixture(autouse=True)
def times_as_python_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The coming way of python-telegram-bot to tell how long to wait; the old one warns."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


async def test_the_next_call_is_refused_and_the_one_after_is_not(
    ada: Phone, driver: Driver, bot: Bot
) -> None:
    await driver.post("/faults", {"method": "sendMessage", "error": 429, "retry_after": 2, "times": 1})
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(1, "x")
    assert caught.value.retry_after == timedelta(seconds=2)
    await bot.send_message(1, "y")
    assert [m["text"] for m in await ada.messages()] == ["/start", "y"]


async def test_errors_of_the_server_and_of_the_user_can_be_ordered(
    ada: Phone, driver: Driver, bot: Bot
) -> None:
    await driver.post("/faults", {"method": "*", "error": 500, "times": 2})
    await driver.post("/faults", {"method": "sendMessage", "error": 403})
    for _ in range(2):
        with pytest.raises(NetworkError, match="Internal Server Error"):
            await bot.send_message(1, "x")
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(1, "x")
    assert await driver.get("/faults") == []


async def test_a_dropped_answer_leaves_the_message_sent(ada: Phone, driver: Driver, bot: Bot) -> None:
    await driver.post("/faults", {"method": "sendMessage", "drop_answer": True})
    with pytest.raises(NetworkError):
        await bot.send_message(1, "arrives all the same")
    assert (await ada.messages())[-1]["text"] == "arrives all the same"


async def test_a_late_answer_is_late(ada: Phone, driver: Driver, bot: Bot) -> None:
    await driver.post("/faults", {"method": "sendMessage", "delay": 5})
    with pytest.raises(TimedOut):
        await bot.send_message(1, "x", read_timeout=0.2)


async def test_a_fault_can_be_for_one_chat_and_be_taken_back(ada: Phone, driver: Driver, bot: Bot) -> None:
    await driver.phone(2).write("/start")
    await driver.post("/faults", {"method": "sendMessage", "error": 403, "chat_id": 2, "times": 9})
    await bot.send_message(1, "x")
    with pytest.raises(Forbidden):
        await bot.send_message(2, "x")
    async with driver.http.delete(f"{driver.address}/sandbox/faults") as response:
        assert await response.json() == []
    await bot.send_message(2, "x")


@pytest.mark.parametrize(
    "order", [{"error": 429}, {"method": "x", "error": 200}, {"method": "x", "wrong": 1}]
)
async def test_a_fault_that_makes_no_sense_is_refused(order: dict[str, object], driver: Driver) -> None:
    with pytest.raises(DriverRefused) as caught:
        await driver.post("/faults", order)
    assert caught.value.status == 400


async def test_limits_are_off_until_they_are_switched_on(
    ada: Phone, driver: Driver, bot: Bot, clock: Clock
) -> None:
    clock.stop()
    for _ in range(10):
        await bot.send_message(1, "x")
    await driver.post("/limits", {"on": True, "burst": 3, "per_chat_seconds": 60})
    for _ in range(3):
        await bot.send_message(1, "x")
    with pytest.raises(RetryAfter):
        await bot.send_message(1, "x")
    clock.later = 60
    await bot.send_message(1, "x")


async def test_there_is_a_limit_over_all_chats(driver: Driver, bot: Bot, clock: Clock) -> None:
    clock.stop()
    for user_id in range(1, 5):
        await driver.phone(user_id).write("/start")
    await driver.post("/limits", {"on": True, "overall": 3})
    for user_id in range(1, 4):
        await bot.send_message(user_id, "x")
    with pytest.raises(RetryAfter):
        await bot.send_message(4, "x")
