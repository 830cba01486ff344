"""What the watch and the desk read and write in bulk: columns of everybody, looks, wishes, permissions, paces."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from bot.ports.errors import StaleVersion
from bot.ports.permissions import Pause, Permission
from bot.ports.records import Account
from bot.ports.store import AlertChange, HoldingChange, Store
from bot.ports.watching import AlertSettings, Look, Pin
from hedging.rules import HedgeRule
from tests.storage.samples import ADA, BOB, NOW, a_proposal, an_alert, an_attempt, later, owed

D = Decimal
SHORT = ["SOL/USDT:USDT", "-12.5", "140", "210", 2, "cross"]


async def watched(store: Store, *users: int) -> None:
    for user in users:
        await store.ensure_user(replace(ADA, id=user, chat_id=user))
        await store.ensure_account(user, "paper", "paper")
        await store.save_rule(user, HedgeRule(target=D("0.6"), factor="ETH"))
        changes = [HoldingChange("SOL", D("1.5")), HoldingChange("ADA", D(user))]
        await store.change_holdings(user, changes, key="1")


async def test_everybody_is_read_as_columns(store: Store) -> None:
    await watched(store, 3, 1)
    await store.ensure_user(replace(BOB, id=2))  # holds nothing and has no rule
    accounts = {a.user_id: a.id for a in await store.accounts()}
    await store.save_looks([Look(accounts[3], NOW, D(500), D(400), [SHORT])])
    await store.change_alerts([AlertChange(an_alert(replace(ADA, id=3)))], {1: {"hedged": True}})
    crowd = await store.crowd()
    assert list(crowd.users) == [1, 3]
    assert list(crowd.target) == [0.6, 0.6]
    assert crowd.factor == ("ETH", "ETH")
    held = [
        (user, crowd.assets[asset], amount)
        for user, asset, amount in zip(crowd.holding_user, crowd.holding_asset, crowd.amount, strict=True)
    ]
    assert sorted(held) == [(0, "ADA", 1.0), (0, "SOL", 1.5), (1, "ADA", 3.0), (1, "SOL", 1.5)]
    assert crowd.looks[3].positions == [SHORT]
    assert crowd.memories == {1: {"hedged": True}}
    assert [alert.kind for alert in crowd.alerts[3]] == ["drift"]


@pytest.mark.parametrize("shards", [1, 2, 5])
async def test_shards_are_disjoint_and_together_everybody(store: Store, shards: int) -> None:
    await watched(store, *range(1, 12))
    parts = [list((await store.crowd(shard, shards)).users) for shard in range(shards)]
    assert sorted(user for part in parts for user in part) == list(range(1, 12))
    readers = [await store.readers(shard, shards) for shard in range(shards)]
    assert [sorted(r.account.user_id for r in part) for part in readers] == parts


async def test_an_older_look_never_replaces_a_newer_one(store: Store, account: Account) -> None:
    await store.save_rule(ADA.id, HedgeRule())
    await store.save_looks([Look(account.id, later(60), D(2))])
    await store.save_looks([Look(account.id, NOW, D(1))])
    (reader,) = await store.readers()
    assert reader.look == Look(account.id, later(60), D(2), D(0), [])


async def test_an_account_is_asked_for_when_an_order_of_ours_was_worked_on_since(
    store: Store, account: Account
) -> None:
    await store.save_rule(ADA.id, HedgeRule())
    await store.save_looks([Look(account.id, NOW)])
    assert [r.asked for r in await store.readers()] == [False]
    await store.add_proposal(a_proposal("card", account))
    await store.reserve(an_attempt("hh1", account, updated_at=later(5)))
    assert [r.asked for r in await store.readers()] == [True]
    await store.save_looks([Look(account.id, later(6))])
    assert [r.asked for r in await store.readers()] == [False]


async def test_wishes_and_counters_are_kept_apart(store: Store, account: Account) -> None:
    chosen = AlertSettings(
        ADA.id, "Europe/Berlin", 1320, 420, 480, frozenset({"basis"}), 5, next_at=later(60)
    )
    await store.save_alert_settings(chosen)
    counted = replace(AlertSettings(ADA.id), sent_on="2026-03-01", sent_today=3, next_at=later(90))
    await store.change_alerts([], {}, counts=[counted])
    found = (await store.alert_settings([ADA.id]))[ADA.id]
    assert found == replace(chosen, sent_on="2026-03-01", sent_today=3, next_at=later(90))
    await store.save_alert_settings(replace(chosen, daily_cap=7))
    assert (await store.alert_settings([ADA.id]))[ADA.id].sent_today == 3


async def test_summaries_are_due_at_their_instant_and_once(store: Store, account: Account) -> None:
    await store.save_alert_settings(AlertSettings(ADA.id, summary_at=480, next_at=later(60)))
    assert await store.summaries_due(NOW) == []
    (due,) = await store.summaries_due(later(60))
    await store.note_sent([replace(due, next_at=later(86_460))], [owed("daily:1")])
    assert await store.summaries_due(later(61)) == []
    assert [item.key for item in await store.due(now=later(61))] == ["daily:1"]


async def test_who_has_chosen_nothing_has_the_defaults(store: Store) -> None:
    assert await store.alert_settings([5]) == {5: AlertSettings(5)}
    assert await store.permission(5, 1) == Permission(5, 1)
    assert await store.pause(5) is None


async def test_a_permission_is_changed_over_exactly_its_version(store: Store, account: Account) -> None:
    given = await store.save_permission(Permission(ADA.id, account.id, acts="reduce"))
    assert await store.permissions(NOW) == [given]
    with pytest.raises(StaleVersion):
        await store.save_permission(Permission(ADA.id, account.id, acts="both"))
    taken = await store.take_back(ADA.id, account.id, owed("taken"))
    again = await store.take_back(ADA.id, account.id, owed("taken again"))
    assert (taken, again) == (True, False)
    assert await store.permissions(NOW) == []
    now = await store.permission(ADA.id, account.id)
    assert (now.acts, now.terms, now.version) == ("never", given.terms + 1, given.version + 1)
    assert [item.key for item in await store.due(now=later(1))] == ["taken"]


@pytest.mark.fault(57)
async def test_a_permission_counts_only_for_the_account_in_use(store: Store, account: Account) -> None:
    other = await store.ensure_account(ADA.id, "bybit", "live")
    given = await store.save_permission(Permission(ADA.id, account.id, acts="both"))
    assert await store.permissions(NOW) == [given]
    await store.name_account(ADA.id, other.id)
    assert await store.permissions(NOW) == []
    assert not (await store.permission(ADA.id, other.id)).permits


@pytest.mark.fault(59)
async def test_a_look_of_a_clock_that_was_ahead_is_replaced(store: Store, account: Account) -> None:
    await store.save_rule(ADA.id, HedgeRule())
    await store.change_holdings(ADA.id, [HoldingChange("SOL", D(1))], key="1")
    await store.save_looks([Look(account.id, later(3600), equity=D(1))])
    await store.save_looks([Look(account.id, NOW, equity=D(2))])
    (reader,) = await store.readers()
    assert reader.look is not None
    assert reader.look.equity == 2


async def test_a_pause_holds_until_its_time(store: Store, account: Account) -> None:
    given = await store.save_permission(Permission(ADA.id, account.id, acts="both"))
    await store.set_pause(ADA.id, Pause(ADA.id, later(60)), owed("over", not_before=later(60)))
    assert await store.permissions(NOW) == []
    assert await store.permissions(later(60)) == [given]
    await store.set_pause(ADA.id, Pause(ADA.id))
    assert await store.permissions(later(10**6)) == []
    await store.set_pause(ADA.id, None)
    assert await store.permissions(NOW) == [given]
    assert await store.due(now=later(59)) == []


async def test_alerts_of_one_kind_about_different_things_are_different_matters(
    store: Store, account: Account
) -> None:
    changes = [AlertChange(an_alert(kind="order_waiting", subject=s)) for s in ("SOL", "ETH", "SOL")]
    await store.change_alerts(changes, {})
    assert [alert.subject for alert in await store.live_alerts(ADA.id)] == ["SOL", "ETH"]


async def storm(store: Store, count: int) -> None:
    for user in range(1, count + 1):
        await store.ensure_user(replace(ADA, id=user, chat_id=user))
        await store.owe(owed(f"alert:{user}", replace(ADA, id=user, chat_id=user)))


PACE = {"limit": 10, "every": 0.1, "chat_every": 1.0}


async def test_what_is_due_is_claimed_at_instants_of_its_own(store: Store) -> None:
    await storm(store, 4)
    claimed = await store.claim_due(now=NOW, **PACE)  # type: ignore[arg-type]
    assert [at - NOW for _, at in claimed] == [timedelta(seconds=n / 10) for n in range(4)]
    assert {(item.state, item.in_doubt) for item, _ in claimed} == {("sending", False)}
    assert await store.claim_due(now=NOW, **PACE) == []  # type: ignore[arg-type]


async def test_a_chat_gets_one_message_at_a_time_and_not_before_it_is_free(store: Store) -> None:
    await store.ensure_user(ADA)
    for n in range(2):
        await store.owe(owed(f"alert:{n}"))
    ((first, _),) = await store.claim_due(now=NOW, **PACE)  # type: ignore[arg-type]
    await store.finish_delivery(first, state="sent", message_id=1)
    assert await store.claim_due(now=later(0.5), **PACE) == []  # type: ignore[arg-type]
    ((second, _),) = await store.claim_due(now=later(1.5), **PACE)  # type: ignore[arg-type]
    assert second.key == "alert:1"


async def test_a_chat_that_telegram_holds_is_passed_over(store: Store) -> None:
    await storm(store, 2)
    await store.hold_chat(1, later(30))
    claimed = await store.claim_due(now=NOW, **PACE)  # type: ignore[arg-type]
    assert [item.chat_id for item, _ in claimed] == [2]


async def test_replicas_share_one_pace(store: Store) -> None:
    await storm(store, 20)
    both = await asyncio.gather(*(store.claim_due(now=NOW, **PACE) for _ in range(2)))  # type: ignore[arg-type]
    times = sorted(at for claimed in both for _, at in claimed)
    assert len(times) == 20
    assert all(b - a >= timedelta(seconds=0.099) for a, b in pairwise(times))
    assert len({item.id for claimed in both for item, _ in claimed}) == 20


async def test_only_what_was_begun_is_in_doubt_after_a_crash(store: Store) -> None:
    await storm(store, 2)
    claimed = await store.claim_due(now=NOW, **PACE)  # type: ignore[arg-type]
    begun = claimed[0][0]
    assert await store.begin_delivery(begun, now=later(1), by="a")
    again = await store.claim_due(now=later(120), **PACE)  # type: ignore[arg-type]
    assert {item.id: item.in_doubt for item, _ in again} == {begun.id: True, claimed[1][0].id: False}
    assert not await store.begin_delivery(begun, now=later(121), by="a")  # its claim has gone over


async def test_paces_that_hold_nobody_up_are_forgotten(store: Store) -> None:
    await store.pace(5, now=NOW, every=0.1, chat_every=1)
    assert await store.forget_paces(before=NOW) == 0
    assert await store.forget_paces(before=later(60)) == 2


async def test_a_pin_is_saved_over_the_version_before_it_with_what_is_owed(store: Store) -> None:
    await store.ensure_user(ADA)
    assert await store.pin(ADA.id) == Pin(ADA.id)
    first = Pin(ADA.id, state="hedged", figures="50%", told_at=NOW, version=1)
    item = replace(owed("pinned:1", ADA), kind="pinned", payload={"version": 1}, edit=None)
    assert await store.save_pins([first], [item]) == [ADA.id]
    late = replace(first, state="open")
    assert await store.save_pins([late], [replace(item, key="pinned:late")]) == []
    assert await store.pin(ADA.id) == first
    assert [one.key for one in await store.due(now=later(60))] == ["pinned:1"]
    assert await store.pins() == {ADA.id: first}
    assert await store.pins(1 - ADA.id % 2, 2) == {}


async def test_the_message_that_shows_a_pin_is_noted_and_put_at_the_top_once(store: Store) -> None:
    await store.ensure_user(ADA)
    item = replace(owed("pinned:1", ADA), kind="pinned", payload={"version": 1}, edit=None)
    await store.save_pins([Pin(ADA.id, state="hedged", version=1)], [item])
    (due,) = await store.due(now=later(60))
    claimed = await store.claim_delivery(due, now=later(60), by="a")
    assert claimed is not None
    await store.finish_delivery(claimed, state="sent", message_id=77)
    assert (await store.pin(ADA.id)).message_id == 77
    (to_pin,) = await store.due(now=later(60))
    assert (to_pin.kind, to_pin.edit) == ("pin", 77)
    saved = Pin(ADA.id, state="open", version=2)
    await store.save_pins([saved], [])
    assert (await store.pin(ADA.id)).message_id == 77, "what it says is saved, not which message shows it"


async def test_a_pin_whose_message_is_gone_has_none_unless_a_later_one_is_owed(store: Store) -> None:
    await store.ensure_user(ADA)
    for version in (1, 2):
        item = replace(owed(f"pinned:{version}", ADA), kind="pinned", payload={"version": version}, edit=77)
        await store.save_pins([Pin(ADA.id, message_id=77, version=version)], [item])
    for expected in (77, None):
        due = (await store.due(now=later(60)))[0]
        claimed = await store.claim_delivery(due, now=later(60), by="a")
        assert claimed is not None
        await store.finish_delivery(claimed, state="dropped")
        assert (await store.pin(ADA.id)).message_id == expected
