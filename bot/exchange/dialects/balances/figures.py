"""Figures of an account as exchanges write them: text or numbers, and nothing at all where a figure is not told."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.ports.records import Balance
from hedging.assets import STABLECOINS
from hedging.money import ZERO, decimal

Json = Mapping[str, Any]
Prices = Callable[[], Awaitable[Mapping[str, Decimal]]]  # by asset in US dollars and by symbol (marks)


@dataclass(frozen=True, slots=True)
class Wallet:
    """What an account has of one asset, in that asset: `equity` with unrealised profit, `free` for new margin,
    `maintenance` of what settles in it (None: not told)."""

    asset: str
    equity: Decimal
    free: Decimal
    maintenance: Decimal | None = None


def figure(row: Json, name: str) -> Decimal | None:
    """A finite amount; None where it is missing or empty. Raises BadInput for what is no number."""
    told = row.get(name)
    return None if told is None or told == "" else decimal(told)


def needed(row: Json, name: str) -> Decimal:
    """A figure that every answer has. Raises ValueError without it."""
    told = figure(row, name)
    if told is None:
        raise ValueError(f"{name} is missing")
    return told


def total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of what is told; None where nothing is."""
    told = [amount for amount in amounts if amount is not None]
    return sum(told, ZERO) if told else None


async def by_settle_coin(wallets: Iterable[Wallet], dollars: frozenset[str], prices: Prices) -> Balance:
    """Each settle coin backs its own contracts: only these `dollars` count, each as a pool by itself. What else there
    is backs nothing; what of it nobody prices is named."""
    every = list(wallets)
    mine = [wallet for wallet in every if wallet.asset in dollars]
    others = [wallet.asset for wallet in every if wallet.asset not in dollars and wallet.equity]
    free_in = {wallet.asset: max(wallet.free, ZERO) for wallet in mine}
    return Balance(
        equity=sum((wallet.equity for wallet in mine), ZERO),
        free=sum(free_in.values(), ZERO),
        maintenance=total(wallet.maintenance for wallet in mine),
        free_in=free_in,
        unpriced=await without_price(others, prices),
    )


async def without_price(assets: Iterable[str], prices: Prices) -> tuple[str, ...]:
    """Those that nobody prices, by name. Prices are asked for only where a coin needs one."""
    coins = sorted(set(assets) - STABLECOINS)
    if not coins:
        return ()
    known = await prices()
    return tuple(coin for coin in coins if not known.get(coin))
