"""Long texts become messages that are whole by themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.pieces import pieces

CODE = "Look:\n```python\n" + "\n".join(f"print({n})" for n in range(40)) + "\n```\nDone."


def test_a_short_text_is_one_message() -> None:
    assert pieces("Hello.", 2000) == ["Hello."]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u200b \n"[1:]])
def test_blank_text_is_no_message(text: str) -> None:
    assert pieces(text, 100) == []


def test_paragraphs_are_kept_together_where_they_can_be() -> None:
    first, second = "One. " * 12, "Two. " * 12
    assert pieces(f"{first}\n\n{second}", 100) == [first.strip(), second.strip()]


def test_sentences_come_before_words() -> None:
    assert pieces("I think so. " + "word " * 10, 50)[0].endswith(("so.", "word"))
    assert pieces("A sentence that is long enough. Then more words follow", 45) == [
        "A sentence that is long enough.",
        "Then more words follow",
    ]


def test_one_endless_word_is_cut() -> None:
    assert "".join(pieces("x" * 250, 100)) == "x" * 250


def test_a_code_block_that_is_cut_is_closed_and_opened_again() -> None:
    cut = pieces(CODE, 120)
    assert len(cut) > 2
    for piece in cut:
        assert piece.count("```") % 2 == 0
        assert len(piece) <= 120
    assert all(piece.startswith("```python\n") for piece in cut[1:-1])
    printed = [line for piece in cut for line in piece.splitlines() if line.startswith("print")]
    assert printed == [f"print({n})" for n in range(40)]


def test_joined_emoji_are_not_taken_apart() -> None:
    family = "👨\u200d👩\u200d👧"
    for piece in pieces(family * 60, 50):
        assert not piece.startswith("\u200d")
        assert not piece.endswith("\u200d")


@given(st.text(max_size=600), st.integers(40, 200))
def test_no_message_is_too_long_and_no_word_is_lost(text: str, limit: int) -> None:
    cut = pieces(text, limit)
    assert all(0 < len(piece) <= limit for piece in cut)
    if "```" not in text and "~~~" not in text:
        assert "".join("".join(cut).split()) == "".join(text.split())


@given(
    st.lists(st.sampled_from(["word ", "A sentence. ", "\n\n", "```\n", "code()\n"]), max_size=60)
)
def test_a_growing_text_only_ever_changes_its_last_message(parts: list[str]) -> None:
    text = "".join(parts)
    whole = pieces(text, 60)
    for end in range(0, len(text), 37):
        so_far = pieces(text[:end], 60)
        assert so_far[:-1] == whole[: max(0, len(so_far) - 1)]
