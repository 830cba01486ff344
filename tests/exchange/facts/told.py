"""A stand-in that answers one path with a payload made by hand, to the real ccxt client over the loopback wire."""

import json
from collections.abc import Callable
from typing import Any

from bot.sandbox.exchanges.venue import Asked, Operation
from tests.exchange.venues import Venue

BALANCE = {
    "binance": "/fapi/v3/account",
    "bybit": "/v5/account/wallet-balance",
    "bingx": "/openApi/swap/v3/user/balance",
    "mexc": "/api/v1/private/account/assets",
    "weex": "/capi/v3/account/balance",
}
POSITIONS = {
    "binance": "/fapi/v3/positionRisk",
    "bybit": "/v5/position/list",
    "bingx": "/openApi/swap/v2/user/positions",
    "mexc": "/api/v1/private/position/open_positions",
    "weex": "/capi/v3/account/position/allPosition",
}


def tell(live: Venue, path: str, answer: Callable[[Asked], Any]) -> None:
    """Let requests to that path be answered so; all others as before."""
    honest = live.loopback.operation_of

    def operation_of(method: str, asked: str) -> Operation | None:
        found: Operation | None = honest(method, asked)
        return Operation("told", answer) if asked == path else found

    live.loopback.operation_of = operation_of


def wrapped(exchange: str, rows: Any) -> Any:
    """In the exchange's envelope, whose codes some answers write as text."""
    match exchange:
        case "bybit":
            return {"retCode": "0", "retMsg": "OK", "result": rows, "retExtInfo": {}, "time": "1736866023302"}
        case "bingx":
            return {"code": "0", "msg": "", "data": rows}
        case "mexc":
            return {"success": True, "code": "0", "data": rows}
        case _:
            return json.loads(json.dumps(rows))
