"""A model's text becomes text and entities, and nothing in it can do anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.telegram.formatting import TEXT_LIMIT, Rich, harmless, rich, split, utf16_length


def styled(message: Rich) -> list[tuple[str, str]]:
    """What each entity covers, counted as Telegram counts."""
    units = message.text.encode("utf-16-le")
    return [
        (units[e.offset * 2 : (e.offset + e.length) * 2].decode("utf-16-le"), str(e.type))
        for e in message.entities
    ]


@pytest.mark.parametrize(
    ("written", "shown", "styles"),
    [
        ("plain", "plain", []),
        ("a **bold** word", "a bold word", [("bold", "bold")]),
        ("__strong__", "strong", [("strong", "bold")]),
        ("*sighs* Well.", "sighs Well.", [("sighs", "italic")]),
        ("an _old_ one", "an old one", [("old", "italic")]),
        ("***both***", "both", [("both", "bold"), ("both", "italic")]),
        ("~~gone~~", "gone", [("gone", "strikethrough")]),
        ("use `a*b*c`", "use a*b*c", [("a*b*c", "code")]),
        ("**a *b* c**", "a b c", [("a b c", "bold"), ("b", "italic")]),
        ("```py\nx = '**'\n```", "x = '**'", [("x = '**'", "pre")]),
        ("~~~\nx\n~~~ after", "x after", [("x", "pre")]),
        ("# Title\ntext", "Title\ntext", [("Title", "bold")]),
        ("😀 **fun**", "😀 fun", [("fun", "bold")]),
        ("**日本** 語", "日本 語", [("日本", "bold")]),
    ],
)
def test_emphasis(written: str, shown: str, styles: list[tuple[str, str]]) -> None:
    assert (rich(written).text, styled(rich(written))) == (shown, styles)


@pytest.mark.parametrize(
    "written",
    [
        "2 * 3 * 4",
        "snake_case_name",
        "a ** b",
        "**open",
        "*",
        "<b>no</b>",
        "[a](b.c)",
        "- one",
        "5*",
    ],
)
def test_what_is_no_emphasis_stays(written: str) -> None:
    assert rich(written) == Rich(written)


def test_the_language_of_code_is_kept() -> None:
    assert rich("```rust\nlet x;\n```").entities[0].language == "rust"


@pytest.mark.parametrize("text", ["ask @somebody_else", "try /delete", "(/start)", "@all"])
def test_names_do_not_ping_and_commands_do_not_run(text: str) -> None:
    assert harmless(text) != text
    assert harmless(text).replace("\u2060", "") == text


@pytest.mark.parametrize("text", ["me@example.org", "and/or", "https://a.b/c", "1/2", "</b>"])
def test_ordinary_signs_stay(text: str) -> None:
    assert harmless(text) == text


def test_a_long_text_is_split_between_words_with_its_styles() -> None:
    parts = split(rich("**" + "word " * 1000 + "end**"), 1000)
    assert all(part.units <= 1000 for part in parts)
    assert "".join(part.text for part in parts).split() == ["word"] * 1000 + ["end"]
    assert all(part.entities[0].type == "bold" for part in parts)


def test_emoji_count_twice() -> None:
    parts = split(Rich("😀" * 3000))
    assert [part.units for part in parts] == [TEXT_LIMIT, 6000 - TEXT_LIMIT]


@given(st.text(alphabet="*_`~# \nab@/😀é", max_size=80), st.integers(1, 30))
def test_any_text_keeps_its_letters_and_its_bounds(written: str, limit: int) -> None:
    message = rich(written)
    assert [c for c in message.text if c in "ab😀é"] == [c for c in written if c in "ab😀é"]
    for part in [message, *split(message, max(2, limit))]:
        for entity in part.entities:
            assert entity.length > 0
            assert entity.offset >= 0
            assert entity.offset + entity.length <= utf16_length(part.text)
