"""The drill of 10 October 2025 as two people live it on an exchange's wire, one with permission, and one on paper: all
that they are told, in order, against files. `GOLDEN=write pytest tests/journeys/test_october.py` writes them anew."""

import asyncio
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from bot.cli.demo import TICK_SECONDS
from tests.fakes.demo import complaints, running_demo
from tests.fakes.person import Person, has, people_at, text_of
from tests.fakes.phone import Driver, Json
from tests.journeys.kinds.life import BEGIN

QUIET = 3.0  # seconds
GOLDEN = Path(__file__).parent / "golden"


@dataclass
class Diary:
    """What one person's chat shows at each stage, where it is new or has changed since the one before."""

    person: Person
    after: int = 0
    pages: list[str] = field(default_factory=list)
    shown: dict[int, str] = field(default_factory=dict)

    async def stage(self, name: str, words: str) -> Json:
        """Wait for a message with the words; then write down what the chat says."""

        def find(messages: list[Json]) -> Json | None:
            mine = [m for m in messages if m["from"] == "bot" and m["id"] > self.after]
            return next((m for m in reversed(mine) if words in text_of(m)), None)

        seen = await self.person.wait(find, f"{name}: {words!r}")
        await self._quiet()
        for message in await self.person.messages():
            text = _written(message)
            if (
                message["from"] == "bot"
                and message["id"] > self.after
                and self.shown.get(message["id"]) != text
            ):
                edited = message["id"] in self.shown
                sound = "" if edited or message["silent"] else ", with sound"
                self.pages.append(f"=== {name}: {'edited' if edited else 'new'}{sound}\n{text}\n")
                self.shown[message["id"]] = text
        return seen

    async def _quiet(self) -> None:
        """What one tick tells comes within three seconds; wait for its last word."""
        loop, before = asyncio.get_running_loop(), ""
        until = loop.time() + QUIET
        while loop.time() < until:
            now = "".join(map(_written, await self.person.messages()))
            if now != before:
                before, until = now, loop.time() + QUIET
            await asyncio.sleep(0.1)

    def check(self, name: str) -> None:
        file, written = GOLDEN / f"october_{name}.txt", "\n".join(self.pages)
        if os.environ.get("GOLDEN") == "write":
            file.parent.mkdir(exist_ok=True)
            file.write_text(written)
        assert written == file.read_text()


def _written(message: Json) -> str:
    said = re.sub(r"(answers nobody since) \d\d:\d\d", r"\1 HH:MM", text_of(message))
    rows = [" ".join(f"[{button['text']}]" for button in row) for row in message["buttons"]]
    return "\n".join([said, *(["---", *rows] if rows else [])])


async def hedged(person: Person) -> Diary:
    await person.add("SOL 60")
    return Diary(person, int((await person.confirm())["id"]))


async def permits(person: Person) -> None:
    asked = await person.ask("/permission order 50000 day 100000 slippage 3%")
    await person.tap(asked, "Both")
    sure = await person.see(lambda m: m["id"] == asked["id"] and has(m, "Give permission"), "the question")
    await person.tap(sure, "Give permission")
    await person.see(lambda m: m["id"] == asked["id"] and "without asking" in text_of(m), "that it is given")


async def unanswered(driver: Driver, *spans: str) -> None:
    """So long passes for the bot, and it looks between, in vain."""
    for span in spans:
        await asyncio.sleep(2 * TICK_SECONDS)
        await driver.post("/wait", {"for": span})


async def test_on_an_exchange_the_hedge_is_closed_and_comes_back_by_itself_or_with_one_tap(
    data: Path,
) -> None:
    with running_demo(
        data, "--speed", "0", "--seed", "11", "--start", BEGIN, "--exchange", "binance"
    ) as demo:
        async with people_at(demo.address) as people:
            ada, bob = people(1), people(2)
            driver = ada.phone.driver
            await permits(ada)
            hers, his = await hedged(ada), await hedged(bob)

            await driver.post("/market", {"shock": "october"})
            await driver.post("/market", {"skip": "4m"})
            await hers.stage("after four minutes", "may close your SOL short")
            await his.stage("after four minutes", "may close your SOL short")
            await driver.post("/market", {"skip": "3m"})
            await hers.stage("after seven minutes", "Done by your permission")
            await his.stage("after seven minutes", "Coverage fell to 0%")
            alarm = await bob.see(lambda m: has(m, "Rebalance"), "the way back")
            await bob.tap(alarm, "Rebalance")
            await his.stage("one tap", "✅ Hedged")
            await driver.post("/market", {"skip": "3m"})
            await unanswered(driver, "3m", "3m")
            await hers.stage("after ten minutes", "I cannot see your account")
            await his.stage("after ten minutes", "I cannot see your account")
            await driver.post("/market", {"skip": "6m"})
            await driver.post("/wait", {"for": "6m"})
            await hers.stage("after sixteen minutes", "Binance is back")
            await his.stage("after sixteen minutes", "Binance is back")
        found = complaints(demo.bot_log)
        assert not found, f"the bot complains: {found}"
    hers.check("with_permission")
    his.check("without")


async def test_on_paper_nobody_closes_the_hedge_and_the_market_goes_away_for_a_while(data: Path) -> None:
    with running_demo(data, "--speed", "0", "--seed", "11", "--start", BEGIN) as demo:
        async with people_at(demo.address) as people:
            eve = people(1)
            driver = eve.phone.driver
            diary = await hedged(eve)
            await driver.post("/market", {"shock": "october"})
            await driver.post("/market", {"skip": "8m"})
            await diary.stage("after eight minutes", "Your coins lost")
            await driver.post("/market", {"skip": "2m"})
            await unanswered(driver, "3m", "3m")
            await diary.stage("after ten minutes", "I have no prices")
            await driver.post("/market", {"skip": "6m"})
            await diary.stage("after sixteen minutes", "There are prices")
        found = complaints(demo.bot_log)
        assert not found, f"the bot complains: {found}"
    diary.check("on_paper")
