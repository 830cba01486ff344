"""What sending and editing share: the chat, the message, the text, the reply and the keyboard."""

from typing import Any

from bot.sandbox.botapi.backend import Backend
from bot.sandbox.botapi.formatting import Formatted, format_text, utf16_length
from bot.sandbox.botapi.keyboards import Markup
from bot.sandbox.botapi.refusals import bad_request, forbidden
from bot.sandbox.botapi.request import Call, whole
from bot.sandbox.botapi.state import Json, Post, User, World

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024

SENDING = frozenset(
    {
        "chat_id",
        "message_thread_id",
        "business_connection_id",
        "direct_messages_topic_id",
        "disable_notification",
        "protect_content",
        "allow_paid_broadcast",
        "message_effect_id",
        "suggested_post_parameters",
        "reply_parameters",
        "reply_markup",
        "reply_to_message_id",
        "allow_sending_without_reply",
        "ephemeral_message_parameters",
        "receiver_user_id",
        "callback_query_id",
    }
)
CAPTION = frozenset({"caption", "parse_mode", "caption_entities", "show_caption_above_media"})
EDITED = frozenset({"business_connection_id", "chat_id", "message_id", "inline_message_id", "reply_markup"})


def known_chat(backend: Backend, call: Call) -> User:
    """The private chat a call is about. Raises `Refusal` where Telegram knows none."""
    value = call.params.get("chat_id")
    if value is None or value == "":
        raise bad_request("chat_id is empty")
    user = backend.world.users.get(whole(value))
    if user is None:
        raise bad_request("chat not found")
    return user


def open_chat(backend: Backend, call: Call) -> User:
    """The chat, if the bot may write there: its user has written first and has not blocked the bot."""
    user = known_chat(backend, call)
    if user.blocked:
        raise forbidden("bot was blocked by the user")
    if not user.started:
        raise forbidden("bot can't initiate conversation with a user")
    return user


def read_text(call: Call) -> Formatted:
    """The text of a message, which may not be empty."""
    text = call.text("text")
    if not text:
        raise bad_request("message text is empty")
    formatted = format_text(text, call.text("parse_mode"), call.json("entities", "MessageEntity"))
    if not formatted.text:
        raise bad_request("text must be non-empty")
    return formatted


def read_caption(params: Call | Json) -> Formatted:
    call = params if isinstance(params, Call) else Call("", params)
    return format_text(
        call.text("caption"), call.text("parse_mode"), call.json("caption_entities", "MessageEntity")
    )


def check_length(formatted: Formatted, longest: int) -> None:
    if utf16_length(formatted.text) > longest:
        raise bad_request("message is too long" if longest == LONGEST_TEXT else "message caption is too long")


def text_content(formatted: Formatted) -> Json:
    content: Json = {"text": formatted.text}
    if formatted.entities:
        content["entities"] = formatted.entities
    return content


def caption_content(formatted: Formatted) -> Json:
    if not formatted.text:
        return {}
    content: Json = {"caption": formatted.text}
    if formatted.entities:
        content["caption_entities"] = formatted.entities
    return content


def check_sending(call: Call) -> None:
    """Refuse what a private chat of a bot without special rights has not."""
    if call.text("business_connection_id"):
        raise bad_request("business connection not found")
    if call.integer("message_thread_id"):
        raise bad_request("message thread not found")
    if call.flag("allow_paid_broadcast"):
        raise bad_request("FLOODSKIP_NOT_ALLOWED")
    if call.params.get("suggested_post_parameters"):
        raise bad_request("suggested posts can be sent only to channel direct messages")


def read_reply(backend: Backend, call: Call, chat: User) -> Post | None:
    """The message a new one replies to."""
    reply = call.json("reply_parameters", "reply parameters")
    if reply is None:
        message_id, optional = call.integer("reply_to_message_id"), call.flag("allow_sending_without_reply")
        if not message_id:
            return None
    elif not isinstance(reply, dict):
        raise bad_request("object expected as reply parameters")
    elif not whole(reply.get("message_id")):
        raise bad_request('can\'t find field "message_id"')
    else:
        message_id, optional = whole(reply["message_id"]), bool(reply.get("allow_sending_without_reply"))
    post = backend.world.find(chat.id, message_id)
    if post is None and not optional:
        raise bad_request("message to be replied not found")
    return post


def new_post(
    backend: Backend,
    call: Call,
    chat: User,
    content: Json,
    markup: Markup | None = None,
    reply: Post | None = None,
) -> Post:
    """Write a message of the bot into a chat."""
    world = backend.world
    markup = markup or Markup()
    body: Json = {
        "message_id": world.next_message_id(),
        "from": world.bot,
        "chat": chat.as_chat(),
        "date": int(world.clock()),
    }
    if reply is not None:
        body["reply_to_message"] = {k: v for k, v in reply.body.items() if k != "reply_to_message"}
    body.update(content)
    if call.flag("protect_content"):
        body["has_protected_content"] = True
    if call.text("message_effect_id"):
        body["effect_id"] = call.text("message_effect_id")
    if markup.inline is not None:
        body["reply_markup"] = markup.inline
    post = Post(body, True, call.flag("disable_notification"), not markup.bars_editing)
    if markup.reply is not None or markup.removes:
        change_keyboard(world, chat, markup.reply)
    world.post(post)
    return post


def change_keyboard(world: World, chat: User, keyboard: Json | None) -> None:
    if chat.reply_keyboard != keyboard:
        chat.reply_keyboard = keyboard
        world.save_user(chat)
        world.tell(chat.id, "keyboard", chat)


def post_to_edit(backend: Backend, call: Call) -> Post:
    """The message an edit is about: the bot's own, without a keyboard below the text field."""
    if not call.params.get("chat_id") and not call.params.get("message_id"):
        if call.text("inline_message_id"):
            raise bad_request("MESSAGE_ID_INVALID")
        raise bad_request("message identifier is not specified")
    chat = open_chat(backend, call)
    if not call.integer("message_id"):
        raise bad_request("message identifier is not specified")
    post = backend.world.find(chat.id, call.integer("message_id"))
    if post is None:
        raise bad_request("message to edit not found")
    if not post.outgoing or not post.editable:
        raise bad_request("message can't be edited")
    return post


def edit(backend: Backend, post: Post, content: Json, replaced: tuple[str, ...], markup: Markup) -> Json:
    """Replace fields of a message, and its inline keyboard. Raises `Refusal` where nothing would change."""
    before = {name: post.body[name] for name in (*replaced, "reply_markup") if name in post.body}
    after: dict[str, Any] = {**content}
    if markup.inline is not None:
        after["reply_markup"] = markup.inline
    if _compared(before) == _compared(after):
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same as a "
            "current content and reply markup of the message"
        )
    body = {name: value for name, value in post.body.items() if name not in (*replaced, "reply_markup")}
    if replaced:
        # A change of nothing but the buttons does not count as an edit to those who read along.
        body["edit_date"] = int(backend.world.clock())
    post.body = {**body, **after}
    backend.world.edited(post)
    return post.body


def _compared(content: Json) -> Json:
    """What counts when Telegram asks whether anything changed: a preview does only where there is a link."""
    if any(entity["type"] in {"url", "text_link"} for entity in content.get("entities", ())):
        return content
    return {name: value for name, value in content.items() if name != "link_preview_options"}
