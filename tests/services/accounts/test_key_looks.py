"""Keys looked at once a day: what ends or was taken away is told once at each stage, and not again after a restart."""

from datetime import timedelta

from bot.services.key_looks import days_left
from tests.services.accounts.conftest import ADA, Floor


async def connected(floor: Floor, name: str = "bybit", **flags: object) -> None:
    floor.open(name, **flags)  # type: ignore[arg-type]
    done = await floor.connect(name)
    await floor.services.accounts.use(ADA, done.account.id)


async def told(floor: Floor, **passed: float) -> list[tuple[str, object]]:
    """After so long and two ticks: kind and days of the alerts sent meanwhile."""
    floor.clock.pass_(**passed)
    floor.notifier.told.clear()
    for _ in range(2):
        floor.clock.pass_(seconds=60)
        await floor.services.watch.check()
        await floor.services.watch.keys.refresh()
        await floor.services.delivery.sweep()
    sent = [item.payload for item in floor.notifier.told if item.kind == "alert"]
    return [(one["kind"], one.get("days", one.get("lost"))) for one in sent]


async def test_the_end_of_a_key_is_told_at_14_7_and_1_days_once_each(floor: Floor) -> None:
    await connected(floor, expires=floor.clock.now() + timedelta(days=15, hours=12), address_list=False)
    assert await told(floor) == []
    assert await told(floor, days=2) == [("key_expiring", 14)]
    assert await told(floor, days=1) == []
    assert await told(floor, days=6) == [("key_expiring", 7)]
    assert await told(floor, days=5.7) == [("key_expiring", 1)]


async def test_after_missed_days_only_the_nearest_stage_is_told(floor: Floor) -> None:
    await connected(floor, expires=floor.clock.now() + timedelta(days=15, hours=12), address_list=False)
    assert await told(floor, days=10) == [("key_expiring", 6)]


async def test_a_restart_neither_asks_nor_tells_again(floor: Floor) -> None:
    await connected(floor, expires=floor.clock.now() + timedelta(days=9), address_list=False)
    assert await told(floor, hours=1) == [("key_expiring", 9)]
    asked = floor.venue("bybit").calls["permissions"]
    floor.exchanges.close()
    floor.start()
    assert await told(floor, hours=1) == []
    assert floor.venue("bybit").calls["permissions"] == asked == 1


async def test_rights_that_are_taken_away_are_told_on_the_next_day(floor: Floor) -> None:
    await connected(floor, "binance")
    floor.venue("binance").desk.traders["key-1"].can_trade = False
    assert await told(floor, hours=25) == [("key_rights", "trading")]
    assert await told(floor, hours=25) == []


async def test_an_address_list_that_is_taken_away_is_told(floor: Floor) -> None:
    await connected(floor, "bingx")
    floor.venue("bingx").desk.traders["key-1"].address_list = False
    assert await told(floor, hours=25) == [("key_rights", "addresses")]


async def test_an_exchange_that_does_not_answer_is_asked_an_hour_later_and_nothing_is_forgotten(
    floor: Floor,
) -> None:
    await connected(floor, expires=floor.clock.now() + timedelta(days=30), address_list=False)
    floor.clock.pass_(hours=25)
    floor.venue("bybit").faults.add(kind="html", on="permissions", status=502, times=9)
    await floor.services.watch.keys.refresh()
    asked = floor.venue("bybit").calls["permissions"]
    await floor.services.watch.keys.refresh()
    assert floor.venue("bybit").calls["permissions"] == asked
    ((_, look),) = await floor.store.key_looks()
    assert look is not None and days_left(look, floor.clock.now()) == 29
    floor.clock.pass_(minutes=61)
    await floor.services.watch.keys.refresh()
    assert floor.venue("bybit").calls["permissions"] > asked


async def test_a_clock_that_steps_back_and_forth_tells_no_stage_twice_and_still_looks(floor: Floor) -> None:
    await connected(floor, expires=floor.clock.now() + timedelta(days=7), address_list=False)
    assert await told(floor, hours=1) == [("key_expiring", 7)]
    for days in (5, 20):
        assert await told(floor, days=-days) == []
        assert await told(floor, days=days) == []
    asked = floor.venue("bybit").calls["permissions"]
    await told(floor, days=-3)
    assert floor.venue("bybit").calls["permissions"] == asked + 1, "a look that lies ahead counts for none"
