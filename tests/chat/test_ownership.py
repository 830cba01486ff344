"""Nothing of one person is reached by another, whatever they tap, and nothing at all from a group."""

import pytest

from bot.chat.commands import COMMANDS, TAPS
from tests.chat.conftest import ADA, BOB, Chat
from tests.chat.recording import message, tap

GROUP = -100


async def hedged_and_alerted(chat: Chat) -> dict[str, str]:
    """Ada has a card and an alert; for every kind of button its data as she got it."""
    await chat.write("/add SOL 100")
    card = await chat.write("/hedge")
    await chat.tap(card.data("Confirm"), chat.last_id())
    await chat.work()
    await chat.write("/add SOL 100")
    chat.clock.pass_(seconds=60)
    await chat.services.watch.tick(60)
    await chat.work()
    alert = chat.telegram.of("sendMessage")[-1]
    fresh = await chat.write("/hedge")
    number = fresh.data("Confirm").removeprefix("ok:")
    return {
        "go": "go:hedge",
        "r": "r:t:100",
        "st": "st:close",
        "ok": f"ok:{number}",
        "ch": f"ch:{number}",
        "no": f"no:{number}",
        "tg": f"tg:{number}:100",
        "lv": f"lv:{number}:5",
        "bd": f"bd:{number}:5",
        "pr": f"pr:{number}",
        "hq": "hq:100:1",
        "rb": alert.data("Rebalance"),
        "sn": alert.data("Snooze"),
        "dt": alert.data("Details"),
        "cn": "cn:list",
        "ac": f"ac:gone:{(await chat.services.accounts.in_use(ADA)).id}:0",
        "kp": alert.data("Snooze").replace("sn:", "kp:"),
        "pm": "pm:give:both:quarter",
        "un": f"un:{number}",
        "al": alert.data("More").replace("more", "mute"),
    }


async def _state(chat: Chat) -> object:
    """All of Ada that a tap could change."""
    return (
        await chat.store.holdings(ADA),
        await chat.store.rule(ADA),
        await chat.store.live_alerts(ADA),
        await chat.store.latest_proposals(ADA),
        dict(chat.exchange.held),
    )


@pytest.mark.fault(9)
async def test_every_kind_of_button_is_refused_when_another_taps_it_in_its_owners_chat(chat: Chat) -> None:
    buttons = await hedged_and_alerted(chat)
    assert set(buttons) == set(TAPS), "a new kind of button needs its line above"
    before = await _state(chat)
    for kind, data in buttons.items():
        calls = await chat.tap(data, 101, BOB, chat=ADA)
        assert [call.method for call in calls] == ["answerCallbackQuery"], kind
        assert calls[0].text == "This button belongs to somebody else's chat.", kind
    await chat.work()
    assert await _state(chat) == before


async def test_the_id_of_anothers_card_is_worth_nothing_in_ones_own_chat(chat: Chat) -> None:
    buttons = await hedged_and_alerted(chat)
    before = await _state(chat)
    for kind in ("ok", "ch", "no", "tg", "lv", "bd", "pr", "rb", "sn", "dt", "kp", "al", "un", "ac"):
        calls = await chat.tap(buttons[kind], 101, BOB)
        assert [call.method for call in calls] == ["answerCallbackQuery"], kind
        assert "somebody else" in calls[0].text, kind
        assert calls[0].params["show_alert"] is True
    await chat.work()
    assert await _state(chat) == before


@pytest.mark.fault(10)
@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
async def test_a_command_in_a_group_gets_one_sentence_and_no_data(chat: Chat, command: str) -> None:
    await chat.write("/add SOL 100")
    calls = await chat.handle(message(500, ADA, f"/{command}", chat=GROUP, kind="group"))
    (said,) = calls
    assert said.params["chat_id"] == GROUP
    assert said.text.startswith("I only work in private chats")
    assert "SOL" not in said.text


@pytest.mark.fault(10)
@pytest.mark.parametrize("kind", ["group", "supergroup", "channel"])
async def test_a_tap_anywhere_but_in_a_private_chat_is_refused(chat: Chat, kind: str) -> None:
    buttons = await hedged_and_alerted(chat)
    before = await _state(chat)
    for number, data in enumerate(buttons.values()):
        (answer,) = await chat.handle(tap(900 + number, ADA, 5, data, chat=GROUP, kind=kind))
        assert answer.method == "answerCallbackQuery"
        assert "private chats" in answer.text
    assert await _state(chat) == before


async def test_words_in_a_group_are_left_unanswered(chat: Chat) -> None:
    assert await chat.handle(message(500, ADA, "SOL 120", chat=GROUP, kind="group")) == []
    assert await chat.store.holdings(ADA) == ()


async def test_a_group_that_adds_the_bot_is_told_once(chat: Chat) -> None:
    def member(status: str) -> dict[str, object]:
        return {"user": {"id": 1, "is_bot": True, "first_name": "Hedgehog"}, "status": status}

    change = {
        "chat": {"id": GROUP, "type": "group", "title": "A group"},
        "from": {"id": ADA, "is_bot": False, "first_name": "Ada"},
        "date": 1,
        "old_chat_member": member("left"),
        "new_chat_member": member("member"),
    }
    (said,) = await chat.handle({"update_id": 700, "my_chat_member": change})
    assert said.params["chat_id"] == GROUP
    assert "private chats" in said.text


@pytest.mark.parametrize(
    "data",
    [
        "ok:aaaaaaaaaaaaaaaa",  # never given out
        "ok:",
        "ok",
        "ok:a:b",
        "tg:aaaaaaaaaaaaaaaa:75",
        "go:nowhere",
        "go",
        "r:t:abc",
        "r:x:5",
        "r:t",
        "rb:abc",
        "rb:99999",
        "sn:999999999999999999999",
        "kp:0",
        "al:more:abc",
        "al:seen:99999",
        "al:k:everything",
        "al:quiet:maybe",
        "al:list",
        "pm:give:everything:nothing",
        "pm:give:both",
        "un:aaaaaaaaaaaaaaaa",
        "st:",
        "zz:1",
        "",
        "'; DROP TABLE proposal",
    ],
)
async def test_an_unknown_or_forged_button_gets_a_clear_toast_and_changes_nothing(
    chat: Chat, data: str
) -> None:
    await chat.write("/add SOL 100")
    before = await _state(chat)
    calls = await chat.tap(data)
    (answer,) = [call for call in calls if call.method == "answerCallbackQuery"]
    assert len(answer.text) > 20
    assert await _state(chat) == before


async def test_values_that_no_button_carries_are_refused(chat: Chat) -> None:
    await chat.write("/add SOL 100")
    card = await chat.write("/hedge")
    number = card.data("Confirm").removeprefix("ok:")
    for data in (f"tg:{number}:900", f"lv:{number}:99", f"bd:{number}:0", "go:t:1000", "r:t:900", "r:l:0"):
        calls = await chat.tap(data)
        assert [call.method for call in calls] == ["answerCallbackQuery"], data
        assert calls[0].params["show_alert"] is True
    assert await chat.store.rule(ADA) is None
