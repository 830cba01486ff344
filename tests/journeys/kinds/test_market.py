"""What the market does: each kind in a demo of its own, because everybody there has the same market."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.chat.views.alerts import MUTABLE
from tests.fakes.person import Person
from tests.fakes.phone import Driver, Json
from tests.journeys.kinds.life import Life, hedged, still_demo


@dataclass(frozen=True)
class Story:
    """What somebody holds; what the market then does, and the words by which each stage is known. `anew`: what has
    become worse is told in a new message, and the earlier one says so."""

    kind: str
    holds: Sequence[str]
    market: tuple[Sequence[Json], Sequence[Json], Sequence[Json]]
    says: tuple[str, str, str]
    anew: bool = False


def shock(kind: str, size: float) -> Json:
    return {"shock": kind, "size": size}


def skip(span: str) -> Json:
    return {"skip": span}


ALTCOINS = ("DOT 2273", "ATOM 2174", "UNI 1449", "ARB 27778", "POL 41667", "XLM 37037", "APT 1786")
STORIES = (
    Story(
        "market_move",
        ("SOL 60", "ETH 2"),
        ([shock("crash", 0.12)], [shock("crash", 0.12)], [skip("25h")]),
        ("Your coins lost", "Your coins lost", "No further large move"),
        anew=True,
    ),
    Story(
        "basis",
        ("SOL 60",),
        ([shock("gap", 0.015)], [shock("gap", 0.025)], [skip("2d")]),
        ("above the coin's price", "It got worse", "has closed"),
    ),
    Story(
        "volatility",
        ("SOL 60",),
        (
            [shock("crash", 0.12), skip("2h")],
            [shock("crash", 0.2), skip("2h")],
            [skip("4d")],
        ),
        ("swing", "It got worse", "swing as usual again"),
    ),
    Story(
        "funding",
        ("SOL 60",),
        (
            [shock("funding", 0.0005), skip("17h")],
            [shock("funding", 0.003), skip("9h")],
            [skip("4d")],
        ),
        ("a month in funding", "It got worse", "no longer pays much"),
    ),
    Story(
        "correlation",
        ALTCOINS,
        (
            [shock("decorrelate", 0.6), skip("12h")],
            [shock("decorrelate", 1.0), skip("12h")],
            [skip("15d")],
        ),
        ("follows your coins less", "Updated", "follows your coins again"),
    ),
)


async def only(person: Person, *kinds: str) -> None:
    """Hear of nothing else: what comes in a crowd is one summary."""
    for kind in MUTABLE:
        if kind not in kinds:
            await person.ask(f"/alerts mute {kind}")


async def move(driver: Driver, orders: Sequence[Json]) -> None:
    for order in orders:
        await driver.post("/market", order)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.kind)
async def test_it_is_raised_develops_in_its_message_and_is_over(data: Path, story: Story) -> None:
    async with still_demo(data) as people:
        ada = people(1)
        life = Life(ada, story.kind, await hedged(ada, *story.holds))
        await only(ada, story.kind)
        driver = ada.phone.driver
        await move(driver, story.market[0])
        await life.new("raised", story.says[0])
        await move(driver, story.market[1])
        if story.anew:
            await life.new("again", story.says[1])
            await life.becomes("replaced", "newer message", which=-2)
        else:
            await life.becomes("developed", story.says[1])
        await move(driver, story.market[2])
        await life.becomes("over", story.says[2])
        await life.is_over()
    life.check()


async def test_a_hedge_near_its_liquidation_is_told_with_sound_before_its_margin_is_used_up(
    data: Path,
) -> None:
    async with still_demo(data) as people:
        ada = people(1)
        receipt = await hedged(ada, "SOL 2400", rule="100% 5x band 25")
        await only(ada, "liquidation", "margin")
        near, margin = Life(ada, "liquidation", receipt), Life(ada, "margin", receipt)
        driver = ada.phone.driver
        await move(driver, [shock("rally", 0.05)])
        await near.new("raised", "would end your SOL hedge")
        await move(driver, [shock("rally", 0.1)])
        await near.new("worse", "A rise of only")
        await near.becomes("replaced", "newer message", which=-2)
        await move(driver, [shock("rally", 0.0606)])
        await margin.new("raised", "⚠️ Margin is")
        await move(driver, [shock("gap", 0.0055)])
        await margin.new("worse", "🔴 Margin is")
        await margin.becomes("replaced", "newer message", which=-2)
        await move(driver, [shock("crash", 0.25)])
        await margin.new("over", "enough margin again")
        await near.new("over", "Liquidation is far away again")
        await margin.becomes("closed", "enough margin again", which=-2)
        await near.becomes("closed", "Liquidation is far away again", which=-2)
        await near.is_over()
    near.check()
    margin.check()
