"""What a key is, as each exchange tells it over real ccxt: when it ends, what it may do, whose account it opens."""

from datetime import UTC, datetime

import pytest

from bot.ports.errors import KeyRefused
from bot.ports.records import Account
from bot.services.errors import CannotConnect
from tests.services.accounts.conftest import ADA, Floor, keys_of

ENDS = datetime(2025, 8, 23, 3, 20, 45, tzinfo=UTC)


@pytest.mark.parametrize("name", ["binance", "bybit"])
async def test_the_end_of_a_key_is_read_where_the_exchange_tells_it(floor: Floor, name: str) -> None:
    floor.open(name, expires=ENDS, address_list=False)
    assert (await floor.connect(name)).trial.permissions.expires == ENDS


@pytest.mark.parametrize("name", ["binance", "bybit", "bingx", "mexc", "weex"])
async def test_a_key_whose_end_is_not_told_has_none(floor: Floor, name: str) -> None:
    floor.open(name)
    assert (await floor.connect(name)).trial.permissions.expires is None


@pytest.mark.parametrize("name", ["binance", "bybit", "bingx"])
async def test_a_key_that_only_reads_is_told_so_and_not_kept(floor: Floor, name: str) -> None:
    floor.open(name, reads_only=True)
    with pytest.raises(CannotConnect) as refusal:
        await floor.connect(name)
    assert (refusal.value.why, await keys_of(floor)) == ("reads_only", [])


@pytest.mark.parametrize(
    ("name", "made_for", "sent_for"),
    [
        ("binance", "demo", "live"),
        ("bybit", "demo", "live"),
        ("binance", "live", "demo"),
        ("bybit", "live", "demo"),
    ],
)
async def test_a_key_of_the_other_money_is_named_as_one(
    floor: Floor, name: str, made_for: str, sent_for: str
) -> None:
    floor.open(name, only=made_for)
    with pytest.raises(CannotConnect) as refusal:
        await floor.connect(name, sent_for)  # type: ignore[arg-type]
    assert (refusal.value.why, await keys_of(floor)) == (f"for_{made_for}", [])


async def test_a_key_that_neither_exchange_knows_is_only_refused(floor: Floor) -> None:
    floor.open("bybit", revoked=True)
    with pytest.raises(CannotConnect, match="refused"):
        await floor.connect("bybit")


async def test_an_account_of_bybit_for_europe_has_no_perpetuals_and_is_told_so(floor: Floor) -> None:
    floor.open("bybit", europe=True)
    with pytest.raises(CannotConnect) as refusal:
        await floor.connect("bybit")
    assert refusal.value.why == "europe"


async def test_a_european_account_of_binance_is_connected_with_a_word_about_its_credits(floor: Floor) -> None:
    floor.open("binance", europe=True)
    assert "credits" in (await floor.connect("binance")).warnings


async def test_a_european_account_of_binance_is_known_also_when_its_credits_are_used_up(floor: Floor) -> None:
    body = {"key": "key-1", "secret": "secret of key-1", "money": {"USDT": "900", "BNFCR": "0"}}
    floor.standins._account(floor.venue("binance"), body)
    assert "credits" in (await floor.connect("binance")).warnings


@pytest.mark.parametrize("name", ["binance", "bybit", "bingx"])
async def test_a_key_that_is_bound_elsewhere_brings_this_machines_address(floor: Floor, name: str) -> None:
    floor.open(name, elsewhere=True)
    with pytest.raises(CannotConnect) as refusal:
        await floor.connect(name)
    assert (refusal.value.why, refusal.value.address) == ("elsewhere", "203.0.113.9")


async def test_a_refusal_without_an_address_tells_none(floor: Floor) -> None:
    floor.open("mexc", elsewhere=True)
    with pytest.raises(CannotConnect) as refusal:
        await floor.connect("mexc")
    assert (refusal.value.why, refusal.value.address) == ("refused", "")


async def test_the_address_is_also_known_from_a_key_that_was_connected_before(floor: Floor) -> None:
    floor.open("bybit")
    account: Account = (await floor.connect("bybit")).account
    floor.venue("bybit").desk.traders["key-1"].elsewhere = True
    with pytest.raises(KeyRefused):
        await floor.exchanges.permissions(account)
    lines = await floor.services.accounts.list(ADA)
    assert {line.address for line in lines} == {"203.0.113.9"}
