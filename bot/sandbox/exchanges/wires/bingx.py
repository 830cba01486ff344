"""BingX over loopback: linear perpetuals. Every parameter travels in the address, also of a POST; an error answers with
status 200."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC
from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, Response

from bot.sandbox.exchanges.traders import DeskOrder, Held, PositionSide, Trader
from bot.sandbox.exchanges.venue import SKEW_ALLOWED_MS, Asked, Operation, Refused, milliseconds, plain
from bot.sandbox.exchanges.wallets import DOLLARS, WalletState, wallets
from bot.sandbox.exchanges.wires.bingx_market import BingxMarket, market_id
from hedging.money import ZERO
from hedging.paper import unrealized
from hedging.paper.account import set_aside

_CODES: Mapping[str, int] = {
    "margin": 101204, "reduce_only": 101205, "lot": 101400, "max_amount": 101400, "tick": 109400,
    "min_notional": 110425, "unknown_symbol": 109425, "closed": 109418, "leverage": 101414, "margin_mode": 109400,
    "position_mode": 109400, "duplicate": 109201, "order_missing": 109421, "key": 100413, "address": 100419,
    "permission": 100004,
    "signature": 100001, "clock": 100421, "rate_limited": 429, "banned": 418, "overload": 109500, "timeout": 504,
    "maintenance": 100503, "unknown": 100500, "refused": 109400,
}  # fmt: skip
_SIDES: Mapping[str, PositionSide] = {"BOTH": "both", "LONG": "long", "SHORT": "short"}
_UNUSED = {
    "userId": "", "asset": "USDC", "balance": "", "equity": "", "unrealizedProfit": "", "realisedProfit": "0",
    "availableMargin": "", "usedMargin": "", "freezedMargin": "", "shortUid": "123",
}  # fmt: skip
_EMPTY = {"type": "", "quantity": 0, "stopPrice": 0, "price": 0, "workingType": ""}


class Bingx(BingxMarket):
    """An id is refused when it was used before."""

    name = "bingx"
    largest = None  # not told
    hosts = ("open-api.bingx.com", "open-api-vst.bingx.com")

    locked_out = "your current request IP '{address}' does not match IP whitelist"

    def operations(self) -> Mapping[tuple[str, str], Operation]:
        swap = "/openApi/swap"
        return {
            **self.public(),
            ("GET", "/openApi/v1/account/apiRestrictions"): Operation("permissions", self._restrictions),
            ("GET", f"{swap}/v1/positionSide/dual"): Operation("position_mode", self._dual),
            ("GET", f"{swap}/v2/trade/marginType"): Operation("margin_mode", self._margin_mode),
            ("POST", f"{swap}/v2/trade/marginType"): Operation("margin_mode", self._set_margin_mode),
            ("POST", f"{swap}/v2/trade/leverage"): Operation("leverage", self._leverage),
            ("POST", f"{swap}/v2/trade/order"): Operation("order", self._order),
            ("GET", f"{swap}/v2/trade/order"): Operation("find", self._find),
            ("GET", f"{swap}/v2/trade/openOrders"): Operation(
                "open_orders", lambda asked: self.wrapped({"orders": []})
            ),
            ("GET", f"{swap}/v2/user/positions"): Operation("positions", self._positions),
            ("GET", f"{swap}/v3/user/balance"): Operation("balance", self._balance),
            ("GET", f"{swap}/v2/trade/allFillOrders"): Operation("fills", self._fills),
            ("GET", f"{swap}/v2/user/income"): Operation("income", self._income),
            ("GET", f"{swap}/v2/trade/forceOrders"): Operation("forced", self._forced),
        }

    def trader_of(self, asked: Asked) -> Trader:
        trader = self.desk.traders.get(asked.headers.get("X-BX-APIKEY", ""))
        if trader is None:
            raise Refused("key", "Incorrect apiKey, please check your valid api key")
        given = parse_qsl(asked.query, keep_blank_values=True)
        signed = "&".join(f"{name}={value}" for name, value in given if name != "signature")
        wanted = hmac.new(trader.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, asked.text("signature")):
            raise Refused("signature", "Signature verification failed")
        if abs(self.now_ms() - int(asked.text("timestamp", "0"))) > SKEW_ALLOWED_MS:
            raise Refused("clock", "Null timestamp or timestamp mismatch")
        return trader

    def refusal(self, word: str, sentence: str, asked: Asked) -> Response:
        return self.error(_CODES.get(word, _CODES["refused"]), sentence, 200)

    def error(self, code: int, sentence: str, status: int) -> Response:
        return JSONResponse({"code": code, "msg": sentence, "data": {}}, status)

    def _restrictions(self, asked: Asked) -> Any:
        trader = asked.account
        return self.wrapped(
            {
                "ipRestrict": trader.address_list,
                "createTime": 1698645219000,
                "permitsUniversalTransfer": False,
                "enableReading": True,
                "enableFutures": trader.can_trade and not trader.reads_only,
                "enableSpotAndMarginTrading": not trader.can_trade and not trader.reads_only,
                "enableWithdrawals": trader.can_withdraw,
            }
        )

    def _dual(self, asked: Asked) -> Any:
        return self.wrapped({"dualSidePosition": "true" if asked.account.hedged else "false"})

    def _margin_mode(self, asked: Asked) -> Any:
        word = self.desk.margin_word(asked.account, self.symbol(asked))
        return self.wrapped({"marginType": "CROSSED" if word == "cross" else word.upper()})

    def _set_margin_mode(self, asked: Asked) -> Any:
        mode = asked.text("marginType")
        self.desk.set_margin_mode(
            asked.account, self.symbol(asked), "cross" if mode == "CROSSED" else "isolated"
        )
        return {"code": 0, "msg": ""}

    def _leverage(self, asked: Asked) -> Any:
        if (asked.text("side") == "BOTH") == asked.account.hedged:
            raise Refused("position_mode", "side does not fit the position mode")
        self.desk.set_leverage(asked.account, self.symbol(asked), int(asked.amount("leverage")))
        return self.wrapped({"leverage": int(asked.amount("leverage")), "symbol": asked.text("symbol")})

    def _order(self, asked: Asked) -> Any:
        trader = asked.account
        if not trader.can_trade:
            raise Refused("permission", "Permission denied")
        client_id = asked.text("clientOrderID").lower()
        if self.desk.find_any(trader, client_id) is not None:
            raise Refused("duplicate", "clientOrderID can only be used once within 1 second")
        if len(client_id) > 40 or asked.text("type") != "LIMIT" or asked.text("timeInForce") != "IOC":
            raise Refused("refused", "this stand-in takes immediate-or-cancel limit orders only")
        order = self.desk.place(
            trader,
            client_id=client_id,
            symbol=self.symbol(asked),
            side="sell" if asked.text("side") == "SELL" else "buy",
            contracts=asked.amount("quantity"),
            limit_price=asked.amount("price"),
            reduce_only=asked.text("reduceOnly").lower() == "true",
            position_side=_SIDES[asked.text("positionSide", "BOTH")],
        )
        acknowledged = {
            "symbol": market_id(order.symbol),
            "orderId": order.id,
            "side": order.side.upper(),
            "positionSide": order.position_side.upper(),
            "type": "LIMIT",
            "clientOrderID": client_id,
            "workingType": "MARK_PRICE",
        }
        return self.wrapped({"order": acknowledged})

    def _find(self, asked: Asked) -> Any:
        client_id = asked.text("clientOrderID").lower()
        order = self.desk.find(
            asked.account, self.symbol(asked), client_id=client_id, order_id=asked.text("orderId")
        )
        if order is None:
            raise Refused("order_missing", "order not exist")
        return self.wrapped({"order": _told(order)})

    def _positions(self, asked: Asked) -> Any:
        rows = [self._position(asked.account, held) for held in self.held(asked)]
        return self.wrapped([row for row in rows if asked.text("symbol") in ("", row["symbol"])])

    def _position(self, trader: Trader, held: Held) -> Any:
        position = held.position
        reached = self.desk.liquidation(trader, held)
        amount = plain(position.contracts if held.side == "both" else abs(position.contracts))
        side = "LONG" if position.contracts > 0 else "SHORT"
        return {
            "positionId": f"1735{held.symbol}",
            "symbol": market_id(held.symbol),
            "currency": position.contract.settle,
            "positionAmt": plain(abs(position.contracts)) if held.side == "both" else amount,
            "availableAmt": plain(abs(position.contracts)),
            "positionSide": side,
            "onlyOnePosition": held.side == "both",
            "isolated": position.margin_mode == "isolated",
            "avgPrice": plain(position.entry_price),
            "initialMargin": plain(set_aside(position), 8),
            "leverage": position.leverage,
            "unrealizedProfit": plain(unrealized(position), 8),
            "realisedProfit": "0",
            "liquidationPrice": float(reached) if reached else 0,
        }

    def _balance(self, asked: Asked) -> Any:
        """Of the settle coins; one that was never used has empty figures."""
        found = {one.asset: one for one in wallets(self.desk.settled(asked.account).account)}
        return self.wrapped([_asset(found[coin]) if coin in found else _UNUSED for coin in DOLLARS])

    def _fills(self, asked: Asked) -> Any:
        trader, symbol = self.desk.settled(asked.account), self.symbol(asked)
        since = int(asked.text("startTs", "0"))
        rows = [
            {
                "filledTm": order.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "volume": plain(order.filled),
                "price": plain(order.average),
                "amount": plain(order.filled * (order.average or ZERO), 4),
                "commission": plain(-order.fee, 8),
                "currency": "USDT",
                "orderId": str(order.id),
                "liquidatedPrice": "",
                "liquidatedMarginRatio": "",
                "filledTime": order.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
                "clientOrderID": order.client_id,
                "symbol": market_id(symbol),
            }
            for order in trader.orders
            if order.symbol == symbol and order.filled and milliseconds(order.time) >= since
        ]
        return self.wrapped({"fill_orders": rows})

    def _income(self, asked: Asked) -> Any:
        trader, span = self.desk.settled(asked.account), asked.span()
        return self.wrapped(
            [
                {
                    "symbol": market_id(paid.symbol),
                    "incomeType": "FUNDING_FEE",
                    "income": plain(paid.amount, 8),
                    "asset": paid.asset,
                    "info": "Funding Fee",
                    "time": milliseconds(paid.time),
                    "tranId": f"170_{n}",
                    "tradeId": f"170_{n}",
                }
                for n, paid in enumerate(trader.funding)
                if milliseconds(paid.time) in span and asked.text("symbol") in ("", market_id(paid.symbol))
            ][: asked.page(default=100, most=1000)]
        )

    def _forced(self, asked: Asked) -> Any:
        trader, symbol = self.desk.settled(asked.account), self.symbol(asked)
        kind, since = asked.text("autoCloseType"), int(asked.text("startTime", "0"))
        rows = [
            _told(order)
            for order in trader.orders
            if order.forced
            and order.symbol == symbol
            and milliseconds(order.time) >= since
            and kind == ("ADL" if order.forced == "adl" else "LIQUIDATION")
        ]
        return self.wrapped({"orders": rows})


def _asset(one: WalletState) -> Any:
    return {
        "userId": "123", "asset": one.asset, "balance": plain(one.wallet, 8), "equity": plain(one.equity, 8),
        "unrealizedProfit": plain(one.profit, 8), "realisedProfit": "0",
        "availableMargin": plain(max(one.free, ZERO), 8), "usedMargin": plain(one.bound, 8),
        "freezedMargin": "0.0000", "shortUid": "123",
    }  # fmt: skip


def _told(order: DeskOrder) -> Any:
    working, order = bool(order.working), order.seen()
    at = milliseconds(order.time)
    return {
        "symbol": market_id(order.symbol), "orderId": order.id, "side": order.side.upper(),
        "positionSide": order.position_side.upper(), "type": "LIMIT", "origQty": plain(order.contracts),
        "price": plain(order.limit_price), "executedQty": plain(order.filled),
        "avgPrice": plain(order.average) if order.average is not None else "0.0000",
        "cumQuote": plain(order.filled * (order.average or ZERO), 4), "stopPrice": "",
        "profit": plain(order.realized, 4), "commission": plain(-order.fee, 8),
        "status": "PARTIALLY_FILLED" if working else "FILLED" if order.complete else "CANCELLED",
        "time": at, "updateTime": at,
        "clientOrderId": order.client_id, "leverage": f"{order.leverage}X", "takeProfit": _EMPTY, "stopLoss": _EMPTY,
        "advanceAttr": 0, "positionID": 0, "takeProfitEntrustPrice": 0, "stopLossEntrustPrice": 0, "orderType": "",
        "workingType": "MARK_PRICE", "stopGuaranteed": False, "triggerOrderId": order.id,
    }  # fmt: skip
