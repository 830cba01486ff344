"""MEXC linear perpetuals. Amounts are whole contracts. Codes: ccxt's list of them and MEXC, "Error Code" of futures.

Left out of the rejections on purpose: 500, 501, 503, 504, 801, 9999 (faults and maintenance), 429 and 510 (limits), 603
(a repeated request). An order that repeats our id is answered with the first one's id.
"""

import itertools
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from bot.exchange.ccxt_wire import calls_noted
from bot.exchange.dialects.balances.mexc import SETTLES, balance
from bot.exchange.dialects.dialect import PAGE, Dialect, Json, MarketRow, told_something
from bot.ports.exchange import Forced, Permissions, ToldMode

IOC = 3  # ccxt's "limit" would rest, and its "market" may
_SHORT, _CROSS = 2, 2
_REJECTIONS = {
    "2005": "margin", "2018": "margin", "30004": "margin", "30005": "margin", "2008": "reduce_only",
    "2009": "reduce_only", "2011": "lot", "2012": "lot", "2015": "lot", "2032": "lot", "2033": "lot",
    "2003": "price", "2004": "price", "2007": "price", "2006": "leverage", "2013": "leverage", "2014": "leverage",
    "2019": "leverage", "2021": "leverage", "2031": "restricted", "1001": "unknown_symbol", "1002": "closed",
    "1004": "closed", "2036": "too_many_orders", "401": "key", "402": "key", "403": "key", "406": "key",
    "511": "key", "602": "key", "701": "key", "702": "key", "703": "key", "704": "key", "1000": "key",
    "600": "refused", "601": "refused", "2001": "refused", "2002": "refused", "2022": "position_mode",
}  # fmt: skip
_NO_PERMISSION = frozenset({"401", "402", "403", "406", "511", "701", "702", "703", "704"})


def _error(answer: Any) -> str | None:
    if not isinstance(answer, Mapping) or answer.get("success") is not False:
        return None
    code = answer.get("code")
    return (
        str(code) if isinstance(code, int) and not isinstance(code, bool) and code not in (0, 200) else None
    )


def _whole(answer: Any) -> bool:
    """Spot answers have no envelope."""
    if isinstance(answer, Mapping) and "success" in answer:
        return answer["success"] is True and "data" in answer
    return told_something(answer)


async def _find(client: Any, symbol: str, client_id: str) -> Json | None:
    market = client.market(symbol)
    told = await client.contractPrivateGetOrderExternalSymbolExternalOid(
        {"symbol": market["id"], "external_oid": client_id}
    )
    raw = told["data"]
    if raw is None:
        return None
    if raw["externalOid"] != client_id:
        raise ValueError("another order was told")
    order = client.parse_order(raw, market)
    invalid = str(raw["state"]) == "5"
    return {**order, "clientOrderId": client_id, "status": "rejected" if invalid else order["status"]}


async def _permissions(client: Any) -> Permissions:
    """A cancellation of an order that there is not: only who may trade is told that it is not there."""
    code = None
    with calls_noted() as calls:
        try:
            await client.contractPrivatePostOrderCancelWithExternal(
                {"symbol": "BTC_USDT", "externalOid": "hh-probe"}
            )
        except Exception:  # ccxt raises anything; without a code of the exchange it is raised again
            code = _error(calls[-1].json()) if calls else None
            if code is None:
                raise
    return Permissions(futures=code not in _NO_PERMISSION, withdraw=None, address_list=None)


def _wire_side(hedged: bool, reduce_only: bool, side: str) -> str:
    """With `hedged` ccxt names the side of the position that is closed: a short closes with `sell` (side 2)."""
    if hedged and reduce_only:
        return "sell" if side == "buy" else "buy"
    return side


async def _held(client: Any, symbol: str) -> Json | None:
    """The open short, as told."""
    told = await client.contractPrivateGetPositionOpenPositions({"symbol": client.market(symbol)["id"]})
    mine = [row for row in told["data"] or () if str(row["positionType"]) == str(_SHORT)]
    found: Json | None = mine[0] if mine else None
    return found


async def _leverage_calls(client: Any, symbol: str) -> Sequence[Json]:
    """Of the short side: of the position, or of those to come."""
    held = await _held(client, symbol)
    if held is not None:
        return ({"positionId": int(held["positionId"])},)
    return ({"openType": _CROSS, "positionType": _SHORT},)


async def _extra_params(client: Any, symbol: str) -> Json:
    """An order joins its position's margin mode; the exchange tells none without a position."""
    held = await _held(client, symbol)
    if held is None or str(held["openType"]) == str(_CROSS):
        return {"openType": _CROSS}
    return {"openType": int(held["openType"]), "leverage": int(held["leverage"])}


async def _margin_mode(client: Any, symbol: str) -> ToldMode | None:
    held = await _held(client, symbol)
    modes: Mapping[str, ToldMode] = {"1": "isolated", "2": "cross"}
    return None if held is None else modes.get(str(held["openType"]), "unknown")


async def _margin_mode_params(client: Any, symbol: str) -> Json:
    rows = (await client.contractPrivateGetPositionLeverage({"symbol": client.market(symbol)["id"]}))["data"]
    mine = [int(row["leverage"]) for row in rows if str(row["positionType"]) == str(_SHORT)]
    return {"leverage": mine[0] if mine else 1, "direction": "short"}


async def _rows(client: Any) -> Sequence[MarketRow]:
    tickers = (await client.contractPublicGetTicker())["data"]
    rates = await client.request("funding_rate", ["contract", "public"], "GET", {}, {"cost": 2})
    by_id = {rate["symbol"]: rate for rate in rates["data"]}
    rows = []
    for raw in tickers:
        market = client.safe_market(raw["symbol"], None, None, "swap")
        rate = by_id.get(raw["symbol"])
        if not market.get("swap") or rate is None:
            continue
        rows.append(
            MarketRow(
                symbol=market["symbol"],
                bid=raw.get("bid1"),
                ask=raw.get("ask1"),
                bid_size=None,  # not told in bulk
                ask_size=None,
                mark=raw.get("fairPrice"),
                index=raw.get("indexPrice"),
                rate=rate.get("fundingRate"),
                next_funding=int(rate["nextSettleTime"]),
                interval_hours=int(rate.get("collectCycle") or 0) or None,
                time=int(raw["timestamp"]),
                turnover=raw.get("amount24"),
                open_interest=raw.get("holdVol"),
            )
        )
    return rows


async def _fills(client: Any, symbol: str, since: int) -> Sequence[Json]:
    """ccxt looks for a field that the answers do not have."""
    market = client.market(symbol)
    request = {"symbol": market["id"], "start_time": since, "page_size": 100}
    return [
        {
            "order": str(raw["orderId"]),
            "side": "buy" if str(raw["side"]) in ("1", "2") else "sell",
            "amount": raw["vol"],
            "price": raw["price"],
            "fee": {"cost": raw["fee"], "currency": raw["feeCurrency"]},
            "timestamp": int(raw["timestamp"]),
            "info": raw,
        }
        for raw in (await client.contractPrivateGetOrderListOrderDeals(request))["data"]
    ]


async def _funding(client: Any, symbol: str, since: int, until: int) -> Sequence[Json]:
    """By pages, the latest first: a span cannot be asked for."""
    rows: list[Json] = []
    for page in itertools.count(1):
        told = await client.fetch_funding_history(symbol, None, PAGE, {"page_num": page})
        rows += told
        if len(told) < PAGE or told[-1]["timestamp"] < since:
            break
    return rows


def _forced(raw: Json) -> Forced | None:
    kinds: Mapping[str, Forced] = {"2": "liquidation", "4": "adl"}
    return kinds.get(str(raw.get("category")))


def _position_side(raw: Json) -> Literal["long", "short"] | None:
    sides: Mapping[str, Literal["long", "short"]] = {"1": "long", "2": "short", "3": "short", "4": "long"}
    return sides.get(str(raw.get("side")))


def _rate(market: Json) -> Decimal | None:
    told = (market.get("info") or {}).get("maintenanceMarginRate")
    return Decimal(str(told)) if told else None


MEXC = Dialect(
    name="mexc",
    title="MEXC",
    error=_error,
    rejections=_REJECTIONS,
    find=_find,
    whole=_whole,
    permissions=_permissions,
    balance=balance,
    settles=SETTLES,
    not_found=frozenset({"2040", "2041"}),
    open_codes=frozenset({"603", "604", "26"}),
    clock_skew=frozenset({"513"}),
    revoked=frozenset({"401", "402", "403", "406"}),
    maintenance=frozenset({"801"}),
    busy=frozenset({"500", "501", "503", "504", "9999"}),
    too_many={"510": "address", "429": "address"},  # it does not say whom it means
    weights={
        "": (200.0, timedelta(seconds=10))
    },  # 20 calls in 2 seconds are allowed of each kind, most cost 2
    calls_per=(10, timedelta(seconds=2)),
    options={"defaultType": "swap"},
    has={"fetchLeverageTiers": False},  # ccxt counts the steps in contracts and calls them money
    as_numbers=True,
    order_type=IOC,
    time_in_force={},
    wire_side=_wire_side,
    extra_params=_extra_params,
    margin_mode=_margin_mode,
    leverage_calls=_leverage_calls,
    margin_mode_params=_margin_mode_params,
    rows=_rows,
    fills=_fills,
    funding=_funding,
    forced=_forced,
    position_side=_position_side,
    maintenance_rate=_rate,
    most_candles=500,
    orders_per=(4, timedelta(seconds=2)),
)
