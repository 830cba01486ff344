"""Message entities: their order and nesting, and the arithmetic of UTF-16 offsets they are counted in."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

Entity = dict[str, Any]

# Of entities over the same characters the outer one comes first.
_ORDER = {
    name: place
    for place, name in enumerate(
        (
            "blockquote",
            "expandable_blockquote",
            "pre",
            "code",
            "text_link",
            "text_mention",
            "url",
            "date_time",
            "bold",
            "italic",
            "underline",
            "strikethrough",
            "spoiler",
            "custom_emoji",
        )
    )
}


@dataclass(frozen=True, slots=True)
class Formatted:
    """Plain text and its entities; offsets and lengths count UTF-16 code units."""

    text: str
    entities: list[Entity]


def utf16_length(text: str) -> int:
    """How long Telegram says a text is.

    >>> utf16_length("a🦔")
    3
    """
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def byte_offset(text: str, position: int) -> int:
    """Where a character stands in UTF-8, as Telegram tells the place of a mistake."""
    return len(text[:position].encode("utf-8", "surrogatepass"))


def in_order(entities: list[Entity]) -> list[Entity]:
    return sorted(entities, key=lambda e: (e["offset"], -e["length"], _ORDER.get(e["type"], 99)))


def link_entity(offset: int, length: int, url: str) -> Entity | None:
    """What a link becomes: a link, a mention of a user, or nothing where the address is none."""
    if url.startswith(("tg://user?", "tg:user?")):
        user_id = parse_qs(url.partition("?")[2]).get("id", [""])[0]
        if user_id.isdecimal() and int(user_id) > 0:
            user = {"id": int(user_id), "is_bot": False, "first_name": f"User {int(user_id)}"}
            return {"type": "text_mention", "offset": offset, "length": length, "user": user}
    checked = checked_link(url)
    return (
        None if checked is None else {"type": "text_link", "offset": offset, "length": length, "url": checked}
    )


def checked_link(url: str) -> str | None:
    """The address as Telegram keeps it, or None for what is no address to it."""
    url = url.strip()
    scheme, separator, rest = url.partition("://")
    if not separator and url.startswith(("tg:", "ton:")):
        scheme, _, rest = url.partition(":")
    elif not separator:
        scheme, rest = "http", url
    scheme = scheme.lower()
    if scheme in {"tg", "ton", "tonsite"}:
        return f"{scheme}://{rest}" if rest else None
    if scheme not in {"http", "https", "ftp"} or any(c.isspace() for c in rest):
        return None
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        host = parts.hostname or ""
    except ValueError:
        return None
    if "." not in host.strip("."):
        return None
    return f"{scheme}://{rest}" if parts.path or parts.query or parts.fragment else f"{scheme}://{rest}/"
