"""Fault 44: no secret reaches a log, a message or an error."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fakes.books import Books
from tests.fakes.lives import Sandbox, running_sandbox
from tests.fakes.person import Person, text_of, told
from tests.fakes.phone import Driver
from tests.shared import ROOT

TOKEN_CANARY = "1:canary-token"
PASSWORD_CANARY = "canary-password"


def _run(data: Path, *, seconds: float, until: str | None = None, **settings: str) -> tuple[int | None, str]:
    """`hedgehog run` with those settings, at most so long or until it has said `until`: its exit code (None: it went
    on) and all that it said."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HEDGEHOG_") and k != "DATABASE_URL"}
    environment = {**clean, "HEDGEHOG_DATA": str(data), "HEDGEHOG_TOKEN": TOKEN_CANARY, **settings}
    data.mkdir(parents=True, exist_ok=True)
    log = data / "said.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "run"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
        try:
            for _ in range(int(seconds * 10)):
                if process.poll() is not None or (until and until in log.read_text(errors="replace")):
                    break
                time.sleep(0.1)
            time.sleep(1 if process.poll() is None else 0)  # more of the same, if there is more
            code = process.poll()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(20)
    return code, log.read_text(errors="replace")


def test_fault_44_the_token_is_in_no_log_when_telegram_cannot_be_reached(data: Path) -> None:
    nobody = "http://127.0.0.1:9"  # the discard port: nobody listens
    code, said = _run(
        data,
        seconds=60,
        until="away",
        HEDGEHOG_TELEGRAM_URL=nobody,
        HEDGEHOG_MARKET="sandbox",
        HEDGEHOG_SANDBOX_URL=nobody,
    )
    assert code is None, f"the bot gave up: {said}"
    assert "away" in said, said
    assert TOKEN_CANARY not in said and "canary" not in said


def test_fault_44_a_refused_token_is_named_as_such_and_not_printed(data: Path) -> None:
    with running_sandbox(data / "sandbox") as sandbox:
        code, said = _run(
            data,
            seconds=60,
            HEDGEHOG_TELEGRAM_URL=sandbox.address,
            HEDGEHOG_MARKET="sandbox",
            HEDGEHOG_SANDBOX_URL=sandbox.address,
        )
    assert code == 2, said
    assert "HEDGEHOG_TOKEN" in said and "canary" not in said, said


def test_fault_44_the_databases_password_is_not_printed_when_it_cannot_be_reached(data: Path) -> None:
    code, said = _run(
        data,
        seconds=60,
        DATABASE_URL=f"postgresql://hedgehog:{PASSWORD_CANARY}@127.0.0.1:9/hedgehog",
        HEDGEHOG_MARKET="sandbox",
        HEDGEHOG_SANDBOX_URL="http://127.0.0.1:9",
    )
    assert code not in (0, None), said
    assert "canary" not in said, said
    assert "Traceback" not in said, said


async def test_fault_44_a_walk_with_failures_leaves_no_token_in_log_chat_or_database(
    sandbox: Sandbox, ada: Person, driver: Driver
) -> None:
    with sandbox.living(token="1:sandbox"):
        await ada.add("SOL 120")
        for method in ("editMessageText", "answerCallbackQuery", "sendMessage"):
            await driver.post("/faults", {"method": method, "error": 500, "times": 1})
        await ada.confirm()
        for fault in ({"error": 400}, {"error": 404}, {"drop_answer": True}):
            await driver.post("/faults", {"method": "sendMessage", **fault})
            await ada.write("/status")
            await asyncio.sleep(0.3)
        await ada.ask("/help")
        said = " ".join(text_of(m) for m in await ada.messages() if m["from"] == "bot")
    token = "1:sandbox"
    assert token not in said
    assert token not in sandbox.log.read_text(errors="replace")
    for file in (sandbox.data / "bot").iterdir():
        assert token.encode() not in file.read_bytes(), file.name


@pytest.mark.parametrize(
    "secret",
    [
        "legal winner thank year wave sausage worth useful legal winner thank yellow",
        "my seed: abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
        "0x" + "4f" * 32,
    ],
)
async def test_fault_44_a_secret_written_into_the_chat_is_deleted_and_kept_nowhere(
    sandbox: Sandbox, ada: Person, secret: str
) -> None:
    with sandbox.living():
        await ada.ask("/start")
        mine = await ada.write(secret)
        answer = await ada.answer_to(mine)
        assert secret not in text_of(answer), told(answer)
        assert "secret" in text_of(answer).lower() or "key" in text_of(answer).lower(), told(answer)
        assert all(m["id"] != mine for m in await ada.messages()), "the secret still stands in the chat"
    needle = secret.split(": ")[-1].encode()
    assert needle not in sandbox.log.read_bytes()
    for file in (sandbox.data / "bot").iterdir():
        assert needle not in file.read_bytes(), file.name


async def test_fault_44_errors_are_told_by_a_reference_not_by_their_trace(
    sandbox: Sandbox, ada: Person, books: Books
) -> None:
    """A record that cannot be read is a failure nobody foresaw."""
    with sandbox.living():
        await ada.add("SOL 120")
        with books.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE holding SET amount = 'nonsense' WHERE user_id = ?", (ada.id,))
        answer = await ada.ask("/portfolio")
    said = text_of(answer)
    assert said and not any(word in said for word in ("Traceback", "Error", "sqlite", "nonsense", "bot/")), (
        said
    )
    with books.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE holding SET amount = '1' WHERE user_id = ?", (ada.id,))
