"""What a tick reads of everybody, and the matters and messages that it writes."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, event

from bot.ports.errors import InvalidRecord, StaleVersion
from bot.ports.records import Account, Alert, AlertState
from bot.ports.store import AlertChange, HoldingChange, Store, Watched
from hedging.portfolio import Holding
from hedging.rules import HedgeRule
from tests.storage.samples import ADA, BOB, NOW, an_alert, later, owed

RAISED, SNOOZED, RECOVERED = AlertState.RAISED, AlertState.SNOOZED, AlertState.RECOVERED


async def raised(store: Store, alert: Alert) -> Alert:
    await store.change_alerts([AlertChange(alert)], {})
    return next(live for live in await store.live_alerts(alert.user_id) if live.kind == alert.kind)


async def held(store: Store, user_id: int, *assets: str) -> None:
    changes = [HoldingChange(asset, Decimal("1.50"), Decimal(9)) for asset in assets]
    await store.change_holdings(user_id, changes, key=",".join(assets))


async def test_a_watched_user_comes_with_everything_a_tick_needs(store: Store, account: Account) -> None:
    rule = HedgeRule(Decimal("0.75"), Decimal("0.05"), 3, "ETH", Decimal("0.005"))
    await store.save_rule(ADA.id, rule)
    await held(store, ADA.id, "SOL", "ETH")
    await store.change_alerts(
        [AlertChange(an_alert())], {ADA.id: {"hedged": True, "prices": {"SOL": "1.50"}}}
    )
    holdings = (Holding("ETH", Decimal("1.5"), Decimal(9)), Holding("SOL", Decimal("1.5"), Decimal(9)))
    assert await store.watched() == [
        Watched(
            user=ADA,
            account=account,
            rule=rule,
            holdings=holdings,
            alerts=tuple(await store.live_alerts(ADA.id)),
            reference={"hedged": True, "prices": {"SOL": "1.50"}},
        )
    ]


async def test_a_new_user_has_no_alerts_and_no_reference(store: Store, account: Account) -> None:
    await store.save_rule(ADA.id, HedgeRule())
    await held(store, ADA.id, "SOL")
    (watched,) = await store.watched()
    assert (watched.alerts, watched.reference) == ((), {})


@pytest.mark.parametrize("missing", ["rule", "holdings", "account", "suspended"])
async def test_who_lacks_something_is_not_watched(store: Store, missing: str) -> None:
    for user in (ADA, BOB):
        whole = user is ADA
        await store.ensure_user(user)
        if whole or missing != "rule":
            await store.save_rule(user.id, HedgeRule())
        if whole or missing != "holdings":
            await held(store, user.id, "SOL")
        if whole or missing != "account":
            await store.ensure_account(user.id, "paper", "paper")
    if missing == "suspended":
        await store.suspend(BOB.id)
    assert [one.user.id for one in await store.watched()] == [ADA.id]


async def test_a_user_with_two_accounts_is_watched_once(store: Store, account: Account) -> None:
    await store.save_rule(ADA.id, HedgeRule())
    await held(store, ADA.id, "SOL")
    live = await store.ensure_account(ADA.id, "binance", "live")
    assert [one.account for one in await store.watched()] == [account]
    await store.name_account(ADA.id, live.id)
    assert [one.account for one in await store.watched()] == [live]


@pytest.mark.parametrize("people", [1, 40])
async def test_everybody_is_read_with_four_statements(store: Store, people: int) -> None:
    for number in range(1, people + 1):
        await store.ensure_user(replace(ADA, id=number))
        await store.ensure_account(number, "paper", "paper")
        await store.save_rule(number, HedgeRule())
        await held(store, number, "SOL", "ETH")
        await store.change_alerts([AlertChange(an_alert(user_id=number))], {number: {"hedged": True}})
    statements: list[str] = []

    def count(*execution: Any) -> None:
        statements.append(execution[2])

    event.listen(Engine, "before_cursor_execute", count)
    try:
        watched = await store.watched()
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert len(watched) == people
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 4


async def test_an_alert_is_raised_together_with_its_message(store: Store, account: Account) -> None:
    await store.change_alerts([AlertChange(an_alert(), owed("drift 1", payload={"coverage": "0.38"}))], {})
    (alert,) = await store.live_alerts(ADA.id)
    assert alert == an_alert(id=alert.id)
    assert await store.alert(alert.id) == alert
    (item,) = await store.due(now=NOW)
    assert item.payload == {"coverage": "0.38", "alert_id": alert.id}


async def test_one_matter_of_a_kind_is_live_and_owed_once(store: Store, account: Account) -> None:
    first = await raised(store, an_alert())
    await store.change_alerts([AlertChange(an_alert(facts={"coverage": "0.2"}), owed("again"))], {})
    assert await store.live_alerts(ADA.id) == [first]
    assert await store.due(now=later(60)) == []


async def test_different_kinds_and_users_are_different_matters(store: Store, account: Account) -> None:
    await store.ensure_user(BOB)
    changes = [AlertChange(an_alert(user, kind)) for user in (ADA, BOB) for kind in ("drift", "market_move")]
    await store.change_alerts(changes, {})
    assert [alert.kind for alert in await store.live_alerts(ADA.id)] == ["drift", "market_move"]
    assert {alert.user_id for alert in await store.live_alerts(BOB.id)} == {BOB.id}


async def test_a_recovered_matter_makes_room_for_the_next_one_at_once(store: Store, account: Account) -> None:
    first = await raised(store, an_alert())
    over = replace(first, state=RECOVERED, updated_at=later(60))
    again = an_alert(raised_at=later(60), updated_at=later(60))
    await store.change_alerts([AlertChange(again), AlertChange(over)], {})
    (second,) = await store.live_alerts(ADA.id)
    assert second.raised_at == later(60)
    assert await store.alert(first.id) == replace(over, version=1)


async def test_an_alert_that_moved_on_is_left_alone_with_its_message(store: Store, account: Account) -> None:
    read_by_the_tick = await raised(store, an_alert())
    snoozed = await store.move_alert(read_by_the_tick, SNOOZED, at=later(1), snoozed_until=later(3600))
    over = replace(read_by_the_tick, state=RECOVERED)
    fresh = AlertChange(an_alert(kind="market_move"), owed("move"))
    await store.change_alerts([AlertChange(over, owed("recovered")), fresh], {ADA.id: {"seen": 1}})
    assert await store.alert(snoozed.id) == snoozed
    assert [item.key for item in await store.due(now=later(60))] == ["move"]


async def test_what_was_decided_before_the_message_was_sent_never_makes_it_forgotten(
    store: Store, account: Account
) -> None:
    await store.change_alerts([AlertChange(an_alert(), owed("drift 1"))], {})
    (read_by_the_tick,) = await store.live_alerts(ADA.id)
    (item,) = await store.due(now=NOW)
    claimed = await store.claim_delivery(item, now=NOW, by="a")
    assert claimed is not None
    await store.finish_delivery(claimed, state="sent", message_id=27, now=NOW)
    over = AlertChange(replace(read_by_the_tick, state=RECOVERED))
    await store.change_alerts([over], {})
    (told,) = await store.live_alerts(ADA.id)
    assert told.message_id == 27, "its message would keep its buttons for ever"
    await store.change_alerts([AlertChange(replace(told, state=RECOVERED), told_by=27)], {})
    assert await store.live_alerts(ADA.id) == []


async def test_a_change_replaces_what_is_known_of_a_matter(store: Store, account: Account) -> None:
    first = await raised(store, an_alert())
    worse = replace(
        first,
        facts={"coverage": "0.1"},
        updated_at=later(60),
        snoozed_until=None,
        message_id=None,
        raised_at=later(60),
    )
    await store.change_alerts([AlertChange(worse, owed("worse"))], {})
    assert await store.live_alerts(ADA.id) == [replace(worse, version=1, raised_at=NOW)]
    (item,) = await store.due(now=NOW)
    assert item.payload["alert_id"] == first.id


async def test_a_known_message_is_not_owed_again(store: Store, account: Account) -> None:
    earlier = await store.owe(owed("drift 1"))
    await store.change_alerts([AlertChange(an_alert(), owed("drift 1", payload={"other": 1}))], {})
    assert await store.due(now=NOW) == [earlier]


async def test_the_latest_reference_is_remembered(store: Store, account: Account) -> None:
    await store.save_rule(ADA.id, HedgeRule())
    await held(store, ADA.id, "SOL")
    for value in (1, 2):
        await store.change_alerts([], {ADA.id: {"value": value}})
    assert [one.reference for one in await store.watched()] == [{"value": 2}]


async def test_a_tick_is_written_whole_or_not_at_all(store: Store, account: Account) -> None:
    changes = [AlertChange(an_alert(), owed("drift")), AlertChange(an_alert(BOB))]  # nobody knows Bob
    with pytest.raises(InvalidRecord):
        await store.change_alerts(changes, {ADA.id: {"value": 1}})
    assert await store.live_alerts(ADA.id) == []
    assert await store.due(now=later(60)) == []


async def test_more_alerts_than_fit_one_statement(store: Store, account: Account) -> None:
    kinds = [f"kind {number:04}" for number in range(2500)]
    await store.change_alerts([AlertChange(an_alert(kind=kind), owed(kind)) for kind in kinds], {})
    live = await store.live_alerts(ADA.id)
    assert sorted(alert.kind for alert in live) == kinds
    items = await store.due(now=NOW, limit=3000)
    assert {item.key: item.payload["alert_id"] for item in items} == {alert.kind: alert.id for alert in live}
    await store.change_alerts([AlertChange(replace(alert, state=RECOVERED)) for alert in live], {})
    assert await store.live_alerts(ADA.id) == []


async def test_a_tap_snoozes_exactly_what_was_shown(store: Store, account: Account) -> None:
    alert = await raised(store, an_alert())
    snoozed = await store.move_alert(alert, SNOOZED, at=later(5), snoozed_until=later(3600))
    end = later(3600)
    wanted = replace(alert, state=SNOOZED, updated_at=later(5), version=1)
    assert snoozed == replace(wanted, snoozed_until=end, due_at=end)
    with pytest.raises(StaleVersion):
        await store.move_alert(alert, RECOVERED, at=later(6))
    assert await store.live_alerts(ADA.id) == [snoozed]


async def test_a_recovered_matter_stays_recovered(store: Store, account: Account) -> None:
    over = await store.move_alert(await raised(store, an_alert()), RECOVERED, at=later(5))
    with pytest.raises(StaleVersion):
        await store.move_alert(over, RAISED, at=later(6))
    await store.change_alerts([AlertChange(replace(over, state=RAISED), owed("zombie"))], {})
    assert await store.alert(over.id) == over
    assert await store.due(now=later(60)) == []
    assert await store.alert(over.id + 1) is None


async def test_a_message_that_a_newer_one_replaced_is_not_the_matters_again(
    store: Store, account: Account
) -> None:
    first = await raised(store, an_alert())
    change = AlertChange(replace(first, message_id=None), owed("newer"), owed("earlier", edit=7))
    await store.change_alerts([change], {})
    for message_id, item in zip((8, 7), await store.due(now=later(60)), strict=True):
        claimed = await store.claim_delivery(item, now=later(60), by="a test")
        assert claimed is not None
        await store.finish_delivery(claimed, state="sent", message_id=message_id)
    (alert,) = await store.live_alerts(ADA.id)
    assert alert.message_id == 8
