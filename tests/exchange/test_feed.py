"""The market feed over the real ccxt, from a server on this machine that answers with Binance's recordings."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.exchange.ccxt_clients import Clients
from bot.exchange.ccxt_feed import CcxtFeed
from bot.exchange.ccxt_wire import Wire
from bot.exchange.dialects import DIALECTS
from bot.ports.errors import Unavailable
from tests.exchange.venues import credentials_of
from tests.fakes.clock import ManualClock
from tests.fakes.sandbox_server import serving

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
SPOT, FUTURES = "/api.binance.com/api/v3", "/fapi.binance.com/fapi/v1"
HOUR_MS = 3_600_000
NOW = datetime(2020, 8, 14, 2, 1, 35, 2000, tzinfo=UTC)  # of the recorded premium index


class Binance:
    """Answers by path; `answers[path]` puts another body, or a whole Response, in place of the recording's."""

    def __init__(self, folder: Path) -> None:
        def recording(name: str) -> Any:
            return json.loads((folder / "http" / f"http_{name}.json").read_text())

        book, premium = recording("futures_market_book_ticker"), recording("futures_market_premium_index")
        spot = recording("spot_market_book_ticker")
        eth = {"symbol": "ETHUSDT"}
        self.calls: Counter[str] = Counter()
        self.queries: list[tuple[str, dict[str, str]]] = []
        self.klines: dict[str, list[list[Any]]] = {}
        self.answers: dict[str, Any] = {
            f"{SPOT}/exchangeInfo": recording("spot_market_exchange_info"),
            f"{FUTURES}/exchangeInfo": recording("futures_market_exchange_info"),
            f"{FUTURES}/fundingInfo": [{"symbol": "ETHUSDT", "fundingIntervalHours": 4}],
            f"{SPOT}/ticker/bookTicker": [
                spot,
                spot | eth | {"bidPrice": "4000.4", "askPrice": "4000.6"},
                spot | {"symbol": "OTHERUSDT"},
            ],
            f"{FUTURES}/ticker/bookTicker": [book, book | eth | {"bidPrice": "390.10", "askPrice": "390.12"}],
            f"{FUTURES}/premiumIndex": [
                premium,
                premium | eth | {"markPrice": "390.11", "indexPrice": "390.0"},
            ],
            f"{FUTURES}/fundingRate": recording("futures_market_funding_rate"),
        }
        self.spot_klines = recording("spot_market_klines")
        self.mark_klines = recording("futures_market_mark_price_klines")

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        self.calls[path] += 1
        self.queries.append((path, dict(request.query_params)))
        if path in self.answers:
            answer = self.answers[path]
            return (
                answer
                if isinstance(answer, Response)
                else Response(json.dumps(answer), media_type="application/json")
            )
        if path.endswith("lines"):
            return Response(
                json.dumps(self._bars(path, request.query_params["symbol"], request)),
                media_type="application/json",
            )
        return Response(status_code=404)

    def _bars(self, path: str, symbol: str, request: Request) -> list[list[Any]]:
        recorded = self.mark_klines if "mark" in path else self.spot_klines
        rows = self.klines.get(symbol, recorded)
        start, limit = int(request.query_params["startTime"]), int(request.query_params["limit"])
        return [row for row in rows if row[0] >= start][:limit]


def hourly(first_ms: int, count: int) -> list[list[Any]]:
    """Bars in the recordings' form whose close is their number."""
    rows = []
    for n in range(count):
        opened = first_ms + n * HOUR_MS
        close = str(float(n + 1))
        rows.append(
            [opened, close, str(n + 2.5), "0.5", close, "1", opened + HOUR_MS - 1, "1", 1, "1", "1", "0"]
        )
    return rows


@pytest.fixture
def binance(shared_path: Callable[[str], Path]) -> Binance:
    return Binance(shared_path("exchanges/binance"))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@contextlib.asynccontextmanager
async def reading(address: str, clock: ManualClock) -> AsyncIterator[CcxtFeed]:
    wire = Wire(clock, loopback=address)
    clients = Clients(DIALECTS["binance"], wire, clock, credentials_of)
    try:
        yield CcxtFeed(DIALECTS["binance"], clients, clock)
    finally:
        clients.close()
        await wire.close()


@pytest_asyncio.fixture
async def address(binance: Binance) -> AsyncIterator[str]:
    app = Starlette(routes=[Route("/{path:path}", binance.answer, methods=["GET", "POST"])])
    async with serving(app) as address:
        yield address


@pytest_asyncio.fixture
async def feed(address: str, clock: ManualClock) -> AsyncIterator[CcxtFeed]:
    async with reading(address, clock) as feed:
        yield feed


async def test_a_snapshot_is_what_the_recordings_say(feed: CcxtFeed) -> None:
    snapshot = await feed.snapshot()
    contract, quote, funding = snapshot.contracts[BTC], snapshot.quotes[BTC], snapshot.funding[BTC]

    assert (snapshot.exchange, snapshot.time) == ("binance", NOW)
    assert snapshot.spot == {
        "BTC": D("60741.675"),  # the middle of the recorded quotes
        "ETH": D("4000.5"),
        "USDT": D(1),
        "USDC": D(1),
    }
    assert set(snapshot.quotes) == {BTC, ETH}  # not the quarterly
    assert (quote.bid, quote.ask) == (D("4.0"), D("4.000002"))
    assert (quote.mark, quote.index) == (D("11793.63104562"), D("11781.8049597"))
    assert quote.depth == D("9.0") * quote.mark * 10  # the ask is the thinner side
    assert (funding.rate, funding.interval_hours) == (D("0.00038246"), 8)
    assert funding.next_time == datetime(2020, 8, 14, 8, tzinfo=UTC)
    assert snapshot.funding[ETH].interval_hours == 4
    assert (contract.base, contract.settle, contract.linear, contract.contract_size) == (
        "BTC",
        "USDT",
        True,
        D(1),
    )
    assert (contract.lot, contract.tick, contract.min_amount) == (D("0.001"), D("0.1"), D("0.001"))
    assert (contract.min_notional, contract.maintenance_margin_rate) == (D(10), D("0.025"))
    assert contract.max_leverage == 20
    assert 0 < contract.maker_fee < contract.taker_fee < D("0.001")


async def test_a_snapshot_costs_three_calls_and_the_markets_are_read_once(
    feed: CcxtFeed, binance: Binance, clock: ManualClock
) -> None:
    await feed.snapshot()
    first = sum(binance.calls.values())
    clock.pass_(seconds=1)
    await feed.snapshot()
    assert sum(binance.calls.values()) - first == 3
    assert binance.calls[f"{FUTURES}/exchangeInfo"] == binance.calls[f"{SPOT}/exchangeInfo"] == 1


async def test_many_who_ask_at_once_share_one_read(feed: CcxtFeed, binance: Binance) -> None:
    snapshots = await asyncio.gather(*(feed.snapshot() for _ in range(20)))
    assert all(snapshot is snapshots[0] for snapshot in snapshots)
    assert binance.calls[f"{FUTURES}/premiumIndex"] == 1


async def test_a_halted_contract_has_no_quote_and_the_others_have(feed: CcxtFeed, binance: Binance) -> None:
    binance.answers[f"{FUTURES}/ticker/bookTicker"][1] |= {"bidPrice": "0.00", "bidQty": "0"}
    snapshot = await feed.snapshot()
    assert set(snapshot.quotes) == set(snapshot.funding) == {BTC}


async def test_recorded_candles_are_closes_highs_and_lows(feed: CcxtFeed) -> None:
    since = datetime(2021, 10, 22, 23, 3, tzinfo=UTC)
    candles = await feed.candles(["BTC", "USDT", "NOSUCH"], since=since, bar=timedelta(minutes=1))
    assert candles.names == ("BTC", "USDT", "NOSUCH")
    assert candles.times[0] == np.datetime64("2021-10-22T23:03:00")
    assert candles.close[0].tolist()[:2] == [60719.27, 1.0]
    assert candles.high is not None and candles.low is not None
    assert (candles.high[0, 0], candles.low[0, 0]) == (60729.84, 60670.9)
    assert np.isnan(candles.close[:, 2]).all()


async def test_a_contract_s_candles_are_its_marks(feed: CcxtFeed, binance: Binance) -> None:
    candles = await feed.candles(
        [BTC], since=datetime(2020, 6, 4, 7, 40, tzinfo=UTC), bar=timedelta(minutes=1)
    )
    assert binance.calls[f"{FUTURES}/markPriceKlines"] > 0
    assert candles.close[-1, 0] == 9653.07367333
    assert candles.times[-1] == np.datetime64("2020-06-04T07:41:00")


async def test_a_long_history_is_read_in_pages(feed: CcxtFeed, binance: Binance, clock: ManualClock) -> None:
    first = clock.now() - timedelta(hours=1500)
    binance.klines["BTCUSDT"] = hourly(int(first.timestamp() * 1000), 1500)
    candles = await feed.candles(["BTC"], since=first)
    np.testing.assert_array_equal(candles.close[:, 0], np.arange(1, 1501))
    assert binance.calls[f"{SPOT}/klines"] == 2

    again = await feed.candles(["BTC"], since=first + timedelta(hours=1490))
    np.testing.assert_array_equal(again.close[:, 0], np.arange(1491, 1501))
    assert binance.calls[f"{SPOT}/klines"] == 3
    assert binance.queries[-1][1]["limit"] == "12", "a short page costs less of the allowance"


async def test_a_page_that_lacks_a_bar_is_not_taken_for_the_last_one(
    feed: CcxtFeed, binance: Binance, clock: ManualClock
) -> None:
    first = clock.now() - timedelta(hours=2500)
    whole = hourly(int(first.timestamp() * 1000), 2500)
    binance.klines["BTCUSDT"] = whole[400:700] + whole[701:]
    close = (await feed.candles(["BTC"], since=first)).close[:, 0]
    assert np.flatnonzero(np.isnan(close)).tolist() == [*range(400), 700]
    assert len(close) == 2500


async def test_series_of_different_lengths_share_one_grid(
    feed: CcxtFeed, binance: Binance, clock: ManualClock
) -> None:
    first = clock.now() - timedelta(hours=10)
    start = int(first.timestamp() * 1000)
    binance.klines["BTCUSDT"] = hourly(start, 10)
    binance.klines["ETHUSDT"] = [row for n, row in enumerate(hourly(start + 3 * HOUR_MS, 7)) if n != 2]
    close = (await feed.candles(["BTC", "ETH"], since=first)).close
    assert close.shape == (10, 2)
    assert np.isnan(close[:, 1]).tolist() == [True] * 3 + [False, False, True, False, False, False, False]


async def test_recorded_funding_is_read_after_the_given_instant(feed: CcxtFeed) -> None:
    settled = await feed.funding_since(BTC, datetime(2019, 10, 9, 8, tzinfo=UTC))
    assert [(item.rate, item.next_time) for item in settled] == [
        (D("0.0001"), datetime(2019, 10, 9, 16, tzinfo=UTC))
    ]
    assert [item.rate for item in await feed.funding_since(BTC, datetime(2019, 10, 9, tzinfo=UTC))] == [
        D("-0.0375"),
        D("0.0001"),
    ]


NONSENSE: dict[str, Any] = {
    "HTML": Response("<html>maintenance</html>", media_type="text/html"),
    "empty": Response("", media_type="application/json"),
    "cut short": Response('[{"symbol": "BTCUSDT", "markPri', media_type="application/json"),
    "bare NaN": Response(
        '[{"symbol": "BTCUSDT", "price": NaN, "markPrice": NaN}]', media_type="application/json"
    ),
    "NaN as text": [
        {"symbol": "BTCUSDT", "price": "NaN", "markPrice": "NaN", "bidPrice": "NaN", "askPrice": "NaN"}
    ],
    "empty object": {},
    "null": None,
    "a code": {"code": -1001, "msg": "DISCONNECTED"},
    "502": Response(status_code=502),
    "500": Response("{}", status_code=500),
    "403": Response("{}", status_code=403),
    "302": Response(status_code=302, headers={"location": "/nowhere"}),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        f"{SPOT}/ticker/bookTicker",
        f"{FUTURES}/ticker/bookTicker",
        f"{FUTURES}/premiumIndex",
        f"{FUTURES}/exchangeInfo",
    ],
)
async def test_an_answer_that_is_none_makes_the_snapshot_unavailable_until_it_is_better(
    address: str, binance: Binance, clock: ManualClock, path: str
) -> None:
    good = binance.answers[path]
    for name, answer in {**NONSENSE, "empty list": []}.items():
        binance.answers[path] = answer
        async with reading(address, clock) as feed:
            with pytest.raises(Unavailable):
                pytest.fail(f"{name}: {await feed.snapshot()}")
            binance.answers[path] = good
            clock.pass_(minutes=20)
            assert BTC in (await feed.snapshot()).quotes


async def test_candles_and_funding_that_are_none_are_unavailable(
    feed: CcxtFeed, binance: Binance, clock: ManualClock
) -> None:
    since = clock.now() - timedelta(hours=5)
    opened = int(since.timestamp() * 1000)
    rate = {"symbol": "BTCUSDT", "fundingRate": "NaN", "fundingTime": opened}
    answers = {name: (answer, answer) for name, answer in NONSENSE.items()}
    for name, pair in {**answers, "NaN as text": ([[opened, *["NaN"] * 11]], [rate])}.items():
        binance.answers[f"{SPOT}/klines"], binance.answers[f"{FUTURES}/fundingRate"] = pair
        with pytest.raises(Unavailable):
            pytest.fail(f"{name}: {await feed.candles(['BTC'], since=since)}")
        with pytest.raises(Unavailable):
            pytest.fail(f"{name}: {await feed.funding_since(BTC, since)}")
        clock.pass_(minutes=20)


async def test_a_bar_without_a_price_is_unavailable(
    feed: CcxtFeed, binance: Binance, clock: ManualClock
) -> None:
    since = clock.now() - timedelta(hours=5)
    binance.klines["BTCUSDT"] = hourly(int(since.timestamp() * 1000), 5)
    for price in ("NaN", "0", "-1", "", None):
        binance.klines["BTCUSDT"][3][4] = price
        with pytest.raises(Unavailable):
            pytest.fail(f"{price}: {await feed.candles(['BTC'], since=since)}")


async def test_after_a_refusal_for_too_many_requests_binance_is_left_alone(
    feed: CcxtFeed, binance: Binance, clock: ManualClock
) -> None:
    await feed.snapshot()
    clock.pass_(seconds=1)
    banned = Response('{"code": -1003, "msg": "Way too many requests"}', 418, {"Retry-After": "120"})
    good, binance.answers[f"{FUTURES}/premiumIndex"] = binance.answers[f"{FUTURES}/premiumIndex"], banned
    with pytest.raises(Unavailable):
        await feed.snapshot()
    before = sum(binance.calls.values())
    with pytest.raises(Unavailable):
        await feed.candles([BTC], since=NOW)
    assert sum(binance.calls.values()) == before
    binance.answers[f"{FUTURES}/premiumIndex"] = good
    clock.pass_(seconds=121)
    assert BTC in (await feed.snapshot()).quotes


async def test_a_server_that_is_not_there_is_unavailable(clock: ManualClock) -> None:
    async with reading("http://127.0.0.1:9", clock) as feed:
        with pytest.raises(Unavailable):
            await feed.snapshot()


async def test_a_bar_that_nobody_has_is_unavailable(feed: CcxtFeed) -> None:
    for bar in (timedelta(minutes=7), timedelta(milliseconds=3_600_500)):
        with pytest.raises(Unavailable):
            await feed.candles(["BTC"], since=NOW, bar=bar)


async def test_what_is_not_listed_has_no_funding(feed: CcxtFeed) -> None:
    with pytest.raises(Unavailable, match="NOSUCH"):
        await feed.funding_since("NOSUCH/USDT:USDT", NOW)


async def test_many_who_ask_for_settled_funding_share_one_read(
    feed: CcxtFeed, binance: Binance, clock: ManualClock
) -> None:
    for hour in (9, 12, 15):
        await feed.funding_since(BTC, datetime(2019, 10, 9, hour, tzinfo=UTC))
    assert binance.calls[f"{FUTURES}/fundingRate"] == 1
    clock.pass_(minutes=2)
    await feed.funding_since(BTC, datetime(2019, 10, 9, 9, tzinfo=UTC))
    assert binance.calls[f"{FUTURES}/fundingRate"] == 2


def test_ccxt_is_not_imported_before_an_exchange_is_asked() -> None:
    """It takes 100 MB: whoever trades on paper over the sandbox's market does without."""
    code = """
import sys, bot.bootstrap, bot.clock, bot.exchange.exchanges as e, bot.exchange.ccxt_wire as w, bot.sandbox.feed as f
clock = bot.clock.SystemClock()
places = e.Exchanges(f.SandboxFeed('http://127.0.0.1:9'), None, w.Wire(clock), clock, None)
places.offers, places.home, places.feed('binance')
sys.exit('ccxt' in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
