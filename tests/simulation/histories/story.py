"""One history, drawn by a seed: its owner writes, taps what was ever shown to them, and time and prices move."""

import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from tests.simulation.histories.world import ADA, BOB, Seen, Shown, World, laid_out
from tests.simulation.process import loop as virtual
from tests.simulation.process.sqlite import without_threads

STEPS = 14
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
LEAPS = (0.5, 0.65, 0.8, 1.0, 1.25, 1.5)  # of the price at first
SENDS = ("ok:", "rb:")
GIVES = ("pm:give:", "pm:ask:both", "pm:ask:reduce", "ac:use:")


async def live(world: World, chance: random.Random, plots: Sequence[str]) -> None:
    """A hedge and mostly a permission at first; then whatever comes of the plots."""
    await world.says(ADA, f"/rule {chance.choice(RULES[:4])}")
    await world.says(ADA, f"/permission {chance.choice(CAPS)}")
    if chance.random() < 0.8:
        await world.says(ADA, "/hedge")
        await tapped(world, "ok:")
    if chance.random() < 0.8:
        await permit(world, chance.choice(("both", "both", "both", "reduce")))
    for step in range(1, STEPS):
        world.step = step
        await PLOTS[chance.choice(plots)](world, chance)


async def rule(world: World, chance: random.Random) -> None:
    """The rule changes under a card or an alert that stands there."""
    if chance.random() < 0.5:
        await world.says(ADA, "/hedge")
    await world.says(ADA, f"/rule {chance.choice(RULES)}")
    if chance.random() < 0.6:
        await tapped(world, chance.choice(SENDS))


async def word(world: World, chance: random.Random) -> None:
    await world.says(ADA, chance.choice(WORDS))


async def button(world: World, chance: random.Random) -> None:
    await tap_something(world, chance)


async def market(world: World, chance: random.Random) -> None:
    world.price(chance.choice(("ATOM", "ATOM", "SOL")), chance.choice(LEAPS))
    await world.tick()


async def clock(world: World, chance: random.Random) -> None:
    await world.clock_goes(chance.choice(STEPS_OF_CLOCK))


async def permission(world: World, chance: random.Random) -> None:
    """New caps, and then the card of now or one of before."""
    if chance.random() < 0.4:
        await world.says(ADA, "/permission")
        await tapped(world, "pm:ask:both")
    await world.says(ADA, f"/permission {chance.choice(CAPS)}")
    if chance.random() < 0.5:
        await tapped(world, "pm:ask:both")
    if chance.random() < 0.6:
        await tapped(world, "pm:give:both")
    else:
        await tap_something(world, chance, ("pm:give:both",))
    await market(world, chance)


async def pause(world: World, chance: random.Random) -> None:
    """A pause, and what might lift it."""
    await world.says(ADA, chance.choice(("/pause", "/pause 2h", "/panic")))
    if chance.random() < 0.6:
        await permit(world, "both")
    await market(world, chance)
    if chance.random() < 0.6:
        await world.says(ADA, "/resume")


async def account(world: World, chance: random.Random) -> None:
    """Another account comes into use and is hedged, sometimes with a permission there; then the market moves."""
    world.price("ATOM", 1.0)
    await world.says(ADA, "/unhedge")
    await tapped(world, "ok:")
    await world.says(ADA, "/accounts")
    shown = world.shown[ADA][-1]
    uses = [data for data in shown.data if data.startswith("ac:use:")]
    if uses:
        await world.taps(ADA, shown, chance.choice(uses))
    await world.says(ADA, "/hedge")
    await tapped(world, "ok:")
    if chance.random() < 0.5:
        await world.says(ADA, f"/permission {chance.choice(CAPS)}")
        await permit(world, "both")
    await market(world, chance)


async def old_card(world: World, chance: random.Random) -> None:
    """A card that asks for a permission lies in the chat for a while before it is tapped."""
    await world.says(ADA, "/permission")
    await tapped(world, "pm:ask:both")
    await world.clock_goes(chance.choice((200, 299, 301, 900, 26 * 3600)))
    await tapped(world, "pm:give:both")


async def midnight(world: World, chance: random.Random) -> None:
    """The clock goes over midnight and back, and the market moves on both sides."""
    for hours in (13, -13, 13, -13):
        await world.clock_goes(hours * 3600)
        world.price("ATOM", chance.choice(LEAPS))
        await world.tick()


PLOTS: Mapping[str, Callable[[World, random.Random], Awaitable[None]]] = {
    plot.__name__: plot
    for plot in (rule, word, button, market, clock, permission, pause, account, old_card, midnight)
}
MIXED = ("rule", "rule", "word", "word", "button", "button", "button", "market", "market", "clock", "permission",
         "pause", "account", "old_card", "midnight")  # fmt: skip


async def permit(world: World, acts: str) -> None:
    await world.says(ADA, "/permission")
    await tapped(world, f"pm:ask:{acts}")
    await tapped(world, f"pm:give:{acts}")


async def tap_something(world: World, chance: random.Random, kinds: tuple[str, ...] = ()) -> None:
    """Any button that was ever shown, sometimes twice, sometimes by somebody else; mostly one that matters."""
    every = [(shown, data) for shown in world.shown[ADA] for data in shown.data]
    wanted = kinds or chance.choice((SENDS, GIVES, SENDS + GIVES, ("",)))
    found = [one for one in every if one[1].startswith(wanted)] or every
    shown, data = found[-1] if chance.random() < 0.3 else chance.choice(found)
    who = BOB if chance.random() < 0.1 else ADA
    for _ in range(chance.choice((1, 1, 2))):
        await world.taps(who, shown, data)


async def tapped(world: World, begin: str) -> None:
    """The latest button of that kind, if there is one."""
    found: list[tuple[Shown, str]] = [
        (shown, data) for shown in world.shown[ADA] for data in shown.data if data.startswith(begin)
    ]
    if found:
        await world.taps(ADA, *found[-1])


def tell(seed: int, folder: Path, template: Path, plots: Sequence[str] = MIXED) -> Seen:
    """The history of that seed, to its end; what was seen of it. `plots`: what may happen in it."""

    async def whole() -> Seen:
        world = World(laid_out(folder, template))
        await world.begin()
        await live(world, random.Random(seed), plots)
        await world.end()
        return world.seen

    logging.disable(logging.WARNING)
    try:
        with without_threads():
            return virtual.run(whole())
    finally:
        logging.disable(logging.NOTSET)
