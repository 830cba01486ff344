"""What people type, and what it is taken for."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.chat.parsing.holdings import Entry, parse_holdings, parse_removals
from bot.chat.parsing.numerals import Number, Trouble, read_number
from bot.chat.parsing.rule import RuleEdit, parse_rule
from bot.chat.parsing.secrets import looks_secret
from bot.chat.texts import screens
from bot.chat.views.portfolio import not_understood
from tests.fakes.telegram_oracle import check_call

D = Decimal
KNOWN = frozenset(("BTC", "ETH", "SOL", "ADA", "XRP", "LINK", "DOGE", "USDT", "1INCH", "KAVA", "1000PEPE"))


def understood(text: str) -> list[str]:
    """Entries as they can be typed again; nothing may have been left over."""
    parsed = parse_holdings(text, KNOWN)
    assert not parsed.problems, parsed.problems
    return [str(entry) for entry in parsed.entries]


def trouble(text: str) -> list[str]:
    parsed = parse_holdings(text, KNOWN)
    return [problem.trouble.value for problem in parsed.problems]


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("SOL 120", ["SOL 120"]),
        ("120 sol @ 95", ["SOL 120 @ 95"]),
        ("120sol@95", ["SOL 120 @ 95"]),
        ("120 SOL at $95.5 usd", ["SOL 120 @ 95.5"]),
        ("$sol 120", ["SOL 120"]),
        ("SOL: 120", ["SOL 120"]),
        ("- SOL 120\n- ETH 2", ["SOL 120", "ETH 2"]),
        ("SOL 120, ETH 3", ["SOL 120", "ETH 3"]),
        ("SOL 120,ETH 3;BTC 1 and xrp 5 & ada 6", ["SOL 120", "ETH 3", "BTC 1", "XRP 5", "ADA 6"]),
        ("120 sol 3 eth", ["SOL 120", "ETH 3"]),
        ("I have 120 SOL and 3 ETH.", ["SOL 120", "ETH 3"]),
        ("solana 3, Bitcoin 1", ["SOL 3", "BTC 1"]),
        ("5kava", ["KAVA 5"]),
        ("5k ava, 2k doge, 1.5m xrp", None),
        ("2k doge, 1.5m xrp", ["DOGE 2000", "XRP 1500000"]),
        ("1inch 5, 7 1000pepe", ["1INCH 5", "1000PEPE 7"]),
        ("SOL 12 000", ["SOL 12000"]),
        ("SOL 12\u202f000,5", ["SOL 12000.5"]),
        ("SOL 1'234.5", ["SOL 1234.5"]),
        ("\u200fSOL\u200b 120", ["SOL 120"]),
        ("SOL 120, ETH 2 @ 1,234.56, LINK 3", ["SOL 120", "ETH 2 @ 1234.56", "LINK 3"]),
        ("USDT 500, 120 SOL @ 95 USDT", ["USDT 500", "SOL 120 @ 95"]),
        ("120 SOL @ 95 USDT 500", ["SOL 120 @ 95", "USDT 500"]),
    ],
)
def test_holdings_are_read_in_many_hands(text: str, entries: list[str] | None) -> None:
    if entries is None:
        assert trouble(text) == ["unknown_coin"]
    else:
        assert understood(text) == entries


@pytest.mark.parametrize(
    ("text", "value", "other"),
    [
        ("1,5", "1.5", None),
        ("1.5", "1.5", None),
        ("0,5", "0.5", None),
        (",5", "0.5", None),
        ("0,123", "0.123", None),
        ("1,50", "1.5", None),
        ("1,2345", "1.2345", None),
        ("1234,567", "1234.567", None),
        ("1.234,56", "1234.56", None),
        ("1,234.56", "1234.56", None),
        ("12.345.678", "12345678", None),
        ("12,345,678", "12345678", None),
        ("1.234.567,8", "1234567.8", None),
        ("1,234", "1234", "1.234"),
        ("1.234", "1.234", "1234"),
        ("12,000", "12000", "12"),
        ("2,5k", "2500", None),
    ],
)
def test_decimal_commas_and_points_are_never_taken_for_each_other(
    text: str, value: str, other: str | None
) -> None:
    assert read_number(text) == Number(D(value), None if other is None else D(other))


def test_a_doubtful_number_is_read_as_the_others_of_the_message_are() -> None:
    assert understood("SOL 1,234, ETH 2,5") == ["SOL 1.234", "ETH 2.5"]
    assert understood("SOL 1,234, ETH 2.5") == ["SOL 1234", "ETH 2.5"]
    assert understood("SOL 1.234; ETH 1.234,5") == ["SOL 1234", "ETH 1234.5"]
    assert understood("SOL 1.234; ETH 0,5") == ["SOL 1234", "ETH 0.5"]


@pytest.mark.parametrize(
    ("text", "troubles"),
    [
        ("SOL", ["no_amount"]),
        ("120", ["no_coin"]),
        ("SOL -5", ["negative"]),
        ("SOL −5", ["negative"]),
        ("SOL 0", ["zero"]),
        ("SOL 0,00", ["zero"]),
        ("SOL 1000000000000001", ["huge"]),
        ("SOL " + "9" * 5000, ["huge"]),
        ("SOL 1." + "1" * 19, ["too_fine"]),
        ("SOL NaN", ["no_amount"]),
        ("SOL Infinity", ["no_amount"]),
        ("NaN 5", ["unknown_coin"]),
        ("SOL 1e5", ["not_a_number"]),
        ("SOL 1_000", ["not_a_number"]),
        ("SOL 50%", ["not_a_number"]),
        ("SOL 1.2.3", ["not_a_number"]),
        ("SOL 12,34,567", ["not_a_number"]),
        ("SOL ١٢٠", ["foreign_digits"]),
        ("SOL １２０", ["foreign_digits"]),
        ("\u202eSOL 120", ["hidden_signs"]),
        ("SOL 1\u20662\u2069", ["hidden_signs"]),
        ("$500 SOL", ["dollars"]),
        ("SOL $500", ["dollars"]),
        ("SOOL 5", ["unknown_coin"]),
        ("<b>SOL</b> 5", ["unclear"]),
        ("<script>alert(1)</script>", ["unclear"]),
        ("SOL 5 @", ["unclear"]),
        ("SOL 5 @ 0", ["zero"]),
        ("SOL 5 @ -3", ["negative"]),
        ("SOL 12 34", ["no_coin"]),
        ("SOL 5 ETH", ["no_amount"]),
        ("SOL 120,30 ETH", ["no_amount"]),
        (", ".join(["SOL 1"] * 51), ["too_many"]),
    ],
)
def test_what_cannot_be_meant_is_named(text: str, troubles: list[str]) -> None:
    assert trouble(text) == troubles


def test_good_lines_survive_beside_bad_ones_and_an_unknown_coin_gets_neighbours() -> None:
    parsed = parse_holdings("SOL 120\nSOOL 5\nETH 1,5 @ 2400", KNOWN)
    assert [str(entry) for entry in parsed.entries] == ["SOL 120", "ETH 1.5 @ 2400"]
    (problem,) = parsed.problems
    assert problem.near[0] == "SOL"
    said = not_understood(parsed, "add")
    assert "<code>/add SOL 120, ETH 1.5 @ 2400</code>" in said.text
    assert said.buttons[0][0].copy == "/add SOL 120, ETH 1.5 @ 2400"


def test_removals_may_leave_the_amount_out() -> None:
    parsed = parse_removals("SOL, 20 eth\nBTC", KNOWN)
    assert parsed.entries == (Entry("SOL", None), Entry("ETH", D(20)), Entry("BTC", None))
    assert [p.trouble for p in parse_removals("SOL -5", KNOWN).problems] == [Trouble.NEGATIVE]


def test_every_trouble_has_its_sentence() -> None:
    assert {trouble.value for trouble in Trouble} <= set(screens.PROBLEMS)


@given(st.text(max_size=300))
@example("SOL 1,5\x00")
@example("\ud800")
@example("𝟙 SOL")
@example("SOL ²")
@example("SOL Ⅷ")
@example("@@@ at at @")
def test_nothing_that_can_be_typed_raises_or_gives_a_message_that_telegram_refuses(text: str) -> None:
    for parse in (parse_holdings, parse_removals):
        parsed = parse(text, KNOWN)
        for entry in parsed.entries:
            assert entry.asset in KNOWN
            assert entry.amount is None or entry.amount > 0
        if parsed.problems and "\ud800" not in text:
            said = not_understood(parsed, "add").text
            check_call(
                {"method": "sendMessage", "params": {"chat_id": 1, "text": said, "parse_mode": "HTML"}}
            )
    parse_rule(text)
    looks_secret(text)


@given(st.lists(st.text("SOLETHsoleth0123456789.,'@$-+kKmM%: \n;/", max_size=20), max_size=6))
def test_near_misses_neither_raise_nor_give_what_is_not_positive(words: Sequence[str]) -> None:
    for entry in parse_holdings(" ".join(words), KNOWN).entries:
        assert entry.amount is not None
        assert 0 < entry.amount <= D(10) ** 15


amounts = st.decimals("0.00000001", "1000000000", places=8).filter(lambda number: number > 0)
entries = st.builds(
    Entry, st.sampled_from(sorted(KNOWN)), amounts, st.none() | st.decimals("0.01", "999999", places=2)
)


@given(st.lists(entries, min_size=1, max_size=20))
def test_what_is_offered_to_be_copied_is_read_as_it_was_meant(wanted: list[Entry]) -> None:
    text = ", ".join(map(str, wanted))
    parsed = parse_holdings(text, KNOWN)
    assert not parsed.problems
    assert [(e.asset, e.amount, e.cost) for e in parsed.entries] == [
        (e.asset, e.amount, e.cost) for e in wanted
    ]


@given(
    st.integers(0, 999_999_999),
    st.integers(1, 99),
    st.sampled_from([".", ",", " ", "'"]),
    st.sampled_from(",."),
)
def test_grouped_numbers_with_two_decimals_are_read_in_every_style(
    whole: int, cents: int, group: str, decimal: str
) -> None:
    if group == decimal:
        group = ""
    text = f"{whole:,}".replace(",", group) + f"{decimal}{cents:02d}"
    assert read_number(text) == Number(D(whole) + D(cents) / 100)


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("75% 2x band 10", RuleEdit(D("0.75"), 2, D("0.1"))),
        ("75", RuleEdit(D("0.75"))),
        ("75 2x", RuleEdit(D("0.75"), 2)),
        ("target 62,5 %", RuleEdit(D("0.625"))),
        ("leverage 3 75%", RuleEdit(D("0.75"), 3)),
        ("3x", RuleEdit(leverage=3)),
        ("x3", RuleEdit(leverage=3)),
        ("band ± 5 %", RuleEdit(band=D("0.05"))),
        ("75% against ETH", RuleEdit(D("0.75"), factor="ETH")),
        ("set my target to 50%, leverage 1", RuleEdit(D("0.5"), 1)),
        ("900%", RuleEdit(D(9))),  # out of bounds: the rule itself says so
    ],
)
def test_a_rule_is_read_in_many_hands(text: str, edit: RuleEdit) -> None:
    assert parse_rule(text) == edit


@pytest.mark.parametrize(
    "text", ["2", "10", "foo", "75% foo", "2.5x", "75% 50%", "-5%", "band", "", "%", "١٠٪"]
)
def test_half_a_rule_is_no_rule(text: str) -> None:
    assert parse_rule(text) is None


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("my key is " + "a1B2" * 16, True),
        ("0x" + "0123456789abcdef" * 4, True),
        ("123456789:" + "Aa0-_" * 7, True),
        (" ".join(["abandon"] * 11 + ["about"]), True),
        ("SOL 120", False),
        ("0x" + "0123456789abcdef" * 2 + "01234567", False),  # an address
        ("So1" + "1" * 41, False),  # an address on Solana
        ("a sentence of twelve words, with a comma, is what people write here", False),
        ("my seed: " + "legal winner thank year wave sausage worth useful legal winner thank yellow", True),
        (
            "1. legal 2. winner 3. thank 4. year 5. wave 6. sausage 7. worth 8. useful 9. legal 10. winner "
            "11. thank 12. yellow",
            True,
        ),
        ("what would a hedge of my coins have cost when the market fell in may of last year", False),
    ],
)
def test_secrets_are_seen_and_addresses_are_none(text: str, secret: bool) -> None:
    assert looks_secret(text) is secret
