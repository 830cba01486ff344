"""Sending text, and the signs of being about to."""

from typing import Any

from bot.sandbox.botapi.backend import Backend, Method
from bot.sandbox.botapi.keyboards import read_markup
from bot.sandbox.botapi.methods.composing import (
    LONGEST_TEXT,
    SENDING,
    check_length,
    check_sending,
    new_post,
    open_chat,
    read_reply,
    read_text,
    text_content,
)
from bot.sandbox.botapi.refusals import bad_request
from bot.sandbox.botapi.request import Call
from bot.sandbox.botapi.state import Json

_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
        "record_audio",
        "upload_audio",
        "cancel",
    }
)


def send_message(backend: Backend, call: Call) -> Json:
    formatted = read_text(call)
    markup = read_markup(call)
    preview = read_preview(call)
    chat = open_chat(backend, call)
    check_sending(call)
    reply = read_reply(backend, call, chat)
    check_length(formatted, LONGEST_TEXT)
    content = text_content(formatted)
    if preview:
        content["link_preview_options"] = preview
    return new_post(backend, call, chat, content, markup, reply).body


def read_preview(call: Call) -> Json | None:
    options: Any = call.json("link_preview_options", "link preview options")
    if options is None:
        return {"is_disabled": True} if call.flag("disable_web_page_preview") else None
    if not isinstance(options, dict):
        raise bad_request("object expected as link preview options")
    for name in ("is_disabled", "prefer_small_media", "prefer_large_media", "show_above_text"):
        if not isinstance(options.get(name, False), bool):
            raise bad_request(f'field "{name}" must be of type Boolean')
    return options


def send_chat_action(backend: Backend, call: Call) -> bool:
    action = call.text("action")
    if not action:
        raise bad_request("missing parameter action")
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = open_chat(backend, call)
    backend.world.tell(chat.id, "typing", action)
    return True


METHODS = (
    Method(
        "sendMessage",
        send_message,
        SENDING | {"text", "parse_mode", "entities", "link_preview_options", "disable_web_page_preview"},
    ),
    Method(
        "sendChatAction",
        send_chat_action,
        frozenset({"chat_id", "action", "message_thread_id", "business_connection_id"}),
    ),
)
