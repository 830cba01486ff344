"""An installation that would look healthy and hear nothing says so instead."""

from pathlib import Path

import pytest

from bot.settings import Settings
from tests.cli.test_keys import hedgehog

GOOD = {
    "HEDGEHOG_WEBHOOK_URL": "https://bot.example.org/webhook",
    "HEDGEHOG_WEBHOOK_SECRET": "a-Secret_7",
    "HEDGEHOG_LISTEN_PORT": "8080",
}
OWN_SERVER = {"HEDGEHOG_TELEGRAM_URL": "http://127.0.0.1:8081"}


def trouble(monkeypatch: pytest.MonkeyPatch, **changes: str) -> str:
    for name, value in {
        **GOOD,
        **{f"HEDGEHOG_{key.upper()}": value for key, value in changes.items()},
    }.items():
        monkeypatch.setenv(name, value)
    return Settings().webhook_trouble


@pytest.mark.fault(63)
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"webhook_secret": ""}, "Set HEDGEHOG_WEBHOOK_SECRET"),
        ({"listen_port": "0"}, "Set HEDGEHOG_LISTEN_PORT"),
        ({"webhook_secret": "with a blank"}, "1 to 256 letters"),
        ({"webhook_secret": "ü"}, "1 to 256 letters"),
        ({"webhook_secret": "x" * 257}, "1 to 256 letters"),
        ({"webhook_secret": "line\n"}, "1 to 256 letters"),
        ({"webhook_url": "http://bot.example.org/webhook"}, "https://"),
        ({"webhook_url": "bot.example.org/webhook"}, "whole address"),
        ({"webhook_url": "https:///webhook"}, "whole address"),
        ({"webhook_url": "https://bot.example.org:99999/webhook"}, "whole address"),
        ({"webhook_url": "https://bot.example.org:8080/webhook"}, "443, 80, 88, 8443"),
        ({"webhook_url": "https://localhost/webhook"}, "cannot reach"),
        ({"webhook_url": "https://10.0.0.7/webhook"}, "cannot reach"),
        ({"webhook_url": "https://bot.internal/webhook"}, "cannot reach"),
    ],
)
def test_what_would_make_it_deaf_is_named_with_what_to_do(
    changes: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = trouble(monkeypatch, **changes)
    assert says in said
    assert said.count(". ") == 0, "one sentence"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"webhook_url": "https://bot.example.org:8443/webhook"},
        {"webhook_url": "https://8.8.8.8/webhook"},
        {"webhook_url": "", "webhook_secret": "", "listen_port": "0"},
        {"webhook_secret": "x" * 256},
        {"telegram_url": "http://127.0.0.1:8081", "webhook_url": "http://127.0.0.1:9000/webhook"},
    ],
)
def test_what_telegram_or_ones_own_bot_api_server_takes_is_taken(
    changes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trouble(monkeypatch, **changes) == ""


@pytest.mark.fault(63)
def test_a_webhook_address_without_a_secret_refuses_to_start_in_one_line(tmp_path: Path) -> None:
    settings = {**GOOD, "HEDGEHOG_TOKEN": "1:x", "HEDGEHOG_WEBHOOK_SECRET": ""}
    done = hedgehog(tmp_path, "run", **settings)
    assert done.returncode == 2
    assert done.stdout + done.stderr == (
        "Set HEDGEHOG_WEBHOOK_SECRET, 1 to 256 letters, digits, _ or -: "
        "without it I could not tell Telegram from anybody else.\n"
    )
