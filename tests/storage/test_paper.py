"""Paper accounts: saved over exactly what was read, with an order at most once."""

import pytest

from bot.ports.errors import InvalidRecord, StaleVersion
from bot.ports.records import Account
from bot.ports.store import Store

ORDER = ("hh1", "SOL/USDT:USDT", {"status": "filled", "filled": "12.30"})


async def test_an_account_is_new_at_first(store: Store, account: Account) -> None:
    assert await store.paper_account(account.id) is None
    assert await store.paper_order(account.id, "hh1") is None


async def test_each_save_is_the_next_version(store: Store, account: Account) -> None:
    state = {"cash": "100000.00", "positions": [{"symbol": "SOL/USDT:USDT", "contracts": "-1.50"}]}
    await store.save_paper(account.id, state, version=0)
    assert await store.paper_account(account.id) == (state, 1)
    await store.save_paper(account.id, {"cash": "1"}, version=1)
    assert await store.paper_account(account.id) == ({"cash": "1"}, 2)


@pytest.mark.parametrize("version", [0, 2, 7])
async def test_a_stale_save_changes_nothing(store: Store, account: Account, version: int) -> None:
    await store.save_paper(account.id, {"cash": "1"}, version=0)
    with pytest.raises(StaleVersion):
        await store.save_paper(account.id, {"cash": "2"}, version=version, order=ORDER)
    assert await store.paper_account(account.id) == ({"cash": "1"}, 1)
    assert await store.paper_order(account.id, "hh1") is None


async def test_an_order_is_saved_with_the_account(store: Store, account: Account) -> None:
    await store.save_paper(account.id, {"cash": "1"}, version=0, order=ORDER)
    assert await store.paper_order(account.id, "hh1") == {"status": "filled", "filled": "12.30"}
    assert await store.paper_order(account.id, "hh2") is None
    assert await store.paper_order(account.id + 1, "hh1") is None


async def test_a_known_order_is_never_filled_again(store: Store, account: Account) -> None:
    await store.save_paper(account.id, {"cash": "1"}, version=0, order=ORDER)
    with pytest.raises(StaleVersion):
        await store.save_paper(account.id, {"cash": "2"}, version=1, order=("hh1", "other", {}))
    assert await store.paper_account(account.id) == ({"cash": "1"}, 1)
    assert await store.paper_order(account.id, "hh1") == ORDER[2]


async def test_a_paper_account_belongs_to_an_account(store: Store, account: Account) -> None:
    with pytest.raises(InvalidRecord):
        await store.save_paper(account.id + 1, {"cash": "1"}, version=0)
