"""Telegram's limit, kept by counting: whatever is late, and however much."""

import asyncio
import random

import pytest

from bot.ports.traffic import MOST, Traffic
from tests.simulation.process.loop import run

ALLOWED = 30


class Telegram:
    """Counts a message at some moment between its call and its answer, and now and then keeps all of them waiting."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.counted: list[float] = []
        self.held_until = 0.0

    async def take(self) -> None:
        loop = asyncio.get_running_loop()
        if self.chance.random() < 0.02:
            self.held_until = loop.time() + self.chance.uniform(0.1, 1.5)
        await asyncio.sleep(max(self.held_until - loop.time(), 0) + self.chance.expovariate(1 / 0.02))
        self.counted.append(loop.time())
        await asyncio.sleep(self.chance.expovariate(1 / 0.02))

    def most_in_a_second(self) -> int:
        times = sorted(self.counted)
        return max(
            sum(t - 1 < other <= t for other in times[max(0, n - 99) : n + 1]) for n, t in enumerate(times)
        )


async def send_all(traffic: Traffic, telegram: Telegram, count: int, at_once: int) -> float:
    loop, left = asyncio.get_running_loop(), iter(range(count))

    async def sender() -> None:
        for _ in left:
            while (wait := traffic.wait()) > 0:  # noqa: ASYNC110 - it is time that has to pass
                await asyncio.sleep(wait)
            with traffic.sending():
                await telegram.take()

    began = loop.time()
    await asyncio.gather(*(sender() for _ in range(at_once)))
    return loop.time() - began


@pytest.mark.parametrize("seed", range(5))
def test_no_second_has_more_than_telegram_allows_though_calls_and_answers_are_held_up(seed: int) -> None:
    telegram = Telegram(seed)
    run(send_all(Traffic(), telegram, 600, at_once=12))
    assert len(telegram.counted) == 600
    assert telegram.most_in_a_second() <= ALLOWED


def test_when_nothing_is_late_nearly_all_that_is_allowed_is_used() -> None:
    telegram = Telegram(1)
    telegram.chance = NeverLate()
    seconds = run(send_all(Traffic(), telegram, 600, at_once=6))
    assert 0.9 * ALLOWED <= 600 / seconds <= ALLOWED


class NeverLate(random.Random):
    def random(self) -> float:
        return 1.0

    def expovariate(self, lambd: float = 1.0) -> float:
        return 0.001


def test_what_others_sent_in_the_last_second_is_counted_until_it_is_over() -> None:
    async def walk() -> None:
        traffic = Traffic()
        traffic.others([0.75] * MOST)  # three quarters of a second ago
        assert traffic.wait() == pytest.approx(0.25)
        traffic.others([0.75] * (MOST - 1))  # said anew: the first ones are not counted twice
        assert traffic.wait() == 0
        with traffic.sending():
            assert traffic.wait() == pytest.approx(0.25)
        await asyncio.sleep(0.3)
        assert traffic.wait() == 0

    run(walk())


def test_ids_that_were_seen_are_known_and_the_oldest_forgotten() -> None:
    traffic = Traffic()
    for one in (7, 9, 8):
        traffic.saw(one)
    assert (traffic.latest, traffic.seen(after=7), traffic.has_seen(8), traffic.has_seen(None)) == (
        9,
        {8, 9},
        True,
        False,
    )
    for one in range(10_000, 16_000):
        traffic.saw(one)
    assert not traffic.has_seen(8)
    assert traffic.has_seen(15_999)
