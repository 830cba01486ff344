"""Polling against a real Bot API on a loopback port, and against a scripted one where time or failure is the matter."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from telegram import Bot
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.chat.application import Link, build
from bot.chat.polling import Poller, RawUpdate, TokenRefused
from bot.chat.request import ServerFailed
from bot.ports.errors import NotWritable
from bot.sandbox.app import build_app
from tests.chat.conftest import Chat
from tests.fakes.clock import ManualClock
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


def poller(fetch: Any, take: Any, **more: Any) -> Poller:
    return Poller(fetch, take, ManualClock().now, **more)


@contextlib.asynccontextmanager
async def polled(poller: Poller) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(poller.run(stop))
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


async def test_an_update_that_was_not_stored_when_the_process_died_comes_again(
    bot: Bot, driver: Driver
) -> None:
    seen: list[str] = []
    reached, done = asyncio.Event(), asyncio.Event()

    async def hangs(*_: Any) -> None:
        reached.set()
        await asyncio.Event().wait()

    async def works(batch: Sequence[RawUpdate], _: Any) -> None:
        seen.extend(update["message"]["text"] for update in batch)
        done.set()

    await driver.phone(1).write("hello")
    await killed(poller(fetching(bot), hangs), reached)

    async with polled(poller(fetching(bot), works)):
        await done.wait()
    assert seen == ["hello"]
    assert await bot.get_updates(timeout=0) == (), "stored, so it was confirmed on the way out"


@pytest.mark.fault(60)
async def test_a_full_window_of_one_chat_is_stored_and_confirmed_and_what_follows_comes(
    bot: Bot, driver: Driver
) -> None:
    """Telegram gives a hundred updates and no more until they are confirmed, however slow their handling is."""
    for _ in range(150):
        await driver.phone(1).write("a flood")
    await driver.phone(2).write("me too")
    seen: list[int] = []
    done = asyncio.Event()

    async def take(batch: Sequence[RawUpdate], _: Any) -> None:
        seen.extend(update["message"]["from"]["id"] for update in batch)
        if 2 in seen:
            done.set()

    async with polled(poller(fetching(bot), take)):
        await done.wait()
    assert seen == [1] * 150 + [2]


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


async def nothing(*_: Any) -> None:
    return None


async def test_failures_are_waited_out_longer_and_longer_and_the_log_hears_of_them_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    script = Script(*[NetworkError("away")] * 6, ServerFailed(502), TelegramError("nonsense"), [1], [2])
    with caplog.at_level(logging.WARNING):
        async with polled(poller(script.fetch, nothing, pause=script.pause)):
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
    async with polled(poller(script.fetch, nothing, pause=script.pause)):
        await script.used_up.wait()
    assert script.pauses == [7.0]


async def test_a_second_poller_elsewhere_is_named_and_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    script = Script(Conflict("terminated by other getUpdates request"), Conflict("again"), [1])
    async with polled(poller(script.fetch, nothing, pause=script.pause)):
        await script.used_up.wait()
    assert caplog.text.count("another process takes this bot's updates") == 1


async def test_a_token_that_is_refused_later_ends_the_polling() -> None:
    script = Script([1], InvalidToken())
    with pytest.raises(TokenRefused):
        await poller(script.fetch, nothing).run(asyncio.Event())


async def test_a_batch_that_cannot_be_stored_is_stored_later_and_not_confirmed_before(
    caplog: pytest.LogCaptureFixture,
) -> None:
    script, tries = Script([1, 2], [3]), []

    async def fails_twice(batch: Sequence[RawUpdate], _: Any) -> None:
        tries.append([update["update_id"] for update in batch])
        if len(tries) < 3:
            assert set(script.offsets) == {0}
            raise NotWritable("the disk is full")

    with caplog.at_level(logging.WARNING):
        async with polled(poller(script.fetch, fails_twice, pause=script.pause)):
            await script.used_up.wait()
    assert tries == [[1, 2], [1, 2], [1, 2], [3]]
    assert script.offsets[1:] == [3, 4, 4], "the last one confirms them on the way out"
    assert [r.getMessage() for r in caplog.records] == [
        "no updates: they cannot be stored (the disk is full); asking again until it works",
        "updates flow again",
    ]


@pytest.mark.fault(62)
@pytest.mark.parametrize("odd", [True, -7, 2**63, "8", None, 1.5])
async def test_an_update_without_a_proper_number_is_passed_with_the_others(odd: Any) -> None:
    script = Script([3, odd, 4])

    async with polled(poller(script.fetch, nothing, pause=script.pause)):
        await script.used_up.wait()
    assert script.offsets[1] == 5


@pytest.mark.fault(62)
async def test_nothing_but_an_update_without_a_number_is_no_busy_loop() -> None:
    script = Script(*[[True]] * 5, [1])
    async with polled(poller(script.fetch, nothing, pause=script.pause)):
        await script.used_up.wait()
    assert len(script.pauses) == 5
    assert script.pauses[4] > 4 * script.pauses[0]


async def test_the_first_questions_wait_for_nothing_so_that_what_had_waited_is_known() -> None:
    """What comes with a full answer, or with the first one, may have waited for days; what comes after an answer with
    room left is younger than the question for that."""
    clock, seconds, since = ManualClock(), [], []
    answers = [range(1, 101), [101], [102], [103]]
    over = asyncio.Event()

    async def fetch(offset: int, wait: int) -> Sequence[RawUpdate]:
        seconds.append(wait)
        if not answers:
            over.set()
            await asyncio.Event().wait()
        clock.pass_(seconds=10)
        return [{"update_id": number} for number in answers.pop(0)]

    async def take(_: Any, emptied: datetime | None) -> None:
        since.append((clock.now() - emptied).total_seconds() if emptied else None)

    async with polled(Poller(fetch, take, clock.now)):
        await over.wait()
        answers.append([])
    assert since == [None, None, 20, 20]
    assert seconds[:4] == [0, 0, 25, 25]
