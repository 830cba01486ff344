"""A chat as the page and the driver show it: messages in order, with their buttons, photos and files."""

from datetime import UTC, datetime
from typing import Any

from bot.sandbox.botapi.methods.profile import commands_for
from bot.sandbox.botapi.state import Json, Post, User, World

_BUTTON = ("text", "callback_data", "url", "style", "copy_text", "disabled", "web_app")


def message_view(post: Post) -> Json:
    body = post.body
    return {
        "id": post.message_id,
        "from": "bot" if post.outgoing else "user",
        "date": datetime.fromtimestamp(body["date"], UTC).isoformat(),
        "text": body.get("text"),
        "caption": body.get("caption"),
        "entities": body.get("entities") or body.get("caption_entities") or [],
        "buttons": [
            [_button(b) for b in row] for row in body.get("reply_markup", {}).get("inline_keyboard", [])
        ],
        "photo": _file_url(body["photo"][-1]["file_unique_id"]) if "photo" in body else None,
        "document": _document(body["document"]) if "document" in body else None,
        "edited": "edit_date" in body,
        "silent": post.silent,
        "reply_to": body.get("reply_to_message", {}).get("message_id"),
        "album": body.get("media_group_id"),
    }


def _button(button: Json) -> Json:
    return {name: button[name] for name in _BUTTON if name in button}


def _document(document: Json) -> Json:
    url = _file_url(document["file_unique_id"])
    return {"name": document.get("file_name"), "size": document.get("file_size"), "url": url}


def _file_url(unique_id: str) -> str:
    return f"/sandbox/files/{unique_id}"


def user_view(user: User) -> Json:
    return {
        "id": user.id,
        "first_name": user.first_name,
        "username": user.username,
        "blocked": user.blocked,
    }


def chat_view(world: World, user: User) -> Json:
    return {
        "user": user_view(user),
        "bot": {"first_name": world.bot["first_name"], "username": world.bot["username"]},
        "messages": [message_view(post) for post in world.transcript(user.id)],
        **keyboard_view(user),
        "commands": commands_for(world, user.id, user.language_code),
        "pinned": user.pinned[-1] if user.pinned else None,
    }


def keyboard_view(user: User) -> dict[str, Any]:
    keyboard = user.reply_keyboard
    return {
        "keyboard": [[{"text": b["text"]} for b in row] for row in keyboard["keyboard"]] if keyboard else None
    }
