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


_TOLD_BY_BROWSERS = frozenset({b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode"})


class LoopbackOnly:
    """Refuses (403) a client that is not on this machine, and the pages of others.

    A page elsewhere may have its own name point to 127.0.0.1 (its Host tells), post a form here (its Origin tells)
    or load this as a picture (Sec-Fetch-Site tells). A link that somebody follows is let in.
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
    told = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _TOLD_BY_BROWSERS}
    if not is_loopback_name(_without_port(told.get(b"host", ""))):
        return False
    origin = told.get(b"origin")
    if origin is not None and not is_loopback_name(_without_port(origin.partition("://")[2])):
        return False
    return told.get(b"sec-fetch-site") != "cross-site" or told.get(b"sec-fetch-mode") == "navigate"


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0]
    return host.partition(":")[0]
