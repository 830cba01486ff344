"""The sandbox is for this machine only: whoever asks, and by whatever name, must be loopback."""

import functools
import ipaddress

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


@functools.lru_cache(maxsize=256)
def is_loopback_name(host: str) -> bool:
    """Whether a host name or address means this machine: localhost, 127.0.0.0/8 or ::1.

    >>> is_loopback_name("127.0.0.1"), is_loopback_name("example.com")
    (True, False)
    """
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class LoopbackOnly:
    """Refuses (403) a client that is not on this machine, and a Host or Origin header that names another one.

    The headers keep out web pages: one that had its own name point to 127.0.0.1, and one that posts from elsewhere.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or _is_local(scope):
            await self._app(scope, receive, send)
        else:
            await PlainTextResponse("The sandbox answers this machine only.\n", 403)(scope, receive, send)


def _is_local(scope: Scope) -> bool:
    client = scope.get("client")
    if client is not None and not is_loopback_name(client[0]):
        return False
    host, origin = b"", None
    for name, value in scope["headers"]:
        if name == b"host":
            host = value
        elif name == b"origin":
            origin = value.decode("latin-1")
    if not is_loopback_name(_without_port(host.decode("latin-1"))):
        return False
    return origin is None or is_loopback_name(_without_port(origin.partition("://")[2]))


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0]
    return host.partition(":")[0]
