"""What MEXC tells everybody: futures below api.mexc.com/api/v1/contract, the spot market below /api/v3."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.sandbox.exchanges.bars import bars
from bot.sandbox.exchanges.books import book
from bot.sandbox.exchanges.venue import Asked, Operation, Refused, Venue, milliseconds, plain
from hedging.market import Contract

_MINUTES = {"Min1": 1, "Min5": 5, "Min15": 15, "Min60": 60, "Hour4": 240, "Day1": 1440}
_SPOT_MINUTES = {"1m": 1, "5m": 5, "15m": 15, "60m": 60, "4h": 240, "1d": 1440}
_CONTRACT = "/api/v1/contract"


class MexcMarket(Venue):
    """The public half. A contract is one lot of the coin, and only whole ones are traded. Some settle in USDC."""

    siblings = (("BTC", "USDC"), ("ETH", "USDC"))

    def listed(self, contract: Contract) -> Contract | None:
        if not contract.linear:
            return None
        one = Decimal(1)
        return replace(
            contract,
            contract_size=contract.lot,
            lot=one,
            min_amount=one,
            min_notional=Decimal(0),
            taker_fee=Decimal("0.0006"),
        )

    def public(self) -> Mapping[tuple[str, str], Operation]:
        """Unsigned operations by method and path."""
        contracts = self.desk.contracts()
        per_symbol: dict[tuple[str, str], Operation] = {}
        for symbol in contracts:
            for kind in ("kline", "kline/fair_price"):
                path = f"{_CONTRACT}/{kind}/{market_id(symbol)}"
                per_symbol["GET", path] = Operation("candles", self._bars, signed=False)
            path = f"{_CONTRACT}/depth/{market_id(symbol)}"
            per_symbol["GET", path] = Operation("book", self._book, signed=False)
        return {
            **per_symbol,
            ("GET", f"{_CONTRACT}/ping"): Operation("time", self._time, signed=False),
            ("GET", f"{_CONTRACT}/detail"): Operation("markets", self._detail, signed=False),
            ("GET", f"{_CONTRACT}/ticker"): Operation("quotes", self._tickers, signed=False),
            ("GET", f"{_CONTRACT}/funding_rate"): Operation("marks", self._rates, signed=False),
            ("GET", f"{_CONTRACT}/funding_rate/history"): Operation("funding", self._history, signed=False),
            ("GET", "/api/v3/exchangeInfo"): Operation("markets", self._spot_info, signed=False),
            ("GET", "/api/v3/ticker/bookTicker"): Operation("spot", self._spot, signed=False),
            ("GET", "/api/v3/klines"): Operation("candles", self._spot_bars, signed=False),
        }

    def wrapped(self, data: Any) -> Any:
        """An answer in the exchange's envelope."""
        return {"success": True, "code": 0, "data": data}

    def symbol_of(self, wanted: str) -> str:
        """The contract that is called so. Raises Refused."""
        for symbol in self.desk.contracts():
            if market_id(symbol) == wanted:
                return symbol
        raise Refused("unknown_symbol", "Contract does not exist")

    def symbol(self, asked: Asked) -> str:
        """The contract that a request names. Raises Refused."""
        return self.symbol_of(asked.text("symbol"))

    def _time(self, asked: Asked) -> Any:
        return self.wrapped(self.now_ms())

    def _detail(self, asked: Asked) -> Any:
        return self.wrapped(
            [
                {
                    "symbol": market_id(c.symbol), "displayName": market_id(c.symbol),
                    "displayNameEn": market_id(c.symbol), "positionOpenType": 3, "baseCoin": c.base,
                    "quoteCoin": c.quote, "settleCoin": c.settle, "contractSize": float(c.contract_size),
                    "minLeverage": 1, "maxLeverage": c.max_leverage, "priceScale": 6, "volScale": 0, "amountScale": 4,
                    "priceUnit": float(c.tick), "volUnit": 1, "minVol": 1, "maxVol": int(c.max_amount or 1000000),
                    "bidLimitPriceRate": 0.1, "askLimitPriceRate": 0.1, "takerFeeRate": float(c.taker_fee),
                    "makerFeeRate": float(c.maker_fee), "maintenanceMarginRate": float(c.maintenance_margin_rate),
                    "initialMarginRate": round(1 / c.max_leverage, 4), "riskBaseVol": 10000, "riskIncrVol": 10000,
                    "riskIncrMmr": 0.004, "riskIncrImr": 0.004, "riskLevelLimit": 100,
                    "priceCoefficientVariation": 0.1, "indexOrigin": ["Binance"],
                    "state": 3 if c.symbol in self.desk.delisted else 0, "isNew": False, "isHot": True,
                    "isHidden": False, "apiAllowed": True,
                }
                for c in self.desk.contracts().values()
            ]
        )  # fmt: skip

    def _tickers(self, asked: Asked) -> Any:
        snapshot = self.desk.market.snapshot()
        rows = (
            {
                symbol: {
                    "symbol": market_id(symbol), "lastPrice": float(quote.mark), "bid1": float(quote.bid),
                    "ask1": float(quote.ask), "volume24": 40146908, "amount24": 124905007.4428, "holdVol": 55102960,
                    "lower24Price": float(quote.mark), "high24Price": float(quote.mark), "riseFallRate": -0.0176,
                    "riseFallValue": -0.5, "indexPrice": float(quote.index), "fairPrice": float(quote.mark),
                    "fundingRate": float(snapshot.funding[symbol].rate), "maxBidPrice": float(quote.mark) * 1.1,
                    "minAskPrice": float(quote.mark) * 0.9, "timestamp": milliseconds(snapshot.time),
                }
                for symbol, quote in snapshot.quotes.items() if symbol in self.desk.contracts()
            }
        )  # fmt: skip
        return self.wrapped(self.gaps.told("quotes", rows, ("bid1", "ask1", "fairPrice")))

    def _book(self, asked: Asked) -> Any:
        bids, asks = (
            [[float(price), int(amount), 1] for price, amount in side]
            for side in book(self.desk, self.symbol_of(asked.path.rpartition("/")[2]))
        )
        return self.wrapped(
            {"asks": asks, "bids": bids, "version": 2827730444, "timestamp": self.market_ms()}
        )

    def _rates(self, asked: Asked) -> Any:
        snapshot = self.desk.market.snapshot()
        return self.wrapped(
            [
                {
                    "symbol": market_id(symbol),
                    "fundingRate": float(snapshot.funding[symbol].rate),
                    "maxFundingRate": 0.02,
                    "minFundingRate": -0.02,
                    "collectCycle": snapshot.funding[symbol].interval_hours,
                    "nextSettleTime": milliseconds(snapshot.funding[symbol].next_time),
                    "timestamp": milliseconds(snapshot.time),
                }
                for symbol in self.desk.contracts()
            ]
        )

    def _history(self, asked: Asked) -> Any:
        symbol = self.symbol(asked)
        since = self.desk.market.now() - timedelta(days=30)
        settled = list(self.desk.market.funding_since(symbol, since))[-int(asked.text("page_size", "20")) :]
        rows = [
            {
                "symbol": market_id(symbol),
                "fundingRate": float(item.rate),
                "settleTime": milliseconds(item.next_time),
            }
            for item in reversed(settled)
        ]
        return self.wrapped(
            {
                "pageSize": len(rows),
                "totalCount": len(rows),
                "totalPage": 1,
                "currentPage": 1,
                "resultList": rows,
            }
        )

    def _bars(self, asked: Asked) -> Any:
        symbol = self.symbol_of(asked.path.rpartition("/")[2])
        bar = timedelta(minutes=_MINUTES[asked.text("interval", "Min60")])
        start = asked.text("start")
        found = bars(self.desk.market, symbol, f"{start}000" if start else "", bar, 2000)
        return self.wrapped(
            {
                "time": [bar.opened // 1000 for bar in found],
                "open": [float(bar.open) for bar in found],
                "close": [float(bar.close) for bar in found],
                "high": [float(bar.high) for bar in found],
                "low": [float(bar.low) for bar in found],
                "vol": [0 for _ in found],
                "amount": [0 for _ in found],
            }
        )

    def _spot_info(self, asked: Asked) -> Any:
        symbols = [
            {
                "symbol": f"{asset}USDT", "status": "1", "baseAsset": asset, "baseAssetPrecision": 5,
                "quoteAsset": "USDT", "quotePrecision": 5, "quoteAssetPrecision": 5, "baseCommissionPrecision": 5,
                "quoteCommissionPrecision": 5, "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
                "isSpotTradingAllowed": True, "isMarginTradingAllowed": False, "quoteAmountPrecision": "1",
                "baseSizePrecision": "0", "permissions": ["SPOT"], "filters": [], "maxQuoteAmount": "2000000",
                "makerCommission": "0.0005", "takerCommission": "0.0005", "quoteAmountPrecisionMarket": "1",
                "maxQuoteAmountMarket": "100000", "fullName": asset, "tradeSideType": 1,
            }
            for asset in self.desk.market.snapshot().spot if asset != "USDT"
        ]  # fmt: skip
        return {
            "timezone": "CST", "serverTime": self.now_ms(), "rateLimits": [], "exchangeFilters": [], "symbols": symbols,
        }  # fmt: skip

    def _spot(self, asked: Asked) -> Any:
        rows = {
            asset: {
                "symbol": f"{asset}USDT",
                "bidPrice": plain(price),
                "bidQty": "115.59",
                "askPrice": plain(price),
                "askQty": "215.48",
            }
            for asset, price in self.desk.market.snapshot().spot.items()
            if asset != "USDT"
        }
        return self.gaps.told("spot", rows, ("bidPrice", "askPrice"))

    def _spot_bars(self, asked: Asked) -> Any:
        minutes, limit = (
            _SPOT_MINUTES[asked.text("interval", "60m")],
            min(int(asked.text("limit", "500")), 500),
        )
        name = asked.text("symbol").removesuffix("USDT")
        found = bars(self.desk.market, name, asked.text("startTime"), timedelta(minutes=minutes), limit)
        return [
            [
                bar.opened,
                bar.open,
                bar.high,
                bar.low,
                bar.close,
                "3.55",
                bar.opened + minutes * 60_000,
                "168387.3",
            ]
            for bar in found
        ]


def market_id(symbol: str) -> str:
    base, _, rest = symbol.partition("/")
    return f"{base}_{rest.partition(':')[0]}"
