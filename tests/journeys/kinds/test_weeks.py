"""What time does: a week is skipped, and the hedge has reached its end; a quarter is, and the hedge is old."""

from pathlib import Path

from tests.fakes.person import Person, has
from tests.journeys.kinds.life import Life, hedged, still_demo


async def only(person: Person, kind: str) -> None:
    """Hear of nothing else that prices do in half a year."""
    for other in ("drift", "market_move", "funding", "volatility", "correlation", "stale"):
        if other != kind:
            await person.ask(f"/alerts mute {other}")


async def test_after_skipped_weeks_a_hedge_has_reached_its_exit_and_then_is_old(data: Path) -> None:
    async with still_demo(data) as people:
        ada, bob = people(1), people(2)
        driver = ada.phone.driver
        exit_ = Life(ada, "exit", await hedged(ada, "SOL 60"))
        await only(ada, "exit")
        await ada.ask("/alerts end SOL above 150")
        await ada.ask("/alerts end on 2026-03-09")
        old = Life(bob, "stale_age", await hedged(bob, "ETH 4"))
        await only(bob, "stale")

        await driver.post("/market", {"shock": "rally", "size": 0.1})
        await exit_.new("raised", "you wanted the hedge to end here")
        await driver.post("/market", {"skip": "7d"})  # the button Skip a week
        await exit_.becomes("a week later", "has reached its last day")
        await ada.ask("/alerts end never")
        await exit_.becomes("over", "is within its terms again")

        await driver.post("/market", {"skip": "12w"})  # at once: a tick between two weeks would tell of those
        await old.new("raised", "is it still wanted?")
        await driver.post("/market", {"skip": "13w"})
        await old.becomes("worse", "It got worse")
        await bob.ask("/add ETH 2")
        card = await bob.card()
        assert has(card, "Confirm")
        await bob.tap(card, "Confirm")
        await bob.receipt(card)
        await old.becomes("over", "up to date again")
        await exit_.is_over()
        await old.is_over()
    exit_.check()
    old.check()
