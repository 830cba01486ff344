"""The whole demo as its user starts it: `python -m bot demo --headless`, in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.shared import ROOT

START_SECONDS = 60.0
STOP_SECONDS = 20.0
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass
class Demo:
    """A running demo. `said` is what it wrote on its standard output, line by line."""

    process: subprocess.Popen[str]
    data: Path
    address: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def bot_log(self) -> Path:
        return self.data / "bot.log"

    def bot_pid(self) -> int:
        """The bot beside the sandbox: the demo's one child."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        assert len(children) == 1, f"the demo has the children {children}, not the bot alone"
        return int(children[0])

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)


def complaints(log: Path, *, since: int = 0) -> list[str]:
    """What the bot logged as an error, and what every trace ends with, from so many bytes on."""
    if not log.exists():
        return []
    found, in_trace = [], False
    for line in log.read_bytes()[since:].decode(errors="replace").splitlines():
        if in_trace and line[:1].strip():  # the first line that is not indented names the failure
            found.append(line)
            in_trace = False
        if re.search(r" ERROR|CRITICAL|was never (retrieved|awaited)", line):
            found.append(line)
        in_trace = in_trace or line.startswith("Traceback ")
    return found


@contextmanager
def running_demo(
    data: Path, *options: str, environment: Mapping[str, str] = {}, stop: bool = True
) -> Iterator[Demo]:
    """A demo on the folder `data` and a port of its own; it is stopped in the end. `options` go to its command line."""
    command = [
        sys.executable,
        "-m",
        "bot",
        "demo",
        "--headless",
        "--port",
        "0",
        "--data",
        str(data),
        *options,
    ]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    demo = Demo(process, data)
    up = threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            demo.said.append(line.rstrip())
            if found := _ADDRESS.search(line):
                demo.address = found.group()
                up.set()
        up.set()

    threading.Thread(target=listen, daemon=True).start()
    try:
        up.wait(START_SECONDS)
        assert demo.address, f"the demo gave no address: {demo.said}"
        yield demo
    finally:
        if stop and process.poll() is None:
            try:
                demo.stop()
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"the demo did not stop within {STOP_SECONDS:g} s of Ctrl-C") from None
