"""The text of a message: markup read, characters cleaned, entities mended, links and commands found."""

import re
from bisect import bisect_left
from typing import Any

from bot.sandbox.botapi.formatting.entities import Entity, Formatted, checked_link, in_order, utf16_length
from bot.sandbox.botapi.formatting.html import parse_html
from bot.sandbox.botapi.formatting.markdown import parse_markdown
from bot.sandbox.botapi.formatting.markdown_v2 import parse_markdown_v2
from bot.sandbox.botapi.refusals import bad_request

_MOST_ENTITIES = 100
_STYLES = {"html": parse_html, "markdown": parse_markdown, "markdownv2": parse_markdown_v2}
_CONTROLS = {code: " " for code in range(32) if code not in (9, 10)} | {127: " "}
_CODE = frozenset({"pre", "code"})
_SPLITTABLE = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler"})
_WHOLE = _CODE | {"text_link", "text_mention", "custom_emoji", "date_time"}
_GIVEN = (
    _SPLITTABLE
    | _WHOLE
    | {"blockquote", "expandable_blockquote", "mention", "hashtag", "cashtag", "bot_command", "url", "email"}
    | {"phone_number"}
)
_NEEDED: dict[str, tuple[str, type, str]] = {
    "text_link": ("url", str, "String"),
    "text_mention": ("user", dict, "Object"),
    "custom_emoji": ("custom_emoji_id", str, "String"),
    "date_time": ("unix_time", int, "Number"),
}

_DOMAINS = "com|org|net|io|me|dev|app|xyz|info|co|finance|exchange|trade|ru|uk|de"
_FOUND = re.compile(
    r"(?P<url>\bhttps?://[^\s<>\"«»]*[^\s<>\"«».,:;!?'()\[\]{}…]"
    rf"|(?<![\w@.])(?:[a-z0-9-]+\.)+(?:{_DOMAINS})(?![\w@])(?:[/?#][^\s<>\"«»]*[^\s<>\"«».,:;!?'()\[\]{{}}…])?)"
    r"|(?P<email>(?<![\w.+-])[\w.+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,}\b)"
    r"|(?P<bot_command>(?<![\w/<>])/\w{1,64}(?:@\w{3,32})?(?![\w/<>]))"
    r"|(?P<mention>(?<![\w@])@[A-Za-z0-9_]{4,32}(?!\w))"
    r"|(?P<hashtag>(?<![\w#])#(?=\w*[^\W\d_])\w{1,256})"
    r"|(?P<cashtag>(?<![\w$])\$[A-Z]{1,8}(?!\w))",
    re.IGNORECASE | re.ASCII,
)
_MAY_HOLD = re.compile(r"[/@#$.]")


def format_text(text: str, parse_mode: str, given: Any) -> Formatted:
    """A text as Telegram would keep it, by its markup or by the entities given with it. Raises `Refusal`."""
    if given:
        return clean(text, _checked(given, text))
    if not parse_mode or parse_mode.lower() == "none":
        return plain_text(text)
    parse = _STYLES.get(parse_mode.lower())
    if parse is None:
        raise bad_request("unsupported parse_mode")
    parsed = parse(text)
    return clean(parsed.text, parsed.entities)


def plain_text(text: str) -> Formatted:
    """A text without markup, as a user types it: commands, mentions and links are found in it."""
    return clean(text, [])


def clean(text: str, entities: list[Entity]) -> Formatted:
    """Without control characters and outer blanks, with entities that Telegram would show."""
    if "\r" in text:
        text, entities = _without_returns(text, entities)
    text = text.translate(_CONTROLS)
    kept = text.lstrip()
    lead = len(text) - len(kept)  # every blank is one UTF-16 unit
    kept = kept.rstrip()
    mended = _mend(kept, entities, lead) if entities else []
    found = _find(kept, [e for e in mended if e["type"] in _WHOLE]) if _MAY_HOLD.search(kept) else []
    return Formatted(kept, in_order(mended + found)[:_MOST_ENTITIES])


def _without_returns(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Carriage returns go after the markup is read: MarkdownV2 has them keep `_` and `__` apart."""
    returns = [utf16_length(text[:place]) for place, character in enumerate(text) if character == "\r"]
    moved: list[Entity] = []
    for entity in entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        start, end = start - bisect_left(returns, start), end - bisect_left(returns, end)
        moved.append({**entity, "offset": start, "length": end - start})
    return text.replace("\r", ""), moved


def _mend(text: str, entities: list[Entity], lead: int) -> list[Entity]:
    units = text.encode("utf-16-le", "surrogatepass")
    length = len(units) // 2
    clipped: list[Entity] = []
    for entity in entities:
        start = max(entity["offset"] - lead, 0)
        end = min(entity["offset"] - lead + entity["length"], length)
        covered = units[2 * start : 2 * end].decode("utf-16-le", "replace")
        if start < end and (covered.strip() or entity["type"] in _WHOLE - _CODE):
            clipped.append({**entity, "offset": start, "length": end - start})
    whole: list[Entity] = []
    for entity in in_order([e for e in clipped if e["type"] not in _SPLITTABLE]):
        overlaps = any(_overlap(entity, other) for other in whole if other["type"] in _WHOLE)
        if entity["type"] not in _WHOLE or not overlaps:
            whole.append(entity)
    code = [(e["offset"], e["offset"] + e["length"]) for e in whole if e["type"] in _CODE]
    styled: list[Entity] = []
    for kind in _SPLITTABLE:
        spans = _merge([(e["offset"], e["offset"] + e["length"]) for e in clipped if e["type"] == kind])
        styled += [
            {"type": kind, "offset": a, "length": b - a} for span in spans for a, b in _outside(span, code)
        ]
    return whole + styled


def _overlap(one: Entity, other: Entity) -> bool:
    return bool(
        one["offset"] < other["offset"] + other["length"] and other["offset"] < one["offset"] + one["length"]
    )


def _merge(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _outside(span: tuple[int, int], holes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts of a span outside the holes: within code there is no other style."""
    parts = [span]
    for hole_start, hole_end in holes:
        parts = [
            part
            for start, end in parts
            for part in ((start, min(end, hole_start)), (max(start, hole_end), end))
            if part[0] < part[1]
        ]
    return parts


def _find(text: str, taken: list[Entity]) -> list[Entity]:
    found: list[Entity] = []
    for match in _FOUND.finditer(text):
        kind = match.lastgroup or ""
        if kind == "cashtag" and not match.group()[1:].isupper():
            continue
        offset = utf16_length(text[: match.start()])
        entity: Entity = {"type": kind, "offset": offset, "length": utf16_length(match.group())}
        if not any(_overlap(entity, other) for other in taken):
            found.append(entity)
    return found


def _checked(given: Any, text: str) -> list[Entity]:
    if not isinstance(given, list):
        raise bad_request("can't parse MessageEntity: expected an Array of MessageEntity")
    length = utf16_length(text)
    return [entity for one in given if (entity := _checked_one(one, length)) is not None]


def _checked_one(entity: Any, text_length: int) -> Entity | None:
    refuse = "can't parse MessageEntity"
    if not isinstance(entity, dict):
        raise bad_request(f"{refuse}: expected an Object")
    kind = str(entity.get("type"))
    if kind not in _GIVEN:
        raise bad_request(f"{refuse}: Unsupported type specified")
    needed, needed_type, type_name = _NEEDED.get(kind, ("type", str, "String"))
    if entity.get(needed) is None:
        raise bad_request(f'{refuse}: Can\'t find field "{needed}"')
    if not isinstance(entity[needed], needed_type):
        raise bad_request(f'{refuse}: Field "{needed}" must be of type {type_name}')
    if kind == "custom_emoji" and not entity[needed].isdecimal():
        raise bad_request(f'{refuse}: Field "{needed}" must be a valid Number')
    offset, length = entity.get("offset"), entity.get("length")
    if not isinstance(offset, int) or not isinstance(length, int):
        raise bad_request(
            f'{refuse}: Can\'t find field "{"length" if isinstance(offset, int) else "offset"}"'
        )
    if length <= 0:
        return None
    if offset < 0:
        raise bad_request(f"receive an entity with incorrect offset {offset}")
    if offset >= text_length:
        raise bad_request(f"entity begins after the end of the text at UTF-16 offset {offset}")
    if offset + length > text_length:
        place = f"beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset"
        raise bad_request(f"entity {place} {offset + length}")
    kept: Entity = {"type": kind, "offset": offset, "length": length}
    if kind == "text_link":
        url = checked_link(entity["url"])
        if url is None:
            reason = "Wrong HTTP URL" if entity["url"] else "URL host is empty"
            raise bad_request(f"entity URL '{entity['url']}' is invalid: {reason}")
        kept["url"] = url
    else:
        kept[needed] = entity[needed]
    for extra in ("language", "date_time_format"):
        if isinstance(entity.get(extra), str):
            kept[extra] = entity[extra]
    # What Telegram finds by itself it takes from nobody.
    return kept if kind in _SPLITTABLE | _WHOLE or "blockquote" in kind else None
