"""What WEEX tells everybody: contracts below api-contract.weex.com, the spot market below api-spot.weex.com."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.sandbox.exchanges.bars import bars, stamp
from bot.sandbox.exchanges.books import book
from bot.sandbox.exchanges.venue import Asked, Operation, Refused, Venue, milliseconds, plain
from hedging.market import Contract

_MINUTES = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": 1440}
_MARKET = "/capi/v3/market"


class WeexMarket(Venue):
    """The public half. `contractVal` is a millionth of the coin, and amounts are the coin itself."""

    def listed(self, contract: Contract) -> Contract | None:
        if not contract.linear:
            return None
        return replace(contract, min_notional=Decimal(0), taker_fee=Decimal("0.0008"))

    def public(self) -> Mapping[tuple[str, str], Operation]:
        """Unsigned operations by method and path."""
        return {
            ("GET", f"{_MARKET}/time"): Operation(
                "time", lambda a: {"serverTime": self.now_ms()}, signed=False
            ),
            ("GET", f"{_MARKET}/exchangeInfo"): Operation("markets", self._info, signed=False),
            ("GET", f"{_MARKET}/ticker/bookTicker"): Operation("quotes", self._books, signed=False),
            ("GET", f"{_MARKET}/premiumIndex"): Operation("marks", self._premium, signed=False),
            ("GET", f"{_MARKET}/historyKlines"): Operation("candles", self._bars, signed=False),
            ("GET", f"{_MARKET}/indexPriceKlines"): Operation("candles", self._newest, signed=False),
            ("GET", f"{_MARKET}/markPriceKlines"): Operation("candles", self._newest, signed=False),
            ("GET", f"{_MARKET}/fundingRate"): Operation("funding", self._funding_rates, signed=False),
            ("GET", f"{_MARKET}/depth"): Operation("book", self._book, signed=False),
            ("GET", f"{_MARKET}/openInterest"): Operation("open_interest", self._interest, signed=False),
            ("GET", "/api/v3/exchangeInfo"): Operation("markets", self._spot_info, signed=False),
            ("GET", "/api/v3/market/ticker/bookTicker"): Operation("spot", self._spot, signed=False),
            ("GET", "/api/v3/market/klines"): Operation("candles", self._spot_bars, signed=False),
        }

    def symbol(self, asked: Asked) -> str:
        """The contract that a request names. Raises Refused."""
        for symbol in self.desk.contracts():
            if market_id(symbol) == asked.text("symbol"):
                return symbol
        raise Refused("unknown_symbol", "Invalid symbol.")

    def _info(self, asked: Asked) -> Any:
        listed = [c for c in self.desk.contracts().values() if c.symbol not in self.desk.delisted]
        return {
            "assets": [
                {"asset": "BTC", "marginAvailable": False},
                {"asset": "USDT", "marginAvailable": True},
            ],
            "symbols": [
                {
                    "symbol": market_id(c.symbol), "baseAsset": c.base, "quoteAsset": c.quote, "marginAsset": c.settle,
                    "pricePrecision": _places(c.tick), "quantityPrecision": _places(c.lot), "baseAssetPrecision": 3,
                    "quotePrecision": 8, "contractVal": 0.000001, "delivery": ["00:00:00", "08:00:00", "16:00:00"],
                    "forwardContractFlag": True, "minLeverage": 1, "maxLeverage": c.max_leverage,
                    "buyLimitPriceRatio": 0.016, "sellLimitPriceRatio": 0.015, "makerFeeRate": 0.0002,
                    "takerFeeRate": float(c.taker_fee), "minOrderSize": float(c.min_amount),
                    "maxOrderSize": float(c.max_amount or 10000000),
                    "maxPositionSize": 20000000, "marketOpenLimitSize": 12000,
                }
                for c in listed
            ],
        }  # fmt: skip

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
        return self.gaps.told("quotes", rows, ("bidPrice", "askPrice"))

    def _premium(self, asked: Asked) -> Any:
        snapshot = self.desk.market.snapshot()
        rows = {
            symbol: {
                "symbol": market_id(symbol),
                "markPrice": plain(quote.mark),
                "indexPrice": plain(quote.index),
                "lastFundingRate": plain(snapshot.funding[symbol].rate),
                "forecastFundingRate": plain(snapshot.funding[symbol].rate),
                "interestRate": "0.0001",
                "nextFundingTime": milliseconds(snapshot.funding[symbol].next_time),
                "time": milliseconds(snapshot.time),
                "collectCycle": snapshot.funding[symbol].interval_hours * 60,
            }
            for symbol, quote in snapshot.quotes.items()
            if symbol in self.desk.contracts()
        }
        return self.gaps.told("marks", rows, ("markPrice", "indexPrice"))

    def _bars(self, asked: Asked) -> Any:
        symbol = self.symbol(asked)
        name = symbol.partition("/")[0] if asked.text("priceType") == "INDEX" else symbol
        return self._rows(name, asked, 100)

    def _newest(self, asked: Asked) -> Any:
        symbol = self.symbol(asked)
        name = symbol.partition("/")[0] if asked.path.endswith("indexPriceKlines") else symbol
        return self._rows(name, asked, min(int(asked.text("limit", "100")), 1000))

    def _spot_bars(self, asked: Asked) -> Any:
        return [row[:8] for row in self._rows(asked.text("symbol").removesuffix("USDT"), asked, 500)]

    def _rows(self, name: str, asked: Asked, most: int) -> list[list[Any]]:
        minutes = _MINUTES[asked.text("interval", "1h")]
        found = bars(self.desk.market, name, asked.text("startTime"), timedelta(minutes=minutes), most)
        end = int(asked.text("endTime", "0"))
        return [
            [bar.opened, bar.open, bar.high, bar.low, bar.close, "320.456", bar.opened + minutes * 60_000,
             "21874563.70", 982, "180.120", "12345678.90"]
            for bar in found if not end or bar.opened < end
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
            for item in settled[: int(asked.text("limit", "100"))]
        ]

    def _book(self, asked: Asked) -> Any:
        bids, asks = (
            [[plain(price), plain(amount)] for price, amount in side]
            for side in book(self.desk, self.symbol(asked))
        )
        return {"bids": bids, "asks": asks, "lastUpdateId": 1234567890123}

    def _interest(self, asked: Asked) -> Any:
        return {"symbol": asked.text("symbol"), "openInterest": "128345.67", "time": self.market_ms()}

    def _spot_info(self, asked: Asked) -> Any:
        return {
            "timezone": "UTC",
            "serverTime": self.now_ms(),
            "symbols": [
                {
                    "symbol": f"{asset}USDT", "status": "TRADING", "baseAsset": asset, "baseAssetPrecision": 8,
                    "quoteAsset": "USDT", "quoteAssetPrecision": 8, "tickSize": "0.0001", "stepSize": "0.0001",
                    "minTradeAmount": "0.0001", "maxTradeAmount": "1000", "takerFeeRate": "0.001",
                    "makerFeeRate": "0.001", "buyLimitPriceRatio": "0.1", "sellLimitPriceRatio": "0.1",
                    "marketBuyLimitSize": "50", "marketSellLimitSize": "50", "marketFallbackPriceRatio": "0.2",
                    "enableTrade": True, "enableDisplay": True, "displayDigitMerge": "1,0.1,0.01",
                    "displayNew": False, "displayHot": True,
                }
                for asset in self.desk.market.snapshot().spot if asset != "USDT"
            ],
        }  # fmt: skip

    def _spot(self, asked: Asked) -> Any:
        rows = {
            asset: {
                "symbol": f"{asset}USDT",
                "bidPrice": plain(price),
                "bidQty": "2.480",
                "askPrice": plain(price),
                "askQty": "1.102",
            }
            for asset, price in self.desk.market.snapshot().spot.items()
            if asset != "USDT"
        }
        return self.gaps.told("spot", rows, ("bidPrice", "askPrice"))


def market_id(symbol: str) -> str:
    base, _, rest = symbol.partition("/")
    return base + rest.partition(":")[0]


def _places(step: Decimal) -> int:
    return max(-int(step.normalize().as_tuple().exponent), 0)
