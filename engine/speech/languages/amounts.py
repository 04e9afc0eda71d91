"""Numbers and what is counted, in the words of a language: names, plurals, genders."""

from __future__ import annotations

import re

from engine.speech.languages.numerals import LONGEST, decimal, named
from engine.speech.languages.table import Endings, LanguageTable, Noun

_LONGEST_RUN = 24


class Amounts:
    """Says numbers as a language's table wants them.

    Numbers are given as they are written in the text: with the language's decimal sign and
    groups.
    """

    def __init__(self, table: LanguageTable) -> None:
        self._table = table
        group, point = re.escape(table.group), re.escape(table.decimal)
        grouped = rf"\d{{1,3}}(?:{group}\d{{3}})+(?:{point}\d+)?(?!\d)"
        if table.group == ".":
            grouped += rf"|\d{{1,3}}(?: \d{{3}})+(?:{point}\d+)?(?!\d)"
        if table.decimal == ",":  # people write the other point as well
            grouped += r"|\d+\.\d+"
        self.number = rf"{grouped}|\d+(?:{point}\d+)?"
        """The pattern of a number."""

    def parts(self, number: str) -> tuple[str, str]:
        """The digits before and after the point."""
        table = self._table
        plain = number.replace(" ", "")
        # a single point may be the other decimal sign; several can only be groups
        if table.decimal not in plain and table.group != "," and plain.count(".") == 1:
            whole, _, rest = plain.partition(".")
            if table.group == " " or len(rest) != 3:
                return whole, rest
        whole, _, rest = plain.replace(table.group, "").partition(table.decimal)
        return whole, rest

    def cardinal(self, number: str, noun: Noun | None = None, follows: str = "") -> str:
        """A number as words, in the form that it has before `noun` or the word `follows`."""
        whole, rest = self.parts(number)
        if rest:
            return self._fraction(whole, rest)
        if len(whole) > LONGEST or (len(whole) > 1 and whole[0] == "0"):
            return self.digits(whole)
        counted = self._counted(int(whole), follows) if follows else None
        words = counted or self._named(int(whole), "cardinal") or whole
        if noun is not None and noun.gender:
            return ended(words, self._table.genders.get(noun.gender, {}), last=True)
        return words

    def ordinal(self, number: str, endings: Endings | None = None) -> str:
        """An ordinal number as words, inflected; the cardinal where there is no ordinal."""
        value = int(self.parts(number)[0] or "0")
        words = self._named(value, "ordinal") if value < 10**LONGEST else None
        return ended(words, endings or {}) if words else self.cardinal(number)

    def year(self, digits: str) -> str:
        """A year as words."""
        table, value = self._table, int(digits)
        if table.counters.digits:
            return self.digits(digits, "")
        if table.century and 1100 <= value <= 1999:
            rest = self._named(value % 100, "cardinal") if value % 100 else ""
            return f"{self._named(value // 100, 'cardinal')}{table.century}{rest}"
        return self._named(value, table.years) or digits

    def digits(self, run: str, between: str = " ") -> str:
        """Digit by digit."""
        return between.join(
            self._named(int(digit), "cardinal") or digit for digit in run[:_LONGEST_RUN]
        )

    def counted(self, number: str, noun: Noun) -> str:
        """A number and what it counts: "zwei Stunden"."""
        said, form = self.cardinal(number, noun), self.form(noun, number)
        return form.replace("{}", said) if "{}" in form else f"{said}{self._table.glue}{form}"

    def form(self, noun: Noun, number: str) -> str:
        """The noun as it stands after a number."""
        whole, rest = self.parts(number.lstrip("-"))
        index = _plural(self._table.plurals, int(whole[-15:] or "0"), bool(rest))
        return noun.forms[min(index, len(noun.forms) - 1)]

    def _fraction(self, whole: str, rest: str) -> str:
        table = self._table
        if table.decimals == "named" and len(rest) <= 3 and len(whole) < 10:
            name = decimal(f"{whole}.{rest}", table.numerals)
            if name:
                return name
        if table.decimals == "number" and len(rest) <= 2 and rest[0] != "0":
            said = self.cardinal(rest)
        else:
            said = self.digits(rest, table.glue)
        whole_said = self.digits(whole) if len(whole) > LONGEST else self._of(whole)
        point = table.words.point or table.decimal
        return table.glue.join((whole_said, point, said))

    def _of(self, whole: str) -> str:
        return self._named(int(whole or "0"), "cardinal") or whole

    def _counted(self, value: int, follows: str) -> str | None:
        """The numeral that stands before certain nouns: two hours are 두 시간, not 이 시간."""
        counters = self._table.counters
        if not counters.ones or not follows.startswith(counters.before) or not 0 < value < 100:
            return None
        tens, ones = divmod(value, 10)
        if tens and not counters.tens:
            return None
        if value == 20 and counters.twenty:
            return counters.twenty
        return (counters.tens[tens - 1] if tens else "") + (counters.ones[ones - 1] if ones else "")

    def _named(self, value: int, form: str) -> str | None:
        if not self._table.numerals:
            return None
        kind = "ordinal" if form == "ordinal" else "year" if form == "year" else "cardinal"
        return named(value, kind, self._table.numerals)


def ended(words: str, endings: Endings, *, last: bool = False) -> str:
    """The same words with other endings: of each word, or of the last one only."""
    if not endings:
        return words
    first = sorted(endings, key=len, reverse=True)

    def changed(word: str) -> str:
        for ending in first:
            if word.endswith(ending):
                return word[: len(word) - len(ending)] + endings[ending]
        return word

    split = words.split(" ")
    return " ".join(
        changed(word) if not last or place == len(split) - 1 else word
        for place, word in enumerate(split)
    )


def _plural(rule: str, number: int, fraction: bool) -> int:
    """Which form of a noun goes with a number."""
    if rule == "none":
        return 0
    if rule == "two":
        return int(fraction or number != 1)
    if rule == "french":
        return int(number >= 2)
    if fraction:
        return 3
    few = number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14)
    if rule == "polish":
        return 0 if number == 1 else 1 if few else 2
    return 0 if number % 10 == 1 and number % 100 != 11 else 1 if few else 2
