"""One history, drawn by a seed: its owner writes, taps what was ever shown to them, and time and prices move."""

import asyncio
import logging
import random
from pathlib import Path

from tests.simulation.histories.world import ADA, BOB, Seen, Shown, World, laid_out
from tests.simulation.process import loop as virtual
from tests.simulation.process.sqlite import without_threads

STEPS = 20
RULES = ("25%", "50%", "75%", "100%", "1x", "3x", "band 5", "ETH")
CAPS = (
    "order 20000 day 21000",
    "order 3000 day 4000",
    "order 20000 day 25000",
    "order 20000 day 60000",
    "order 20000 day 60000 5x slippage 2%",
)
WORDS = (
    "/hedge", "/hedge", "/unhedge", "/unhedge 50%", "/hedge 75%", "/status", "/alerts", "/permission", "/accounts",
    "/pause", "/pause 2h", "/resume", "/panic", "/rule",
)  # fmt: skip
STEPS_OF_CLOCK = (-26 * 3600, -3600, -240, 240, 900, 7300, 12 * 3600, 26 * 3600)  # seconds
LEAPS = (0.6, 0.75, 0.9, 1.1, 1.3, 1.6)
SENDS = ("ok:", "rb:")
GIVES = ("pm:give:", "pm:ask:both", "pm:ask:reduce", "ac:use:")


async def live(world: World, chance: random.Random) -> None:
    """A hedge and mostly a permission at first; then whatever comes."""
    await world.says(ADA, f"/rule {chance.choice(RULES[:4])}")
    await world.says(ADA, f"/permission {chance.choice(CAPS)}")
    if chance.random() < 0.8:
        await world.says(ADA, "/hedge")
        await tapped(world, chance, "ok:")
    if chance.random() < 0.8:
        await world.says(ADA, "/permission")
        await tapped(world, chance, f"pm:ask:{chance.choice(('both', 'both', 'reduce'))}")
        await tapped(world, chance, "pm:give:")
    for step in range(1, STEPS):
        world.step = step
        await act(world, chance)


async def act(world: World, chance: random.Random) -> None:
    match chance.choices(range(9), (2, 2, 4, 6, 1, 1, 2, 2, 1))[0]:
        case 0:
            if chance.random() < 0.3:
                await world.says(ADA, "/hedge")
            await world.says(ADA, f"/rule {chance.choice(RULES)}")
            if chance.random() < 0.5:  # what stood there before
                await tapped(world, chance, chance.choice(SENDS))
        case 1:
            await world.says(ADA, chance.choice(WORDS))
        case 2:
            await tap_something(world, chance)
        case 3:
            world.market.move(**{chance.choice(("ATOM", "SOL")): chance.choice(LEAPS)})
            await world.tick()
        case 4:
            await world.clock_goes(chance.choice(STEPS_OF_CLOCK))
        case 5:
            await world.tick()
            await asyncio.sleep(chance.choice((5, 70, 400)))
        case 6:
            await world.says(ADA, f"/permission {chance.choice(CAPS)}")
            if chance.random() < 0.6:
                await tapped(world, chance, "pm:ask:both")
            if chance.random() < 0.6:
                await tapped(world, chance, "pm:give:both")
            else:
                await tap_something(world, chance, GIVES)
        case 7:
            await change_account(world, chance)
        case _:
            await around_midnight(world, chance)


async def change_account(world: World, chance: random.Random) -> None:
    """To another account, hedged there, sometimes with a permission there; then the market moves."""
    await world.says(ADA, "/unhedge")
    await tapped(world, chance, "ok:")
    await world.says(ADA, "/accounts")
    found = [(shown, data) for shown in world.shown[ADA] for data in shown.data if data.startswith("ac:use:")]
    if found:
        await world.taps(ADA, *chance.choice(found[-2:]))
    await world.says(ADA, "/hedge")
    await tapped(world, chance, "ok:")
    if chance.random() < 0.4:
        await world.says(ADA, "/permission")
        await tapped(world, chance, "pm:ask:both")
        await tapped(world, chance, "pm:give:both")
    world.market.move(ATOM=chance.choice(LEAPS))
    await world.tick()


async def around_midnight(world: World, chance: random.Random) -> None:
    """The clock goes over midnight and back, and the market moves on both sides."""
    for hours in (13, -13, 13, -13):
        await world.clock_goes(hours * 3600)
        world.market.move(ATOM=chance.choice(LEAPS))
        await world.tick()
        await world.tick()


async def tap_something(world: World, chance: random.Random, kinds: tuple[str, ...] = ()) -> None:
    """Any button that was ever shown, sometimes twice, sometimes by somebody else; mostly one that matters."""
    every = [(shown, data) for shown in world.shown[ADA] for data in shown.data]
    wanted = kinds or chance.choice((SENDS, GIVES, SENDS + GIVES, ("",)))
    found = [one for one in every if one[1].startswith(wanted)] or every
    shown, data = found[-1] if chance.random() < 0.3 else chance.choice(found)
    who = BOB if chance.random() < 0.1 else ADA
    for _ in range(chance.choice((1, 1, 2))):
        await world.taps(who, shown, data)


async def tapped(world: World, chance: random.Random, begin: str) -> None:
    """The latest button of that kind, if there is one."""
    found: list[tuple[Shown, str]] = [
        (shown, data) for shown in world.shown[ADA] for data in shown.data if data.startswith(begin)
    ]
    if found:
        await world.taps(ADA, *found[-1])


def tell(seed: int, folder: Path, template: Path) -> Seen:
    """The history of that seed, to its end; what was seen of it."""

    async def whole() -> Seen:
        world = World(laid_out(folder, template))
        await world.begin()
        await live(world, random.Random(seed))
        await world.end()
        return world.seen

    logging.disable(logging.WARNING)
    try:
        with without_threads():
            return virtual.run(whole())
    finally:
        logging.disable(logging.NOTSET)
