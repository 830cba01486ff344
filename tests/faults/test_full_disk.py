"""A disk without room: nothing is half done, its person hears it once and plainly, and room alone mends it."""

import asyncio
import errno
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from bot.chat.texts import NOT_WRITABLE
from tests.fakes.books import Books
from tests.fakes.lives import Life, Sandbox, running_sandbox, wait_until
from tests.fakes.person import Person, people_at, text_of
from tests.fakes.phone import Json
from tests.fakes.stand_in import StandIn, positions_in

EXCHANGE = "bybit"
SIZE = 24 * 1024 * 1024

pytestmark = pytest.mark.timeout(300)


@dataclass
class Disk:
    """A file system of the bot's own, and a file that takes all that is left of it."""

    folder: Path

    @property
    def ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self, life: Life) -> None:
        """While the bot stands still: its logs of changes are emptied first, so that it has no room in them either."""
        for _ in range(50):
            os.kill(life.pid, signal.SIGSTOP)
            try:
                if all(_emptied(file) for file in self.folder.glob("*.sqlite")):
                    self._take_all()
                    return
            finally:
                os.kill(life.pid, signal.SIGCONT)
            time.sleep(0.05)
        raise AssertionError("the bot was always in the middle of something")

    def _take_all(self) -> None:
        with self.ballast.open("wb", buffering=0) as file:
            for size in (65536, 4096, 1):
                with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                    _write_for_ever(file, size)

    def make_room(self) -> None:
        self.ballast.unlink()


def _write_for_ever(file: IO[bytes], size: int) -> None:
    while True:
        file.write(b"\0" * size)


def _emptied(file: Path) -> bool:
    connection = sqlite3.connect(file, timeout=0.2)
    try:
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def disk(data: Path) -> Iterator[Disk]:
    """Under the bot's data alone: the sandbox beside it has room."""
    folder = data / "bot"
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield Disk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
async def floor(data: Path, disk: Disk) -> AsyncIterator[tuple[Sandbox, StandIn, Books, Person]]:
    with running_sandbox(data, exchange=EXCHANGE) as sandbox:
        async with people_at(sandbox.address) as people:
            books = Books.of(data, "")
            yield sandbox, StandIn(people(1).phone.driver, EXCHANGE), books, people(1)
            books.engine.dispose()


async def since(person: Person, message: Json) -> list[str]:
    return [text_of(m) for m in await person.messages() if m["from"] == "bot" and m["id"] > message["id"]]


@pytest.mark.fault(32)
async def test_a_tap_on_a_full_disk_sends_nothing_says_so_once_and_works_when_there_is_room(
    disk: Disk, floor: tuple[Sandbox, StandIn, Books, Person]
) -> None:
    sandbox, stand_in, books, ada = floor
    with sandbox.living(tick_seconds=1) as life:
        await ada.add("SOL 120")
        card = await ada.card()
        # The card stands in the chat before the bot has noted where: that must not fail, too.
        wait_until(lambda: books.proposals(ada.id)[0]["message_id"] == card["id"], 10, "the card's place")
        disk.fill(life)
        answer = await ada.tap(card, "Confirm", wait=15)
        said = [answer["answer"]["text"] or "", *await since(ada, card)]
        assert [text for text in said if text] == [NOT_WRITABLE]
        await asyncio.sleep(8)  # Telegram hands the tap out again and again, and ticks go on
        assert [t for t in await since(ada, card) if t] == said[1:], "its person is told once"
        assert [p["state"] for p in books.proposals(ada.id)] == ["open"], "nothing is half done"
        assert await stand_in.calls("order") == 0
        assert not life.ended()

        disk.make_room()
        await ada.tap(await ada.message(card["id"]), "Confirm")
        await ada.receipt(card)
        wait_until(lambda: books.at_rest(ada.id), 10, "rest")
        attempts = books.attempts(ada.id)
        account = await stand_in.account_of({a["client_id"] for a in attempts})
        assert len(account["orders"]) == len(attempts) == 1
        assert (
            books.objections(
                ada.id, positions=positions_in(account), arrived={o["client_id"] for o in account["orders"]}
            )
            == []
        )
        assert not life.ended()


@pytest.mark.fault(32)
async def test_what_was_written_on_a_full_disk_is_refused_once_and_not_done_later(
    disk: Disk, floor: tuple[Sandbox, StandIn, Books, Person]
) -> None:
    sandbox, _, books, ada = floor
    with sandbox.living(tick_seconds=1) as life:
        await ada.add("SOL 120")
        disk.fill(life)
        refused = await ada.ask("/add ETH 4")
        assert text_of(refused) == NOT_WRITABLE
        await asyncio.sleep(8)
        assert await since(ada, refused) == [], "its person is told once"
        disk.make_room()
        await asyncio.sleep(4)
        assert await since(ada, refused) == []
        assert set(books.holdings(ada.id)) == {"SOL"}, "they were told that it was left as it was"
        await ada.add("ETH 4")
        assert set(books.holdings(ada.id)) == {"ETH", "SOL"}
        assert not life.ended()


@pytest.mark.fault(32)
async def test_what_a_full_disk_kept_from_being_told_is_told_once_when_there_is_room(
    disk: Disk, floor: tuple[Sandbox, StandIn, Books, Person]
) -> None:
    sandbox, _, books, ada = floor
    with sandbox.living(tick_seconds=1) as life:
        await ada.add("SOL 120")
        receipt = await ada.confirm()
        disk.fill(life)
        await ada.phone.driver.post("/market", {"shock": "crash", "size": 0.4})
        await asyncio.sleep(6)
        assert await since(ada, receipt) == [], (
            "what cannot be written down is not told: it would be told again"
        )
        disk.make_room()
        await ada.alert(receipt["id"], seconds=40)
        await asyncio.sleep(4)
        kinds = [row["kind"] for row in books.rows("SELECT kind FROM alert WHERE user_id = :u", u=ada.id)]
        assert len(kinds) == len(set(kinds)) > 0
        assert len(await since(ada, receipt)) == len(kinds), "each of them once"
        assert not life.ended()
