"""The old Markdown style, without nesting, which Telegram keeps for the bots that still use it."""

import re

from bot.sandbox.botapi.formatting.entities import Entity, Formatted, byte_offset, link_entity, utf16_length
from bot.sandbox.botapi.refusals import cannot_parse_entities

_LANGUAGE = re.compile(r"[^ \t\r\n\v`]+(?=[ \t\r\n\v])")
_LINE_END = re.compile(r"\r\n|\n\r|\r|\n")
_MARKS = {"_": "italic", "*": "bold", "`": "code"}


def parse_markdown(markup: str) -> Formatted:
    """Plain text and entities of a text in the old Markdown style. Raises `Refusal`."""
    pieces: list[str] = []
    entities: list[Entity] = []
    offset = 0
    at = 0
    while at < len(markup):
        mark = markup[at]
        if mark == "\\" and markup[at + 1 : at + 2] in ("_", "*", "`", "["):
            pieces.append(markup[at + 1])
            offset += 1
            at += 2
            continue
        if mark not in "_*`[":
            pieces.append(mark)
            offset += utf16_length(mark)
            at += 1
            continue
        close = "]" if mark == "[" else "```" if markup.startswith("```", at) else mark
        language, start = open_block(markup, at + 3) if close == "```" else ("", at + 1)
        end = markup.find(close, start)
        if end < 0:
            reason = f"Can't find end of the entity starting at byte offset {byte_offset(markup, at)}"
            raise cannot_parse_entities(reason)
        text = markup[start:end]
        at = end + len(close)
        url = text
        if mark == "[" and markup.startswith("(", at):
            closing = markup.find(")", at)
            url = markup[at + 1 : closing if closing >= 0 else len(markup)]
            at = closing + 1 if closing >= 0 else len(markup)
        length = utf16_length(text)
        if length:
            entities += _entity(mark, close, offset, length, url, language)
        pieces.append(text)
        offset += length
    return Formatted("".join(pieces), entities)


def _entity(mark: str, close: str, offset: int, length: int, url: str, language: str) -> list[Entity]:
    if mark == "[":
        link = link_entity(offset, length, url)
        return [link] if link else []
    if close == "```":
        block: Entity = {"type": "pre", "offset": offset, "length": length}
        return [{**block, "language": language} if language else block]
    return [{"type": _MARKS[mark], "offset": offset, "length": length}]


def open_block(markup: str, at: int) -> tuple[str, int]:
    """The language of a block of code whose marks end at `at`, and where its code begins.

    The language is a word right after the marks when a space or a new line follows; one new line is passed over.
    """
    word = _LANGUAGE.match(markup, at)
    language = word.group() if word else ""
    line_end = _LINE_END.match(markup, at + len(language))
    return language, line_end.end() if line_end else at + len(language)
