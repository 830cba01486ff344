"""What is owed is told: once, in spite of limits, lost answers and blocked chats."""

from dataclasses import replace

from bot.ports.errors import Ambiguous, ChatGone, DeliveryDelayed, MessageGone, Unavailable
from bot.ports.records import OutboxItem
from tests.services.conftest import ADA, Desk


async def owed(desk: Desk, key: str = "alert:1", edit: int | None = None) -> OutboxItem:
    await desk.services.people.meet(ADA, ADA, "Ada")
    item = OutboxItem(key, ADA, ADA, "alert", {"text": "hello"}, desk.clock.now(), edit=edit)
    return await desk.store.owe(item)


async def told(desk: Desk, item: OutboxItem) -> list[OutboxItem]:
    await desk.services.delivery.start(item.id)
    await desk.durable.run_all()
    return desk.notifier.told


async def test_a_message_is_told_once_however_often_it_is_owed_and_started(desk: Desk) -> None:
    first, second = await owed(desk), await owed(desk)
    assert first.id == second.id
    await told(desk, first)
    await desk.services.delivery.sweep()
    assert len(await told(desk, second)) == 1


async def test_a_limit_of_telegram_is_waited_out(desk: Desk) -> None:
    desk.notifier.failures = [DeliveryDelayed(17)]
    before = desk.clock.now()
    (item,) = await told(desk, await owed(desk))
    assert "repeat" not in item.payload
    assert (desk.clock.now() - before).total_seconds() >= 17


async def test_telegram_being_away_is_waited_out(desk: Desk) -> None:
    desk.notifier.failures = [Unavailable("no answer"), Unavailable("no answer")]
    assert len(await told(desk, await owed(desk))) == 1


async def test_a_message_that_cannot_be_shown_keeps_no_other_back(desk: Desk) -> None:
    desk.notifier.failures = [KeyError("a figure that is missing")]
    await owed(desk, "alert:1")
    await owed(desk, "alert:2")
    for _ in range(2):
        desk.clock.pass_(seconds=5)
        await desk.services.delivery.sweep()
    assert [item.key for item in desk.notifier.told] == ["alert:2"]
    desk.clock.pass_(seconds=600)
    await desk.services.delivery.sweep()
    assert [item.key for item in desk.notifier.told] == ["alert:2", "alert:1"]


async def test_a_message_that_may_have_arrived_is_repeated_only_with_the_word_that_it_is(desk: Desk) -> None:
    desk.notifier.failures = [Ambiguous("the answer was lost")]
    item = await owed(desk)
    assert await told(desk, item) == []
    desk.clock.pass_(seconds=90)
    await desk.services.delivery.sweep()
    await desk.durable.run_all()
    assert [one.payload.get("repeat") for one in desk.notifier.told] == [True]


async def test_an_edit_that_may_have_arrived_is_simply_done_again(desk: Desk) -> None:
    desk.notifier.failures = [Ambiguous("the answer was lost")]
    item = await owed(desk, edit=50)
    await told(desk, item)
    desk.clock.pass_(seconds=90)
    await desk.services.delivery.sweep()
    await desk.durable.run_all()
    assert ["repeat" in one.payload for one in desk.notifier.told] == [False]


async def test_a_card_that_was_deleted_gets_its_receipt_as_a_new_message(desk: Desk) -> None:
    desk.notifier.failures = [MessageGone("not there")]
    (item,) = await told(desk, await owed(desk, edit=50))
    assert item.edit is None


async def test_a_user_who_blocked_the_bot_is_suspended_until_they_write(desk: Desk) -> None:
    desk.notifier.failures = [ChatGone("blocked")]
    assert await told(desk, await owed(desk)) == []
    assert (await desk.store.user(ADA)).suspended  # type: ignore[union-attr]
    await desk.services.people.meet(ADA, ADA, "Ada")
    assert not (await desk.store.user(ADA)).suspended  # type: ignore[union-attr]


async def test_two_workers_do_not_tell_the_same_thing(desk: Desk) -> None:
    item = await owed(desk)
    claimed = await desk.store.claim_delivery(item, now=desk.clock.now(), by="another")
    assert claimed is not None
    assert await told(desk, item) == []
    await desk.store.finish_delivery(claimed, state="sent", message_id=7)
    assert (await desk.store.outbox_item(item.id)).message_id == 7  # type: ignore[union-attr]
    assert replace(claimed, id=0).key == item.key
