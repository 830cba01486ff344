"""Past prices: kept once, extended by the longer version, forgotten when they are old."""

import asyncio

from bot.ports.store import CandleChunk, Store

HOUR = 3600


def chunk(name: str, start: int, count: int) -> CandleChunk:
    return CandleChunk(name, start, count, bytes([count % 256]) * count * 24)


async def test_what_was_kept_is_told_ascending_and_of_those_series_alone(store: Store) -> None:
    kept = [chunk("BTC", 48 * HOUR, 3), chunk("ETH", 0, 48), chunk("BTC", 0, 48)]
    await store.keep_candles("binance", HOUR, kept)
    await store.keep_candles("binance", 60, [chunk("BTC", 0, 7)])
    await store.keep_candles("bybit", HOUR, [chunk("BTC", 0, 9)])
    assert await store.candles("binance", HOUR, ["BTC"], since=0) == [kept[2], kept[0]]
    assert await store.candles("binance", HOUR, ["BTC", "ETH"], since=1) == [kept[0]]
    assert await store.candles("mexc", HOUR, ["BTC"], since=0) == []
    assert await store.candles("binance", HOUR, [], since=0) == []


async def test_a_longer_version_takes_the_place_of_a_shorter_one_and_never_the_other_way(
    store: Store,
) -> None:
    short, long = chunk("BTC", 0, 3), chunk("BTC", 0, 5)
    for given, stands in ((short, short), (long, long), (short, long), (long, long)):
        await store.keep_candles("binance", HOUR, [given])
        assert await store.candles("binance", HOUR, ["BTC"], since=0) == [stands]


async def test_two_that_write_the_same_at_once_leave_the_longer(store: Store) -> None:
    names = [f"COIN{n}" for n in range(1500)]
    versions = [[chunk(name, 0, count) for name in order] for count, order in ((4, names), (6, names[::-1]))]
    await asyncio.gather(*(store.keep_candles("binance", HOUR, version) for version in versions))
    told = await store.candles("binance", HOUR, names, since=0)
    assert {one.count for one in told} == {6}
    assert len(told) == 1500


async def test_what_is_old_is_forgotten_of_one_length_of_bar(store: Store) -> None:
    await store.keep_candles("binance", HOUR, [chunk("BTC", 0, 48), chunk("BTC", 48 * HOUR, 48)])
    await store.keep_candles("bybit", HOUR, [chunk("BTC", 0, 48)])
    await store.keep_candles("binance", 60, [chunk("BTC", 0, 48)])
    assert await store.forget_candles(HOUR, before=48 * HOUR) == 2
    assert [one.start for one in await store.candles("binance", HOUR, ["BTC"], since=0)] == [48 * HOUR]
    assert len(await store.candles("binance", 60, ["BTC"], since=0)) == 1
