"""The demo's two processes: the sandbox here, the bot beside it, started again whenever it dies."""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
import webbrowser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.web.server import Server

HOST = "127.0.0.1"
_STOP_SECONDS = 8.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG


class PortTaken(OSError):
    """Somebody else listens there."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What to run: the sandbox's server, and the environment of the bot beside it."""

    server: Server
    listener: socket.socket
    bot_environment: Mapping[str, str]
    bot_log: Path
    browse: bool
    say: Callable[[str], None]

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.listener.getsockname()[1]}/"

    async def run(self) -> None:
        """Until Ctrl-C or SIGTERM; both processes are gone when this returns."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        server = self.server
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[self.listener]))
            await server.up.wait()
            keeping = tasks.create_task(self._keep_bot_alive())
            self.say(f"Hedgehog is on your phone at {self.address}  (Ctrl-C stops all of it)")
            if self.browse:
                webbrowser.open(self.address)
            await stop.wait()
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping
            server.should_exit = True

    async def _keep_bot_alive(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            began = asyncio.get_running_loop().time()
            code = await self._run_bot()
            pause = (
                _FIRST_PAUSE
                if asyncio.get_running_loop().time() - began > 30
                else min(2 * pause, _LONGEST_PAUSE)
            )
            self.say(
                f"The bot ended ({_how(code)}) and is started again. Its own words are in {self.bot_log}."
            )
            await asyncio.sleep(pause)

    async def _run_bot(self) -> int:
        """One life of the bot. When this is cancelled the bot is asked to stop, and made to if it does not."""
        with self.bot_log.open("ab") as log:
            bot = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                "run",
                env=dict(self.bot_environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
            )
        try:
            return await bot.wait()
        except asyncio.CancelledError:
            bot.terminate()
            try:
                await asyncio.wait_for(bot.wait(), _STOP_SECONDS)
            except TimeoutError:
                bot.kill()
                await bot.wait()
            raise


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; 0 takes any free port. Raises PortTaken."""
    # Named as TCP, so that asyncio sends without waiting for acknowledgements: 40 ms an answer otherwise.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as failure:
        listener.close()
        raise PortTaken(f"Port {port} is taken; choose another with --port.") from failure
    listener.listen(128)
    return listener


def has_screen() -> bool:
    """Whether a browser window could open here."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _die_with_parent() -> None:
    """Runs in the child: no bot is left behind when the demo is killed. A new session keeps Ctrl-C to the parent."""
    os.setsid()
    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGTERM)


def _how(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
