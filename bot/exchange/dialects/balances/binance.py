"""Money of a Binance USD-M account, by `/fapi/v3/account`.

In multi-assets mode the account's totals are in US dollars over all its collateral (also credits such as BNFCR and
BFUSD), and each asset's `availableBalance` is the whole account's: they are not added up. In single-asset mode each
settle coin backs its own contracts, and the totals are those of USDT alone (Binance, "Account Information V3").
"""

from collections.abc import Mapping, Sequence
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
    told = await client.fapiPrivateV3GetAccount()
    rows = [
        row for row in told["assets"] if str(row.get("updateTime")) != "0"
    ]  # never set up: not to be believed
    if not _multi_assets(told, rows):
        return await by_settle_coin([_wallet(row) for row in rows], SETTLES, prices)
    equity = needed(told, "totalMarginBalance")
    uncounted = [row["asset"] for row in rows if not equity and _worth(row)]
    return Balance(
        equity=equity,
        free=max(needed(told, "availableBalance"), ZERO),
        maintenance=figure(told, "totalMaintMargin"),
        unpriced=await without_price(uncounted, prices),
    )


def _wallet(row: Json) -> Wallet:
    free = figure(row, "availableBalance")
    return Wallet(row["asset"], _worth(row), ZERO if free is None else free, figure(row, "maintMargin"))


def _worth(row: Json) -> Decimal:
    """With unrealised profit."""
    told = figure(row, "marginBalance")
    return needed(row, "walletBalance") + (figure(row, "unrealizedProfit") or ZERO) if told is None else told


def _multi_assets(told: Mapping[str, Any], rows: Sequence[Json]) -> bool:
    """Version 3 does not tell the mode, but its totals do: in single-asset mode they are those of USDT."""
    if told.get("multiAssetsMargin") is not None:
        return str(told["multiAssetsMargin"]).lower() == "true"
    dollars = sum((_worth(row) for row in rows if row["asset"] == "USDT"), ZERO)
    return needed(told, "totalMarginBalance") != dollars
