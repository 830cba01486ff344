"""Markup against what Telegram's server and its open-source library answer, entity for entity and word for word."""

from typing import Any

import pytest
from aiogram.types import MessageEntity
from aiogram.utils.text_decorations import html_decoration, markdown_decoration
from hypothesis import given
from hypothesis import strategies as st
from teremok.validation import ApiRuleViolation, validate_html, validate_markdown

from bot.sandbox.botapi.formatting import (
    format_text,
    parse_html,
    parse_markdown,
    parse_markdown_v2,
    plain_text,
)
from bot.sandbox.botapi.refusals import Refusal


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


def refusal_of(text: str, parse_mode: str) -> str:
    with pytest.raises(Refusal) as caught:
        format_text(text, parse_mode, None)
    assert caught.value.code == 400
    return caught.value.description


@pytest.mark.parametrize(
    ("markup", "text", "entities"),
    [
        ("<b>SOL</b> 120", "SOL 120", [entity("bold", 0, 3)]),
        ("<strong>a</strong><em>b</em>", "ab", [entity("bold", 0, 1), entity("italic", 1, 1)]),
        ("<ins>a</ins><del>b</del>", "ab", [entity("underline", 0, 1), entity("strikethrough", 1, 1)]),
        ("🦔 <i>🦔🦔</i>", "🦔 🦔🦔", [entity("italic", 3, 4)]),
        ("a &lt; b &amp;&amp; c &gt; d &quot;e&quot;", 'a < b && c > d "e"', []),
        ("Tom & Jerry &nbsp;", "Tom & Jerry &nbsp;", []),
        ("&#8364; &#x20AC; &lt", "€ € <", []),
        ("<b><i>x</i></b>", "x", [entity("bold", 0, 1), entity("italic", 0, 1)]),
        ("<B>x</b >", "x", [entity("bold", 0, 1)]),
        ("<b>x</>", "x", [entity("bold", 0, 1)]),
        ("<b></b>x", "x", []),
        ("<b class=odd whatever>x</b>", "x", [entity("bold", 0, 1)]),
        ('<span class="tg-spoiler">x</span>', "x", [entity("spoiler", 0, 1)]),
        ("<tg-spoiler>x</tg-spoiler>", "x", [entity("spoiler", 0, 1)]),
        ("<blockquote>x</blockquote>", "x", [entity("blockquote", 0, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [entity("expandable_blockquote", 0, 1)]),
        ("<pre>x</pre>", "x", [entity("pre", 0, 1)]),
        ('<pre><code class="language-py">x</code></pre>', "x", [entity("pre", 0, 1, language="py")]),
        ('<code class="language-py">x</code>', "x", [entity("code", 0, 1)]),
        ('<a href="https://x.com/a?b=1&amp;c=2">x</a>', "x", [entity("text_link", 0, 1, url="https://x.com/a?b=1&c=2")]),
        ("<a href='x.com'>x</a>", "x", [entity("text_link", 0, 1, url="http://x.com/")]),
        ("<a href='nonsense'>x</a>", "x", []),
        ('<tg-emoji emoji-id="53">👍</tg-emoji>', "👍", [entity("custom_emoji", 0, 2, custom_emoji_id="53")]),
        (
            '<tg-time unix="1647531900" format="wDT">soon</tg-time>',
            "soon",
            [entity("date_time", 0, 4, unix_time=1647531900, date_time_format="wDT")],
        ),
    ],
)  # fmt: skip
def test_html_becomes_text_and_entities(markup: str, text: str, entities: list[dict[str, Any]]) -> None:
    parsed = parse_html(markup)
    assert (parsed.text, parsed.entities) == (text, entities)


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<script>x</script>", 'Unsupported start tag "script" at byte offset 0'),
        ("<b><i>test</b></i>", 'Unmatched end tag at byte offset 10, expected "</i>", found "</b>"'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("1 <2", "Unclosed start tag at byte offset 2"),
        ("🦔<br>", 'Unsupported start tag "br" at byte offset 4'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</b ", "Unclosed end tag at byte offset 4"),
        ("<a href>x</a", "Unclosed end tag at byte offset 9"),
        ("<a href=x", "Unclosed start tag at byte offset 0"),
        ("<a href", 'Unclosed start tag "a" at byte offset 0'),
        ('<a ="x">y</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<a href=x/>y</a>", "Unexpected end of name token at byte offset 8"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        (
            '<tg-emoji emoji-id="9999999999999999999">x</tg-emoji>',
            "Invalid custom emoji identifier specified",
        ),
    ],
)
def test_broken_html_is_refused_in_telegrams_words(markup: str, reason: str) -> None:
    assert refusal_of(markup, "HTML") == f"Bad Request: can't parse entities: {reason}"


@pytest.mark.parametrize(
    ("markup", "text", "entities"),
    [
        ("*SOL* 120", "SOL 120", [entity("bold", 0, 3)]),
        ("_a_ __b__", "a b", [entity("italic", 0, 1), entity("underline", 2, 1)]),
        ("~c~ ||d||", "c d", [entity("strikethrough", 0, 1), entity("spoiler", 2, 1)]),
        ("*a _b_*", "a b", [entity("bold", 0, 3), entity("italic", 2, 1)]),
        (r"1\.5 \- \(x\)\!", "1.5 - (x)!", []),
        ("`a*b` c", "a*b c", [entity("code", 0, 3)]),
        ("```py\nx = 1```", "x = 1", [entity("pre", 0, 5, language="py")]),
        ("```\nx```", "x", [entity("pre", 0, 1)]),
        (r"[x\.com](https://x.com/\))", "x.com", [entity("text_link", 0, 5, url="https://x.com/)")]),
        ("![👍](tg://emoji?id=53)", "👍", [entity("custom_emoji", 0, 2, custom_emoji_id="53")]),
        (">a\n>b\nc", "a\nb\nc", [entity("blockquote", 0, 4)]),
        (">a\n>b||\nc", "a\nb\nc", [entity("expandable_blockquote", 0, 4)]),
        ("**>a||", "a", [entity("expandable_blockquote", 0, 1)]),
        (">*a*", "a", [entity("blockquote", 0, 1), entity("bold", 0, 1)]),
    ],
)  # fmt: skip
def test_markdown_v2_becomes_text_and_entities(
    markup: str, text: str, entities: list[dict[str, Any]]
) -> None:
    parsed = parse_markdown_v2(markup)
    assert (parsed.text, parsed.entities) == (text, entities)


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        *(
            (f"a{c}b", f"Character '{c}' is reserved and must be escaped with the preceding '\\'")
            for c in ".!-+=#(){}|>"
        ),
        ("*unclosed", "Can't find end of Bold entity at byte offset 0"),
        ("*bold _italic\\_*", "Can't find end of Bold entity at byte offset 15"),
        ("🦔__a", "Can't find end of Underline entity at byte offset 4"),
        ("`a", "Can't find end of Code entity at byte offset 0"),
        ("```py\na", "Can't find end of PreCode entity at byte offset 0"),
        ("||a|", "Character '|' is reserved and must be escaped with the preceding '\\'"),
        ("[a](b", "Can't find end of a URL at byte offset 4"),
        ("[a", "Can't find end of TextUrl entity at byte offset 0"),
        ("![👍]", "Custom emoji entity must contain a tg://emoji URL"),
        (">*a\nb*", "Can't find end of Bold entity at byte offset 1"),
    ],
)
def test_broken_markdown_v2_is_refused_in_telegrams_words(markup: str, reason: str) -> None:
    assert refusal_of(markup, "MarkdownV2") == f"Bad Request: can't parse entities: {reason}"


def test_the_old_markdown_is_read_too() -> None:
    parsed = parse_markdown("*a* _b_ `c` [d](https://x.com/) ```py\ne``` \\*")
    assert parsed.text == "a b c d e *"
    assert [e["type"] for e in parsed.entities] == ["bold", "italic", "code", "text_link", "pre"]
    assert refusal_of("*a", "Markdown") == (
        "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset 0"
    )


def test_a_parse_mode_that_does_not_exist_is_refused() -> None:
    assert refusal_of("x", "BBCode") == "Bad Request: unsupported parse_mode"


def test_outer_blanks_go_and_entities_move_with_the_text() -> None:
    formatted = format_text("\n  <b> a </b>b\n ", "HTML", None)
    assert (formatted.text, formatted.entities) == ("a b", [entity("bold", 0, 2)])


def test_neighbours_of_one_style_are_one_entity_and_code_has_no_style() -> None:
    formatted = format_text("<b>a</b><b>b<code>c</code>d</b>", "HTML", None)
    assert formatted.entities == [entity("bold", 0, 2), entity("code", 2, 1), entity("bold", 3, 1)]


def test_what_telegram_finds_by_itself_is_found() -> None:
    formatted = plain_text(
        "/add@hedgehog_bot 1.5 SOL/USDT $SOL #hedge @someone a@b.com see x.com and https://t.me/x?y=1."
    )
    found = [(e["type"], formatted.text[e["offset"] : e["offset"] + e["length"]]) for e in formatted.entities]
    assert found == [
        ("bot_command", "/add@hedgehog_bot"),
        ("cashtag", "$SOL"),
        ("hashtag", "#hedge"),
        ("mention", "@someone"),
        ("email", "a@b.com"),
        ("url", "x.com"),
        ("url", "https://t.me/x?y=1"),
    ]


@pytest.mark.parametrize(
    ("given_entity", "reason"),
    [
        (
            {"type": "bold", "offset": 100, "length": 1},
            "entity begins after the end of the text at UTF-16 offset 100",
        ),
        (
            {"type": "bold", "offset": 0, "length": 100},
            "entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 100",
        ),
        ({"type": "loud", "offset": 0, "length": 1}, "can't parse MessageEntity: Unsupported type specified"),
        ({"type": "bold", "offset": -1, "length": 1}, "receive an entity with incorrect offset -1"),
        (
            {"type": "text_link", "offset": 0, "length": 5},
            "can't parse MessageEntity: Can't find field \"url\"",
        ),
        (
            {"type": "text_link", "offset": 0, "length": 5, "url": "not-a-url"},
            "entity URL 'not-a-url' is invalid: Wrong HTTP URL",
        ),
    ],
)
def test_wrong_entities_are_refused_in_telegrams_words(given_entity: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refusal) as caught:
        format_text("hello", "", [given_entity])
    assert caught.value.description == f"Bad Request: {reason}"


# Independent judges: what aiogram writes from entities must read back as these entities; what teremok refuses must be
# refused here, apart from what Telegram is known to let pass.

words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=6
)
styles = st.sampled_from(["bold", "italic", "underline", "strikethrough", "spoiler", "code", "blockquote"])


@st.composite
def texts_with_entities(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]]]:
    """Words apart by blanks, some of them in one style each."""
    text, entities = "", []
    for word in draw(st.lists(words, min_size=1, max_size=5)):
        style = draw(st.none() | styles)
        if style:
            length = len(word.encode("utf-16-le")) // 2
            entities.append(entity(style, len(text.encode("utf-16-le")) // 2, length))
        text += word + " x "
    return text, entities


@given(texts_with_entities())
def test_html_written_by_aiogram_reads_back_as_it_was(drawn: tuple[str, list[dict[str, Any]]]) -> None:
    text, entities = drawn
    parsed = parse_html(html_decoration.unparse(text, [MessageEntity(**e) for e in entities]))
    assert (parsed.text, parsed.entities) == (text, entities)


@given(texts_with_entities())
def test_markdown_v2_written_by_aiogram_reads_back_as_it_was(drawn: tuple[str, list[dict[str, Any]]]) -> None:
    text, entities = drawn
    # A quote begins a line; aiogram writes its mark wherever the entity stands.
    entities = [e for e in entities if e["type"] != "blockquote"]
    markup = markdown_decoration.unparse(text, [MessageEntity(**e) for e in entities])
    formatted = format_text(markup, "MarkdownV2", None)
    # Styles as they were; what Telegram finds by itself may come on top, and outer blanks are gone.
    assert formatted.text == text.strip()
    assert [e for e in formatted.entities if e in entities] == entities


tags = [
    "<b>",
    "</b>",
    "<i>",
    "</i>",
    "<code>",
    "</code>",
    "<a href='https://x.com'>",
    "</a>",
    "<u",
    "<br>",
    "</",
]
tags += ["<blockquote expandable>", "</blockquote>", ">", "<", "&lt;", "&amp;", "x", " ", "🦔", "1 < 2"]
pieces = st.sampled_from(tags)


@given(st.lists(pieces, max_size=12).map("".join))
def test_html_that_teremok_refuses_is_refused_here(markup: str) -> None:
    try:
        validate_html(markup)
    except ApiRuleViolation:
        with pytest.raises(Refusal):
            parse_html(markup)
    else:
        parse_html(markup)


# Without quotes and blocks of code: of those Telegram lets more pass (`>>`, a quote behind an empty `**`, `x```).
marks = st.sampled_from(
    [*"*_~[]()#+-=|{}.!x \n", "||", "__", "`x`", "`*`", "\\", "\\*", "\\.", "](https://x.com)", "🦔"]
)


@given(st.lists(marks, max_size=10).map("".join))
def test_markdown_v2_taken_here_is_taken_by_teremok(markup: str) -> None:
    try:
        parse_markdown_v2(markup)
    except Refusal:
        return
    validate_markdown(markup, 2)
