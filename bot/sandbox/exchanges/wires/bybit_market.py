"""What Bybit tells everybody: spot, linear and inverse contracts below api.bybit.com."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.sandbox.exchanges.bars import bars, stamp
from bot.sandbox.exchanges.books import book
from bot.sandbox.exchanges.venue import Asked, Operation, Refused, Venue, milliseconds, plain
from hedging.market import Contract

_MINUTES = {"1": 1, "5": 5, "15": 15, "60": 60, "240": 240, "D": 1440}


class BybitMarket(Venue):
    """The public half. An inverse contract is worth one dollar. Contracts are listed by name: BTCPERP, which settles in
    USDC, comes before BTCUSDT."""

    siblings = (("BTC", "USDC"), ("ETH", "USDC"))

    def listed(self, contract: Contract) -> Contract | None:
        one, fee = Decimal(1), Decimal("0.0006")
        if contract.linear:
            return replace(contract, taker_fee=fee)
        return replace(
            contract, contract_size=one, lot=one, min_amount=one, min_notional=Decimal(0), taker_fee=fee
        )

    def public(self) -> Mapping[tuple[str, str], Operation]:
        """Unsigned operations by method and path."""
        return {
            ("GET", "/v5/market/time"): Operation("time", self._time, signed=False),
            ("GET", "/v5/market/instruments-info"): Operation("markets", self._instruments, signed=False),
            ("GET", "/v5/market/tickers"): Operation("quotes", self._tickers, signed=False),
            ("GET", "/v5/market/kline"): Operation("candles", self._bars, signed=False),
            ("GET", "/v5/market/mark-price-kline"): Operation("candles", self._bars, signed=False),
            ("GET", "/v5/market/funding/history"): Operation("funding", self._funding_rates, signed=False),
            ("GET", "/v5/market/orderbook"): Operation("book", self._book, signed=False),
            ("GET", "/v5/market/open-interest"): Operation(
                "open_interest", self._open_interest, signed=False
            ),
            ("GET", "/v5/market/risk-limit"): Operation("tiers", self._tiers, signed=False),
        }

    def wrapped(self, result: Any, message: str = "OK") -> Any:
        """An answer in the exchange's envelope."""
        return {"retCode": 0, "retMsg": message, "result": result, "retExtInfo": {}, "time": self.market_ms()}

    def symbol(self, asked: Asked) -> str:
        """The contract that a request names. Raises Refused."""
        for symbol in self.desk.contracts():
            if market_id(symbol) == asked.text("symbol") and asked.text("category") == category(symbol):
                return symbol
        raise Refused("unknown_symbol", "symbol invalid")

    def _time(self, asked: Asked) -> Any:
        now = self.now_ms()
        return {**self.wrapped({"timeSecond": str(now // 1000), "timeNano": f"{now}000000"}), "time": now}

    def _instruments(self, asked: Asked) -> Any:
        kind = asked.text("category")
        if asked.text("status") == "PreLaunch":
            rows: list[Any] = []
        elif kind == "spot":
            rows = [_coin(asset) for asset in self.desk.market.snapshot().spot if asset != "USDT"]
        else:
            rows = [self._listing(c) for c in self._by_name() if category(c.symbol) == kind]
        return self.wrapped({"category": kind, "nextPageCursor": None, "list": rows})

    def _by_name(self) -> list[Contract]:
        return sorted(self.desk.contracts().values(), key=lambda contract: market_id(contract.symbol))

    def _listing(self, contract: Contract) -> Any:
        most = contract.max_amount or Decimal(1_000_000)
        lots = {
            "maxOrderQty": plain(most),
            "minOrderQty": plain(contract.min_amount),
            "qtyStep": plain(contract.lot),
            "postOnlyMaxOrderQty": plain(most),
            "maxMktOrderQty": plain(most / 2),
        }
        closing = self.desk.closing.get(contract.symbol)
        if contract.linear:
            lots["minNotionalValue"] = plain(contract.min_notional)
        return {
            "symbol": market_id(contract.symbol),
            "contractType": "LinearPerpetual" if contract.linear else "InversePerpetual",
            "status": "Closed" if contract.symbol in self.desk.delisted else "Trading",
            "baseCoin": contract.base,
            "quoteCoin": contract.quote,
            "launchTime": "1699990000000",
            "deliveryTime": str(milliseconds(closing) if closing else 0),
            "deliveryFeeRate": "",
            "priceScale": "2",
            "leverageFilter": {
                "minLeverage": "1",
                "maxLeverage": str(contract.max_leverage),
                "leverageStep": "0.01",
            },
            "priceFilter": {
                "minPrice": plain(contract.tick),
                "maxPrice": "1000000",
                "tickSize": plain(contract.tick),
            },
            "lotSizeFilter": lots,
            "unifiedMarginTrade": True,
            "fundingInterval": self.desk.market.snapshot().funding[contract.symbol].interval_hours * 60,
            "settleCoin": contract.settle,
        }

    def _tickers(self, asked: Asked) -> Any:
        kind, snapshot = asked.text("category"), self.desk.market.snapshot()
        if kind == "spot":
            coins: dict[str, Any] = {
                asset: {
                 "symbol": f"{asset}USDT", "bid1Price": plain(price), "bid1Size": "10", "ask1Price": plain(price),
                 "ask1Size": "10", "lastPrice": plain(price), "prevPrice24h": plain(price), "price24hPcnt": "0",
                 "highPrice24h": plain(price), "lowPrice24h": plain(price), "turnover24h": "1000",
                 "volume24h": "10", "usdIndexPrice": plain(price)}
                for asset, price in snapshot.spot.items() if asset != "USDT"
            }  # fmt: skip
            listed = self.gaps.told("spot", coins, ("bid1Price", "ask1Price", "lastPrice"))
            return self.wrapped({"category": kind, "list": listed})
        rows: dict[str, Any] = {}
        for contract in self._by_name():
            symbol = contract.symbol
            if category(symbol) != kind:
                continue
            quote, funding = snapshot.quotes[symbol], snapshot.funding[symbol]
            size = quote.depth / (quote.bid if contract.linear else 1)
            rows[symbol] = {
                "symbol": market_id(symbol),
                "lastPrice": plain(quote.mark),
                "indexPrice": plain(quote.index),
                "markPrice": plain(quote.mark),
                "prevPrice24h": plain(quote.mark),
                "price24hPcnt": "0.01",
                "highPrice24h": plain(quote.mark),
                "lowPrice24h": plain(quote.mark),
                "openInterest": "373504107",
                "openInterestValue": "8.1",
                "turnover24h": "2356.12",
                "volume24h": "49337318",
                "fundingRate": plain(funding.rate),
                "nextFundingTime": str(milliseconds(funding.next_time)),
                "fundingIntervalHour": str(funding.interval_hours),
                "ask1Size": plain(size, 3),
                "bid1Price": plain(quote.bid),
                "ask1Price": plain(quote.ask),
                "bid1Size": plain(size, 3),
            }
        prices = ("bid1Price", "ask1Price", "markPrice")
        return self.wrapped({"category": kind, "list": self.gaps.told("quotes", rows, prices)})

    def _bars(self, asked: Asked) -> Any:
        name = (
            asked.text("symbol").removesuffix("USDT")
            if asked.text("category") == "spot"
            else self.symbol(asked)
        )
        minutes, limit = _MINUTES[asked.text("interval", "60")], int(asked.text("limit", "200"))
        found = bars(self.desk.market, name, asked.text("start"), timedelta(minutes=minutes), limit)
        rows = [
            [str(bar.opened), bar.open, bar.high, bar.low, bar.close, "0", "0"] for bar in reversed(found)
        ]
        return self.wrapped(
            {"category": asked.text("category"), "symbol": asked.text("symbol"), "list": rows}
        )

    def _funding_rates(self, asked: Asked) -> Any:
        symbol = self.symbol(asked)
        settled = self.desk.market.funding_since(symbol, stamp(asked.text("startTime", "0")))
        rows = [
            {
                "symbol": market_id(symbol),
                "fundingRate": plain(item.rate),
                "fundingRateTimestamp": str(milliseconds(item.next_time)),
            }
            for item in reversed(settled)
        ]
        return self.wrapped(
            {"category": asked.text("category"), "list": rows[: int(asked.text("limit", "200"))]}
        )

    def _book(self, asked: Asked) -> Any:
        now = self.market_ms()
        bids, asks = (
            [[plain(price), plain(amount)] for price, amount in side]
            for side in book(self.desk, self.symbol(asked))
        )
        told = {
            "s": asked.text("symbol"),
            "b": bids,
            "a": asks,
            "ts": now,
            "u": 1234567,
            "seq": 9876543,
            "cts": now,
        }
        return self.wrapped(told)

    def _open_interest(self, asked: Asked) -> Any:
        row = {"openInterest": "461134384.00000000", "timestamp": str(self.market_ms())}
        return self.wrapped(
            {
                "symbol": asked.text("symbol"),
                "category": asked.text("category"),
                "list": [row],
                "nextPageCursor": "",
            }
        )

    def _tiers(self, asked: Asked) -> Any:
        wanted, kind = asked.text("symbol"), asked.text("category")
        rows = [
            {
                "id": 1,
                "symbol": market_id(contract.symbol),
                "riskLimitValue": "2000000",
                "maintenanceMargin": plain(contract.maintenance_margin_rate),
                "initialMargin": plain(Decimal(1) / contract.max_leverage, 4),
                "isLowestRisk": 1,
                "maxLeverage": str(contract.max_leverage),
                "mmDeduction": "",
            }
            for contract in self.desk.contracts().values()
            if category(contract.symbol) == kind and wanted in ("", market_id(contract.symbol))
        ]
        return self.wrapped({"category": kind, "list": rows, "nextPageCursor": ""})


def _coin(asset: str) -> Any:
    return {
        "symbol": f"{asset}USDT",
        "baseCoin": asset,
        "quoteCoin": "USDT",
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "utaOnly",
        "lotSizeFilter": {
            "basePrecision": "0.000001",
            "quotePrecision": "0.00000001",
            "minOrderQty": "0.00001",
            "maxOrderQty": "10000",
            "minOrderAmt": "1",
            "maxOrderAmt": "4000000",
        },
        "priceFilter": {"tickSize": "0.0001"},
    }


def category(symbol: str) -> str:
    return "linear" if symbol.endswith((":USDT", ":USDC")) else "inverse"


def market_id(symbol: str) -> str:
    base, _, rest = symbol.partition("/")
    quote, _, settle = rest.partition(":")
    return f"{base}PERP" if settle == "USDC" else base + quote
