"""A key in the chat: asked for, deleted at once, tried, told about; and the accounts that come of it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.chat.application import Link, build
from bot.chat.notifier import TelegramNotifier
from bot.ports.errors import KeyRefused, Unavailable
from bot.ports.exchange import Offer, Permissions, Trial
from bot.ports.records import AccountState, Balance
from bot.ports.vault import NoCredentials
from bot.services.connecting import INVITED_FOR
from hedging.portfolio import Position
from tests.chat.conftest import ADA, BOB, Chat
from tests.chat.recording import Call, message, refused

D = Decimal
KEY, SECRET = "AbCdEf0123456789Gh", "z9Y8x7W6v5U4t3S2r1Q0z9Y8x7W6v5U4t3S2"
OTHER = "ZyXwVu9876543210Ab"
WRITTEN = f"{KEY}\n{SECRET}"
GOOD = Trial(Permissions(True, False, True), Balance(D(5000), D(4800)), False, ())
SHORT = Position("SOL/USDT:USDT", D(-3), D(150), D(150), 2, "cross", D(225), D(0), None)
BYBIT = Offer("bybit", "Bybit", ("live", "demo"), False)
WEEX = Offer("weex", "WEEX", ("live",), True)


@pytest.fixture
def venue(chat: Chat) -> Chat:
    """A chat with two exchanges on offer, of which one knows the key."""
    chat.market.on_offer = (BYBIT, WEEX)
    chat.market.trials = {KEY: GOOD}
    return chat


async def sent(chat: Chat, text: str, *, update: int | None = None, user: int = ADA) -> list[Call]:
    number = next(chat.numbers) if update is None else update
    return await chat.handle(message(number, user, text))


async def invited(chat: Chat, mode: str = "demo", exchange: str = "bybit") -> None:
    said = await chat.write(f"/connect {exchange} {mode}")
    assert "Now send me" in said.text


def methods(calls: list[Call]) -> list[str]:
    return [call.method for call in calls]


async def kept(chat: Chat, user: int = ADA) -> list[tuple[str, str, AccountState]]:
    return [(a.exchange, a.mode, a.state) for a in await chat.services.accounts.connected(user)]


async def test_three_taps_lead_from_the_list_over_the_guide_to_the_key(venue: Chat) -> None:
    asked = await venue.write("/connect")
    shown = venue.last_id()
    (guide,) = (c for c in await venue.tap(asked.data("Bybit"), shown) if c.method == "editMessageText")
    for word in (
        "Read-Write",
        "Orders",
        "Positions",
        "Withdrawal",
        "IP addresses",
        "90 days",
        "Demo Trading",
    ):
        assert word in guide.text
    (waits,) = (c for c in await venue.tap(guide.data("Demo"), shown) if c.method == "editMessageText")
    assert "Now send me the demo key of Bybit" in waits.text
    assert await venue.services.connecting.invited(ADA)


async def test_practising_at_the_prices_of_an_exchange_needs_no_key(venue: Chat) -> None:
    asked = await venue.write("/connect")
    shown = venue.last_id()
    (guide,) = (c for c in await venue.tap(asked.data("WEEX"), shown) if c.method == "editMessageText")
    (done,) = (c for c in await venue.tap(guide.data("Paper"), shown) if c.method == "editMessageText")
    assert "PAPER · WEEX prices" in done.text
    used = await venue.services.accounts.in_use(ADA)
    assert (used.exchange, used.mode) == ("weex", "paper")
    assert "PAPER · Bybit prices" in (await venue.write("/connect bybit paper")).text
    listed = await venue.write("/accounts")
    assert "Your rule trades on Bybit PAPER" in listed.text
    await venue.tap(listed.data("Use PAPER"), venue.last_id())
    assert (await venue.services.accounts.in_use(ADA)).exchange == "paper"


async def test_an_open_hedge_is_not_left_behind_for_other_prices(venue: Chat) -> None:
    await venue.write("SOL 100")
    card = await venue.write("/hedge")
    await venue.tap(card.data("Confirm"), venue.last_id())
    await venue.work()
    assert "Close it with /unhedge first" in (await venue.write("/connect bybit paper")).text
    assert (await venue.services.accounts.in_use(ADA)).exchange == "paper"


async def test_a_key_is_deleted_before_it_is_tried_and_told_about_in_one_message(venue: Chat) -> None:
    await invited(venue)
    calls = await sent(venue, WRITTEN)
    assert methods(calls) == ["deleteMessage", "sendMessage", "editMessageText"]
    assert "Trying the key" in calls[1].text
    outcome = calls[2].text
    assert "✅ Connected: 🧪 DEMO · Bybit: test money" in outcome
    assert "$5,000, $4,800 of it free" in outcome
    assert "Telegram has seen it" in outcome
    assert "From now on /hedge trades there" in outcome
    assert not any(KEY in str(call.params) or SECRET in str(call.params) for call in calls)
    assert (await venue.services.accounts.in_use(ADA)).exchange == "bybit"
    assert "DEMO · Bybit" in (await venue.write("/start")).text
    assert "Trades on Bybit DEMO" in (await venue.write("/rule")).text


async def test_the_deletion_comes_before_the_trial(venue: Chat) -> None:
    await invited(venue)
    seen: list[str] = []

    class Watching(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            seen.extend(call.method for call in venue.telegram.calls[-2:])
            return super().get(key, default)

    venue.market.trials = Watching(venue.market.trials)
    await sent(venue, WRITTEN)
    assert seen == ["deleteMessage", "sendMessage"]


@pytest.mark.parametrize(
    "written",
    [
        f"key: {KEY}\nsecret: {SECRET}",
        f"{KEY} {SECRET}",
        f'{{"apiKey": "{KEY}", "secret": "{SECRET}"}}',
        f"API Key\n{KEY}\n\nSecret Key\n{SECRET}",
        f"my bybit api key is {KEY} and the secret is {SECRET}",
        f"/connect {KEY} {SECRET}",
    ],
)
async def test_a_key_is_read_in_many_hands(venue: Chat, written: str) -> None:
    await invited(venue)
    calls = await sent(venue, written)
    assert calls[0].method == "deleteMessage"
    assert "✅ Connected" in calls[-1].text


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (KEY, "only one part"),
        (f"{KEY} {KEY}", "are the same"),
        (f"{KEY}\n****", "hidden behind"),
        ("hunter2", "no key in that"),
        (f"{KEY}\n{SECRET}\n{SECRET}x1", "more parts"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----", "private key file"),
    ],
)
async def test_what_is_no_whole_key_is_deleted_too_and_gets_one_sentence(
    venue: Chat, written: str, says: str
) -> None:
    await invited(venue)
    calls = await sent(venue, written)
    assert methods(calls) == ["deleteMessage", "sendMessage"]
    assert says in calls[1].text
    assert venue.market.tried == []
    assert "✅ Connected" in (await sent(venue, WRITTEN))[-1].text, "the next try is as good as the first"


async def test_the_third_part_is_asked_for_where_there_is_one(venue: Chat) -> None:
    await invited(venue, "live", "weex")
    assert "passphrase is missing" in (await sent(venue, WRITTEN))[-1].text
    assert "✅ Connected: 💵 LIVE · WEEX" in (await sent(venue, f"{WRITTEN}\nhedge2024"))[-1].text


async def test_coins_are_coins_also_while_a_key_is_waited_for(venue: Chat) -> None:
    await invited(venue)
    assert "Added 120 SOL" in (await venue.write("SOL 120")).text
    venue.market.away = True
    venue.clock.pass_(seconds=5)
    assert methods(await sent(venue, "ETH 2")) == ["deleteMessage", "sendMessage"], "when in doubt it goes"


async def test_a_picture_while_a_key_is_waited_for_may_show_it(venue: Chat) -> None:
    await invited(venue)
    photo = [{"file_id": "x", "file_unique_id": "y", "width": 1, "height": 1}]
    calls = await venue.handle(message(next(venue.numbers), ADA, None, photo=photo))
    assert methods(calls) == ["deleteMessage", "sendMessage"]


async def test_a_key_that_nobody_asked_for_is_deleted_and_to_be_rotated(venue: Chat) -> None:
    calls = await sent(venue, WRITTEN)
    assert methods(calls) == ["deleteMessage", "sendMessage"]
    assert "make a new key" in calls[1].text
    assert venue.market.tried == []


async def test_after_ten_minutes_the_key_is_deleted_unused(venue: Chat) -> None:
    await invited(venue)
    venue.clock.pass_(seconds=INVITED_FOR.total_seconds())
    calls = await sent(venue, WRITTEN)
    assert calls[0].method == "deleteMessage"
    assert "ten minutes are over" in calls[1].text
    assert venue.market.tried == []


async def test_whoever_stops_is_not_waited_for(venue: Chat) -> None:
    said = await venue.write("/connect bybit live")
    await venue.tap(said.data("Stop"), venue.last_id())
    assert "make a new key" in (await sent(venue, WRITTEN))[-1].text


async def test_a_restart_between_guide_and_key_is_not_noticed(venue: Chat) -> None:
    await invited(venue)
    link = Link("1:sandbox", "http://telegram.invalid", request=venue.telegram)
    shell = build(venue.services, link)
    await shell.start()
    await shell.handle_update(message(900, ADA, WRITTEN))
    assert "✅ Connected" in venue.telegram.calls[-1].text
    await shell.stop()


async def test_a_key_that_is_delivered_twice_has_one_outcome(venue: Chat) -> None:
    await invited(venue)
    await sent(venue, WRITTEN, update=700)
    number = (await venue.services.accounts.in_use(ADA)).key_number
    assert await sent(venue, WRITTEN, update=700) == [], "a finished update is passed over"
    await venue.store.forget_updates(before=venue.clock.now() + timedelta(days=1))
    again = await sent(venue, WRITTEN, update=700)  # as after a crash before it was finished
    assert methods(again) == ["deleteMessage"], "it is deleted once more, and nothing else happens"
    assert (await venue.services.accounts.in_use(ADA)).key_number == number
    assert venue.market.tried == [KEY]


async def test_a_handling_that_was_cut_off_goes_on_in_the_same_message(venue: Chat) -> None:
    await invited(venue)
    gone = refused(400, "Bad Request: message to delete not found")
    first = await venue.services.connecting.answer(ADA, by="update:700")
    assert first is not None
    await venue.services.connecting.shown(first, 55)  # the crash came while the key was tried
    venue.telegram.script["deleteMessage"] = [gone]
    calls = await sent(venue, WRITTEN, update=700)
    assert methods(calls) == ["deleteMessage", "editMessageText"]
    assert calls[1].params["message_id"] == 55
    assert "✅ Connected" in calls[1].text


async def test_a_message_that_cannot_be_deleted_has_its_key_not_used(venue: Chat) -> None:
    await invited(venue)
    venue.telegram.script["deleteMessage"] = [refused(400, "Bad Request: message can't be deleted")]
    calls = await sent(venue, WRITTEN)
    assert "could not delete" in calls[-1].text
    assert "make a new one" in calls[-1].text
    assert venue.market.tried == [] and await kept(venue) == []


async def test_a_deletion_that_telegram_does_not_take_now_is_owed_and_the_key_not_used(venue: Chat) -> None:
    await invited(venue)
    venue.telegram.script["deleteMessage"] = [refused(429, "Too Many Requests", retry_after=30)]
    assert methods(await venue.try_once(message(700, ADA, WRITTEN))) == ["deleteMessage"]
    assert venue.market.tried == []
    (owed,) = await venue.store.due(now=venue.clock.now())
    assert (owed.kind, owed.edit) == ("deletion", 1700)
    again = TelegramNotifier(Link("1:sandbox", "http://telegram.invalid", request=venue.telegram).out)
    assert await again.deliver(owed) == 1700
    assert venue.telegram.calls[-1].method == "deleteMessage"
    assert venue.telegram.calls[-1].params["message_id"] == 1700


@pytest.mark.parametrize(
    ("trial", "says"),
    [
        (KeyRefused("no"), "does not accept this key"),
        (Unavailable("no"), "cannot be reached"),
        (replace(GOOD, permissions=Permissions(True, True, True)), "can withdraw money"),
        (replace(GOOD, permissions=Permissions(False, False, True)), "may not trade futures"),
    ],
)
async def test_a_key_that_will_not_do_is_not_kept_and_another_may_follow(
    venue: Chat, trial: Trial | Exception, says: str
) -> None:
    venue.market.trials[OTHER] = trial
    await invited(venue)
    calls = await sent(venue, f"{OTHER}\n{SECRET}")
    assert methods(calls) == ["deleteMessage", "sendMessage", "editMessageText"]
    assert says in calls[2].text
    assert await kept(venue) == []
    assert "✅ Connected" in (await sent(venue, WRITTEN))[-1].text


async def test_what_is_worth_knowing_about_a_key_is_told(venue: Chat) -> None:
    venue.market.trials[KEY] = Trial(
        Permissions(True, None, False), Balance(D(0), D(0)), True, (SHORT, replace(SHORT, contracts=D(2)))
    )
    await invited(venue)
    outcome = (await sent(venue, WRITTEN))[-1].text
    for words in (
        "no money in its futures account",
        "works from every address",
        "does not tell whether a key can withdraw",
        "longs and shorts side by side",
        "short SOL, long SOL. It counts towards your coverage",
    ):
        assert words in outcome


async def test_real_money_is_used_only_after_a_tap_that_says_so(venue: Chat) -> None:
    await venue.write("SOL 100")
    await invited(venue, "live")
    calls = await sent(venue, WRITTEN)
    assert "Nothing trades there yet: your rule still uses PAPER" in calls[-1].text
    assert "PAPER" in (await venue.write("/hedge")).text
    button = next(b for b in calls[-1].buttons if b["text"].startswith("Use"))
    assert button["text"] == "Use Bybit: real money" and button["style"] == "danger"
    await venue.tap(button["callback_data"], venue.last_id())
    assert "💵 LIVE · Bybit: real money" in (await venue.write("/hedge")).text


async def test_a_card_of_the_account_before_is_not_sent_any_more(venue: Chat) -> None:
    await venue.write("SOL 100")
    card = await venue.write("/hedge")
    shown = venue.last_id()
    await invited(venue)
    await sent(venue, WRITTEN)
    answer = await venue.tap(card.data("Confirm"), shown)
    assert "You use another account now" in answer[-1].text
    assert "DEMO" in answer[-1].text
    assert venue.exchange.placed == []


async def test_the_rule_stays_where_a_hedge_is_open(venue: Chat) -> None:
    await venue.write("SOL 100")
    card = await venue.write("/hedge")
    await venue.tap(card.data("Confirm"), venue.last_id())
    await venue.work()
    await invited(venue)
    assert "because a hedge is open there" in (await sent(venue, WRITTEN))[-1].text
    listed = await venue.write("/accounts")
    assert "Your rule trades on PAPER" in listed.text and "1 short open: SOL" in listed.text
    answer = (await venue.tap(listed.data("Use Bybit DEMO"), venue.last_id()))[0]
    assert "A hedge is open on PAPER. Close it with /unhedge first" in answer.text


async def test_accounts_are_listed_and_chosen_by_their_owner_alone(venue: Chat) -> None:
    await invited(venue)
    await sent(venue, WRITTEN)
    listed = await venue.write("/accounts")
    assert "Your rule trades on Bybit DEMO" in listed.text
    use = listed.data("Use PAPER")
    answer = (await venue.tap(use, venue.last_id(), BOB))[0]
    assert "somebody else" in answer.text
    calls = await venue.tap(use, venue.last_id())
    assert calls[0].text == "Now used: PAPER"
    assert "Your rule trades on PAPER" in calls[1].text


async def test_disconnecting_asks_first_and_forgets_the_key(venue: Chat) -> None:
    assert "No exchange is connected" in (await venue.write("/disconnect")).text
    await invited(venue)
    await sent(venue, WRITTEN)
    account = await venue.services.accounts.in_use(ADA)
    asked = await venue.write("/disconnect")
    await venue.tap(asked.data("Keep"), venue.last_id())
    assert (await kept(venue))[0][2] is AccountState.ACTIVE
    calls = await venue.tap(asked.data("Disconnect"), venue.last_id())
    assert "Bybit DEMO is disconnected" in calls[0].text and "trades on PAPER" in calls[0].text
    assert await kept(venue) == []
    with pytest.raises(NoCredentials):
        await venue.vault.open(account)


async def test_an_open_hedge_is_to_be_closed_before_its_key_is_forgotten(venue: Chat) -> None:
    await venue.write("SOL 100")
    await invited(venue)
    await sent(venue, WRITTEN)
    card = await venue.write("/hedge")
    await venue.tap(card.data("Confirm"), venue.last_id())
    await venue.work()
    asked = await venue.write("/disconnect")
    assert "A hedge is open on Bybit DEMO" in asked.text
    (closing,) = (
        c
        for c in await venue.tap(asked.data("Close the hedge"), venue.last_id())
        if c.method == "sendMessage"
    )
    assert "Buy back 50 SOL" in closing.text
    anyway = (await venue.tap(asked.data("Disconnect anyway"), venue.last_id()))[0]
    assert "stays open, and I do not watch it any more" in anyway.text


async def test_without_a_master_key_nothing_is_asked_for(venue: Chat) -> None:
    venue.vault.locked = "there is none"
    assert "I cannot keep keys safe here yet" in (await venue.write("/connect")).text
    assert "I cannot keep keys safe here yet" in (await venue.tap("cn:bybit:live"))[-1].text
    assert not await venue.services.connecting.invited(ADA)


async def test_a_master_key_that_goes_missing_meanwhile_keeps_nothing(venue: Chat) -> None:
    await invited(venue)
    venue.vault.locked = "there is none"
    assert "I cannot keep keys safe here yet" in (await sent(venue, WRITTEN))[-1].text
    assert await kept(venue) == []


@pytest.mark.parametrize("text", ["/connect kraken", "/connect kraken live", "/connect weex demo"])
async def test_what_cannot_be_connected_gets_one_sentence(venue: Chat, text: str) -> None:
    said = await venue.write(text)
    assert "do not know this exchange" in said.text or "WEEX has no test money" in said.text
