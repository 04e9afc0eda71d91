"""Small steps on the way from text to words that all languages share."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable

Step = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
"""What is looked for in a text, and what is said instead."""

log = logging.getLogger(__name__)

_MENTION = re.compile(r"(?<![\w@])@(?=\w)")
_HASHTAG = re.compile(r"(?<![\w#&])#([^\W\d]\w*)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_EITHER = re.compile(r"(?<=[^\W\d_])\s?/\s?(?=[^\W\d_])")
_QUOTING = re.compile(r"(?<![^\W\d_])'|'(?![^\W\d_])")
_SPACES = re.compile(r"\s+")
_HYPHENS = re.compile(r"(?<![^\W\d_])-+|-+(?![^\W\d_])")


def names_of_chats(text: str) -> str:
    """Mentions as names, hashtags as the words they are made of."""
    text = _MENTION.sub("", text)
    return _HASHTAG.sub(lambda match: _HUMP.sub(" ", match[1].replace("_", " ")), text)


def either_to_word(text: str, either: str) -> str:
    """A slash between words as a word."""
    return _EITHER.sub(f" {either} " if either else " ", text)


def plain_hyphens(text: str) -> str:
    """Without quotes, and with hyphens and apostrophes only inside words."""
    return _HYPHENS.sub(" ", _QUOTING.sub(" ", _SPACES.sub(" ", text)))


def in_steps(text: str, steps: Iterable[Step]) -> str:
    """The text after all steps; one that breaks down on it is left out and told to the log."""
    for pattern, say in steps:
        try:
            text = pattern.sub(say, text)
        except Exception as error:
            # a number that nobody thought of costs its reading and not the whole message; what the
            # error says may quote it, and what is said in conversations is not logged
            told = type(error).__name__
            log.error("A text is read without one of the rules (%s): %s", told, pattern.pattern)
    return text
