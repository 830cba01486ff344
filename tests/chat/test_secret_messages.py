"""A key is deleted wherever in a message somebody wrote it, and nothing else is taken for one."""

from typing import Any

import pytest

from tests.chat.conftest import ADA, Chat
from tests.chat.recording import message

KEY = "9dQ2" * 16
FILE = {"file_id": "BQACAgIAAxkBAAIB" + "x1" * 30, "file_unique_id": "AgADx1" * 11, "file_size": 7}
A_TEXT = {"message_id": 5, "date": 1, "chat": {"id": ADA, "type": "private"}, "text": f"my key: {KEY}"}


def where(**content: Any) -> Any:
    return pytest.param(content, id="-".join(content))


HIDDEN = [
    where(photo=[FILE], caption=f"here it is {KEY}"),
    where(document={**FILE, "file_name": f"{KEY}.txt"}),
    where(document={**FILE, "file_name": "keys.txt"}, caption=KEY),
    where(voice=FILE, caption=KEY),
    where(video={**FILE, "file_name": KEY}),
    where(audio={**FILE, "title": KEY}),
    where(audio={**FILE, "performer": KEY}),
    where(animation={**FILE, "file_name": f"{KEY}.gif"}),
    where(poll={"id": "1", "question": KEY, "options": []}),
    where(poll={"id": "1", "question": "?", "options": [{"text": KEY, "voter_count": 0}]}),
    where(poll={"id": "1", "question": "?", "options": [], "explanation": KEY}),
    where(contact={"phone_number": "1", "first_name": KEY}),
    where(contact={"phone_number": "1", "first_name": "x", "vcard": f"NOTE:{KEY}"}),
    where(venue={"title": "x", "address": KEY, "location": {}}),
    where(checklist={"title": "x", "tasks": [{"id": 1, "text": KEY}]}),
    where(text="look", quote={"text": KEY, "position": 0}),
    where(text="look", quote={"text": KEY, "position": 0}, reply_to_message=A_TEXT),
    where(text="look", external_reply={"document": {**FILE, "file_name": KEY}}),
    where(
        text="look",
        entities=[{"type": "text_link", "offset": 0, "length": 4, "url": f"https://x.y/?k= {KEY}"}],
    ),
    where(text=KEY, forward_origin={"type": "hidden_user", "sender_user_name": "x", "date": 1}),
    where(document={**FILE, "file_name": "k3yPart0fIt12345678.txt"}, caption="api key: Ab1" + "Cd2" * 6),
]


def sent(content: dict[str, Any], *, number: int = 7) -> dict[str, Any]:
    return message(number, ADA, content.get("text"), **{k: v for k, v in content.items() if k != "text"})


@pytest.mark.fault(66)
@pytest.mark.parametrize("content", HIDDEN)
async def test_a_key_anywhere_in_a_message_is_deleted_and_answered_as_in_a_text(
    chat: Chat, content: dict[str, Any]
) -> None:
    deleted, said = await chat.handle(sent(content))
    assert deleted.method == "deleteMessage"
    assert deleted.params["message_id"] == 1007
    assert said.text.startswith("<b>That looked like a secret key, so I deleted it.</b>")
    assert KEY not in said.text


@pytest.mark.fault(66)
@pytest.mark.parametrize("content", [{"photo": [FILE], "caption": KEY}, {"text": KEY}])
async def test_a_key_that_is_written_into_an_earlier_message_is_deleted_too(
    chat: Chat, content: dict[str, Any]
) -> None:
    update = sent(content)
    update["edited_message"] = update.pop("message")
    deleted, said = await chat.handle(update)
    assert (deleted.method, deleted.params["message_id"]) == ("deleteMessage", 1007)
    assert "make a new key" in said.text


async def test_an_earlier_message_that_is_corrected_is_not_done_a_second_time(chat: Chat) -> None:
    await chat.handle(message(7, ADA, "/add SOL 1"))
    update = message(8, ADA, "/add SOL 2")
    update["edited_message"] = update.pop("message")
    assert await chat.handle(update) == []
    assert [holding.amount for holding in await chat.store.holdings(ADA)] == [1]


@pytest.mark.parametrize(
    "content",
    [
        {"photo": [FILE], "caption": "my portfolio"},
        {
            "document": {
                **FILE,
                "file_name": "tax report 2025 final version.pdf",
                "mime_type": "application/pdf",
            }
        },
        {"sticker": {**FILE, "emoji": "x", "set_name": "a" * 30 + "1" * 34}},
        {"contact": {"phone_number": "+4912345678901", "first_name": "Ann", "user_id": 7}},
        {"venue": {"title": "Cafe", "address": "Main street 7", "location": {}}},
    ],
)
async def test_what_holds_no_key_is_answered_with_what_can_be_read_here(
    chat: Chat, content: dict[str, Any]
) -> None:
    (said,) = await chat.handle(sent(content))
    assert said.text.startswith("I can only read text.")


@pytest.mark.parametrize("whose", [{"id": 1, "is_bot": True}, {"id": ADA, "is_bot": False}])
async def test_an_answer_to_another_message_is_read_by_what_itself_says(chat: Chat, whose: Any) -> None:
    """The other one was looked at when it came; the bot's own sentences may look like the words of a seed phrase."""
    words = " ".join(["hedge", "money", "market"] * 5)
    quoted: dict[str, Any] = {"quote": {"text": words, "position": 0}} if whose["is_bot"] else {}
    answer = message(7, ADA, "/ping", reply_to_message={**A_TEXT, "from": whose}, **quoted)
    (said,) = await chat.handle(answer)
    assert said.text == "pong"


@pytest.mark.fault(66)
async def test_what_telegram_says_of_other_things_is_no_message_of_a_person(chat: Chat) -> None:
    pinned = message(7, ADA, None, pinned_message=A_TEXT)
    assert await chat.handle(pinned) == []
