from decimal import Decimal as D

import pytest

from hedging.assets import KNOWN, Alias, contract_base, resolve, underlying


@pytest.mark.parametrize(
    ("asset", "stands_for", "kind"),
    [
        ("USDT", "USDT", "stable"),
        ("WBTC", "BTC", "wrapped"),
        ("STETH", "ETH", "staked"),
        ("JITOSOL", "SOL", "staked"),
        ("MATIC", "POL", "renamed"),
        ("SOL", "SOL", "plain"),
    ],
)
def test_a_coin_is_what_it_stands_for(asset: str, stands_for: str, kind: str) -> None:
    got = resolve(asset)
    assert (got.asset, got.kind) == (stands_for, kind)


def test_units_are_fixed_only_where_they_are_redeemed_at_a_fixed_rate() -> None:
    assert resolve("WBTC").units == 1
    assert resolve("STETH").units == 1
    assert resolve("MKR").units == 24_000
    assert resolve("WSTETH").units is None


def test_the_table_can_be_extended_by_its_user() -> None:
    mine = {**KNOWN, "MYETH": Alias("ETH", D(1), "staked")}
    assert resolve("MYETH", mine).asset == "ETH"
    assert resolve("MYETH").asset == "MYETH"
    assert underlying("1000MYETH", mine) == "ETH"


@pytest.mark.parametrize(
    ("base", "coin", "count"),
    [
        ("1000PEPE", "PEPE", 1000),
        ("10000SATS", "SATS", 10_000),
        ("1000000MOG", "MOG", 1_000_000),
        ("1MBABYDOGE", "BABYDOGE", 1_000_000),
        ("SHIB1000", "SHIB", 1000),
        ("BTC", "BTC", 1),
        ("1INCH", "1INCH", 1),
        ("1000", "1000", 1),
        ("C98", "C98", 1),
    ],
)
def test_contracts_by_the_thousand_are_recognised(base: str, coin: str, count: int) -> None:
    assert contract_base(base) == (coin, count)


def test_nothing_in_the_table_stands_for_something_that_stands_for_something_else() -> None:
    assert [name for name, alias in KNOWN.items() if alias.asset in KNOWN] == []
