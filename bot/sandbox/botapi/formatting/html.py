"""Telegram's HTML style: a handful of tags, strictly nested, and errors at byte offsets.

Follows the Bot API's "HTML style" section and, where that is silent, what the server does: attributes it does
not know are passed over, a lone `&` stands for itself, `</>` closes whatever is open.
"""

import re
from dataclasses import dataclass

from bot.sandbox.botapi.formatting.entities import (
    Entity,
    Formatted,
    byte_offset,
    in_order,
    link_entity,
    utf16_length,
)
from bot.sandbox.botapi.refusals import Refusal, cannot_parse_entities

_STYLES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
}
_TAGS = _STYLES.keys() | {"a", "code", "pre", "blockquote", "tg-emoji", "tg-time"}

_SPECIAL = re.compile(r"[<&]")
_NAME = re.compile(r"[^ \t\r\n\v>]*")
_SPACE = re.compile(r"[ \t\r\n\v]*")
_ATTRIBUTE = re.compile(r"[^ \t\r\n\v=>/\"']*")
_TOKEN = re.compile(r"[A-Za-z0-9.-]*")
_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]*)|#([0-9]*)|([a-zA-Z]*));?")
_LITERALS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_LONGEST_NUMBER = 10  # characters of a numeric reference before its semicolon, exclusive


@dataclass(slots=True)
class _Open:
    tag: str
    argument: str
    offset: int
    start: int
    format: str = ""


class _Reader:
    def __init__(self, markup: str) -> None:
        self.markup = markup
        self.at = 0
        self.pieces: list[str] = []
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []
        self.languages: dict[int, str] = {}  # of code entities, by id

    def read(self) -> Formatted:
        markup = self.markup
        while self.at < len(markup):
            special = _SPECIAL.search(markup, self.at)
            until = special.start() if special else len(markup)
            if until > self.at:
                self.write(markup[self.at : until])
                self.at = until
            elif markup[self.at] == "&":
                self.write(self.reference())
            elif markup.startswith("</", self.at):
                self.end_tag()
            else:
                self.start_tag()
        if self.open:
            raise cannot_parse_entities(
                f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"'
            )
        text = "".join(self.pieces)
        if any("\ud800" <= character <= "\udfff" for character in text):
            text = _join_surrogates(text)
        return Formatted(text, in_order(self.entities))

    def write(self, text: str) -> None:
        self.pieces.append(text)
        self.offset += utf16_length(text)

    def reference(self) -> str:
        """The character a reference at this place stands for; the ampersand itself where it is none."""
        match = _REFERENCE.match(self.markup, self.at)
        character = _dereference(match) if match else None
        if match is None or character is None:
            self.at += 1
            return "&"
        self.at = match.end()
        return character

    def skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.markup, self.at)
        skipped = match.group() if match else ""
        self.at += len(skipped)
        return skipped

    def here(self) -> str:
        return self.markup[self.at : self.at + 1]

    def mistake(self, what: str, position: int, after: str = "") -> Refusal:
        return cannot_parse_entities(f"{what} at byte offset {byte_offset(self.markup, position)}{after}")

    def start_tag(self) -> None:
        begin = self.at
        self.at += 1
        tag = self.skip(_NAME).lower()
        if not self.here():
            raise self.mistake("Unclosed start tag", begin)
        if tag not in _TAGS:
            raise self.mistake(f'Unsupported start tag "{tag}"', begin)
        attributes = self.attributes(tag, begin)
        self.at += 1
        argument = {
            "a": attributes.get("href", ""),
            "code": _language(attributes.get("class", "")),
            "span": attributes.get("class", ""),
            "tg-emoji": attributes.get("emoji-id", ""),
            "tg-time": attributes.get("unix", ""),
            "blockquote": "expandable" if "expandable" in attributes else "",
        }.get(tag, "")
        if tag == "span" and argument != "tg-spoiler":
            raise self.mistake('Tag "span" must have class "tg-spoiler"', begin)
        self.open.append(_Open(tag, argument, self.offset, len(self.pieces), attributes.get("format", "")))

    def attributes(self, tag: str, begin: int) -> dict[str, str]:
        found: dict[str, str] = {}
        while self.here() != ">":
            self.skip(_SPACE)
            if self.here() == ">":
                break
            name = self.skip(_ATTRIBUTE)
            if not name:
                raise self.mistake(f'Empty attribute name in the tag "{tag}"', begin)
            self.skip(_SPACE)
            if self.here() == "=":
                self.at += 1
                self.skip(_SPACE)
                if not self.here():
                    raise self.mistake(f'Unclosed start tag "{tag}"', begin)
                found[name] = self.quoted() if self.here() in "'\"" else self.token()
                if not self.here():
                    raise self.mistake("Unclosed start tag", begin)
            elif not self.here():
                raise self.mistake(f'Unclosed start tag "{tag}"', begin)
            else:
                found[name] = ""
        return found

    def token(self) -> str:
        begin = self.at
        token = self.skip(_TOKEN)
        if self.here() not in " \t\r\n\v>":
            raise self.mistake("Unexpected end of name token", begin)
        return token.lower()

    def quoted(self) -> str:
        quote = self.here()
        self.at += 1
        value: list[str] = []
        while self.here() not in ("", quote):
            if self.here() == "&":
                value.append(self.reference())
            else:
                value.append(self.here())
                self.at += 1
        self.at += 1
        return "".join(value)

    def end_tag(self) -> None:
        begin = self.at
        if not self.open:
            raise self.mistake("Unexpected end tag", begin)
        self.at += 2
        tag = self.skip(_NAME).lower()
        self.skip(_SPACE)
        if self.here() != ">":
            raise self.mistake("Unclosed end tag", begin)
        self.at += 1
        opened = self.open[-1]
        if tag and tag != opened.tag:
            raise self.mistake("Unmatched end tag", begin, f', expected "</{opened.tag}>", found "</{tag}>"')
        self.open.pop()
        if self.offset > opened.offset:
            self.close(opened)

    def close(self, opened: _Open) -> None:
        entity: Entity = {"type": "", "offset": opened.offset, "length": self.offset - opened.offset}
        match opened.tag:
            case "a":
                url = opened.argument or "".join(self.pieces[opened.start :])
                link = link_entity(entity["offset"], entity["length"], url)
                if link is not None:
                    self.entities.append(link)
                return
            case "pre" | "code":
                self.close_code(opened, entity)
                return
            case "blockquote":
                entity["type"] = "expandable_blockquote" if opened.argument else "blockquote"
            case "tg-emoji":
                entity["type"] = "custom_emoji"
                entity["custom_emoji_id"] = custom_emoji_id(opened.argument)
            case "tg-time":
                if not opened.argument.isdecimal():
                    raise cannot_parse_entities("Invalid Unix time specified")
                entity["type"] = "date_time"
                entity["unix_time"] = int(opened.argument)
                if opened.format:
                    entity["date_time_format"] = opened.format
            case tag:
                entity["type"] = _STYLES[tag]
        self.entities.append(entity)

    def close_code(self, opened: _Open, entity: Entity) -> None:
        """`<pre>` around `<code class="language-…">`, either way in, is one block of code in that language."""
        entity["type"] = opened.tag
        last = self.entities[-1] if self.entities else None
        if last and (last["offset"], last["length"]) == (entity["offset"], entity["length"]):
            language = self.languages.get(id(last)) if opened.tag == "pre" else opened.argument
            if language and last["type"] == ("code" if opened.tag == "pre" else "pre"):
                last["type"] = "pre"
                last["language"] = language
                return
        self.entities.append(entity)
        if opened.tag == "code" and opened.argument:
            self.languages[id(entity)] = opened.argument


def parse_html(markup: str) -> Formatted:
    """Plain text and entities of a text in HTML style.

    Raises `Refusal` with Telegram's words and the byte offset of the mistake.

    >>> parse_html("<b>Hi</b> &amp; bye").entities
    [{'type': 'bold', 'offset': 0, 'length': 2}]
    """
    return _Reader(markup).read()


def _language(css_class: str) -> str:
    return css_class.removeprefix("language-") if css_class.startswith("language-") else ""


def custom_emoji_id(text: str) -> str:
    if not text.isdecimal() or not 0 < int(text) < 1 << 63:
        raise cannot_parse_entities("Invalid custom emoji identifier specified")
    return text


def _dereference(match: re.Match[str]) -> str | None:
    hexadecimal, decimal, name = match.groups()
    if name is not None:
        return _LITERALS.get(name)
    code = int(hexadecimal or "0", 16) if hexadecimal is not None else int(decimal or "0")
    written = len(match.group().rstrip(";"))
    if not 0 < code < 0x10FFFF or written >= _LONGEST_NUMBER:
        return None
    return chr(code)


def _join_surrogates(text: str) -> str:
    """References to the two halves of a pair make one character; a half alone is refused."""
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise cannot_parse_entities(
            "Text contains invalid Unicode characters after decoding HTML entities, "
            "check for unmatched surrogate code units"
        ) from None
