"""Money of a BingX perpetual account, by `/openApi/swap/v3/user/balance`: `equity` has unrealised profit in it,
`balance` does not. A settle coin that was never used has empty figures."""

from typing import Any

from bot.exchange.dialects.balances.figures import Prices, Wallet, by_settle_coin, figure, needed
from bot.ports.records import Balance

SETTLES = frozenset({"USDT", "USDC", "VST"})  # the last is the demo's play money


async def balance(client: Any, prices: Prices) -> Balance:
    rows = (await client.swapV3PrivateGetUserBalance())["data"]
    wallets = [
        Wallet(row["asset"], needed(row, "equity"), needed(row, "availableMargin"))
        for row in rows
        if row.get("asset") and figure(row, "equity") is not None
    ]
    return await by_settle_coin(wallets, SETTLES, prices)
