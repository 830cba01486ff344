"""Choosing the account that the rule is about, and disconnecting one."""

import pytest

from bot.ports.errors import KeyRefused
from bot.ports.records import AccountState
from bot.ports.vault import NoCredentials
from bot.services.errors import CannotDisconnect, CannotSwitch, NotYours
from tests.services.accounts.conftest import ADA, BOB, Floor


async def test_a_demo_account_is_used_at_once_and_a_live_one_after_a_tap(floor: Floor) -> None:
    floor.open("bybit")
    assert (await floor.connect("bybit", "demo")).in_use
    assert (await floor.services.accounts.in_use(ADA)).mode == "demo"
    live = await floor.connect("bybit", "live")
    assert (live.in_use, live.waits) == (False, "live")
    assert (await floor.services.accounts.in_use(ADA)).mode == "demo"
    await floor.services.accounts.use(ADA, live.account.id)
    assert (await floor.connect("bybit", "live")).in_use, "connected again it stays in use"


async def test_the_rule_stays_while_a_hedge_is_open(floor: Floor) -> None:
    floor.open("bybit")
    floor.open("mexc")
    await floor.connect("bybit", "demo")
    other = (await floor.connect("mexc")).account
    floor.sell("bybit")
    with pytest.raises(CannotSwitch) as refusal:
        await floor.services.accounts.use(ADA, other.id)
    assert (refusal.value.why, refusal.value.exchange) == ("shorts", "bybit")
    floor.venue("bybit").faults.add("refuse", on="*", times=1000, word="maintenance")
    with pytest.raises(CannotSwitch, match="away"):
        await floor.services.accounts.use(ADA, other.id)
    floor.venue("bybit").faults.clear()
    floor.clock.pass_(seconds=600)
    floor.venue("bybit").desk.traders["key-1"].revoked = True
    await floor.services.accounts.use(ADA, other.id)


async def test_somebody_elses_account_is_out_of_reach(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit")).account
    for work in (
        floor.services.accounts.use(BOB, account.id),
        floor.services.accounts.line(BOB, account.id),
        floor.services.accounts.disconnect(BOB, account.id),
    ):
        with pytest.raises(NotYours):
            await work
    assert await floor.services.accounts.connected(BOB) == []


async def test_disconnecting_forgets_the_key_and_asks_the_exchange_nothing_any_more(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit", "demo")).account
    await floor.services.accounts.line(ADA, account.id)
    gone = await floor.services.accounts.disconnect(ADA, account.id)
    assert gone.state is AccountState.DISCONNECTED
    with pytest.raises(NoCredentials):
        await floor.vault.open(gone)
    assert (await floor.services.accounts.in_use(ADA)).mode == "paper"
    before = floor.calls("bybit")
    for read in (floor.exchanges.positions(gone), floor.exchanges.balance(gone)):
        with pytest.raises(KeyRefused):
            await read
    assert floor.calls("bybit") == before
    with pytest.raises(CannotSwitch, match="gone"):
        await floor.services.accounts.use(ADA, gone.id)
    paper = await floor.services.accounts.in_use(ADA)
    with pytest.raises(CannotDisconnect, match="paper"):
        await floor.services.accounts.disconnect(ADA, paper.id)
