"""What a persona wrote, made speakable.

A persona writes for the eye: markdown, emoji, numbers, links, *smiles*. Here it becomes sentences
of words and punctuation that a voice can read, and stage directions with their places.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from engine.speech.abbreviations import abbreviations_to_words, calm, drawn_out
from engine.speech.directions import Directions, take_directions, without_marks
from engine.speech.markup import without_markup
from engine.speech.numbers import numbers_to_words
from engine.speech.sentences import sentences
from engine.speech.symbols import emoji_to_words, folded, signs_to_words, speakable_letters
from personas.errors import InvalidInputError

MAX_TEXT = 20_000
"""Characters of a text that are looked at: more than anybody has ever listened to."""

_LONGEST_WORD = 40
_LONGEST_DIGITS = re.compile(r"(\d{40})\d+")
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_MENTION = re.compile(r"(?<![\w@])@(?=\w)")
_HASHTAG = re.compile(r"(?<![\w#&])#([^\W\d]\w*)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_EITHER = re.compile(r"(?<=[^\W\d_])\s?/\s?(?=[^\W\d_])")
_QUOTING = re.compile(r"(?<![^\W\d_])'|'(?![^\W\d_])")
_LEADING = re.compile(r"^[\s.,!?;:—…'-]+")
_SPACE_BEFORE = re.compile(r"\s+(?=[.,!?;:…])")
_SPACES = re.compile(r"\s+")
_HYPHENS = re.compile(r"(?<![^\W\d_])-+|-+(?![^\W\d_])")
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
    directions = Directions()
    plain = without_markup(_CONTROL.sub("", without_marks(text[:MAX_TEXT])))
    plain = emoji_to_words(plain, directions)
    plain = folded(take_directions(plain, directions))
    plain = _LONGEST_DIGITS.sub(r"\1", plain)
    result: list[SpokenSentence] = []
    waiting: list[str] = []
    for sentence, ends_paragraph in sentences(plain):
        made = _spoken(sentence, directions)
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
        raise InvalidInputError(_why_not(text, directions))
    if waiting:
        last = result[-1]
        late = tuple((action, len(last.spoken.split())) for action in waiting)
        result[-1] = replace(last, directions=last.directions + late)
    return result


def _spoken(sentence: str, directions: Directions) -> SpokenSentence:
    """One sentence in words; each stretch between two directions is made speakable by itself."""
    pieces: list[str] = []
    placed: list[tuple[str, int]] = []
    current: list[str] = []
    count = 0

    def close() -> int:
        words = _words("".join(current))
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
    spoken = _punctuated(" ".join(pieces))
    written = _tidy("".join(char for char in sentence if directions.action(char) is None))
    limit = len(spoken.split())
    return SpokenSentence(written, spoken, tuple((a, min(at, limit)) for a, at in placed))


def _words(text: str) -> str:
    """Words and punctuation, from a stretch of plain text."""
    text = _MENTION.sub("", text)
    text = _HASHTAG.sub(lambda match: _HUMP.sub(" ", match[1].replace("_", " ")), text)
    text = abbreviations_to_words(drawn_out(calm(text)))
    text = numbers_to_words(text)
    text = _EITHER.sub(" or ", text)
    text = signs_to_words(text)
    text = _SPACES.sub(" ", speakable_letters(text))
    text = _HYPHENS.sub(" ", _QUOTING.sub(" ", text))
    text = _SPACE_BEFORE.sub("", _STOPS.sub(lambda match: _strongest(match[0]), text))
    words = [_within(word) for word in text.split()]
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


def _within(word: str) -> str:
    """A word of a length that somebody could say."""
    if len(word) <= _LONGEST_WORD:
        return word
    end = word[-1] if word[-1] in ".,!?;:…—" else ""
    return word[:_LONGEST_WORD].rstrip("-'") + end


def _tidy(text: str) -> str:
    """As it would be written: one space between words, none before a stop."""
    text = _SPACE_BEFORE.sub("", _SPACES.sub(" ", text)).strip(" ,*_")
    return re.sub(r",(?:\s*,)+", ",", re.sub(r",\s*(?=[.!?;:…])", "", text))


def _why_not(text: str, directions: Directions) -> str:
    if directions.actions:
        return "There are only stage directions in this message, and no word to say aloud."
    if any(char.isalpha() for char in text):
        return (
            "This voice speaks English only, and there is no word in this message that it can say."
        )
    return "There is no word in this message, so there is nothing to say aloud."
