"""Public prices of Binance, spot and USD-margined perpetuals, through ccxt; no account needed.

A snapshot costs three calls, however many coins there are: last spot prices, best bids and asks, marks with
funding. Two things that Binance does not tell the public are reckoned on the safe side: the maintenance margin is the
contract's stated one, which is above the lowest real tier, and the depth within 0.1 % is ten times the thinner touch.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

import aiohttp
import numpy as np

from bot.exchange.candle_cache import CandleCache, Row
from bot.ports.errors import Unavailable
from hedging.errors import BadInput
from hedging.market import Candles, Contract, Funding, Quote, Snapshot
from hedging.money import decimal

_MARKETS_FRESH = 6 * 3600.0  # seconds
_SNAPSHOT_FRESH = 0.5
_BAN = 60.0  # seconds to stay away after a refusal that names no time
_TIMEOUT_MS = 10_000
_PAGE, _MOST_PAGES = 1000, 60
_AT_ONCE = 6
_SKEW = 5.0  # seconds that Binance's clock may be behind ours
_TIMEFRAMES = {60: "1m", 300: "5m", 900: "15m", 3600: "1h", 14_400: "4h", 86_400: "1d"}
_TOUCHES_IN_DEPTH = 10
_HOUR = timedelta(hours=1)

_STUMBLES = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
)  # over an answer that is none

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Listing:
    """What is traded: contracts by symbol, spot pairs by asset, funding intervals that differ from 8 hours."""

    contracts: Mapping[str, Contract]
    pairs: Mapping[str, str]
    intervals: Mapping[str, int]


class BinanceFeed:
    """bot.ports.exchange.MarketFeed. `session`: what ccxt sends its requests through, for tests; None: its own."""

    name = "binance"

    def __init__(self, session: object | None = None) -> None:
        self._session = session
        self._client: Any = None
        self._failures: tuple[type[Exception], ...] = ()
        self._refusals: tuple[type[Exception], ...] = ()
        self._listing: _Listing | None = None
        self._listed_at = self._read_at = -math.inf
        self._snapshot: Snapshot | None = None
        self._closed_until = -math.inf
        self._lock, self._listing_lock, self._gate = (
            asyncio.Lock(),
            asyncio.Lock(),
            asyncio.Semaphore(_AT_ONCE),
        )
        self._cache = CandleCache(self._page)

    async def snapshot(self) -> Snapshot:
        """The market now; whoever asks within half a second of each other shares one read."""
        async with self._lock:
            if self._snapshot is None or time.monotonic() - self._read_at > _SNAPSHOT_FRESH:
                listing = await self._listed()
                last, touch, marks = await asyncio.gather(
                    self._ask(lambda client: client.fetch_last_prices(None, {"type": "spot"})),
                    self._ask(
                        lambda client: client.fetch_bids_asks(None, {"type": "swap", "subType": "linear"})
                    ),
                    self._ask(lambda client: client.fetch_funding_rates(None, {"subType": "linear"})),
                )
                self._snapshot = _understood(lambda: _snapshot(listing, last, touch, marks))
                self._read_at = time.monotonic()
            return self._snapshot

    async def candles(self, names: Sequence[str], *, since: datetime, bar: timedelta = _HOUR) -> Candles:
        """Closes, highs and lows; a name that Binance does not list has no bars. Raises BadInput for a bar it lacks."""
        seconds = int(bar.total_seconds())
        if seconds not in _TIMEFRAMES or bar != timedelta(seconds=seconds):
            raise BadInput(f"Binance has no bars of {bar}")
        listing = await self._listed()
        first = -(-math.floor(since.timestamp()) // seconds) * seconds
        wanted = {name: _market(listing, name) for name in names}
        series = await asyncio.gather(
            *(self._cache.rows(market, seconds, first) for market in wanted.values() if market)
        )
        found = dict(zip([name for name, market in wanted.items() if market], series, strict=True))
        latest = max((rows[-1][0] for rows in found.values() if rows), default=first - seconds)
        times = np.arange(first, latest + 1, seconds)
        grids = np.full((3, len(times), len(names)), np.nan)
        for column, name in enumerate(names):
            if name == "USDT":
                grids[:, :, column] = 1.0
            for opened, *prices in found.get(name, ()):
                grids[:, (opened - first) // seconds, column] = prices
        return Candles(tuple(names), times.astype("datetime64[s]"), *grids)

    async def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]:
        listing = await self._listed()
        if symbol not in listing.contracts:
            raise Unavailable(f"Binance has no contract {symbol}.")
        interval, start = listing.intervals.get(symbol, 8), math.floor(since.timestamp() * 1000)
        settled: list[Funding] = []
        for _ in range(_MOST_PAGES):
            page = await self._ask(partial(_funding_page, symbol, start))
            settled += _understood(partial(_settled, symbol, interval, page))
            if len(page) < _PAGE:
                break
            start = math.floor(settled[-1].next_time.timestamp() * 1000) + 1
        return [item for item in settled if item.next_time > since]

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _listed(self) -> _Listing:
        async with self._listing_lock:
            if self._listing is None or time.monotonic() - self._listed_at > _MARKETS_FRESH:
                markets = await self._ask(lambda client: client.load_markets(True))
                intervals = await self._ask(lambda client: client.fetch_funding_intervals())
                self._listing = _understood(lambda: _listing(markets, intervals))
                self._listed_at = time.monotonic()
            return self._listing

    async def _page(self, market: str, seconds: int, first: int) -> list[Row]:
        """Rows of one market from `first` on, as many as there are."""
        rows: list[Row] = []
        if first > time.time() - _SKEW:
            return rows
        for _ in range(_MOST_PAGES):
            async with self._gate:
                page = await self._ask(partial(_candle_page, market, _TIMEFRAMES[seconds], first))
            if not page and not rows:
                raise Unavailable(f"Binance gave no bars of {market}.")  # the unfinished one is always there
            rows += _understood(partial(_rows, page))
            if len(page) < _PAGE:
                return rows
            first = rows[-1][0] + seconds
        return rows

    async def _ask(self, call: Callable[[Any], Awaitable[Any]]) -> Any:
        """One call through ccxt. Raises Unavailable for whatever goes wrong: an answer that ccxt stumbles over may
        surface as almost any exception."""
        if time.monotonic() < self._closed_until:
            raise Unavailable("Binance asked to be left alone for a while.")
        client = await self._opened()
        try:
            return await call(client)
        except self._refusals as error:
            self._closed_until = time.monotonic() + _retry_after(client)
            raise Unavailable("Binance asks for fewer requests.") from error
        except self._failures as error:
            raise Unavailable(f"Binance cannot be read: {type(error).__name__}.") from error

    async def _opened(self) -> Any:
        if self._client is None:
            ccxt, strict = await asyncio.to_thread(_strict_ccxt)  # takes up to seconds the first time
            options: dict[str, Any] = {
                "timeout": _TIMEOUT_MS,
                "options": {"fetchMarkets": {"types": ["spot", "linear"]}},
            }
            if self._session is not None:
                options["session"] = self._session
            self._failures = (ccxt.BaseError, aiohttp.ClientError, *_STUMBLES)
            self._refusals = (ccxt.DDoSProtection, ccxt.RateLimitExceeded)
            self._client = strict(options)
            self._client.has["fetchCurrencies"] = False
        return self._client


def _strict_ccxt() -> tuple[Any, Any]:
    """ccxt and its Binance, made to refuse an answer that is not JSON: by itself it takes one for an empty list."""
    import ccxt.async_support  # type: ignore[import-untyped]

    class StrictBinance(ccxt.async_support.binance):  # type: ignore[misc]
        def handle_errors(self, code: int, *rest: Any) -> Any:
            answer = rest[5]  # reason, url, method, headers, body, response, ...
            if code == 200 and answer is None:
                raise ccxt.async_support.BadResponse("binance answered something that is not JSON")
            return super().handle_errors(code, *rest)

    return ccxt.async_support, StrictBinance


def _understood(read: Callable[[], T]) -> T:
    """What `read` makes of an answer. Raises Unavailable when it makes nothing of it."""
    try:
        return read()
    except _STUMBLES as error:
        raise Unavailable("Binance answered something that cannot be read.") from error


def _listing(markets: Mapping[str, Any], intervals: Mapping[str, Any]) -> _Listing:
    contracts, pairs = {}, {}
    for symbol, market in markets.items():
        if market["spot"] and market["quote"] == "USDT" and market["active"]:
            pairs[market["base"]] = symbol
        elif market["swap"] and market["linear"] and market["settle"] == "USDT" and market["active"]:
            contracts[symbol] = _contract(market)
    if "BTC" not in pairs or not contracts:
        raise BadInput("no Bitcoin, or no contract at all")
    hours = {
        symbol: int(item["interval"].removesuffix("h"))
        for symbol, item in intervals.items()
        if item["interval"]
    }
    return _Listing(contracts, pairs, hours)


def _contract(market: Mapping[str, Any]) -> Contract:
    info, limits, lot = market["info"], market["limits"], decimal(market["precision"]["amount"])
    return Contract(
        symbol=market["symbol"],
        base=market["base"],
        quote=market["quote"],
        settle=market["settle"],
        linear=True,
        contract_size=decimal(market["contractSize"]),
        lot=lot,
        tick=decimal(market["precision"]["price"]),
        min_amount=decimal(limits["amount"]["min"] or lot),
        min_notional=decimal(limits["cost"]["min"] or 0),
        taker_fee=decimal(market["taker"]),
        maker_fee=decimal(market["maker"]),
        maintenance_margin_rate=decimal(info["maintMarginPercent"]) / 100,
        max_leverage=int(100 / decimal(info["requiredMarginPercent"])),
    )


def _snapshot(
    listing: _Listing, last: Mapping[str, Any], touch: Mapping[str, Any], marks: Mapping[str, Any]
) -> Snapshot:
    spot = {
        asset: price
        for asset, pair in listing.pairs.items()
        if pair in last and (price := decimal(last[pair]["price"])) > 0
    }
    quotes: dict[str, Quote] = {}
    funding: dict[str, Funding] = {}
    for symbol, contract in listing.contracts.items():
        if symbol not in touch or symbol not in marks:
            continue
        quote = _quote(contract, touch[symbol], marks[symbol])
        if quote is not None:
            mark = marks[symbol]
            quotes[symbol] = quote
            funding[symbol] = Funding(
                symbol,
                decimal(mark["fundingRate"]),
                listing.intervals.get(symbol, 8),
                _time(mark["fundingTimestamp"]),
            )
    if "BTC" not in spot or not quotes:
        raise BadInput("no price of Bitcoin, or no quote at all")
    now = max(marks[symbol]["timestamp"] for symbol in quotes)
    contracts = {symbol: listing.contracts[symbol] for symbol in quotes}
    return Snapshot("binance", _time(now), {**spot, "USDT": Decimal(1)}, quotes, funding, contracts)


def _quote(contract: Contract, touch: Mapping[str, Any], mark: Mapping[str, Any]) -> Quote | None:
    """None for a book without two sides: a contract that is halted."""
    bid, ask, price, index = (
        decimal(value or 0) for value in (touch["bid"], touch["ask"], mark["markPrice"], mark["indexPrice"])
    )
    if min(bid, ask, price, index) <= 0:
        return None
    thinner = min(
        decimal(touch["bidVolume"] or 0) * bid * contract.contract_size,
        decimal(touch["askVolume"] or 0) * ask * contract.contract_size,
    )
    return Quote(contract.symbol, bid, ask, price, index, thinner * _TOUCHES_IN_DEPTH)


def _market(listing: _Listing, name: str) -> str | None:
    return name if name in listing.contracts else listing.pairs.get(name)


async def _funding_page(symbol: str, since_ms: int, client: Any) -> Any:
    query = {"symbol": client.market(symbol)["id"], "startTime": since_ms, "limit": _PAGE}
    return await client.fapiPublicGetFundingRate(query)  # raw: ccxt makes an empty list of what is none


async def _candle_page(market: str, timeframe: str, first: int, client: Any) -> Any:
    price = {"price": "mark"} if ":" in market else {}  # of a contract its marks, of a pair its trades
    return await client.fetch_ohlcv(market, timeframe, first * 1000, _PAGE, price)


def _settled(symbol: str, interval: int, page: Sequence[Mapping[str, Any]]) -> list[Funding]:
    if not isinstance(page, list):
        raise BadInput("no list of funding rates")
    return [
        Funding(symbol, decimal(row["fundingRate"]), interval, _time(int(row["fundingTime"]))) for row in page
    ]


def _rows(page: Sequence[Any]) -> list[Row]:
    return [_row(item) for item in page]


def _row(item: Sequence[Any]) -> Row:
    opened, high, low, close = int(item[0]) // 1000, float(item[2]), float(item[3]), float(item[4])
    if not all(math.isfinite(price) and price > 0 for price in (high, low, close)):
        raise BadInput("a bar without prices")
    return opened, close, high, low


def _retry_after(client: Any) -> float:
    """Seconds that the last answer asked to wait."""
    headers = {str(key).lower(): value for key, value in (client.last_response_headers or {}).items()}
    try:
        return min(max(float(headers["retry-after"]), 1.0), 3 * 86_400.0)
    except (KeyError, ValueError):
        return _BAN


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
