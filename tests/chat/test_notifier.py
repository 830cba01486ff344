"""Owed messages on their way into a chat."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from telegram.error import NetworkError, TimedOut

from bot.chat.notifier import VIEWS, TelegramNotifier
from bot.chat.outgoing import Outgoing
from bot.chat.request import AnswerLost, NotSent, ServerFailed
from bot.chat.views.message import Message
from bot.ports.errors import Ambiguous, ChatGone, DeliveryDelayed, MessageGone, PortError, Unavailable
from bot.ports.records import OutboxItem
from tests.chat.conftest import ADA, BOB, Chat
from tests.chat.previews import alerts, cards, drift, positions
from tests.chat.recording import message, refused
from tests.fakes.clock import NOON

PAYLOADS: dict[str, dict[str, Any]] = {
    "permission_taken": {"exchange": "bybit", "mode": "live", "why": "switch"},
    "pause_over": {"until": NOON.isoformat()},
    "receipt": cards.outcome(cards.done("SOL", "60", "60", "142.2", "filled")),
    "waiting": {"proposal_id": "abcdefghijklmnop", "symbol": "SOL/USDT:USDT"},
    "alert": drift.alarm(),
    "recovered": drift.alarm(),
    "replaced": drift.alarm(),
    "key_refused": {"exchange": "bybit", "mode": "live"},
    "position": positions.changed("adl"),
    "summary": {"lines": alerts.LINES},
    "daily": {"at": NOON.isoformat()},
    "pinned": {"look": "open", "exchange": "bybit", "mode": "live", "at": NOON.isoformat()},
}


def owed(kind: str = "receipt", *, edit: int | None = None, chat: int = ADA) -> OutboxItem:
    return OutboxItem("key", chat, chat, kind, PAYLOADS[kind], NOON, edit=edit)


@pytest.fixture
def notifier(chat: Chat) -> TelegramNotifier:
    return TelegramNotifier(chat.link.out)


@pytest.mark.parametrize("kind", VIEWS)
async def test_every_kind_is_sent_and_edited(chat: Chat, notifier: TelegramNotifier, kind: str) -> None:
    assert await notifier.deliver(owed(kind)) == chat.last_id()
    assert await notifier.deliver(owed(kind, edit=77)) == 77
    sent, edited = chat.telegram.calls
    assert (sent.method, edited.method) == ("sendMessage", "editMessageText")
    assert sent.text == edited.text
    assert edited.params["message_id"] == 77


@pytest.mark.parametrize(("kind", "method"), [("pin", "pinChatMessage"), ("unpin", "unpinChatMessage")])
async def test_a_message_is_put_at_the_top_silently_and_taken_away(
    chat: Chat, notifier: TelegramNotifier, kind: str, method: str
) -> None:
    item = OutboxItem("key", ADA, ADA, kind, {}, NOON, edit=77)
    chat.telegram.script[method] = [None, refused(400, f"Bad Request: message to {kind} not found")]
    assert [await notifier.deliver(item), await notifier.deliver(item)] == [77, 77], "gone is no failure"
    first = chat.telegram.calls[0]
    assert (first.method, first.params["message_id"]) == (method, 77)
    assert kind == "unpin" or first.params["disable_notification"] is True


async def test_silence_is_passed_on(chat: Chat, notifier: TelegramNotifier) -> None:
    await notifier.deliver(replace(owed("alert"), silent=True))
    await notifier.deliver(owed("alert"))
    quiet, loud = chat.telegram.calls
    assert quiet.params["disable_notification"] is True
    assert "disable_notification" not in loud.params


@pytest.mark.parametrize(
    ("edit", "answer", "failure"),
    [
        (None, refused(403, "Forbidden: bot was blocked by the user"), ChatGone),
        (5, refused(403, "Forbidden: bot was blocked by the user"), ChatGone),
        (None, refused(400, "Bad Request: chat not found"), ChatGone),
        (5, refused(400, "Bad Request: message to edit not found"), MessageGone),
        (5, refused(400, "Bad Request: message can't be edited"), MessageGone),
        (None, refused(429, "Too Many Requests: retry after 9", retry_after=9), DeliveryDelayed),
        (None, NotSent("nobody there"), Unavailable),
        (None, ServerFailed(500), Unavailable),
        (None, ServerFailed(502), Ambiguous),
        (None, TimedOut(), Ambiguous),
        (None, AnswerLost("broken"), Ambiguous),
        (5, TimedOut(), Unavailable),  # an edit can be made twice
        (5, AnswerLost("broken"), Unavailable),
        (None, NetworkError("something"), Unavailable),
        (None, refused(400, "Bad Request: whatever"), Unavailable),
        (None, refused(404, "Not Found"), Unavailable),
    ],
)
async def test_telegrams_refusals_get_the_ports_names(
    chat: Chat, notifier: TelegramNotifier, edit: int | None, answer: Any, failure: type[PortError]
) -> None:
    chat.telegram.script["sendMessage" if edit is None else "editMessageText"] = [answer]
    with pytest.raises(failure):
        await notifier.deliver(owed(edit=edit))


async def test_an_edit_that_changes_nothing_has_succeeded(chat: Chat, notifier: TelegramNotifier) -> None:
    chat.telegram.script["editMessageText"] = [
        refused(400, "Bad Request: message is not modified: specified …")
    ]
    assert await notifier.deliver(owed(edit=5)) == 5


@pytest.mark.parametrize(
    ("description", "stands"),
    [
        ("Bad Request: there is no caption in the message to edit", True),
        ("Bad Request: message to edit not found", False),
        ("Bad Request: message can't be edited", False),  # somebody else's
        ("Bad Request: MESSAGE_ID_INVALID", False),
    ],
)
async def test_whether_a_message_stands_is_asked_without_changing_it(
    chat: Chat, notifier: TelegramNotifier, description: str, stands: bool
) -> None:
    chat.telegram.script["editMessageCaption"] = [refused(400, description)]
    assert await notifier.stands(ADA, 77) is stands
    (call,) = chat.telegram.calls
    assert call.params == {"chat_id": ADA, "message_id": 77}


async def test_a_question_whose_answer_is_lost_is_no_answer(chat: Chat, notifier: TelegramNotifier) -> None:
    chat.telegram.script["editMessageCaption"] = [TimedOut()]
    with pytest.raises(Unavailable):
        await notifier.stands(ADA, 77)


async def test_ids_of_what_is_sent_and_written_are_known(chat: Chat, notifier: TelegramNotifier) -> None:
    sent = await notifier.deliver(owed())
    assert notifier.traffic.latest == sent
    await chat.handle(message(7, ADA, "/help"))
    assert notifier.traffic.latest == 1007
    assert notifier.traffic.seen(after=sent - 1) == {sent, sent + 1, 1007}


async def test_a_delay_tells_its_seconds_and_holds_for_that_chat_alone(
    chat: Chat, notifier: TelegramNotifier
) -> None:
    chat.telegram.script["sendMessage"] = [refused(429, "Too Many Requests", retry_after=9)]
    with pytest.raises(DeliveryDelayed) as delayed:
        await notifier.deliver(owed())
    assert delayed.value.seconds == 9
    with pytest.raises(DeliveryDelayed):
        await notifier.deliver(owed())
    assert len(chat.telegram.calls) == 1, "the second was not even tried"
    await notifier.deliver(owed(chat=BOB))


async def test_a_chat_that_has_moved_is_followed(chat: Chat, notifier: TelegramNotifier) -> None:
    chat.telegram.script["sendMessage"] = [refused(400, "group chat was upgraded", migrate_to_chat_id=-1007)]
    await notifier.deliver(owed())
    assert [call.params["chat_id"] for call in chat.telegram.calls] == [ADA, -1007]


@pytest.mark.parametrize(
    "description", ["Bad Request: can't parse entities: x", "Bad Request: message is too long"]
)
async def test_what_telegram_cannot_read_as_html_arrives_as_plain_text(chat: Chat, description: str) -> None:
    chat.telegram.script["sendMessage"] = [refused(400, description)]
    await chat.link.out.send(ADA, Message("<b>A &amp; B</b>"))
    again = chat.telegram.calls[-1]
    assert again.text == "A & B"
    assert "parse_mode" not in again.params


async def test_calls_that_change_a_chat_keep_their_order_and_chats_do_not_wait_for_each_other(
    chat: Chat,
) -> None:
    class Slow:
        def __init__(self) -> None:
            self.order: list[tuple[int, int]] = []
            self.gate = asyncio.Event()

        async def edit_message_text(self, text: str, *, chat_id: int, message_id: int, **_: Any) -> None:
            if text == "first":
                await self.gate.wait()
            self.order.append((chat_id, message_id))

    bot: Any = Slow()
    out = Outgoing(bot)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(out.edit(ADA, 1, Message("first")))
        await asyncio.sleep(0)
        for number in (2, 3, 4):
            tasks.create_task(out.edit(ADA, number, Message("later")))
        await out.edit(BOB, 9, Message("elsewhere"))
        assert bot.order == [(BOB, 9)]
        bot.gate.set()
    assert bot.order == [(BOB, 9), (ADA, 1), (ADA, 2), (ADA, 3), (ADA, 4)]
