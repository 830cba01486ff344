"""What is the paper exchange's own: lazy settlement along the marks, its state, and its store's failures."""

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.exchange.paper import PaperExchange
from bot.ports.errors import Ambiguous, Rejected, StaleVersion, Unavailable
from bot.ports.records import Account
from bot.ports.store import Store
from bot.sandbox.market import World
from tests.exchange.test_exchange_contract import BTC, COIN, SOL
from tests.exchange.venues import quoted as order
from tests.fakes.clock import ManualClock
from tests.fakes.world_feed import WorldFeed


@pytest.fixture
def paper(feed: WorldFeed, store: Store) -> PaperExchange:
    return PaperExchange(feed, store, ManualClock())


class BrokenStore:
    """A paper store whose saving fails in a chosen way: before or after the row is there."""

    def __init__(self, store: Store, failure: Exception, after: bool) -> None:
        self._store, self._failure, self._after = store, failure, after

    async def paper_account(self, account_id: int) -> tuple[Mapping[str, Any], int] | None:
        return await self._store.paper_account(account_id)

    async def paper_order(self, account_id: int, client_id: str) -> Mapping[str, Any] | None:
        return await self._store.paper_order(account_id, client_id)

    async def save_paper(
        self,
        account_id: int,
        state: Mapping[str, Any],
        *,
        version: int,
        order: tuple[str, str, Mapping[str, Any]] | None = None,
    ) -> None:
        if self._after:
            await self._store.save_paper(account_id, state, version=version, order=order)
        raise self._failure


async def test_a_new_account_has_100_000_usdt_and_no_coins(paper: PaperExchange, account: Account) -> None:
    assert (await paper.balance(account)).equity == D(100_000)


async def test_an_inverse_order_without_its_coin_is_refused_for_want_of_margin(
    paper: PaperExchange, account: Account, world: World
) -> None:
    with pytest.raises(Rejected) as refusal:
        await paper.place(account, order(world, "hh-1", COIN, "10"))
    assert refusal.value.code == "margin"


async def test_a_spike_that_has_passed_still_liquidates(
    paper: PaperExchange, account: Account, world: World
) -> None:
    await paper.set_leverage(account, BTC, 50)
    await paper.place(account, order(world, "hh-1", BTC, "20"))
    world.skip("20m")
    world.shock("rally", 0.2)
    world.skip("2m")
    world.shock("crash", 0.16)
    world.skip("2h")

    assert await paper.positions(account) == []
    (forced,) = await paper.forced_closes(account, BTC, world.now() - timedelta(days=1))
    assert (forced.symbol, forced.side, forced.contracts, forced.forced) == (BTC, "buy", D(20), "liquidation")
    assert (
        timedelta(minutes=15)
        < forced.time - world.now() + timedelta(hours=2, minutes=22)
        < timedelta(minutes=25)
    )
    lost = D(100_000) - (await paper.balance(account)).equity
    assert 0 < lost <= D(100_000)


async def test_a_spike_before_the_position_was_opened_does_not_liquidate(
    paper: PaperExchange, account: Account, world: World
) -> None:
    await paper.set_leverage(account, BTC, 10)
    world.skip("10m")
    world.shock("rally", 0.5)
    world.skip("5m")
    world.shock("crash", 0.33)
    world.skip("2m")
    await paper.place(account, order(world, "hh-1", BTC, "5"))
    world.skip("30m")
    assert len(await paper.positions(account)) == 1
    world.skip("10h")
    assert len(await paper.positions(account)) == 1


async def test_forced_closes_are_kept_and_outlive_the_process(
    paper: PaperExchange, account: Account, world: World, feed: WorldFeed, store: Store
) -> None:
    for n, symbol in enumerate((BTC, SOL)):
        await paper.set_leverage(account, symbol, 50)
        contracts = "5" if symbol == BTC else "1000"
        await paper.place(account, order(world, f"hh-{n}", symbol, contracts))
    world.shock("rally", 0.6)
    began = world.now() - timedelta(hours=1)
    first = [event for symbol in (BTC, SOL) for event in await paper.forced_closes(account, symbol, began)]
    world.skip("1d")
    again = PaperExchange(feed, store, ManualClock())
    assert [event.symbol for event in first] == [BTC, SOL]
    assert [e for symbol in (BTC, SOL) for e in await again.forced_closes(account, symbol, began)] == first
    assert await again.forced_closes(account, BTC, world.now()) == []
    row = await store.paper_account(account.id)
    assert row is not None and [event["kind"] for event in row[0]["events"]] == ["liquidation"] * 2


async def test_a_week_is_settled_in_three_reads_and_saved_once(
    paper: PaperExchange, account: Account, world: World, feed: WorldFeed, store: Store
) -> None:
    await paper.place(account, order(world, "hh-1", BTC, "0.5"))
    world.skip("7d")
    feed.calls.clear()
    await paper.positions(account)
    assert feed.calls == {"snapshot": 1, "candles": 1, "funding": 1}
    await paper.positions(account)
    assert feed.calls == {"snapshot": 2, "candles": 1, "funding": 1}
    row = await store.paper_account(account.id)
    assert row is not None and row[1] == 2


async def test_reading_a_flat_account_costs_one_snapshot_and_writes_nothing(
    paper: PaperExchange, account: Account, world: World, feed: WorldFeed, store: Store
) -> None:
    world.skip("30d")
    await paper.balance(account)
    assert feed.calls == {"snapshot": 1}
    assert await store.paper_account(account.id) is None


async def test_a_market_clock_that_went_back_settles_nothing_twice(
    account: Account, store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from bot.sandbox.market import open_world
    from tests.exchange.conftest import TODAY

    later = open_world(tmp_path_factory.mktemp("later"), today=TODAY, speed=0)
    earlier = open_world(tmp_path_factory.mktemp("earlier"), today=TODAY, speed=0)
    later.skip("30h")
    paper = PaperExchange(WorldFeed(later), store, ManualClock())
    await paper.place(account, order(later, "hh-1", BTC, "1"))
    behind = PaperExchange(WorldFeed(earlier), store, ManualClock())
    before = await store.paper_account(account.id)
    assert len(await behind.positions(account)) == 1
    assert await store.paper_account(account.id) == before


async def test_the_state_is_plain_json(
    paper: PaperExchange, account: Account, world: World, store: Store
) -> None:
    await paper.set_leverage(account, SOL, 3)
    await paper.place(account, order(world, "hh-1"))
    row = await store.paper_account(account.id)
    found = await store.paper_order(account.id, "hh-1")
    assert row is not None and json.loads(json.dumps(row[0])) == row[0]
    assert found is not None and json.loads(json.dumps(found)) == found


async def test_a_state_that_cannot_be_read_is_unavailable_and_stays_as_it_is(
    paper: PaperExchange, account: Account, world: World, store: Store
) -> None:
    await store.save_paper(account.id, {"cash": {"USDT": "lots"}}, version=0)
    with pytest.raises(Unavailable):
        await paper.positions(account)
    with pytest.raises(Rejected):
        await paper.place(account, order(world, "hh-1"))
    assert await store.paper_account(account.id) == ({"cash": {"USDT": "lots"}}, 1)


@pytest.mark.parametrize("failure", [Unavailable("the disk is full"), RuntimeError("connection lost")])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_save_of_unknown_outcome_is_ambiguous_and_the_look_up_tells(
    feed: WorldFeed, store: Store, account: Account, world: World, failure: Exception, after: bool
) -> None:
    broken = PaperExchange(feed, BrokenStore(store, failure, after), ManualClock())
    with pytest.raises(Ambiguous):
        await broken.place(account, order(world, "hh-1"))
    found = await broken.find_order(account, SOL, "hh-1")
    assert (found is not None) == after


async def test_an_account_that_others_keep_changing_refuses_in_the_end(
    feed: WorldFeed, store: Store, account: Account, world: World
) -> None:
    contended = PaperExchange(feed, BrokenStore(store, StaleVersion("moved on"), after=False), ManualClock())
    with pytest.raises(Rejected) as refusal:
        await contended.place(account, order(world, "hh-1"))
    assert refusal.value.code == "busy"


async def test_a_position_in_a_contract_that_has_ended_is_settled_at_its_last_mark(
    paper: PaperExchange, account: Account, world: World, feed: WorldFeed, store: Store
) -> None:
    """Fault 21 of ../shared/FAULTS.md."""
    await paper.place(account, order(world, "hh-1", SOL, "10"))
    await paper.place(account, order(world, "hh-2", BTC, "1"))
    before = await paper.balance(account)
    feed.ended.add(SOL)
    (left,) = await paper.positions(account)
    assert left.symbol == BTC
    after = await paper.balance(account)
    assert after.equity == before.equity
    (ended,) = await PaperExchange(feed, store, ManualClock()).forced_closes(account, SOL, world.now())
    assert (ended.forced, ended.side, ended.contracts) == ("settlement", "buy", D(10))
    assert ended.price == world.snapshot().quotes[SOL].mark
    assert not await paper.listed(account, SOL)
    assert await paper.listed(account, BTC)


@pytest.mark.fault(53)
async def test_a_position_without_a_quote_keeps_its_mark_and_is_charged_all_the_same(
    paper: PaperExchange, account: Account, world: World, feed: WorldFeed
) -> None:
    await paper.place(account, order(world, "hh-1", SOL, "10"))
    (before,) = await paper.positions(account)
    began = world.now()
    feed.unquoted.add(SOL)
    world.skip("9h")
    (held,) = await paper.positions(account)
    assert (held.contracts, await paper.listed(account, SOL)) == (before.contracts, True)
    assert [paid.time for paid in await paper.funding_paid(account, SOL, began, world.now())] == [
        item.next_time for item in world.funding_since(SOL, began)
    ], "one settlement within nine hours, which no later look makes up for"
    with pytest.raises(Rejected) as refusal:
        await paper.place(account, order(world, "hh-2", SOL, "10"))
    assert refusal.value.code == "no_quote"
    feed.unquoted.clear()
    world.skip("10m")
    assert len(await paper.funding_paid(account, SOL, began, world.now())) == 1
