"""Bybit over loopback: a unified account with linear and inverse perpetuals. Orders are acknowledged before they are
worked on, so the answer to a new one tells its id alone."""

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from starlette.responses import JSONResponse, Response

from bot.sandbox.exchanges.traders import DeskOrder, Held, PositionSide, Trader
from bot.sandbox.exchanges.venue import Asked, Operation, Refused, milliseconds, plain
from bot.sandbox.exchanges.wallets import WalletState, totals, wallets, worth
from bot.sandbox.exchanges.wires.bybit_market import BybitMarket, category, market_id
from hedging.errors import OrderRejected
from hedging.money import ZERO
from hedging.paper import unrealized
from hedging.paper.account import maintenance, set_aside, value

_CODES: Mapping[str, int] = {
    "margin": 110007, "reduce_only": 110017, "lot": 10001, "max_amount": 10001, "tick": 10001, "min_notional": 110094,
    "unknown_symbol": 10001, "closed": 110074, "leverage": 110013, "same_leverage": 110043, "margin_mode": 110025,
    "position_mode": 10001, "duplicate": 110072, "order_missing": 110001, "key": 10003, "address": 10010,
    "permission": 10005,
    "signature": 10004, "clock": 10002, "rate_limited": 10006, "overload": 10016, "timeout": 10000,
    "maintenance": 10016, "unknown": 10000, "refused": 10001,
}  # fmt: skip
_MARGIN = {"cross": "REGULAR_MARGIN", "isolated": "ISOLATED_MARGIN", "portfolio": "PORTFOLIO_MARGIN"}
_SIDES: Mapping[str, PositionSide] = {"0": "both", "1": "long", "2": "short"}
_INDEX: Mapping[PositionSide, int] = {"both": 0, "long": 1, "short": 2}
_EXEC = {None: "Trade", "adl": "AdlTrade", "liquidation": "BustTrade", "settlement": "Settle"}


class Bybit(BybitMarket):
    """An id is refused when it was used before."""

    name = "bybit"
    hosts = ("api.bybit.com", "api-demo.bybit.com")
    locked_out = "Unmatched IP, please check your API key's bound IP addresses. Your IP is {address}"

    def operations(self) -> Mapping[tuple[str, str], Operation]:
        return {
            **self.public(),
            ("GET", "/v5/user/query-api"): Operation("permissions", self._key),
            ("GET", "/v5/account/info"): Operation("margin_mode", self._info),
            ("POST", "/v5/account/set-margin-mode"): Operation("margin_mode", self._set_margin_mode),
            ("GET", "/v5/account/wallet-balance"): Operation("balance", self._wallet),
            ("GET", "/v5/position/list"): Operation("positions", self._positions),
            ("POST", "/v5/position/set-leverage"): Operation("leverage", self._leverage),
            ("POST", "/v5/order/create"): Operation("order", self._order),
            ("GET", "/v5/order/realtime"): Operation("find", self._orders),
            ("GET", "/v5/order/history"): Operation("find", self._orders),
            ("GET", "/v5/execution/list"): Operation("fills", self._executions),
        }

    def trader_of(self, asked: Asked) -> Trader:
        headers = asked.headers
        trader = self.desk.traders.get(headers.get("X-BAPI-API-KEY", ""))
        if trader is None:
            raise Refused("key", "API key is invalid.")
        stamp, window = headers.get("X-BAPI-TIMESTAMP", "0"), headers.get("X-BAPI-RECV-WINDOW", "5000")
        signed = stamp + trader.key + window + (asked.body if asked.method == "POST" else asked.query)
        wanted = hmac.new(trader.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, headers.get("X-BAPI-SIGN", "")):
            raise Refused("signature", "error sign!")
        if not -1000 < self.now_ms() - int(stamp) < int(window):
            raise Refused("clock", "invalid request, please check your server timestamp or recv_window param")
        return trader

    def refusal(self, word: str, sentence: str, asked: Asked) -> Response:
        return self.error(_CODES.get(word, _CODES["refused"]), sentence, 200)

    def error(self, code: int, sentence: str, status: int) -> Response:
        body = {"retCode": code, "retMsg": sentence, "result": {}, "retExtInfo": {}, "time": self.now_ms()}
        return JSONResponse(body, status)

    def _key(self, asked: Asked) -> Any:
        trader = asked.account
        trades = trader.can_trade and not trader.europe
        wallet = ["AccountTransfer"] + (["Withdraw"] if trader.can_withdraw else [])
        return self.wrapped(
            {
                "id": "2208369", "note": "sandbox", "apiKey": "XXXXXXXX", "readOnly": int(trader.reads_only),
                "secret": "",
                "permissions": {
                    "ContractTrade": ["Order", "Position"] if trades else [],
                    "Spot": [], "Wallet": wallet, "Options": [], "Derivatives": ["DerivativesTrade"],
                    "CopyTrading": [], "BlockTrade": [], "Exchange": [], "NFT": [], "Affiliate": [], "Earn": [],
                },
                "ips": ["203.0.113.7"] if trader.address_list else ["*"],
                "type": 1, "deadlineDay": self._days_left(trader),
                "expiredAt": f"{trader.expires or datetime(1970, 1, 1, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}",
                "createdAt": "2025-10-13T03:20:45Z", "unified": 0, "uta": 1, "userID": 1448939, "inviterID": 0,
                "vipLevel": "No VIP", "mktMakerLevel": "0", "affiliateID": 0, "rsaPublicKey": "", "isMaster": True,
                "parentUid": "0", "kycLevel": "LEVEL_1", "kycRegion": "AUT" if trader.europe else "",
            }, ""
        )  # fmt: skip

    def _days_left(self, trader: Trader) -> int:
        """Keys that are bound to addresses do not expire."""
        return (trader.expires - self.desk.market.now()).days if trader.expires else 0

    def _info(self, asked: Asked) -> Any:
        word = self._margin(asked.account)
        return self.wrapped(
            {
                "marginMode": _MARGIN.get(word, word.upper()),
                "updatedTime": "1697078946000",
                "unifiedMarginStatus": 6,
                "dcpStatus": "OFF",
                "timeWindow": 10,
                "smpGroup": 0,
                "isMasterTrader": False,
                "spotHedgingStatus": "OFF",
            }
        )

    def _margin(self, trader: Trader) -> str:
        """Of the whole account."""
        isolated = any(mode == "isolated" for mode in trader.account.margin_modes.values())
        return trader.margin or ("isolated" if isolated else "cross")

    def _set_margin_mode(self, asked: Asked) -> Any:
        words = {raw: word for word, raw in _MARGIN.items()}
        self.desk.set_margin(asked.account, words[asked.text("setMarginMode")])
        return self.wrapped({"reasons": []})

    def _wallet(self, asked: Asked) -> Any:
        """The totals leave out what is no collateral, but for totalEquity. In isolated mode most of them are empty."""
        trader, spot = self.desk.settled(asked.account), self.desk.market.snapshot().spot
        whole, isolated = totals(trader, spot), self._margin(trader) == "isolated"
        shared = {
            "accountIMRate": _rate(whole.bound, whole.equity),
            "totalMarginBalance": plain(whole.equity, 8),
            "totalInitialMargin": plain(whole.bound, 8),
            "totalAvailableBalance": plain(max(whole.free, ZERO), 8),
            "accountMMRate": _rate(whole.upkeep, whole.equity),
            "totalMaintenanceMargin": plain(whole.upkeep, 8),
        }
        row = {
            "totalEquity": plain(totals(trader, spot, idle=True).equity, 8),
            "accountType": "UNIFIED",
            "totalPerpUPL": plain(whole.profit, 8),
            "totalWalletBalance": plain(whole.wallet, 8),
            "accountLTV": "0",
            **(dict.fromkeys(shared, "") if isolated else shared),
            "coin": [
                self._coin(trader, one, worth(trader, one.asset, spot)) for one in wallets(trader.account)
            ],
        }
        return self.wrapped({"list": [row]})

    def _coin(self, trader: Trader, one: WalletState, price: Decimal) -> Any:
        return {
            "availableToBorrow": "", "bonus": "0", "accruedInterest": "0", "availableToWithdraw": "",
            "totalOrderIM": "0", "equity": plain(one.equity, 8), "totalPositionMM": plain(one.upkeep, 8),
            "usdValue": plain(one.equity * price, 8), "unrealisedPnl": plain(one.profit, 8), "borrowAmount": "0",
            "totalPositionIM": plain(one.bound, 8), "walletBalance": plain(one.wallet, 8), "cumRealisedPnl": "0",
            "locked": "0", "collateralSwitch": one.asset not in trader.idle, "marginCollateral": True,
            "coin": one.asset, "spotBorrow": "0",
        }  # fmt: skip

    def _positions(self, asked: Asked) -> Any:
        """By symbol, or a page of all; of linear ones, those of one settle coin."""
        trader, kind = asked.account, asked.text("category")
        if asked.text("symbol"):
            symbol = self.symbol(asked)
            sides: tuple[PositionSide, ...] = ("long", "short") if trader.hedged else ("both",)
            mine = {one.side: one for one in self.held(asked) if one.symbol == symbol}
            rows = [
                self._position(trader, mine[side]) if side in mine else self._nothing(trader, symbol, side)
                for side in sides
            ]
            return self.wrapped({"nextPageCursor": "", "category": kind, "list": rows})
        coin = asked.text("settleCoin")
        if kind == "linear" and not coin:
            raise Refused("refused", "Missing some parameters that must be filled in, symbol or settleCoin")
        held = [one for one in self.held(asked) if kind != "option" and category(one.symbol) == kind]
        rows = [self._position(trader, one) for one in held if coin in ("", one.position.contract.settle)]
        start, size = int(asked.text("cursor", "0")), asked.page(default=20, most=200)
        cursor = str(start + size) if start + size < len(rows) else ""
        return self.wrapped({"nextPageCursor": cursor, "category": kind, "list": rows[start : start + size]})

    def _position(self, trader: Trader, held: Held) -> Any:
        position = held.position
        reached = self.desk.liquidation(trader, held)
        return {
            **self._nothing(trader, held.symbol, held.side),
            "adlRankIndicator": self.desk.rank(trader, held.symbol),
            "side": "Buy" if position.contracts > 0 else "Sell",
            "size": plain(abs(position.contracts)),
            "avgPrice": plain(position.entry_price),
            "positionValue": plain(value(position.contract, position.contracts, position.entry_price), 8),
            "positionBalance": plain(set_aside(position), 8),
            "markPrice": plain(position.mark_price),
            "liqPrice": plain(reached, 4) if reached else "",
            "bustPrice": plain(reached, 4) if reached else "",
            "positionMM": plain(maintenance(position), 8),
            "positionIM": plain(set_aside(position), 8),
            "unrealisedPnl": plain(unrealized(position), 8),
        }

    def _nothing(self, trader: Trader, symbol: str, side: PositionSide) -> Any:
        now = str(self.market_ms())
        return {
            "positionIdx": _INDEX[side], "riskId": 1, "riskLimitValue": "2000000", "symbol": market_id(symbol),
            "side": "", "size": "0", "avgPrice": "0", "positionValue": "", "tradeMode": 0, "positionStatus": "Normal",
            "autoAddMargin": 0, "adlRankIndicator": 0, "leverage": str(self.desk.leverage(trader, symbol)),
            "positionBalance": "0", "markPrice": plain(self.desk.market.snapshot().quotes[symbol].mark),
            "liqPrice": "", "bustPrice": "", "positionMM": "0", "positionIM": "0", "tpslMode": "Full",
            "takeProfit": "", "stopLoss": "", "trailingStop": "0", "unrealisedPnl": "0", "curRealisedPnl": "0",
            "cumRealisedPnl": "0", "seq": 5723621632, "isReduceOnly": False, "mmrSysUpdatedTime": "",
            "leverageSysUpdatedTime": "", "createdTime": now, "updatedTime": now,
        }  # fmt: skip

    def _leverage(self, asked: Asked) -> Any:
        symbol, wanted = self.symbol(asked), int(asked.amount("sellLeverage"))
        if self.desk.leverage(asked.account, symbol) == wanted:
            raise Refused("same_leverage", "leverage not modified")
        self.desk.set_leverage(asked.account, symbol, wanted)
        return self.wrapped({})

    def _order(self, asked: Asked) -> Any:
        trader = asked.account
        if not trader.can_trade:
            raise Refused("permission", "Permission denied, please check your API key permissions.")
        symbol, client_id = self.symbol(asked), asked.text("orderLinkId")
        if self.desk.find_any(trader, client_id) is not None:
            raise Refused("duplicate", "OrderLinkedID is duplicate")
        if len(client_id) > 36 or asked.text("orderType") != "Limit" or asked.text("timeInForce") != "IOC":
            raise Refused("refused", "this stand-in takes immediate-or-cancel limit orders only")
        try:
            order = self.desk.place(
                trader,
                client_id=client_id,
                symbol=symbol,
                side="sell" if asked.text("side") == "Sell" else "buy",
                contracts=asked.amount("qty"),
                limit_price=asked.amount("price"),
                reduce_only=asked.given.get("reduceOnly") is True,
                position_side=_SIDES[asked.text("positionIdx", "0")],
            )
        except OrderRejected as refused:
            if refused.code == "reduce_only":
                raise Refused(
                    "reduce_only", "current position is zero, cannot fix reduce-only order qty"
                ) from None
            raise
        return self.wrapped({"orderId": _order_id(order), "orderLinkId": client_id})

    def _orders(self, asked: Asked) -> Any:
        if not asked.text("orderLinkId"):
            return self.wrapped({"category": asked.text("category"), "nextPageCursor": "", "list": []})
        order = self.desk.find(asked.account, self.symbol(asked), client_id=asked.text("orderLinkId"))
        rows = [] if order is None else [_told(order)]
        return self.wrapped({"category": asked.text("category"), "nextPageCursor": "", "list": rows})

    def _executions(self, asked: Asked) -> Any:
        trader, symbol = self.desk.settled(asked.account), self.symbol(asked)
        since = int(asked.text("startTime", "0"))
        if asked.text("execType") == "Funding":
            span = asked.span(7 * 24 * 3_600_000)
            latest_first = [
                _execution(
                    symbol, f"f{n}", "Funding", "Sell", ZERO, ZERO, -paid.amount, milliseconds(paid.time)
                )
                for n, paid in reversed(list(enumerate(trader.funding)))
                if paid.symbol == symbol and milliseconds(paid.time) in span
            ]
            rows = latest_first[: asked.page(default=50, most=100)]
        else:
            rows = [
                {
                    **_execution(
                        symbol, f"e{order.id}", _EXEC[order.forced], order.side.capitalize(), order.filled,
                        order.average or ZERO, order.fee, milliseconds(order.time),
                    ),
                    "orderId": _order_id(order),
                    "orderLinkId": "" if order.forced else order.client_id,
                }
                for order in trader.orders
                if order.symbol == symbol and order.filled and milliseconds(order.time) >= since
            ]  # fmt: skip
        return self.wrapped({"nextPageCursor": "", "category": asked.text("category"), "list": rows})


def _rate(part: Decimal, whole: Decimal) -> str:
    return plain(part / whole, 4) if whole else "0"


def _execution(
    symbol: str, number: str, kind: str, side: str, amount: Decimal, price: Decimal, fee: Decimal, at: int
) -> dict[str, Any]:
    return {
        "symbol": market_id(symbol), "orderId": number, "orderLinkId": "", "side": side, "orderPrice": plain(price),
        "orderQty": plain(amount), "leavesQty": "0", "createType": "CreateByUser", "orderType": "Limit",
        "stopOrderType": "", "execFee": plain(fee, 8), "execId": number, "execPrice": plain(price),
        "execQty": plain(amount), "execType": kind, "execValue": plain(amount * price, 8), "execTime": str(at),
        "feeCurrency": "USDT", "isMaker": False, "feeRate": "0.0005", "tradeIv": "", "markIv": "",
        "markPrice": plain(price), "indexPrice": "", "underlyingPrice": "", "blockTradeId": "", "closedSize": "0",
        "seq": 4688002127,
    }  # fmt: skip


def _order_id(order: DeskOrder) -> str:
    return str(uuid.UUID(int=order.id, version=4))


def _told(order: DeskOrder) -> Any:
    working, order = bool(order.working), order.seen()
    status = "Filled" if order.complete else "PartiallyFilledCanceled" if order.filled else "Cancelled"
    if working:
        status = "PartiallyFilled"
    spent = order.filled * (order.average or ZERO)
    if category(order.symbol) == "inverse":
        spent = order.filled / order.average if order.average else ZERO
    at = str(milliseconds(order.time))
    return {
        "orderId": _order_id(order), "orderLinkId": order.client_id, "blockTradeId": None,
        "symbol": market_id(order.symbol), "price": plain(order.limit_price), "qty": plain(order.contracts),
        "side": order.side.capitalize(), "isLeverage": "0", "positionIdx": _INDEX[order.position_side],
        "orderStatus": status, "cancelType": "UNKNOWN", "rejectReason": "EC_NoError",
        "avgPrice": plain(order.average) if order.average is not None else None,
        "leavesQty": plain(order.contracts - order.filled), "leavesValue": "0", "cumExecQty": plain(order.filled),
        "cumExecValue": plain(spent, 8), "cumExecFee": plain(order.fee, 10), "timeInForce": "IOC",
        "orderType": "Limit", "stopOrderType": "", "orderIv": None, "triggerPrice": "0", "takeProfit": "0",
        "stopLoss": "0", "tpTriggerBy": "", "slTriggerBy": "", "triggerDirection": 0, "triggerBy": "",
        "lastPriceOnCreated": plain(order.limit_price), "reduceOnly": order.reduce_only, "closeOnTrigger": False,
        "smpType": "None", "smpGroup": 0, "smpOrderId": "", "tpslMode": "", "tpLimitPrice": "", "slLimitPrice": "",
        "placeType": "", "createdTime": at, "updatedTime": at,
    }  # fmt: skip
