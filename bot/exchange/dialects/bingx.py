"""BingX linear perpetuals. Codes: ccxt's list of them and BingX, "Error Codes" of the swap interface.

Left out of the rejections on purpose: 109201 and 101481 (our id is known already), 100410, 100500, 100503, 109500,
110500, 80001, 80012, 500, 504 (faults and overload), 418 and 429 in the body (a ban, which ccxt calls a denied key).
Ids are lower-cased there; ours are lower-case already.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.exchange.dialects.balances.bingx import SETTLES, balance
from bot.exchange.dialects.dialect import Dialect, Json, MarketRow, hedged_by_ccxt, row
from bot.ports.exchange import Forced, Permissions

_REJECTIONS = {
    "100202": "margin", "101204": "margin", "101253": "margin",
    "101205": "reduce_only", "101290": "reduce_only", "109420": "reduce_only", "80017": "reduce_only",
    "101400": "lot", "101485": "lot", "110425": "min_notional", "101211": "price", "101215": "price",
    "101209": "leverage", "101414": "leverage", "109425": "unknown_symbol", "109418": "closed", "109415": "closed",
    "101415": "closed", "100490": "closed",
    "100001": "key", "100004": "key", "100412": "key", "100413": "key", "100414": "key", "100419": "key",
    "100400": "refused", "109400": "refused", "80014": "refused", "100204": "refused",
}  # fmt: skip

_RIGHTS = ("enableFutures", "enableSpotAndMarginTrading", "enableWithdrawals")


def _error(answer: Any) -> str | None:
    if not isinstance(answer, Mapping) or "code" not in answer or "msg" not in answer:
        return None
    code = answer["code"]
    return str(code) if isinstance(code, int) and not isinstance(code, bool) and code != 0 else None


def _whole(answer: Any) -> bool:
    return (
        isinstance(answer, Mapping)
        and str(answer.get("code")) == "0"
        and isinstance(answer.get("data"), list | Mapping)
    )


async def _find(client: Any, symbol: str, client_id: str) -> Json | None:
    """The unified call sends no id of ours; the raw one does, and must echo it."""
    market = client.market(symbol)
    told = await client.swapV2PrivateGetTradeOrder({"symbol": market["id"], "clientOrderID": client_id})
    raw = told["data"]["order"]
    echoed = raw.get("clientOrderId") or raw.get("clientOrderID")
    if str(echoed).lower() != client_id.lower():
        raise ValueError("another order was told")
    found: Json = {**client.parse_order(raw, market), "clientOrderId": client_id}
    return found


async def _permissions(client: Any) -> Permissions:
    told = await client.accountV1PrivateGetAccountApiRestrictions()
    said = told.get("data") or told
    return Permissions(
        futures=_flag(said, "enableFutures"),
        withdraw=_flag(said, "enableWithdrawals"),
        address_list=_flag(said, "ipRestrict"),
        reads_only=said.get("enableReading") is True and not any(said.get(right) for right in _RIGHTS),
    )


def _flag(said: Json, name: str) -> bool | None:
    value = said.get(name)
    return value if isinstance(value, bool) else None


async def _leverage_calls(client: Any, symbol: str) -> Sequence[Json]:
    if await hedged_by_ccxt(client, symbol):
        return ({"side": "LONG"}, {"side": "SHORT"})
    return ({"side": "BOTH"},)


async def _rows(client: Any) -> Sequence[MarketRow]:
    books, rates = await client.fetch_tickers(None, {"type": "swap"}), await client.fetch_funding_rates()
    return [row(books[symbol], rate) for symbol, rate in rates.items() if symbol in books]


async def _forced_closes(client: Any, symbol: str, since: int) -> Sequence[Json]:
    market = client.market(symbol)
    found: list[Json] = []
    for kind in ("LIQUIDATION", "ADL"):
        params = {"symbol": market["id"], "autoCloseType": kind, "startTime": since}
        for raw in (await client.swapV2PrivateGetTradeForceOrders(params))["data"]["orders"]:
            found.append(
                {
                    "order": str(raw["orderId"]),
                    "side": str(raw["side"]).lower(),
                    "amount": raw["executedQty"],
                    "price": raw["avgPrice"],
                    "timestamp": int(raw["time"]),
                    "info": {**raw, "autoCloseType": kind},
                }
            )
    return found


def _forced(raw: Json) -> Forced | None:
    kinds: Mapping[str, Forced] = {"ADL": "adl", "LIQUIDATION": "liquidation"}
    return kinds.get(str(raw.get("autoCloseType")))


def _max_leverage(market: Json) -> int | None:
    told = (market.get("info") or {}).get("maxShortLeverage")
    return int(Decimal(str(told))) if told else None


BINGX = Dialect(
    name="bingx",
    title="BingX",
    error=_error,
    rejections=_REJECTIONS,
    find=_find,
    whole=_whole,
    permissions=_permissions,
    balance=balance,
    settles=SETTLES,
    not_found=frozenset({"80016", "109421", "109414"}),
    open_codes=frozenset({"109201", "101481", "80001"}),
    clock_skew=frozenset({"100421"}),
    revoked=frozenset({"100413", "100419", "100414"}),
    busy=frozenset({"500", "504", "80012", "100500", "100503", "109500", "110500"}),
    too_many={"100410": "key", "429": "address", "418": "address"},
    weights={"": (200.0, timedelta(seconds=10))},  # 500 calls in 10 seconds are allowed
    options={"defaultType": "swap"},
    demo="sandbox",
    leverage_calls=_leverage_calls,
    max_leverage=_max_leverage,
    rows=_rows,
    numbers=("quantity", "price"),
    mark_candles={},  # its mark candles are dated by their end
    forced=_forced,
    forced_closes=_forced_closes,
)
