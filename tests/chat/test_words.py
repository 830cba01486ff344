"""Words behind a command are understood or refused, before anything is priced, changed or sent."""

from decimal import Decimal

import pytest

from bot.chat.commands import COMMANDS
from bot.chat.parsing.words import parse_part, parse_share
from tests.chat.conftest import ADA, Chat

D = Decimal
FREE = frozenset(("start",))  # a link may bring a word of its own


async def untouched(chat: Chat) -> object:
    return (
        await chat.store.holdings(ADA),
        await chat.store.rule(ADA),
        await chat.store.pause(ADA),
        chat.exchange.placed == [],
        chat.exchange.asked["positions"],
    )


@pytest.mark.fault(67)
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (command.name, words)
        for command in COMMANDS
        for words in ("xyzzy", "SOLANA 5 please twice", "50", "now!? 7", "-1%", "<b>")
        if command.name not in FREE and (command.name, words) != ("rule", "50")  # a rule of that much
    ],
)
async def test_what_is_not_understood_is_one_sentence_and_nothing_else(
    chat: Chat, command: str, words: str
) -> None:
    await chat.services.people.meet(ADA, ADA, "Ada")
    before = await untouched(chat)
    said = await chat.write(f"/{command} {words}")
    assert "Something went wrong" not in said.text
    assert not any(str(b.get("callback_data", "")).startswith("ok:") for b in said.buttons)
    assert await untouched(chat) == before


@pytest.mark.fault(67)
@pytest.mark.parametrize("command", [c.name for c in COMMANDS])
async def test_a_second_command_in_a_message_is_not_dropped_silently(chat: Chat, command: str) -> None:
    await chat.services.people.meet(ADA, ADA, "Ada")
    before = await untouched(chat)
    said = await chat.write(f"/{command}\n/unhedge")
    assert "Send /unhedge by itself" in said.text
    assert await untouched(chat) == before


async def hedged(chat: Chat) -> None:
    await chat.write("/add SOL 100, ETH 4")
    card = await chat.write("/hedge")
    await chat.tap(card.data("Confirm"), chat.last_id())
    await chat.work()


@pytest.mark.fault(67)
async def test_unhedge_of_a_coin_closes_only_that_short(chat: Chat) -> None:
    await hedged(chat)
    card = await chat.write("/unhedge sol")
    await chat.tap(card.data("Confirm"), chat.last_id())
    await chat.work()
    held = {symbol.split("/")[0]: contracts for symbol, contracts in chat.exchange.held.items() if contracts}
    assert held == {"ETH": D(-2)}
    said = await chat.write("/unhedge SOL")
    assert said.text == "No short in SOL is open. Open: ETH. /unhedge closes all of it."


@pytest.mark.fault(67)
@pytest.mark.parametrize("words", ["50%", "50 %", "half", "５０％", "٥٠٪", "half of my short"])
async def test_unhedge_of_a_share_closes_that_much(chat: Chat, words: str) -> None:
    await hedged(chat)
    card = await chat.write(f"/unhedge {words}")
    if words == "half of my short":
        assert "I did not understand what to close" in card.text
        return
    assert "your target is 25%" in card.text
    await chat.tap(card.data("Confirm"), chat.last_id())
    await chat.work()
    assert chat.exchange.held == {"SOL/USDT:USDT": D(-25), "ETH/USDT:USDT": D(-1)}
    assert (await chat.services.rules.get(ADA)).target == D("0.25")


@pytest.mark.fault(67)
async def test_hedge_with_a_target_asks_whether_to_change_the_rule(chat: Chat) -> None:
    await chat.write("/add SOL 100")
    asked = await chat.write("/hedge 75 %")
    assert "Your rule protects 50%. Change it to 75%?" in asked.text
    assert (await chat.services.rules.get(ADA)).target == D("0.5")
    assert chat.exchange.asked["positions"] == 0, "nothing is priced before the answer"
    assert "0% → 75%" in " ".join(c.text for c in await chat.tap(asked.data("Change to"), chat.last_id()))
    assert (await chat.services.rules.get(ADA)).target == D("0.75")
    await chat.write("/rule 25%")
    old = await chat.tap(asked.data("Change to"), chat.last_id() - 1)
    assert "Your rule protects 25%. Change it to 75%?" in " ".join(call.text for call in old)
    assert (await chat.services.rules.get(ADA)).target == D("0.25")


@pytest.mark.parametrize("command", ["/panic please", "/status now", "/portfolio pls", "/accounts, please!"])
async def test_a_courtesy_is_passed_over(chat: Chat, command: str) -> None:
    await chat.write("/add SOL 100")
    said = await chat.write(command)
    assert "stands alone" not in said.text


async def test_a_pause_for_a_while_tells_its_end(chat: Chat) -> None:
    await chat.services.people.meet(ADA, ADA, "Ada")
    said = await chat.write("/pause 2h")
    assert said.text.startswith("<b>⏸ Paused until 2 Mar, 14:00 (UTC)</b>")
    said = await chat.write("/pause until 8am")
    assert said.text.startswith("<b>⏸ Paused until 3 Mar, 08:00 (UTC)</b>")
    said = await chat.write("/pause forever and ever")
    assert said.text.startswith("I did not understand how long")


@pytest.mark.fault(58)
async def test_an_old_card_gives_nothing_and_shows_a_new_one(chat: Chat) -> None:
    await chat.write("/add SOL 100")
    screen = await chat.write("/permission")
    (shown,) = [
        c for c in await chat.tap(screen.data("Both"), chat.last_id()) if c.method == "editMessageText"
    ]
    await chat.write("/permission order 90000 day 90000")
    toast, again = await chat.tap(shown.data("Give"), chat.last_id())
    assert "nothing was given" in toast.text
    assert "$90,000 an order" in again.text
    assert not (await chat.services.permissions.view(ADA)).permission.permits
    toast, _ = await chat.tap("pm:give:both:quarter", chat.last_id())  # a button of before
    assert "nothing was given" in toast.text


def test_a_share_is_read_whole_or_not_at_all() -> None:
    assert [parse_share(text) for text in ("100%", "0%", "101%", "1e2%", "50%%", "")] == [D(1), *[None] * 5]
    assert parse_part("SOL ETH", {"SOL", "ETH"}) is None
