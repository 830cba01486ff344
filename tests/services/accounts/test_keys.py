"""Keys that are locked, moved, revoked or half good: nobody is asked too often, and their owner is told."""

import contextlib

import pytest
from sqlalchemy import create_engine

from bot.chat import texts
from bot.ports.errors import KeyRefused, KeyUnusable, Rejected
from bot.ports.records import AccountState
from bot.services.errors import CannotConnect
from bot.storage.vault import open_vault
from tests.exchange.venues import quoted
from tests.services.accounts.conftest import ADA, BOB, EVERYWHERE, SOL, Floor


async def test_fault_40_without_a_master_key_nothing_is_connected_and_what_is_kept_is_locked(
    floor: Floor,
) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit", "demo")).account
    await floor.vault.close()
    floor.vault = open_vault(floor.database)
    floor.exchanges.close()
    services = floor.start()
    with pytest.raises(CannotConnect, match="read_only") as refusal:
        await services.connecting.ready()
    assert "without its master key" in texts.sentence(refusal.value)
    with pytest.raises(CannotConnect, match="read_only"):
        await floor.connect("bybit", key="key-2")
    assert (await services.accounts.line(ADA, account.id)).trouble == "locked"
    with pytest.raises(KeyUnusable) as locked:
        await services.status.view(ADA)
    assert "Your keys are locked" in texts.sentence(locked.value)
    await services.accounts.disconnect(ADA, account.id)
    assert await floor.vault.sealed() == [], "a key can be taken back also then"


async def test_fault_42_a_key_that_was_moved_to_another_user_is_not_used_and_both_are_told_plainly(
    floor: Floor,
) -> None:
    floor.open("bybit")
    floor.open("bybit", "key-2")
    adas = (await floor.connect("bybit", "demo")).account
    bobs = (await floor.connect("bybit", "demo", key="key-2", user=BOB)).account
    with contextlib.closing(create_engine(f"sqlite:///{floor.file}").connect()) as rows:
        sealed = rows.exec_driver_sql(
            "SELECT sealed FROM credential WHERE account_id = ?", (bobs.id,)
        ).scalar()
        rows.exec_driver_sql("UPDATE credential SET sealed = ? WHERE account_id = ?", (sealed, adas.id))
        rows.commit()
    floor.exchanges.close()
    services = floor.start()
    before = floor.calls("bybit")
    assert (await services.accounts.line(ADA, adas.id)).trouble == "damaged"
    with pytest.raises(KeyUnusable) as damaged:
        await floor.exchanges.positions(adas)
    assert "was altered, so I do not use it" in texts.sentence(damaged.value)
    assert floor.calls("bybit") == before
    (unmoved,) = await services.accounts.connected(ADA)
    assert unmoved.state is AccountState.ACTIVE, "the exchange has refused nothing"


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_fault_38_a_revoked_key_is_probed_three_times_then_rests_and_its_owner_is_told_once(
    floor: Floor, name: str
) -> None:
    floor.open(name)
    account = (await floor.connect(name)).account
    await floor.services.accounts.use(ADA, account.id)
    floor.venue(name).desk.traders["key-1"].revoked = True
    most = (
        7 if name == "bybit" else 3
    )  # there the positions are three lists, asked for at once: one probe is three calls
    before = floor.calls(name)
    for _ in range(2):
        line = await floor.services.accounts.line(ADA, account.id)
        assert line.trouble == "refused"
    floor.exchanges.close()
    services = floor.start()  # a restart forgets nothing
    for _ in range(3):
        assert (await services.accounts.line(ADA, account.id)).trouble == "refused"
    assert 1 <= floor.calls(name) - before <= most
    after = await floor.store.account(account.id)
    assert after is not None and after.state is AccountState.SUSPENDED
    owed = await floor.store.due(now=floor.clock.now())
    assert [(item.kind, item.user_id, item.payload["exchange"]) for item in owed] == [
        ("key_refused", ADA, name)
    ]
    with pytest.raises(Rejected) as refused:
        await floor.exchanges.place(after, quoted(floor.world, "hh1", SOL, "1"))
    assert refused.value.code == "key"
    with pytest.raises(KeyRefused) as told:
        await services.status.view(ADA)
    assert "does not accept your key any more" in texts.sentence(told.value)
    assert floor.calls(name) - before <= most

    floor.open(name, "key-2")
    again = await floor.connect(name, key="key-2")
    assert again.in_use, "the rule was about it all the time"
    assert (await services.accounts.line(ADA, account.id)).trouble == ""


async def test_a_refusal_that_passes_is_forgotten(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit")).account
    trader = floor.venue("bybit").desk.traders["key-1"]
    for _ in range(4):
        trader.revoked = True
        with pytest.raises(KeyRefused):
            await floor.exchanges.balance(await floor.store.account(account.id))
        trader.revoked = False
        await floor.exchanges.balance(await floor.store.account(account.id))
    now = await floor.store.account(account.id)
    assert now is not None
    assert (now.state, now.refusals) == (AccountState.ACTIVE, 0)
    assert await floor.store.due(now=floor.clock.now()) == []


async def test_a_key_that_reads_but_does_not_trade_is_named_on_the_receipt(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit")).account
    floor.venue("bybit").desk.traders["key-1"].can_trade = False
    with pytest.raises(Rejected) as refused:
        await floor.exchanges.place(account, quoted(floor.world, "hh1", SOL, "1"))
    assert refused.value.code == "key"
