"""Money of a WEEX futures account, by `/capi/v3/account/balance`: the wallet comes without unrealised profit."""

from typing import Any

from bot.exchange.dialects.balances.figures import Prices, Wallet, by_settle_coin, figure, needed
from bot.ports.records import Balance
from hedging.money import ZERO

SETTLES = frozenset({"USDT", "USDC"})


async def balance(client: Any, prices: Prices) -> Balance:
    wallets = [
        Wallet(
            row["asset"],
            needed(row, "balance") + (figure(row, "unrealizePnl") or ZERO),
            needed(row, "availableBalance"),
        )
        for row in await client.contractPrivateGetCapiV3AccountBalance()
    ]
    return await by_settle_coin(wallets, SETTLES, prices)
