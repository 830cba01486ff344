"""MEXC over loopback: linear perpetuals in whole contracts. One number says both what is traded and whether it opens:
1 opens a long, 2 closes a short, 3 opens a short, 4 closes a long."""

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.responses import JSONResponse, Response

from bot.sandbox.exchanges.traders import DeskOrder, Held, PositionSide, Side, Trader
from bot.sandbox.exchanges.venue import SKEW_ALLOWED_MS, Asked, Operation, Refused, milliseconds
from bot.sandbox.exchanges.wallets import wallets
from bot.sandbox.exchanges.wires.mexc_market import MexcMarket, market_id
from hedging.money import ZERO
from hedging.paper.account import set_aside

_CODES: Mapping[str, int] = {
    "margin": 2005, "reduce_only": 2009, "lot": 2011, "max_amount": 2012, "tick": 2015, "min_notional": 2011,
    "unknown_symbol": 1001, "closed": 1002, "leverage": 2006, "margin_mode": 2019, "position_mode": 2022,
    "order_missing": 2040, "key": 402, "address": 406,
    "permission": 704, "signature": 602, "clock": 513, "rate_limited": 510,
    "overload": 501, "timeout": 504, "maintenance": 801, "unknown": 500, "duplicate": 603, "refused": 600,
}  # fmt: skip
_SIDES: Mapping[int, tuple[Side, PositionSide, bool]] = {  # number -> side, position, closes
    1: ("buy", "long", False), 2: ("buy", "short", True), 3: ("sell", "short", False), 4: ("sell", "long", True),
}  # fmt: skip
_OPEN_TYPES = {"isolated": 1, "cross": 2}
_PRIVATE = "/api/v1/private"


class Mexc(MexcMarket):
    """An order that repeats an id is answered with the first one's."""

    name = "mexc"
    largest = Decimal(100_000_000)  # its contracts are small
    hosts = ("api.mexc.com", "contract.mexc.com")

    def operations(self) -> Mapping[tuple[str, str], Operation]:
        return {
            **self.public(),
            ("POST", f"{_PRIVATE}/order/cancel_with_external"): Operation("permissions", self._cancel),
            ("GET", f"{_PRIVATE}/position/position_mode"): Operation("position_mode", self._mode),
            ("GET", f"{_PRIVATE}/position/leverage"): Operation("leverage", self._leverages),
            ("POST", f"{_PRIVATE}/position/change_leverage"): Operation("leverage", self._leverage),
            ("GET", f"{_PRIVATE}/position/open_positions"): Operation("positions", self._positions),
            ("GET", f"{_PRIVATE}/position/funding_records"): Operation("income", self._funding),
            ("GET", f"{_PRIVATE}/account/assets"): Operation("balance", self._assets),
            ("POST", f"{_PRIVATE}/order/create"): Operation("order", self._order),
            ("GET", f"{_PRIVATE}/order/list/open_orders"): Operation(
                "open_orders", lambda a: self.wrapped([])
            ),
            ("GET", f"{_PRIVATE}/order/list/order_deals"): Operation("fills", self._deals),
        }

    def operation_of(self, method: str, path: str) -> Operation | None:
        if path.startswith(f"{_PRIVATE}/order/external/"):
            return Operation("find", self._find)
        return super().operation_of(method, path)

    def trader_of(self, asked: Asked) -> Trader:
        headers = asked.headers
        trader = self.desk.traders.get(headers.get("ApiKey", ""))
        if trader is None:
            raise Refused("key", "API Key expired, please apply again")
        stamp = headers.get("Request-Time", "0")
        signed = trader.key + stamp + (asked.body if asked.method == "POST" else asked.query)
        wanted = hmac.new(trader.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, headers.get("Signature", "")):
            raise Refused("signature", "Signature verification failed")
        if abs(self.now_ms() - int(stamp)) > SKEW_ALLOWED_MS:
            raise Refused("clock", "Invalid request, please try again later")
        return trader

    def refusal(self, word: str, sentence: str, asked: Asked) -> Response:
        return self.error(_CODES.get(word, _CODES["refused"]), sentence, 200)

    def error(self, code: int, sentence: str, status: int) -> Response:
        return JSONResponse({"success": False, "code": code, "message": sentence}, status)

    def _cancel(self, asked: Asked) -> Any:
        if not asked.account.can_trade:
            raise Refused("permission", "Please enable API Key trading information write access")
        raise Refused("order_missing", "The order does not exist")

    def _mode(self, asked: Asked) -> Any:
        return self.wrapped(1 if asked.account.hedged else 2)

    def _leverages(self, asked: Asked) -> Any:
        leverage = self.desk.leverage(asked.account, self.symbol(asked))
        row = {"level": 1, "imr": 1 / leverage, "mmr": 0.004, "leverage": leverage}
        return self.wrapped([{"positionType": kind, **row} for kind in (1, 2)])

    def _leverage(self, asked: Asked) -> Any:
        trader = asked.account
        if "positionId" in asked.given:
            symbols = {_position_id(held): held.symbol for held in self.desk.held(trader)}
            symbol = symbols.get(int(asked.given["positionId"]), "")
        else:
            symbol = self.symbol(asked)
        self.desk.set_leverage(trader, symbol, int(asked.amount("leverage")))
        if "openType" in asked.given:
            self.desk.set_margin_mode(trader, symbol, "isolated" if asked.given["openType"] == 1 else "cross")
        return {"success": True, "code": 0}

    def _positions(self, asked: Asked) -> Any:
        trader, wanted = asked.account, asked.text("symbol")
        rows = [self._position(trader, held) for held in self.held(asked)]
        return self.wrapped([row for row in rows if wanted in ("", row["symbol"])])

    def _position(self, trader: Trader, held: Held) -> Any:
        position, at = held.position, self.market_ms()
        reached = self.desk.liquidation(trader, held)
        return {
            "positionId": _position_id(held), "symbol": market_id(held.symbol),
            "positionType": 1 if position.contracts > 0 else 2,
            "openType": _OPEN_TYPES.get(self.desk.margin_word(trader, held.symbol), 3), "state": 1,
            "holdVol": int(abs(position.contracts)), "frozenVol": 0, "closeVol": 0,
            "holdAvgPrice": float(position.entry_price), "openAvgPrice": float(position.entry_price),
            "closeAvgPrice": 0, "liquidatePrice": float(reached) if reached else 0,
            "oim": float(set_aside(position)), "im": float(set_aside(position)), "holdFee": 0, "realised": 0.0,
            "leverage": position.leverage, "createTime": at, "updateTime": at, "autoAddIm": False,
        }  # fmt: skip

    def _assets(self, asked: Asked) -> Any:
        return self.wrapped(
            [
                {
                    "currency": one.asset, "positionMargin": float(one.bound),
                    "availableBalance": float(max(one.free, ZERO)), "cashBalance": float(one.wallet),
                    "frozenBalance": 0, "equity": float(one.equity), "unrealized": float(one.profit), "bonus": 0,
                }
                for one in wallets(self.desk.settled(asked.account).account)
            ]
        )  # fmt: skip

    def _order(self, asked: Asked) -> Any:
        trader = asked.account
        if not trader.can_trade:
            raise Refused("permission", "Please enable API Key trading information write access")
        client_id = asked.text("externalOid")
        known = self.desk.find_any(trader, client_id)
        if known is not None:
            return self.wrapped({"orderId": str(known.id), "ts": milliseconds(known.time)})
        if asked.given.get("type") != 3:
            raise Refused("refused", "this stand-in takes immediate-or-cancel orders only")
        side, position_side, closes = _SIDES[int(asked.given["side"])]
        order = self.desk.place(
            trader,
            client_id=client_id,
            symbol=self.symbol(asked),
            side=side,
            contracts=asked.amount("vol"),
            limit_price=asked.amount("price"),
            reduce_only=closes,
            position_side=position_side if trader.hedged else "both",
        )
        return self.wrapped({"orderId": str(order.id), "ts": milliseconds(order.time)})

    def _find(self, asked: Asked) -> Any:
        market, _, client_id = asked.path.removeprefix(f"{_PRIVATE}/order/external/").partition("/")
        order = self.desk.find(asked.account, self.symbol_of(market), client_id=client_id)
        if order is None:
            raise Refused("order_missing", "The order does not exist")
        return self.wrapped(_told(order))

    def _deals(self, asked: Asked) -> Any:
        trader, symbol = self.desk.settled(asked.account), self.symbol(asked)
        since = int(asked.text("start_time", "0"))
        return self.wrapped(
            [
                {
                    "id": order.id * 10, "symbol": market_id(symbol), "side": _number(order),
                    "vol": float(order.filled), "price": float(order.average or 0), "feeCurrency": "USDT",
                    "fee": float(order.fee), "timestamp": milliseconds(order.time), "profit": float(order.realized),
                    "isTaker": True, "category": _category(order), "orderId": order.id, "opponentOrderId": 0,
                }
                for order in trader.orders
                if order.symbol == symbol and order.filled and milliseconds(order.time) >= since
            ]
        )  # fmt: skip

    def _funding(self, asked: Asked) -> Any:
        trader, wanted = self.desk.settled(asked.account), asked.text("symbol")
        rows = [
            {
                "id": 328033 + n, "symbol": market_id(paid.symbol), "positionType": 2, "positionValue": 0.0,
                "funding": float(paid.amount), "rate": float(paid.rate), "settleTime": milliseconds(paid.time),
            }
            for n, paid in enumerate(trader.funding) if wanted in ("", market_id(paid.symbol))
        ]  # fmt: skip
        size, number = asked.page("page_size", default=20, most=100), int(asked.text("page_num", "1"))
        page = {
            "pageSize": size,
            "totalCount": len(rows),
            "totalPage": -(-len(rows) // size),
            "currentPage": number,
        }
        latest_first = rows[::-1]
        return self.wrapped({**page, "resultList": latest_first[(number - 1) * size : number * size]})


def _told(order: DeskOrder) -> Any:
    working, order = bool(order.working), order.seen()
    at = milliseconds(order.time)
    return {
        "orderId": str(order.id), "symbol": market_id(order.symbol), "positionId": 1394917,
        "price": float(order.limit_price), "vol": float(order.contracts), "leverage": order.leverage,
        "side": _number(order), "category": _category(order), "orderType": 3,
        "dealAvgPrice": float(order.average or 0), "dealVol": float(order.filled), "orderMargin": 0,
        "takerFee": float(order.fee), "makerFee": 0, "profit": float(order.realized), "feeCurrency": "USDT",
        "openType": 2, "state": 2 if working else 3 if order.complete else 4, "externalOid": order.client_id,
        "errorCode": 0, "usedMargin": 0, "createTime": at, "updateTime": at,
    }  # fmt: skip


def _number(order: DeskOrder) -> int:
    if order.side == "buy":
        return 2 if order.reduce_only else 1
    return 4 if order.reduce_only else 3


def _category(order: DeskOrder) -> int:
    return {None: 1, "liquidation": 2, "adl": 4, "settlement": 3}[order.forced]


def _position_id(held: Held) -> int:
    return 1_000_000 + sum(held.symbol.encode()) * 2 + (held.position.contracts > 0)
