"""What their owner does with the coins: coverage drifts, a short is left without its coin, a hedge is of coins sold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.person import all_at_once
from tests.journeys.kinds.life import Life, hedged, still_demo


@dataclass(frozen=True)
class Story:
    """What somebody holds and then writes, and the words by which each stage is known."""

    kind: str
    holds: Sequence[str]
    writes: tuple[str, str, str]
    says: tuple[str, str, str]


STORIES = (
    Story(
        "drift",
        ("DOT 3000",),
        ("/add DOT 1500", "/add DOT 3000", "/remove DOT 4500"),
        ("Coverage fell to", "It got worse", "Coverage is back"),
    ),
    Story(
        "orphan",
        ("SOL 60", "ETH 3", "LINK 300"),
        ("/remove LINK", "/remove SOL", "/add SOL 60\nLINK 300"),
        ("protects nothing", "It got worse", "Every short protects something again"),
    ),
    Story(
        "stale",
        ("ETH 4",),
        ("/remove ETH 1", "/remove ETH 1", "/add ETH 2"),
        ("You sold 25%", "It got worse", "up to date again"),
    ),
)


async def test_each_is_raised_grows_worse_in_the_same_message_and_is_over_in_it(data: Path) -> None:
    async with still_demo(data) as people:

        async def live(n: int, story: Story) -> Life:
            person = people(n)
            life = Life(person, story.kind, await hedged(person, *story.holds))
            await person.ask(story.writes[0])
            await life.new("raised", story.says[0])
            await person.ask(story.writes[1])
            await life.becomes("worse", story.says[1])
            await person.ask(story.writes[2])
            await life.becomes("over", story.says[2])
            return life

        lives = await all_at_once(*(live(n, story) for n, story in enumerate(STORIES, 1)))
    for life in lives:
        life.check()
