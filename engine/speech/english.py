"""English, read by its own rules: see `numbers`, `abbreviations`, `symbols` and `directions`."""

from __future__ import annotations

from engine.speech import markup, sentences, symbols
from engine.speech.abbreviations import abbreviations_to_words, calm, drawn_out
from engine.speech.directions import english_action
from engine.speech.markup import Placeholders
from engine.speech.numbers import numbers_to_words
from engine.speech.sentences import Stops
from engine.speech.symbols import EmojiWords
from engine.speech.wording import either_to_word, plain_hyphens


class EnglishReader:
    """A `Reader` of English."""

    @property
    def placeholders(self) -> Placeholders:
        """In English."""
        return markup.ENGLISH

    @property
    def emoji(self) -> EmojiWords:
        """By their Unicode names."""
        return symbols.ENGLISH

    @property
    def stops(self) -> Stops:
        """Mr. and others."""
        return sentences.ENGLISH

    @property
    def longest_word(self) -> int:
        """Longer than any in a dictionary."""
        return 40

    def interpret(self, content: str, starred: bool, stands_alone: bool) -> str | None:
        """By verbs in the third person."""
        return english_action(content, starred, stands_alone)

    def narrowed(self, text: str) -> str:
        """As it is."""
        return text

    def folded(self, text: str) -> str:
        """Plain typography."""
        return symbols.folded(text)

    def words(self, text: str) -> str:
        """Words and punctuation."""
        text = abbreviations_to_words(drawn_out(calm(text)))
        text = either_to_word(numbers_to_words(text), "or")
        return plain_hyphens(symbols.speakable_letters(symbols.signs_to_words(text)))

    def finished(self, text: str) -> str:
        """As it is."""
        return text

    def refusal(self) -> str:
        """That there is nothing to say in English."""
        return (
            "This voice speaks English only, and there is no word in this message that it can say."
        )
