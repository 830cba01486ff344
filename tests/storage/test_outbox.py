"""Messages that are owed: kept until they are sent, by one sender at a time."""

from dataclasses import replace

import pytest

from bot.ports.errors import InvalidRecord
from bot.ports.records import Account, OutboxItem
from bot.ports.store import AlertChange, Store
from tests.storage.samples import ADA, BOB, NOW, an_alert, later, owed


async def claimed(store: Store, item: OutboxItem, by: str = "worker", after: float = 0) -> OutboxItem:
    mine = await store.claim_delivery(item, now=later(after), by=by)
    assert mine is not None
    return mine


async def test_a_message_is_owed_as_it_was_put_down(store: Store, account: Account) -> None:
    item = owed(
        "receipt", edit=41, silent=True, not_before=later(5), payload={"text": "½ \0 \ud83e", "n": [1, None]}
    )
    stored = await store.owe(item)
    assert stored == replace(item, id=stored.id)
    assert await store.outbox_item(stored.id) == stored
    assert await store.outbox_item(stored.id + 1) is None


async def test_the_same_matter_is_owed_once(store: Store, account: Account) -> None:
    first = await store.owe(owed("receipt"))
    assert await store.owe(owed("receipt", payload={"other": 1})) == first


async def test_a_message_to_nobody_is_refused(store: Store, account: Account) -> None:
    with pytest.raises(InvalidRecord):
        await store.owe(owed("receipt", BOB))


async def test_what_cannot_be_json_is_refused(store: Store, account: Account) -> None:
    for value in (object(), float("nan"), {1, 2}):
        with pytest.raises(InvalidRecord):
            await store.owe(owed("receipt", payload={"value": value}))


async def test_due_messages_come_oldest_first(store: Store, account: Account) -> None:
    for key, at in (("third", 3), ("first", 1), ("second", 2)):
        await store.owe(owed(key, created_at=later(at)))
    await store.owe(owed("not yet", not_before=later(60)))
    assert [item.key for item in await store.due(now=later(10))] == ["first", "second", "third"]
    assert [item.key for item in await store.due(now=later(10), limit=2)] == ["first", "second"]
    assert len(await store.due(now=later(60))) == 4


async def test_one_sender_gets_a_message(store: Store, account: Account) -> None:
    item = await store.owe(owed("receipt"))
    mine = await claimed(store, item, by="a")
    assert mine == replace(item, state="sending", tries=1)
    assert await store.claim_delivery(item, now=later(1), by="b") is None
    assert await store.claim_delivery(mine, now=later(1), by="b") is None
    assert await store.due(now=later(1)) == []


async def test_a_message_that_has_to_wait_cannot_be_claimed(store: Store, account: Account) -> None:
    item = await store.owe(owed("receipt", not_before=later(30)))
    assert await store.claim_delivery(item, now=later(29), by="a") is None
    assert await store.claim_delivery(item, now=later(30), by="a") is not None


async def test_a_sent_message_is_over(store: Store, account: Account) -> None:
    item = await store.owe(owed("receipt"))
    await store.finish_delivery(await claimed(store, item), state="sent", message_id=2**33)
    over = await store.outbox_item(item.id)
    assert over == replace(item, state="sent", tries=1, message_id=2**33)
    assert await store.claim_delivery(item, now=later(3600), by="a") is None
    assert await store.claim_delivery(over, now=later(3600), by="worker") is None
    assert await store.due(now=later(3600)) == []


async def test_a_dropped_message_is_over(store: Store, account: Account) -> None:
    item = await store.owe(owed("receipt"))
    await store.finish_delivery(await claimed(store, item), state="dropped")
    assert await store.due(now=later(3600)) == []
    assert await store.claim_delivery(item, now=later(3600), by="a") is None


async def test_a_delayed_message_waits_and_counts_its_tries(store: Store, account: Account) -> None:
    item = await store.owe(owed("receipt"))
    await store.finish_delivery(await claimed(store, item), state="pending", not_before=later(30))
    assert await store.due(now=later(29)) == []
    (again,) = await store.due(now=later(30))
    assert (again.state, again.tries, again.not_before) == ("pending", 1, later(30))
    assert (await claimed(store, again, after=30)).tries == 2


async def test_a_sender_that_fell_silent_is_replaced_after_a_minute(store: Store, account: Account) -> None:
    item = await store.owe(owed("receipt"))
    await claimed(store, item, by="dead")
    assert await store.due(now=later(60)) == []
    assert await store.claim_delivery(item, now=later(60), by="heir") is None
    (left,) = await store.due(now=later(61))
    assert left.state == "sending"
    assert (await claimed(store, left, by="heir", after=61)).tries == 2


async def test_a_sender_takes_up_what_it_left_in_an_earlier_life(store: Store, account: Account) -> None:
    item = await store.owe(owed("receipt"))
    await claimed(store, item, by="deliver:1")
    found = await store.outbox_item(item.id)
    assert found is not None
    assert (await claimed(store, found, by="deliver:1", after=1)).tries == 2
    assert await store.claim_delivery(found, now=later(1), by="deliver:1") is None  # that claim was used up


async def test_a_sender_that_was_replaced_cannot_settle(store: Store, account: Account) -> None:
    item = await store.owe(owed("receipt"))
    stale = await claimed(store, item, by="slow")
    current = await claimed(store, stale, by="heir", after=61)
    await store.finish_delivery(stale, state="pending")
    assert await store.outbox_item(item.id) == current
    await store.finish_delivery(current, state="sent", message_id=5)
    await store.finish_delivery(stale, state="dropped", message_id=4)
    over = await store.outbox_item(item.id)
    assert over is not None
    assert (over.state, over.message_id) == ("sent", 5)


async def test_an_alert_remembers_the_message_that_shows_it(store: Store, account: Account) -> None:
    await store.change_alerts([AlertChange(an_alert(), owed("drift"))], {})
    (item,) = await store.due(now=NOW)
    before = (await store.live_alerts(ADA.id))[0]
    await store.finish_delivery(await claimed(store, item), state="sent", message_id=77)
    assert await store.live_alerts(ADA.id) == [replace(before, message_id=77)]


async def begun(store: Store, key: str, at: float, *, after: int = 0) -> OutboxItem:
    item = await claimed(store, await store.owe(owed(key)), after=at)
    assert await store.begin_delivery(item, now=later(at), by="worker", after=after)
    found = await store.outbox_item(item.id)
    assert found is not None
    return found


async def sent(store: Store, key: str, at: float, message_id: int) -> None:
    item = await begun(store, key, at)
    await store.finish_delivery(item, state="sent", message_id=message_id, now=later(at))


async def test_a_message_is_in_doubt_from_its_beginning_to_its_end(store: Store, account: Account) -> None:
    item = await store.owe(owed("receipt"))
    assert not (await claimed(store, item)).in_doubt
    alert = await begun(store, "alert", 1, after=40)
    assert alert.in_doubt
    assert (alert.after_id, alert.began_at) == (40, later(1))
    await store.finish_delivery(alert, state="pending", not_before=later(5))
    again = await store.outbox_item(alert.id)
    assert again is not None
    assert (again.in_doubt, again.after_id, again.began_at) == (False, None, None)


async def test_a_claim_leaves_the_doubt_as_it_was(store: Store, account: Account) -> None:
    alert = await begun(store, "alert", 1, after=40)
    heir = await claimed(store, alert, by="heir", after=90)
    assert (heir.in_doubt, heir.after_id, heir.began_at) == (True, 40, later(1))


async def test_a_message_comes_after_every_one_that_anybody_knew(store: Store, account: Account) -> None:
    assert (await begun(store, "first", 0)).after_id is None  # nobody knew any
    await sent(store, "second", 1, 70)
    assert (await begun(store, "third", 2, after=60)).after_id == 70
    assert (await begun(store, "fourth", 3, after=75)).after_id == 75


async def test_traces_of_a_message_end_where_one_was_begun_long_after_it(
    store: Store, account: Account
) -> None:
    await sent(store, "earlier", 0, 40)
    alert = await begun(store, "alert", 1, after=40)
    assert (await store.traces(alert)).before is None
    for key, at, message_id in (("beside", 2, 43), ("later", 30, 47), ("last", 40, 49)):
        await sent(store, key, at, message_id)
    traces = await store.traces(alert)
    assert (traces.before, set(traces.known)) == (47, {43, 47, 49})


async def test_what_passes_is_what_was_sent_or_begun_lately(store: Store, account: Account) -> None:
    await sent(store, "long ago", 0, 40)
    await sent(store, "lately", 5, 41)
    alert = await begun(store, "alert", 6)
    await claimed(store, await store.owe(owed("claimed only")), after=6)
    passing = {one.item_id: (one.message_id, one.at) for one in await store.passing(since=later(4))}
    assert len(passing) == 2
    assert passing[alert.id] == (None, later(6))
    assert (41, later(5)) in passing.values()
