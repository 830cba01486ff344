"""Connecting: which keys are taken, which are refused, and what of them is kept."""

import pytest

from bot.ports.records import Account
from bot.services.errors import CannotConnect
from tests.services.accounts.conftest import ADA, EVERYWHERE, SOL, Floor, keys_of

TELLING = ("binance", "bybit", "bingx")  # what a key may do


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_a_key_that_works_is_kept_sealed_and_its_account_can_be_read(floor: Floor, name: str) -> None:
    floor.open(name)
    done = await floor.connect(name)
    assert done.account == Account(done.account.id, ADA, name, "live")
    assert (done.in_use, done.waits) == (False, "live")
    assert done.trial.balance.equity >= 100_000
    assert await keys_of(floor) == [(name, "live")]
    assert b"secret of key-1" not in floor.file.read_bytes()
    await floor.services.accounts.use(ADA, done.account.id)
    used, paper = await floor.services.accounts.list(ADA)
    assert (used.account, used.in_use, used.trouble, used.shorts) == (done.account, True, "", ())
    assert used.equity == done.trial.balance.equity
    assert (paper.account.mode, paper.in_use) == ("paper", False)


@pytest.mark.parametrize("name", TELLING)
async def test_fault_39_a_key_that_can_withdraw_is_refused_and_nothing_of_it_kept(
    floor: Floor, name: str
) -> None:
    floor.open(name, can_withdraw=True)
    with pytest.raises(CannotConnect) as refusal:
        await floor.connect(name)
    assert (refusal.value.why, refusal.value.exchange) == ("withdraw", name)
    assert await keys_of(floor) == []
    assert await floor.services.accounts.connected(ADA) == []


@pytest.mark.parametrize("name", TELLING)
async def test_fault_39_a_key_without_addresses_is_warned_about(floor: Floor, name: str) -> None:
    floor.open(name, address_list=False)
    assert "no_address_list" in (await floor.connect(name)).warnings


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_a_key_that_may_not_trade_futures_is_named_as_such(floor: Floor, name: str) -> None:
    floor.open(name, can_trade=False)
    with pytest.raises(CannotConnect, match="no_futures"):
        await floor.connect(name)
    assert await keys_of(floor) == []


async def test_what_an_exchange_does_not_tell_of_its_keys_is_said(floor: Floor) -> None:
    floor.open("mexc")
    assert "permissions_unknown" in (await floor.connect("mexc")).warnings


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_hedge_mode_and_open_positions_are_seen_and_left_alone(floor: Floor, name: str) -> None:
    floor.open(name, hedged=True)
    body = {"trade": "sell", "key": "key-1", "symbol": SOL, "contracts": "30", "position_side": "short"}
    floor.standins._event(floor.venue(name), body)
    done = await floor.connect(name)
    assert "hedge_mode" in done.warnings
    assert [(p.symbol, p.contracts < 0) for p in done.trial.positions] == [(SOL, True)]
    assert floor.venue(name).desk.traders["key-1"].hedged


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_a_key_that_the_exchange_does_not_know_is_refused(floor: Floor, name: str) -> None:
    with pytest.raises(CannotConnect, match="refused"):
        await floor.connect(name, key="nobody")
    assert await keys_of(floor) == []


async def test_an_exchange_that_is_away_has_nothing_kept(floor: Floor) -> None:
    floor.open("bybit")
    floor.venue("bybit").faults.add("refuse", on="*", times=1000, word="maintenance")
    with pytest.raises(CannotConnect, match="away"):
        await floor.connect("bybit")
    assert await keys_of(floor) == []


async def test_the_third_part_must_be_there(floor: Floor) -> None:
    floor.open("weex")
    with pytest.raises(CannotConnect, match="no_passphrase"):
        await floor.connect("weex", passphrase=None)


async def test_a_reconnection_that_fails_leaves_the_working_key_in_place(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit")).account
    floor.open("bybit", "key-2", can_withdraw=True)
    for key in ("key-2", "nobody"):
        with pytest.raises(CannotConnect):
            await floor.connect("bybit", key=key)
    assert (await floor.vault.open(account)).api_key == "key-1"
    line = await floor.services.accounts.line(ADA, account.id)
    assert (line.trouble, line.equity) == ("", line.equity) and line.equity


async def test_a_new_key_takes_the_place_of_the_one_before(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit")).account
    await floor.services.accounts.line(ADA, account.id)
    floor.open("bybit", "key-2")
    floor.venue("bybit").desk.traders["key-1"].revoked = True
    again = (await floor.connect("bybit", key="key-2")).account
    assert again == account and again.key_number == account.key_number + 1
    assert (await floor.services.accounts.line(ADA, account.id)).trouble == ""


async def test_a_key_of_another_account_is_refused_while_a_hedge_is_open(floor: Floor) -> None:
    floor.open("bybit")
    account = (await floor.connect("bybit")).account
    floor.sell("bybit")
    floor.open("bybit", "key-2")
    with pytest.raises(CannotConnect, match="other_account"):
        await floor.connect("bybit", key="key-2")
    assert (await floor.vault.open(account)).api_key == "key-1"
