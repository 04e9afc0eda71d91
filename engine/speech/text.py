"""What a persona wrote, made speakable."""

from __future__ import annotations

import re
from dataclasses import dataclass

from personas.errors import InvalidInputError


@dataclass(frozen=True)
class SpokenSentence:
    """One sentence, ready to be spoken.

    Attributes:
        written: as it would be written, without markup, emoji and stage directions.
        spoken: only words and punctuation, with every number and symbol as words.
        directions: stage directions and the index of the word of `spoken` that each one precedes
            (the number of words where it stands at the end).
        ends_paragraph: whether a longer pause follows.
    """

    written: str
    spoken: str
    directions: tuple[tuple[str, int], ...] = ()
    ends_paragraph: bool = False


def speakable(text: str) -> list[SpokenSentence]:
    """The sentences of a text, ready to be spoken.

    Raises:
        InvalidInputError: there is nothing in the text that can be spoken.
    """
    plain = re.sub(r"[^A-Za-z0-9 ,.!?;:'\n-]+", " ", text)
    found = [part.strip() for part in re.split(r"(?<=[.!?])\s+|\n+", plain)]
    sentences = [SpokenSentence(part, part) for part in found if re.search("[A-Za-z]", part)]
    if not sentences:
        raise InvalidInputError("There is nothing in this message that can be spoken.")
    return sentences
