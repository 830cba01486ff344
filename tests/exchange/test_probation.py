"""How many calls of an account are under way while its key is in doubt."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest

from bot.exchange.probation import MOST_PROBES, Probation
from bot.ports.errors import KeyRefused, Rejected, Unavailable
from bot.ports.exchange import Exchange
from bot.ports.records import Account, AccountState, Balance, OutboxItem, User
from bot.ports.store import KeyStore
from tests.fakes.clock import NOON, ManualClock

ACCOUNT = Account(1, 11, "bybit", "live")
MONEY = Balance(Decimal(1), Decimal(1))


class Rows:
    """The account's row. `broken`: nothing can be written."""

    def __init__(self) -> None:
        self.account = ACCOUNT
        self.owed: list[str] = []
        self.broken = False

    async def user(self, user_id: int) -> User:
        return User(user_id, user_id, "Ada", NOON)

    async def count_refusal(self, account: Account, *, most: int, outbox: OutboxItem | None) -> Account:
        if self.broken:
            raise Unavailable("the database is away")
        refusals = self.account.refusals + 1
        if refusals >= most and self.account.state is AccountState.ACTIVE:
            self.owed.append(outbox.key if outbox else "")
            self.account = replace(self.account, state=AccountState.SUSPENDED)
        self.account = replace(self.account, refusals=refusals)
        return self.account

    async def forget_refusals(self, account: Account) -> None:
        if self.broken:
            raise Unavailable("the database is away")
        self.account = replace(self.account, refusals=0)


class Wire:
    """An exchange whose answers wait until the test lets them come."""

    name = "bybit"

    def __init__(self) -> None:
        self.asked = 0
        self.answers: asyncio.Queue[Balance | Exception] = asyncio.Queue()

    async def balance(self, account: Account) -> Balance:
        self.asked += 1
        answer = await self.answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def place(self, account: Account, order: Any) -> Balance:
        return await self.balance(account)


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def probation(rows: Rows, wire: Wire) -> Probation:
    return Probation(cast(Exchange, wire), cast(KeyStore, rows), ManualClock())


async def rounds(n: int = 20) -> None:
    for _ in range(n):
        await asyncio.sleep(0)


async def gathered(*work: Any) -> Sequence[Any]:
    return await asyncio.gather(*work, return_exceptions=True)


async def test_of_twenty_calls_at_once_no_more_than_three_meet_a_revoked_key(
    probation: Probation, rows: Rows, wire: Wire
) -> None:
    for _ in range(20):
        wire.answers.put_nowait(KeyRefused("no"))
    found = await gathered(*(probation.balance(ACCOUNT) for _ in range(20)))
    assert all(isinstance(one, KeyRefused) for one in found)
    assert wire.asked == MOST_PROBES
    assert (rows.account.state, len(rows.owed)) == (AccountState.SUSPENDED, 1)


async def test_of_twenty_calls_at_once_all_are_answered_when_the_key_is_good(
    probation: Probation, wire: Wire
) -> None:
    for _ in range(20):
        wire.answers.put_nowait(MONEY)
    assert await gathered(*(probation.balance(ACCOUNT) for _ in range(20))) == [MONEY] * 20
    assert wire.asked == 20


async def test_what_others_have_counted_leaves_fewer_probes(
    probation: Probation, rows: Rows, wire: Wire
) -> None:
    doubted = rows.account = replace(ACCOUNT, refusals=2)
    work = asyncio.gather(*(probation.balance(doubted) for _ in range(5)), return_exceptions=True)
    await rounds()
    assert wire.asked == 1
    for _ in range(5):
        wire.answers.put_nowait(KeyRefused("no"))
    await work
    assert wire.asked == 1


async def test_a_key_that_is_let_in_again_is_free_again(probation: Probation, rows: Rows, wire: Wire) -> None:
    for answer in (KeyRefused("no"), KeyRefused("no"), MONEY, KeyRefused("no"), KeyRefused("no"), MONEY):
        wire.answers.put_nowait(answer)
        await gathered(probation.balance(rows.account))
    assert (rows.account.state, rows.account.refusals) == (AccountState.ACTIVE, 0)


async def test_what_others_have_forgiven_is_forgiven_here_too(
    probation: Probation, rows: Rows, wire: Wire
) -> None:
    for _ in range(4):
        for answer in (KeyRefused("no"), KeyRefused("no")):
            wire.answers.put_nowait(answer)
            await gathered(probation.balance(rows.account))
        await rows.forget_refusals(rows.account)  # another process was let in
    assert wire.asked == 8


async def test_whoever_gives_up_waiting_takes_nobodys_turn(probation: Probation, wire: Wire) -> None:
    waiting = [asyncio.ensure_future(probation.balance(ACCOUNT)) for _ in range(5)]  # noqa: TID251
    await rounds()
    for one in waiting:
        one.cancel()
    await gathered(*waiting)
    wire.answers.put_nowait(MONEY)
    assert await probation.balance(ACCOUNT) == MONEY


async def test_a_database_that_is_away_hides_neither_a_refusal_nor_a_success(
    probation: Probation, rows: Rows, wire: Wire
) -> None:
    rows.broken = True
    wire.answers.put_nowait(Rejected("no", "key"))
    with pytest.raises(Rejected):
        await probation.place(ACCOUNT, cast(Any, None))
    wire.answers.put_nowait(MONEY)
    assert await probation.place(ACCOUNT, cast(Any, None)) == cast(Any, MONEY)


async def test_a_new_key_is_not_judged_by_the_one_before(
    probation: Probation, rows: Rows, wire: Wire
) -> None:
    for _ in range(3):
        wire.answers.put_nowait(KeyRefused("no"))
        await gathered(probation.balance(ACCOUNT))
    with pytest.raises(KeyRefused):
        await probation.balance(ACCOUNT)  # as somebody still holds it, from before the suspension
    assert wire.asked == 3
    wire.answers.put_nowait(MONEY)
    assert await probation.balance(replace(ACCOUNT, key_number=1)) == MONEY
