"""What a persona wrote, made speakable.

A persona writes for the eye: markdown, emoji, numbers, links, *smiles*. Here it becomes sentences
of words and punctuation that a voice can read, and stage directions with their places.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from engine.speech.directions import Directions, take_directions, without_marks
from engine.speech.markup import without_markup
from engine.speech.reader import Reader, reader_for
from engine.speech.sentences import sentences
from engine.speech.symbols import emoji_to_words
from engine.speech.wording import names_of_chats
from personas.errors import InvalidInputError

MAX_TEXT = 20_000
"""Characters of a text that are looked at: more than anybody has ever listened to."""

_LONGEST_DIGITS = re.compile(r"(\d{40})\d+")
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_LEADING = re.compile(r"^[\s.,!?;:—…'-]+")
_SPACE_BEFORE = re.compile(r"\s+(?=[.,!?;:…])")
_SPACES = re.compile(r"\s+")
_STOPS = re.compile(r"[.,!?;:…—]{2,}")
_WORDLESS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class SpokenSentence:
    """One sentence, ready to be spoken.

    Attributes:
        written: as it would be written, without markup, emoji and stage directions.
        spoken: only words and punctuation, with every number and symbol as words.
        directions: stage directions, each with the index of the word of `spoken.split()` that it
            precedes (the number of words where it stands at the end).
        ends_paragraph: whether a longer pause follows.
    """

    written: str
    spoken: str
    directions: tuple[tuple[str, int], ...] = ()
    ends_paragraph: bool = False


def speakable(text: str, letters: float = math.inf, language: str = "en") -> list[SpokenSentence]:
    """The sentences of a text, ready to be spoken.

    Takes time in proportion to the length of the text, whatever is in it; what lies beyond
    `MAX_TEXT` characters is left out.

    Args:
        text: what a persona wrote.
        letters: stop after the sentence with which so many letters are reached.
        language: BCP 47 tag of the language it is spoken in.

    Raises:
        InvalidInputError: there is nothing in the text that can be spoken.
    """
    reader = reader_for(language)
    directions = Directions()
    plain = _CONTROL.sub("", without_marks(text[:MAX_TEXT]))
    plain = reader.narrowed(without_markup(plain, reader.placeholders))
    plain = emoji_to_words(plain, directions, reader.emoji)
    plain = reader.folded(take_directions(plain, directions, reader.interpret))
    plain = _LONGEST_DIGITS.sub(r"\1", plain)
    result: list[SpokenSentence] = []
    waiting: list[str] = []
    for sentence, ends_paragraph in sentences(plain, reader.stops):
        made = _spoken(sentence, directions, reader)
        if not made.spoken:
            waiting += [action for action, _ in made.directions]
            if ends_paragraph and result:
                result[-1] = replace(result[-1], ends_paragraph=True)
            continue
        early = tuple((action, 0) for action in waiting)
        waiting = []
        result.append(
            replace(made, directions=early + made.directions, ends_paragraph=ends_paragraph)
        )
        letters -= len(made.spoken)
        if letters <= 0:
            return result
    if not result:
        raise InvalidInputError(_why_not(text, directions, reader))
    if waiting:
        last = result[-1]
        late = tuple((action, len(last.spoken.split())) for action in waiting)
        result[-1] = replace(last, directions=last.directions + late)
    return result


def _spoken(sentence: str, directions: Directions, reader: Reader) -> SpokenSentence:
    """One sentence in words; each stretch between two directions is made speakable by itself."""
    pieces: list[str] = []
    placed: list[tuple[str, int]] = []
    current: list[str] = []
    count = 0

    def close() -> int:
        words = _words("".join(current), reader)
        current.clear()
        if words:
            pieces.append(words)
        return len(words.split())

    for char in sentence:
        action = directions.action(char)
        if action is None:
            current.append(char)
        else:
            count += close()
            placed.append((action, count))
    close()
    spoken = reader.finished(_punctuated(" ".join(pieces)))
    written = _tidy("".join(char for char in sentence if directions.action(char) is None))
    written = reader.finished(written)
    limit = len(spoken.split())
    return SpokenSentence(written, spoken, tuple((a, min(at, limit)) for a, at in placed))


def _words(text: str, reader: Reader) -> str:
    """Words and punctuation, from a stretch of plain text."""
    text = reader.words(names_of_chats(text))
    text = _SPACE_BEFORE.sub("", _STOPS.sub(lambda match: _strongest(match[0]), text))
    words = [_within(word, reader.longest_word) for word in text.split()]
    return _SPACES.sub(" ", _STOPS.sub(lambda m: _strongest(m[0]), " ".join(words))).strip()


def _punctuated(text: str) -> str:
    """Starting with a word and ending with a stop; empty where there is no word."""
    if not _WORDLESS.search(text):
        return ""
    text = _SPACE_BEFORE.sub("", _LEADING.sub("", text))
    text = _STOPS.sub(lambda match: _strongest(match[0]), text).rstrip(" ,;:—-'")
    return text if text[-1] in ".!?…" else text + "."


def _strongest(stops: str) -> str:
    """One mark for many: "?!" asks, "!!!" calls, ",." ends."""
    return next(mark for mark in "?!….:;—," if mark in stops)


def _within(word: str, longest: int) -> str:
    """A word of a length that somebody could say."""
    if len(word) <= longest:
        return word
    end = word[-1] if word[-1] in ".,!?;:…—" else ""
    return word[:longest].rstrip("-'") + end


def _tidy(text: str) -> str:
    """As it would be written: one space between words, none before a stop."""
    text = _SPACE_BEFORE.sub("", _SPACES.sub(" ", text)).strip(" ,*_")
    return re.sub(r",(?:\s*,)+", ",", re.sub(r",\s*(?=[.!?;:…])", "", text))


def _why_not(text: str, directions: Directions, reader: Reader) -> str:
    if directions.actions:
        return "There are only stage directions in this message, and no word to say aloud."
    if any(char.isalpha() for char in text):
        return reader.refusal()
    return "There is no word in this message, so there is nothing to say aloud."
