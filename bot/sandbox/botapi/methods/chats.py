"""Chats: what is known of them, what is pinned, and the answers to taps."""

from bot.sandbox.botapi.backend import Backend, Method
from bot.sandbox.botapi.formatting import utf16_length
from bot.sandbox.botapi.methods.composing import known_chat, open_chat
from bot.sandbox.botapi.refusals import bad_request
from bot.sandbox.botapi.request import Call
from bot.sandbox.botapi.state import Json, User

# Telegram tells no figure; bots see the refusal after about this long.
TAP_EXPIRES = 60
_LONGEST_TOAST = 200


def answer_callback_query(backend: Backend, call: Call) -> bool:
    """Answer a tap, once and in time; the phone waits no longer, and takes no second answer."""
    world = backend.world
    tap = world.taps.get(call.text("callback_query_id"))
    if tap is None or tap.answer is not None or world.clock() - tap.date > TAP_EXPIRES:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    text = call.text("text")
    if utf16_length(text) > _LONGEST_TOAST:
        raise bad_request("MESSAGE_TOO_LONG")
    if call.text("url"):
        # Only games and links that open this bot are allowed; the sandbox has neither.
        raise bad_request("URL_INVALID")
    world.answer_tap(tap, {"text": text or None, "show_alert": call.flag("show_alert")})
    return True


def get_chat(backend: Backend, call: Call) -> Json:
    chat = known_chat(backend, call)
    full: Json = {**chat.as_chat(), "active_usernames": [chat.username] if chat.username else []}
    full |= {"accent_color_id": chat.id % 7, "max_reaction_count": 11}
    full["accepted_gift_types"] = {
        "unlimited_gifts": True,
        "limited_gifts": True,
        "unique_gifts": True,
        "premium_subscription": True,
        "gifts_from_channels": True,
    }
    if not full["active_usernames"]:
        del full["active_usernames"]
    pinned = backend.world.find(chat.id, chat.pinned[-1]) if chat.pinned else None
    if pinned is not None:
        full["pinned_message"] = pinned.body
    return full


def pin_chat_message(backend: Backend, call: Call) -> bool:
    chat = open_chat(backend, call)
    message_id = call.integer("message_id")
    if not message_id:
        raise bad_request("message identifier is not specified")
    if backend.world.find(chat.id, message_id) is None:
        raise bad_request("message to pin not found")
    # A message pinned again becomes the newest pinned one.
    _pin(backend, chat, [*(i for i in chat.pinned if i != message_id), message_id])
    return True


def unpin_chat_message(backend: Backend, call: Call) -> bool:
    chat = open_chat(backend, call)
    message_id = call.integer("message_id") or (chat.pinned[-1] if chat.pinned else 0)
    if not message_id or backend.world.find(chat.id, message_id) is None:
        raise bad_request("message to unpin not found")
    _pin(backend, chat, [i for i in chat.pinned if i != message_id])
    return True


def unpin_all_chat_messages(backend: Backend, call: Call) -> bool:
    _pin(backend, open_chat(backend, call), [])
    return True


def _pin(backend: Backend, chat: User, pinned: list[int]) -> None:
    chat.pinned = pinned
    backend.world.save_user(chat)
    backend.world.tell(chat.id, "pin", chat)


METHODS = (
    Method(
        "answerCallbackQuery",
        answer_callback_query,
        frozenset({"callback_query_id", "text", "show_alert", "url", "cache_time"}),
    ),
    Method("getChat", get_chat, frozenset({"chat_id"})),
    Method(
        "pinChatMessage",
        pin_chat_message,
        frozenset({"chat_id", "message_id", "business_connection_id", "disable_notification"}),
    ),
    Method(
        "unpinChatMessage",
        unpin_chat_message,
        frozenset({"chat_id", "message_id", "business_connection_id"}),
    ),
    Method("unpinAllChatMessages", unpin_all_chat_messages, frozenset({"chat_id"})),
)
