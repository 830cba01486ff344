"""HTTP to a Telegram that behaves badly, over real sockets."""

import asyncio
import contextlib
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from telegram import Bot
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.chat.application import Link
from bot.chat.request import AiohttpRequest, AnswerLost, NotSent, ServerFailed
from bot.sandbox.app import build_app
from tests.fakes.phone import Driver
from tests.fakes.sandbox_server import serving

TOKEN = "1:very-secret-token"
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def telegram(answer: Answer) -> AsyncIterator[str]:
    """A server that reads one request's head and then does as `answer` says."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@contextlib.asynccontextmanager
async def connected(address: str, **timeouts: float) -> AsyncIterator[Bot]:
    request = AiohttpRequest(connections=4, trust_env=False, **timeouts)
    link = Link(TOKEN, address, request=request)
    await request.initialize()
    try:
        yield link.bot
    finally:
        await request.shutdown()


def says(status: str, body: str, *headers: str) -> Answer:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers])
        writer.write(f"{head}\r\n\r\n{body}".encode())
        await writer.drain()

    return answer


async def hangs_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    return None


async def says_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read(-1)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (says("400 Bad Request", '{"ok":false,"error_code":400,"description":"Bad Request: x"}'), BadRequest),
        (says("403 Forbidden", '{"ok":false,"error_code":403,"description":"Forbidden: x"}'), Forbidden),
        (
            says("401 Unauthorized", '{"ok":false,"error_code":401,"description":"Unauthorized"}'),
            InvalidToken,
        ),
        (
            says("429 x", '{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":3}}'),
            RetryAfter,
        ),
        (says("500 Internal Server Error", '{"ok":false,"error_code":500,"description":"x"}'), ServerFailed),
        (says("502 Bad Gateway", "<html>"), ServerFailed),
        (says("302 Found", "", "Location: http://127.0.0.1:1/elsewhere"), NetworkError),
        (says("200 OK", "this is not JSON"), TelegramError),
        (hangs_up, AnswerLost),
        (says_nothing, TimedOut),
    ],
)
async def test_each_failure_has_its_name_and_none_tells_the_token(
    answer: Answer, failure: type[Exception]
) -> None:
    async with telegram(answer) as address, connected(address, read_timeout=0.2) as bot:
        with pytest.raises(failure) as raised:
            await bot.send_message(1, "hello")
    assert TOKEN not in "".join(traceback.format_exception(raised.value))


async def test_where_nobody_listens_nothing_was_sent() -> None:
    async with telegram(hangs_up) as address:
        pass
    async with connected(address) as bot:
        with pytest.raises(NotSent) as raised:
            await bot.send_message(1, "hello")
    assert TOKEN not in "".join(traceback.format_exception(raised.value))


async def test_a_pool_that_is_not_open_sends_nothing() -> None:
    with pytest.raises(NotSent):
        await Link(TOKEN, "http://127.0.0.1:1").bot.send_message(1, "hello")


async def test_the_read_timeout_of_one_call_is_its_own() -> None:
    async with telegram(says_nothing) as address, connected(address, read_timeout=60) as bot:
        with pytest.raises(TimedOut):
            await bot.send_message(1, "hello", read_timeout=0.1)


async def test_at_most_so_many_connections_are_open_at_once() -> None:
    open_now, most = 0, 0
    release = asyncio.Event()

    async def counts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        if open_now == 4:
            release.set()
        await release.wait()
        body = '{"ok":true,"result":true}'
        writer.write(
            f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        open_now -= 1

    async with telegram(counts) as address, connected(address) as bot:
        await asyncio.gather(*(bot.answer_callback_query(str(n)) for n in range(20)))
    assert most == 4


async def test_files_are_uploaded_and_come_back_the_same(tmp_path: Path) -> None:
    content = bytes(range(256)) * 40
    async with serving(build_app(data=tmp_path / "sandbox", token=TOKEN, page=None)) as address:
        async with aiohttp.ClientSession() as http:
            await Driver(http, address).phone(1).write("/start")
        async with connected(address) as bot:
            sent = await bot.send_document(
                1, content, filename="täst ☂.bin", caption="a <b>file</b>", parse_mode="HTML"
            )
            assert sent.document is not None
            file = await bot.get_file(sent.document.file_id)
            assert bytes(await file.download_as_bytearray()) == content
    assert sent.document.file_name == "täst ☂.bin"
    assert sent.caption == "a file"
