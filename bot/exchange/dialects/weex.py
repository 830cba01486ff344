"""WEEX linear perpetuals. Amounts are base coins, whatever `contractVal` says. An order always names the side of the
position, so both position modes are spoken to alike. Codes: ccxt's list of them.

Left out of the rejections on purpose: -1000 and -1054 (unknown and system errors), unless the latter says that there is
not enough: then nothing was taken. Orders cannot be asked for by our id: open ones and the history are looked through.
Its demo is not offered: there neither leverage nor position mode, open orders or fills can be read or set, so that an
order could not be settled.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.exchange.dialects.balances.weex import SETTLES, balance
from bot.exchange.dialects.dialect import Dialect, Json, margin_mode_by_ccxt
from bot.ports.exchange import Permissions

_NOT_ENOUGH = "-1054 amount not enough"
_REJECTIONS = {
    _NOT_ENOUGH: "margin", "-3313": "leverage", "-1160": "lot", "-3006": "lot", "-3007": "lot",
    "-1121": "unknown_symbol", "-2007": "unknown_symbol", "-3613": "unknown_symbol",
    "-1040": "key", "-1041": "key", "-1042": "key", "-1043": "key", "-1044": "key", "-1047": "key", "-1049": "key",
    "-1050": "key", "-1051": "key", "-1052": "key", "-1053": "key", "-1055": "key", "-1056": "key", "-1057": "key",
    "-1058": "restricted", "-1190": "key", "-3235": "restricted", "-3236": "key",
    "-1115": "refused", "-1116": "refused", "-1117": "refused", "-1128": "refused", "-1135": "refused",
    "-1140": "refused", "-1141": "refused", "-1142": "refused", "-1150": "refused", "-1180": "refused",
}  # fmt: skip
_PAGE = 100


def _error(answer: Any) -> str | None:
    """At the top of an answer, or inside one to an order that says `success: false`."""
    if not isinstance(answer, Mapping):
        return None
    if answer.get("success") is False:
        code, message = answer.get("errorCode"), answer.get("errorMessage")
    elif "msg" in answer and "code" in answer:
        code, message = answer["code"], answer["msg"]
    else:
        return None
    text = str(code)
    if text == "200" or not text.lstrip("-").isdigit():
        return None
    return _NOT_ENOUGH if text == "-1054" and "amount not enough" in str(message) else text


async def _find(client: Any, symbol: str, client_id: str) -> Json | None:
    for ask in (client.fetch_canceled_and_closed_orders, client.fetch_open_orders):
        for order in await ask(symbol, None, _PAGE, {}):
            if order.get("clientOrderId") == client_id:
                found: Json = order
                return found
    return None


async def _permissions(client: Any) -> Permissions:
    """Keys cannot be allowed to withdraw: their scopes are reading, spot and futures."""
    told = await client.contractPrivateGetCapiV3AccountAccountConfig()
    return Permissions(futures=bool(told["canTrade"]), withdraw=False, address_list=None)


async def _hedge_mode(client: Any, symbol: str) -> bool:
    return bool((await client.contractPrivateGetCapiV3AccountAccountConfig())["dualSidePosition"])


async def _positions_in(client: Any, symbol: str) -> Sequence[Json]:
    rows: Sequence[Json] = await client.fetch_positions_for_symbol(symbol)
    return rows


async def _leverage_calls(client: Any, symbol: str) -> Sequence[Json]:
    return ({"marginMode": await margin_mode_by_ccxt(client, symbol)},)


WEEX = Dialect(
    name="weex",
    title="WEEX",
    error=_error,
    rejections=_REJECTIONS,
    find=_find,
    permissions=_permissions,
    open_codes=frozenset({"-3200", "-2200"}),
    positions_in=_positions_in,
    balance=balance,
    settles=SETTLES,
    clock_skew=frozenset({"-1046"}),
    revoked=frozenset({"-1044", "-1049", "-1056", "-1057"}),
    busy=frozenset({"-1000", "-1054"}),
    too_many={"-1003": "address"},
    weights={"": (400.0, timedelta(seconds=10))},  # 500 are allowed
    options={"defaultType": "swap"},
    passphrase=True,
    amount_in_base=True,
    unique_ids=False,  # unstated
    names_forced_closes=False,
    order_params=lambda hedged, reduce_only, side: {"reduceOnly": reduce_only},
    hedge_mode=_hedge_mode,
    leverage_calls=_leverage_calls,
    mark_candles={"historical": True, "price": "MARK"},
    index_candles={"historical": True, "price": "INDEX"},
    most_candles=_PAGE,
    newest_candles=1000,
    orders_per=(50, timedelta(minutes=1)),
)
