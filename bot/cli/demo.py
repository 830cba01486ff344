"""`hedgehog demo`: the sandbox in this process, the real bot in a child."""

import asyncio
import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import typer
from pydantic import SecretStr

from bot.bootstrap import NotConfigured, hedge_panel
from bot.cli.supervisor import Demo, PortTaken, has_screen, listen
from bot.sandbox.app import build_app
from bot.sandbox.exchanges.control import Exchanges
from bot.sandbox.market import MarketError, World, open_world
from bot.sandbox.market.opening import DEFAULT_SEED
from bot.sandbox.market.routes import market_json, routes
from bot.sandbox.waiting import Waiting
from bot.settings import Settings
from bot.web.server import Server

EXPECTED = (MarketError, PortTaken)
USUAL_PORT = 8080
TOKEN = "1:sandbox"  # the sandbox's own; Telegram knows of none like it
TICK_SECONDS = 2.0  # a newcomer sees every alert within a minute
CARD_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line said."""

    headless: bool
    port: int | None
    fresh: bool
    history: Path | None
    start: datetime | None
    speed: float | None
    seed: int | None
    exchange: str
    data: Path
    database: str


def run_demo(options: DemoOptions) -> None:
    """Until Ctrl-C. Raises MarketError, PortTaken or NotConfigured with one sentence."""
    data = options.data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    with _alone(data):
        if options.fresh:
            _forget(options, data)
        asyncio.run(_run(options, data))


async def _run(options: DemoOptions, data: Path) -> None:
    world = await asyncio.to_thread(_open_world, options, data)
    exchanges = Exchanges(world, data / "exchanges")
    listener = _listener(options.port)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = _settings(options, data, url)
    _make_master_key(settings)
    async with hedge_panel(settings) as hedges:
        app = build_app(
            data=data / "telegram",
            token=TOKEN,
            market_routes=[*routes(world, hedges), *exchanges.routes(), *Waiting(_clock_file(data)).routes()],
            market_json=lambda: market_json(world, hedges),
        )
        if options.history:
            typer.echo(
                f"The history stands at {world.now():%Y-%m-%d %H:%M} UTC; --fresh --start chooses another moment."
            )
        browse = not options.headless and has_screen()
        server = Server(app, grace=0)
        try:
            await Demo(server, listener, _environment(settings), data / "bot.log", browse, typer.echo).run()
        finally:
            world.close()


def _open_world(options: DemoOptions, data: Path) -> World:
    folder = data / "market"
    folder.mkdir(exist_ok=True)
    return open_world(
        folder,
        history=options.history,
        start=options.start,
        speed=options.speed,
        seed=DEFAULT_SEED if options.seed is None else options.seed,
    )


def _listener(port: int | None) -> socket.socket:
    if port is not None:
        return listen(port)
    try:
        return listen(USUAL_PORT)
    except PortTaken:
        return listen(0)


def _settings(options: DemoOptions, data: Path, url: str) -> Settings:
    """The demo's own settings; nothing of the caller's environment gets in."""
    return Settings.model_construct(
        token=SecretStr(TOKEN),
        data=data / "bot",
        database_url=options.database,
        telegram_url=url,
        market=options.exchange or "sandbox",
        practice_exchange=options.exchange,
        sandbox_url=url,
        master_key_file=data / "bot" / "master.key",
        clock_file=_clock_file(data),
        tick_seconds=TICK_SECONDS,
        card_seconds=CARD_SECONDS,
        replica="demo",
    )


def _clock_file(data: Path) -> Path:
    return data / "bot" / "clock.txt"


def _environment(settings: Settings) -> dict[str, str]:
    """The child's environment: the caller's without any setting of Hedgehog, and the demo's settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HEDGEHOG_") and k != "DATABASE_URL"}
    if kill_at := os.environ.get("HEDGEHOG_KILL_AT"):
        kept["HEDGEHOG_KILL_AT"] = kill_at
    own = {
        "HEDGEHOG_TOKEN": settings.token.get_secret_value(),
        "HEDGEHOG_DATA": str(settings.data),
        "HEDGEHOG_TELEGRAM_URL": settings.telegram_url,
        "HEDGEHOG_MARKET": settings.market,
        "HEDGEHOG_PRACTICE_EXCHANGE": settings.practice_exchange,
        "HEDGEHOG_SANDBOX_URL": settings.sandbox_url,
        "HEDGEHOG_MASTER_KEY_FILE": str(settings.master_key_file),
        "HEDGEHOG_CLOCK_FILE": str(settings.clock_file),
        "HEDGEHOG_TICK_SECONDS": str(settings.tick_seconds),
        "HEDGEHOG_CARD_SECONDS": str(settings.card_seconds),
        "HEDGEHOG_REPLICA": settings.replica,
        "DATABASE_URL": settings.database_url,
    }
    return kept | own


def _make_master_key(settings: Settings) -> None:
    """The demo's own: it seals keys that open practice money."""
    from bot.storage.vault import KeyFile

    path = settings.master_key_file
    if path is not None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        KeyFile(path).make()


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Only one demo on a data folder. Raises NotConfigured."""
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotConfigured(
                f"A demo already runs on {data}; stop it first, or choose another folder with --data."
            ) from None
        yield


def _forget(options: DemoOptions, data: Path) -> None:
    from bot.storage import forget

    for part in ("telegram", "market", "exchanges", "bot"):
        shutil.rmtree(data / part, ignore_errors=True)
    (data / "bot.log").unlink(missing_ok=True)
    if options.database:
        forget(_settings(options, data, "").database)
