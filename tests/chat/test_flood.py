"""One chat writes a lot, or a tap is long on its way: what people read then, over the real shell and store."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.chat.desk import Newest
from bot.services.inbox import Allowance
from bot.services.inbox.inbox import A_LOT
from tests.chat.conftest import ADA, BOB, Chat
from tests.chat.recording import Json, message, tap

LONG = timedelta(minutes=3)


async def take_all(chat: Chat, updates: list[Json]) -> None:
    """As one batch of polling brings them; until all are over."""
    await chat.shell._take_batch(updates, chat.clock.now())
    while len(chat.services.inbox._fair):
        await asyncio.wait(chat.services.inbox._fair._tasks)


def said_to(chat: Chat, user: int) -> list[str]:
    return [call.text for call in chat.telegram.of("sendMessage") if call.params["chat_id"] == user]


@pytest.mark.fault(60)
async def test_a_flood_of_questions_gets_one_sentence_and_the_last_answers(chat: Chat) -> None:
    await take_all(chat, [message(n, ADA, "/ping") for n in range(100)])
    first, *others = said_to(chat, ADA)
    assert first.startswith("One moment, I have 100 of your messages.")
    assert others == ["pong"] * A_LOT


@pytest.mark.fault(60)
async def test_whatever_a_flood_changes_is_done_once_and_in_order(chat: Chat) -> None:
    adds = [message(n, ADA, "/add SOL 1") for n in range(59)]
    await take_all(chat, [*adds, message(59, ADA, "/remove SOL 9")])
    assert {h.asset: h.amount for h in await chat.store.holdings(ADA)} == {"SOL": Decimal(50)}
    assert len(said_to(chat, ADA)) == 1 + A_LOT


@pytest.mark.fault(60)
async def test_another_is_answered_between_two_messages_of_a_flood(chat: Chat) -> None:
    flood = [message(n, ADA, "/add SOL 1") for n in range(60)]
    await take_all(chat, [*flood, message(60, BOB, "/ping")])
    order = [call.params["chat_id"] for call in chat.telegram.of("sendMessage")]
    assert order.index(BOB) <= 2


async def test_somebody_new_who_writes_much_at_once_is_stored_once(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[int] = []
    real = type(chat.store).ensure_user

    async def counted(store: Any, user: Any) -> Any:
        stored.append(user.id)
        return await real(store, user)

    monkeypatch.setattr(type(chat.store), "ensure_user", counted)
    await take_all(chat, [message(n, ADA, "/ping") for n in range(10)])
    await take_all(chat, [message(10, ADA, "/ping")])
    assert stored == [ADA]
    await chat.store.suspend(ADA)
    await take_all(chat, [message(11, ADA, "/ping")])
    assert stored == [ADA, ADA], "who had blocked the bot and writes again is found again"


@pytest.mark.fault(60, 66)
async def test_a_key_in_the_midst_of_a_flood_is_deleted_and_its_owner_told(chat: Chat) -> None:
    key = message(30, ADA, "a" * 40 + "7" * 40)
    await take_all(
        chat,
        [
            *(message(n, ADA, "/ping") for n in range(30)),
            key,
            *(message(n, ADA, "hi") for n in range(31, 90)),
        ],
    )
    (deleted,) = chat.telegram.of("deleteMessage")
    assert deleted.params["message_id"] == 1030
    assert any("make a new key" in said for said in said_to(chat, ADA))


@pytest.mark.fault(60)
async def test_what_is_costly_is_refused_with_one_sentence_when_it_is_too_much(chat: Chat) -> None:
    # None comes back meanwhile, however slow the test is.
    chat.shell._desk._allowance = Allowance(most=20, every=3600)
    await chat.write("/add SOL 100")
    said = [(await chat.handle(message(100 + n, ADA, "/hedge"))) for n in range(25)]
    texts = [call.text for calls in said for call in calls if call.method == "sendMessage"]
    refusals = [text for text in texts if text.startswith("That was a lot at once. Please wait")]
    assert len(texts) - len(refusals) == 20
    assert len(refusals) == 1
    assert "pong" in (await chat.write("/ping")).text, "what costs little is answered"
    assert "Added" in (await chat.write("/add SOL 1", user=BOB)).text


async def carded(chat: Chat) -> tuple[str, int]:
    await chat.write("/add SOL 100")
    card = await chat.write("/hedge")
    return card.data("Confirm"), chat.last_id()


async def tapped(chat: Chat, data: str, shown: int, since: datetime | None) -> list[Any]:
    chat.shell._newest = Newest(since)
    calls = await chat.try_once(tap(next(chat.numbers), ADA, shown, data))
    await chat.work()
    return calls


@pytest.mark.fault(60)
@pytest.mark.parametrize("since", [LONG, None])
async def test_a_tap_that_waited_long_or_for_an_unknown_time_sends_nothing_and_shows_a_fresh_card(
    chat: Chat, since: timedelta | None
) -> None:
    data, shown = await carded(chat)
    calls = await tapped(chat, data, shown, chat.clock.now() - since if since else None)
    assert chat.exchange.placed == []
    (edited,) = [call for call in calls if call.method == "editMessageText"]
    assert "nothing was sent" in edited.text
    assert ("Your tap took up to 3 minutes to reach me" in edited.text) is (since is not None)
    assert edited.data("Confirm") != data
    await tapped(chat, edited.data("Confirm"), shown, chat.clock.now())
    assert len(chat.exchange.placed) == 1, "the tap on the fresh card is sent"


@pytest.mark.fault(60)
async def test_a_tap_that_waited_less_than_two_minutes_is_sent(chat: Chat) -> None:
    data, shown = await carded(chat)
    await tapped(chat, data, shown, chat.clock.now() - timedelta(seconds=119))
    assert len(chat.exchange.placed) == 1


@pytest.mark.fault(60)
async def test_an_old_tap_on_an_alerts_remedy_shows_a_card(chat: Chat) -> None:
    data, shown = await carded(chat)
    await tapped(chat, data, shown, chat.clock.now())
    await chat.write("/add SOL 100")
    chat.clock.pass_(seconds=60)
    await chat.services.watch.tick(60)
    await chat.work()
    alert, orders = chat.telegram.of("sendMessage")[-1], len(chat.exchange.placed)
    calls = await tapped(chat, alert.data("Rebalance"), chat.last_id(), chat.clock.now() - LONG)
    assert len(chat.exchange.placed) == orders
    assert "nothing was sent" in calls[-1].text


NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
A_TAP = tap(50, ADA, 1, "ok:x")


@pytest.mark.fault(60)
def test_a_tap_is_not_older_than_what_telegram_had_given_out_before() -> None:
    assert Newest().since(50, A_TAP, None) is None
    assert Newest(emptied=NOW).since(50, A_TAP, None) == NOW


@pytest.mark.fault(60)
def test_a_tap_is_not_older_than_the_message_that_it_is_on() -> None:
    shown = NOW + timedelta(minutes=1)
    assert Newest(emptied=NOW).since(50, A_TAP, shown) == shown


@pytest.mark.fault(60)
def test_a_tap_is_not_older_than_a_message_with_a_lower_number() -> None:
    newest = Newest()
    newest.since(49, message(49, BOB, "/ping", date=int(NOW.timestamp())), None)
    assert newest.since(50, A_TAP, None) == NOW
    assert newest.since(48, A_TAP, None) is None, "it came before that message"
