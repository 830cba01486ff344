"""Somebody connects an account on the stand-in of an exchange, as the guide in the chat says."""

from tests.fakes.person import Person, buttons_of, text_of
from tests.fakes.phone import Driver, Json

EXCHANGES = {"binance": "Binance", "bybit": "Bybit", "bingx": "BingX", "mexc": "MEXC", "weex": "WEEX"}
MODES = {name: "live" if name in ("mexc", "weex") else "demo" for name in EXCHANGES}


async def practice_key(driver: Driver, exchange: str) -> Json:
    made: Json = await driver.post(f"/exchanges/{exchange}/keys")
    return made


def as_written(key: Json) -> str:
    return "\n".join(str(key[part]) for part in ("key", "secret", "passphrase") if part in key)


async def connected(person: Person, exchange: str, mode: str, written: str) -> Json:
    """Through the guide, by taps, to the message that tells what the key is good for."""
    asked = await person.ask("/connect")
    await person.tap(asked, EXCHANGES[exchange])
    guide = await person.see(
        lambda m: m["id"] == asked["id"] and "Have it?" in text_of(m), f"the guide for {exchange}"
    )
    assert ("Demo" in {b["text"].split(":")[0] for b in buttons_of(guide)}) is (mode == "demo")
    await person.tap(guide, "Live" if mode == "live" else "Demo")
    await person.see(
        lambda m: m["id"] == asked["id"] and "Now send me" in text_of(m), "that a key is awaited"
    )
    mine = await person.write(written)
    outcome = await person.see(
        lambda m: m["id"] > mine and m["edited"] and "Trying" not in text_of(m), "what the key is good for"
    )
    assert all(m["id"] != mine for m in await person.messages()), "the key still stands in the chat"
    return outcome
