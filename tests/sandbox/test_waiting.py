"""The bot's clock is put ahead over HTTP, and no other."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from starlette.applications import Starlette

from bot.sandbox.waiting import BotClock, Waiting
from tests.fakes.sandbox_server import serving


async def test_what_is_waited_for_adds_up_and_outlives_the_process(tmp_path: Path) -> None:
    file = tmp_path / "clock.txt"
    clock = BotClock(file)
    assert clock.ahead() == timedelta(0)
    async with serving(Starlette(routes=Waiting(file).routes())) as address, aiohttp.ClientSession() as http:
        for span in ("10m", "1h"):
            async with http.post(f"{address}/sandbox/wait", json={"for": span}) as answer:
                told = await answer.json()
    assert told == {"ahead_seconds": 4200}
    assert clock.ahead() == BotClock(file).ahead() == timedelta(minutes=70)
    assert clock.now() - datetime.now(UTC) == pytest.approx(timedelta(minutes=70), abs=timedelta(seconds=5))


@pytest.mark.parametrize("body", ['{"for": "2d"}', '{"for": "-1h"}', '{"span": "1h"}', "[]", "soon"])
async def test_nonsense_is_refused_with_a_sentence_and_changes_nothing(tmp_path: Path, body: str) -> None:
    file = tmp_path / "clock.txt"
    async with (
        serving(Starlette(routes=Waiting(file).routes())) as address,
        aiohttp.ClientSession() as http,
        http.post(f"{address}/sandbox/wait", data=body) as answer,
    ):
        assert answer.status == 400
        assert (await answer.json())["error"].endswith(".")
    assert not file.exists()
