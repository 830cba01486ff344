"""Reply markup: which keyboards Telegram takes, and how it words its refusal of the others."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.botapi.refusals import bad_request
from bot.sandbox.botapi.request import Call

Json = dict[str, Any]

_CALLBACK_BYTES = 64
_COPY_CHARACTERS = 256
_BUTTONS_A_ROW = 8
_BUTTONS_IN_ALL = 100
_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)
_LOOKS = ("icon_custom_emoji_id", "style", "disabled")
_STYLES = frozenset({"danger", "success", "primary"})


@dataclass(frozen=True, slots=True)
class Markup:
    """A checked `reply_markup`: an inline keyboard that belongs to the message, or a change of the chat's keyboard."""

    inline: Json | None = None
    reply: Json | None = None
    removes: bool = False
    forces_reply: bool = False

    @property
    def bars_editing(self) -> bool:
        """Telegram edits messages without markup or with an inline keyboard, and no others."""
        return self.reply is not None or self.removes or self.forces_reply


def read_markup(call: Call, *, inline_only: bool = False) -> Markup:
    """The call's `reply_markup`, checked. Edits take inline keyboards only."""
    markup = call.json("reply_markup", "reply keyboard markup")
    if markup is None:
        return Markup()
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        inline = _inline_keyboard(markup["inline_keyboard"])
        return Markup(inline=inline)
    if inline_only and markup:
        raise bad_request("inline keyboard expected")
    if "keyboard" in markup:
        return Markup(reply=_reply_keyboard(markup))
    if _flag(markup, "remove_keyboard"):
        return Markup(removes=True)
    if _flag(markup, "force_reply"):
        return Markup(forces_reply=True)
    return Markup()


def _inline_keyboard(rows: Any) -> Json | None:
    keyboard = [
        [_inline_button(button) for button in row]
        for row in _rows(rows, "inline_keyboard", "InlineKeyboardButton")
        if row
    ]
    _check_size(keyboard)
    return {"inline_keyboard": keyboard} if keyboard else None


def _rows(rows: Any, name: str, what: str) -> list[list[Any]]:
    if not isinstance(rows, list):
        raise bad_request(f'field "{name}" must be of type Array')
    for row in rows:
        if not isinstance(row, list):
            raise bad_request(f"can't parse keyboard: expected an Array of {what}")
    return rows


def _check_size(rows: list[list[Json]]) -> None:
    if any(len(row) > _BUTTONS_A_ROW for row in rows) or sum(map(len, rows)) > _BUTTONS_IN_ALL:
        raise bad_request("reply markup is too long")


def _inline_button(button: Any) -> Json:
    refuse = "can't parse inline keyboard button"
    if not isinstance(button, dict):
        raise bad_request(f"{refuse}: expected an Object")
    text = _button_text(button, refuse)
    actions = [action for action in _ACTIONS if button.get(action) not in (None, "", False)]
    # An empty text is something for a switch into inline mode, and nothing for the others.
    actions += [a for a in ("switch_inline_query", "switch_inline_query_current_chat") if button.get(a) == ""]
    if not actions:
        raise bad_request(f"{refuse}: Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad_request(f"{refuse}: exactly one of the optional fields must be used")
    action = actions[0]
    checked: Json = {"text": text}
    checked.update({look: button[look] for look in _LOOKS if button.get(look) is not None})
    if str(checked.get("style", "primary")) not in _STYLES:
        raise bad_request(f"{refuse}: unsupported style specified")
    checked[action] = _check_action(action, button[action])
    return checked


def _button_text(button: Json, refuse: str) -> str:
    text = button.get("text")
    if text is None:
        raise bad_request(f'{refuse}: Can\'t find field "text"')
    if not isinstance(text, str):
        raise bad_request(f'{refuse}: Field "text" must be of type String')
    if not text.strip():
        raise bad_request("BUTTON_TEXT_INVALID")
    return text


def _check_action(action: str, value: Any) -> Any:
    match action:
        case "callback_data":
            if not isinstance(value, str) or len(value.encode("utf-8", "surrogatepass")) > _CALLBACK_BYTES:
                raise bad_request("BUTTON_DATA_INVALID")
        case "url":
            _check_url(value)
        case "copy_text":
            copied = value.get("text") if isinstance(value, dict) else None
            if not isinstance(copied, str) or not 1 <= len(copied) <= _COPY_CHARACTERS:
                raise bad_request("BUTTON_COPY_TEXT_INVALID")
        case "web_app":
            check_web_app(value, "inline keyboard button")
        case "pay" | "callback_game":
            raise bad_request("BUTTON_TYPE_INVALID")
    return value


def _check_url(url: Any) -> None:
    reason = _wrong_url(url) if isinstance(url, str) else "Wrong HTTP URL"
    if reason:
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: {reason}")


def _wrong_url(url: str) -> str | None:
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "http", url
    if scheme in {"tg", "ton"}:
        return None
    if scheme not in {"http", "https"}:
        return "Unsupported URL protocol"
    try:
        host = urlsplit(f"http://{rest}").hostname or ""
    except ValueError:
        return "Wrong HTTP URL"
    if not host:
        return "URL host is empty"
    # Telegram takes no host without a dot, `localhost` among them.
    return None if "." in host.strip(".") else "Wrong HTTP URL"


def check_web_app(value: Any, what: str) -> None:
    url = value.get("url") if isinstance(value, dict) else None
    if not isinstance(url, str) or not url.startswith("https://"):
        raise bad_request(f"{what} Web App URL '{url or ''}' is invalid: Only HTTPS links are allowed")


def _reply_keyboard(markup: Json) -> Json:
    rows = []
    for row in _rows(markup["keyboard"], "keyboard", "KeyboardButton"):
        buttons = [_reply_button(button) for button in row]
        if buttons:
            rows.append(buttons)
    if not rows:
        raise bad_request("can't parse keyboard: keyboard must be non-empty")
    for name in ("resize_keyboard", "one_time_keyboard", "is_persistent", "selective"):
        _flag(markup, name)
    return {**markup, "keyboard": rows}


def _reply_button(button: Any) -> Json:
    if isinstance(button, str):
        button = {"text": button}
    refuse = "can't parse keyboard button"
    if not isinstance(button, dict):
        raise bad_request(f"{refuse}: expected an Object")
    _button_text(button, refuse)
    if "web_app" in button:
        check_web_app(button["web_app"], "keyboard button")
    return button


def _flag(markup: Json, name: str) -> bool:
    value = markup.get(name, False)
    if not isinstance(value, bool):
        raise bad_request(f'field "{name}" must be of type Boolean')
    return value
