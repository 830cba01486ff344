"""What people write about their coins, and how the bot understands it."""

import re
from collections.abc import Callable

from tests.fakes.person import Person, text_of, told


async def _holds(person: Person) -> dict[str, str]:
    """Asset -> amount as /portfolio shows it."""
    shown = text_of(await person.ask("/portfolio"))
    found = re.findall(r"\b([A-Z]{3,4}) ([\d,]+(?:\.\d+)?) =", shown)
    assert found, f"/portfolio shows no coin: {shown}"
    return {asset: amount.replace(",", "") for asset, amount in found}


WRITTEN = (
    ("/add SOL 120", {"SOL": "120"}),
    ("/add 120 sol @ 95", {"SOL": "120"}),
    ("/add sol 1,5", {"SOL": "1.5"}),
    ("/add 0.25 btc, 3 eth", {"BTC": "0.25", "ETH": "3"}),
    ("/add SOL 120\nETH 1.5 @ 2400\n300 LINK", {"SOL": "120", "ETH": "1.5", "LINK": "300"}),
    ("SOL 120", {"SOL": "120"}),
    ("/add $SOL 12", {"SOL": "12"}),
    ("/add 1.5k XRP", {"XRP": "1500"}),
)


async def test_add_understands_what_people_write(new_person: Callable[[], Person]) -> None:
    for written, held in WRITTEN:
        person = new_person()
        await person.ask(written)
        assert await _holds(person) == held, written


async def test_add_twice_adds_up(ada: Person) -> None:
    await ada.ask("/add SOL 100")
    await ada.ask("/add SOL 20.5")
    assert await _holds(ada) == {"SOL": "120.5"}


async def test_remove_takes_out_a_part_or_all_of_a_coin(ada: Person) -> None:
    await ada.add("SOL 100", "ETH 2")
    await ada.ask("/remove SOL 40")
    assert await _holds(ada) == {"SOL": "60", "ETH": "2"}
    await ada.ask("/remove SOL")
    assert await _holds(ada) == {"ETH": "2"}


NONSENSE = (
    "/add",
    "/add SOL",
    "/add 120",
    "/add SOL minus five",
    "/add SOL -5",
    "/add SOL 0",
    "/add NOSUCHCOIN 5",
    "/add SOL NaN",
    "/add SOL Infinity",
    "/add SOL 1e400",
    "/add SOL 1_000",
    "/add SOL ٣٤",
    "/add SOL 12 34",
    "/add 🦔🦔🦔",
    "/add SOL 5 ETH",
    "hello",
    "/nosuchcommand",
    "/rule 900%",
    "/rule leverage 50",
)


async def test_nonsense_gets_a_clear_answer_and_changes_nothing(ada: Person) -> None:
    await ada.add("ETH 2")
    for nonsense in NONSENSE:
        answer = await ada.ask(nonsense)
        assert len(text_of(answer)) > 10, f"{nonsense!r}: {told(answer)}"
        assert "wrong on my side" not in text_of(answer), f"{nonsense!r}: {told(answer)}"
    assert await _holds(ada) == {"ETH": "2"}
    assert "50%" in text_of(await ada.ask("/rule")), "nonsense changed the rule"


async def test_one_bad_line_adds_none_of_the_lines(ada: Person) -> None:
    await ada.add("ETH 2")
    answer = await ada.ask("/add SOL 120\nNOSUCHCOIN 5\nLINK 10")
    assert "NOSUCHCOIN" in text_of(answer).upper(), told(answer)
    assert await _holds(ada) == {"ETH": "2"}


async def test_every_command_answers_a_stranger(new_person: Callable[[], Person]) -> None:
    for command in (
        "/start",
        "/help",
        "/portfolio",
        "/rule",
        "/status",
        "/hedge",
        "/unhedge",
        "/add",
        "/remove",
    ):
        answer = await new_person().ask(command)
        assert len(text_of(answer)) > 10, f"{command}: {told(answer)}"
        assert "wrong on my side" not in text_of(answer), f"{command}: {told(answer)}"


async def test_the_rule_is_kept_and_shown(ada: Person) -> None:
    await ada.ask("/rule 75% 3x band 15")
    shown = text_of(await ada.ask("/rule"))
    assert "75" in shown and "3x" in shown and "15" in shown, shown


async def test_a_document_is_answered_with_a_sentence(ada: Person) -> None:
    sent = await ada.phone.send_document("coins.csv", "asset,amount\nSOL,120\n")
    answer = await ada.answer_to(sent["message_id"])
    assert len(text_of(answer)) > 10, told(answer)


async def test_coins_taken_out_leave_a_short_that_is_shown_and_can_be_closed(ada: Person) -> None:
    await ada.add("SOL 100")
    await ada.confirm()
    await ada.ask("/remove SOL")
    shown = text_of(await ada.ask("/status"))
    assert "SOL" in shown, f"/status hides the short: {shown}"
    card = await ada.card("/unhedge")
    await ada.tap(card, "Confirm")
    receipt = await ada.receipt(card)
    assert text_of(receipt).startswith("✅"), told(receipt)
