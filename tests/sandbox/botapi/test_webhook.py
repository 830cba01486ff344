"""Webhook delivery: in order, tried again until it is taken, with the secret, and never beside polling."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from telegram import Bot
from telegram.error import BadRequest, Conflict

from tests.fakes.phone import Driver, Phone
from tests.fakes.sandbox_server import serving


@dataclass
class Receiver:
    """A bot's webhook, which answers as the test has it."""

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)
    held: asyncio.Event | None = None
    at_once: int = 0
    most_at_once: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: Request) -> Response:
        async with self.changed:
            self.at_once += 1
            self.most_at_once = max(self.at_once, self.most_at_once)
            self.changed.notify_all()
        if self.held is not None:
            await self.held.wait()
        body = json.loads(await request.body())
        async with self.changed:
            self.at_once -= 1
            self.secrets.append(request.headers.get("x-telegram-bot-api-secret-token"))
            self.got.append(body)
            self.changed.notify_all()
        return self.answers.pop(0) if self.answers else Response()

    async def until(self, count: int) -> list[Any]:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: len(self.got) >= count)
        return [update["message"]["text"] for update in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with serving(Starlette(routes=[Route("/hook", receiver.take, methods=["POST"])])) as address:
        receiver.url = f"{address}/hook"
        yield receiver


async def test_updates_are_posted_with_the_secret(ada: Phone, bot: Bot, receiver: Receiver) -> None:
    assert await bot.set_webhook(receiver.url, secret_token="s3cret")
    await ada.write("a")
    assert await receiver.until(2) == ["/start", "a"]
    assert receiver.secrets == ["s3cret", "s3cret"]


async def test_an_update_is_posted_again_until_it_is_taken_and_none_overtakes_it(
    ada: Phone, bot: Bot, receiver: Receiver
) -> None:
    receiver.answers = [Response(status_code=500), Response(status_code=502)]
    await bot.set_webhook(receiver.url)
    await ada.write("a")
    assert await receiver.until(4) == ["/start", "/start", "/start", "a"]
    info = await bot.get_webhook_info()
    assert (info.url, info.pending_update_count) == (receiver.url, 0)
    assert info.last_error_message == "Wrong response from the webhook: 502 Bad Gateway"


async def test_chats_do_not_wait_for_each_other_beyond_the_connections(
    driver: Driver, bot: Bot, receiver: Receiver
) -> None:
    receiver.held = asyncio.Event()
    await bot.set_webhook(receiver.url, max_connections=2)
    for user_id in (1, 2, 3):
        await driver.phone(user_id).write("a")
    await driver.phone(1).write("b")
    async with asyncio.timeout(10), receiver.changed:
        await receiver.changed.wait_for(lambda: receiver.most_at_once == 2)
    receiver.held.set()
    texts = await receiver.until(4)
    assert sorted(texts) == ["a", "a", "a", "b"]
    assert receiver.most_at_once == 2
    mine = [u["message"]["text"] for u in receiver.got if u["message"]["from"]["id"] == 1]
    assert mine == ["a", "b"]


async def test_a_method_in_the_answer_is_called(ada: Phone, bot: Bot, receiver: Receiver) -> None:
    receiver.answers = [JSONResponse({"method": "sendMessage", "chat_id": 1, "text": "at once"})]
    await bot.set_webhook(receiver.url)
    await receiver.until(1)
    messages = await ada.until(lambda messages: len(messages) == 2)
    assert messages[-1]["text"] == "at once"
    assert (await ada.driver.calls())[-1]["method"] == "sendMessage"


async def test_polling_and_webhook_exclude_each_other(ada: Phone, bot: Bot, receiver: Receiver) -> None:
    poll = asyncio.gather(bot.get_updates(offset=2, timeout=30), return_exceptions=True)
    await asyncio.sleep(0.05)
    await bot.set_webhook(receiver.url)
    assert "terminated by setWebhook request" in str((await poll)[0])
    with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert (await bot.get_webhook_info()).url == ""
    await ada.write("polled")
    assert [u.message.text for u in await bot.get_updates() if u.message][-1] == "polled"


async def test_pending_updates_wait_for_the_webhook_or_are_dropped(
    ada: Phone, bot: Bot, receiver: Receiver
) -> None:
    assert (await bot.get_webhook_info()).pending_update_count == 1
    await bot.set_webhook(receiver.url, drop_pending_updates=True)
    await ada.write("only this")
    assert await receiver.until(1) == ["only this"]


async def test_an_update_is_delivered_to_a_webhook_twice_when_asked(
    ada: Phone, driver: Driver, bot: Bot, receiver: Receiver
) -> None:
    await bot.set_webhook(receiver.url)
    await receiver.until(1)
    await driver.post("/updates/1/redeliver")
    assert await receiver.until(2) == ["/start", "/start"]


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"url": "https://example.com/hook"}, "the sandbox delivers to this machine only"),
        ({"url": "gopher://127.0.0.1/"}, "invalid webhook url specified"),
        ({"url": "http://127.0.0.1:1/", "secret_token": "not allowed!"}, "unallowed characters"),
        ({"url": "http://127.0.0.1:1/", "secret_token": "x" * 257}, "too long"),
    ],
)
async def test_a_webhook_elsewhere_or_with_a_wrong_secret_is_refused(
    params: dict[str, str], reason: str, bot: Bot
) -> None:
    with pytest.raises(BadRequest, match=reason):
        await bot.set_webhook(**params)  # type: ignore[arg-type]
