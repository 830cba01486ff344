"""Exchanges that ask for a pause, are in maintenance or hang, each on its own wire: who is held back, who is served,
and what a caller is told. Faults 17, 18, 19 and 34 of ../shared/FAULTS.md."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from bot.ports.errors import Ambiguous, Rejected, Unavailable
from bot.ports.records import Account
from bot.sandbox.exchanges import VENUES
from bot.sandbox.market import World
from tests.exchange.answers import PAGE, refusal
from tests.exchange.venues import KEY, PASSPHRASE, SECRET, Venue, loopback_venue

SOL = "SOL/USDT:USDT"

# Status, body and headers with which an exchange asks to be spared, and whom it means.
ADDRESS: list[tuple[str, int, str, dict[str, str], float]] = [
    ("binance", 429, json.dumps({"code": -1003, "msg": "Too many requests"}), {"Retry-After": "7"}, 7),
    ("binance", 418, json.dumps({"code": -1003, "msg": "IP banned until {in 90 s}."}), {}, 90),
    ("binance", 418, "{}", {}, 120),
    ("binance", 403, PAGE, {}, 300),
    ("bybit", *refusal("bybit", 10018), {}, 10),
    ("bybit", *refusal("bybit", 10429), {}, 10),
    ("bybit", 403, PAGE, {}, 600),
    ("bybit", 429, "{}", {"Retry-After": "33"}, 33),
    ("bingx", *refusal("bingx", 429), {}, 10),
    ("bingx", *refusal("bingx", 418), {}, 120),
    ("bingx", 429, "", {}, 10),
    ("mexc", *refusal("mexc", 510), {}, 10),
    ("mexc", 429, PAGE, {"Retry-After": "20"}, 20),
    ("weex", 429, "{}", {}, 10),
    ("weex", 403, PAGE, {"Retry-After": "60"}, 60),
]
ONE_KEY: list[tuple[str, int, str, dict[str, str], float]] = [
    ("binance", 429, json.dumps({"code": -1015, "msg": "Too many new orders"}), {}, 5),
    ("bybit", *refusal("bybit", 10006), {}, 5),
    ("bybit", *refusal("bybit", 10006), {"X-Bapi-Limit-Reset-Timestamp": "{in 8 s}"}, 8),
    ("bingx", *refusal("bingx", 100410, "disabled period, unblocked after {in 40 s}"), {}, 40),
]
_NAMES = ["live", "status", "body", "headers", "seconds"]


def dated(live: Venue, text: str) -> str:
    """`{in 90 s}` as an instant in milliseconds."""
    for seconds in (8, 40, 90):
        stamp = int((live.clock.now() + timedelta(seconds=seconds)).timestamp() * 1000)
        text = text.replace(f"{{in {seconds} s}}", str(stamp))
    return text


def account(live: Venue, number: int = 1) -> Account:
    return Account(number, number, live.name, "live")


async def warm(live: Venue) -> None:
    """The contracts are loaded."""
    for number in (1, 2):
        await live.live.balance(account(live, number))
    live.clock.pass_(seconds=1)


def calls(live: Venue) -> int:
    assert live.wire.counts.total() >= live.loopback.calls.total()
    return int(live.loopback.calls.total())


@pytest.mark.parametrize(_NAMES, ADDRESS, indirect=["live"])
async def test_fault_17_a_pause_for_the_address_keeps_everybody_away(
    live: Venue, status: int, body: str, headers: dict[str, str], seconds: float
) -> None:
    await warm(live)
    live.loopback.faults.add("answer", on="*", status=status, body=dated(live, body), headers=headers)
    with pytest.raises(Unavailable):
        await live.live.balance(account(live))
    before = calls(live)
    host = next(host for host in live.wire.gate.until if live.wire.gate.left(host))
    assert live.wire.gate.left(host) == pytest.approx(seconds, abs=1)
    for number in (1, 2):
        with pytest.raises(Unavailable, match="asks this bot to wait until"):
            await live.live.balance(account(live, number))
    with pytest.raises(Rejected, match="Nothing was sent") as refused:
        await live.live.place(account(live, 2), live.order("hh-1", SOL, "1"))
    assert refused.value.code == "unavailable"
    assert calls(live) == before, "somebody called during the pause"
    live.clock.pass_(seconds=seconds + 1)
    assert (await live.live.place(account(live, 2), live.order("hh-1", SOL, "1"))).status == "filled"


@pytest.mark.parametrize(_NAMES, ONE_KEY, indirect=["live"])
async def test_fault_17_a_pause_for_one_key_keeps_only_its_owner_away(
    live: Venue, status: int, body: str, headers: dict[str, str], seconds: float
) -> None:
    await warm(live)
    named = {name: dated(live, value) for name, value in headers.items()}
    live.loopback.faults.add("answer", on="*", status=status, body=dated(live, body), headers=named)
    with pytest.raises(Unavailable):
        await live.live.balance(account(live))
    before = calls(live)
    with pytest.raises(Unavailable, match="this account to wait"):
        await live.live.balance(account(live))
    assert calls(live) == before
    assert (await live.live.balance(account(live, 2))).equity > 0
    live.clock.pass_(seconds=seconds - 1)
    with pytest.raises(Unavailable):
        await live.live.balance(account(live))
    live.clock.pass_(seconds=2)
    assert (await live.live.balance(account(live))).equity > 0


@pytest.mark.parametrize("live", ["binance"], indirect=True)
async def test_fault_17_an_allowance_that_is_nearly_used_is_not_used_up(live: Venue) -> None:
    """By the exchange's own count, which knows of other processes behind the same address."""
    await warm(live)
    live.loopback.faults.add("answer", on="quotes", body="[]", headers={"X-MBX-USED-WEIGHT-1M": "2300"})
    with pytest.raises(Unavailable):
        await live.feed.snapshot()
    before = calls(live)
    with pytest.raises(Unavailable, match="asks this bot to wait"):
        await live.live.positions(account(live))
    assert calls(live) == before
    live.clock.pass_(seconds=61)
    assert await live.live.positions(account(live)) == []


async def test_a_ban_is_told_as_a_pause_with_its_end(live: Venue) -> None:
    await warm(live)
    health = live.feed.health
    assert health.state == "up"
    live.loopback.faults.add("ban", on="*", status=418, retry_after=3600)
    with pytest.raises(Unavailable):
        await live.live.balance(account(live))
    health = live.feed.health
    assert (health.state, health.since) == ("paused", live.clock.now())
    assert health.next_try == live.clock.now() + timedelta(hours=1)
    assert "asks this bot to wait until" in health.sentence


def in_maintenance(live: Venue) -> None:
    shapes: dict[str, tuple[int, str]] = {
        "binance": refusal("binance", -1016),
        "bybit": (503, "<html><body>Bybit is under scheduled maintenance</body></html>"),
        "bingx": (503, json.dumps({"code": 100503, "msg": "system maintenance"})),
        "mexc": refusal("mexc", 801),
        "weex": (502, "<html><body>Maintenance</body></html>"),
    }
    status, body = shapes[live.name]
    live.loopback.faults.add("answer", on="*", times=100_000, status=status, body=body)


async def test_fault_19_maintenance_is_noticed_at_once_and_the_exchange_left_alone(live: Venue) -> None:
    await warm(live)
    in_maintenance(live)
    with pytest.raises(Unavailable):
        await live.live.balance(account(live))
    health, begun = live.feed.health, live.clock.now()
    assert (health.state, health.since) == ("maintenance", begun)
    title = {"bingx": "BingX", "mexc": "MEXC", "weex": "WEEX"}.get(live.name, live.name.title())
    assert health.sentence == f"{title} is in maintenance since {begun:%H:%M} UTC."

    before = calls(live)
    with pytest.raises(Unavailable, match="is in maintenance since"):
        await live.live.positions(account(live, 2))
    with pytest.raises(Unavailable):
        await live.live.find_order(account(live), SOL, "hh-unknown")
    with pytest.raises(Rejected, match=r"Nothing was sent: .* maintenance") as refused:
        await live.live.place(account(live), live.order("hh-1", SOL, "1"))
    assert refused.value.code == "unavailable"
    assert calls(live) == before

    for _ in range(60):  # an hour of ticks by two accounts
        live.clock.pass_(minutes=1)
        for number in (1, 2):
            with pytest.raises(Unavailable):
                await live.live.balance(account(live, number))
    assert calls(live) - before <= 2 * (6 + 12), "about one try in five minutes"
    assert live.feed.health.since == begun


async def test_fault_19_the_look_up_of_an_unknown_order_tries_and_finds_it_back(live: Venue) -> None:
    """An order that was sent into the beginning of a maintenance is unknown, not refused; it is looked up as soon as
    somebody answers, and nothing is sent before."""
    await warm(live)
    page = "<html><body>under maintenance</body></html>"
    live.loopback.faults.add("answer", on="order", after=True, status=503, body=page)
    order = live.order("hh-1", SOL, "1")
    with pytest.raises(Ambiguous):
        await live.live.place(account(live), order)
    in_maintenance(live)
    with pytest.raises(Unavailable):
        await live.live.find_order(account(live), SOL, "hh-1")
    live.loopback.faults.clear()
    orders = live.loopback.calls["order"]
    with pytest.raises(Rejected):
        await live.live.place(account(live), live.order("hh-2", SOL, "1"))
    live.clock.pass_(seconds=11)
    found = await live.live.find_order(account(live), SOL, "hh-1")
    assert found is not None and found.status == "filled"
    assert live.feed.health.state == "up"
    assert live.loopback.calls["order"] == orders


async def test_an_exchange_that_answers_nothing_is_down_and_up_again(live: Venue) -> None:
    await warm(live)
    begun = live.clock.now()
    live.loopback.faults.add("cut", on="*", times=100_000)
    for _ in range(4):
        for read in (live.feed.snapshot, lambda: live.live.balance(account(live))):
            with pytest.raises(Unavailable):
                await read()
        live.clock.pass_(seconds=30)
    health = live.feed.health
    assert health.state == "down"
    assert "has not answered since" in health.sentence
    assert health.since - begun < timedelta(seconds=5)
    assert REGISTRY.get_sample_value("hedgehog_exchange_circuit_open", {"exchange": live.name})
    failed = {"exchange": live.name, "outcome": "failed"}
    assert (REGISTRY.get_sample_value("hedgehog_exchange_calls_total", failed) or 0) > 3
    live.loopback.faults.clear()
    live.clock.pass_(minutes=6)
    assert SOL in (await live.feed.snapshot()).quotes
    assert (live.feed.health.state, live.feed.health.since) == ("up", live.clock.now())


async def test_a_contract_that_is_closed_is_not_taken_for_a_maintenance(live: Venue) -> None:
    await warm(live)
    live.loopback.desk.delist(SOL)
    for _ in range(6):
        with pytest.raises(Rejected):
            await live.live.place(account(live), live.order("hh-1", SOL, "1"))
        live.clock.pass_(seconds=20)
    assert live.feed.health.state == "up"


async def test_fault_18_many_with_a_wrong_clock_ask_for_the_time_once(live: Venue) -> None:
    for number in range(4, 24):
        open_account(live, number)
        await live.live.balance(account(live, number))
    asked = live.loopback.calls["time"]
    live.loopback.clock_ahead_ms = 30_000
    await asyncio.gather(*(live.live.balance(account(live, number)) for number in range(4, 24)))
    assert live.loopback.calls["time"] - asked == 1


def open_account(live: Venue, number: int) -> None:
    live.loopback.desk.open_account(*(part.format(number) for part in (KEY, SECRET, PASSPHRASE)))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "people"), [(name, 500 if name == "bybit" else 60) for name in VENUES])
async def test_fault_34_one_key_of_many_hangs_and_the_others_are_served(
    name: str, people: int, world: World
) -> None:
    async with loopback_venue(name, world, timeout=timedelta(seconds=60)) as live:
        numbers = range(1001, 1001 + people)
        for number in numbers:
            open_account(live, number)
        await live.live.balance(account(live, 1001))
        live.loopback.faults.add("hang", on="*", times=100_000, key=KEY.format(1001))
        async with asyncio.TaskGroup() as tasks:
            stuck = [tasks.create_task(_outcome(live, 1001)) for _ in range(50)]
            await asyncio.sleep(0.05)
            served = [tasks.create_task(_outcome(live, number)) for number in numbers[1:]]
            await asyncio.wait(served)
            assert {task.result() for task in served} == {"served"}
            assert not any(task.done() for task in stuck)
            assert live.feed.health.state == "up"
            on_the_way = live.loopback.calls.total()
            assert on_the_way < 5 * people + 60, "the one that hangs has a few calls under way, and not fifty"
            for task in stuck:
                task.cancel()


@pytest.mark.slow
async def test_candles_that_hang_do_not_keep_prices_waiting(live: Venue) -> None:
    await live.feed.snapshot()
    live.clock.pass_(seconds=1)
    live.loopback.faults.add("hang", on="candles", times=100_000, seconds=30)
    async with asyncio.TaskGroup() as tasks:
        since = live.world.now() - timedelta(days=2)
        stuck = [
            tasks.create_task(_history(live, coin, since))
            for coin in ("BTC", "ETH", "SOL", SOL, "ADA", "XRP")
        ]
        await asyncio.sleep(0.2)
        assert SOL in (await live.feed.snapshot()).quotes
        assert not any(task.done() for task in stuck)
        for task in stuck:
            task.cancel()


async def _history(live: Venue, coin: str, since: datetime) -> None:
    await live.feed.candles([coin], since=since)


async def _outcome(live: Venue, number: int) -> str:
    try:
        await live.live.balance(account(live, number))
    except Unavailable as failure:
        return str(failure)
    return "served"


async def test_the_hosts_that_are_counted_are_those_that_are_called(live: Venue) -> None:
    await warm(live)
    await live.feed.snapshot()
    await live.feed.candles(["SOL", SOL], since=live.world.now() - timedelta(hours=3))
    await live.feed.funding_since(SOL, live.world.now() - timedelta(days=1))
    await live.live.place(account(live), live.order("hh-1", SOL, "1"))
    await live.live.positions(account(live))
    await live.live.permissions(account(live))
    called = {call.partition(" ")[2].partition("/")[0] for call in live.wire.counts}
    guard: Any = live.live._clients.guard()
    assert set(guard._hosts) == called
