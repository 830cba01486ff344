"""The stand-ins speak as the real exchanges were recorded: every field that a recording has and ccxt reads is in their
answers too, of the same type."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yarl

from bot.exchange.ccxt_wire import Door, calls_noted
from bot.ports.records import Account
from bot.sandbox.market import open_world
from tests.exchange.venues import KEY, Venue, loopback_venue
from tests.shared import shared_path

SOL, BTC = "SOL/USDT:USDT", "BTC/USDT:USDT"
SINCE = 1_600_000_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """`call` makes ccxt ask for `path`; `recording` is what the real exchange answered to it."""

    exchange: str
    recording: str
    path: str
    call: Callable[[Any], Awaitable[object]]


def _swap(client: Any) -> Any:
    return client.fetch_positions(
        None, {"subType": "linear", "settleCoin": "USDT"} if client.id == "bybit" else {}
    )


def _markets(client: Any) -> Any:
    return client.fetch_markets()


_B, _F = "binance/http/http_futures_", "/fapi/v1/"
_X, _Y = "bingx/Endpoints/PerpetualFutures/", "/openApi/swap/"
_M, _N = "mexc/Endpoints/FuturesApi/", "/api/v1/"
_W, _V = "weex/Endpoints/Futures/", "/capi/v3/"
_Z = "bybit/http_get_"

CASES = [
    Case("binance", f"{_B}market_exchange_info.json", f"{_F}exchangeInfo", _markets),
    Case("binance", "binance/http/http_spot_market_exchange_info.json", "/api/v3/exchangeInfo", _markets),
    Case("binance", f"{_B}market_premium_index.json", f"{_F}premiumIndex", lambda c: c.fetch_funding_rate(BTC)),
    Case("binance", f"{_B}market_book_ticker.json", f"{_F}ticker/bookTicker", lambda c: c.fetch_bids_asks([BTC])),
    Case("binance", f"{_B}market_funding_rate.json", f"{_F}fundingRate", lambda c: c.fetch_funding_rate_history(BTC)),
    Case("binance", f"{_B}market_klines.json", f"{_F}klines", lambda c: c.fetch_ohlcv(BTC, "1h")),
    Case("binance", f"{_B}market_mark_price_klines.json", f"{_F}markPriceKlines",
         lambda c: c.fetch_ohlcv(BTC, "1h", None, None, {"price": "mark"})),
    Case("binance", f"{_B}market_open_interest.json", f"{_F}openInterest", lambda c: c.fetch_open_interest(BTC)),
    Case("binance", f"{_B}market_depth.json", f"{_F}depth", lambda c: c.fetch_order_book(BTC, 100)),
    Case("binance", f"{_B}account_position_side_dual.json", f"{_F}positionSide/dual",
         lambda c: c.fetch_position_mode(BTC)),
    Case("binance", f"{_B}account_symbol_config.json", f"{_F}symbolConfig", lambda c: c.fetch_margin_mode(BTC)),
    Case("binance", f"{_B}account_trades.json", f"{_F}userTrades", lambda c: c.fetch_my_trades(SOL)),
    Case("binance", "binance/futures_http/order_response.json", f"{_F}order",
         lambda c: c.fetch_order(None, SOL, {"clientOrderId": "hh-1"})),
    Case("binance", "binance/futures_http/account_info_v2.json", "/fapi/v3/account",
         lambda c: c.fetch_balance({"type": "swap", "subType": "linear"})),
    Case("bybit", f"{_Z}instruments_linear.json", "/v5/market/instruments-info", _markets),
    Case("bybit", f"{_Z}klines_linear.json", "/v5/market/kline", lambda c: c.fetch_ohlcv(BTC, "1h")),
    Case("bybit", f"{_Z}funding_history.json", "/v5/market/funding/history",
         lambda c: c.fetch_funding_rate_history(BTC)),
    Case("bybit", f"{_Z}orderbook.json", "/v5/market/orderbook", lambda c: c.fetch_order_book(BTC, 100)),
    Case("bybit", f"{_Z}positions.json", "/v5/position/list", _swap),
    Case("bybit", f"{_Z}orders_history.json", "/v5/order/history",
         lambda c: c.fetch_canceled_and_closed_orders(SOL, None, None, {"orderLinkId": "hh-1"})),
    Case("bybit", f"{_Z}orders_realtime.json", "/v5/order/realtime",
         lambda c: c.fetch_open_orders(SOL, None, None, {"orderLinkId": "hh-1"})),
    Case("bybit", f"{_Z}executions.json", "/v5/execution/list", lambda c: c.fetch_my_trades(SOL)),
    Case("bybit", f"{_Z}account_info.json", "/v5/account/info", lambda c: c.fetch_margin_mode(SOL)),
    Case("bybit", f"{_Z}user_query_api.json", "/v5/user/query-api", lambda c: c.privateGetV5UserQueryApi()),
    Case("bybit", f"{_Z}wallet_balance_with_spot_borrow.json", "/v5/account/wallet-balance",
         lambda c: c.fetch_balance({"type": "swap"})),
    Case("bingx", f"{_X}ExchangeData/GetContracts.txt", f"{_Y}v2/quote/contracts", _markets),
    Case("bingx", "bingx/Endpoints/Spot/ExchangeData/GetSymbols.txt", "/openApi/spot/v1/common/symbols", _markets),
    Case("bingx", "bingx/Endpoints/Spot/ExchangeData/GetBookPrice.txt", "/openApi/spot/v2/quote/bookTicker",
         lambda c: c.fetch_bids_asks(None, {"type": "spot"})),
    Case("bingx", f"{_X}ExchangeData/GetKlines.txt", f"{_Y}v3/quote/klines", lambda c: c.fetch_ohlcv(BTC, "1h")),
    Case("bingx", f"{_X}ExchangeData/GetFundingRateHistory.txt", f"{_Y}v2/quote/fundingRate",
         lambda c: c.fetch_funding_rate_history(BTC)),
    Case("bingx", f"{_X}ExchangeData/GetOpenInterest.txt", f"{_Y}v2/quote/openInterest",
         lambda c: c.fetch_open_interest(BTC)),
    Case("bingx", f"{_X}ExchangeData/GetOrderBook.txt", f"{_Y}v2/quote/depth", lambda c: c.fetch_order_book(BTC, 100)),
    Case("bingx", f"{_X}Trading/GetPositions.txt", f"{_Y}v2/user/positions", _swap),
    Case("bingx", f"{_X}Trading/GetUserTrades.txt", f"{_Y}v2/trade/allFillOrders",
         lambda c: c.fetch_my_trades(SOL, SINCE)),
    Case("bingx", f"{_X}Account/GetBalances.txt", f"{_Y}v3/user/balance", lambda c: c.fetch_balance()),
    Case("bingx", f"{_X}Account/GetPositionMode.txt", f"{_Y}v1/positionSide/dual",
         lambda c: c.fetch_position_mode(SOL)),
    Case("bingx", f"{_X}Account/GetMarginMode.txt", f"{_Y}v2/trade/marginType", lambda c: c.fetch_margin_mode(SOL)),
    Case("bingx", f"{_X}Account/GetIncomes.txt", f"{_Y}v2/user/income", lambda c: c.fetch_funding_history(SOL)),
    Case("mexc", f"{_M}ExchangeData/GetSymbols.txt", f"{_N}contract/detail", _markets),
    Case("mexc", f"{_M}ExchangeData/GetTickers.txt", f"{_N}contract/ticker",
         lambda c: c.fetch_tickers(None, {"type": "swap"})),
    Case("mexc", f"{_M}ExchangeData/GetFundingRateHistory.txt", f"{_N}contract/funding_rate/history",
         lambda c: c.fetch_funding_rate_history(BTC)),
    Case("mexc", "mexc/Endpoints/SpotApi/ExchangeData/GetBookPrices.txt", "/api/v3/ticker/bookTicker",
         lambda c: c.fetch_bids_asks(None, {"type": "spot"})),
    Case("mexc", "mexc/Endpoints/SpotApi/ExchangeData/GetKlines.txt", "/api/v3/klines",
         lambda c: c.fetch_ohlcv("BTC/USDT", "1h")),
    Case("mexc", "mexc/Endpoints/SpotApi/ExchangeData/GetExchangeInfo.txt", "/api/v3/exchangeInfo", _markets),
    Case("mexc", f"{_M}Trading/GetPositions.txt", f"{_N}private/position/open_positions", _swap),
    Case("mexc", f"{_M}Account/GetPositionMode.txt", f"{_N}private/position/position_mode",
         lambda c: c.fetch_position_mode(SOL)),
    Case("mexc", f"{_M}Account/GetBalances.txt", f"{_N}private/account/assets",
         lambda c: c.fetch_balance({"type": "swap"})),
    Case("mexc", f"{_M}Account/GetFundingHistory.txt", f"{_N}private/position/funding_records",
         lambda c: c.fetch_funding_history(SOL)),
    Case("weex", f"{_W}ExchangeData/GetExchangeInfo.txt", f"{_V}market/exchangeInfo", _markets),
    Case("weex", f"{_W}ExchangeData/GetBookTicker.txt", f"{_V}market/ticker/bookTicker",
         lambda c: c.fetch_bids_asks(None, {"type": "swap"})),
    Case("weex", f"{_W}ExchangeData/GetFundingRate.txt", f"{_V}market/premiumIndex", lambda c: c.fetch_funding_rates()),
    Case("weex", f"{_W}ExchangeData/GetFundingRateHistory.txt", f"{_V}market/fundingRate",
         lambda c: c.fetch_funding_rate_history(BTC)),
    Case("weex", f"{_W}ExchangeData/GetKlineHistory.txt", f"{_V}market/historyKlines",
         lambda c: c.fetch_ohlcv(BTC, "1h", 1_748_700_000_000, 5, {"historical": True})),
    Case("weex", f"{_W}ExchangeData/GetIndexPriceKlines.txt", f"{_V}market/indexPriceKlines",
         lambda c: c.fetch_ohlcv(BTC, "1h", None, 5, {"price": "INDEX"})),
    Case("weex", f"{_W}ExchangeData/GetMarkPriceKlines.txt", f"{_V}market/markPriceKlines",
         lambda c: c.fetch_ohlcv(BTC, "1h", None, 5, {"price": "MARK"})),
    Case("weex", f"{_W}ExchangeData/GetOpenInterest.txt", f"{_V}market/openInterest",
         lambda c: c.fetch_open_interest(BTC)),
    Case("weex", f"{_W}ExchangeData/GetOrderBook.txt", f"{_V}market/depth", lambda c: c.fetch_order_book(BTC, 100)),
    Case("weex", "weex/Endpoints/Spot/ExchangeData/GetExchangeInfo.txt", "/api/v3/exchangeInfo", _markets),
    Case("weex", f"{_W}Trading/GetPositions.txt", f"{_V}account/position/allPosition", _swap),
    Case("weex", f"{_W}Trading/GetOrderHistory.txt", f"{_V}order/history",
         lambda c: c.fetch_canceled_and_closed_orders(SOL)),
    Case("weex", f"{_W}Trading/GetUserTrades.txt", f"{_V}userTrades", lambda c: c.fetch_my_trades(SOL)),
    Case("weex", f"{_W}Account/GetBalances.txt", f"{_V}account/balance", lambda c: c.fetch_balance({"type": "swap"})),
    Case("weex", f"{_W}Account/GetSymbolConfig.txt", f"{_V}account/symbolConfig", lambda c: c.fetch_margin_mode(SOL)),
]  # fmt: skip


class Read(dict[str, Any]):
    """A recorded object that notes which of its fields are looked at."""

    def __init__(self, fields: dict[str, Any], path: str, seen: set[str]) -> None:
        super().__init__({name: tracked(value, f"{path}.{name}", seen) for name, value in fields.items()})
        self._path, self._seen = path, seen

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        self._seen.add(f"{self._path}.{name}")
        return value

    def __contains__(self, name: object) -> bool:
        inside = super().__contains__(name)
        if inside:
            self._seen.add(f"{self._path}.{name}")
        return inside


def tracked(value: Any, path: str, seen: set[str]) -> Any:
    if isinstance(value, dict):
        return Read(value, path, seen)
    if isinstance(value, list):
        return [tracked(item, f"{path}[]", seen) for item in value]
    return value


def types_of(value: Any, path: str, found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Every path of an answer with the types that stand there."""
    kind = {str: "text", bool: "truth", int: "number", float: "number", list: "list", dict: "object"}.get(
        type(value)
    )
    found.setdefault(path, set()).add(kind or "null")
    for name, item in value.items() if isinstance(value, dict) else ():
        types_of(item, f"{path}.{name}", found)
    for item in value if isinstance(value, list) else ():
        types_of(item, f"{path}[]", found)
    return found


def recorded(name: str) -> Any:
    path: Path = shared_path(f"exchanges/{name}")
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".txt":  # method, path and signature first
        text = text.split("\n", 3)[3]
    return json.loads(re.sub(r",(\s*[}\]])", r"\1", text))


class Replay:
    """A client's way out, but for one path, to which the recording answers."""

    def __init__(self, door: Door, path: str, body: str) -> None:
        self._door, self._path, self._body, self.used = door, path, body, False
        self.headers: dict[str, str] = {}

    def __getattr__(self, method: str) -> Any:
        def request(url: yarl.URL, **arguments: Any) -> Any:
            if url.path == self._path:
                self.used = True
                return _Recorded(self._body)
            return getattr(self._door, method)(url, **arguments)

        return request


class _Recorded:
    status, reason = 200, "OK"

    def __init__(self, body: str) -> None:
        self._body, self.headers = body, {"Content-Type": "application/json"}

    async def __aenter__(self) -> "_Recorded":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def text(self, errors: str = "strict") -> str:
        return self._body


async def trading(venue: Venue) -> Any:
    """An account that has traded, is short and was paid funding; its ccxt client."""
    account = Account(1, 1, venue.name, "live")
    await venue.live.place(account, venue.order("hh-1", SOL, "10"))
    venue.world.skip("9h")
    await venue.live.positions(account)
    assert venue.loopback.desk.traders[KEY.format(1)].funding
    return await venue.live._clients.private(account)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.exchange} {Path(case.recording).stem}")
async def test_a_stand_in_has_what_was_recorded_and_ccxt_reads(case: Case, tmp_path: Path) -> None:
    recording = recorded(case.recording)
    world = open_world(tmp_path / "market", today=datetime(2025, 6, 1, 9, tzinfo=UTC), speed=0)
    async with loopback_venue(case.exchange, world) as venue:
        client = await trading(venue)
        with calls_noted() as calls:
            await case.call(client)
        answers = [call.json() for call in calls if call.path == case.path]
        seen: set[str] = set()
        client.session = replay = Replay(client.session, case.path, json.dumps(recording))
        parse = client.parse_json
        client.parse_json = lambda text: tracked(parse(text), "", seen) if replay.used else parse(text)
        await case.call(client)
        client.session = None

    assert replay.used, "ccxt did not ask for it"
    spoken = types_of(answers[0], "", {})
    for answer in answers[1:]:
        types_of(answer, "", spoken)
    wanted = types_of(recording, "", {})
    missing = {}
    inside = {
        path for path in wanted if path.endswith("[]") and (path.rstrip("[]") in seen or path[0] == "[")
    }
    for path in {"", *seen, *inside}:
        kinds = wanted.get(path, set()) - {"null"}
        if kinds and not kinds & spoken.get(path, set()):
            missing[path] = (sorted(kinds), sorted(spoken.get(path, set())))
    assert not missing, "recorded and read by ccxt, but the stand-in has (path: (recorded, spoken))"
    assert seen or isinstance(recording, list), "ccxt read nothing of the recording"
