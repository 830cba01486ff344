"""Candles in the database over each exchange's own wire: asked for once, extended, and not asked for again after a
restart. Calls are counted where they arrive."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from bot.exchange.candles.kept import STRETCH, KeptCandles, prune
from bot.ports.errors import Unavailable
from bot.ports.exchange import Liquidity
from bot.ports.store import CandleChunk
from bot.sandbox.market import World
from bot.storage import SqlStore, open_store
from hedging.market import Candles, Funding, Snapshot
from tests.exchange.venues import Venue
from tests.fakes.clock import ManualClock
from tests.fakes.database import sqlite_address

HOUR = timedelta(hours=1)
BTC = "BTC/USDT:USDT"
COINS = ["BTC", "SOL", BTC, "USDT"]


def same(told: Candles, true: Candles) -> None:
    assert told.names == true.names
    np.testing.assert_array_equal(told.times, true.times)
    for mine, real in ((told.close, true.close), (told.high, true.high), (told.low, true.low)):
        assert mine is not None and real is not None
        np.testing.assert_allclose(mine, real, rtol=1e-9)


async def test_a_restart_asks_for_the_newest_bars_alone(live: Venue, world: World, store: SqlStore) -> None:
    since = world.now() - timedelta(days=60)
    first = KeptCandles(live.feed, store, live.clock)
    same(await first.candles(COINS, since=since), world.candles(COINS, since, HOUR))
    whole = live.loopback.calls["candles"]
    assert whole >= 3 * 1441 / 1500, "sixty days take more than one page on some exchanges"

    again = KeptCandles(live.feed, store, live.clock)
    same(await again.candles(COINS, since=since), world.candles(COINS, since, HOUR))
    assert live.loopback.calls["candles"] - whole == 3, "one short call for each series"
    assert live.wire.counts.total() > 0
    asked = live.loopback.asked["candles"].given
    assert int(asked.get("limit", 0)) <= 12 or live.name == "mexc"


async def test_many_who_ask_within_a_minute_cost_no_call(live: Venue, world: World, store: SqlStore) -> None:
    kept, since = KeptCandles(live.feed, store, live.clock), world.now() - timedelta(days=10)
    await kept.candles(COINS, since=since)
    calls, wire = live.loopback.calls["candles"], live.wire.counts.total()
    for days in range(1, 10):
        await kept.candles(COINS[: days % 3 + 1], since=world.now() - timedelta(days=days))
    assert (live.loopback.calls["candles"], live.wire.counts.total()) == (calls, wire)


async def test_hours_that_pass_are_added_and_an_unfinished_bar_is_read_again(
    live: Venue, world: World, store: SqlStore
) -> None:
    kept, since = KeptCandles(live.feed, store, live.clock), world.now() - timedelta(days=5)
    await kept.candles(["SOL"], since=since)
    for minutes in (20, 180, 49 * 60):
        world.skip(f"{minutes}m")
        live.clock.pass_(minutes=minutes)
        calls = live.loopback.calls["candles"]
        same(await kept.candles(["SOL"], since=since), world.candles(["SOL"], since, HOUR))
        assert live.loopback.calls["candles"] - calls == 1


async def test_an_earlier_beginning_is_asked_for_without_the_rest(
    live: Venue, world: World, store: SqlStore
) -> None:
    kept, late = KeptCandles(live.feed, store, live.clock), world.now() - timedelta(days=4)
    await kept.candles(["SOL"], since=late)
    early = late - timedelta(days=30)
    same(await kept.candles(["SOL"], since=early), world.candles(["SOL"], early, HOUR))
    calls = live.loopback.calls["candles"]
    await kept.candles(["SOL"], since=early)
    assert live.loopback.calls["candles"] == calls


class Ledgered:
    """A source that answers from a list of bars, and notes what it was asked."""

    name = "list"

    def __init__(self, bars: dict[int, float]) -> None:
        self.bars = bars
        self.asked: list[tuple[int, int | None]] = []
        self.away = False

    async def snapshot(self) -> Snapshot:
        raise NotImplementedError  # candles alone are kept: nothing else may be asked of their source

    async def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]:
        raise NotImplementedError

    async def liquidity(self, symbol: str) -> Liquidity:
        raise NotImplementedError

    async def candles(
        self, names: Sequence[str], *, since: datetime, bar: timedelta = HOUR, until: datetime | None = None
    ) -> Candles:
        if self.away:
            raise Unavailable("away")
        first = int(since.timestamp()) // 3600
        end = None if until is None else int(until.timestamp()) // 3600
        self.asked.append((first, end))
        told = {at: price for at, price in self.bars.items() if at >= first and (end is None or at < end)}
        hours = np.arange(first, max(told, default=first - 1) + 1)
        close = np.array([[told.get(int(at), np.nan)] * len(names) for at in hours]).reshape(
            len(hours), len(names)
        )
        return Candles(tuple(names), (hours * 3600).astype("datetime64[s]"), close, close + 1, close - 1)


def at(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)


def closes(candles: Candles) -> dict[int, float]:
    hours = candles.times.astype("datetime64[h]").astype(int)
    return {
        int(hour): float(close)
        for hour, close in zip(hours, candles.close[:, 0], strict=True)
        if np.isfinite(close)
    }


@pytest_asyncio.fixture
async def clock() -> AsyncIterator[ManualClock]:
    yield ManualClock()


async def test_holes_of_the_exchange_are_remembered(store: SqlStore, clock: ManualClock) -> None:
    """Listed late, and an hour without a trade: neither is asked for again."""
    bars = {hour: float(hour) for hour in range(200, 300) if hour != 250}
    source = Ledgered(bars)
    assert closes(await KeptCandles(source, store, clock).candles(["A"], since=at(100))) == bars
    assert source.asked == [(96, None)]
    told = await KeptCandles(source, store, clock).candles(["A"], since=at(100))
    assert source.asked[1:] == [(298, None)], "only the two latest bars are asked for again"
    assert closes(told) == bars


async def test_an_unfinished_bar_is_never_kept(store: SqlStore, clock: ManualClock) -> None:
    source = Ledgered(dict.fromkeys(range(96, 110), 1.0))
    kept = KeptCandles(source, store, clock)
    await kept.candles(["A"], since=at(96))
    source.bars |= {108: 7.0, 109: 8.0, 110: 9.0}
    clock.pass_(minutes=2)
    assert list(closes(await kept.candles(["A"], since=at(96))).values())[-4:] == [1.0, 7.0, 8.0, 9.0]


async def test_a_hole_is_believed_only_of_an_answer_that_tells_the_next_bar(
    store: SqlStore, clock: ManualClock
) -> None:
    """An exchange that answers nothing for a moment leaves no hole behind."""
    bars = {hour: float(hour) for hour in range(400)}
    source = Ledgered(bars)
    kept = KeptCandles(source, store, clock)
    await kept.candles(["A"], since=at(200))
    source.bars = {}
    await kept.candles(["A"], since=at(10))
    assert source.asked[-1] == (0, 193)
    source.bars = bars
    assert closes(await kept.candles(["A"], since=at(10))) == {hour: bars[hour] for hour in range(10, 400)}


async def test_a_gap_between_two_known_times_is_closed(store: SqlStore, clock: ManualClock) -> None:
    bars = {hour: float(hour) for hour in range(100)}
    source = Ledgered(bars)
    await KeptCandles(source, store, clock).candles(["A"], since=at(0))
    source.bars = bars = {hour: float(hour) for hour in range(1000)}
    later = KeptCandles(source, store, clock)
    await later.candles(["A"], since=at(900))
    assert closes(await later.candles(["A"], since=at(0))) == bars
    assert source.asked[1:] == [(864, None), (98, 865)]


async def test_two_replicas_write_the_same(store: SqlStore, tmp_path: Path, clock: ManualClock) -> None:
    source = Ledgered({hour: float(hour) for hour in range(300)})
    other = open_store(sqlite_address(tmp_path / "store.sqlite"))
    ahead, behind = KeptCandles(source, store, clock), KeptCandles(source, other, clock)
    await behind.candles(["A"], since=at(0))
    source.bars |= {hour: float(hour) for hour in range(300, 310)}
    await ahead.candles(["A"], since=at(0))
    await other.keep_candles("list", 3600, [CandleChunk("A", 6 * STRETCH * 3600, 1, bytes(24))])
    fresh = KeptCandles(source, other, clock)
    assert closes(await fresh.candles(["A"], since=at(0))) == source.bars
    await other.close()


async def test_prices_that_cannot_be_kept_serve_nevertheless(
    store: SqlStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(store, "keep_candles", full)
    source = Ledgered({hour: float(hour) for hour in range(60)})
    assert closes(await KeptCandles(source, store, clock).candles(["A"], since=at(0))) == source.bars


async def test_a_source_that_is_away_is_unavailable(store: SqlStore, clock: ManualClock) -> None:
    source = Ledgered({hour: float(hour) for hour in range(60)})
    source.away = True
    with pytest.raises(Unavailable):
        await KeptCandles(source, store, clock).candles(["A"], since=at(0))


async def test_what_nobody_looks_back_to_is_forgotten(store: SqlStore, clock: ManualClock) -> None:
    now = int(clock.now().timestamp()) // 3600
    source = Ledgered({hour: float(hour) for hour in range(now - 200 * 24, now)})
    kept = KeptCandles(source, store, clock)
    await kept.candles(["A"], since=at(now - 200 * 24))
    assert await prune(store, clock.now()) in (40, 41)  # eighty days of two hundred, two days each
    assert await prune(store, clock.now()) == 0
    asked = len(source.asked)
    await kept.candles(["A"], since=at(now - 100 * 24))
    assert len(source.asked) == asked
