"""What takes long to import is never imported while the event loop waits for it."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import aiohttp

from bot.sandbox.app import build_app
from bot.sandbox.exchanges.control import Exchanges
from bot.sandbox.market import open_world
from tests.fakes.person import Person
from tests.fakes.phone import Driver
from tests.fakes.sandbox_server import serving
from tests.shared import ROOT

LARGE = (
    "alembic",
    "apscheduler",
    "ccxt",
    "dbos",
    "numpy",
    "psycopg",
    "sqlalchemy",
    "starlette",
    "telegram",
    "uvicorn",
)

# `hedgehog run`, in which an import of something large in the thread of a running loop is printed.
RUN = f"""
import asyncio, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in {LARGE!r} and asyncio._get_running_loop() is not None:
            print("in the loop:", name, flush=True)

sys.meta_path.insert(0, Watch())
from bot.cli.run import serve
serve()
"""


async def test_nothing_large_is_imported_in_the_loop_from_the_start_to_the_first_card(tmp_path: Path) -> None:
    world = open_world(tmp_path, speed=0.0, seed=11)
    app = build_app(
        data=tmp_path / "telegram", token="1:sandbox", market_routes=Exchanges(world).routes(), page=None
    )
    async with serving(app) as address, aiohttp.ClientSession() as http:
        environment = {
            "PATH": "/usr/bin:/bin",
            "HEDGEHOG_TOKEN": "1:sandbox",
            "HEDGEHOG_DATA": str(tmp_path / "bot"),
            "HEDGEHOG_TELEGRAM_URL": address,
            "HEDGEHOG_MARKET": "bybit",
            "HEDGEHOG_SANDBOX_URL": address,
            "HEDGEHOG_LISTEN_PORT": "0",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RUN, cwd=ROOT, env=environment, stdout=PIPE, stderr=STDOUT
        )
        try:
            ann = Person(Driver(http, address).phone(1))
            await ann.add("SOL 120")
            await ann.card()
        finally:
            process.terminate()
            said = (await process.communicate())[0].decode()
    assert "serves as replica" in said
    assert "in the loop" not in said
