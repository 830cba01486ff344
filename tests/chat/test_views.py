"""Every screen, whole, against a file: a change of wording shows in review.

`GOLDEN=write pytest tests/chat/test_views.py` writes the files anew.
"""

import json
import os
import re
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat import texts
from bot.chat.commands import TAPS
from bot.chat.texts import cards as card_texts
from bot.chat.texts import checks as check_texts
from bot.chat.texts.alerts import KINDS
from bot.chat.views.alert import alert
from bot.chat.views.message import Message
from bot.chat.views.numbers import amount, exact, percent, price, usd
from bot.chat.views.proposal import outcomes
from tests.chat.previews import cards, drift
from tests.chat.previews.screens import SCREENS
from tests.fakes.telegram_oracle import check_call
from tests.shared import ROOT

GOLDEN = Path(__file__).parent / "golden"
NARROWEST = 30  # characters of monospace on a small phone


def written(screen: Message) -> str:
    """A screen as a text file: what it says, then its buttons row by row."""
    rows = [
        " | ".join(
            f"[{b.text}] {b.data or 'copies ' + str(b.copy)}{f' ({b.style})' if b.style else ''}" for b in row
        )
        for row in screen.buttons
    ]
    return "\n".join([screen.text, *(["---", *rows] if rows else []), ""])


@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_says_what_its_file_says(name: str) -> None:
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(written(SCREENS[name]))
    assert written(SCREENS[name]) == file.read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_an_alert_whose_figures_are_unknown_is_told_nevertheless(kind: str) -> None:
    bare = {"alert_id": 7, "kind": kind, "coverage": "0.1", "target": "0.5", "legs": [], "event": "raised"}
    if kind == "exit":
        bare["reason"] = "price"
    assert alert(bare).text.startswith("<b>")


def test_every_file_has_its_screen() -> None:
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(SCREENS)


@pytest.mark.parametrize("name", SCREENS)
def test_telegram_takes_the_screen_as_a_message_and_as_an_edit(name: str) -> None:
    screen = SCREENS[name]
    rows = [
        [
            {"text": b.text}
            | ({"callback_data": b.data} if b.data else {"copy_text": {"text": b.copy}})
            | ({"style": b.style} if b.style else {})
            for b in row
        ]
        for row in screen.buttons
    ]
    params = {
        "chat_id": 1,
        "text": screen.text,
        "parse_mode": "HTML",
        "reply_markup": {"inline_keyboard": rows},
    }
    check_call({"method": "sendMessage", "params": params})
    check_call({"method": "editMessageText", "params": {"message_id": 1, **params}})


@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_fits_a_small_phone(name: str) -> None:
    screen = SCREENS[name]
    assert len(screen.text) < 4096
    for block in re.findall(r"<pre>(.*?)</pre>", screen.text, re.DOTALL):
        assert max(map(len, block.split("\n"))) <= NARROWEST
    for row in screen.buttons:
        assert len(row) <= 5
        assert sum(len(b.text) for b in row) <= 36, f"too wide for one row: {[b.text for b in row]}"
    first = unescape(re.sub("<[^>]*>", "", screen.text)).split("\n")[0]
    assert 3 <= len(first) <= 90, first


@pytest.mark.parametrize("name", SCREENS)
def test_every_button_has_somebody_who_answers_it(name: str) -> None:
    for row in SCREENS[name].buttons:
        for button in row:
            assert (button.data is None) != (button.copy is None)
            if button.data is not None:
                assert button.data.split(":")[0] in TAPS
                assert len(button.data.encode()) <= 64
            if button.copy is not None:
                assert 1 <= len(button.copy) <= 256


def test_numbers_are_written_with_a_true_minus_and_no_exponent() -> None:
    for name, screen in SCREENS.items():
        plain = unescape(re.sub("<[^>]*>", "", screen.text))
        plain = re.sub(r"code -\d+", "", plain)  # as the exchange writes it
        assert not re.search(r"(?<![\w.])-\$?\d", plain.replace("SOL -3", "").replace("-2019", "")), name
        assert not re.search(r"\dE[+-]?\d", plain), name


def test_toasts_fit_into_a_toast() -> None:
    named = [
        *(value for key, value in vars(texts).items() if key.isupper() and isinstance(value, str)),
    ]
    for text in named:
        assert len(text) <= 200, text


def test_every_reason_of_the_finance_has_its_words() -> None:
    """The codes are read from the finance's own source, so that a new one cannot go unnoticed."""
    source = (ROOT / "hedging/plan/checklist.py").read_text()
    codes = set(re.findall(r'Check\(\s*"(\w+)",\s*[^,]+?,\s*"(\w+)"', source))
    assert len(codes) >= 12
    assert codes <= set(check_texts.REASONS), codes - set(check_texts.REASONS)


def test_every_refusal_of_the_paper_exchange_has_its_words() -> None:
    source = "".join(file.read_text() for file in (ROOT / "hedging/paper").glob("*.py"))
    codes = set(re.findall(r'OrderRejected\([^)]*?"(\w+)"\s*\)', source, re.DOTALL))
    assert {"margin", "reduce_only", "lot"} <= codes
    assert codes <= set(card_texts.REASONS), codes - set(card_texts.REASONS)


@pytest.mark.parametrize(
    ("number", "dollars", "units", "share"),
    [
        ("0", "$0", "0", "0%"),
        ("1234.56", "$1,235", "1,234.56", "123,456%"),
        ("-12.345", "−$12.35", "−12.345", "−1,235%"),
        ("0.75", "$0.75", "0.75", "75%"),
        ("0.012345", "$0.01", "0.012345", "1.2%"),
        ("0.0005", "$0.0005", "0.0005", "0.05%"),
        ("1E-9", "$0.000000001", "0.000000001", "0%"),
        ("999999.5", "$1,000,000", "1,000,000", "99,999,950%"),
    ],
)
def test_numbers_are_rounded_to_what_matters(number: str, dollars: str, units: str, share: str) -> None:
    assert (usd(Decimal(number)), amount(Decimal(number)), percent(Decimal(number))) == (
        dollars,
        units,
        share,
    )


@given(st.decimals("-1e12", "1e12", places=8))
def test_no_number_is_written_further_off_than_its_rounding(number: Decimal) -> None:
    shown = [usd(number), price(number), amount(number), exact(number)]
    for text, share, least in zip(
        shown, ("0.06", "0.0006", "0.00001", "0"), ("0.005", "0", "0", "0"), strict=True
    ):
        read = Decimal(text.replace("−", "-").replace("$", "").replace(",", ""))
        assert abs(read - number) <= max(abs(number) * Decimal(share), Decimal(least), Decimal("1e-12")), text


def test_the_range_of_protection_is_two_standard_errors_of_what_stays_open() -> None:
    # By hand: 30,378 exposed, 15,150 offset, so half of SOL's error stays and all of DOT's.
    left = 1 - 15150 / 30378
    error = ((17077 * 0.05 * left) ** 2 + (4518 * 0.08) ** 2) ** 0.5
    loss, best, worst = outcomes(cards.TWO_LEGS, Decimal("0.1"))
    assert loss == Decimal("3037.8")
    assert float(best) == pytest.approx((15228 - 2 * error) * 0.1)
    assert float(worst) == pytest.approx((15228 + 2 * error) * 0.1)


def test_previews_are_json_where_the_outbox_is_json() -> None:
    json.dumps([cards.outcome(cards.done("SOL", "1", "1", "1", "filled")), drift.alarm()])
