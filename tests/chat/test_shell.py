"""The shell: an update is handled once and to its end, whatever happens on the way."""

import asyncio
import logging
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from telegram.error import InvalidToken, NetworkError

from bot import metrics
from bot.chat import guard
from bot.chat.application import ALLOWED_UPDATES, Link, build
from bot.chat.polling import TokenRefused
from bot.chat.request import NotSent
from bot.chat.texts import NOT_WRITABLE
from bot.ports.errors import NotWritable, Unavailable
from bot.services.inbox import Inbox, commits
from tests.chat.conftest import ADA, BOB, Chat
from tests.chat.recording import RecordingRequest, message, refused, tap
from tests.fakes.database import is_over


def counted(outcome: str) -> float:
    return float(metrics.UPDATES.labels(outcome)._value.get())


async def held(chat: Chat, user: int = ADA) -> dict[str, Decimal]:
    return {holding.asset: holding.amount for holding in await chat.store.holdings(user)}


@pytest.mark.fault(6)
async def test_an_update_delivered_twice_takes_effect_and_is_answered_once(chat: Chat) -> None:
    update = message(7, ADA, "/add SOL 100")
    assert len(await chat.handle(update)) == 1
    assert await chat.handle(update) == []
    assert await held(chat) == {"SOL": 100}


async def test_the_same_update_twice_at_once_takes_effect_once(chat: Chat) -> None:
    update = message(7, ADA, "/add SOL 100")
    await asyncio.gather(*(chat.shell.handle_update(update) for _ in range(5)))
    assert len(chat.telegram.of("sendMessage")) == 1
    assert await held(chat) == {"SOL": 100}


@pytest.mark.fault(1)
async def test_an_update_cut_off_before_its_end_takes_effect_once_in_the_next_life(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was stored and confirmed: Telegram does not bring it again."""

    with monkeypatch.context() as patched:
        patched.setattr(type(chat.services.inbox._commits), "end", lambda *_, **__: None)
        assert len(await chat.try_once(message(7, ADA, "/add SOL 100"))) == 1
    next_life = build(replace(chat.services, inbox=Inbox(chat.store, chat.store, chat.clock)), chat.link)
    await next_life.start()
    async with asyncio.timeout(10):
        while not await is_over(chat.store, 7):  # noqa: ASYNC110 - a row tells no event
            await asyncio.sleep(0.01)
    assert len(chat.telegram.of("sendMessage")) == 2, "nobody knows whether the first answer was read"
    assert await held(chat) == {"SOL": 100}
    await next_life.stop()


async def test_an_update_whose_end_cannot_be_noted_is_answered_once_and_noted_later(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "TRY_AGAIN_AFTER", 0.01)
    real, failures = type(chat.store).settle_updates, iter([NotWritable("the disk is full")] * 3)

    async def full(store: Any, taken: Any, ended: Any, **more: Any) -> Any:
        for failure in failures if ended else ():
            raise failure
        return await real(store, taken, ended, **more)

    monkeypatch.setattr(type(chat.store), "settle_updates", full)
    update = message(7, ADA, "/add SOL 100")
    await chat.handle(update)
    assert await is_over(chat.store, 7)
    assert await chat.handle(update) == []
    assert len(chat.telegram.of("sendMessage")) == 1


async def test_what_cannot_be_stored_is_not_taken_for_stored(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise Unavailable("somebody else has it")

    update = message(7, ADA, "/add SOL 100")
    with monkeypatch.context() as patched:
        patched.setattr(type(chat.store), "settle_updates", away)
        with pytest.raises(Unavailable):
            await chat.shell.take_update(update)
    assert chat.telegram.calls == []
    assert len(await chat.handle(update)) == 1


async def test_where_nothing_can_be_written_down_its_person_hears_so_and_nothing_is_changed(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise NotWritable("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(type(chat.store._database), "write", full)
        await chat.shell.take_update(message(7, ADA, "/add SOL 100"))
        while chat.shell._inbox._fair.ids:  # noqa: ASYNC110 # there is nothing here to be woken by
            await asyncio.sleep(0)
    assert [call.text for call in chat.telegram.calls] == [NOT_WRITABLE]
    assert not await chat.store.holdings(ADA)


async def test_an_unforeseen_failure_is_named_in_the_log_and_to_its_person_and_the_update_is_over(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(*_: Any) -> None:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr(type(chat.services.status), "view", breaks)
    with caplog.at_level(logging.ERROR):
        (said,) = await chat.handle(message(7, ADA, "/status"))
    assert "noted as E7" in said.text
    assert "unforeseen" not in said.text
    (record,) = [r for r in caplog.records if "E7" in r.getMessage()]
    assert record.exc_info
    assert await is_over(chat.store, 7)


@pytest.mark.fault(62)
@pytest.mark.parametrize(
    "odd",
    [
        {"message": {"chat": "nonsense"}},
        {"message": None},
        {"message": []},
        {
            "message": {
                "message_id": 1,
                "date": 1,
                "chat": {"id": ADA, "type": "private"},
                "text": "/add SOL 1",
            }
        },
        {"message": {"message_id": "1", "chat": {"id": ADA, "type": "private"}, "from": {"id": ADA}}},
        {
            "message": {
                "message_id": 1,
                "chat": {"id": ADA, "type": "private"},
                "from": {"id": True},
                "text": "x",
            }
        },
        {"channel_post": {"message_id": 1, "chat": {"id": -5, "type": "channel"}, "text": "/add SOL 1"}},
        {
            "edited_message": {
                "message_id": 1,
                "chat": {"id": ADA},
                "from": {"id": 2**80},
                "text": "/add SOL 1",
            }
        },
        {"callback_query": {"id": "1", "data": "ok:x"}},
        {"callback_query": {"id": 1, "from": {"id": ADA}, "data": {"deep": []}}},
        {"my_chat_member": {"chat": {"id": -5}}},
        {"something_new": {"text": "/add SOL 1"}},
    ],
)
async def test_an_odd_update_is_counted_and_passed(chat: Chat, odd: dict[str, Any]) -> None:
    before = counted("odd")
    assert await chat.handle({"update_id": 7, **odd}) == []
    assert await is_over(chat.store, 7)
    assert counted("odd") == before + 1
    assert len(await chat.handle(message(8, ADA, "/ping"))) == 1


@pytest.mark.fault(62)
async def test_an_update_nested_too_deeply_to_be_kept_is_passed(chat: Chat) -> None:
    deep: Any = "/add SOL 1"
    for _ in range(5_000):
        deep = {"reply_to_message": deep}
    assert await chat.handle({"update_id": 7, "message": deep}) == []
    assert len(await chat.handle(message(8, ADA, "/ping"))) == 1


@pytest.mark.fault(62)
async def test_a_tap_on_a_message_that_nobody_knows_any_more_gets_its_sentence(chat: Chat) -> None:
    update = tap(7, ADA, 1, "ok:x")
    del update["callback_query"]["message"]
    (answer,) = await chat.handle(update)
    assert answer.text == "This button is no longer in use. Send /status to see where things stand."


@pytest.mark.parametrize("update", [{}, {"update_id": "7"}, {"message": {}}])
async def test_what_is_no_update_at_all_is_refused(chat: Chat, update: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="number"):
        await chat.shell.handle_update(update)


async def test_kinds_of_updates_that_nobody_asked_for_are_over_without_an_answer(chat: Chat) -> None:
    poll = {"id": "1", "question": "?", "options": [], "total_voter_count": 0, "is_closed": False}
    poll |= {"is_anonymous": True, "type": "regular", "allows_multiple_answers": False}
    unasked: list[dict[str, Any]] = [{"poll": poll}, {"something_new": {}}, {}]
    for number, update in enumerate(unasked, start=50):
        assert await chat.handle({"update_id": number, **update}) == []
        assert await is_over(chat.store, number)


async def test_a_telegram_that_is_away_is_waited_for_and_the_answer_still_comes(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_FIRST_PAUSE", 0.001)
    chat.telegram.script["sendMessage"] = [
        NotSent("away"),
        NetworkError("broken"),
        refused(500, "Internal"),
        None,
    ]
    calls = await chat.handle(message(7, ADA, "/add SOL 100"))
    assert len(calls) == 4
    assert "Added 100 SOL" in calls[-1].text
    assert await held(chat) == {"SOL": 100}, "tried four times, added once"


@pytest.mark.fault(61)
@pytest.mark.parametrize(
    "failure", [refused(429, "Too Many Requests", retry_after=1), refused(500, "Internal"), NotSent("away")]
)
async def test_an_answer_that_telegram_does_not_take_is_owed_and_holds_up_nobody(
    chat: Chat, failure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_FIRST_PAUSE", 0.4)
    chat.telegram.script["sendMessage"] = [failure]
    assert len(await chat.try_once(message(7, ADA, "/ping"))) == 1
    assert await chat.try_once(message(8, ADA, "/help")) == [], "it waits for its chat"
    assert not chat.services.inbox._fair._tasks, "nobody sits and waits for that chat"
    assert len(await chat.handle(message(9, BOB, "/ping"))) == 1
    await chat.services.inbox.ended(8)
    assert [call.text for call in chat.telegram.of("sendMessage")[2:]] == [
        "pong",
        chat.telegram.calls[-1].text,
    ], "in their order"


async def test_somebody_who_blocked_the_bot_costs_one_call_and_no_alarm(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    chat.telegram.script["sendMessage"] = [refused(403, "Forbidden: bot was blocked by the user")]
    with caplog.at_level(logging.WARNING):
        assert len(await chat.handle(message(7, ADA, "/ping"))) == 1
    assert not caplog.records


async def test_the_services_failures_become_sentences(chat: Chat) -> None:
    assert "not told me yet" in (await chat.write("/hedge")).text
    chat.market.away = True
    chat.clock.pass_(seconds=5)
    assert "cannot read the market" in (await chat.write("/portfolio")).text


async def test_updates_of_one_chat_keep_their_order_and_other_chats_do_not_wait(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, order = asyncio.Event(), []
    real = type(chat.services.people).meet

    async def slow(people: Any, user_id: int, chat_id: int, name: str, known: Any, **more: Any) -> Any:
        if user_id == ADA and not gate.is_set():
            await gate.wait()
        order.append(user_id)
        return await real(people, user_id, chat_id, name, known, **more)

    monkeypatch.setattr(type(chat.services.people), "meet", slow)
    async with asyncio.TaskGroup() as tasks:
        for number in (1, 2, 3):
            tasks.create_task(chat.shell.handle_update(message(number, ADA, "/ping")))
        await chat.shell.handle_update(message(4, BOB, "/ping"))
        assert order == [BOB]
        gate.set()
    assert order == [BOB, ADA, ADA, ADA]


async def test_start_tells_telegram_the_commands_and_limits_the_updates(chat: Chat) -> None:
    telegram = RecordingRequest()
    shell = build(chat.services, Link("1:sandbox", "http://telegram.invalid", request=telegram))
    await shell.start(webhook_url="https://example.org/webhook", webhook_secret="a-secret")
    assert shell.ready
    (menu,) = telegram.of("setMyCommands")
    names = [command["command"] for command in menu.params["commands"]]
    assert names == [
        "start",
        "add",
        "remove",
        "portfolio",
        "rule",
        "hedge",
        "unhedge",
        "status",
        "alerts",
        "permission",
        "pause",
        "resume",
        "panic",
        "connect",
        "accounts",
        "disconnect",
        "help",
    ]
    (hook,) = telegram.of("setWebhook")
    assert hook.params["allowed_updates"] == list(ALLOWED_UPDATES)
    assert hook.params["secret_token"] == "a-secret"
    await shell.stop()


async def test_a_refused_token_ends_the_start_with_a_sentence_that_does_not_tell_it(chat: Chat) -> None:
    telegram = RecordingRequest()
    telegram.script["getMe"] = [refused(401, "Unauthorized")]
    shell = build(chat.services, Link("1:wrong", "http://telegram.invalid", request=telegram))
    with pytest.raises(TokenRefused) as refusal:
        await shell.run_polling(asyncio.Event())
    assert "HEDGEHOG_TOKEN" in str(refusal.value)
    assert "1:wrong" not in str(refusal.value)
    assert not isinstance(refusal.value.__context__, InvalidToken) or refusal.value.__suppress_context__


async def test_a_start_without_telegram_waits_and_says_so_once(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    telegram = RecordingRequest()
    telegram.script["getMe"] = [NotSent("away"), NotSent("away"), None]
    shell = build(chat.services, Link("1:sandbox", "http://telegram.invalid", request=telegram))
    with caplog.at_level(logging.WARNING):
        await shell.start()
    assert len([r for r in caplog.records if "Telegram is away" in r.getMessage()]) == 1
    await shell.stop()


async def test_a_tap_that_takes_long_is_answered_before_its_outcome_is_known(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_ANSWER_AFTER", 0.01)
    await chat.write("/add SOL 100")
    card = await chat.write("/hedge")
    shown, answered = chat.last_id(), asyncio.Event()
    real = type(chat.market).snapshot

    async def slow(market: Any) -> Any:
        while not chat.telegram.of("answerCallbackQuery"):  # noqa: ASYNC110 - a list tells no event
            await asyncio.sleep(0.005)
        answered.set()
        return await real(market)

    monkeypatch.setattr(type(chat.market), "snapshot", slow)
    await chat.handle(tap(70, ADA, shown, card.data("Confirm")))
    assert answered.is_set()
    assert len(chat.telegram.of("answerCallbackQuery")) == 1
