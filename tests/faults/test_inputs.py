"""Fault 43: HTML, bidirectional marks, huge numbers and commands inside of what people write."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.fakes.books import Books
from tests.fakes.demo import complaints
from tests.fakes.lives import Life, Sandbox
from tests.fakes.person import Person, text_of, told
from tests.fakes.phone import Driver
from tests.fakes.telegram_oracle import check_calls

NASTY = (
    "<b>SOL</b> 5",
    "<script>alert(1)</script> 5",
    "SOL 5 </b></code></pre>",
    "SOL &lt;5&gt; &amp; &quot;",
    "&#x3C;b&#x3E; 7",
    "SOL 5 <a href='tg://user?id=1'>x</a>",
    "\u202eLOS 5",
    "S\u200bOL 5",
    "SOL 5\u2066 @ 9\u2069",
    "S\u0301\u0301\u0301\u0301\u0301OL 5",
    "🦔" * 500 + " 5",
    "SOL " + "9" * 400,
    "SOL 9e999999999",
    "SOL 0." + "0" * 300 + "1",
    "SOL -99999999999999999999999999",
    "SOL 99999999999999999999999999999999",
    "SOL 5 @ " + "9" * 90,
    "/hedge 5",
    "SOL /unhedge",
    "SOL 5; DROP TABLE holding; --",
    "' OR 1=1 -- 5",
    "{0} {x.__class__} 5",
    "%s %d %n 5",
    "SOL\x005",
    "\t \n \r\n",
    "A" * 4096,
    ("SOL 1\n" * 600)[:4000],
    ("NOSUCHCOIN 1\n" * 300)[:4000],
    ("<&>" * 1400)[:4090],
    "\\ud800 5",
    "https://evil.example/?SOL=5",
)


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[Life]:
    with sandbox.living() as life:
        yield life


@pytest.mark.parametrize("command", ["/add ", "/remove ", "/rule ", "", "/nosuch "])
async def test_fault_43_whatever_is_written_is_answered_and_breaks_no_markup(
    bot: Life, sandbox: Sandbox, ada: Person, books: Books, driver: Driver, command: str
) -> None:
    await ada.add("ETH 2")
    logged = sandbox.log.stat().st_size
    before = max(call["n"] for call in await driver.calls())
    for nasty in NASTY:
        text = (command + nasty)[:4096]
        if not text.strip():
            continue
        answer = await ada.ask(text)
        assert len(text_of(answer)) > 5, f"{text!r}: {told(answer)}"
        assert "wrong on my side" not in text_of(answer), f"{text!r}: {told(answer)}"
    assert check_calls(await driver.calls(before)) > 0
    assert [c for c in await driver.calls(before) if not c["ok"]] == []
    assert complaints(sandbox.log, since=logged) == []
    for asset, amount in books.holdings(ada.id).items():
        assert asset.isascii() and asset.isalnum() and Decimal(0) < amount < Decimal(10) ** 18, (
            asset,
            amount,
        )


async def test_fault_43_a_name_full_of_markup_is_shown_as_it_is(
    bot: Life, sandbox: Sandbox, people: object, driver: Driver
) -> None:
    assert callable(people)
    name = "<b>Ada</b> &amp; \u202e<script>"
    await driver.post("/users", {"id": 777_001, "first_name": name})
    ada: Person = people(777_001)
    logged = sandbox.log.stat().st_size
    for text in ("/start", "/add SOL 5", "/portfolio", "/hedge", "/status"):
        assert text_of(await ada.ask(text))
    assert complaints(sandbox.log, since=logged) == []


async def test_fault_43_amounts_at_the_edge_of_what_can_be_counted_make_no_screen_fail(
    bot: Life, sandbox: Sandbox, new_person: object, driver: Driver
) -> None:
    assert callable(new_person)
    logged = sandbox.log.stat().st_size
    for coins in ("SOL 0.000000000000000001", "BTC 999999999999999", "DOGE 999999999999999\nSAND 0.000001"):
        ada: Person = new_person()
        for text in (
            f"/add {coins}",
            "/portfolio",
            "/hedge",
            "/status",
            "/rule 100% 5x",
            "/hedge",
            "/unhedge",
        ):
            answer = await ada.ask(text)
            assert "wrong on my side" not in text_of(answer), f"{coins!r}, {text}: {told(answer)}"
    assert complaints(sandbox.log, since=logged) == []
    assert check_calls(await driver.calls()) > 0
