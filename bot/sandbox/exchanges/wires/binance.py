"""Binance USD-M over loopback: `/fapi/…` below fapi.binance.com, the spot market and the key's restrictions below
api.binance.com. Fields as recorded; numbers as text, times in milliseconds."""

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.responses import JSONResponse, Response

from bot.sandbox.exchanges.traders import DeskOrder, Held, PositionSide, Trader
from bot.sandbox.exchanges.venue import (
    SKEW_ALLOWED_MS,
    Asked,
    Operation,
    Refused,
    milliseconds,
    plain,
)
from bot.sandbox.exchanges.wallets import Totals, WalletState, totals, wallets, worth
from bot.sandbox.exchanges.wires.binance_market import BinanceMarket, market_id
from hedging.market import Contract
from hedging.money import ZERO
from hedging.paper import unrealized
from hedging.paper.account import maintenance, set_aside

_CODES: Mapping[str, tuple[int, int]] = {  # word -> HTTP status, code
    "margin": (400, -2019), "reduce_only": (400, -2022), "lot": (400, -1111), "tick": (400, -4014),
    "max_amount": (400, -4005), "min_notional": (400, -4164), "unknown_symbol": (400, -1121), "closed": (400, -4141),
    "leverage": (400, -4028), "margin_mode": (400, -4047), "same_margin_mode": (400, -4046),
    "position_mode": (400, -4061), "not_required": (400, -1106),
    "duplicate": (400, -4116), "order_missing": (400, -2013), "key": (401, -2015),
    "address": (401, -2015), "signature": (400, -1022),
    "clock": (400, -1021), "rate_limited": (429, -1003), "banned": (418, -1003), "maintenance": (503, -1016),
    "overload": (503, -1008), "timeout": (408, -1007), "unknown": (400, -1000), "refused": (400, -1102),
}  # fmt: skip
_MARGIN = {"cross": "CROSSED"}
_SIDES: Mapping[str, PositionSide] = {"BOTH": "both", "LONG": "long", "SHORT": "short"}


class Binance(BinanceMarket):
    """One-way and hedge mode; an id is free again once its order has ended, as on the real one."""

    name = "binance"
    hosts = ("fapi.binance.com", "api.binance.com", "demo-fapi.binance.com", "demo-api.binance.com")
    locked_out = "Invalid API-key, IP, or permissions for action, request ip: {address}"

    def listed(self, contract: Contract) -> Contract | None:
        return contract if contract.linear else None

    def operations(self) -> Mapping[tuple[str, str], Operation]:
        return {
            **self.public(),
            ("GET", "/sapi/v1/account/apiRestrictions"): Operation("permissions", self._restrictions),
            ("GET", "/fapi/v1/positionSide/dual"): Operation("position_mode", self._dual),
            ("POST", "/fapi/v1/order"): Operation("order", self._order),
            ("GET", "/fapi/v1/order"): Operation("find", self._find),
            ("GET", "/fapi/v1/openOrders"): Operation("open_orders", lambda asked: []),
            ("GET", "/fapi/v3/positionRisk"): Operation("positions", self._positions),
            ("GET", "/fapi/v3/account"): Operation("balance", self._account),
            ("GET", "/fapi/v2/account"): Operation("balance", self._account_v2),
            ("GET", "/fapi/v1/multiAssetsMargin"): Operation("assets_mode", self._assets_mode),
            ("POST", "/fapi/v1/leverage"): Operation("leverage", self._leverage),
            ("POST", "/fapi/v1/marginType"): Operation("margin_mode", self._margin_type),
            ("GET", "/fapi/v1/symbolConfig"): Operation("symbol_config", self._symbol_config),
            ("GET", "/fapi/v1/userTrades"): Operation("fills", self._trades),
            ("GET", "/fapi/v1/income"): Operation("income", self._income),
            ("GET", "/fapi/v1/forceOrders"): Operation("forced", self._forced),
            ("GET", "/fapi/v1/leverageBracket"): Operation("tiers", self._brackets),
        }

    def trader_of(self, asked: Asked) -> Trader:
        trader = self.desk.traders.get(asked.headers.get("X-MBX-APIKEY", ""))
        if trader is None:
            raise Refused("key")
        signed, _, signature = (asked.body or asked.query).rpartition("&signature=")
        wanted = hmac.new(trader.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, signature):
            raise Refused("signature")
        age = self.now_ms() - int(asked.text("timestamp", "0"))
        if age > int(asked.text("recvWindow", "5000")) or age < -min(SKEW_ALLOWED_MS, 1000):
            raise Refused("clock")
        return trader

    def refusal(self, word: str, sentence: str, asked: Asked) -> Response:
        status, code = _CODES.get(word, _CODES["refused"])
        if word == "key" and asked.path.startswith("/sapi/"):
            code, sentence = -2008, "Invalid Api-Key ID."  # of one that is not known there
        return self.error(code, sentence, status)

    def error(self, code: int, sentence: str, status: int) -> Response:
        return JSONResponse({"code": code, "msg": sentence}, 400 if status == 200 else status)

    def _restrictions(self, asked: Asked) -> Any:
        trader = asked.account
        return {
            "ipRestrict": trader.address_list,
            "createTime": 1625474304765,
            "enableReading": True,
            "enableWithdrawals": trader.can_withdraw,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": trader.can_trade and not trader.reads_only,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": False,
            "enableSpotAndMarginTrading": not trader.can_trade and not trader.reads_only,
            "enablePortfolioMarginTrading": trader.margin == "portfolio",
            **({"tradingAuthorityExpirationTime": milliseconds(trader.expires)} if trader.expires else {}),
        }

    def _dual(self, asked: Asked) -> Any:
        return {"dualSidePosition": asked.account.hedged}

    def _assets_mode(self, asked: Asked) -> Any:
        return {"multiAssetsMargin": asked.account.multi_assets}

    def _order(self, asked: Asked) -> Any:
        trader = asked.account
        if not trader.can_trade:
            raise Refused("key")
        symbol, client_id = self.symbol(asked), asked.text("newClientOrderId")
        if trader.hedged and "reduceOnly" in asked.given:
            raise Refused("not_required", "Parameter 'reduceonly' sent when not required.")
        if len(client_id) > 36:
            raise Refused("refused", "Client order id length should be less than 36 chars")
        if asked.text("type") != "LIMIT" or asked.text("timeInForce") != "IOC":
            raise Refused("refused", "this stand-in takes immediate-or-cancel limit orders only")
        order = self.desk.place(
            trader,
            client_id=client_id,
            symbol=symbol,
            side="sell" if asked.text("side") == "SELL" else "buy",
            contracts=asked.amount("quantity"),
            limit_price=asked.amount("price"),
            reduce_only=asked.text("reduceOnly").lower() == "true",
            position_side=_SIDES[asked.text("positionSide", "BOTH")],
        )
        return _told(order)

    def _find(self, asked: Asked) -> Any:
        order = self.desk.find(
            asked.account,
            self.symbol(asked),
            client_id=asked.text("origClientOrderId"),
            order_id=asked.text("orderId"),
        )
        if order is None:
            raise Refused("order_missing", "Order does not exist.")
        return _told(order)

    def _positions(self, asked: Asked) -> Any:
        rows = [self._position(asked.account, held) for held in self.held(asked)]
        return [row for row in rows if asked.text("symbol") in ("", row["symbol"])]

    def _position(self, trader: Trader, held: Held) -> Any:
        position = held.position
        reached = self.desk.liquidation(trader, held)
        isolated = position.margin_mode == "isolated"
        bound = plain(set_aside(position), 8)
        return {
            "symbol": market_id(held.symbol),
            "positionSide": held.side.upper(),
            "positionAmt": plain(position.contracts),
            "entryPrice": plain(position.entry_price),
            "breakEvenPrice": plain(position.entry_price),
            "markPrice": plain(position.mark_price),
            "unRealizedProfit": plain(unrealized(position), 8),
            "liquidationPrice": plain(reached, 8) if reached else "0",
            "isolatedMargin": plain(position.margin + unrealized(position), 8) if isolated else "0",
            "notional": plain(position.contract.notional(position.contracts, position.mark_price), 8),
            "marginAsset": position.contract.settle,
            "isolatedWallet": plain(position.margin, 8) if isolated else "0",
            "initialMargin": bound,
            "maintMargin": plain(maintenance(position), 8),
            "positionInitialMargin": bound,
            "openOrderInitialMargin": "0",
            "adl": self.desk.rank(trader, held.symbol) - 1,
            "bidNotional": "0",
            "askNotional": "0",
            "updateTime": self.market_ms(),
        }

    def _account(self, asked: Asked) -> Any:
        """In single-asset mode the totals are those of USDT; in multi-assets mode they are in dollars over everything,
        and each asset can use all that is free."""
        trader, spot = self.desk.settled(asked.account), self.desk.market.snapshot().spot
        rows, whole = {one.asset: one for one in wallets(trader.account)}, totals(trader, spot)
        assets = []
        for asset, one in rows.items():
            free = whole.free / worth(trader, asset, spot) if trader.multi_assets else one.free
            assets.append(self._asset(one, plain(max(free, ZERO), 8)))
        if not trader.multi_assets:
            usdt = rows.get("USDT")
            whole = Totals(usdt.wallet, usdt.profit, usdt.bound, usdt.upkeep) if usdt else Totals(*[ZERO] * 4)
        free_now = plain(max(whole.free, ZERO), 8)
        if trader.europe:
            assets[0]["asset"] = "BNFCR"
        return {
            "totalInitialMargin": plain(whole.bound, 8),
            "totalMaintMargin": plain(whole.upkeep, 8),
            "totalWalletBalance": plain(whole.wallet, 8),
            "totalUnrealizedProfit": plain(whole.profit, 8),
            "totalMarginBalance": plain(whole.equity, 8),
            "totalPositionInitialMargin": plain(whole.bound, 8),
            "totalOpenOrderInitialMargin": "0.00000000",
            "totalCrossWalletBalance": plain(whole.wallet, 8),
            "totalCrossUnPnl": plain(whole.profit, 8),
            "availableBalance": free_now,
            "maxWithdrawAmount": free_now,
            "assets": assets,
            "positions": [],
        }

    def _account_v2(self, asked: Asked) -> Any:
        told = {"feeTier": 0, "canTrade": True, "multiAssetsMargin": asked.account.multi_assets}
        return {**told, **self._account(asked)}

    def _asset(self, one: WalletState, free: str) -> Any:
        return {
            "asset": one.asset,
            "walletBalance": plain(one.wallet, 8),
            "unrealizedProfit": plain(one.profit, 8),
            "marginBalance": plain(one.equity, 8),
            "maintMargin": plain(one.upkeep, 8),
            "initialMargin": plain(one.bound, 8),
            "positionInitialMargin": plain(one.bound, 8),
            "openOrderInitialMargin": "0.00000000",
            "crossWalletBalance": plain(one.wallet, 8),
            "crossUnPnl": plain(one.profit, 8),
            "availableBalance": free,
            "maxWithdrawAmount": free,
            "marginAvailable": True,
            "updateTime": self.market_ms(),
        }

    def _leverage(self, asked: Asked) -> Any:
        symbol, leverage = self.symbol(asked), int(asked.amount("leverage"))
        self.desk.set_leverage(asked.account, symbol, leverage)
        return {"symbol": market_id(symbol), "leverage": leverage, "maxNotionalValue": "1000000"}

    def _margin_type(self, asked: Asked) -> Any:
        symbol = self.symbol(asked)
        wanted = asked.text("marginType")
        if self.desk.margin_mode(asked.account, symbol) == ("cross" if wanted == "CROSSED" else "isolated"):
            raise Refused("same_margin_mode", "No need to change margin type.")
        self.desk.set_margin_mode(asked.account, symbol, "cross" if wanted == "CROSSED" else "isolated")
        return {"code": 200, "msg": "success"}

    def _symbol_config(self, asked: Asked) -> Any:
        trader = asked.account
        rows = [
            {
                "symbol": market_id(symbol),
                "marginType": _MARGIN.get(word := self.desk.margin_word(trader, symbol), word.upper()),
                "isAutoAddMargin": False,
                "leverage": self.desk.leverage(trader, symbol),
                "maxNotionalValue": "1000000",
            }
            for symbol in self.desk.contracts()
        ]
        return [row for row in rows if asked.text("symbol") in ("", row["symbol"])]

    def _trades(self, asked: Asked) -> Any:
        symbol, since = self.symbol(asked), int(asked.text("startTime", "0"))
        self.desk.settled(asked.account)
        return [
            {
                "symbol": market_id(symbol),
                "id": order.id * 10,
                "orderId": order.id,
                "side": order.side.upper(),
                "price": plain(order.average),
                "qty": plain(order.filled),
                "realizedPnl": plain(order.realized, 8),
                "marginAsset": "USDT",
                "quoteQty": plain(order.filled * (order.average or ZERO), 8),
                "commission": plain(order.fee, 8),
                "commissionAsset": "USDT",
                "time": milliseconds(order.time),
                "positionSide": order.position_side.upper(),
                "buyer": order.side == "buy",
                "maker": False,
            }
            for order in asked.account.orders
            if order.symbol == symbol and order.filled and milliseconds(order.time) >= since
        ]

    def _income(self, asked: Asked) -> Any:
        self.desk.settled(asked.account)
        span, wanted = asked.span(), asked.text("symbol")
        rows = [
            {
                "symbol": market_id(paid.symbol),
                "incomeType": "FUNDING_FEE",
                "income": plain(paid.amount, 8),
                "asset": paid.asset,
                "info": "FUNDING_FEE",
                "time": milliseconds(paid.time),
                "tranId": 9689322392 + n,
                "tradeId": "",
            }
            for n, paid in enumerate(asked.account.funding)
            if milliseconds(paid.time) in span and wanted in ("", market_id(paid.symbol))
        ]
        return rows[: asked.page(default=100, most=1000)]

    def _forced(self, asked: Asked) -> Any:
        self.desk.settled(asked.account)
        symbol, since = self.symbol(asked), int(asked.text("startTime", "0"))
        return [
            _told(order)
            for order in asked.account.orders
            if order.forced and order.symbol == symbol and milliseconds(order.time) >= since
        ]

    def _brackets(self, asked: Asked) -> Any:
        rows = []
        for symbol, contract in self.desk.contracts().items():
            if asked.text("symbol") in ("", market_id(symbol)):
                bracket = {
                    "bracket": 1,
                    "initialLeverage": contract.max_leverage,
                    "notionalCap": 10_000_000,
                    "notionalFloor": 0,
                    "maintMarginRatio": float(contract.maintenance_margin_rate),
                    "cum": 0.0,
                }
                rows.append({"symbol": market_id(symbol), "notionalCoef": 1.0, "brackets": [bracket]})
        return rows


def _told(order: DeskOrder) -> Any:
    working, order = bool(order.working), order.seen()
    total = value_of(order)
    prefix = {"adl": "adl_autoclose", "liquidation": f"autoclose-{order.id}", None: order.client_id}
    return {
        "orderId": order.id,
        "symbol": market_id(order.symbol),
        "status": "PARTIALLY_FILLED" if working else "FILLED" if order.complete else "EXPIRED",
        "clientOrderId": prefix.get(order.forced, f"settlement_autoclose-{order.id}"),
        "price": plain(order.limit_price),
        "avgPrice": plain(order.average) if order.average is not None else "0.00",
        "origQty": plain(order.contracts),
        "executedQty": plain(order.filled),
        "cumQuote": plain(total, 8),
        "timeInForce": "IOC",
        "type": "LIMIT",
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": order.side.upper(),
        "positionSide": order.position_side.upper(),
        "stopPrice": "0.00",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": "LIMIT",
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
        "time": milliseconds(order.time),
        "updateTime": milliseconds(order.time),
    }


def value_of(order: DeskOrder) -> Decimal:
    """Quote units that changed hands."""
    return order.filled * (order.average or ZERO)
