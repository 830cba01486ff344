"""The market over loopback HTTP: what the bot's feed reads, and what the driver may do."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.ports.errors import Unavailable
from bot.sandbox.feed import SandboxFeed
from bot.sandbox.market import World, open_world, routes
from tests.fakes.sandbox_server import serving

HEDGE = {"user_id": 1, "coverage": 0.74}
HOUR = timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return open_world(tmp_path, today=datetime(2025, 6, 1, 9, tzinfo=UTC), speed=0)


@pytest.fixture
async def address(world: World) -> AsyncIterator[str]:
    async def hedges() -> list[dict[str, Any]]:
        return [HEDGE]

    async with serving(Starlette(routes=routes(world, hedges))) as address:
        yield address


@pytest.fixture
async def feed(address: str) -> AsyncIterator[SandboxFeed]:
    feed = SandboxFeed(address)
    yield feed
    await feed.close()


async def post(address: str, body: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{address}/sandbox/market", data=body) as answer,
    ):
        return answer.status, await answer.json()


async def test_the_feed_reads_exactly_what_the_world_is(world: World, feed: SandboxFeed) -> None:
    world.shock("crash")
    names = ("BTC", "ATOM", "USDT", "SOL/USDT:USDT", "BTC/USD:BTC")
    since = world.now() - timedelta(days=60)

    assert await feed.snapshot() == world.snapshot()
    assert await feed.funding_since("SOL/USDT:USDT", since) == world.funding_since("SOL/USDT:USDT", since)
    for bar in (HOUR, timedelta(days=1)):
        read, made = await feed.candles(names, since=since, bar=bar), world.candles(names, since, bar)
        assert read.names == made.names
        for ours, theirs in ((read.times, made.times), (read.close, made.close), (read.high, made.high)):
            assert ours is not None and theirs is not None
            np.testing.assert_array_equal(ours, theirs)


async def test_candles_default_to_hourly_bars(world: World, feed: SandboxFeed) -> None:
    candles = await feed.candles(["SOL"], since=world.now() - timedelta(hours=5))
    assert (np.diff(candles.times) == np.timedelta64(1, "h")).all()
    assert len(candles.times) == 6


async def test_the_panel_shows_every_coin_and_who_hedges_what(world: World, address: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{address}/sandbox/market") as answer:
        panel = await answer.json()
    coins = {coin["asset"]: coin for coin in panel["coins"]}

    assert panel["source"] == "simulated" and panel["speed"] == 0
    assert datetime.fromisoformat(panel["time"]) == world.now()
    assert panel["hedges"] == [HEDGE]
    assert coins["SOL"].keys() == {
        "asset", "spot", "mark", "funding_rate", "funding_interval_hours", "next_funding", "change_24h", "perpetual",
    }  # fmt: skip
    assert coins["SOL"]["perpetual"] == "SOL/USDT:USDT" and float(coins["SOL"]["mark"]) > 0
    assert coins["ATOM"]["perpetual"] is None and coins["ATOM"]["mark"] is None
    assert "USDT" not in coins


async def test_a_shock_answers_with_the_market_after_it(world: World, address: str) -> None:
    before = float(world.snapshot().spot["BTC"])
    status, panel = await post(address, json.dumps({"shock": "crash", "size": 0.3}))
    assert status == 200
    assert float(panel["coins"][0]["spot"]) == pytest.approx(0.7 * before, rel=1e-6)
    assert panel["coins"][0]["change_24h"] < -0.2


async def test_skip_and_speed_answer_with_the_market_after_them(world: World, address: str) -> None:
    before = world.now()
    status, panel = await post(address, json.dumps({"skip": "7d"}))
    assert status == 200
    assert datetime.fromisoformat(panel["time"]) == before + timedelta(days=7)
    status, panel = await post(address, json.dumps({"speed": 60}))
    assert (status, panel["speed"]) == (200, 60)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"shock": "earthquake"}',
        '{"shock": "crash", "size": "big"}',
        '{"shock": "crash", "size": NaN}',
        '{"shock": "crash", "skip": "7d"}',
        '{"skip": "7d", "size": 1}',
        '{"skip": "a week"}',
        '{"skip": "100000d"}',
        '{"speed": -1}',
        '{"speed": null}',
        '{"speed": 10, "colour": "red"}',
        "\ud83e\udd94" * 10,
    ],
)
async def test_a_command_that_makes_no_sense_gets_400_and_one_sentence(
    world: World, address: str, body: str
) -> None:
    before = world.snapshot()
    status, answer = await post(address, body.encode("utf-8", "surrogatepass"))
    assert status == 400
    assert answer["error"].endswith(".")
    assert world.snapshot() == before


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/market/candles?names=NOSUCH&since=2025-05-01T00:00:00Z", 404),
        ("/market/candles?names=BTC&since=yesterday", 400),
        ("/market/candles?names=BTC&since=2025-05-01T00:00:00", 400),
        ("/market/candles?names=BTC&since=1e400", 400),
        ("/market/candles?names=BTC&since=2025-05-01T00:00:00Z&bar=soon", 400),
        ("/market/candles?names=BTC&since=2025-05-01T00:00:00Z&bar=0", 400),
        ("/market/candles?names=BTC&since=1970-01-01T00:00:00Z&bar=60", 400),
        ("/market/funding?symbol=ATOM/USDT:USDT&since=2025-05-01T00:00:00Z", 404),
        ("/market/funding?symbol=SOL/USDT:USDT", 400),
    ],
)
async def test_a_question_that_makes_no_sense_gets_a_sentence(address: str, path: str, status: int) -> None:
    async with aiohttp.ClientSession() as session, session.get(address + path) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<html>busy</html>"),
        (200, ""),
        (200, '{"exchange": "sandbox", "time"'),
        (
            200,
            '{"exchange": "sandbox", "time": "2025-06-01T00:00:00Z", "spot": {"BTC": "NaN"}, "quotes": []}',
        ),
        (200, "[]"),
        (500, "{}"),
        (302, ""),
    ],
)
async def test_an_answer_that_cannot_be_read_is_unavailable(status: int, body: str) -> None:
    async def nonsense(request: Request) -> Response:
        return Response(
            body, status_code=status, headers={"location": "/elsewhere"} if status == 302 else None
        )

    async with serving(Starlette(routes=[Route("/market/{what}", nonsense)])) as address:
        feed = SandboxFeed(address)
        since = datetime(2025, 5, 1, tzinfo=UTC)
        with pytest.raises(Unavailable):
            await feed.snapshot()
        with pytest.raises(Unavailable):
            await feed.candles(["BTC"], since=since)
        if body != "[]":  # which is a funding history, of nothing
            with pytest.raises(Unavailable):
                await feed.funding_since("BTC/USDT:USDT", since)
        await feed.close()


async def test_a_sandbox_that_is_down_is_unavailable(address: str) -> None:
    feed = SandboxFeed("http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="cannot be reached"):
        await feed.snapshot()
    await feed.close()
