"""`hedgehog doctor`: the real command in a process, over a sandbox that is as ill as the test says."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from bot.ports.records import Account, AccountState
from bot.ports.vault import Credentials
from bot.sandbox.app import build_app
from bot.sandbox.exchanges.control import Exchanges
from bot.sandbox.market import open_world
from bot.storage import migrate, open_store
from bot.storage.vault import KeyFile, open_vault
from tests.cli.test_keys import NOBODY, hedgehog
from tests.fakes.database import sqlite_address
from tests.fakes.sandbox_server import serving_in_thread
from tests.storage.samples import ADA, NOW

KEY, SECRET, PASSPHRASE = "a-key", "a-secret", "some-words"


@dataclass
class Patient:
    """An installation with one account on Bybit, and the sandbox that it talks to."""

    data: Path
    address: str
    exchanges: Exchanges
    account: Account

    def look(self, **settings: str) -> tuple[int, dict[str, str], str]:
        """Exit code, what was said of each thing, and everything that was printed."""
        needed = {
            "HEDGEHOG_TOKEN": "1:sandbox",
            "HEDGEHOG_TELEGRAM_URL": self.address,
            "HEDGEHOG_MARKET": "sandbox",
            "HEDGEHOG_SANDBOX_URL": self.address,
            "HEDGEHOG_MASTER_KEY_FILE": str(self.data / "master.key"),
        }
        done = hedgehog(self.data, "doctor", **(needed | settings))
        lines = [line.partition(": ") for line in done.stdout.splitlines()]
        return done.returncode, {what: said for what, _, said in lines}, done.stdout + done.stderr


@pytest_asyncio.fixture
async def patient(tmp_path: Path) -> AsyncIterator[Patient]:
    data = tmp_path / "bot"
    data.mkdir()
    database = sqlite_address(data / "hedgehog.sqlite")
    migrate(database)
    KeyFile(data / "master.key").make()
    store, vault = open_store(database), open_vault(database, key_file=data / "master.key")
    await store.ensure_user(ADA)
    account = await store.ensure_account(ADA.id, "bybit", "live")
    await vault.seal(account, Credentials(KEY, SECRET, PASSPHRASE), at=NOW)
    await store.close()
    await vault.close()
    world = open_world(tmp_path / "market", today=datetime(2025, 6, 1, 9, tzinfo=UTC), speed=0)
    exchanges = Exchanges(world)
    exchanges.venues["bybit"].desk.open_account(KEY, SECRET, PASSPHRASE)
    app = build_app(
        data=tmp_path / "telegram", token="1:sandbox", market_routes=exchanges.routes(), page=None
    )
    with serving_in_thread(app) as address:
        yield Patient(data, address, exchanges, account)


def test_a_healthy_installation_gets_a_line_for_each_thing_and_exit_code_0(patient: Patient) -> None:
    code, said, printed = patient.look()
    assert code == 0, printed
    assert said["✓ Telegram"] == "the bot is @hedgehog_sandbox_bot"
    assert {f"✓ {name}" for name in ("Binance", "Bybit", "BingX", "MEXC", "WEEX")} <= said.keys()
    assert (
        said[f"✓ Account {patient.account.id} (bybit, live)"] == "its key trades futures and cannot withdraw"
    )
    assert {"✓ Database", "✓ Master key", "✓ Clock", "✓ Coins"} <= said.keys()
    assert SECRET not in printed and KEY not in printed


def test_what_is_wrong_is_said_with_what_to_do_and_exit_code_1(patient: Patient) -> None:
    venues = patient.exchanges.venues
    for venue in venues.values():
        venue.clock_ahead_ms = -30_000  # this machine is half a minute ahead of all of them
    venues["mexc"].faults.add("html", on="*", times=1000)
    venues["bybit"].desk.traders[KEY].revoked = True
    code, said, printed = patient.look(HEDGEHOG_TOKEN="1:wrong", HEDGEHOG_MASTER_KEY_FILE="")
    assert code == 1, printed
    assert said["✗ Telegram"] == "Telegram refuses the token: check HEDGEHOG_TOKEN."
    assert said["✗ Clock"].startswith("it is 30.")
    assert "NTP" in said["✗ Clock"]
    assert "MEXC" in said["✗ MEXC"] and "network" in said["✗ MEXC"]
    assert "HEDGEHOG_MASTER_KEY" in said["✗ Master key"]
    assert f"✗ Account {patient.account.id} (bybit, live)" in said


def test_the_operators_coins_are_counted_and_a_bad_row_is_named(patient: Patient) -> None:
    mine = patient.data / "coins.csv"
    mine.write_text(
        "name,asset,units,kind\nMYETH,ETH,,staked\nWBTC,BTC,1,wrapped\n"
    )  # one of them known before
    code, said, printed = patient.look(HEDGEHOG_ASSETS=str(mine))
    assert code == 0, printed
    assert said["✓ Coins"].endswith("are known, 1 of them from HEDGEHOG_ASSETS")
    mine.write_text("name,asset,units,kind\nMYETH,ETH,,steaked\n")
    code, said, _ = patient.look(HEDGEHOG_ASSETS=str(mine))
    assert code == 1
    assert "HEDGEHOG_ASSETS: Line 2 of the assets is not name, asset" in said["✗ Coins"]


@pytest.mark.parametrize(
    ("flags", "mark", "words"),
    [
        ({"revoked": True}, "✗", "/connect it again"),
        ({"can_withdraw": True}, "✗", "can withdraw"),
        ({"can_trade": False}, "✗", "may not trade futures"),
        ({"address_list": False}, "✓", "safer bound to this server's address"),
    ],
)
def test_a_key_that_is_not_as_it_should_be_is_named(
    patient: Patient, flags: dict[str, bool], mark: str, words: str
) -> None:
    trader = patient.exchanges.venues["bybit"].desk.traders[KEY]
    for name, value in flags.items():
        setattr(trader, name, value)
    code, said, printed = patient.look()
    assert words in said[f"{mark} Account {patient.account.id} (bybit, live)"], printed
    assert code == (mark == "✗")


async def test_a_suspended_account_is_not_asked_for(patient: Patient) -> None:
    store = open_store(sqlite_address(patient.data / "hedgehog.sqlite"))
    await store.set_account_state(patient.account.id, AccountState.SUSPENDED)
    await store.close()
    before = patient.exchanges.venues["bybit"].calls["permissions"]
    _, said, printed = patient.look()
    assert "suspended" in said[f"✗ Account {patient.account.id} (bybit, live)"], printed
    assert patient.exchanges.venues["bybit"].calls["permissions"] == before


def test_a_telegram_that_is_away_is_said_to_be(patient: Patient) -> None:
    code, said, _ = patient.look(HEDGEHOG_TELEGRAM_URL=NOBODY)
    assert code == 1
    assert "network" in said["✗ Telegram"]


@pytest.mark.fault(63)
async def test_the_doctor_says_why_webhooks_could_not_come_in(patient: Patient) -> None:
    webhook = {
        "HEDGEHOG_WEBHOOK_URL": "https://bot.example.org/webhook",
        "HEDGEHOG_WEBHOOK_SECRET": "a-secret",
    }
    code, said, _ = patient.look(**webhook)
    assert code == 1
    assert "HEDGEHOG_LISTEN_PORT" in said["✗ Webhook"]
    assert "given" in patient.look(**webhook, HEDGEHOG_LISTEN_PORT="8080")[1]["✓ Webhook"]
