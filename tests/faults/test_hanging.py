"""One person's account hangs, or the whole process stands still: all others are served, and what was due comes."""

import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.books import Books
from tests.fakes.lives import Sandbox, running_sandbox, ticks_of, wait_until
from tests.fakes.person import Person, people_at
from tests.fakes.stand_in import StandIn

EXCHANGE = "bybit"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[tuple[Sandbox, StandIn, Books, list[Person]]]:
    data = tmp_path / "state"
    with running_sandbox(data, exchange=EXCHANGE) as sandbox:
        async with people_at(sandbox.address) as people:
            crowd = [people(number) for number in range(1, 6)]
            books = Books.of(data, "")
            yield sandbox, StandIn(crowd[0].phone.driver, EXCHANGE), books, crowd
            books.engine.dispose()


def key_of(books: Books, person: Person) -> str:
    """The key that the sandbox made for the person's account."""
    (account,) = books.rows("SELECT id FROM account WHERE user_id = :user", user=person.id)
    return f"practice-key-{account['id']}"


@pytest.mark.fault(34)
async def test_while_one_persons_account_hangs_all_others_trade_and_are_watched(
    floor: tuple[Sandbox, StandIn, Books, list[Person]],
) -> None:
    sandbox, stand_in, books, (ada, *others) = floor
    with sandbox.living(tick_seconds=1):
        for person in (ada, *others):
            await person.add("SOL 120")
            await person.confirm()
        await stand_in.misbehave("hang", on="*", key=key_of(books, ada), times=10_000, seconds=60.0)
        mine = await ada.write("/hedge")
        begun = time.monotonic()
        for person in others[:2]:
            await person.confirm("/unhedge")
        assert time.monotonic() - begun < 15
        before = {person.id: max(m["id"] for m in await person.messages()) for person in others[2:]}
        await ada.phone.driver.post("/market", {"shock": "crash", "size": 0.4})
        for person in others[2:]:
            await person.alert(before[person.id], seconds=40)
        answer = await ada.answer_to(mine, seconds=40)
        assert answer["text"], "whose account hangs is told so"


@pytest.mark.fault(33)
async def test_a_process_that_stood_still_makes_up_for_its_ticks_with_one_and_loses_no_alert(
    floor: tuple[Sandbox, StandIn, Books, list[Person]],
) -> None:
    sandbox, _, books, (ada, *_) = floor
    with sandbox.living(tick_seconds=0.5) as life:
        await ada.add("SOL 120")
        await ada.confirm()
        wait_until(lambda: len(ticks_of(sandbox)) > 3, 20, "a few ticks")
        os.kill(life.pid, signal.SIGSTOP)
        try:
            at_rest, last = ticks_of(sandbox), max(m["id"] for m in await ada.messages())
            await ada.phone.driver.post("/market", {"shock": "crash", "size": 0.4})
            time.sleep(8)  # noqa: ASYNC251 - sixteen ticks; the test itself has nothing to do meanwhile
        finally:
            os.kill(life.pid, signal.SIGCONT)
        await ada.alert(last, seconds=20)
        wait_until(lambda: ticks_of(sandbox) - at_rest, 20, "a tick after the standstill")
        made_up = ticks_of(sandbox) - at_rest
        assert len(made_up) < 8 / 0.5, f"ticks that were missed were all made up for: {sorted(made_up)}"
        kinds = [
            row["kind"] for row in books.rows("SELECT kind FROM alert WHERE user_id = :user", user=ada.id)
        ]
        assert len(kinds) == len(set(kinds)), f"a matter was told twice: {kinds}"
