"""Changing and deleting messages."""

from typing import Any

from bot.sandbox.botapi.backend import Backend, Method
from bot.sandbox.botapi.keyboards import Markup, read_markup
from bot.sandbox.botapi.methods.composing import (
    CAPTION,
    EDITED,
    LONGEST_CAPTION,
    LONGEST_TEXT,
    caption_content,
    check_length,
    edit,
    known_chat,
    post_to_edit,
    read_caption,
    read_text,
    text_content,
)
from bot.sandbox.botapi.methods.sending import read_preview
from bot.sandbox.botapi.refusals import bad_request
from bot.sandbox.botapi.request import Call, whole
from bot.sandbox.botapi.state import Json, Post

_DELETABLE_FOR = 48 * 3600
_CAPTIONED = ("photo", "document")
_DELETED_AT_ONCE = 100


def edit_message_text(backend: Backend, call: Call) -> Json:
    formatted = read_text(call)
    markup = read_markup(call, inline_only=True)
    preview = read_preview(call)
    post = post_to_edit(backend, call)
    if "text" not in post.body:
        raise bad_request("there is no text in the message to edit")
    check_length(formatted, LONGEST_TEXT)
    content = text_content(formatted)
    if preview:
        content["link_preview_options"] = preview
    return edit(backend, post, content, ("text", "entities", "link_preview_options"), markup)


def edit_message_caption(backend: Backend, call: Call) -> Json:
    formatted = read_caption(call)
    markup = read_markup(call, inline_only=True)
    post = post_to_edit(backend, call)
    if not any(kind in post.body for kind in _CAPTIONED):
        raise bad_request("there is no caption in the message to edit")
    check_length(formatted, LONGEST_CAPTION)
    content = caption_content(formatted)
    if call.flag("show_caption_above_media"):
        content["show_caption_above_media"] = True
    return edit(backend, post, content, ("caption", "caption_entities", "show_caption_above_media"), markup)


def edit_message_reply_markup(backend: Backend, call: Call) -> Json:
    markup: Markup = read_markup(call, inline_only=True)
    return edit(backend, post_to_edit(backend, call), {}, (), markup)


def delete_message(backend: Backend, call: Call) -> bool:
    chat = known_chat(backend, call)
    if not call.integer("message_id"):
        raise bad_request("message identifier is not specified")
    post = backend.world.find(chat.id, call.integer("message_id"))
    if post is None:
        raise bad_request("message to delete not found")
    _check_deletable(backend, post)
    backend.world.delete(post)
    return True


def delete_messages(backend: Backend, call: Call) -> bool:
    """Delete those that are there; those that are not are passed over."""
    chat = known_chat(backend, call)
    message_ids: Any = call.json("message_ids", "message identifiers")
    if not message_ids:
        raise bad_request("message identifiers are not specified")
    if not isinstance(message_ids, list):
        raise bad_request("expected an Array of message identifiers")
    if len(message_ids) > _DELETED_AT_ONCE:
        raise bad_request("too many message identifiers specified")
    posts = [post for i in message_ids if (post := backend.world.find(chat.id, whole(i))) is not None]
    for post in posts:
        _check_deletable(backend, post)
    for post in posts:
        backend.world.delete(post)
    return True


def _check_deletable(backend: Backend, post: Post) -> None:
    if backend.world.clock() - post.body["date"] >= _DELETABLE_FOR:
        raise bad_request("message can't be deleted for everyone")


METHODS = (
    Method(
        "editMessageText",
        edit_message_text,
        EDITED
        | {
            "text",
            "parse_mode",
            "entities",
            "link_preview_options",
            "disable_web_page_preview",
            "rich_message",
        },
    ),
    Method("editMessageCaption", edit_message_caption, EDITED | CAPTION),
    Method("editMessageReplyMarkup", edit_message_reply_markup, EDITED),
    Method("deleteMessage", delete_message, frozenset({"chat_id", "message_id"})),
    Method("deleteMessages", delete_messages, frozenset({"chat_id", "message_ids"})),
)
