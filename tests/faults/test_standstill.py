"""Ten minutes in which the process was asleep: what was missed falls together, nothing late is sent, all is told once.

The bot lives a minute in each second, and is stopped for ten of them.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fakes.books import Books
from tests.fakes.lives import Life, Sandbox, running_sandbox, stands_still, ticks_of, wait_until
from tests.fakes.person import Person, is_receipt, people_at, text_of
from tests.fakes.phone import Json
from tests.fakes.stand_in import StandIn

EXCHANGE = "bybit"
PACE, ASLEEP = 60, 10.0

pytestmark = pytest.mark.timeout(300)

Floor = tuple[Sandbox, StandIn, Books, Person]


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    data = tmp_path / "state"
    with running_sandbox(data, exchange=EXCHANGE, pace=PACE) as sandbox:
        async with people_at(sandbox.address) as people:
            books = Books.of(data, "")
            yield sandbox, StandIn(people(1).phone.driver, EXCHANGE), books, people(1)
            books.engine.dispose()


@asynccontextmanager
async def asleep(life: Life) -> AsyncIterator[None]:
    """What is done within is done while the bot is asleep, for ten minutes of its time."""
    os.kill(life.pid, signal.SIGSTOP)
    try:
        yield
        await asyncio.sleep(ASLEEP)
    finally:
        os.kill(life.pid, signal.SIGCONT)


@pytest.mark.fault(33)
async def test_after_ten_minutes_asleep_one_tick_makes_up_for_all_and_each_matter_is_told_once(
    floor: Floor,
) -> None:
    sandbox, _, books, ada = floor
    with sandbox.living(tick_seconds=1) as life:
        await ada.add("SOL 120")
        receipt = await ada.confirm()
        wait_until(lambda: len(ticks_of(sandbox)) > 2, 30, "a few ticks")
        before = ticks_of(sandbox)
        async with asleep(life):
            await ada.phone.driver.post("/market", {"shock": "crash", "size": 0.4})
        await ada.alert(receipt["id"], seconds=60)
        # The tick that the sleep interrupted may have told of it: the next one shows which slots were passed over.
        wait_until(lambda: ticks_of(sandbox) - before, 30, "a tick after the sleep")
        slots = sorted(int(name.split(":")[2]) for name in ticks_of(sandbox) - before)
        gap = max(later - slot for slot, later in pairwise([_last(before), *slots]))
        assert gap >= 0.9 * ASLEEP * PACE, f"slots in which it was asleep were made up for: {slots}"
        await asyncio.sleep(5)
        kinds = [row["kind"] for row in books.rows("SELECT kind FROM alert WHERE user_id = :u", u=ada.id)]
        said = [m for m in await ada.messages() if m["from"] == "bot" and m["id"] > receipt["id"]]
        assert kinds and len(kinds) == len(set(kinds)), f"a matter was raised twice: {kinds}"
        assert len(said) == len(kinds), [text_of(m) for m in said]


@pytest.mark.fault(33, 30)
@pytest.mark.parametrize("point", ["exchange.place begins", "wire.POST /v5/order/create begins"])
async def test_an_order_over_which_the_process_fell_asleep_is_not_sent_ten_minutes_later(
    floor: Floor, point: str
) -> None:
    """It is proven not to be there. It is not made again either: the tap is too old by then."""
    sandbox, stand_in, books, ada = floor
    life = sandbox.bot(tick_seconds=1, kill_at=f"store.proposal:{point}#1!")
    try:
        await ada.add("SOL 120")
        card = await ada.card()
        await _tap_and_sleep(ada, card, life)
        receipt = await ada.receipt(card, seconds=90)
        wait_until(lambda: books.at_rest(ada.id), 60, "rest")
        assert await stand_in.calls("order") == 0
        assert {a["state"] for a in books.attempts(ada.id)} <= {"absent", "rejected"}
        assert "Nothing was traded" in text_of(receipt)
        shown = [m for m in await ada.messages() if m["from"] == "bot" and m["id"] >= card["id"]]
        assert [is_receipt(m) for m in shown] == [True], "its owner hears of it once"
    finally:
        os.kill(life.pid, signal.SIGCONT)
        life.stop()


@pytest.mark.fault(33, 8)
async def test_a_tap_over_which_the_process_fell_asleep_finds_its_card_expired(floor: Floor) -> None:
    sandbox, stand_in, books, ada = floor
    life = sandbox.bot(tick_seconds=1, kill_at="store.proposal:exchange.positions begins#1!")
    try:
        await ada.add("SOL 120")
        card = await ada.card()
        await _tap_and_sleep(ada, card, life)
        await ada.see(
            lambda m: m["id"] == card["id"] and "expired" in text_of(m), "the end of the card", seconds=30
        )
        assert [p["state"] for p in books.proposals(ada.id)] == ["expired"]
        assert await stand_in.calls("order") == 0
        await ada.confirm()
    finally:
        os.kill(life.pid, signal.SIGCONT)
        life.stop()


def _last(ticks: set[str]) -> int:
    return max(int(name.split(":")[2]) for name in ticks)


async def _tap_and_sleep(person: Person, card: Json, life: Life) -> None:
    await person.tap(card, "Confirm", wait=None)
    wait_until(lambda: stands_still(life.pid), 30, "the sleep")
    await asyncio.sleep(ASLEEP)
    os.kill(life.pid, signal.SIGCONT)
