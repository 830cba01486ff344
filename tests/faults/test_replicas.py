"""Two replicas on one database: one does the work, whichever stalls, dies or comes back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.books import Books
from tests.fakes.lives import Sandbox, running_sandbox, stands_still
from tests.fakes.person import Person, is_receipt, people_at
from tests.fakes.phone import Driver, Json
from tests.fakes.stand_in import StandIn, positions_in

PACE = 10
EXCHANGE = "binance"  # takes an id again once its order has ended: nothing there would stop a second one

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]


@dataclass
class Floor:
    sandbox: Sandbox
    driver: Driver
    books: Books
    stand_in: StandIn
    ada: Person

    async def until(self, fits: Callable[[], bool], what: str, seconds: float = 60) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not fits():  # noqa: ASYNC110 - another process is waited for
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{what} did not happen: {self.books.states(self.ada.id)}") from None

    async def order_in_flight(self, card: Json, **fault: object) -> None:
        """Tap, and wait until the exchange has the order and holds its answer back."""
        before = await self.stand_in.calls("order")
        await self.stand_in.misbehave("hang", on="order", **fault)
        await self.ada.tap(card, "Confirm", wait=None)
        async with asyncio.timeout(30):
            while await self.stand_in.calls("order") == before:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)

    async def objections(self, card: Json) -> list[str]:
        attempts = self.books.attempts(self.ada.id)
        account = await self.stand_in.account_of({a["client_id"] for a in attempts})
        arrived = [order["client_id"] for order in account["orders"]]
        found = self.books.objections(self.ada.id, positions=positions_in(account), arrived=set(arrived))
        if len(arrived) != 1:
            found.append(f"orders: {arrived}")
        said = [m for m in await self.ada.messages() if m["from"] == "bot" and m["id"] >= card["id"]]
        if [is_receipt(m) for m in said] != [True]:
            found.append(f"not one receipt in the place of the card: {said}")
        return found


@pytest.fixture
async def floor(tmp_path: Path, postgres_url: str) -> AsyncIterator[Floor]:
    data = tmp_path / "state"
    with running_sandbox(data, database=postgres_url, exchange=EXCHANGE, pace=PACE) as sandbox:
        async with people_at(sandbox.address) as people:
            driver, books = people(1).phone.driver, Books.of(data, postgres_url)
            yield Floor(sandbox, driver, books, StandIn(driver, EXCHANGE), people(1))
            books.engine.dispose()


@pytest.mark.fault(29)
async def test_a_replica_that_died_over_an_order_is_stood_in_for_and_does_nothing_again_when_it_is_back(
    floor: Floor,
) -> None:
    first = floor.sandbox.bot(replica="first")
    await floor.ada.add("SOL 120")
    card = await floor.ada.card()
    await floor.order_in_flight(card, after=True, seconds=1)
    first.kill()
    with floor.sandbox.living(replica="second"):
        await floor.ada.receipt(card, seconds=60)
        await floor.until(lambda: floor.books.at_rest(floor.ada.id), "rest")
        with floor.sandbox.living(replica="first"):
            await asyncio.sleep(4)  # it goes on with what it had begun
            assert await floor.objections(card) == []


@pytest.mark.fault(30)
@pytest.mark.parametrize("accepted", [True, False], ids=["accepted", "not accepted"])
async def test_a_replica_that_stalls_over_an_order_and_wakes_up_later_changes_nothing(
    floor: Floor, accepted: bool
) -> None:
    stalled = floor.sandbox.bot(replica="first")
    try:
        await floor.ada.add("SOL 120")
        card = await floor.ada.card()
        await floor.order_in_flight(card, after=accepted, seconds=2)
        os.kill(stalled.pid, signal.SIGSTOP)
        with floor.sandbox.living(replica="second"):
            await floor.ada.receipt(card, seconds=90)
            await floor.until(lambda: floor.books.at_rest(floor.ada.id), "rest")
            told = await floor.ada.message(card["id"])
            os.kill(stalled.pid, signal.SIGCONT)
            await asyncio.sleep(5)
            assert await floor.objections(card) == []
            assert (await floor.ada.message(card["id"]))["text"] == told["text"]
    finally:
        os.kill(stalled.pid, signal.SIGCONT)
        stalled.stop()


@pytest.mark.fault(30)
@pytest.mark.parametrize("point", ["exchange.place begins", "wire.POST /fapi/v1/order begins"])
async def test_a_replica_that_stalls_before_its_order_leaves_and_wakes_up_later_does_not_send_it_any_more(
    floor: Floor, point: str
) -> None:
    """The other one has proven by then that the order is not there, and has sent it under a new id."""
    stalled = floor.sandbox.bot(replica="first", kill_at=f"store.proposal:{point}#1!")
    try:
        await floor.ada.add("SOL 120")
        card = await floor.ada.card()
        await floor.ada.tap(card, "Confirm", wait=None)
        await floor.until(lambda: stands_still(stalled.pid), "the stall")
        with floor.sandbox.living(replica="second"):
            await floor.ada.receipt(card, seconds=90)
            await floor.until(lambda: floor.books.at_rest(floor.ada.id), "rest")
            os.kill(stalled.pid, signal.SIGCONT)
            await asyncio.sleep(5)
            assert await floor.objections(card) == []
    finally:
        os.kill(stalled.pid, signal.SIGCONT)
        stalled.stop()


@pytest.mark.fault(29)
async def test_two_replicas_that_find_the_same_left_over_order_send_it_once(floor: Floor) -> None:
    """The tap was taken and its work never begun: both replicas sweep it up."""
    first = floor.sandbox.bot(replica="first", kill_at="durable.start:1")
    await floor.ada.add("SOL 120")
    card = await floor.ada.card()
    await floor.ada.tap(card, "Confirm", wait=None)
    await floor.until(lambda: first.ended(), "the death")
    with floor.sandbox.living(replica="second"), floor.sandbox.living(replica="third"):
        await floor.ada.receipt(card, seconds=60)
        await floor.until(lambda: floor.books.at_rest(floor.ada.id), "rest")
        await asyncio.sleep(6)  # a sweep more of each
        assert await floor.objections(card) == []
