"""Money of a MEXC futures account, by `/api/v1/private/account/assets`. ccxt leaves out what positions bind."""

from typing import Any

from bot.exchange.dialects.balances.figures import Prices, Wallet, by_settle_coin, needed
from bot.ports.records import Balance

SETTLES = frozenset({"USDT", "USDC"})


async def balance(client: Any, prices: Prices) -> Balance:
    rows = (await client.contractPrivateGetAccountAssets())["data"]
    wallets = [
        Wallet(row["currency"], needed(row, "equity"), needed(row, "availableBalance")) for row in rows
    ]
    return await by_settle_coin(wallets, SETTLES, prices)
