"""Connections that are only held open, against the real server on a loopback port."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from bot.web import app as web_app
from bot.web import connections
from bot.web.app import SECRET_HEADER, build_app
from bot.web.server import Server
from tests.web.test_app import Database, Shell

HALF_OPEN = 400
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def served() -> AsyncIterator[SimpleNamespace]:
    shell = Shell()
    server = Server(build_app(shell, Database(), secret="a-secret"), grace=0)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve())
        await server.up.wait()
        yield SimpleNamespace(
            port=server.servers[0].sockets[0].getsockname()[1], shell=shell, state=server.server_state
        )
        server.should_exit = True


@contextlib.asynccontextmanager
async def held_open(port: int, number: int, words: bytes) -> AsyncIterator[list[Line]]:
    lines = []
    for _ in range(number):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(words)
        lines.append((reader, writer))
    yield lines
    for _, writer in lines:
        writer.close()


async def well(served: Any) -> None:
    """Health and webhook answer."""
    async with asyncio.timeout(10), aiohttp.ClientSession(f"http://127.0.0.1:{served.port}") as http:
        async with http.get("/healthz") as answer:
            assert answer.status == 200
        number = len(served.shell.handled) + 1
        async with http.post(
            "/webhook", json={"update_id": number}, headers={SECRET_HEADER: "a-secret"}
        ) as answer:
            assert answer.status == 200
        assert len(served.shell.handled) == number


@pytest.mark.fault(65)
@pytest.mark.parametrize("words", [b"", b"GET /healthz HTTP/1.1\r\nHost: h\r\nX-Slow: "])
async def test_400_connections_that_never_finish_their_headers_are_bounded_and_shut_nobody_out(
    served: Any, words: bytes
) -> None:
    async with held_open(served.port, HALF_OPEN, words):
        await well(served)
        assert len(served.state.connections) <= connections.MOST_WAITING + 2


@pytest.mark.fault(65)
@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nX-Slow: ",
        b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\nGET /healthz HTTP/1.1\r\nX-Slow: ",
    ],
)
async def test_headers_that_take_too_long_end_their_connection(
    served: Any, words: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
    async with asyncio.timeout(5), held_open(served.port, 1, words) as [(reader, writer)]:
        if words.count(b"GET") == 2:  # the second one begins when the first was answered
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"more")
        await reader.read()  # until the other side closes


@pytest.mark.fault(65)
async def test_a_body_that_takes_too_long_is_not_waited_for(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_app, "BODY_SECONDS", 0.05)
    head = b"POST /webhook HTTP/1.1\r\nHost: h\r\nX-Telegram-Bot-Api-Secret-Token: a-secret\r\n"
    words = head + b"Content-Length: 100\r\n\r\n{"
    async with asyncio.timeout(5), held_open(served.port, 100, words) as lines:
        await well(served)
        for reader, _ in lines:
            assert (await reader.read()).startswith(b"HTTP/1.1 408")
    assert [one["update_id"] for one in served.shell.handled] == [1]


async def test_a_connection_that_is_kept_for_the_next_request_is_not_closed_early(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
    request = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
    async with asyncio.timeout(5), held_open(served.port, 1, request) as [(reader, writer)]:
        for _ in range(3):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
            await asyncio.sleep(0.1)
            writer.write(request)
