"""Somebody with a phone, who writes, taps, reads and waits, as a newcomer does."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

from tests.fakes.phone import Driver, Json, Phone

T = TypeVar("T")

PATIENCE = 30.0
_LOOK_EVERY = 0.05


class NothingCame(AssertionError):
    """What was waited for did not come; says what the chat shows instead."""


@dataclass(frozen=True)
class Person:
    """One person at the demo. A message is what `GET /sandbox/users/{id}/chat` gives."""

    phone: Phone

    @property
    def id(self) -> int:
        return self.phone.user_id

    async def write(self, text: str) -> int:
        """Say something; the id of the message."""
        return int((await self.phone.write(text))["message_id"])

    async def ask(self, text: str, *, seconds: float = PATIENCE) -> Json:
        """Say something and wait for the first message that answers it."""
        mine = await self.write(text)
        return await self.answer_to(mine, seconds=seconds)

    async def answer_to(self, mine: int, *, seconds: float = PATIENCE) -> Json:
        return await self.see(lambda m: m["from"] == "bot" and m["id"] > mine, "an answer", seconds=seconds)

    async def tap(
        self, message: Json, button: str, *, wait: float | None = 10, by: int | None = None
    ) -> Json:
        """Tap the button whose text begins so; the driver's answer, with what the tap was answered."""
        return await self.phone.tap(message["id"], named(message, button)["text"], wait=wait, by=by)

    async def messages(self) -> list[Json]:
        """All but the status at the top of the chat, which comes when it likes and answers nobody."""
        return [m for m in await self.phone.messages() if not text_of(m).startswith("📌")]

    async def pinned(self, words: str, *, seconds: float = PATIENCE) -> Json:
        """Wait until the message at the top of the chat says so."""
        until = time.monotonic() + seconds
        while True:
            top = (await self.phone.chat())["pinned"]
            for message in await self.phone.messages():
                if message["id"] == top and words in text_of(message):
                    return message
            if time.monotonic() > until:
                raise NothingCame(f"user {self.id}: {words!r} is not at the top of the chat: {top}")
            await asyncio.sleep(_LOOK_EVERY)

    async def message(self, message_id: int) -> Json:
        """How that message looks now."""
        return next(m for m in await self.messages() if m["id"] == message_id)

    async def see(self, what: Callable[[Json], object], named: str, *, seconds: float = PATIENCE) -> Json:
        """Wait for a message of which `what` is true, and give the first one."""

        def find(messages: list[Json]) -> Json | None:
            return next((m for m in messages if what(m)), None)

        return await self.wait(find, named, seconds=seconds)

    async def wait(
        self, find: Callable[[list[Json]], T | None], named: str, *, seconds: float = PATIENCE
    ) -> T:
        """Look at the chat again and again until `find` gives something."""
        until = time.monotonic() + seconds
        while True:
            messages = await self.messages()
            if found := find(messages):
                return found
            if time.monotonic() > until:
                shown = "\n".join(map(told, messages[-6:]))
                raise NothingCame(f"user {self.id}: {named} did not come within {seconds:g} s:\n{shown}")
            await asyncio.sleep(_LOOK_EVERY)

    # The steps of a hedge

    async def add(self, *coins: str) -> None:
        """Add coins such as "SOL 120", in one message, and see that it was understood."""
        answer = await self.ask("/add " + "\n".join(coins))
        for coin in coins:
            assert coin.split()[0].upper() in text_of(answer), f"/add {coins} was answered: {told(answer)}"

    async def card(self, command: str = "/hedge") -> Json:
        """Ask for a proposal; the card with its buttons."""
        mine = await self.write(command)
        return await self.see(
            lambda m: m["from"] == "bot" and m["id"] > mine and has(m, "Confirm"), f"a card for {command}"
        )

    async def receipt(self, card: Json, *, seconds: float = PATIENCE) -> Json:
        """Wait until the card has turned into its receipt."""
        return await self.see(
            lambda m: m["id"] == card["id"] and is_receipt(m), f"the receipt of {card['id']}", seconds=seconds
        )

    async def confirm(self, command: str = "/hedge") -> Json:
        """A card, a tap on Confirm, the receipt."""
        card = await self.card(command)
        await self.tap(card, "Confirm")
        return await self.receipt(card)

    async def alert(self, after: int = 0, *, seconds: float = PATIENCE) -> Json:
        """Wait for a new message that offers Snooze, which only alerts do."""
        return await self.see(
            lambda m: m["from"] == "bot" and m["id"] > after and has(m, "Snooze"), "an alert", seconds=seconds
        )

    async def hedge(self) -> Json:
        """This person's hedge as the market panel shows it, once it does: the panel is at most half a second old."""
        return await self.hedge_when(lambda hedge: True, "a hedge in the market panel")

    async def hedge_when(
        self, fits: Callable[[Json], object], named: str, *, seconds: float = PATIENCE
    ) -> Json:
        """The same once it is as it should be."""
        until = time.monotonic() + seconds
        while True:
            hedges = (await self.phone.driver.get("/market"))["hedges"]
            mine: list[Json] = [hedge for hedge in hedges if hedge["user_id"] == self.id]
            if len(mine) == 1 and fits(mine[0]):
                return mine[0]
            if time.monotonic() > until:
                raise NothingCame(f"user {self.id}: {named} is not so after {seconds:g} s: {mine}")
            await asyncio.sleep(_LOOK_EVERY)


def text_of(message: Json) -> str:
    """A message's text or caption."""
    return str(message["text"] or message["caption"] or "")


def buttons_of(message: Json) -> list[Json]:
    return [button for row in message["buttons"] for button in row]


def has(message: Json, button: str) -> bool:
    """Whether the message has a button whose text begins so and which can be tapped."""
    return any(
        _begins(b, button) and "callback_data" in b and not b.get("disabled") for b in buttons_of(message)
    )


def named(message: Json, button: str) -> Json:
    """The button whose text begins so."""
    found = [b for b in buttons_of(message) if _begins(b, button)]
    assert found, f"no button {button!r} under {told(message)}"
    return found[0]


def _begins(button: Json, text: str) -> bool:
    words = str(button["text"])
    return words.startswith(text) or words.lstrip("✓✔✅✖❌⚖️🔁⏸🔕🔍 ").startswith(text)


def is_receipt(message: Json) -> bool:
    """A card that was edited to its end: nothing to confirm, and not still being sent."""
    text = text_of(message)
    return (
        message["edited"]
        and not has(message, "Confirm")
        and not has(message, "Cancel")
        and "Sending" not in text
        and not text.startswith("⏳")
    )


def told(message: Json) -> str:
    """A message for a failure's text."""
    labels = " | ".join(str(button["text"]) for button in buttons_of(message))
    return f"[{message['id']} {message['from']}{' edited' * message['edited']}] {text_of(message)} [{labels}]"


def shorts(hedge: Json) -> dict[str, str]:
    """Symbol -> contracts of everything short in a hedge of GET /sandbox/market."""
    return {p["symbol"]: p["contracts"] for p in hedge["positions"] if p["side"] == "short"}


def in_band(hedge: Json) -> bool:
    return abs(float(hedge["coverage"]) - float(hedge["target"])) <= float(hedge["band"])


@asynccontextmanager
async def people_at(address: str) -> AsyncIterator[Callable[[int], Person]]:
    """People by their ids at the demo with that address."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=90)) as http:
        driver = Driver(http, address)
        yield lambda user_id: Person(driver.phone(user_id))


async def all_at_once(*work: Any) -> Sequence[Any]:
    """Everything at once; the first failure is raised when all have ended."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
