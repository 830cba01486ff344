"""The HTTP server of a process."""

import asyncio
import contextlib
import socket
from collections.abc import Generator

import uvicorn
from starlette.types import ASGIApp

from bot.web.connections import BoundedProtocol


class Server(uvicorn.Server):
    """Serves one application. Leaves the signals to its owner, and says when it is up; `should_exit` ends it.

    What is being answered then gets `grace` seconds; with 0 it is cut off, as open event streams must be.
    """

    def __init__(self, app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0, grace: int = 10) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_level="warning",
                access_log=False,
                http=BoundedProtocol,
                ws="none",
                timeout_graceful_shutdown=grace or 1,
                timeout_keep_alive=75,  # longer than the other side's, which so never sends into a closed line
            )
        )
        self._cuts = grace == 0
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._cuts:
            for connection in list(self.server_state.connections):
                if connection.transport is not None:
                    connection.transport.close()  # its stream hears of it and ends by itself
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
