"""Books of positions: over exactly the version that was read, with each change and its message once."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.ports.books import Book, KnownShort, PositionChange
from bot.ports.errors import StaleVersion
from bot.ports.records import Account, AttemptState, OutboxItem
from bot.ports.store import Store
from tests.storage.samples import NOW, a_proposal, an_attempt, later

SOL, BTC = "SOL/USDT:USDT", "BTC/USDT:USDT"
SHORT = KnownShort(SOL, Decimal("-12.3"), Decimal("-2.30"), Decimal(-10), Decimal("0.01"))


def change(account: Account, key: str = "1:SOL:adl:77", symbol: str = SOL) -> PositionChange:
    return PositionChange(
        key, account.id, symbol, "adl", Decimal("1.5"), Decimal("140.25"), NOW, ("77", "78")
    )


def word(account: Account, key: str) -> OutboxItem:
    user = account.user_id
    return OutboxItem(f"position:{key}", user, user, "position", {"kind": "adl"}, NOW)


async def test_a_book_is_new_at_first_and_comes_back_as_it_was_saved(store: Store, account: Account) -> None:
    assert await store.book(account.id) is None
    inverse = KnownShort(BTC, Decimal(-900), Decimal(0), Decimal(-900), None, "gone")
    saved = await store.save_book(Book(account.id, NOW, {SOL: SHORT, BTC: inverse}))
    assert saved.version == 1
    assert await store.book(account.id) == Book(account.id, NOW, {SOL: SHORT, BTC: inverse}, 1)
    moved = replace(saved, looked_at=later(60), shorts={SOL: replace(SHORT, contracts=Decimal(0))})
    await store.save_book(moved)
    again = await store.book(account.id)
    assert again is not None
    assert (again.version, again.looked_at) == (2, later(60))
    assert again.shorts == {SOL: replace(SHORT, contracts=Decimal(0)), BTC: inverse}


@pytest.mark.parametrize("version", [0, 2])
async def test_who_read_an_older_book_changes_and_owes_nothing(
    store: Store, account: Account, version: int
) -> None:
    first = await store.save_book(Book(account.id, NOW, {SOL: SHORT}))
    made = change(account)
    with pytest.raises(StaleVersion):
        await store.save_book(Book(account.id, later(9), {}, version), [(made, word(account, made.key))])
    assert await store.book(account.id) == first
    assert await store.position_changes(account.id, SOL) == []
    assert await store.due(now=later(60)) == []


async def test_a_change_is_stored_and_owed_once(store: Store, account: Account) -> None:
    made, other = change(account), change(account, "1:BTC:adl:9", BTC)
    book = await store.save_book(Book(account.id, NOW, {SOL: SHORT}), [(made, word(account, made.key))])
    both = [(made, replace(word(account, made.key), key="another")), (other, word(account, other.key))]
    await store.save_book(book, both)
    assert await store.position_changes(account.id, SOL) == [made]
    assert await store.position_changes(account.id, BTC) == [other]
    owed = [item.key for item in await store.due(now=later(60))]
    assert owed == [f"position:{made.key}", f"position:{other.key}"]


async def test_the_latest_changes_come_first(store: Store, account: Account) -> None:
    made = [replace(change(account, f"k{n}"), at=later(n)) for n in range(4)]
    await store.save_book(Book(account.id, NOW), [(one, word(account, one.key)) for one in made])
    assert await store.position_changes(account.id, SOL, 2) == [made[3], made[2]]


async def test_an_accounts_orders_are_told_by_symbol_whatever_became_of_them(
    store: Store, account: Account
) -> None:
    await store.add_proposal(a_proposal("card", account))
    sold = await store.reserve(an_attempt("hh1", account))
    done = await store.transition(sold, AttemptState.REJECTED, at=later(1), reason="margin")
    other = await store.reserve(
        an_attempt("hh2", account, leg=1, symbol=BTC, created_at=later(2), updated_at=later(2))
    )
    assert await store.orders_of(account.id) == [done, other]
    assert await store.orders_of(account.id, BTC) == [other]
    assert await store.orders_of(account.id + 1) == []
