"""A session for ccxt that sends each request to a server on this machine, under its true host's name."""

from typing import Any

import aiohttp
import yarl


class LoopbackSession:
    """`https://api.host.com/v1/x?y=1` becomes `<address>/api.host.com/v1/x?y=1`; ccxt still sees the real URL."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._session = aiohttp.ClientSession()
        self.headers = self._session.headers

    def get(self, url: yarl.URL, **options: Any) -> Any:
        return self._send("GET", url, options)

    def post(self, url: yarl.URL, **options: Any) -> Any:
        return self._send("POST", url, options)

    def put(self, url: yarl.URL, **options: Any) -> Any:
        return self._send("PUT", url, options)

    def delete(self, url: yarl.URL, **options: Any) -> Any:
        return self._send("DELETE", url, options)

    def _send(self, method: str, url: yarl.URL, options: dict[str, Any]) -> Any:
        there = yarl.URL(f"{self._address}/{url.host}{url.raw_path_qs}", encoded=True)
        return self._session.request(method, there, **options)

    async def close(self) -> None:
        await self._session.close()
