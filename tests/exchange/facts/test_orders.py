"""What became of an order, from answers of the exchanges rebuilt by hand: the shapes and numbers of ccxt's static
response fixtures and parsers, put to a coin that the stand-ins list."""

from dataclasses import dataclass
from decimal import Decimal as D
from functools import partial
from typing import Any

from bot.ports.records import Account
from tests.exchange.facts.told import tell, wrapped
from tests.exchange.venues import Venue

SOL, OURS = "SOL/USDT:USDT", "hhfact"
PLACES = {
    "binance": "/fapi/v1/order",
    "bybit": "/v5/order/realtime",
    "bingx": "/openApi/swap/v2/trade/order",
    "mexc": f"/api/v1/private/order/external/SOL_USDT/{OURS}",
    "weex": "/capi/v3/order/history",
}


@dataclass(frozen=True)
class Fact:
    """An order, and what it says: its state, contracts filled, average price."""

    row: dict[str, Any]
    status: str
    filled: str
    average: str | None


def binance(status: str, filled: str, average: str) -> dict[str, Any]:
    return {
        "orderId": "262065925771", "symbol": "SOLUSDT", "status": status, "clientOrderId": OURS, "price": "150",
        "avgPrice": average, "origQty": "0.010", "executedQty": filled, "timeInForce": "IOC", "type": "LIMIT",
        "reduceOnly": False, "side": "SELL", "positionSide": "SHORT", "time": "1707550415587",
        "updateTime": "1707550415587",
    }  # fmt: skip


def bybit(status: str, filled: str, average: str) -> dict[str, Any]:
    return {
        "orderId": "fd4300ae-7847-404e-b947-b46980a4d140", "orderLinkId": OURS, "symbol": "SOLUSDT", "price": "1600",
        "qty": "0.10", "side": "Sell", "positionIdx": 0, "orderStatus": status, "avgPrice": average,
        "cumExecQty": filled, "cumExecValue": "", "cumExecFee": "", "timeInForce": "IOC", "orderType": "Limit",
        "reduceOnly": False, "createdTime": "1684738540559", "updatedTime": "1684738540561",
    }  # fmt: skip


def bingx(status: str, filled: Any, average: Any) -> dict[str, Any]:
    return {
        "symbol": "SOL-USDT", "orderId": 1736007506620112100, "side": "SELL", "positionSide": "SHORT",
        "type": "LIMIT", "origQty": "2.5", "price": "80", "executedQty": filled, "avgPrice": average,
        "status": status, "profit": "0", "commission": "-0.02", "time": 1702732457867, "updateTime": 1702732457888,
        "clientOrderId": OURS.upper(),
    }  # fmt: skip


def mexc(state: Any, filled: Any, average: Any) -> dict[str, Any]:
    return {
        "orderId": "264995729269765120", "symbol": "SOL_USDT", "price": 600.0, "vol": 15.0, "leverage": 20,
        "side": 3, "category": 1, "orderType": 3, "dealAvgPrice": average, "dealVol": filled, "takerFee": 0,
        "makerFee": 0, "feeCurrency": "USDT", "openType": 2, "state": state, "externalOid": OURS, "errorCode": 0,
        "createTime": 1639649577000, "updateTime": 1639649577050,
    }  # fmt: skip


def weex(status: str, filled: str, average: str) -> dict[str, Any]:
    return {
        "avgPrice": average, "clientOrderId": OURS, "cumQuote": "9.213", "executedQty": filled,
        "orderId": "737163324445163880", "origQty": "100", "price": "0.09", "reduceOnly": False, "side": "SELL",
        "positionSide": "SHORT", "status": status, "stopPrice": "0", "symbol": "SOLUSDT", "time": "1775753432380",
        "timeInForce": "IOC", "type": "LIMIT", "updateTime": "1775753432380",
    }  # fmt: skip


FACTS: dict[str, dict[str, Fact]] = {
    "binance": {
        "filled": Fact(binance("FILLED", "0.010", "47279.40000"), "filled", "0.010", "47279.40000"),
        "ended short": Fact(binance("EXPIRED", "0.004", "151.2"), "cancelled", "0.004", "151.2"),
        "ended in match": Fact(binance("EXPIRED_IN_MATCH", "0", "0.00"), "cancelled", "0", None),
        "at work": Fact(binance("PARTIALLY_FILLED", "0.004", "151.2"), "open", "0.004", "151.2"),
    },
    "bybit": {
        "filled": Fact(bybit("Filled", "0.10", "1600.5"), "filled", "0.10", "1600.5"),
        "ended short": Fact(
            bybit("PartiallyFilledCanceled", "0.04", "1600.5"), "cancelled", "0.04", "1600.5"
        ),
        "refused after it was acknowledged": Fact(bybit("Rejected", "0", ""), "cancelled", "0", None),
    },
    "bingx": {
        "filled": Fact(bingx("FILLED", "2.5", "79.5"), "filled", "2.5", "79.5"),
        "numbers, ended short": Fact(bingx("CANCELLED", 1.5, 79.5), "cancelled", "1.5", "79.5"),
    },
    "mexc": {
        "filled": Fact(mexc(3, 15.0, 600.5), "filled", "15", "600.5"),
        "ended short, as text": Fact(mexc("4", "6", "600.5"), "cancelled", "6", "600.5"),
        "invalid": Fact(mexc(5, 0, 0), "cancelled", "0", None),
    },
    "weex": {
        "filled": Fact(weex("FILLED", "100", "0.09213"), "filled", "100", "0.09213"),
        "ended short": Fact(weex("CANCELED", "37", "0.09213"), "cancelled", "37", "0.09213"),
    },
}


def answer(name: str, row: dict[str, Any]) -> Any:
    match name:
        case "bybit":
            return wrapped(name, {"category": "linear", "nextPageCursor": "", "list": [row]})
        case "bingx":
            return wrapped(name, {"order": row})
        case "weex":
            return [row]
        case _:
            return wrapped(name, row)


def _written(exchange: str, fact: Fact, asked: Any) -> Any:
    return answer(exchange, fact.row)


async def test_an_order_is_what_its_exchange_writes_of_it(live: Venue, account: Account) -> None:
    found, expected = {}, {}
    for name, fact in FACTS[live.name].items():
        tell(live, PLACES[live.name], partial(_written, live.name, fact))
        report = await live.exchange.find_order(account, SOL, OURS)
        found[name] = report and (report.status, report.filled, report.average_price)
        expected[name] = (fact.status, D(fact.filled), fact.average and D(fact.average))
    assert found == expected
