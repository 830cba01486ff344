"""What Binance tells everybody: USD-M contracts below fapi.binance.com, the spot market below api.binance.com."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.sandbox.exchanges.bars import bars, stamp
from bot.sandbox.exchanges.books import book
from bot.sandbox.exchanges.venue import Asked, Operation, Refused, Venue, milliseconds, plain
from hedging.market import Contract

_MINUTES = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": 1440}
_NEVER = 4133404802000  # the delivery date of what is never delivered


class BinanceMarket(Venue):
    """The public half. Some contracts settle in USDC, and one is quoted in bitcoin."""

    siblings = (("BTC", "USDC"), ("ETH", "USDC"))
    ratios = (("ETH/BTC:BTC", "ETH/USDT:USDT", "BTC/USDT:USDT"),)

    def public(self) -> Mapping[tuple[str, str], Operation]:
        """Unsigned operations by method and path."""
        return {
            ("GET", "/fapi/v1/time"): Operation(
                "time", lambda asked: {"serverTime": self.now_ms()}, signed=False
            ),
            ("GET", "/api/v3/time"): Operation(
                "time", lambda asked: {"serverTime": self.now_ms()}, signed=False
            ),
            ("GET", "/fapi/v1/exchangeInfo"): Operation("markets", self._exchange_info, signed=False),
            ("GET", "/fapi/v1/premiumIndex"): Operation("marks", self._premium, signed=False),
            ("GET", "/fapi/v1/ticker/bookTicker"): Operation("quotes", self._books, signed=False),
            ("GET", "/fapi/v1/fundingInfo"): Operation("funding_info", self._funding_info, signed=False),
            ("GET", "/fapi/v1/fundingRate"): Operation("funding", self._funding_rates, signed=False),
            ("GET", "/fapi/v1/markPriceKlines"): Operation("candles", self._swap_bars, signed=False),
            ("GET", "/fapi/v1/klines"): Operation("candles", self._swap_bars, signed=False),
            ("GET", "/fapi/v1/depth"): Operation("book", self._book, signed=False),
            ("GET", "/fapi/v1/openInterest"): Operation("open_interest", self._open_interest, signed=False),
            ("GET", "/api/v3/exchangeInfo"): Operation("markets", self._spot_info, signed=False),
            ("GET", "/api/v3/ticker/bookTicker"): Operation("spot", self._spot_books, signed=False),
            ("GET", "/api/v3/klines"): Operation("candles", self._spot_bars, signed=False),
        }

    def symbol(self, asked: Asked) -> str:
        wanted = asked.text("symbol")
        for symbol in self.desk.contracts():
            if market_id(symbol) == wanted:
                return symbol
        raise Refused("unknown_symbol", "Invalid symbol.")

    def _exchange_info(self, asked: Asked) -> Any:
        return {
            "timezone": "UTC",
            "serverTime": self.now_ms(),
            "futuresType": "U_MARGINED",
            "rateLimits": [
                {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
            ],
            "exchangeFilters": [],
            "assets": [
                {"asset": asset, "marginAvailable": True, "autoAssetExchange": "-100"}
                for asset in ("USDT", "USDC", "BTC")
            ],
            "symbols": [self._listing(contract) for contract in self.desk.contracts().values()],
        }

    def _listing(self, contract: Contract) -> Any:
        gone, closing = contract.symbol in self.desk.delisted, self.desk.closing.get(contract.symbol)
        ends = milliseconds(closing) if closing else _NEVER
        most = contract.max_amount or Decimal(1_000_000)
        lots = {"stepSize": plain(contract.lot), "maxQty": plain(most), "minQty": plain(contract.min_amount)}
        at_market = {**lots, "maxQty": plain(most / 5)}  # smaller than of limit orders, as on the real one
        return {
            "symbol": market_id(contract.symbol), "pair": market_id(contract.symbol), "contractType": "PERPETUAL",
            "deliveryDate": ends, "onboardDate": 1569398400000, "status": "SETTLING" if gone else "TRADING",
            "maintMarginPercent": plain(contract.maintenance_margin_rate * 100),
            "requiredMarginPercent": plain(Decimal(100) / contract.max_leverage, 4),
            "baseAsset": contract.base, "quoteAsset": contract.quote, "marginAsset": contract.settle,
            "pricePrecision": 8, "quantityPrecision": 8, "baseAssetPrecision": 8, "quotePrecision": 8,
            "underlyingType": "COIN", "underlyingSubType": [], "settlePlan": 0, "triggerProtect": "0.0500",
            "liquidationFee": "0.012000", "marketTakeBound": "0.30",
            "filters": [
                {"minPrice": plain(contract.tick), "maxPrice": "1000000", "filterType": "PRICE_FILTER",
                 "tickSize": plain(contract.tick)},
                {**lots, "filterType": "LOT_SIZE"},
                {**at_market, "filterType": "MARKET_LOT_SIZE"},
                {"limit": 200, "filterType": "MAX_NUM_ORDERS"},
                {"notional": plain(contract.min_notional), "filterType": "MIN_NOTIONAL"},
                {"multiplierDown": "0.9500", "multiplierUp": "1.0500", "multiplierDecimal": "4",
                 "filterType": "PERCENT_PRICE"},
            ],
            "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
            "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        }  # fmt: skip

    def _spot_info(self, asked: Asked) -> Any:
        spot = self.desk.market.snapshot().spot
        filters = [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": "0.00000001",
                "maxPrice": "1000000",
                "tickSize": "0.00000001",
            },
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000000", "stepSize": "0.00001"},
            {
                "filterType": "NOTIONAL",
                "minNotional": "5.00",
                "applyMinToMarket": True,
                "maxNotional": "9000000.00",
            },
        ]
        return {
            "timezone": "UTC",
            "serverTime": self.now_ms(),
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": [
                {
                    "symbol": f"{asset}USDT", "status": "TRADING", "baseAsset": asset, "baseAssetPrecision": 8,
                    "quoteAsset": "USDT", "quotePrecision": 8, "quoteAssetPrecision": 8,
                    "orderTypes": ["LIMIT", "MARKET"], "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
                    "filters": filters, "permissions": ["SPOT"],
                }
                for asset in spot if asset != "USDT"
            ],
        }  # fmt: skip

    def _premium(self, asked: Asked) -> Any:
        snapshot = self.desk.market.snapshot()
        rows = {
            symbol: {
                "symbol": market_id(symbol),
                "markPrice": plain(quote.mark),
                "indexPrice": plain(quote.index),
                "estimatedSettlePrice": plain(quote.index),
                "lastFundingRate": plain(snapshot.funding[symbol].rate),
                "nextFundingTime": milliseconds(snapshot.funding[symbol].next_time),
                "interestRate": "0.00010000",
                "time": milliseconds(snapshot.time),
            }
            for symbol, quote in snapshot.quotes.items()
            if symbol in self.desk.contracts()
        }
        return _one_or_all(self.gaps.told("marks", rows, ("markPrice", "indexPrice")), asked)

    def _funding_info(self, asked: Asked) -> Any:
        """Only what is settled at other hours than every eight."""
        return [
            {
                "symbol": market_id(symbol),
                "adjustedFundingRateCap": "0.02000000",
                "adjustedFundingRateFloor": "-0.02000000",
                "fundingIntervalHours": hours,
                "disclaimer": False,
            }
            for symbol, (_, hours) in self.listings.hours.items()
        ]

    def _books(self, asked: Asked) -> Any:
        snapshot = self.desk.market.snapshot()
        rows = {
            symbol: {
                "symbol": market_id(symbol),
                "bidPrice": plain(quote.bid),
                "bidQty": plain(quote.depth / quote.bid, 3),
                "askPrice": plain(quote.ask),
                "askQty": plain(quote.depth / quote.ask, 3),
                "time": milliseconds(snapshot.time),
            }
            for symbol, quote in snapshot.quotes.items()
            if symbol in self.desk.contracts()
        }
        return _one_or_all(self.gaps.told("quotes", rows, ("bidPrice", "askPrice")), asked)

    def _spot_books(self, asked: Asked) -> Any:
        rows = {
            asset: {
                "symbol": f"{asset}USDT",
                "bidPrice": plain(price),
                "bidQty": "100.00000000",
                "askPrice": plain(price),
                "askQty": "100.00000000",
            }
            for asset, price in self.desk.market.snapshot().spot.items()
            if asset != "USDT"
        }
        return _one_or_all(self.gaps.told("spot", rows, ("bidPrice", "askPrice")), asked)

    def _swap_bars(self, asked: Asked) -> Any:
        return self._bars(asked, self.symbol(asked))

    def _spot_bars(self, asked: Asked) -> Any:
        return self._bars(asked, asked.text("symbol").removesuffix("USDT"))

    def _bars(self, asked: Asked, name: str) -> Any:
        minutes = _MINUTES[asked.text("interval", "1h")]
        limit = int(asked.text("limit", "500"))
        return [
            [bar.opened, bar.open, bar.high, bar.low, bar.close, "0", bar.opened + minutes * 60_000 - 1, "0", 60, "0",
             "0", "0"]
            for bar in bars(self.desk.market, name, asked.text("startTime"), timedelta(minutes=minutes), limit)
        ]  # fmt: skip

    def _funding_rates(self, asked: Asked) -> Any:
        symbol = self.symbol(asked)
        settled = self.desk.market.funding_since(symbol, stamp(asked.text("startTime", "0")))
        mark = plain(self.desk.market.snapshot().quotes[symbol].mark)
        return [
            {
                "symbol": market_id(symbol),
                "fundingRate": plain(item.rate),
                "fundingTime": milliseconds(item.next_time),
                "markPrice": mark,
            }
            for item in settled
        ][: int(asked.text("limit", "100"))]

    def _book(self, asked: Asked) -> Any:
        now = self.market_ms()
        bids, asks = (
            [[plain(price), plain(amount)] for price, amount in side]
            for side in book(self.desk, self.symbol(asked))
        )
        return {"lastUpdateId": 1027024, "E": now, "T": now, "bids": bids, "asks": asks}

    def _open_interest(self, asked: Asked) -> Any:
        return {
            "openInterest": "10659.509",
            "symbol": market_id(self.symbol(asked)),
            "time": self.market_ms(),
        }


def market_id(symbol: str) -> str:
    base, _, rest = symbol.partition("/")
    return base + rest.partition(":")[0]


def _one_or_all(rows: list[dict[str, Any]], asked: Asked) -> Any:
    wanted = asked.text("symbol")
    if not wanted:
        return rows
    for row in rows:
        if row["symbol"] == wanted:
            return row
    raise Refused("unknown_symbol", "Invalid symbol.")
