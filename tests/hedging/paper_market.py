"""Contracts, quotes and accounts for the paper tests, short enough to keep the inputs in sight."""

from datetime import UTC, datetime
from decimal import Decimal as D

from hedging.market import Contract, Quote
from hedging.paper import PaperAccount, PaperOrder

START = datetime(2025, 6, 1, 9, tzinfo=UTC)


def linear(
    base: str = "BTC", lot: str = "0.001", tick: str = "0.1", fee: str = "0.00055", least: str = "5"
) -> Contract:
    return Contract(
        symbol=f"{base}/USDT:USDT",
        base=base,
        quote="USDT",
        settle="USDT",
        linear=True,
        contract_size=D(1),
        lot=D(lot),
        tick=D(tick),
        min_amount=D(lot),
        min_notional=D(least),
        taker_fee=D(fee),
        maker_fee=D("0.0002"),
        maintenance_margin_rate=D("0.005"),
        max_leverage=50,
    )


def inverse(base: str = "BTC", fee: str = "0.00055") -> Contract:
    return Contract(
        symbol=f"{base}/USD:{base}",
        base=base,
        quote="USD",
        settle=base,
        linear=False,
        contract_size=D(1),
        lot=D(1),
        tick=D("0.1"),
        min_amount=D(1),
        min_notional=D(0),
        taker_fee=D(fee),
        maker_fee=D("0.0002"),
        maintenance_margin_rate=D("0.005"),
        max_leverage=50,
    )


def quote(contract: Contract, price: str, depth: str = "1e15") -> Quote:
    """Bid, ask, mark and index alike; by default a book so deep that an order does not move it."""
    return Quote(contract.symbol, D(price), D(price), D(price), D(price), D(depth))


def account(**cash: str) -> PaperAccount:
    return PaperAccount({asset: D(amount) for asset, amount in (cash or {"USDT": "100000"}).items()}, START)


def sell(contract: Contract, contracts: str, limit: str, reduce_only: bool = False) -> PaperOrder:
    return PaperOrder(contract.symbol, "sell", D(contracts), D(limit), reduce_only)


def buy(contract: Contract, contracts: str, limit: str, reduce_only: bool = False) -> PaperOrder:
    return PaperOrder(contract.symbol, "buy", D(contracts), D(limit), reduce_only)
