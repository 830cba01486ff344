"""Where a short stands in the queue for auto-deleveraging, as its exchange tells it."""

from pathlib import Path

from tests.fakes.connecting import as_written, connected, practice_key
from tests.journeys.kinds.life import Life, hedged, still_demo

SOL = "SOL/USDT:USDT"


async def test_the_risk_of_being_closed_is_told_until_it_is_over(data: Path) -> None:
    async with still_demo(data) as people:
        eve = people(1)
        driver = eve.phone.driver
        key = await practice_key(driver, "binance")
        await connected(eve, "binance", "demo", as_written(key))
        life = Life(eve, "adl", await hedged(eve, "SOL 60"))
        for rank, stage, words in (
            (4, "raised", "risk 4 of 5"),
            (5, "worse", "risk 5 of 5"),
            (2, "over", "is less likely"),
        ):
            body = {"key": key["key"], "secret": key["secret"], "ranks": {SOL: rank}}
            await driver.post("/exchanges/binance/accounts", body)
            await (life.new if stage == "raised" else life.becomes)(stage, words)
        await life.is_over()
    life.check()
