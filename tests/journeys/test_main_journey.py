"""From /start to a hedge that is watched, over HTTP calls to the driver alone."""

from collections.abc import Callable
from decimal import Decimal

from tests.fakes.person import Person, all_at_once, has, in_band, named, shorts, text_of, told
from tests.fakes.phone import Driver, Json

# Whatever somebody holds: all with perpetuals of their own, mixed, none; with Bitcoin itself, with a stablecoin.
TRIPLES = {
    "all with perpetuals": ("SOL 120", "ETH 4", "LINK 600"),
    "small ones with perpetuals": ("DOGE 40000", "ADA 9000", "XRP 3000"),
    "mixed": ("SOL 60", "DOT 1500", "ATOM 900"),
    "mixed with Bitcoin": ("BTC 0.2", "AVAX 300", "NEAR 2500"),
    "none with a perpetual": ("ARB 20000", "OP 9000", "APT 1200"),
    "none with a perpetual, thin ones": ("POL 30000", "SAND 25000", "XLM 25000"),
    "with a stablecoin": ("SUI 3000", "UNI 900", "USDC 5000"),
}


async def test_from_start_over_confirm_and_crash_back_into_the_band(ada: Person, driver: Driver) -> None:
    await ada.ask("/start")
    await ada.add("SOL 120", "ETH 4", "DOT 1500")
    card = await ada.card()
    for leg in ("SOL", "ETH", "BTC"):
        assert leg in text_of(card), f"the card names no {leg}: {told(card)}"

    await ada.tap(card, "Confirm")
    receipt = await ada.receipt(card)

    hedge = await ada.hedge()
    assert set(shorts(hedge)) == {"SOL/USDT:USDT", "ETH/USDT:USDT", "BTC/USDT:USDT"}
    assert in_band(hedge), hedge
    assert "SOL" in text_of(receipt)

    await driver.post("/market", {"shock": "crash", "size": 0.3})
    crashed = await ada.hedge_when(lambda h: float(h["unhedged_pnl"]) < -1000, "the loss")
    assert float(crashed["hedged_pnl"]) > 0.8 * float(crashed["unhedged_pnl"]), "the hedge has not helped"
    alert = await ada.alert(receipt["id"])
    await ada.tap(alert, named(alert, "")["text"])
    await ada.receipt(alert)
    assert in_band(await ada.hedge_when(in_band, "coverage back in band"))


async def test_whatever_is_held_a_crash_raises_an_alert_whose_button_brings_coverage_back(
    new_person: Callable[[], Person], driver: Driver
) -> None:
    holders = {name: new_person() for name in TRIPLES}

    async def hedges(name: str) -> int:
        person = holders[name]
        await person.add(*TRIPLES[name])
        receipt = await person.confirm()
        assert in_band(await person.hedge_when(in_band, f"{name}: the hedge")), name
        return int(receipt["id"])

    receipts = dict(zip(TRIPLES, await all_at_once(*map(hedges, TRIPLES)), strict=True))
    await driver.post("/market", {"shock": "crash", "size": 0.3})

    async def rebalances(name: str) -> str | None:
        person = holders[name]
        # Of a gap between perpetuals and coins, which an earlier crash has left, there is nothing to mend.
        alert = await person.see(
            lambda m: has(m, "Snooze") and m["id"] > receipts[name] and "the coin's price" not in text_of(m),
            f"{name}: an alert of the crash",
        )
        if not has(alert, "Rebalance"):  # where coverage stayed, no order may be large enough to help
            return None if in_band(await person.hedge()) else f"{name}: no remedy: {told(alert)}"
        first = alert["buttons"][0][0]["text"]
        await person.tap(alert, first)
        done = await person.wait(
            lambda messages: next(
                (m for m in messages if m["id"] == alert["id"] and not has(m, "Snooze")), None
            ),
            f"{name}: an outcome of {first!r}",
        )
        if has(done, "Confirm"):
            return f"{name}: the alert's first button {first!r} asked again: {told(done)}"
        hedge = await person.hedge_when(in_band, f"{name}: coverage back in band")
        return None if in_band(hedge) else f"{name}: {hedge}"

    assert [found for found in await all_at_once(*map(rebalances, TRIPLES)) if found] == []


async def test_unhedge_closes_every_short(ada: Person) -> None:
    await ada.add("SOL 120", "ETH 4", "DOT 1500")
    await ada.confirm()
    assert len(shorts(await ada.hedge_when(shorts, "the shorts"))) == 3

    card = await ada.card("/unhedge")
    await ada.tap(card, "Confirm")
    await ada.receipt(card)

    assert (await ada.hedge_when(lambda h: not h["positions"], "no short"))["positions"] == []


async def test_start_leads_to_a_first_proposal_in_three_taps(ada: Person) -> None:
    message = await ada.ask("/start")
    for _ in range(3):
        message = await _after_the_first_button(ada, message)
    assert has(message, "Confirm"), f"after three taps there is no proposal: {told(message)}"
    await ada.tap(message, "Confirm")
    await ada.receipt(message)
    assert shorts(await ada.hedge_when(shorts, "a short"))


async def _after_the_first_button(person: Person, message: Json) -> Json:
    """What the first button of a message leads to: another message, or the same one with another content."""
    before = {m["id"]: m for m in await person.messages()}
    button = message["buttons"][0][0]["text"]
    await person.tap(message, button)

    def is_new(m: Json) -> bool:
        return bool(m["from"] == "bot" and m["buttons"] and m != before.get(m["id"]))

    return await person.see(is_new, f"what follows a tap on {button!r}")


async def test_two_people_side_by_side_have_hedges_of_their_own(new_person: Callable[[], Person]) -> None:
    ada, bob = new_person(), new_person()
    await all_at_once(ada.add("SOL 100", "ETH 2", "BTC 0.1"), bob.add("AVAX 200", "LINK 300", "XRP 2000"))
    cards = await all_at_once(ada.card(), bob.card())
    await all_at_once(ada.tap(cards[0], "Confirm"), bob.tap(cards[1], "Confirm"))
    await all_at_once(ada.receipt(cards[0]), bob.receipt(cards[1]))

    ours, theirs = (
        shorts(await ada.hedge_when(shorts, "Ada's")),
        shorts(await bob.hedge_when(shorts, "Bob's")),
    )
    assert {symbol.split("/")[0] for symbol in ours} == {"SOL", "ETH", "BTC"}
    assert {symbol.split("/")[0] for symbol in theirs} == {"AVAX", "LINK", "XRP"}
    told_bob = " ".join(text_of(m) for m in await bob.messages() if m["from"] == "bot")
    assert "SOL" not in told_bob.replace("absolute", ""), "Bob was told of Ada's coins"


async def test_what_the_card_shows_is_what_is_short_afterwards(ada: Person) -> None:
    await ada.add("SOL 120", "ETH 4", "BTC 0.3")
    receipt = await ada.confirm()
    for symbol, contracts in shorts(await ada.hedge_when(shorts, "the shorts")).items():
        plain = f"{Decimal(contracts).normalize():f}"
        assert plain in text_of(receipt), f"{symbol}: {plain} is not on {told(receipt)}"
