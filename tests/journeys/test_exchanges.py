"""From /connect to /disconnect on the stand-in of every exchange, over HTTP calls to the driver alone."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.connecting import EXCHANGES, MODES, as_written, connected, practice_key
from tests.fakes.demo import Demo, complaints, running_demo
from tests.fakes.person import Person, has, people_at, text_of, told
from tests.fakes.phone import Driver, Json

D = Decimal
COINS = ("SOL 120", "ETH 4")


@pytest.fixture
def demo(sqlite_demo: Demo) -> Demo:
    """The exchanges' side does not depend on the bot's database: once is enough."""
    return sqlite_demo


async def book(driver: Driver, exchange: str, key: Json) -> Json:
    """The account as its exchange has it."""
    accounts: list[Json] = (await driver.get("/exchanges"))[exchange]["accounts"]
    return accounts[int(key["account"])]


@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_connect_hedge_unhedge_and_disconnect(ada: Person, driver: Driver, exchange: str) -> None:
    title, mode = EXCHANGES[exchange], MODES[exchange]
    badge = f"{mode.upper()} · {title}"
    await ada.add(*COINS)
    key = await practice_key(driver, exchange)
    outcome = await connected(ada, exchange, mode, as_written(key))
    assert f"✅ Connected: {'💵' if mode == 'live' else '🧪'} {badge}" in text_of(outcome), told(outcome)
    assert "it free" in text_of(outcome)
    if mode == "live":
        await ada.tap(outcome, f"Use {title}: real money")
    assert badge in text_of(await ada.ask("/start"))

    card = await ada.card()
    assert badge in text_of(card), told(card)
    await ada.tap(card, "Confirm")
    receipt = await ada.receipt(card)
    assert "✅ Hedged" in text_of(receipt) and badge in text_of(receipt), told(receipt)
    held = await book(driver, exchange, key)
    assert {p["symbol"].split("/")[0] for p in held["positions"]} == {coin.split()[0] for coin in COINS}
    assert all(p["contracts"].startswith("-") for p in held["positions"])
    assert all(o["side"] == "sell" and o["filled"] == o["contracts"] for o in held["orders"])
    assert len(held["orders"]) == len(COINS) == len({o["client_id"] for o in held["orders"]})
    for order in held["orders"]:
        assert f"{D(order['contracts']).normalize():,f}" in text_of(receipt), (order, told(receipt))
    assert badge in text_of(await ada.ask("/status"))

    asked = await ada.ask("/disconnect")
    assert "A hedge is open" in text_of(asked) and has(asked, "Close the hedge first"), told(asked)
    await ada.tap(asked, "Keep it")
    done = await ada.confirm("/unhedge")
    assert "✅ Hedge closed" in text_of(done), told(done)
    closed = await book(driver, exchange, key)
    assert closed["positions"] == []
    assert [o["side"] for o in closed["orders"]] == ["sell"] * len(COINS) + ["buy"] * len(COINS)
    sold, bought = (
        sorted((o["symbol"], o["filled"]) for o in closed["orders"] if o["side"] == side)
        for side in ("sell", "buy")
    )
    assert sold == bought, "what was closed is what was opened"

    asked = await ada.ask("/disconnect")
    await ada.tap(asked, "Disconnect")
    gone = await ada.see(lambda m: m["id"] == asked["id"] and "is disconnected" in text_of(m), "the end")
    assert "Your rule trades on PAPER" in text_of(gone), told(gone)
    calls = (await driver.get("/exchanges"))[exchange]["calls"]
    assert "PAPER" in text_of(await ada.card())
    listed = await ada.ask("/accounts")
    assert title not in text_of(listed), told(listed)
    private = {"balance", "positions", "order", "permissions", "find", "fills"}
    after = (await driver.get("/exchanges"))[exchange]["calls"]
    assert {k: v for k, v in after.items() if k in private} == {
        k: v for k, v in calls.items() if k in private
    }


async def test_fault_44_a_key_is_nowhere_but_at_its_exchange(ada: Person, driver: Driver, demo: Demo) -> None:
    """Each key is searched for in all that is written: logs, databases, chats, calls, what the sandbox tells."""
    keys = {name: await practice_key(driver, name) for name in EXCHANGES}
    words = {part: name for name, key in keys.items() for part in (key["key"], key["secret"])}
    for name, key in keys.items():
        await connected(ada, name, MODES[name], as_written(key))
    await ada.ask(as_written(keys["bybit"]))  # nobody asked for it
    await connected(ada, "bybit", "demo", f"{keys['mexc']['key']} {keys['mexc']['secret']}")  # another's key
    await driver.post("/exchanges/bybit/accounts", {**keys["bybit"], "revoked": True})
    await ada.ask("/accounts")

    said = {
        "the chat": str(await ada.phone.chat()),
        "the calls": str(await driver.calls()),
        "what the stand-ins tell": str(await driver.get("/exchanges")),
        "the market": str(await driver.get("/market")),
        "the demo's own words": "\n".join(demo.said),
    }
    for place, text in said.items():
        assert [name for word, name in words.items() if word in text] == [], place
    kept = [file for file in demo.data.rglob("*") if file.is_file()]
    assert {"bot.log", "hedgehog.sqlite"} <= {file.name for file in kept}
    for file in kept:
        if file.parent.name == "exchanges":
            continue  # the stand-ins' own memory
        content = file.read_bytes()
        found = [name for word, name in words.items() if word.encode() in content]
        assert found == [] or file.parent.name == "telegram", f"{file}: {found}"


async def test_fault_38_a_revoked_key_is_told_of_once_and_tried_three_times_at_most(
    ada: Person, driver: Driver
) -> None:
    await ada.add(*COINS)
    key = await practice_key(driver, "bybit")
    await connected(ada, "bybit", "demo", as_written(key))
    await ada.confirm()
    await driver.post("/exchanges/bybit/accounts", {**key, "revoked": True})
    told_of_it = await ada.see(lambda m: "does not accept your key any more" in text_of(m), "the bad news")
    assert "DEMO · Bybit" in text_of(told_of_it)
    refused = await ada.ask("/status")
    assert "does not accept your key any more" in text_of(refused), told(refused)
    alike = [m for m in await ada.messages() if "does not accept your key any more" in text_of(m)]
    assert [m["id"] for m in alike] == [told_of_it["id"], refused["id"]]
    await driver.post("/exchanges/bybit/accounts", {**key, "revoked": False})
    await connected(ada, "bybit", "demo", as_written(key))
    assert "Coverage" in text_of(await ada.ask("/status"))


async def test_a_demo_over_an_exchange_starts_people_on_test_money_and_forgets_nothing(data: Path) -> None:
    """Whoever hedges there finds the hedge again after a restart of everything, at the exchange as well."""
    options = ("--exchange", "bybit", "--speed", "0", "--seed", "11")
    with running_demo(data, *options) as demo:
        async with people_at(demo.address) as people:
            ada = people(1)
            assert "You are on 🧪 DEMO · Bybit: test money" in text_of(await ada.ask("/start"))
            await ada.add(*COINS)
            card = await ada.card()
            assert "DEMO · Bybit" in text_of(card)
            await ada.tap(card, "Confirm")
            assert "✅ Hedged" in text_of(await ada.receipt(card))
            (before,) = (await ada.phone.driver.get("/exchanges"))["bybit"]["accounts"]
            assert len(before["positions"]) == 2
        assert complaints(demo.bot_log) == []
    with running_demo(data, *options) as demo:
        async with people_at(demo.address) as people:
            ada = people(1)
            (after,) = (await ada.phone.driver.get("/exchanges"))["bybit"]["accounts"]
            assert after == before
            done = await ada.confirm("/unhedge")
            assert "✅ Hedge closed" in text_of(done), told(done)
            (closed,) = (await ada.phone.driver.get("/exchanges"))["bybit"]["accounts"]
            assert closed["positions"] == []
            assert len({order["client_id"] for order in closed["orders"]}) == 4
        assert complaints(demo.bot_log) == []


async def test_in_a_crash_the_hedge_has_made_what_it_kept_although_the_coins_behind_it_fell_too(
    new_person: Callable[[], Person], driver: Driver
) -> None:
    """Beside dollars each account holds a Bitcoin as collateral, which is no part of the hedge."""
    people = {name: new_person() for name in EXCHANGES}
    for exchange, person in people.items():
        title, mode = EXCHANGES[exchange], MODES[exchange]
        await person.add(*COINS)
        outcome = await connected(person, exchange, mode, as_written(await practice_key(driver, exchange)))
        if mode == "live":
            await person.tap(outcome, f"Use {title}: real money")
        await person.confirm()
    await driver.post("/market", {"shock": "crash", "size": 0.3})
    for exchange, person in people.items():
        hedge = await person.hedge_when(
            lambda h: h["hedged_pnl"] and float(h["unhedged_pnl"]) < -1000, f"{exchange}: the loss"
        )
        lost, kept = float(hedge["unhedged_pnl"]), float(hedge["hedged_pnl"]) - float(hedge["unhedged_pnl"])
        assert 0.35 * -lost < kept < 0.6 * -lost, (exchange, hedge)  # half of it is covered
        alert = await person.alert()
        assert "The hedge has made $" in text_of(alert), (exchange, told(alert))


@pytest.mark.parametrize("exchange", ["bybit", "mexc"])
async def test_paper_at_an_exchanges_prices_needs_no_key(ada: Person, driver: Driver, exchange: str) -> None:
    title = EXCHANGES[exchange]
    before = (await driver.get("/exchanges"))[exchange]["accounts"]
    await ada.add("SOL 120")
    asked = await ada.ask(f"/connect {exchange}")
    await ada.tap(asked, "Paper")
    await ada.see(
        lambda m: m["id"] == asked["id"] and f"PAPER · {title} prices" in text_of(m), "the paper account"
    )
    card = await ada.card()
    assert f"PAPER · {title} prices" in text_of(card), told(card)
    await ada.tap(card, "Confirm")
    receipt = await ada.receipt(card)
    assert "✅ Hedged" in text_of(receipt) and f"PAPER · {title} prices" in text_of(receipt), told(receipt)
    assert f"Your rule trades on {title} PAPER" in text_of(await ada.ask("/accounts"))
    assert f"PAPER · {title} prices" in text_of(await ada.ask("/status"))
    assert (await driver.get("/exchanges"))[exchange]["accounts"] == before, (
        "something was sent to the exchange"
    )
