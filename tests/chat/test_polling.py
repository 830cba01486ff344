"""Polling against a real Bot API on a loopback port, and against a scripted one where time or failure is the matter."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Bot
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.chat.application import Link, build
from bot.chat.polling import Poller, RawUpdate, TokenRefused, Window
from bot.chat.request import ServerFailed
from bot.sandbox.app import build_app
from tests.chat.conftest import Chat
from tests.fakes.phone import Driver
from tests.fakes.sandbox_server import serving

TOKEN = "1:sandbox"


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    async with serving(build_app(data=tmp_path / "sandbox", token=TOKEN, page=None)) as address:
        yield address


@pytest.fixture
async def driver(address: str) -> AsyncIterator[Driver]:
    async with aiohttp.ClientSession() as http:
        yield Driver(http, address)


@pytest.fixture
async def bot(address: str) -> AsyncIterator[Bot]:
    link = Link(TOKEN, address)
    async with link.bot:
        yield link.bot


def fetching(bot: Bot) -> Callable[[int, int], Any]:
    async def fetch(offset: int, seconds: int) -> Any:
        return await bot.do_api_request("getUpdates", {"offset": offset, "timeout": seconds}, read_timeout=40)

    return fetch


@contextlib.asynccontextmanager
async def polled(poller: Poller, *, grace: float = 5) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(poller.run(stop, grace=grace))
        try:
            yield
        finally:
            stop.set()


async def killed(poller: Poller, when: asyncio.Event) -> None:
    """Run until `when`, then die without a word, as a process does."""
    run = asyncio.get_running_loop().create_task(poller.run(asyncio.Event()))
    await when.wait()
    run.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await run


async def test_an_update_whose_handler_was_cut_off_comes_again(bot: Bot, driver: Driver) -> None:
    reached, seen = asyncio.Event(), []

    async def hangs(update: RawUpdate) -> None:
        reached.set()
        await asyncio.Event().wait()

    async def works(update: RawUpdate) -> None:
        seen.append(update["message"]["text"])
        done.set()

    await driver.phone(1).write("hello")
    await killed(Poller(fetching(bot), hangs), reached)

    done = asyncio.Event()
    async with polled(Poller(fetching(bot), works)):
        await done.wait()
    assert seen == ["hello"]
    assert await bot.get_updates(timeout=0) == (), "handled, so it was confirmed on the way out"


async def test_a_slow_chat_holds_up_nobody_and_is_not_confirmed_by_those_who_overtake_it(
    bot: Bot, driver: Driver
) -> None:
    seen: list[int] = []
    all_but_the_slow_one, slow_is_there = asyncio.Event(), asyncio.Event()

    async def handle(update: RawUpdate) -> None:
        user = update["message"]["from"]["id"]
        if user == 1:
            slow_is_there.set()
            await asyncio.Event().wait()
        seen.append(user)
        if len(seen) == 60:
            all_but_the_slow_one.set()

    await driver.phone(1).write("I am slow")
    poller = Poller(fetching(bot), handle)
    running = asyncio.get_running_loop().create_task(killed(poller, all_but_the_slow_one))
    await slow_is_there.wait()
    for user in range(2, 62):  # they come while the slow one is under way
        await driver.phone(user).write("I am quick")
    await running
    assert sorted(seen) == list(range(2, 62)), "each once"
    waiting = await bot.get_updates(timeout=0)
    assert waiting[0].message is not None
    assert waiting[0].message.text == "I am slow"


async def test_the_whole_shell_answers_many_people_and_confirms_what_it_has_done(
    chat: Chat, address: str, driver: Driver
) -> None:
    async def said_to(user: int) -> list[str]:
        return [m["text"] for m in await driver.phone(user).messages() if m["from"] == "bot"]

    shell = build(chat.services, Link(TOKEN, address))
    stop = asyncio.Event()
    for user in range(1, 21):
        await driver.phone(user).write("/ping")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(shell.run_polling(stop))
        for user in range(1, 21):
            async with asyncio.timeout(30):
                while not await said_to(user):  # noqa: ASYNC110 - the phone is asked over HTTP
                    await asyncio.sleep(0.02)
        stop.set()
    for user in range(1, 21):
        assert await said_to(user) == ["pong"]
    await shell.stop()


async def test_an_update_delivered_again_by_telegram_has_no_second_effect(
    chat: Chat, address: str, driver: Driver
) -> None:
    shell = build(chat.services, Link(TOKEN, address))
    stop, ada = asyncio.Event(), driver.phone(1)

    async def answers(number: int) -> list[str]:
        async with asyncio.timeout(30):
            while True:
                said = [m["text"] for m in await ada.messages() if m["from"] == "bot"]
                if len(said) >= number:
                    return said
                await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(shell.run_polling(stop))
        first = await ada.write("/add SOL 100")
        await answers(1)
        await driver.post(f"/updates/{first['update_id']}/redeliver")
        await ada.write("/ping")
        assert (await answers(2))[1:] == ["pong"]
        stop.set()
    (holding,) = await chat.store.holdings(1)
    assert holding.amount == 100
    await shell.stop()


class Script:
    """A Bot API that answers from a list: batches of update numbers, or failures. Then it waits for ever."""

    def __init__(self, *answers: Sequence[int] | Exception) -> None:
        self.answers = list(answers)
        self.offsets: list[int] = []
        self.used_up = asyncio.Event()
        self.pauses: list[float] = []

    async def fetch(self, offset: int, seconds: int) -> Sequence[RawUpdate]:
        self.offsets.append(offset)
        if not self.answers:
            self.used_up.set()
            if seconds:
                await asyncio.Event().wait()
            return []
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return [{"update_id": number} for number in answer]

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


async def nothing(_: RawUpdate) -> None:
    return None


async def test_failures_are_waited_out_longer_and_longer_and_the_log_hears_of_them_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    script = Script(*[NetworkError("away")] * 6, ServerFailed(502), TelegramError("nonsense"), [1], [2])
    with caplog.at_level(logging.WARNING):
        async with polled(Poller(script.fetch, nothing, pause=script.pause)):
            await script.used_up.wait()
    assert len(script.pauses) == 8
    assert script.pauses[5] > 4 * script.pauses[0]
    assert max(script.pauses) <= 36
    assert [r.getMessage() for r in caplog.records] == [
        "no updates: Telegram is away (away); asking again until it works",
        "updates flow again",
    ]


async def test_retry_after_is_kept_to_exactly() -> None:
    script = Script(RetryAfter(7), [1])
    async with polled(Poller(script.fetch, nothing, pause=script.pause)):
        await script.used_up.wait()
    assert script.pauses == [7.0]


async def test_a_second_poller_elsewhere_is_named_and_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    script = Script(Conflict("terminated by other getUpdates request"), Conflict("again"), [1])
    async with polled(Poller(script.fetch, nothing, pause=script.pause)):
        await script.used_up.wait()
    assert caplog.text.count("another process takes this bot's updates") == 1


async def test_a_token_that_is_refused_later_ends_the_polling() -> None:
    script = Script([1], InvalidToken())
    with pytest.raises(TokenRefused):
        await Poller(script.fetch, nothing).run(asyncio.Event())


async def test_waiting_for_a_slow_update_is_no_busy_loop() -> None:
    asked = count()
    latest = 0

    async def fetch(offset: int, seconds: int) -> Sequence[RawUpdate]:
        nonlocal latest
        latest = next(asked)
        assert offset <= 1
        return [{"update_id": 1}]

    async def hangs(_: RawUpdate) -> None:
        await asyncio.Event().wait()

    async with polled(Poller(fetch, hangs), grace=0.01):
        await asyncio.sleep(1)
    assert latest < 30, "a loop that does not rest asks tens of thousands of times"


async def test_an_update_that_could_not_be_finished_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.chat.polling._TRY_AGAIN_AFTER", 0.05)
    tries, finished = count(1), asyncio.Event()

    async def fetch(offset: int, seconds: int) -> Sequence[RawUpdate]:
        if offset > 1:
            finished.set()
            if seconds:
                await asyncio.Event().wait()
            return []
        return [{"update_id": 1}]

    async def fails_twice(_: RawUpdate) -> None:
        if next(tries) < 3:
            raise RuntimeError("the database is away")

    async with polled(Poller(fetch, fails_twice)):
        await finished.wait()
    assert next(tries) == 4


async def test_stopping_lets_those_under_way_finish_and_confirms_them() -> None:
    script, started, ended = Script([1, 2]), asyncio.Event(), []

    async def handle(update: RawUpdate) -> None:
        started.set()
        await asyncio.sleep(0.05)
        ended.append(update["update_id"])

    async with polled(Poller(script.fetch, handle)):
        await started.wait()
    assert ended == [1, 2]
    assert script.offsets[-1] == 3


@given(st.data())
def test_the_offset_never_passes_an_update_that_is_not_over_and_none_is_taken_twice(
    data: st.DataObject,
) -> None:
    """Telegram as a list of pending updates, handlers that finish in any order, or fail."""
    window, pending, under_way = Window(), list(range(1, data.draw(st.integers(1, 40)))), set[int]()
    finished: set[int] = set()
    now = 0.0
    for _ in range(200):
        if not pending and not under_way:
            break
        now += 1
        if data.draw(st.booleans()):
            assert not any(number < window.offset for number in pending if number not in finished)
            pending = [number for number in pending if number >= window.offset]
            fresh = window.take(pending[:10], now)
            assert not fresh & under_way
            assert not fresh & finished
            under_way |= fresh
        elif under_way:
            number = data.draw(st.sampled_from(sorted(under_way)))
            under_way.discard(number)
            if data.draw(st.integers(0, 3)):
                window.finish(number)
                finished.add(number)
            else:
                window.put_off(number, now + 2)
