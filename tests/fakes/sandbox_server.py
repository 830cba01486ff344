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
                app,
                log_level="critical",
                access_log=False,
                lifespan="on",
                timeout_keep_alive=75,  # as long as Telegram's, so that no client meets a closing door
            )
        )
        self.up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            await super().startup(sockets)
        finally:
            self.up.set()

    async def main_loop(self) -> None:
        """Without uvicorn's ticks of a tenth of a second, which many short tests would wait for."""
        await self.on_tick(0)
        await self._done.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut what is open (long polls, followers) instead of waiting: nobody is left at the other end."""
        for server in self.servers:
            server.close()
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        requests = tuple(self.server_state.tasks)
        for request in requests:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        await self.lifespan.shutdown()

    def stop(self) -> None:
        """End serving; may be called from any thread."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._done.set)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen() -> socket.socket:
    # Named as TCP, as the demo's: asyncio then sends at once.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
            await asyncio.to_thread(server.up.wait)
            try:
                yield _address(server, listening)
            finally:
                server.stop()


@contextlib.contextmanager
def serving_in_thread(app: Starlette) -> Iterator[str]:
    """The same from a thread, for tests that are not asynchronous (a browser, a child process)."""
    server = _Server(app)
    with _listen() as listening:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True)
        thread.start()
        server.up.wait()
        try:
            yield _address(server, listening)
        finally:
            server.stop()
            thread.join(10)
