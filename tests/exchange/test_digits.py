"""Amounts and prices reach the wire with every digit that was shown, and no other: ccxt is told them as text."""

import contextlib
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.exchange.ccxt_exchange import CcxtExchange
from bot.ports.errors import Rejected
from bot.ports.records import Account, Order
from tests.exchange.venues import Venue

D = Decimal
SOL = "SOL/USDT:USDT"
NAMES = {
    "binance": ("quantity", "price"),
    "bybit": ("qty", "price"),
    "bingx": ("quantity", "price"),
    "mexc": ("vol", "price"),
    "weex": ("quantity", "price"),
}


def finer(live: Venue, lot: str, tick: str) -> None:
    """The exchange lists SOL with these steps."""
    for client, _ in live.live._clients._public.values():
        market = client.markets[SOL]
        market["precision"] |= {"amount": float(lot), "price": float(tick)}
        market["limits"]["amount"] = {"min": None, "max": None}


async def sent(live: Venue, account: Account, order: Order) -> tuple[str, str]:
    """What the stand-in was asked for, as it stood on the wire."""
    exchange: CcxtExchange = live.live
    with contextlib.suppress(Rejected):  # the stand-in has other steps; what it was asked for counts
        await exchange.place(account, order)
    given: dict[str, Any] = dict(live.loopback.asked["order"].given)
    amount, price = NAMES[live.name]
    return str(given[amount]), str(given[price])


@pytest.mark.parametrize(
    ("lot", "tick", "amount", "price"),
    [
        ("0.1", "0.01", "0.3", "149.07"),  # 0.1 + 0.2 as a float is 0.30000000000000004
        ("1e-7", "1e-7", "0.0000007", "0.0000123"),  # which floats write as 7e-07
        ("1", "1e-8", "12345678", "0.00001234"),
        ("0.001", "0.0001", "1234567.891", "98765.4321"),
    ],
)
async def test_the_digits_on_the_wire_are_those_of_the_order(
    live: Venue, account: Account, lot: str, tick: str, amount: str, price: str
) -> None:
    await live.live.positions(account)
    finer(live, lot, tick)
    order = replace(quoted(live), contracts=D(amount), limit_price=D(price))
    told = await sent(live, account, order)
    assert tuple(map(D, told)) == (D(amount), D(price))
    if live.name != "mexc":  # its wire takes JSON numbers
        assert told == (amount, price)


async def test_a_number_that_no_float_holds_is_refused_where_the_wire_takes_numbers(
    live: Venue, account: Account
) -> None:
    await live.live.positions(account)
    finer(live, "1e-15", "1e-6")
    before = live.loopback.calls["order"]
    order = replace(quoted(live), contracts=D("12345678.123456789012345"))
    if live.name == "mexc":
        with pytest.raises(Rejected):
            await live.live.place(account, order)
        assert live.loopback.calls["order"] == before
    else:
        assert (await sent(live, account, order))[0] == "12345678.123456789012345"


def quoted(live: Venue) -> Order:
    return live.order("hh-digits", SOL, "1")
