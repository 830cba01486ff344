"""HTTP under python-telegram-bot, on aiohttp: one pool of connections that does not slow down when it is busy."""

import re
from typing import Any

import aiohttp
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_NUMBER = re.compile(rb'"update_id"\s*:\s*(\d{1,19})')
_GATEWAY_FAILURES = (502, 504)

Seconds = Any  # a float, None for no limit, or BaseRequest.DEFAULT_NONE for what is usual here


class NotSent(NetworkError):
    """The call did not reach Telegram: nothing has happened there."""


class AnswerLost(NetworkError):
    """The call went out and no answer came back: it may have happened."""


class ServerFailed(NetworkError):
    """Telegram answered with a failure of its own (5xx). `gateway`: the call may still have been carried out."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Telegram failed with status {status}")
        self.gateway = status in _GATEWAY_FAILURES


class TooDeep(Exception):
    """An answer is nested so deeply that it cannot be read. `numbers`: of the updates in it."""

    def __init__(self, payload: bytes) -> None:
        super().__init__("an answer of Telegram is nested too deeply")
        self.numbers = [int(number) for number in _NUMBER.findall(payload)]


class AiohttpRequest(BaseRequest):
    """A pool of at most `connections`. Time-outs in seconds; each call may override them.

    Failures: NotSent, AnswerLost, ServerFailed (all NetworkError) and TimedOut when the answer takes too long.
    Redirects are refused. No failure's text names the address, because the token is part of it.
    """

    def __init__(
        self,
        *,
        connections: int = 256,
        connect_timeout: float = 5,
        read_timeout: float = 15,
        write_timeout: float = 30,
        pool_timeout: float = 30,
        trust_env: bool = True,
    ) -> None:
        self._connections = connections
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._write_timeout = write_timeout
        self._pool_timeout = pool_timeout
        self._trust_env = trust_env
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        return self._read_timeout

    async def initialize(self) -> None:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=self._connections, ttl_dns_cache=300, keepalive_timeout=30)
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": self.USER_AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=self._trust_env,
            )

    async def shutdown(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        try:
            return BaseRequest.parse_json_payload(payload)
        except RecursionError:
            raise TooDeep(payload) from None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        write_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        connect_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        pool_timeout: Seconds = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        if self._session is None:
            raise NotSent("the connection pool is not open")
        connect = _or(connect_timeout, self._connect_timeout)
        read = _or(read_timeout, self._read_timeout)
        write = _or(write_timeout, self._write_timeout)
        pool = _or(pool_timeout, self._pool_timeout)
        timeout = aiohttp.ClientTimeout(
            total=_sum(connect, read, write, pool),
            connect=_sum(connect, pool),
            sock_connect=connect,
            sock_read=read,
        )
        try:
            async with self._session.request(
                method, url, timeout=timeout, allow_redirects=False, **_body(request_data)
            ) as response:
                status, content = response.status, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(f"Telegram cannot be reached: {type(error).__name__}") from None
        except TimeoutError:
            raise TimedOut("Telegram takes too long to answer") from None
        except (aiohttp.ClientError, OSError) as error:
            raise AnswerLost(f"the connection to Telegram broke: {type(error).__name__}") from None
        if 300 <= status < 400:
            raise NetworkError(f"a redirect (status {status}) is refused")
        if status >= 500:
            raise ServerFailed(status)
        return status, content


def _body(request_data: RequestData | None) -> dict[str, Any]:
    if request_data is None:
        return {}
    if not request_data.contains_files:
        return {"data": request_data.url_encoded_parameters().encode(), "headers": _FORM}
    form = aiohttp.FormData(quote_fields=False)  # names of files stay as they are, in UTF-8
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime_type) in request_data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mime_type)
    return {"data": form}


def _or(given: Seconds, usual: float) -> float | None:
    chosen: float | None = usual if given is BaseRequest.DEFAULT_NONE else given
    return chosen


def _sum(*seconds: float | None) -> float | None:
    """All of them together; one without a limit leaves the sum without one."""
    limits = [limit for limit in seconds if limit is not None]
    return sum(limits) if len(limits) == len(seconds) else None
