"""Money of a Bybit unified account, by `/v5/account/wallet-balance`.

Where margin is shared, the account's totals are what liquidation goes by: `totalEquity` also counts coins whose
collateral is switched off, `totalMarginBalance` does not. In isolated mode these totals are empty: each coin backs what
settles in it, and what positions and orders bind of it is not free (Bybit V5, "Get Wallet Balance").
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bot.exchange.dialects.balances.figures import (
    Json,
    Prices,
    Wallet,
    by_settle_coin,
    figure,
    needed,
    without_price,
)
from bot.ports.records import Balance
from hedging.money import ZERO

SETTLES = frozenset({"USDT", "USDC"})


async def balance(client: Any, prices: Prices) -> Balance:
    told = await client.privateGetV5AccountWalletBalance({"accountType": "UNIFIED"})
    (account,) = told["result"]["list"][:1]
    coins = account.get("coin") or ()
    free = figure(account, "totalAvailableBalance")
    if free is None:
        return await _isolated(account, coins, prices)
    equity = needed(account, "totalMarginBalance")
    unvalued = [coin["coin"] for coin in coins if _worth(coin) and not figure(coin, "usdValue")]
    return Balance(
        equity=equity,
        free=max(free, ZERO),
        maintenance=_maintenance(account, equity),
        unpriced=await without_price(unvalued, prices),
    )


async def _isolated(account: Json, coins: Sequence[Json], prices: Prices) -> Balance:
    """Only coins that linear contracts settle in back a hedge, and never with more than the account leaves free."""
    told = await by_settle_coin([_wallet(coin) for coin in coins], SETTLES, prices)
    wallet, bound = figure(account, "totalWalletBalance"), figure(account, "totalInitialMargin")
    if wallet is None or bound is None:
        return told
    most = max(wallet - bound, ZERO)
    free_in = {coin: min(free, most) for coin, free in told.free_in.items()}
    return replace(told, free=min(told.free, most), free_in=free_in)


def _wallet(coin: Json) -> Wallet:
    bound = (figure(coin, name) or ZERO for name in ("totalPositionIM", "totalOrderIM", "locked"))
    free = needed(coin, "walletBalance") - sum(bound, ZERO)
    return Wallet(coin["coin"], _worth(coin), free, figure(coin, "totalPositionMM"))


def _worth(coin: Json) -> Decimal:
    told = figure(coin, "equity")
    return needed(coin, "walletBalance") + (figure(coin, "unrealisedPnl") or ZERO) if told is None else told


def _maintenance(account: Json, equity: Decimal) -> Decimal | None:
    told, rate = figure(account, "totalMaintenanceMargin"), figure(account, "accountMMRate")
    return told if told is not None or rate is None else rate * equity
