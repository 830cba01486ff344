"""MarkdownV2: nested marks, every reserved character escaped, quotes that may fold."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from bot.sandbox.botapi.formatting.entities import (
    Entity,
    Formatted,
    byte_offset,
    in_order,
    link_entity,
    utf16_length,
)
from bot.sandbox.botapi.formatting.html import custom_emoji_id
from bot.sandbox.botapi.formatting.markdown import open_block
from bot.sandbox.botapi.refusals import Refusal, cannot_parse_entities

_RESERVED = frozenset("_*[]()~`>#+-=|{}.!\n")
# Longest first: `__` is underline before `_` is italic.
_MARKS = (
    ("__", "underline", "Underline"),
    ("_", "italic", "Italic"),
    ("*", "bold", "Bold"),
    ("~", "strikethrough", "Strikethrough"),
    ("||", "spoiler", "Spoiler"),
    ("![", "custom_emoji", "CustomEmoji"),
    ("[", "text_link", "TextUrl"),
)
_NAMES = {kind: name for _, kind, name in _MARKS} | {"blockquote": "BlockQuote"}
_CLOSING = {kind: "]" if "[" in mark else mark for mark, kind, _ in _MARKS}


@dataclass(slots=True)
class _Open:
    kind: str
    offset: int
    begin: int  # where its mark stands in the markup
    start: int  # how many pieces of text came before it


class _Reader:
    def __init__(self, markup: str) -> None:
        self.markup = markup
        self.at = 0
        self.pieces: list[str] = []
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []
        self.quoting = False
        self.line_start = True

    def read(self) -> Formatted:
        markup = self.markup
        while self.at < len(markup):
            character = markup[self.at]
            if self.escapes():
                self.write(markup[self.at + 1])
                self.at += 2
            elif character not in _RESERVED:
                self.write(character)
                self.at += 1
            elif character == "\n":
                self.line_end()
            elif character == "`":
                self.code()
            elif not self.close_mark():
                self.open_mark(character)
        self.text_end()
        return Formatted("".join(self.pieces), in_order(self.entities))

    def write(self, text: str) -> None:
        self.pieces.append(text)
        self.offset += utf16_length(text)
        if text != "\r":
            self.line_start = False

    def mistake(self, what: str, position: int) -> Refusal:
        return cannot_parse_entities(f"{what} at byte offset {byte_offset(self.markup, position)}")

    def unclosed(self, opened: _Open) -> Refusal:
        return self.mistake(f"Can't find end of {_NAMES[opened.kind]} entity", opened.begin)

    def reserved(self, character: str) -> Refusal:
        return cannot_parse_entities(
            f"Character '{character}' is reserved and must be escaped with the preceding '\\'"
        )

    def add(self, kind: str, begin: int) -> None:
        self.open.append(_Open(kind, self.offset, begin, len(self.pieces)))

    # Marks

    def open_mark(self, character: str) -> None:
        begin = self.at
        if character == ">":
            if not self.line_start:
                raise self.reserved(character)
            self.at += 1
            if not self.quoting:
                self.quoting = True
                self.add("blockquote", begin)
            return
        for mark, kind, _ in _MARKS:
            if self.markup.startswith(mark, self.at):
                self.at += len(mark)
                self.add(kind, begin)
                return
        raise self.reserved(character)

    def close_mark(self) -> bool:
        """Close the innermost entity if its mark is here."""
        if not self.open or self.open[-1].kind == "blockquote":
            return False
        opened = self.open[-1]
        mark = _CLOSING[opened.kind]
        if not self.markup.startswith(mark, self.at):
            return False
        if opened.kind == "italic" and self.markup.startswith("__", self.at):
            return False
        self.at += len(mark)
        self.open.pop()
        entity: Entity | None = {
            "type": opened.kind,
            "offset": opened.offset,
            "length": self.offset - opened.offset,
        }
        if opened.kind == "text_link":
            url = self.address("URL") if self.markup.startswith("(", self.at) else self.text_since(opened)
            entity = link_entity(opened.offset, self.offset - opened.offset, url)
        elif opened.kind == "custom_emoji":
            entity = self.special_link(opened)
        if entity is not None and entity["length"]:
            self.entities.append(entity)
        return True

    def text_since(self, opened: _Open) -> str:
        return "".join(self.pieces[opened.start :])

    def address(self, what: str) -> str:
        self.at += 1
        begin = self.at
        url: list[str] = []
        while not self.markup.startswith(")", self.at):
            if self.escapes():
                self.at += 1
            if self.at >= len(self.markup):
                raise self.mistake(f"Can't find end of a {what}", begin)
            url.append(self.markup[self.at])
            self.at += 1
        self.at += 1
        return "".join(url)

    def special_link(self, opened: _Open) -> Entity:
        """`![…](tg://emoji?id=…)` and `![…](tg://time?unix=…&format=…)`."""
        if not self.markup.startswith("(", self.at):
            raise cannot_parse_entities("Custom emoji entity must contain a tg://emoji URL")
        url = self.address("custom emoji URL")
        entity: Entity = {"type": opened.kind, "offset": opened.offset, "length": self.offset - opened.offset}
        parts = urlsplit(url if "://" in url else url.replace("tg:", "tg://", 1))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.scheme != "tg":
            raise cannot_parse_entities("Custom emoji URL must have scheme tg")
        if parts.netloc == "time" and query.get("unix", "").isdecimal():
            entity["type"] = "date_time"
            entity["unix_time"] = int(query["unix"])
            if "format" in query:
                entity["date_time_format"] = query["format"]
            return entity
        if parts.netloc != "emoji":
            raise cannot_parse_entities('Custom emoji URL must have host "emoji"')
        if "id" not in query:
            raise cannot_parse_entities("Custom emoji URL must have an emoji identifier")
        entity["custom_emoji_id"] = custom_emoji_id(query["id"])
        return entity

    # Code, in which nothing but a backtick means anything

    def code(self) -> None:
        begin = self.at
        is_block = self.markup.startswith("```", begin)
        mark = "```" if is_block else "`"
        language, self.at = open_block(self.markup, begin + 3) if is_block else ("", begin + 1)
        name = "Code" if not is_block else "PreCode" if language else "Pre"
        code = ""
        while not self.markup.startswith(mark, self.at):
            if self.markup.startswith("`", self.at):  # a single backtick within a block opens code of its own
                inner = self.at
                self.at += 1
                code += self.code_until_backtick("Code", inner)
                self.at += 1
            else:
                code += self.code_until_backtick(name, begin)
        self.at += len(mark)
        if code:
            entity: Entity = {"type": "pre" if is_block else "code", "offset": self.offset}
            entity["length"] = utf16_length(code)
            if language:
                entity["language"] = language
            self.entities.append(entity)
            self.write(code)

    def code_until_backtick(self, name: str, begin: int) -> str:
        code: list[str] = []
        while not self.markup.startswith("`", self.at):
            if self.escapes():
                self.at += 1
            if self.at >= len(self.markup):
                raise self.mistake(f"Can't find end of {name} entity", begin)
            code.append(self.markup[self.at])
            self.at += 1
        return "".join(code)

    def escapes(self) -> bool:
        """Whether a backslash here takes the meaning from the character behind it."""
        return (
            self.markup.startswith("\\", self.at) and "\x01" <= self.markup[self.at + 1 : self.at + 2] <= "~"
        )

    # Lines and quotes

    def line_end(self) -> None:
        begin = self.at
        self.at += 1
        ends_quote = self.quoting and self.markup[self.at : self.at + 1] != ">"
        if ends_quote:
            kind = self.close_quote(begin)
        self.write("\n")
        self.line_start = True
        if ends_quote:
            opened = self.open.pop()
            self.entities.append(
                {"type": kind, "offset": opened.offset, "length": self.offset - opened.offset}
            )
            self.quoting = False

    def close_quote(self, end: int) -> str:
        """What kind of quote ends at this place: `||` as its last mark makes it one that folds."""
        kind = "blockquote"
        opened = self.open[-1]
        if opened.kind == "spoiler" and self.markup[opened.begin + 2 : end] in ("", "\r"):
            self.open.pop()
            opened = self.open[-1]
            kind = "expandable_blockquote"
        if opened.kind != "blockquote":
            raise self.unclosed(opened)
        return kind

    def text_end(self) -> None:
        if self.quoting and self.open[-1].kind in {"blockquote", "spoiler"}:
            kind = self.close_quote(len(self.markup))
            opened = self.open.pop()
            if self.offset > opened.offset:
                self.entities.append(
                    {"type": kind, "offset": opened.offset, "length": self.offset - opened.offset}
                )
        if self.open:
            raise self.unclosed(self.open[-1])


def parse_markdown_v2(markup: str) -> Formatted:
    """Plain text and entities of a text in MarkdownV2 style. Raises `Refusal` with Telegram's words.

    >>> parse_markdown_v2("*Hi* and _bye_").text
    'Hi and bye'
    """
    return _Reader(markup).read()
