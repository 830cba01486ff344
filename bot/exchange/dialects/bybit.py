"""Bybit unified accounts, linear and inverse perpetuals. Codes: Bybit, "Error Codes" of V5.

Left out of the rejections on purpose: 10000 and 10016 (server faults), 10006, 10018 and 10429 (limits that proxies may
speak of), 110072 (our id is known already), 110079 (the order is being worked on). Creation is asynchronous: an
acknowledged order may still be rejected, which the look-up tells.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.exchange.dialects.balances.bybit import SETTLES, balance
from bot.exchange.dialects.dialect import MODES, Dialect, Json, MarketRow
from bot.ports.exchange import Forced, Permissions, ToldMode

_REJECTIONS = {
    "110004": "margin", "110006": "margin", "110007": "margin", "110012": "margin", "110014": "margin",
    "110011": "margin", "110040": "margin", "110046": "margin", "110044": "margin", "110045": "margin",
    "110051": "margin", "110052": "margin", "110053": "margin", "110017": "reduce_only", "110034": "reduce_only",
    "110023": "only_reduces", "110042": "only_reduces", "110015": "reduce_only", "110094": "min_notional",
    "110013": "leverage", "110090": "leverage", "110022": "lot", "110087": "leverage", "110003": "price",
    "110035": "price", "110036": "price", "10029": "unknown_symbol", "110074": "closed", "110063": "closed",
    "110066": "closed", "110075": "closed", "110120": "closed", "10003": "key", "10004": "key", "10005": "key",
    "10007": "key", "10009": "key", "10010": "key", "33004": "key", "10024": "restricted", "10027": "restricted",
    "110024": "position_mode", "110018": "key", "110016": "position_limit", "110021": "position_limit",
    "110085": "leverage", "110086": "leverage", "10008": "restricted", "10028": "restricted", "10032": "restricted",
    "110068": "restricted", "110069": "restricted", "110070": "restricted", "110071": "restricted",
    "110080": "restricted", "110103": "refused", "110125": "refused", "110126": "refused", "110032": "refused",
    "110057": "refused", "110009": "too_many_orders", "110020": "too_many_orders", "10001": "refused",
    "110067": "restricted",
}  # fmt: skip

_NEVER = "1970-01-01T00:00:00Z"  # told of keys that are bound to addresses
# Where an owner's region is told, it is by these codes. Keys of the exchange for Europe trade no perpetuals.
_EUROPE = frozenset((
    "AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV", "HUN", "IRL",
    "ISL", "ITA", "LIE", "LTU", "LUX", "LVA", "MLT", "NLD", "NOR", "POL", "PRT", "ROU", "SVK", "SVN", "SWE",
))  # fmt: skip
_MOST_PAGES = 20  # of 200 positions


def _error(answer: Any) -> str | None:
    if not isinstance(answer, Mapping) or "retMsg" not in answer:
        return None
    code = answer.get("retCode")
    return str(code) if isinstance(code, int) and not isinstance(code, bool) and code != 0 else None


def _whole(answer: Any) -> bool:
    return isinstance(answer, Mapping) and str(answer.get("retCode")) == "0" and bool(answer.get("result"))


async def _find(client: Any, symbol: str, client_id: str) -> Json | None:
    """Open orders and the latest closed ones first, then the history; both by our id."""
    params = {"orderLinkId": client_id}
    for ask in (client.fetch_open_orders, client.fetch_canceled_and_closed_orders):
        for order in await ask(symbol, None, None, dict(params)):
            if order.get("clientOrderId") == client_id:
                found: Json = order
                return found
    return None


async def _permissions(client: Any) -> Permissions:
    told = (await client.privateGetV5UserQueryApi())["result"]
    may = told["permissions"]
    writes = str(told["readOnly"]) == "0"
    until = datetime.fromisoformat(str(told.get("expiredAt") or _NEVER))
    return Permissions(
        futures=writes and "Order" in (may.get("ContractTrade") or ()),
        withdraw="Withdraw" in (may.get("Wallet") or ()),
        address_list=bool([address for address in told.get("ips") or () if address != "*"]),
        expires=until if until.year > 1970 else None,
        reads_only=not writes,
        europe=told.get("kycRegion") in _EUROPE,
    )


async def _hedge_mode(client: Any, symbol: str) -> bool:
    """One row with index 0 in one-way mode, else one for each side; also when nothing is held."""
    market = client.market(symbol)
    category = "linear" if market["linear"] else "inverse"
    rows = (await client.privateGetV5PositionList({"category": category, "symbol": market["id"]}))["result"][
        "list"
    ]
    if not rows:
        raise ValueError("no position mode")
    return any(str(row["positionIdx"]) != "0" for row in rows)


async def _positions(client: Any) -> Sequence[Json]:
    """Those of linear contracts are told one settle coin at a time, all of them by pages. The first of these calls goes
    alone: a key that is refused is not tried again by the others."""
    markets = client.markets.values()
    coins = {market["settle"] for market in markets if market["linear"] and market["contract"]}
    calls: list[Json] = [{"subType": "linear", "settleCoin": coin} for coin in sorted(coins | SETTLES)]
    first, *others = [{"subType": "inverse"}, *calls]
    told = [await _pages(client, first)]
    told += await asyncio.gather(*(_pages(client, params) for params in others))
    return [row for rows in told for row in rows]


async def _margin_mode(client: Any, symbol: str) -> ToldMode:
    return await _mode_of_account(client)


async def _mode_of_account(client: Any) -> ToldMode:
    told = (await client.privateGetV5AccountInfo())["result"]
    return MODES.get(client.parse_margin_mode_type(told.get("marginMode")), "unknown")


async def _holds_anything(client: Any) -> bool:
    """Also options, which are no hedge of ours and are margined all the same."""
    held = [row for row in await _positions(client) if row.get("contracts")]
    options = await client.privateGetV5PositionList({"category": "option", "limit": 200})
    return bool(held or [row for row in options["result"]["list"] if Decimal(row.get("size") or 0)])


async def _pages(client: Any, params: Json) -> Sequence[Json]:
    """Raises ValueError when they do not end: what is not whole is nothing to go by."""
    rows: list[Json] = []
    cursor = None
    for _ in range(_MOST_PAGES):
        page = await client.fetch_positions(None, {**params, **({"cursor": cursor} if cursor else {})})
        rows += page
        cursor = page[0]["info"].get("nextPageCursor") if page else None
        if not cursor:
            return rows
    raise ValueError("the positions do not end")


async def _rows(client: Any) -> Sequence[MarketRow]:
    rows = []
    ask = client.publicGetV5MarketTickers
    for told in await asyncio.gather(ask({"category": "linear"}), ask({"category": "inverse"})):
        for raw in told["result"]["list"]:
            market = client.safe_market(raw["symbol"], None, None, "contract")
            if not market.get("swap"):
                continue
            rate = client.parse_funding_rate(raw, market)
            told_hours = raw.get("fundingIntervalHour")  # ccxt's is the listing's, which is read once an hour
            hours = f"{told_hours}h" if told_hours else str(rate["interval"] or "")
            lot_of_usd = 1 if market["linear"] else market["contractSize"]
            rows.append(
                MarketRow(
                    symbol=market["symbol"],
                    bid=raw.get("bid1Price"),
                    ask=raw.get("ask1Price"),
                    bid_size=_size(raw.get("bid1Size"), lot_of_usd),
                    ask_size=_size(raw.get("ask1Size"), lot_of_usd),
                    mark=rate["markPrice"],
                    index=rate["indexPrice"],
                    rate=rate["fundingRate"],
                    next_funding=rate["fundingTimestamp"],
                    interval_hours=int(hours[:-1]) or None if hours.endswith("h") else None,
                    time=int(told["time"]) if told.get("time") else None,
                    open_interest=_size(raw.get("openInterest"), lot_of_usd),
                )
            )
    return rows


def _size(told: object, contract_size: object) -> object:
    return Decimal(str(told)) / Decimal(str(contract_size)) if told else None


async def _spot(client: Any) -> Json:
    """Of each row the prices alone: ccxt reckons twenty more values for every coin."""
    told = (await client.publicGetV5MarketTickers({"category": "spot"}))["result"]["list"]
    names = {"bid": "bid1Price", "ask": "ask1Price", "last": "lastPrice"}
    return {
        client.safe_symbol(raw["symbol"], None, None, "spot"): {
            ours: client.safe_number(raw, theirs) for ours, theirs in names.items()
        }
        for raw in told
    }


def _forced(raw: Json) -> Forced | None:
    kinds: Mapping[str, Forced] = {"AdlTrade": "adl", "BustTrade": "liquidation", "Settle": "settlement",
                                   "Delivery": "settlement"}  # fmt: skip
    return kinds.get(str(raw.get("execType")))


def _adl_rank(raw: Json) -> int | None:
    """Nought where nothing is held."""
    return int(raw.get("adlRankIndicator") or 0) or None


def _min_notional(market: Json) -> Decimal | None:
    told = ((market.get("info") or {}).get("lotSizeFilter") or {}).get("minNotionalValue")
    return Decimal(str(told)) if told else None


def _closes_at(market: Json) -> int | None:
    """Nought until a delisting is announced."""
    told = int((market.get("info") or {}).get("deliveryTime") or 0)
    return told or None


BYBIT = Dialect(
    name="bybit",
    title="Bybit",
    error=_error,
    rejections=_REJECTIONS,
    find=_find,
    whole=_whole,
    permissions=_permissions,
    balance=balance,
    settles=SETTLES,
    not_found=frozenset({"110001", "20001"}),
    open_codes=frozenset({"110072", "110079", "10014", "110030", "40004"}),
    already_set=frozenset({"110043", "110026", "110025", "100028"}),
    clock_skew=frozenset({"10002"}),
    revoked=frozenset({"10003", "10005", "10010", "33004"}),
    busy=frozenset({"10000", "10016", "10019"}),
    too_many={"10006": "key", "10018": "address", "10429": "address"},
    bans={429: 10.0, 418: 120.0, 403: 600.0},  # "access too frequent": ten minutes
    weights={"": (1250.0, timedelta(seconds=5))},  # 600 calls in 5 seconds are allowed, most cost 5
    sub_types=("linear", "inverse"),
    options={
        "defaultType": "swap",
        "fetchMarkets": {"types": ["spot", "linear", "inverse"]},
        "enableUnifiedMargin": False,  # said here, or asked for with two calls per client
        "enableUnifiedAccount": True,
        "unifiedMarginStatus": 6,
    },
    demo="demo",
    hedge_mode=_hedge_mode,
    order_fee=lambda raw: raw.get("cumExecFee") or None,
    funding_sign=-1,  # a fee, positive when paid
    positions=_positions,
    min_notional=_min_notional,
    forced=_forced,
    adl_rank=_adl_rank,
    positions_tell_mode=True,
    symbol_tells_mode=True,
    margin_mode=_margin_mode,
    margin_mode_of_account=True,
    mode_of_account=_mode_of_account,
    holds_anything=_holds_anything,
    closes_at=_closes_at,
    rows=_rows,
    spot=_spot,
)
