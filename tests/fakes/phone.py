"""People at their phones, through the driver of the sandbox."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

Json = dict[str, Any]


class DriverRefused(Exception):
    """The driver did not do as asked; `status` and its sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(f"{status}: {sentence}")
        self.status = status


@dataclass(frozen=True)
class Driver:
    """The driver at an address such as `http://127.0.0.1:40123`."""

    http: aiohttp.ClientSession
    address: str

    def phone(self, user_id: int) -> "Phone":
        return Phone(self, user_id)

    async def get(self, path: str) -> Any:
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: Json | None = None) -> Any:
        return await self._ask("POST", path, body or {})

    async def _ask(self, method: str, path: str, body: Json | None) -> Any:
        async with self.http.request(method, f"{self.address}/sandbox{path}", json=body) as response:
            answer = await response.json()
            if response.status >= 400:
                raise DriverRefused(response.status, answer["error"])
            return answer

    async def calls(self, since: int = 0) -> list[Json]:
        calls: list[Json] = await self.get(f"/calls?since={since}")
        return calls


@dataclass(frozen=True)
class Phone:
    """One person's phone."""

    driver: Driver
    user_id: int

    async def write(self, text: str) -> Json:
        """`{"message_id", "update_id"}`"""
        return await self._post("/messages", {"text": text})

    async def tap(
        self, message_id: int, button: str, *, wait: float | None = None, by: int | None = None
    ) -> Json:
        """`{"callback_id", "update_id"}`, and `"answer"` when told to wait for it."""
        query = [f"wait={wait}"] * (wait is not None) + [f"as={by}"] * (by is not None)
        return await self._post(f"/taps?{'&'.join(query)}", {"message_id": message_id, "button": button})

    async def send_document(self, name: str, content: str) -> Json:
        return await self._post("/documents", {"name": name, "content": content})

    async def block(self, blocked: bool = True) -> Json:
        return await self._post("/block", {"blocked": blocked})

    async def chat(self) -> Json:
        answer: Json = await self.driver.get(f"/users/{self.user_id}/chat")
        return answer

    async def messages(self) -> list[Json]:
        messages: list[Json] = (await self.chat())["messages"]
        return messages

    async def until(self, seen: Callable[[list[Json]], bool], seconds: float = 10) -> list[Json]:
        """The messages, as soon as they are as wanted. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not seen(messages := await self.messages()):  # noqa: ASYNC110 # there is nothing here to be woken by
                await asyncio.sleep(0.02)
        return messages

    async def _post(self, path: str, body: Json) -> Json:
        answer: Json = await self.driver.post(f"/users/{self.user_id}{path}", body)
        return answer
