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


async def in_doubt(desk: Desk, latest: int = 1000) -> OutboxItem:
    """A message whose answer was lost; `latest`: the last id of Telegram's that was known before."""
    desk.notifier.traffic.saw(latest)
    desk.notifier.failures = [Ambiguous("the answer was lost")]
    item = await owed(desk)
    assert await told(desk, item) == []
    return item


async def later(desk: Desk) -> list[OutboxItem]:
    """What is told when the claim of the one that fell silent is over."""
    desk.clock.pass_(seconds=90)
    await desk.services.delivery.sweep()
    await desk.durable.run_all()
    return desk.notifier.told


async def settled(desk: Desk, item: OutboxItem) -> tuple[str, int | None]:
    found = await desk.store.outbox_item(item.id)
    assert found is not None
    return found.state, found.message_id


async def test_a_message_that_has_arrived_although_its_answer_was_lost_is_found_and_not_sent_again(
    desk: Desk,
) -> None:
    item = await in_doubt(desk)
    desk.notifier.standing = {1003}  # somebody else's came between
    (shown,) = await later(desk)
    assert (shown.edit, "repeat" in shown.payload) == (1003, False)
    assert await settled(desk, item) == ("sent", 1003)


async def test_a_message_that_has_not_arrived_is_sent_as_if_it_were_the_first_time(desk: Desk) -> None:
    item = await in_doubt(desk)
    (sent,) = await later(desk)
    assert (sent.edit, "repeat" in sent.payload) == (None, False)
    assert await settled(desk, item) == ("sent", 1001)
    assert desk.notifier.asked == list(range(1001, 1031))


async def test_messages_that_are_known_to_be_others_are_not_asked_about(desk: Desk) -> None:
    await in_doubt(desk)
    for message_id in (1001, 1002, 1004):
        desk.notifier.traffic.saw(message_id)
    for key, message_id in (("alert:2", 1005), ("alert:3", 1008)):  # told a good while later
        desk.clock.pass_(seconds=30)
        other = await desk.store.owe(replace(await owed(desk, key), chat_id=ADA + 1))
        claimed = await desk.store.claim_delivery(other, now=desk.clock.now(), by="another")
        assert claimed is not None
        assert await desk.store.begin_delivery(claimed, now=desk.clock.now(), by="another")
        await desk.store.finish_delivery(claimed, state="sent", message_id=message_id, now=desk.clock.now())
    await later(desk)
    assert desk.notifier.asked == [1003]  # before the first that was begun when this one was long over


async def test_nobody_is_asked_about_a_message_that_was_claimed_and_not_begun(desk: Desk) -> None:
    item = await owed(desk)
    assert await desk.store.claim_delivery(item, now=desk.clock.now(), by="one that died then") is not None
    (sent,) = await later(desk)
    assert "repeat" not in sent.payload
    assert desk.notifier.asked == []


async def test_while_nobody_answers_whether_a_message_arrived_it_is_not_sent(desk: Desk) -> None:
    item = await in_doubt(desk)
    desk.notifier.standing = None
    assert await later(desk) == []
    assert (await settled(desk, item))[0] == "sending"
    desk.notifier.standing = {1001}
    assert [one.edit for one in await later(desk)] == [1001]


async def test_a_limit_of_telegram_while_it_is_asked_leaves_the_message_in_doubt(desk: Desk) -> None:
    item = await in_doubt(desk)
    desk.notifier.standing, desk.notifier.failures = {1001}, [DeliveryDelayed(5)]
    assert await later(desk) == []
    assert (await settled(desk, item))[0] == "sending"
    assert [one.edit for one in await later(desk)] == [1001]


async def test_a_message_of_which_nobody_knows_where_it_would_be_is_repeated_with_the_word_that_it_is(
    desk: Desk,
) -> None:
    await in_doubt(desk, latest=0)
    assert [one.payload.get("repeat") for one in await later(desk)] == [True]
    assert desk.notifier.asked == []


async def test_where_two_messages_stand_that_it_could_be_none_is_touched_and_the_word_is_said(
    desk: Desk,
) -> None:
    await in_doubt(desk)
    desk.notifier.standing = {1002, 1004}
    assert [(one.edit, one.payload.get("repeat")) for one in await later(desk)] == [(None, True)]


async def test_a_message_that_could_stand_where_nobody_asked_gets_the_word_when_that_turns_out(
    desk: Desk,
) -> None:
    await in_doubt(desk, latest=900)  # and this time it gets the id 1001
    sent, said = await later(desk)
    assert (sent.edit, sent.payload.get("repeat")) == (None, None)
    assert (said.edit, said.payload.get("repeat")) == (1001, True)


async def test_a_card_that_was_deleted_gets_its_receipt_once_although_the_answer_was_lost(desk: Desk) -> None:
    desk.notifier.traffic.saw(1000)
    desk.notifier.failures = [MessageGone("not there"), Ambiguous("the answer was lost")]
    item = await owed(desk, edit=50)
    assert await told(desk, item) == []
    desk.notifier.failures, desk.notifier.standing = [MessageGone("not there")], {1001}
    assert [one.edit for one in await later(desk)] == [1001]


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
