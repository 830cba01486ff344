"""WEEX over loopback: linear perpetuals in base coins. An order names its position's side in both modes; one that is
refused may be answered with status 200 and `success: false`."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.responses import JSONResponse, Response

from bot.sandbox.exchanges.traders import DeskOrder, Held, PositionSide, Trader
from bot.sandbox.exchanges.venue import SKEW_ALLOWED_MS, Asked, Operation, Refused, milliseconds, plain
from bot.sandbox.exchanges.wallets import wallets
from bot.sandbox.exchanges.wires.weex_market import WeexMarket, market_id
from hedging.money import ZERO
from hedging.paper import unrealized
from hedging.paper.account import set_aside

_CODES: Mapping[str, tuple[int, int, str]] = {  # word -> HTTP status, code, how the sentence begins
    "margin": (400, -1054, "FAILED_PRECONDITION: available amount not enough. "),
    "reduce_only": (400, -1142, "PARAM_ERROR "), "max_amount": (400, -3007, ""),
    "lot": (400, -1160, "DECIMAL_PRECISION_ERROR "),
    "tick": (400, -1160, "DECIMAL_PRECISION_ERROR "), "unknown_symbol": (400, -1121, "INVALID_SYMBOL "),
    "closed": (400, -1121, "INVALID_SYMBOL "), "leverage": (400, -3313, "CONTRACT_LEVERAGE_ERROR "),
    "margin_mode": (400, -1142, ""), "position_mode": (400, -1142, ""), "key": (401, -1044, "INVALID_ACCESS_KEY "),
    "permission": (403, -1052, "INSUFFICIENT_PERMISSIONS "), "signature": (401, -1047, "API_AUTH_ERROR "),
    "passphrase": (401, -1049, "API_KEY_OR_PASSPHRASE_INCORRECT "), "clock": (400, -1046, "ACCESS_TIMESTAMP_EXPIRED "),
    "order_missing": (400, -3200, ""), "rate_limited": (429, -1003, ""), "maintenance": (400, -1054, "SYSTEM_ERROR "),
    "overload": (400, -1054, "SYSTEM_ERROR "), "unknown": (400, -1000, "UNKNOWN_ERROR "), "refused": (400, -1142, ""),
}  # fmt: skip


class Weex(WeexMarket):
    """Nothing is promised about an id that is used again: it is taken."""

    name = "weex"
    largest = Decimal(10_000_000)
    hosts = ("api-contract.weex.com", "api-spot.weex.com")

    def operations(self) -> Mapping[tuple[str, str], Operation]:
        account = "/capi/v3/account"
        return {
            **self.public(),
            ("GET", f"{account}/accountConfig"): Operation("position_mode", self._config),
            ("GET", f"{account}/symbolConfig"): Operation("symbol_config", self._symbol_config),
            ("POST", f"{account}/leverage"): Operation("leverage", self._leverage),
            ("POST", f"{account}/marginType"): Operation("margin_mode", self._margin_type),
            ("POST", f"{account}/income"): Operation("income", self._income),
            ("GET", f"{account}/balance"): Operation("balance", self._balance),
            ("GET", f"{account}/position/allPosition"): Operation("positions", self._positions),
            ("GET", f"{account}/position/singlePosition"): Operation("positions", self._positions),
            ("POST", "/capi/v3/order"): Operation("order", self._order),
            ("GET", "/capi/v3/openOrders"): Operation("open_orders", lambda asked: []),
            ("GET", "/capi/v3/order/history"): Operation("find", self._history),
            ("GET", "/capi/v3/userTrades"): Operation("fills", self._trades),
        }

    def trader_of(self, asked: Asked) -> Trader:
        headers = asked.headers
        trader = self.desk.traders.get(headers.get("ACCESS-KEY", ""))
        if trader is None:
            raise Refused("key")
        stamp = headers.get("ACCESS-TIMESTAMP", "0")
        signed = stamp + asked.method + asked.path + (f"?{asked.query}" if asked.query else "") + asked.body
        digest = hmac.new(trader.secret.encode(), signed.encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(base64.b64encode(digest).decode(), headers.get("ACCESS-SIGN", "")):
            raise Refused("signature")
        if not hmac.compare_digest(headers.get("ACCESS-PASSPHRASE", ""), trader.passphrase):
            raise Refused("passphrase")
        if abs(self.now_ms() - int(stamp)) > SKEW_ALLOWED_MS:
            raise Refused("clock")
        return trader

    def refusal(self, word: str, sentence: str, asked: Asked) -> Response:
        status, code, begin = _CODES.get(word, _CODES["refused"])
        return self.error(code, begin + sentence, status)

    def error(self, code: int, sentence: str, status: int) -> Response:
        return JSONResponse({"code": code, "msg": sentence}, 400 if status == 200 else status)

    def _config(self, asked: Asked) -> Any:
        trader = asked.account
        return {
            "canTrade": trader.can_trade,
            "canDeposit": True,
            "canWithdraw": trader.can_withdraw,
            "dualSidePosition": trader.hedged,
            "updateTime": 1713339011237,
        }

    def _symbol_config(self, asked: Asked) -> Any:
        symbol, trader = self.symbol(asked), asked.account
        leverage, word = str(self.desk.leverage(trader, symbol)), self.desk.margin_word(trader, symbol)
        return [
            {
                "symbol": market_id(symbol),
                "marginType": "CROSSED" if word == "cross" else word.upper(),
                "separatedType": "COMBINED",
                "crossLeverage": leverage,
                "isolatedLongLeverage": leverage,
                "isolatedShortLeverage": leverage,
            }
        ]

    def _leverage(self, asked: Asked) -> Any:
        symbol = self.symbol(asked)
        name = "crossLeverage" if "crossLeverage" in asked.given else "isolatedShortLeverage"
        self.desk.set_leverage(asked.account, symbol, int(asked.amount(name)))
        told = self._symbol_config(asked)[0]
        return {name: told[name] for name in told if name != "separatedType"}

    def _margin_type(self, asked: Asked) -> Any:
        wanted = asked.text("marginType")
        self.desk.set_margin_mode(
            asked.account, self.symbol(asked), "cross" if wanted == "CROSSED" else "isolated"
        )
        return {"code": "200", "msg": "success", "requestTime": self.now_ms()}

    def _income(self, asked: Asked) -> Any:
        trader, span = self.desk.settled(asked.account), asked.span()
        items = [
            {
                "billId": 686960019383517338 + n,
                "asset": paid.asset,
                "symbol": market_id(paid.symbol),
                "income": plain(paid.amount, 8),
                "incomeType": "position_funding",
                "balance": "0",
                "fillFee": "0",
                "time": milliseconds(paid.time),
                "transferReason": "UNKNOWN_TRANSFER_REASON",
            }
            for n, paid in enumerate(trader.funding)
            if milliseconds(paid.time) in span and asked.text("symbol") in ("", market_id(paid.symbol))
        ]
        most = asked.page(default=20, most=100)
        return {"hasNextPage": len(items) > most, "items": items[:most]}

    def _balance(self, asked: Asked) -> Any:
        return [
            {
                "asset": one.asset,
                "balance": plain(one.wallet, 8),
                "availableBalance": plain(max(one.free, ZERO), 8),
                "frozen": plain(one.bound, 8),
                "unrealizePnl": plain(one.profit, 8),
            }
            for one in wallets(self.desk.settled(asked.account).account)
        ]

    def _positions(self, asked: Asked) -> Any:
        rows = [self._position(held) for held in self.held(asked)]
        return [row for row in rows if asked.text("symbol") in ("", row["symbol"])]

    def _position(self, held: Held) -> Any:
        position, at = held.position, self.market_ms()
        size = abs(position.contracts)
        worth = plain(size * position.entry_price, 8)
        return {
            "id": 689987235755328154, "asset": position.contract.settle, "symbol": market_id(held.symbol),
            "side": "LONG" if position.contracts > 0 else "SHORT",
            "marginType": "CROSSED" if position.margin_mode == "cross" else "ISOLATED", "separatedMode": "COMBINED",
            "separatedOpenOrderId": 0, "leverage": str(position.leverage), "size": plain(size), "openValue": worth,
            "openFee": "0", "fundingFee": "0", "marginSize": plain(set_aside(position), 8),
            "isolatedMargin": plain(position.margin, 8), "isAutoAppendIsolatedMargin": False,
            "cumOpenSize": plain(size), "cumOpenValue": worth, "cumOpenFee": "0", "cumCloseSize": "0",
            "cumCloseValue": "0", "cumCloseFee": "0", "cumFundingFee": "0", "cumLiquidateFee": "0",
            "createdMatchSequenceId": 7027745116, "updatedMatchSequenceId": 7040274110, "createdTime": at,
            "updatedTime": at, "unrealizePnl": plain(unrealized(position), 8), "liquidatePrice": "0",
        }  # fmt: skip

    def _order(self, asked: Asked) -> Any:
        trader = asked.account
        if not trader.can_trade:
            raise Refused("permission")
        if asked.text("type") != "LIMIT" or asked.text("timeInForce") != "IOC":
            raise Refused("refused", "this stand-in takes immediate-or-cancel limit orders only")
        selling, short = asked.text("side") == "SELL", asked.text("positionSide") == "SHORT"
        sides: Mapping[bool, PositionSide] = {True: "short", False: "long"}
        order = self.desk.place(
            trader,
            client_id=asked.text("newClientOrderId"),
            symbol=self.symbol(asked),
            side="sell" if selling else "buy",
            contracts=asked.amount("quantity"),
            limit_price=asked.amount("price"),
            reduce_only=selling != short,
            position_side=sides[short] if trader.hedged else "both",
        )
        return {
            "orderId": str(order.id),
            "clientOrderId": order.client_id,
            "success": True,
            "errorCode": "",
            "errorMessage": "",
        }

    def _history(self, asked: Asked) -> Any:
        symbol, trader = self.symbol(asked), asked.account
        rows = []
        for order in reversed(trader.orders):
            if order.symbol != symbol:
                continue
            if order.hidden > 0:
                order.hidden -= 1
                continue
            rows.append(_told(order))
        return rows[: int(asked.text("limit", "100"))]

    def _trades(self, asked: Asked) -> Any:
        symbol, since = self.symbol(asked), int(asked.text("startTime", "0"))
        return [
            {
                "id": order.id * 10, "orderId": order.id, "symbol": market_id(symbol), "buyer": order.side == "buy",
                "commission": plain(order.fee, 8), "commissionAsset": "USDT", "maker": False,
                "price": plain(order.average), "qty": plain(order.filled),
                "quoteQty": plain(order.filled * (order.average or ZERO), 8), "realizedPnl": plain(order.realized, 8),
                "side": order.side.upper(), "positionSide": _position_side(order), "time": milliseconds(order.time),
            }
            for order in self.desk.settled(asked.account).orders
            if order.symbol == symbol and order.filled and milliseconds(order.time) >= since
        ]  # fmt: skip


def _position_side(order: DeskOrder) -> str:
    return "SHORT" if (order.side == "sell") != order.reduce_only else "LONG"


def _told(order: DeskOrder) -> Any:
    working, order = bool(order.working), order.seen()
    at = milliseconds(order.time)
    return {
        "orderId": order.id, "symbol": market_id(order.symbol), "side": order.side.upper(),
        "positionSide": _position_side(order),
        "status": "PARTIALLY_FILLED" if working else "FILLED" if order.complete else "CANCELED", "type": "LIMIT",
        "time": at, "price": plain(order.limit_price), "origQty": plain(order.contracts),
        "executedQty": plain(order.filled), "avgPrice": plain(order.average) if order.average is not None else "0",
        "updateTime": at, "clientOrderId": order.client_id,
        "cumQuote": plain(order.filled * (order.average or ZERO), 8), "timeInForce": "IOC",
        "reduceOnly": order.reduce_only, "stopPrice": "0", "workingType": "CONTRACT_PRICE",
    }  # fmt: skip
