"""The shell: an update is handled once and to its end, whatever happens on the way."""

import asyncio
import logging
from decimal import Decimal
from typing import Any

import pytest
from telegram.error import InvalidToken, NetworkError

from bot.chat import guard
from bot.chat.application import ALLOWED_UPDATES, Link, build
from bot.chat.polling import TokenRefused
from bot.chat.request import NotSent
from bot.ports.errors import NotWritable, Unavailable
from tests.chat.conftest import ADA, BOB, Chat
from tests.chat.recording import RecordingRequest, message, refused, tap


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
async def test_an_update_cut_off_before_its_end_takes_effect_once_when_it_comes_again(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(_: int) -> None:
        raise Unavailable("the database is away")

    update = message(7, ADA, "/add SOL 100")
    with monkeypatch.context() as patched:
        patched.setattr(type(chat.services.people), "finish_update", lambda _, number: dies(number))
        with pytest.raises(Unavailable):
            await chat.shell.handle_update(update)
    chat.shell._answered.clear()  # another life of the process
    assert len(await chat.handle(update)) == 1, "answered again, because nobody knows whether it was read"
    assert await held(chat) == {"SOL": 100}


async def test_an_update_whose_end_cannot_be_noted_is_answered_once_however_often_it_comes(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> None:
        raise NotWritable("the disk is full")

    update = message(7, ADA, "/add SOL 100")
    with monkeypatch.context() as patched:
        patched.setattr(type(chat.services.people), "finish_update", full)
        for _ in range(3):
            with pytest.raises(NotWritable):
                await chat.shell.handle_update(update)
    assert await chat.handle(update) == []
    assert len(chat.telegram.of("sendMessage")) == 1
    assert await chat.store.update_done(7)
    assert not chat.shell._answered


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
    assert await chat.services.people.update_done(7)


async def test_an_update_that_cannot_be_read_is_logged_and_over(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert await chat.handle({"update_id": 7, "message": {"chat": "nonsense"}}) == []
    assert "update 7 cannot be read" in caplog.text
    assert await chat.services.people.update_done(7)


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
        assert await chat.services.people.update_done(number)


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


async def test_a_chat_that_is_told_to_wait_long_goes_unanswered_and_holds_up_nobody(chat: Chat) -> None:
    chat.telegram.script["sendMessage"] = [refused(429, "Too Many Requests", retry_after=30)]
    assert len(await chat.handle(message(7, ADA, "/ping"))) == 1
    assert await chat.handle(message(8, ADA, "/ping")) == [], (
        "not even asked: the thirty seconds are not over"
    )
    assert len(await chat.handle(message(9, BOB, "/ping"))) == 1
    assert await chat.services.people.update_done(8)


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

    async def slow(people: Any, user_id: int, chat_id: int, name: str) -> Any:
        if user_id == ADA and not gate.is_set():
            await gate.wait()
        order.append(user_id)
        return await real(people, user_id, chat_id, name)

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
