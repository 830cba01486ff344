"""Fault 44: what is logged or printed holds no secret, however it got there."""

import io
import json
import logging
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.logging import AccessFormatter

from bot.redaction import MASK, Redaction
from tests.shared import ROOT

CANARY = "canary&of a 'secret'/100%"
Log = Callable[[], str]


@pytest.fixture
def redaction() -> Iterator[Redaction]:
    """Installed for this test alone."""
    factory, hooks = logging.getLogRecordFactory(), (sys.excepthook, sys.unraisablehook)
    redaction = Redaction()
    redaction.hide(CANARY)
    redaction.install()
    yield redaction
    logging.setLogRecordFactory(factory)
    sys.excepthook, sys.unraisablehook = hooks


@pytest.fixture
def log(redaction: Redaction) -> Iterator[tuple[logging.Logger, Log]]:
    """A library's logger with a handler of its own, and what it wrote."""
    stream = io.StringIO()
    logger = logging.getLogger("a.library.of.others")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, stream.getvalue
    logger.removeHandler(handler)
    logger.propagate = True


def test_a_secret_in_the_words_or_the_arguments_is_masked(log: tuple[logging.Logger, Log]) -> None:
    logger, written = log
    logger.warning("plain " + CANARY)
    logger.warning("argument %s and %d", CANARY, 5)
    logger.warning("repr %r", {"key": [CANARY]})
    logger.warning("named %(key)s %(n)d", {"key": CANARY, "n": 6})
    logger.warning("json %s", json.dumps({"x": CANARY}))
    logger.warning("address %s", "http://127.0.0.1/?x=" + quote(CANARY, safe=""))
    logger.warning("split %s%s", CANARY[:8], CANARY[8:])
    assert "canary" not in written(), written()
    assert written().count(MASK) == 7
    assert "and 5" in written() and " 6" in written()


def test_a_secret_in_a_failure_its_cause_or_its_stack_is_masked(log: tuple[logging.Logger, Log]) -> None:
    logger, written = log
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as failure:
            raise RuntimeError(f"could not use {CANARY}") from failure
    except RuntimeError:
        logger.exception("it failed", stack_info=True)
    assert "canary" not in written(), written()
    assert "RuntimeError" in written() and "KeyError" in written() and "Stack (most recent" in written()
    assert "it failed" in written()


def test_a_record_that_cannot_be_written_does_not_spill_its_arguments(
    log: tuple[logging.Logger, Log], capsys: pytest.CaptureFixture[str]
) -> None:
    logger, written = log
    logger.warning("too few %s %s", CANARY)
    logger.warning("no number %d", CANARY)
    logger.warning("too many", CANARY)
    said = written() + capsys.readouterr().err
    assert "canary" not in said, said
    assert said.count("do not fit") == 3, said


def test_a_formatter_that_looks_at_arguments_one_by_one_still_can(redaction: Redaction) -> None:
    record = logging.getLogger("uvicorn.access").makeRecord(
        "uvicorn.access",
        logging.INFO,
        __file__,
        1,
        '%s - "%s %s HTTP/%s" %d',
        ("127.0.0.1:5", "POST", f"/webhook?secret={quote(CANARY, safe='')}", "1.1", 200),
        None,
    )
    shown = AccessFormatter('%(client_addr)s "%(request_line)s" %(status_code)s', use_colors=False).format(
        record
    )
    assert "canary" not in shown
    assert shown.startswith('127.0.0.1:5 "POST /webhook?') and "200" in shown


def test_ordinary_records_are_as_they_were(log: tuple[logging.Logger, Log]) -> None:
    logger, written = log
    logger.info("not shown")
    logger.warning(
        "order %s of %s for %.2f %% at http://127.0.0.1:8080/bot", "hh1abc234", "SOL/USDT:USDT", 1.5
    )
    assert written() == "WARNING order hh1abc234 of SOL/USDT:USDT for 1.50 % at http://127.0.0.1:8080/bot\n"


LOOKS_SECRET = {
    "a bot token": "123456789:" + "aB3-" * 9,
    "a long key": "x7" * 32,
    "a hex secret": "0f" * 20,
    "a token in an address": "https://api.telegram.org/bot1:canary/getMe",
    "a password in an address": "postgresql://hedgehog:canary@localhost/hedgehog",
    "a signed query": "https://api.example/v1/order?symbol=BTC&signature=canary&x=1",
    "a header": "{'X-BAPI-API-KEY': 'canary', 'Accept': 'text/plain'}",
    "a body": '{"apiKey": "canary", "passphrase":"canary"}',
    "a private key": "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----",
}


@pytest.mark.parametrize("text", LOOKS_SECRET.values(), ids=LOOKS_SECRET.keys())
def test_what_looks_like_a_secret_is_masked_although_nobody_knows_it(text: str) -> None:
    masked = Redaction().mask(f"sending {text} now")
    assert MASK in masked and masked.startswith("sending ") and masked.endswith(" now")
    assert not any(secret in masked for secret in ("canary", "aB3-", "x7x7", "0f0f"))


@pytest.mark.parametrize(
    "text",
    [
        "bot.storage.vault.rotation.test_a_very_long_name_of_a_function_with_42_words_in_it",
        "exec:k3v5xq2a7b4cd6ef of replica main took 0.25 s",
        "hh" + "a2b3c4d5e6f7" * 2 + "ab",  # our id on an order
        "2026-03-01T12:00:00.123456+00:00 SOL/USDT:USDT -12.345 @ 142.31",
        "the token was refused: see HEDGEHOG_TOKEN",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert Redaction().mask(text) == text


WORDS = st.characters(min_codepoint=32, exclude_categories=["Cs"])


@given(st.lists(st.text(WORDS, min_size=4, max_size=40), min_size=1, max_size=5), st.data())
def test_no_known_secret_is_left(secrets: list[str], data: st.DataObject) -> None:
    redaction = Redaction()
    redaction.hide(*secrets)
    parts = data.draw(st.lists(st.sampled_from(secrets) | st.text(WORDS, max_size=5), max_size=8))
    masked = redaction.mask(" ".join(parts)).replace(MASK, "\0")
    assert [secret for secret in secrets if secret in masked] == []


def test_ten_thousand_known_secrets_cost_no_more_than_ten() -> None:
    redaction = Redaction()
    redaction.hide(*(f"{number:05d}-canary-{number}" for number in range(10_000)))
    assert redaction.mask("x 00042-canary-42, 09999-canary-9999 y") == f"x {MASK}, {MASK} y"


def test_a_failure_that_nobody_caught_is_printed_without_the_secret() -> None:
    program = f"""
        import sys, threading
        from bot import redaction
        redaction.hide({CANARY!r})
        redaction.install()
        def fails():
            raise LookupError({CANARY!r}[:])
        thread = threading.Thread(target=fails)
        thread.start()
        thread.join()
        class Odd:
            def __del__(self):
                fails()
        Odd()
        fails()
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "canary" not in ended.stderr, ended.stderr
    assert ended.stderr.count("LookupError:") == 3, ended.stderr
