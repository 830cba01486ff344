"""What BingX tells everybody: linear contracts and the spot market below open-api.bingx.com."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.sandbox.exchanges.bars import bars, stamp
from bot.sandbox.exchanges.books import book
from bot.sandbox.exchanges.venue import Asked, Operation, Refused, Venue, milliseconds, plain
from hedging.market import Contract

_MINUTES = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": 1440}
_SWAP = "/openApi/swap"


class BingxMarket(Venue):
    """The public half. Some contracts settle in USDC."""

    siblings = (("BTC", "USDC"), ("ETH", "USDC"))

    def listed(self, contract: Contract) -> Contract | None:
        return contract if contract.linear else None

    def public(self) -> Mapping[tuple[str, str], Operation]:
        """Unsigned operations by method and path."""
        return {
            ("GET", f"{_SWAP}/v2/server/time"): Operation("time", self._time, signed=False),
            ("GET", f"{_SWAP}/v2/quote/contracts"): Operation("markets", self._contracts, signed=False),
            ("GET", "/openApi/cswap/v1/market/contracts"): Operation("markets", self._none, signed=False),
            ("GET", f"{_SWAP}/v2/quote/ticker"): Operation("quotes", self._tickers, signed=False),
            ("GET", f"{_SWAP}/v2/quote/premiumIndex"): Operation("marks", self._premium, signed=False),
            ("GET", f"{_SWAP}/v3/quote/klines"): Operation("candles", self._bars, signed=False),
            ("GET", f"{_SWAP}/v2/quote/fundingRate"): Operation("funding", self._funding_rates, signed=False),
            ("GET", f"{_SWAP}/v2/quote/depth"): Operation("book", self._book, signed=False),
            ("GET", f"{_SWAP}/v2/quote/openInterest"): Operation(
                "open_interest", self._interest, signed=False
            ),
            ("GET", "/openApi/spot/v1/common/symbols"): Operation("markets", self._symbols, signed=False),
            ("GET", "/openApi/spot/v2/quote/bookTicker"): Operation("spot", self._spot, signed=False),
            ("GET", "/openApi/spot/v1/market/kline"): Operation("candles", self._spot_bars, signed=False),
        }

    def wrapped(self, data: Any) -> Any:
        """An answer in the exchange's envelope."""
        return {"code": 0, "msg": "", "data": data}

    def symbol(self, asked: Asked) -> str:
        """The contract that a request names. Raises Refused."""
        for symbol in self.desk.contracts():
            if market_id(symbol) == asked.text("symbol"):
                return symbol
        raise Refused("unknown_symbol", f"{asked.text('symbol')} not exist, please verify it")

    def _time(self, asked: Asked) -> Any:
        return self.wrapped({"serverTime": self.now_ms()})

    def _none(self, asked: Asked) -> Any:
        return self.wrapped([])

    def _contracts(self, asked: Asked) -> Any:
        return self.wrapped(
            [
                {
                    "contractId": str(100 + n), "symbol": market_id(contract.symbol), "size": "0",
                    "quantityPrecision": _places(contract.lot), "pricePrecision": _places(contract.tick),
                    "feeRate": 0.0005, "makerFeeRate": 0.0002, "takerFeeRate": 0.0005, "tradeMinLimit": 0,
                    "tradeMinQuantity": float(contract.min_amount), "tradeMinUSDT": float(contract.min_notional),
                    "maxLongLeverage": contract.max_leverage, "maxShortLeverage": contract.max_leverage,
                    "currency": contract.quote, "asset": contract.base, "status": 1,
                    "apiStateOpen": "false" if contract.symbol in self.desk.delisted else "true",
                    "apiStateClose": "true",
                }
                for n, contract in enumerate(self.desk.contracts().values())
            ]
        )  # fmt: skip

    def _tickers(self, asked: Asked) -> Any:
        snapshot = self.desk.market.snapshot()
        now = milliseconds(snapshot.time)
        rows = (
            {
                symbol: {
                    "symbol": market_id(symbol), "priceChange": "0.0", "priceChangePercent": "0.00",
                    "lastPrice": plain(quote.mark), "lastQty": "10", "highPrice": plain(quote.mark),
                    "lowPrice": plain(quote.mark), "volume": "4308212", "quoteVolume": "3085449.53",
                    "openPrice": plain(quote.mark), "openTime": now, "closeTime": now,
                    "askPrice": plain(quote.ask), "askQty": plain(quote.depth / quote.ask, 3),
                    "bidPrice": plain(quote.bid), "bidQty": plain(quote.depth / quote.bid, 3),
                }
                for symbol, quote in snapshot.quotes.items() if symbol in self.desk.contracts()
            }
        )  # fmt: skip
        return self.wrapped(self.gaps.told("quotes", rows, ("askPrice", "bidPrice")))

    def _premium(self, asked: Asked) -> Any:
        snapshot = self.desk.market.snapshot()
        rows = {
            symbol: {
                "symbol": market_id(symbol),
                "markPrice": plain(quote.mark),
                "indexPrice": plain(quote.index),
                "lastFundingRate": plain(snapshot.funding[symbol].rate),
                "nextFundingTime": milliseconds(snapshot.funding[symbol].next_time),
                "fundingIntervalHours": snapshot.funding[symbol].interval_hours,
            }
            for symbol, quote in snapshot.quotes.items()
            if symbol in self.desk.contracts()
        }
        return self.wrapped(self.gaps.told("marks", rows, ("markPrice", "indexPrice")))

    def _bars(self, asked: Asked) -> Any:
        minutes, limit = _MINUTES[asked.text("interval", "1h")], int(asked.text("limit", "500"))
        found = bars(
            self.desk.market, self.symbol(asked), asked.text("startTime"), timedelta(minutes=minutes), limit
        )
        return self.wrapped(
            [
                {
                    "open": bar.open,
                    "close": bar.close,
                    "high": bar.high,
                    "low": bar.low,
                    "volume": "635494.00",
                    "time": bar.opened,
                }
                for bar in reversed(found)
            ]
        )

    def _spot_bars(self, asked: Asked) -> Any:
        minutes, limit = _MINUTES[asked.text("interval", "1h")], int(asked.text("limit", "500"))
        name = asked.text("symbol").removesuffix("-USDT")
        found = bars(self.desk.market, name, asked.text("startTime"), timedelta(minutes=minutes), limit)
        rows = [
            [bar.opened, float(bar.open), float(bar.high), float(bar.low), float(bar.close), 0.2,
             bar.opened + minutes * 60_000 - 1, 8548.46]
            for bar in reversed(found)
        ]  # fmt: skip
        return {"code": 0, "timestamp": self.now_ms(), "data": rows}

    def _funding_rates(self, asked: Asked) -> Any:
        symbol = self.symbol(asked)
        settled = self.desk.market.funding_since(symbol, stamp(asked.text("startTime", "0")))
        rows = [
            {
                "symbol": market_id(symbol),
                "fundingRate": plain(item.rate),
                "fundingTime": milliseconds(item.next_time),
            }
            for item in settled[: int(asked.text("limit", "100"))]
        ]
        return self.wrapped(list(reversed(rows)))

    def _book(self, asked: Asked) -> Any:
        bids, asks = (
            [[plain(price), plain(amount)] for price, amount in side]
            for side in book(self.desk, self.symbol(asked))
        )
        return self.wrapped({"T": self.market_ms(), "bids": bids, "asks": list(reversed(asks))})

    def _interest(self, asked: Asked) -> Any:
        return self.wrapped(
            {"openInterest": "7409966.52", "symbol": asked.text("symbol"), "time": self.market_ms()}
        )

    def _symbols(self, asked: Asked) -> Any:
        symbols = [
            {
                "symbol": f"{asset}-USDT", "minQty": 0.0001826, "maxQty": 1826637.56, "minNotional": 5,
                "maxNotional": 500000, "status": 1, "tickSize": 0.0001, "stepSize": 0.00001, "apiStateSell": True,
                "apiStateBuy": True, "timeOnline": 0, "offTime": 0, "maintainTime": 0, "displayName": f"{asset}-USDT",
            }
            for asset in self.desk.market.snapshot().spot if asset != "USDT"
        ]  # fmt: skip
        return {"code": 0, "msg": "", "debugMsg": "", "data": {"symbols": symbols}}

    def _spot(self, asked: Asked) -> Any:
        now = self.market_ms()
        rows = {
            asset: {"time": now, "symbol": f"{asset}-USDT", "bidPrice": plain(price), "bidQty": "8.994776",
             "askPrice": plain(price), "askQty": "0.000037"}
            for asset, price in self.desk.market.snapshot().spot.items() if asset != "USDT"
        }  # fmt: skip
        told = self.gaps.told("spot", rows, ("bidPrice", "askPrice"))
        return {"code": 0, "timestamp": self.now_ms(), "data": told}


def market_id(symbol: str) -> str:
    base, _, rest = symbol.partition("/")
    return f"{base}-{rest.partition(':')[0]}"


def _places(step: Any) -> int:
    return max(-int(step.normalize().as_tuple().exponent), 0)
