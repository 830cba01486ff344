"""The sandbox served in this process on a free port, for tests that speak HTTP to it."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.applications import Starlette


class _Server(uvicorn.Server):
    """Leaves the signals to the test runner, and says when it is up (or has failed to be)."""

    def __init__(self, app: Starlette) -> None:
        # The test's own failures are louder than a connection that was cut on purpose.
        super().__init__(
            uvicorn.Config(
                app, log_level="critical", access_log=False, timeout_graceful_shutdown=1, lifespan="on"
            )
        )
        self.up = asyncio.Event()
        self.up_in_thread = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.up.set()
            self.up_in_thread.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen() -> socket.socket:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    return listening


def _address(server: _Server, listening: socket.socket) -> str:
    if not server.started:
        raise RuntimeError("the sandbox did not start")
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextlib.asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """Serve an application on this event loop; gives its address, such as `http://127.0.0.1:40123`."""
    server = _Server(app)
    with _listen() as listening:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listening]))
            await server.up.wait()
            try:
                yield _address(server, listening)
            finally:
                server.should_exit = True


@contextlib.contextmanager
def serving_in_thread(app: Starlette) -> Iterator[str]:
    """The same from a thread, for tests that are not asynchronous (a browser, a child process)."""
    server = _Server(app)
    with _listen() as listening:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True)
        thread.start()
        server.up_in_thread.wait()
        try:
            yield _address(server, listening)
        finally:
            server.should_exit = True
            thread.join(10)
