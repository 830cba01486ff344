from decimal import Decimal as D

import pytest

from hedging.assets import KNOWN, Alias, contract_base, held_as, resolve, table, underlying
from hedging.errors import BadInput, UnknownAsset


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


def test_a_users_rows_are_read_from_a_file_and_beat_the_table() -> None:
    mine = table(
        ["name,asset,units,kind", "MyEth,eth,,staked", "MKR,SKY,20000,renamed", "XUSD,XUSD,1,stable"]
    )
    assert mine["MYETH"] == Alias("ETH", None, "staked")
    assert resolve("MKR", mine).units == 20_000
    assert resolve("XUSD", mine).kind == "stable"
    assert mine["WBTC"] == KNOWN["WBTC"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "MYETH",
        ",ETH,1,staked",
        "A,,1,staked",
        "A,B,0,staked",
        "A,B,x,staked",
        "A,B,NaN,staked",
        "A,B,1,odd",
    ],
)
def test_a_row_that_cannot_be_read_is_named(line: str) -> None:
    rows = ["name,asset,units,kind", "OLD,NEW,1,renamed", line or ",,,"]
    with pytest.raises(BadInput, match="Line 3 of the assets"):
        table(rows)


@pytest.mark.parametrize("first", ["", "MYETH,ETH,,staked", "name,asset,kind"])
def test_a_file_that_does_not_name_its_columns_is_no_table(first: str) -> None:
    with pytest.raises(BadInput, match="name,asset,units,kind"):
        table([first, "A,B,1,staked"] if first else [])


def test_holdings_are_counted_in_what_there_are_prices_of() -> None:
    priced = ["BTC", "SKY", "1000PEPE", "JITOSOL", "USDC", "POL"]
    got = held_as(
        {
            "WBTC": 0.5,
            "BTC": 1.0,
            "MKR": 2.0,
            "PEPE": 5e6,
            "JITOSOL": 3.0,
            "MATIC": 7.0,
            "USDT": 9.0,
            "USDC": 4.0,
        },
        priced,
    )
    assert got == {"BTC": 1.5, "SKY": 48_000.0, "1000PEPE": 5000.0, "JITOSOL": 3.0, "POL": 7.0, "USDC": 4.0}


def test_what_grows_against_its_coin_needs_prices_of_its_own() -> None:
    with pytest.raises(UnknownAsset, match="JITOSOL grows against SOL and needs its own"):
        held_as({"JITOSOL": 1.0}, ["SOL"])
    with pytest.raises(UnknownAsset, match="no prices of ODD"):
        held_as({"ODD": 1.0}, ["SOL"])
    with pytest.raises(UnknownAsset):
        held_as({"MYETH": 1.0}, ["ETH"])
    assert held_as({"MYETH": 1.0}, ["ETH"], table(["name,asset,units,kind", "MYETH,ETH,1,staked"])) == {
        "ETH": 1.0
    }
