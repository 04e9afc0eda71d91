"""Reader: what differs between languages when a text is made speakable."""

from __future__ import annotations

import functools
from typing import Protocol

from engine.speech.markup import Placeholders
from engine.speech.sentences import Stops
from engine.speech.symbols import EmojiWords


class Reader(Protocol):
    """Reads one language. Stateless: safe to use from several threads."""

    @property
    def placeholders(self) -> Placeholders:
        """What is said in place of what cannot be read aloud."""

    @property
    def emoji(self) -> EmojiWords:
        """What is said of emoji."""

    @property
    def stops(self) -> Stops:
        """Which full stops end no sentence."""

    @property
    def longest_word(self) -> int:
        """Letters of a word that somebody could say; what is beyond is cut off."""

    def interpret(self, content: str, starred: bool, stands_alone: bool) -> str | None:
        """The action that a marked passage is, in English as faces know it; None for words."""

    def narrowed(self, text: str) -> str:
        """The text with ASCII brackets and stops, before stage directions are looked for."""

    def folded(self, text: str) -> str:
        """The text with plain typography: ASCII punctuation, letters without decoration."""

    def words(self, text: str) -> str:
        """A stretch of folded text in words: letters, spaces and `symbols.PUNCTUATION` only.

        Where a language has no names for numbers here, digits stay.
        """

    def finished(self, text: str) -> str:
        """A sentence with the punctuation and spacing that the language is written with."""

    def refusal(self) -> str:
        """Why there is no word in a text that this reader can say."""


@functools.cache
def reader_for(language: str) -> Reader:
    """Who reads a language, by its BCP 47 tag; made once, as it never changes."""
    if language.replace("_", "-").split("-")[0].lower() in ("en", ""):
        from engine.speech.english import EnglishReader

        return EnglishReader()
    from engine.speech.languages.reader import TableReader
    from engine.speech.languages.table import table_of

    return TableReader(language, table_of(language))
