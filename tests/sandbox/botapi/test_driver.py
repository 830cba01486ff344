"""The driver's own manners: users, chats, events, what is kept, and who is let in."""

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, ReplyKeyboardMarkup

from bot.sandbox import driver as driver_module
from bot.sandbox.app import build_app
from bot.sandbox.loopback import is_loopback_name
from tests.fakes.phone import Driver, DriverRefused, Phone
from tests.fakes.sandbox_server import serving, serving_in_thread
from tests.fakes.telegram_oracle import check_calls
from tests.sandbox.botapi.conftest import TOKEN, client


async def test_a_user_comes_into_being_by_writing(driver: Driver) -> None:
    assert await driver.get("/users") == []
    assert await driver.phone(42).write("hello") == {"message_id": 1, "update_id": 1}
    assert await driver.get("/users") == [
        {"id": 42, "first_name": "User 42", "username": None, "blocked": False},
    ]


async def test_a_user_can_be_introduced_with_a_name(driver: Driver, bot: Bot) -> None:
    assert (await driver.post("/users", {"first_name": "Ada"}))["id"] == 1
    assert (await driver.post("/users", {"first_name": "Bob"}))["id"] == 2
    await driver.phone(2).write("hi")
    update = (await bot.get_updates())[0]
    assert update.effective_user is not None and update.effective_user.first_name == "Bob"


async def test_a_chat_is_shown_as_its_user_sees_it(ada: Phone, bot: Bot) -> None:
    await bot.send_message(1, "Menu", reply_markup=ReplyKeyboardMarkup([["/hedge"]]))
    chat = await ada.chat()
    assert chat["user"] == {"id": 1, "first_name": "User 1", "username": None, "blocked": False}
    assert [(m["id"], m["from"], m["text"]) for m in chat["messages"]] == [
        (1, "user", "/start"),
        (2, "bot", "Menu"),
    ]
    assert chat["messages"][0]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert chat["messages"][0]["date"].endswith("+00:00")
    assert (chat["keyboard"], chat["commands"], chat["pinned"]) == ([[{"text": "/hedge"}]], [], None)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/users/0/messages", {"text": "x"}, 400),
        ("/users/1/messages", {"text": " "}, 400),
        ("/users/1/messages", {}, 400),
        ("/users/9/taps", {"message_id": 1, "button": "x"}, 404),
        ("/users/9/block", {}, 404),
        ("/users/1/documents", {"name": "x.csv"}, 400),
        ("/users/1/documents", {"name": "x.csv", "content_base64": "?"}, 400),
        ("/users", {"id": -1}, 400),
        ("/updates/99/redeliver", {}, 404),
        ("/limits", {"speed": 1}, 400),
    ],
)
async def test_nonsense_is_refused_with_a_sentence(
    path: str, body: dict[str, Any], status: int, driver: Driver
) -> None:
    with pytest.raises(DriverRefused, match=r"[A-Z].*\.") as caught:
        await driver.post(path, body)
    assert caught.value.status == status


async def test_calls_are_kept_as_they_were_meant(ada: Phone, bot: Bot) -> None:
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("Confirm", callback_data="ok:1")]])
    await bot.send_message(1, "[x]", reply_markup=markup, api_kwargs={"no_such_thing": 1})
    await bot.send_document(1, b"x", filename="x.txt")
    calls = (await ada.driver.calls())[1:]
    assert calls[0] == {
        "n": 2,
        "method": "sendMessage",
        "params": {
            "chat_id": 1,
            "text": "[x]",
            "no_such_thing": "1",
            "reply_markup": {"inline_keyboard": [[{"text": "Confirm", "callback_data": "ok:1"}]]},
        },
        "ok": True,
        "description": None,
        "unknown": ["no_such_thing"],
    }
    assert calls[1]["params"]["document"].startswith("attach://")
    with pytest.raises(AssertionError, match="unknown field no_such_thing"):
        check_calls(calls)
    assert check_calls(calls[1:]) == 1


async def test_events_follow_a_chat_as_it_happens(ada: Phone, driver: Driver, bot: Bot) -> None:
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    listening = asyncio.Event()

    async def follow() -> None:
        async with driver.http.get(f"{driver.address}/sandbox/events?user=1") as stream:
            assert stream.content_type == "text/event-stream"
            async for line in stream.content:
                listening.set()
                if line.startswith(b"data: "):
                    events.put_nowait(json.loads(line[6:]))

    async with asyncio.TaskGroup() as tasks:
        follower = tasks.create_task(follow())
        await listening.wait()
        markup = InlineKeyboardMarkup([[InlineKeyboardButton("Confirm", callback_data="ok:1")]])
        message = await bot.send_message(1, "Hedge?", reply_markup=markup)
        await driver.phone(2).write("not for the first")
        callback_id = (await ada.tap(message.message_id, "Confirm"))["callback_id"]
        await bot.answer_callback_query(callback_id, "Sending…")
        await message.edit_text("Done")
        await message.pin()
        await bot.set_my_commands([("hedge", "Propose")])
        await message.delete()
        async with asyncio.timeout(10):
            got = [await events.get() for _ in range(8)]
        follower.cancel()
    assert [event["kind"] for event in got] == [
        "message",
        "users",
        "toast",
        "edit",
        "pin",
        "commands",
        "pin",
        "delete",
    ]
    assert got[0]["message"]["buttons"] == [[{"text": "Confirm", "callback_data": "ok:1"}]]
    assert (got[2]["text"], got[2]["show_alert"], got[2]["message_id"]) == (
        "Sending…",
        False,
        message.message_id,
    )
    assert got[3]["message"]["text"] == "Done"
    assert got[7]["message_id"] == message.message_id


async def test_the_market_is_told_to_who_follows(tmp_path: Path) -> None:
    async def market() -> dict[str, Any]:
        return {"coins": []}

    async with (
        serving(build_app(data=tmp_path, token=TOKEN, market_json=market)) as address,
        aiohttp.ClientSession() as http,
        http.get(f"{address}/sandbox/events?user=1") as stream,
    ):
        lines = [await stream.content.readline() for _ in range(4)]
    assert lines[2:] == [b"event: market\n", b'data: {"coins":[]}\n']


async def test_a_restart_of_the_sandbox_keeps_everything(tmp_path: Path) -> None:
    def build() -> Starlette:
        return build_app(data=tmp_path / "demo", token=TOKEN)

    async with aiohttp.ClientSession() as http:
        async with serving(build()) as address, client(address) as bot:
            ada = Driver(http, address).phone(1)
            await ada.write("/start")
            await bot.get_updates(offset=2)
            markup = InlineKeyboardMarkup([[InlineKeyboardButton("Confirm", callback_data="ok:1")]])
            message = await bot.send_message(1, "<b>Hedge</b>?", "HTML", reply_markup=markup)
            await message.pin()
            await bot.set_my_commands([("hedge", "Propose")])
            await bot.send_message(1, "x", reply_markup=ReplyKeyboardMarkup([["/hedge"]]))
            await ada.send_document("a.csv", "SOL,1")
            tapped = await ada.tap(message.message_id, "Confirm")
            before = await ada.chat()
        async with serving(build()) as address, client(address) as bot:
            ada = Driver(http, address).phone(1)
            assert await ada.chat() == before
            async with http.get(f"{address}{before['messages'][-1]['document']['url']}") as response:
                assert await response.read() == b"SOL,1"
            updates = await bot.get_updates()
            assert [u.update_id for u in updates] == [2, 3]
            assert updates[1].callback_query is not None
            await bot.answer_callback_query(tapped["callback_id"])
            assert await ada.write("next") == {"message_id": 5, "update_id": 4}
            await ada.driver.post("/updates/1/redeliver")


async def test_after_a_cut_no_id_is_given_out_twice(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    async with serving(build_app(data=data, token=TOKEN)) as address, aiohttp.ClientSession() as http:
        phone = Driver(http, address).phone(1)
        await phone.write("saved")
        await asyncio.sleep(0.5)  # longer than the sandbox waits to write
        shutil.copytree(data, tmp_path / "cut")
    async with (
        serving(build_app(data=tmp_path / "cut", token=TOKEN)) as address,
        aiohttp.ClientSession() as http,
    ):
        phone = Driver(http, address).phone(1)
        assert [m["text"] for m in await phone.messages()] == ["saved"]
        written = await phone.write("later")
    assert written["message_id"] > 1 + 300
    assert written["update_id"] > 1 + 300


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("[::1]", True),
        ("example.com", False),
        ("127.0.0.1.example.com", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, local: bool) -> None:
    assert is_loopback_name(host) is local


@pytest.mark.parametrize("path", ["/", "/sandbox/users", f"/bot{TOKEN}/getMe"])
async def test_a_page_elsewhere_that_points_its_name_here_is_refused(
    path: str, http: aiohttp.ClientSession, address: str
) -> None:
    async with http.get(address + path, headers={"Host": "evil.example:8080"}) as response:
        assert response.status == 403
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example:8080"])
async def test_a_page_elsewhere_that_posts_here_is_refused(
    origin: str, http: aiohttp.ClientSession, address: str
) -> None:
    url = f"{address}/sandbox/users/1/messages"
    async with http.post(url, data='{"text": "/unhedge"}', headers={"Origin": origin}) as response:
        assert response.status == 403
    async with http.post(url, json={"text": "/start"}, headers={"Origin": address}) as response:
        assert response.status == 200


@pytest.mark.parametrize(("mode", "status"), [("no-cors", 403), ("navigate", 200)])
async def test_a_page_elsewhere_that_embeds_this_is_refused_but_a_link_is_followed(
    mode: str, status: int, http: aiohttp.ClientSession, address: str
) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
    async with http.get(address, headers=headers) as response:
        assert response.status == status
        assert status == 403 or response.headers["X-Frame-Options"] == "DENY"


async def test_a_client_on_another_machine_is_refused(sandbox: Starlette) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/sandbox/users", "query_string": b"", "headers": []}
    scope |= {"client": ("192.0.2.7", 5000), "headers": [(b"host", b"127.0.0.1")]}
    await sandbox(scope, receive, send)
    assert sent[0]["status"] == 403


def test_every_call_of_the_driver_is_in_the_readme(sandbox: Starlette) -> None:
    readme = (Path(driver_module.__file__).parent / "README.md").read_text()
    paths = {route.path for route in sandbox.routes if isinstance(route, Route)} - {
        "/sandbox/files/{unique_id}"
    }
    told = {re.sub(r"\{\w+\}", "{}", path) for path in re.findall(r"/sandbox/[\w/{}]+", readme)}
    assert {re.sub(r"\{[\w:]+\}", "{}", path) for path in paths} <= told


def test_it_can_be_served_from_a_thread(tmp_path: Path) -> None:
    async def users(address: str) -> Any:
        async with aiohttp.ClientSession() as http:
            return await Driver(http, address).get("/users")

    with serving_in_thread(build_app(data=tmp_path, token=TOKEN)) as address:
        assert asyncio.run(users(address)) == []
