"""The two processes of the demo in a test's own hands: the sandbox, and one life of the bot after another.

Both are forked from a process that has imported everything already, so that a life begins within a second.
"""

import asyncio
import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from bot.ports.clock import Clock
from tests.fakes.clock import HurriedClock

TOKEN = "1:sandbox"
_PR_SET_PDEATHSIG = 1
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.fakes.preloaded"])


class StillAlive(AssertionError):
    """A process that should have ended has not."""


@dataclass(frozen=True)
class Life:
    """One life of the bot, from its start to its end."""

    process: BaseProcess

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def ended(self, seconds: float = 0) -> bool:
        """Whether it has ended, or does within so many seconds."""
        self.process.join(seconds)
        return self.process.exitcode is not None

    @property
    def was_killed(self) -> bool:
        return self.process.exitcode == -signal.SIGKILL

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        self.process.kill()
        self.process.join()

    def stop(self) -> None:
        """As systemd does; it must obey."""
        if not self.ended():
            self.process.terminate()
            if not self.ended(20):
                self.kill()
                raise StillAlive("the bot did not stop within 20 s of SIGTERM")


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox, and where its bot keeps its things."""

    address: str
    data: Path
    database: str
    exchange: str = ""  # where people trade; empty: on paper
    clock: Clock | None = None  # of its bots, where it is not the machine's

    @property
    def log(self) -> Path:
        return self.data / "bot.log"

    @property
    def points(self) -> Path:
        """Where a recorded walk lists its fault points."""
        return self.data / "bot" / "fault-points.txt"

    @property
    def kill_at(self) -> Path:
        """Where a life with `kill_at="later"` finds the point to die at, while it lives."""
        return self.data / "bot" / "kill-at.txt"

    def settings(self, **others: object) -> dict[str, str]:
        """The environment of a bot here. No tick happens unless a test asks for ticks."""
        fixed = {
            "HEDGEHOG_TOKEN": TOKEN,
            "HEDGEHOG_DATA": str(self.data / "bot"),
            "HEDGEHOG_TELEGRAM_URL": self.address,
            "HEDGEHOG_MARKET": self.exchange or "sandbox",
            "HEDGEHOG_PRACTICE_EXCHANGE": self.exchange,
            "HEDGEHOG_SANDBOX_URL": self.address,
            "HEDGEHOG_TICK_SECONDS": "3600",
            "HEDGEHOG_CARD_SECONDS": "300",
            "HEDGEHOG_REPLICA": "demo",
            "DATABASE_URL": self.database,
        }
        return fixed | {f"HEDGEHOG_{name.upper()}": str(value) for name, value in others.items()}

    def bot(self, **settings: object) -> Life:
        """Begin a life: `kill_at="store.proposal:7"`, `card_seconds=2`, `tick_seconds=1`. `stop` or `kill` it."""
        process = FORKS.Process(
            target=_live, args=(self.settings(**settings), str(self.log), self.clock), daemon=True
        )
        process.start()
        return Life(process)

    @contextmanager
    def living(self, **settings: object) -> Iterator[Life]:
        """A life that ends with the context."""
        life = self.bot(**settings)
        try:
            yield life
        finally:
            life.stop()


@contextmanager
def running_sandbox(
    data: Path, *, database: str = "", seed: int = 11, exchange: str = "", pace: float = 1
) -> Iterator[Sandbox]:
    """The sandbox without a bot; its market stands still but for what the driver does to it. `exchange`: whose stand-in
    people trade on. `pace`: so many seconds pass for its bots in each one."""
    data.mkdir(parents=True, exist_ok=True)
    ours, its = multiprocessing.Pipe()
    process = FORKS.Process(target=_serve, args=(str(data), database, seed, exchange, its), daemon=True)
    process.start()
    try:
        assert ours.poll(60), "the sandbox did not start within a minute"
        clock = None if pace == 1 else HurriedClock.running(pace)
        yield Sandbox(ours.recv(), data, database, exchange, clock)
    finally:
        process.terminate()
        process.join(10)
        if process.exitcode is None:
            process.kill()
            process.join()


def _alone(environment: Mapping[str, str]) -> None:
    """In the child: gone with its parent, and with no settings but its own."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in list(os.environ):
        if name.startswith("HEDGEHOG_") or name == "DATABASE_URL":
            del os.environ[name]
    os.environ.update(environment)


def _live(settings: Mapping[str, str], log: str, clock: Clock | None) -> None:
    """The child's whole life: `hedgehog run`."""
    _alone(settings)
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from bot.bootstrap import Parts
    from bot.cli.run import serve

    try:
        serve(Parts(clock=clock))
    except Exception:  # noqa: BLE001 - the log is what the test reads
        sys.excepthook(*sys.exc_info())
        os._exit(1)


def _serve(data: str, database: str, seed: int, exchange: str, to_parent: Connection) -> None:
    _alone({})
    asyncio.run(_sandbox(Path(data), database, seed, exchange, to_parent))


async def _sandbox(data: Path, database: str, seed: int, exchange: str, to_parent: Connection) -> None:
    """What `hedgehog demo` serves, with no bot beside it."""
    from pydantic import SecretStr

    from bot.bootstrap import hedge_panel
    from bot.sandbox.app import build_app
    from bot.sandbox.exchanges.control import Exchanges
    from bot.sandbox.market import open_world
    from bot.sandbox.market.routes import market_json, routes
    from bot.settings import Settings
    from tests.fakes.sandbox_server import serving

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    (data / "market").mkdir(exist_ok=True)
    world = await asyncio.to_thread(open_world, data / "market", speed=0.0, seed=seed)
    where: dict[str, str] = {}
    panels: list[object] = []

    async def hedges() -> list[dict[str, object]]:
        return await panels[0]()  # type: ignore[operator, no-any-return]

    app = build_app(
        data=data / "telegram",
        token=TOKEN,
        market_routes=[*routes(world, hedges), *Exchanges(world).routes()],
        market_json=lambda: market_json(world, hedges),
    )
    async with serving(app) as where["address"]:
        settings = Settings.model_construct(
            token=SecretStr(TOKEN),
            data=data / "bot",
            database_url=database,
            telegram_url=where["address"],
            market=exchange or "sandbox",
            practice_exchange=exchange,
            sandbox_url=where["address"],
        )
        async with hedge_panel(settings) as panel:
            panels.append(panel)
            to_parent.send(where["address"])
            await stop.wait()


def wait_until(fits: object, seconds: float, what: str) -> None:
    """Look again and again until `fits()` is true."""
    assert callable(fits)
    until = time.monotonic() + seconds
    while not fits():
        assert time.monotonic() < until, f"{what} did not happen within {seconds:g} s"
        time.sleep(0.02)


def stands_still(pid: int) -> bool:
    """Whether the process is stopped; the third word of its status says so."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def ticks_of(sandbox: Sandbox) -> set[str]:
    """Names of the ticks that the engine knows of: each is run once, whoever begins it."""
    from sqlalchemy import create_engine, text

    engine = create_engine(f"sqlite:///{sandbox.data / 'bot' / 'engine.sqlite'}")
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT workflow_uuid FROM workflow_status WHERE workflow_uuid LIKE 'tick:%'")
        )
        return {row[0] for row in rows}
