"""Photos, documents and albums."""

import secrets
from typing import Any

from bot.sandbox.botapi.backend import Backend, Method
from bot.sandbox.botapi.formatting import Formatted
from bot.sandbox.botapi.keyboards import read_markup
from bot.sandbox.botapi.media import File
from bot.sandbox.botapi.methods.composing import (
    CAPTION,
    EDITED,
    LONGEST_CAPTION,
    SENDING,
    caption_content,
    check_length,
    check_sending,
    edit,
    new_post,
    open_chat,
    post_to_edit,
    read_caption,
    read_reply,
)
from bot.sandbox.botapi.refusals import bad_request
from bot.sandbox.botapi.request import Call
from bot.sandbox.botapi.state import Json

_ALBUM = range(2, 11)
_NOT_FOR_ALBUMS = {
    "reply_markup",
    "suggested_post_parameters",
    "ephemeral_message_parameters",
    "receiver_user_id",
    "callback_query_id",
}
_CONTENT = (
    "text",
    "entities",
    "link_preview_options",
    "photo",
    "document",
    "caption",
    "caption_entities",
    "show_caption_above_media",
    "has_media_spoiler",
)


def send_photo(backend: Backend, call: Call) -> Json:
    return _send(backend, call, "photo")


def send_document(backend: Backend, call: Call) -> Json:
    return _send(backend, call, "document")


def _send(backend: Backend, call: Call, kind: str) -> Json:
    caption = read_caption(call)
    markup = read_markup(call)
    chat = open_chat(backend, call)
    check_sending(call)
    reply = read_reply(backend, call, chat)
    check_length(caption, LONGEST_CAPTION)
    file = backend.files.given(call, call.params.get(kind), kind, kind)
    content = _content(file, caption, call)
    return new_post(backend, call, chat, content, markup, reply).body


def _content(file: File, caption: Formatted, options: Call) -> Json:
    content: Json = {file.kind: file.as_photo() if file.kind == "photo" else file.as_document()}
    content.update(caption_content(caption))
    if options.flag("show_caption_above_media") and caption.text:
        content["show_caption_above_media"] = True
    if options.flag("has_spoiler") and file.kind == "photo":
        content["has_media_spoiler"] = True
    return content


def send_media_group(backend: Backend, call: Call) -> list[Json]:
    items: Any = call.json("media", "media")
    if not isinstance(items, list):
        raise bad_request("expected an Array of InputMedia")
    chat = open_chat(backend, call)
    check_sending(call)
    reply = read_reply(backend, call, chat)
    if len(items) not in _ALBUM:
        raise bad_request(f"too {'few' if len(items) < 2 else 'many'} messages to send as an album")
    contents = [_input_media(backend, call, item) for item in items]
    if len({"photo" in content for content in contents}) > 1:
        raise bad_request("document can't be mixed with other media types")
    group = str(secrets.randbits(48))
    posts = [new_post(backend, call, chat, {"media_group_id": group, **c}, None, reply) for c in contents]
    return [post.body for post in posts]


def _input_media(backend: Backend, call: Call, item: Any) -> Json:
    if not isinstance(item, dict):
        raise bad_request("can't parse InputMedia: expected an Object")
    kind = str(item.get("type"))
    if kind not in {"photo", "document"}:
        raise bad_request(f'can\'t parse InputMedia: type "{kind}" is unsupported')
    if not isinstance(item.get("media"), str):
        raise bad_request("can't parse InputMedia: media not found")
    options = Call("", item)
    caption = read_caption(options)
    check_length(caption, LONGEST_CAPTION)
    return _content(backend.files.given(call, item["media"], "media", kind), caption, options)


def edit_message_media(backend: Backend, call: Call) -> Json:
    media: Any = call.json("media", "InputMedia")
    if media is None:
        raise bad_request("there is no media in the request")
    markup = read_markup(call, inline_only=True)
    post = post_to_edit(backend, call)
    return edit(backend, post, _input_media(backend, call, media), _CONTENT, markup)


def get_file(backend: Backend, call: Call) -> Json:
    if not call.text("file_id"):
        raise bad_request("file_id not specified")
    file = backend.files.by_id(call.text("file_id"))
    return {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_size": file.size,
        "file_path": file.path,
    }


METHODS = (
    Method("sendPhoto", send_photo, SENDING | CAPTION | {"photo", "has_spoiler"}),
    Method(
        "sendDocument",
        send_document,
        (SENDING | CAPTION | {"document", "thumbnail", "disable_content_type_detection"})
        - {"show_caption_above_media"},
    ),
    Method("sendMediaGroup", send_media_group, (SENDING | {"media"}) - _NOT_FOR_ALBUMS),
    Method("editMessageMedia", edit_message_media, EDITED | {"media"}),
    Method("getFile", get_file, frozenset({"file_id"})),
)
