"""TableReader: a `Reader` of any language that has a table, and of those that have none."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from engine.speech import symbols
from engine.speech.languages.emoji import emoji_name
from engine.speech.languages.foreign import in_latin, script_of
from engine.speech.languages.numbers import NumberReader
from engine.speech.languages.table import LanguageTable
from engine.speech.markup import Placeholders
from engine.speech.sentences import Stops
from engine.speech.symbols import PUNCTUATION, EmojiWords
from engine.speech.wording import either_to_word, plain_hyphens

_OWN: Final = {
    "latin": frozenset({"LATIN"}),
    "cyrillic": frozenset({"CYRILLIC", "LATIN"}),
    "japanese": frozenset({"HIRAGANA", "KATAKANA", "CJK", "LATIN"}),
    "chinese": frozenset({"CJK", "LATIN"}),
    "korean": frozenset({"HANGUL", "CJK", "LATIN"}),
}
"""Which scripts a language's voices read. Latin letters stand in texts of all of them."""

_WIDE: Final = str.maketrans(
    {
        **dict(zip("（）［］＊＿【】～・", "()[]*_()~\u00b7", strict=True)),
        **dict.fromkeys("「」『』《》〈〉", '"'),
        **{
            wide: f"{plain} "
            for wide, plain in zip("。！？，、；：؟،۔।॥", ".!?,,;:?,...", strict=True)
        },
    }
)
"""Brackets and stops of other scripts as ASCII has them; a stop brings the space after it."""
_STOP: Final = re.compile(r"([.!?…,;:])(?=[^\s\d.,!?…;:])")
_EAST: Final = "[\u3000-\u9fff\uf900-\ufaff\uff00-\uffef]"
_BETWEEN: Final = re.compile(rf"(?<={_EAST})\s+|\s+(?={_EAST})")
_STARRED: Final = re.compile(r"(\*[^*\n]{1,60}\*)")
_CHINESE: Final = str.maketrans({".": "。", ",": "，", "!": "！", "?": "？", ";": "；", ":": "："})
_JAPANESE: Final = str.maketrans({".": "。", ",": "、", "!": "！", "?": "？", ";": "、", ":": "、"})
_DRAWN_OUT: Final = re.compile(r"([^\W\d_])\1{2,}")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_APOSTROPHES: Final = re.compile(r"(?<=[^\W\d_])['’ʼ](?=[^\W\d_])")


class TableReader:
    """Reads by a table. Made once a language.

    Args:
        language: its BCP 47 tag.
        table: its words.
    """

    def __init__(self, language: str, table: LanguageTable) -> None:
        self._language = language.replace("_", "-").split("-")[0].lower()
        self._table = table
        self._numbers = NumberReader(table)
        words = table.words
        self._placeholders = Placeholders(words.some_code, words.a_link, words.at, words.dot)
        determiners = "|".join(re.escape(word) for word in table.emoji.determiners)
        self._emoji = EmojiWords(
            name=functools.partial(emoji_name, self._language),
            said=table.emoji.said,
            determiners=re.compile(rf"\b(?:{determiners}) $", re.I) if determiners else None,
        )
        # before a capital letter a title goes on (Sr. López), what is no name has ended (etc. Él)
        endings = frozenset(
            short.lower()
            for short, word in table.abbreviations.items()
            if word[:1].islower() and not table.capital_nouns and short not in table.titles
        )
        short = frozenset(
            part
            for word in table.abbreviations
            for part in (word.lower(), *word.lower().split(". "))
        )
        self._stops = Stops(short - endings, endings, after_digits="." in table.ordinals)
        self._dotted = _alternatives(table.abbreviations, r"(?<![\w.]){}\.(?!\w)")
        self._shorthand = _alternatives(table.shorthand, r"(?<![\w'/]){}(?![\w'/])")
        self._actions = {word: action for action, forms in table.actions.items() for word in forms}

    @property
    def placeholders(self) -> Placeholders:
        """In this language; what has no word is left out."""
        return self._placeholders

    @property
    def emoji(self) -> EmojiWords:
        """By their names in this language."""
        return self._emoji

    @property
    def stops(self) -> Stops:
        """Its abbreviations, and whether "3." is an ordinal."""
        return self._stops

    @property
    def longest_word(self) -> int:
        """Unspaced scripts have whole clauses between two spaces."""
        return 400 if self._table.unspaced or self._table.script == "any" else 60

    def interpret(self, content: str, starred: bool, stands_alone: bool) -> str | None:
        """By the words of the table; other starred passages that stand alone are actions too."""
        if self._table.unspaced or self._table.script == "korean":
            known = (action for word, action in self._actions.items() if word in content)
            found = next(known, None) if len(content) <= 30 else None
        else:
            words = re.findall(r"[^\W\d_]+", content.lower()[:200])[: 5 if starred else 2]
            found = next((self._actions[word] for word in words if word in self._actions), None)
        if found is not None and (starred or len(content) <= 40):
            return found
        several = len(content.split()) > 1 and not content.rstrip().endswith((".", "!", "?"))
        if starred and stands_alone and several and content[:1].islower():
            return content.strip()[:80]
        return None

    def narrowed(self, text: str) -> str:
        """ASCII brackets and stops for those of other scripts."""
        text = text.translate(_WIDE)
        # *笑*你好: asterisks are told from others by the spaces around them
        return _STARRED.sub(r" \1 ", text) if self._table.unspaced else text

    def folded(self, text: str) -> str:
        """Plain typography, with a space after each stop of the unspaced scripts."""
        # an apostrophe inside a word is a letter of it (п'ять), and stays the plain one
        text = _APOSTROPHES.sub("'", text)
        text = symbols.folded(text, keep="ªº")
        return _STOP.sub(r"\1 ", text) if self._table.unspaced else text

    def words(self, text: str) -> str:
        """Words and punctuation, numbers and signs by the table."""
        table = self._table
        if table.script != "any":
            text = _LETTERS.sub(self._settled, text) if _DRAWN_OUT.search(text) else text
            text = self._calm(text)
        if self._dotted is not None:
            text = self._dotted.sub(lambda match: self._dotted_word(match, text), text)
        if self._shorthand is not None:
            text = self._shorthand.sub(lambda match: _looked_up(table.shorthand, match[1]), text)
        text = either_to_word(self._numbers.numbers_to_words(text), table.words.either)
        text = "".join(map(self._sign, text))
        return plain_hyphens("".join(map(self._letter, text)))

    def finished(self, text: str) -> str:
        """With full-width stops and without spaces where they are not written."""
        if not self._table.unspaced:
            return text
        text = text.translate(_JAPANESE if self._table.script == "japanese" else _CHINESE)
        return _BETWEEN.sub("", text)

    def refusal(self) -> str:
        """That there is nothing in it for this voice."""
        return "There is no word in this message that this voice can say."

    def _calm(self, text: str) -> str:
        """A sentence that shouts, in lower case."""
        letters = [char for char in text if char.isalpha()]
        if len(text.split()) < 3 or sum(map(str.isupper, letters)) <= 0.7 * len(letters):
            return text
        if self._language == "tr":
            text = text.replace("I", "ı").replace("İ", "i")
        return text.lower()

    def _settled(self, match: re.Match[str]) -> str:
        """Letters drawn out for effect; three in a row are a word in some languages."""
        word = match[0]
        if word.isupper() and len(word) <= 4:
            return word
        if script_of(word[0]) in ("CJK", "HIRAGANA", "KATAKANA", "HANGUL"):
            return re.sub(r"(.)\1{3,}", r"\1\1\1", word)
        fewest = 3 if self._language == "de" else 2
        return re.sub(rf"(.)\1{{{fewest},}}", r"\1", word)

    def _dotted_word(self, match: re.Match[str], text: str) -> str:
        ends = "" if text[match.end() :].strip() else "."
        return _looked_up(self._table.abbreviations, match[1]) + ends

    def _sign(self, char: str) -> str:
        said = self._table.signs.get(char)
        if said is None:
            return symbols.SILENT_SIGNS.get(char, char)
        return f" {said} "

    def _letter(self, char: str) -> str:
        """A letter that the voice knows, what sounds like it, or a space."""
        if char in PUNCTUATION or char == " " or (char.isascii() and char.isalpha()):
            return char
        category = unicodedata.category(char)
        own = _OWN.get(self._table.script)
        if own is None:
            return (
                char if category[0] in "LM" or category == "Nd" or char in "\u200c\u200d" else " "
            )
        if category in ("Mn", "Cf", "Mc"):
            return ""
        if category[0] != "L":
            return " " if self._table.numerals or category != "Nd" else char
        if char in "ー々〇" or script_of(char) in own or char in "ªº":
            return char if char not in "ªº" else " "
        if self._table.script in ("latin", "cyrillic"):
            return in_latin(char) or " "
        return " "


def _alternatives(words: Mapping[str, str], form: str) -> re.Pattern[str] | None:
    """A pattern of any of some words, in the first group, in any case."""
    if not words:
        return None
    listed = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(form.format(f"({listed})"), re.I)


def _looked_up(words: Mapping[str, str], word: str) -> str:
    """By the exact word, else by its lower case, else by its capital form."""
    found = words.get(word, words.get(word.lower()))
    return words.get(word.capitalize(), word) if found is None else found
