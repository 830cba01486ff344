"""The second opinion catches what Telegram would refuse, and lets pass what it takes."""

from typing import Any

import pytest

from tests.fakes.telegram_oracle import check_call, check_calls

PHOTO = {"type": "photo", "media": "attach://chart"}
CONFIRM = {"text": "Confirm", "callback_data": "ok:7", "style": "success"}


def call(method: str, **params: Any) -> dict[str, Any]:
    return {"n": 1, "method": method, "params": params}


def with_keyboard(rows: list[list[dict[str, Any]]]) -> dict[str, Any]:
    return call("sendMessage", chat_id="1", text="x", reply_markup={"inline_keyboard": rows})


@pytest.mark.parametrize(
    "good",
    [
        call("sendMessage", chat_id="1", text="<b>SOL</b> 120", parse_mode="HTML"),
        call("sendMessage", chat_id=1, text="x" * 4096, reply_markup={"inline_keyboard": [[CONFIRM]]}),
        call("editMessageText", chat_id="1", message_id="2", text=r"*1\.5*", parse_mode="MarkdownV2"),
        call("sendPhoto", chat_id="1", photo="attach://chart", caption="<i>x</i>", parse_mode="HTML"),
        call(
            "sendMediaGroup",
            chat_id="1",
            media=[{"type": "photo", "media": "attach://a", "caption": "x"}] * 2,
        ),
        call("answerCallbackQuery", callback_query_id="77", text="Sending…"),
        call("setMyCommands", commands=[{"command": "hedge", "description": "Propose a hedge"}]),
        call("getMe"),
    ],
)
def test_what_telegram_takes_passes(good: dict[str, Any]) -> None:
    check_call(good)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (call("sendMessage", chat_id="1"), "text"),
        (call("sendMessage", chat_id="1", text=""), "message text is empty"),
        (call("sendMessage", chat_id="1", text="x" * 4097), "message is too long"),
        (call("sendMessage", chat_id="1", text="🦔" * 2049), "message is too long"),
        (call("sendMessage", chat_id="1", text="<b>x", parse_mode="HTML"), "Can't find end tag"),
        (call("sendMessage", chat_id="1", text="1 < 2", parse_mode="HTML"), "Unsupported start tag"),
        (call("editMessageText", chat_id="1", message_id="2", text="1.5", parse_mode="MarkdownV2"), "reserved"),
        (call("editMessageText", chat_id="1", message_id="2", text="*x", parse_mode="MarkdownV2"), "Can't find end"),
        (call("sendPhoto", chat_id="1", photo="attach://x", caption="x" * 1025), "caption is too long"),
        (call("sendMediaGroup", chat_id="1", media=[{**PHOTO, "caption": "x" * 1025}, PHOTO]), "caption is too long"),
        (call("editMessageMedia", media={**PHOTO, "caption": "<b>x", "parse_mode": "HTML"}), "Can't find end tag"),
        (with_keyboard([[{**CONFIRM, "callback_data": "x" * 65}]]), "BUTTON_DATA_INVALID"),
        (with_keyboard([[{"text": "no action"}]]), "exactly one"),
        (with_keyboard([[{**CONFIRM, "colour": "red"}]]), "unknown field reply_markup.inline_keyboard."),
        (call("sendMessage", chat_id="1", text="x", txet="y"), "unknown field txet"),
        (call("sendMessage", chat_id="one", text="x", entities=[{"type": "bold"}]), "offset"),
        (call("answerCallbackQuery", callback_query_id="77", text="x" * 201), "TOO_LONG"),
        (call("sendMassage", chat_id="1", text="x"), "no such method"),
    ],
)  # fmt: skip
def test_what_telegram_refuses_is_named_with_its_reason(bad: dict[str, Any], reason: str) -> None:
    with pytest.raises(AssertionError, match="is none that Telegram takes") as caught:
        check_call(bad)
    assert reason in str(caught.value)


def test_of_many_calls_the_bad_one_is_named() -> None:
    calls = [call("getMe"), {**call("sendMessage", chat_id="1", text="<br>", parse_mode="HTML"), "n": 2}]
    assert check_calls(calls[:1]) == 1
    with pytest.raises(AssertionError, match="call 2, sendMessage"):
        check_calls(calls)
