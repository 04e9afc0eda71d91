"""The table of a language: every word that a text turns into which does not stand in it.

A noun that is counted is written as its forms and its gender, `kilometer|kilometers|m`: which form
goes with which number is the language's plural rule.
"""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from personas.persona import Frozen

FOLDER = Path(__file__).parent
_TAG = re.compile(r"^[a-z]{2,3}$")

Script = Literal["latin", "cyrillic", "japanese", "chinese", "korean", "any"]
PluralRule = Literal["none", "two", "french", "polish", "russian"]
Endings = dict[str, str]
"""What words end in, and what they end in instead."""


class Noun(Frozen):
    """Something that is counted.

    Attributes:
        forms: by plural rule; a missing one is the last.
        gender: m, f, n or c; empty where the numeral does not care.
    """

    forms: tuple[str, ...]
    gender: str = ""


def _noun(written: object) -> object:
    if not isinstance(written, str):
        return written
    forms = written.split("|")
    gender = forms.pop() if len(forms) > 1 and forms[-1] in ("m", "f", "n", "c") else ""
    return {"forms": tuple(forms), "gender": gender}


CountedNoun = Annotated[Noun, BeforeValidator(_noun)]


class Words(Frozen):
    """Words that stand for signs; an empty one is left out."""

    some_code: str = ""
    a_link: str = ""
    at: str = ""
    dot: str = ""
    either: str = Field(default="", description="between two words with a slash")
    to: str = Field(default="", description="between the ends of a range")
    point: str = ""
    minus: str = ""
    times: str = ""
    over: str = Field(default="", description="between the two numbers of an odd fraction")
    number: str = ""
    plus: str = ""
    equals: str = ""
    ampersand: str = ""


class Dates(Frozen):
    """How dates are written and said."""

    order: Literal["dmy", "mdy", "ymd"] = "dmy"
    months: tuple[str, ...] = Field(default=(), description="as they are said in a date")
    names: tuple[str, ...] = Field(default=(), description="other spellings, January first")
    day: Literal["cardinal", "ordinal", "first"] = "cardinal"
    day_endings: Endings = Field(default={})
    year: Literal["cardinal", "ordinal"] = "cardinal"
    year_endings: Endings = Field(default={})
    marks: tuple[str, ...] = Field(default=(), description="patterns after year, month and day")
    suffix: str = Field(default="", description="pattern after a year that `form` says already")
    form: str = "{day} {month} {year}"
    short: str = "{day} {month}"


class Times(Frozen):
    """How the time of day is said."""

    form: str = "{hour} {minute}"
    full: str = "{hour}"
    hour: Literal["cardinal", "ordinal", "counted"] = "cardinal"
    hour_endings: Endings = Field(default={})
    after: tuple[str, ...] = Field(default=(), description="words after which it is inflected")
    after_endings: Endings = Field(default={})
    zero: bool = Field(default=False, description="whether 7:05 is seven zero five")
    gender: str = Field(default="", description="of the hour, where its numeral changes")
    suffix: str = Field(default="", description="word after a time that is said in `form` already")


class Money(Frozen):
    """A currency: its unit and its hundredth."""

    unit: CountedNoun
    cent: CountedNoun | None = None


class Counters(Frozen):
    """Nouns that want other numerals before them than counting aloud has."""

    before: tuple[str, ...] = ()
    ones: tuple[str, ...] = Field(default=(), description="for 1 to 9")
    tens: tuple[str, ...] = Field(default=(), description="for 10, 20 ...; empty: only 1 to 9")
    digits: tuple[str, ...] = Field(default=(), description="before these, digit by digit")
    twenty: str = Field(default="", description="20 itself, where it differs before a noun")


class EmojiTable(Frozen):
    """What is said of emoji."""

    said: dict[str, str] = Field(default={}, description="where there is nothing but emoji")
    determiners: tuple[str, ...] = Field(
        default=(), description="words after which an emoji stands for a noun"
    )


class LanguageTable(Frozen):
    """Everything that differs between languages. The defaults fit a language nobody described."""

    script: Script = "any"
    numerals: str = Field(default="", description="of num2words, or `chinese`; empty: digits stay")
    decimal: str = "."
    group: str = ","
    decimals: Literal["digits", "number", "named"] = "digits"
    plurals: PluralRule = "two"
    century: str = Field(default="", description="joins the halves of a year: nitton|hundra|åttio")
    years: Literal["cardinal", "year"] = "cardinal"
    capital_nouns: bool = Field(default=False, description="a capital starts more than sentences")
    glue: str = Field(default=" ", description="between a number and its unit")
    ordinals: dict[str, Endings] = Field(default={}, description="by what follows the digits")
    oblique: tuple[str, ...] = Field(default=(), description="words before an inflected ordinal")
    oblique_endings: Endings = Field(default={})
    genders: dict[str, Endings] = Field(
        default={}, description="the numeral's last word, by gender"
    )
    roman: Literal["", "cardinal", "ordinal"] = ""
    roman_before: str = ""
    units: dict[str, CountedNoun] = Field(default={})
    money: dict[str, Money] = Field(default={})
    scales: dict[str, str] = Field(default={})
    fractions: dict[str, str] = Field(default={})
    signs: dict[str, str] = Field(default={})
    abbreviations: dict[str, str] = Field(default={}, description="without the last dot")
    titles: tuple[str, ...] = Field(default=(), description="abbreviations that precede a name")
    shorthand: dict[str, str] = Field(default={}, description="words of chats")
    actions: dict[str, tuple[str, ...]] = Field(
        default={}, description="words of stage directions, by what the face does"
    )
    words: Words = Words()
    dates: Dates = Dates()
    times: Times = Times()
    counters: Counters = Counters()
    emoji: EmojiTable = EmojiTable()

    @property
    def unspaced(self) -> bool:
        """Whether words are written without spaces between them."""
        return self.script in ("japanese", "chinese")


@functools.cache
def table_of(language: str) -> LanguageTable:
    """The table of a language by its BCP 47 tag; the defaults where there is none."""
    base = language.replace("_", "-").split("-")[0].lower()
    path = FOLDER / f"{base}.toml"
    if not _TAG.match(base) or not path.is_file():
        return LanguageTable()
    return LanguageTable.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def described() -> tuple[str, ...]:
    """The tags of the languages that have a table, in order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
