"""The life of one alert as its reader sees it, whole, against a file of its kind.

`GOLDEN=write pytest tests/journeys/kinds` writes the files anew. Masked in them is only since when an exchange is away:
the market stands still between two orders of the driver, begins at a stated hour, and is drawn from a stated seed.
"""

import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.demo import complaints, running_demo
from tests.fakes.person import Person, has, people_at, text_of, told
from tests.fakes.phone import Json

GOLDEN = Path(__file__).parent / "golden"
BEGIN = "2026-03-02T09:00:00"
SECONDS = 20.0


@asynccontextmanager
async def still_demo(data: Path, *, seed: int = 11) -> AsyncIterator[Callable[[int], Person]]:
    """People at a demo of the test's own, whose market moves only when it is told to. In the end the bot must have
    had nothing to complain of."""
    with running_demo(data, "--speed", "0", "--seed", str(seed), "--start", BEGIN) as demo:
        async with people_at(demo.address) as people:
            yield people
        found = complaints(
            demo.bot_log
        )  # before the stop, which cuts off look-ups that would go on for minutes
        assert not found, f"the bot complains: {found}"
        assert demo.stop() == 0


@dataclass
class Life:
    """What `person` is told of one matter of this kind, stage by stage. `after`: the message before it."""

    person: Person
    kind: str
    after: int = 0
    stages: list[str] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)  # that have told of it

    async def new(self, stage: str, words: str) -> Json:
        """Wait for a message of its own."""
        latest = self.messages[-1] if self.messages else self.after
        seen = await self.person.see(
            lambda m: m["from"] == "bot" and m["id"] > latest and words in text_of(m),
            f"{self.kind} {stage}: a message with {words!r}",
            seconds=SECONDS,
        )
        self.messages.append(seen["id"])
        self._note(f"{stage}: a new message{'' if seen['silent'] else ' with sound'}", seen)
        return seen

    async def becomes(self, stage: str, words: str, *, which: int = -1) -> Json:
        """Wait until its latest message, or another one, is edited to say so; before its first, the card itself."""
        wanted = self.messages[which] if self.messages else self.after
        seen = await self.person.see(
            lambda m: m["id"] == wanted and words in text_of(m),
            f"{self.kind} {stage}: {words!r} in message {wanted}",
            seconds=SECONDS,
        )
        which_one = "same" if self.messages[-1:] == [wanted] else "earlier" if self.messages else "card's"
        self._note(f"{stage}: the {which_one} message", seen)
        return seen

    async def is_over(self) -> None:
        """No message of the chat still offers what can be done about an alert, and no other was one."""
        left = [told(m) for m in await self.person.messages() if m["id"] > self.after and has(m, "Snooze")]
        assert not left, f"{self.kind} is over, and there still is {left}"

    def check(self) -> None:
        """The whole texts are as the file says."""
        file, written = GOLDEN / f"{self.kind}.txt", "\n".join(self.stages)
        if os.environ.get("GOLDEN") == "write":
            file.write_text(written)
        assert written == file.read_text()

    def _note(self, stage: str, message: Json) -> None:
        # Since when an exchange is away is its own time, which no demo can set.
        said = re.sub(r"(in maintenance since) \d\d:\d\d", r"\1 HH:MM", text_of(message))
        rows = [" ".join(f"[{button['text']}]" for button in row) for row in message["buttons"]]
        self.stages.append("\n".join([f"=== {stage}", said, *(["---", *rows] if rows else []), ""]))


async def hedged(person: Person, *coins: str, rule: str = "") -> int:
    """With these coins, hedged by that rule; the message of the receipt."""
    if rule:
        await person.ask(f"/rule {rule}")
    await person.add(*coins)
    return int((await person.confirm())["id"])
