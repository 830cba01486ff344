"""What happens at an exchange: it goes away, refuses a key, closes a short, or does not say what became of an order."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.connecting import EXCHANGES, MODES, as_written, connected, practice_key
from tests.fakes.person import Person, has
from tests.fakes.phone import Driver
from tests.journeys.kinds.life import SECONDS, Life, hedged, still_demo


async def on(person: Person, exchange: str) -> str:
    """Connect a practice account there and use it; its key as it is written in the chat."""
    key = await practice_key(person.phone.driver, exchange)
    outcome = await connected(person, exchange, MODES[exchange], as_written(key))
    if MODES[exchange] == "live":
        await person.tap(outcome, f"Use {EXCHANGES[exchange]}: real money")
    return as_written(key)


async def looked_at(driver: Driver, exchange: str, times: int = 4) -> None:
    """Wait until positions there were read so often: once in a quiet tick, up to three times in a new hedge's first."""

    async def looks() -> int:
        return int((await driver.get("/exchanges"))[exchange]["calls"]["positions"])

    until = await looks() + times
    async with asyncio.timeout(SECONDS):
        while await looks() < until:  # noqa: ASYNC110 # there is nothing here to be woken by
            await asyncio.sleep(0.05)


async def trouble(driver: Driver, exchange: str, kind: str) -> None:
    await driver.post(f"/exchanges/{exchange}/trouble", {"kind": kind})


async def goes_away(ada: Person) -> Life:
    """In maintenance: told by name at once, after an hour with sound, and when it is back."""
    driver = ada.phone.driver
    await on(ada, "binance")
    life = Life(ada, "exchange_down", await hedged(ada, "SOL 60"))
    await looked_at(driver, "binance")
    await trouble(driver, "binance", "away")
    await looked_at(driver, "binance", 1)
    await life.new("raised", "Binance is in maintenance")
    await driver.post("/wait", {"for": "1h"})
    await life.new("worse", "for over an hour")
    await life.becomes("replaced", "newer message", which=-2)
    await trouble(driver, "binance", "back")
    await driver.post("/wait", {"for": "6m"})  # until it is tried again
    await life.new("over", "Binance is back")
    await life.becomes("closed", "Binance is back", which=-2)
    return life


async def refuses_the_key(ada: Person) -> Life:
    """Told at once by whoever noticed; as an alert after an hour, and again a quarter of an hour later."""
    driver = ada.phone.driver
    key = await on(ada, "bingx")
    life = Life(ada, "key_failing", await hedged(ada, "SOL 60"))
    await looked_at(driver, "bingx")
    await trouble(driver, "bingx", "key")
    await life.new("first word", "does not accept your key any more")
    await driver.post("/wait", {"for": "1h"})
    await life.new("raised", "has refused your key for over an hour")
    await driver.post("/wait", {"for": "16m"})
    await life.new("nobody has seen it", "Reminder")
    await life.becomes("replaced", "newer message", which=-2)
    await trouble(driver, "bingx", "back")
    await connected(ada, "bingx", "demo", key)
    await life.new("over", "accepts your key again")
    await life.becomes("closed", "accepts your key again", which=-2)
    return life


async def closes_the_short(ada: Person) -> Life:
    """Without a word of why: what it cannot look up, the bot tells as what it is."""
    driver = ada.phone.driver
    await on(ada, "bybit")
    life = Life(ada, "forced_close", await hedged(ada, "SOL 60"))
    await looked_at(driver, "bybit")
    await trouble(driver, "bybit", "silent")
    await trouble(driver, "bybit", "close")
    await life.new("raised", "was closed")
    await trouble(driver, "bybit", "back")
    alarm = await life.becomes("explained", "Bybit closed your short")
    await ada.tap(alarm, "Show the hedge")
    card = await ada.see(lambda m: m["id"] > alarm["id"] and has(m, "Confirm"), "a card")
    await ada.tap(card, "Confirm")
    await ada.receipt(card)
    return life


async def tells_no_money(ada: Person) -> Life:
    """Whose hedge is open is told so after the second look, and nothing is closed for it."""
    driver = ada.phone.driver
    await on(ada, "binance")
    life = Life(ada, "balance", await hedged(ada, "SOL 60"))
    await looked_at(driver, "binance")
    await trouble(driver, "binance", "balance")
    await looked_at(driver, "binance", 2)
    await life.new("raised", "tells no money behind your hedge")
    await trouble(driver, "binance", "back")
    await life.becomes("over", "makes sense again")
    return life


async def loses_the_order(ada: Person) -> Life:
    """It was filled, its answer was lost, and nothing tells of it for a while."""
    driver = ada.phone.driver
    await on(ada, "mexc")
    await trouble(driver, "mexc", "order")
    await ada.add("SOL 60")
    card = await ada.card()
    life = Life(ada, "order_waiting", card["id"])
    await ada.tap(card, "Confirm")
    await life.becomes("at once", "waiting to learn")
    await driver.post("/wait", {"for": "4m"})
    await life.new("raised", "is still unclear")
    await driver.post("/wait", {"for": "3m"})
    await life.new("worse", "has been unclear")
    await life.becomes("replaced", "newer message", which=-2)
    await trouble(driver, "mexc", "back")
    await life.new("over", "order is settled")
    await life.becomes("closed", "order is settled", which=-2)
    return life


async def key_is(driver: Driver, key: str, **told: object) -> None:
    """What Bybit tells of the key from now on; the bot asks within a day and an hour."""
    api_key, secret = key.split()[:2]
    await driver.post("/exchanges/bybit/accounts", {"key": api_key, "secret": secret, **told})
    for waited in ("24h", "1h"):  # a day is the most at once
        await driver.post("/wait", {"for": waited})


async def ends_the_key(ada: Person) -> Life:
    """Told at two stages, and over once the key has no end any more."""
    driver = ada.phone.driver
    key = await on(ada, "bybit")
    life = Life(ada, "key_expiring", await hedged(ada, "SOL 60"))
    await looked_at(driver, "bybit")
    await key_is(driver, key, expires=(datetime.now(UTC) + timedelta(days=14, hours=12)).isoformat())
    await life.new("raised", "key ends in 14 days")
    for _ in range(7):
        await driver.post("/wait", {"for": "23h"})
    await life.new("the next stage", "key ends in 7 days")
    await life.becomes("replaced", "newer message", which=-2)
    await key_is(driver, key, expires=None)
    await life.becomes("over", "was renewed")
    return life


async def takes_rights_away(ada: Person) -> Life:
    """The address list at first, then the right to trade, which comes with sound."""
    driver = ada.phone.driver
    key = await on(ada, "bybit")
    life = Life(ada, "key_rights", await hedged(ada, "SOL 60"))
    await looked_at(driver, "bybit")
    await key_is(driver, key, address_list=False)
    await life.new("raised", "works from every address now")
    await key_is(driver, key, can_trade=False)
    await life.new("worse", "may not trade futures any more")
    await life.becomes("replaced", "newer message", which=-2)
    await key_is(driver, key, can_trade=True, address_list=True)
    await life.new("over", "has its rights back")
    await life.becomes("closed", "has its rights back", which=-2)
    return life


@pytest.mark.parametrize(
    "befalls",
    [
        goes_away,
        refuses_the_key,
        closes_the_short,
        loses_the_order,
        tells_no_money,
        ends_the_key,
        takes_rights_away,
    ],
)
async def test_what_an_exchange_does_is_told_until_it_is_over(
    data: Path, befalls: Callable[[Person], Awaitable[Life]]
) -> None:
    async with still_demo(data) as people:
        life = await befalls(people(1))
        await life.is_over()
    life.check()
