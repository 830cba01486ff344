"""Connections that bring no request are bounded, in time and in number: who only holds them open shuts nobody out."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_SECONDS = 10.0  # for the headers of a request, from the connection or its first byte on
MOST_WAITING = 200  # connections without a request; above that the one that has waited longest is closed


class BoundedProtocol(H11Protocol):
    """HTTP on one connection. `waiting_since`: when the last request ended, or the connection was made; None while a
    request is being answered."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.waiting_since: float | None = None
        self._head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of a plain socket
        super().connection_made(transport)
        self._wait()
        self._expect_head()
        _bound([one for one in self.connections if isinstance(one, BoundedProtocol)])

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            self.waiting_since = None
            self._stop_expecting()
        elif self._head is None and not self.transport.is_closing():
            self._expect_head()

    def on_response_complete(self) -> None:
        self._wait()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_expecting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self.waiting_since = self.loop.time()

    def _expect_head(self) -> None:
        self._head = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_expecting(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None


def _bound(connections: list[BoundedProtocol]) -> None:
    if len(connections) <= MOST_WAITING:
        return
    waiting = [
        (one.waiting_since, number)
        for number, one in enumerate(connections)
        if one.waiting_since is not None and not one.transport.is_closing()
    ]
    if len(waiting) > MOST_WAITING:
        connections[min(waiting)[1]].transport.close()
