"""Binance USD-M perpetuals. Codes: Binance, "Error Codes" of USD-M futures.

Left out of the rejections on purpose: -1000, -1001, -1006, -1007, -1008, -1016 (the outcome is unknown), -4116 (our id
is on an order already), -1003 (a ban, which may come from a proxy in front).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.exchange.dialects.balances.binance import SETTLES, balance
from bot.exchange.dialects.dialect import Dialect, Json
from bot.ports.exchange import Forced, Permissions, ToldMode

_REJECTIONS = {
    "-2018": "margin", "-2019": "margin", "-2024": "margin", "-4050": "margin", "-4051": "margin",
    "-2027": "leverage", "-2028": "leverage", "-2022": "reduce_only", "-2026": "reduce_only",
    "-4118": "reduce_only", "-4164": "min_notional", "-1111": "lot", "-4003": "lot", "-4004": "lot",
    "-4005": "max_amount", "-4023": "lot", "-4014": "tick", "-4001": "price", "-4002": "price", "-4013": "price",
    "-4016": "price", "-4024": "price", "-4131": "price", "-2021": "price", "-5022": "price", "-5021": "price",
    "-1121": "unknown_symbol", "-4140": "closed", "-4141": "closed", "-4144": "closed", "-4108": "closed",
    "-4028": "leverage", "-4161": "leverage", "-4202": "leverage", "-4203": "leverage", "-4205": "leverage",
    "-4087": "only_reduces", "-4088": "restricted", "-4401": "only_reduces", "-4402": "restricted",
    "-4403": "leverage", "-4411": "agreement", "-1109": "inactive", "-4109": "inactive", "-4084": "restricted",
    "-1122": "closed", "-2017": "key", "-1011": "restricted", "-2008": "key", "-2014": "key", "-2015": "key",
    "-1002": "key", "-1022": "key", "-4061": "position_mode", "-4060": "position_mode", "-1015": "rate_limited",
    "-2025": "too_many_orders", "-4400": "restricted", "-4192": "restricted", "-2023": "liquidation",
    "-2020": "refused", "-1013": "refused", "-1100": "refused", "-1101": "refused", "-1102": "refused",
    "-1104": "refused", "-1106": "refused", "-1115": "refused", "-1116": "refused", "-1117": "refused",
    "-1130": "refused", "-4015": "refused", "-4047": "margin_mode", "-4048": "margin_mode", "-4168": "margin_mode",
    "-2010": "refused", "-1014": "refused", "-1020": "refused", "-1103": "refused", "-1105": "refused",
    "-1108": "refused", "-1110": "refused", "-1114": "refused", "-1118": "refused", "-1136": "refused",
}  # fmt: skip


_RIGHTS = ("enableFutures", "enableSpotAndMarginTrading", "enableMargin", "enableWithdrawals")
_NEVER = 4_102_444_800_000  # the year 2100, in milliseconds


def _error(answer: Any) -> str | None:
    if not isinstance(answer, Mapping) or "msg" not in answer:
        return None
    code = answer.get("code")
    return (
        str(code) if isinstance(code, int) and not isinstance(code, bool) and code not in (0, 200) else None
    )


async def _find(client: Any, symbol: str, client_id: str) -> Json | None:
    order: Json = await client.fetch_order(None, symbol, {"clientOrderId": client_id})
    return order


async def _permissions(client: Any) -> Permissions:
    """Of a demo key it is not told; test money cannot be withdrawn."""
    if client.options.get("enableDemoTrading"):
        return Permissions(futures=None, withdraw=False, address_list=None)
    told = await client.sapiGetAccountApiRestrictions()
    until = told.get("tradingAuthorityExpirationTime")
    return Permissions(
        futures=bool(told["enableFutures"]),
        withdraw=bool(told["enableWithdrawals"]),
        address_list=bool(told["ipRestrict"]),
        expires=datetime.fromtimestamp(int(until) / 1000, UTC) if until else None,
        reads_only=bool(told.get("enableReading")) and not any(told.get(right) for right in _RIGHTS),
        europe=await _has_credits(client),
    )


async def _has_credits(client: Any) -> bool:
    """Accounts for Europe are margined in the exchange's credits: only theirs have a row of them, also an empty one."""
    assets = (await client.fapiPrivateV3GetAccount())["assets"]
    return any(row["asset"] == "BNFCR" for row in assets)


async def _margin_mode(client: Any, symbol: str) -> ToldMode:
    """As it is told: ccxt takes every word but one for isolated."""
    told = await client.fapiPrivateGetSymbolConfig({"symbol": client.market_id(symbol)})
    modes: Mapping[str, ToldMode] = {"CROSSED": "cross", "CROSS": "cross", "ISOLATED": "isolated"}
    mine = [row for row in told if row["symbol"] == client.market_id(symbol)]
    return modes.get(str(mine[0]["marginType"]).upper(), "unknown") if mine else "unknown"


async def _mode_of_account(client: Any) -> ToldMode | None:
    """Only a portfolio margin account has keys that may trade so; its positions are not among those that are read."""
    if client.options.get("enableDemoTrading"):
        return None
    told = await client.sapiGetAccountApiRestrictions()
    return "portfolio" if told.get("enablePortfolioMarginTrading") else None


def _adl_rank(raw: Json) -> int | None:
    """Told from 0 to 4."""
    told = raw.get("adl")
    return None if told is None else int(told) + 1


async def _intervals(client: Any) -> Mapping[str, int]:
    """Only contracts that are not settled every eight hours are listed."""
    told = await client.fetch_funding_intervals()
    return {symbol: int(row["interval"][:-1]) for symbol, row in told.items() if row.get("interval")}


def _forced(raw: Json) -> Forced | None:
    """By the exchange's own ids on its orders."""
    client_id = str(raw.get("clientOrderId") or "")
    if client_id.startswith("settlement_autoclose-"):
        return "settlement"
    if client_id.startswith("autoclose-"):
        return "liquidation"
    return "adl" if client_id == "adl_autoclose" else None


async def _forced_closes(client: Any, symbol: str, since: int) -> list[Json]:
    """Executions do not tell; forced orders do."""
    rows = await client.fapiPrivateGetForceOrders({"symbol": client.market_id(symbol), "startTime": since})
    return [
        {
            "order": str(row["orderId"]),
            "side": str(row["side"]).lower(),
            "amount": row["executedQty"],
            "price": row["avgPrice"],
            "timestamp": int(row["updateTime"]),
            "info": row,
        }
        for row in rows
        if Decimal(str(row["executedQty"])) > 0
    ]


def _rate(market: Json) -> Decimal | None:
    """Published for everybody without tiers; the tiers are told to a key's owner."""
    percent = (market.get("info") or {}).get("maintMarginPercent")
    return Decimal(str(percent)) / 100 if percent else None


def _max_leverage(market: Json) -> int | None:
    percent = (market.get("info") or {}).get("requiredMarginPercent")
    return int(100 / Decimal(str(percent))) if percent else None


def _closes_at(market: Json) -> int | None:
    """In a hundred years until a delisting is announced."""
    told = int((market.get("info") or {}).get("deliveryDate") or _NEVER)
    return told if told < _NEVER else None


BINANCE = Dialect(
    name="binance",
    title="Binance",
    error=_error,
    rejections=_REJECTIONS,
    find=_find,
    permissions=_permissions,
    balance=balance,
    settles=SETTLES,
    not_found=frozenset({"-2013"}),
    open_codes=frozenset({"-4116", "-4115", "-2011", "-1010"}),
    already_set=frozenset({"-4046"}),
    clock_skew=frozenset({"-1021"}),
    revoked=frozenset({"-2008", "-2014", "-2015", "-1002"}),
    maintenance=frozenset({"-1016"}),
    busy=frozenset({"-1000", "-1001", "-1006", "-1007", "-1008"}),
    too_many={"-1003": "address", "-1015": "key"},
    bans={429: 10.0, 418: 120.0, 403: 300.0},
    weights={
        "fapi.binance.com": (1200.0, timedelta(minutes=1)),  # 2400 are allowed
        "api.binance.com": (600.0, timedelta(minutes=1)),  # in fifths: 6000 are allowed
        "": (600.0, timedelta(minutes=1)),
    },
    used_header="X-MBX-USED-WEIGHT-1M",
    used_limits={"fapi.binance.com": 2400, "api.binance.com": 6000},
    options={
        "defaultType": "spot",  # with "swap", ccxt takes SOL/USDT for SOL/USDT:USDT
        "fetchMarkets": {"types": ["spot", "linear"]},
        "fetchMargins": False,
        "leverageBrackets": {},  # the steps of every contract, which positions do without
        "warnOnFetchOpenOrdersWithoutSymbol": False,
    },
    demo="demo",
    fills_in_answer=True,
    unique_ids=False,  # free again after a fill
    forced=_forced,
    forced_closes=_forced_closes,
    adl_rank=_adl_rank,
    positions_tell_mode=True,
    closes_at=_closes_at,
    maintenance_rate=_rate,
    max_leverage=_max_leverage,
    intervals=_intervals,
    margin_mode=_margin_mode,
    mode_of_account=_mode_of_account,
)
