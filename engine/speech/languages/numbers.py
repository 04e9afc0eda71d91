"""Numbers in a sentence of any described language: dates, times, money, units, ordinals, ranges."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.speech.languages.amounts import Amounts, ended
from engine.speech.languages.table import LanguageTable, Noun
from engine.speech.wording import Step, in_steps

_ISO_DATE = re.compile(r"(?<![\d-])(\d{4})-(\d{2})-(\d{2})(?![\d-])")
_EAST_DATE = re.compile(r"(?<![\d/])(\d{4})/(\d{1,2})/(\d{1,2})(?![\d/])")
_TIME = r"(?<![\d:.,])([01]?\d|2[0-4])(?:{point})([0-5]\d)(?::([0-5]\d))?(?![\d:])"
_PHONE = re.compile(
    r"(?<![\w.,])(?:\+\d{1,3}[\s.-]?)?(?:\(\d{2,4}\)[\s.-]?)?\d{2,4}(?:[\s.-]\d{2,8}){1,4}(?![\w-]|[.,]\d)"
)
_VERSION = r"(?<![\d.])\d{1,4}(?:\.\d{1,4}){2,4}(?!\.?\d)"
_NO_GROUPS = r"(?![1-9]\d{0,2}(?:\.\d{3})+(?!\.?\d))"
_FRACTION = re.compile(r"(?<![\w./])(?:(\d{1,3})\s)?(\d{1,2})/(\d{1,3})(?![\w/])")
_TIMES = re.compile(r"(?<=\d)\s?[x×*]\s?(?=\d)")
_MINUS = re.compile(r"(?<=\d)\s[-−]\s(?=\d)")
_NEGATIVE = re.compile(r"(?<![\w.)-])[-−](?=\.?\d)")
_HASH = re.compile(r"(?:#|№\s?)(?=\d)")
_MIXED = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_ROMAN = re.compile(r"(?<=[^\W_]\s)([IVX]{2,6})\b\.?(?!')")
_LONG_RUN = re.compile(r"(?<![\w.,])\d{8,}(?!\d)")
_WORD_AFTER = re.compile(r"\s?([^\W\d_]{1,20})")


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


class NumberReader:
    """Turns every number of a sentence into words, as a table says. Made once a language."""

    def __init__(self, table: LanguageTable) -> None:
        self._table = table
        self._amounts = Amounts(table)
        # where words are not spaced, letters of the script touch a number on both sides
        touching = table.unspaced or table.script == "korean"
        self._at = r"(?<![A-Za-z\d.,])" if touching else r"(?<![\w.,])"
        self._end = r"(?![A-Za-z])" if touching else r"(?![\w'])"
        self._steps = tuple(self._chosen())

    def numbers_to_words(self, text: str) -> str:
        """The text without digits, where the language's numerals are known."""
        if self._table.roman:
            text = _ROMAN.sub(self._roman, text)
        if not self._table.numerals or not any(char.isdigit() for char in text):
            return text
        return in_steps(text, self._steps)

    def _chosen(self) -> Iterable[Step]:
        table, words, number = self._table, self._table.words, self._amounts.number
        if table.dates.months:
            yield _ISO_DATE, lambda m: self._date(m[1], int(m[2]), int(m[3]), m[0])
            yield _EAST_DATE, lambda m: self._date(m[1], int(m[2]), int(m[3]), m[0])
            yield from self._dates()
        yield from self._times()
        yield from self._money()
        yield from self._units()
        point = f" {words.point} " if words.point else "."
        # where points group digits, 1.000.000 is a million and no version
        version = re.compile(_NO_GROUPS + _VERSION if table.group == "." else _VERSION)
        yield version, lambda m: point.join(self._cardinal(p) for p in m[0].split("."))
        yield _PHONE, self._phone
        yield _LONG_RUN, lambda m: self._amounts.digits(m[0], table.glue)
        if table.ordinals:
            suffix = _any(table.ordinals)
            follow = r"(?=\s+[^\W\d_])" if "." in table.ordinals else r"(?!\w)"
            before = rf"(?:({_any(table.oblique)})\s)?" if table.oblique else "()"
            yield (
                re.compile(rf"(?<![\w.,]){before}(\d{{1,6}})\s?({suffix}){follow}", re.I),
                self._ordinal,
            )
        yield _FRACTION, self._fraction
        range_ = re.compile(rf"{self._at}({number})\s?[-–~]\s?({number})(?![\d-]){self._end}")
        if words.to:
            yield range_, lambda m: f"{self._number(m[1])} {words.to} {self._number(m[2])}"
        yield _TIMES, lambda m: f" {words.times} "
        yield _MINUS, lambda m: f" {words.minus} "
        yield _NEGATIVE, lambda m: f" {words.minus} "
        yield _HASH, lambda m: f"{words.number} "
        if not table.unspaced:
            yield _MIXED, lambda m: " "
        yield re.compile(number), self._plain

    def _dates(self) -> Iterable[Step]:
        dates = self._table.dates
        separator = "[/.-]" if dates.order == "dmy" else "/"
        yield (
            re.compile(
                rf"(?<![\d/.,])(\d{{1,2}})({separator})\s?(\d{{1,2}})\2\s?(\d{{4}}|\d{{2}})(?![\d/]|\.\d)"
            ),
            self._short_date,
        )
        if dates.marks:
            year, month, day = dates.marks
            yield (
                re.compile(
                    rf"(?:(?<!\d)(\d{{4}})\s?{year}\s?)?(?<!\d)(\d{{1,2}})\s?{month}(?:\s?(\d{{1,2}})\s?{day})?"
                ),
                self._marked_date,
            )
        if dates.order == "ymd":
            return
        if "." in self._table.ordinals:
            yield (
                re.compile(r"(?<![\d.,])(\d{1,2})\.\s?(\d{1,2})\.(?!\d)"),
                lambda m: self._date(None, int(m[2]), int(m[1]), m[0]),
            )
        after = rf"(?:\s?(?:{dates.suffix}))?" if dates.suffix else ""
        spelled = [*dates.months, *dates.names]
        dot = r"[.ºª°]?" if "." in self._table.ordinals or dates.order == "dmy" else ""
        of = r"(?:de\s)?"
        yield (
            re.compile(
                rf"(?<![\w.,])(\d{{1,2}})(?:er)?{dot}\s{of}({_any(spelled)})\b\.?"
                rf"(?:\s{of}(\d{{4}})(?!\d){after})?",
                re.I,
            ),
            lambda m: self._date(m[3], self._month(m[2]), int(m[1]), m[0]),
        )

    def _times(self) -> Iterable[Step]:
        suffix = self._table.times.suffix
        after = rf"(?:\s?(?:{suffix})(?!\w))" if suffix else ""
        yield re.compile(_TIME.format(point=":") + (after + "?" if after else "")), self._time
        if after:
            yield re.compile(_TIME.format(point=r"\.") + after), self._time
        yield re.compile(_TIME.format(point=r"\s?[hH]\s?")), self._time

    def _money(self) -> Iterable[Step]:
        money = self._table.money
        if not money:
            return
        number, scales = self._amounts.number, _any(self._table.scales) or "(?!)"
        yield (
            re.compile(rf"({_any(money)})\s?({number})(?:\s?({scales}){self._end})?"),
            lambda m: self._sum(m[1], m[2], m[3]),
        )
        yield (
            re.compile(rf"{self._at}({number})(?:\s?({scales}))?\s?({_any(money)}){self._end}"),
            lambda m: self._sum(m[3], m[1], m[2]),
        )

    def _units(self) -> Iterable[Step]:
        units = self._table.units
        if not units:
            return
        number = self._amounts.number
        yield (
            re.compile(rf"{self._at}([-−]?)({number})\s?({_any(units)}){self._end}"),
            lambda m: (
                f"{self._table.words.minus + ' ' if m[1] else ''}"
                f"{self._amounts.counted(m[2], units[m[3]])}"
            ),
        )

    def _cardinal(self, number: str) -> str:
        return self._amounts.cardinal(number)

    def _number(self, number: str) -> str:
        if len(number) == 4 and number.isdigit() and 1100 <= int(number) <= 2099:
            return self._amounts.year(number)
        return self._cardinal(number)

    def _plain(self, match: re.Match[str]) -> str:
        number = match[0]
        after = match.string[match.end() : match.end() + 24]
        following = _WORD_AFTER.match(after)
        counters = self._table.counters
        if following and after.lstrip().startswith(counters.digits) and counters.digits:
            return self._amounts.digits(number, "") if len(number) == 4 else self._cardinal(number)
        if following and counters.ones:
            return self._amounts.cardinal(number, follows=following[1])
        if following and number == "1" and self._table.genders:
            one = self._table.genders.get("m") or self._table.genders.get("c") or {}
            return ended(self._cardinal(number), one, last=True)
        if counters.digits:  # a year there is marked as one
            return self._cardinal(number)
        return self._number(number)

    def _month(self, name: str) -> int:
        dates, sought = self._table.dates, name.casefold()
        for spellings in (dates.months, dates.names):
            for place, spelling in enumerate(spellings):
                if spelling.casefold() == sought:
                    return place % 12 + 1
        return 0

    def _date(self, year: str | None, month: int, day: int, original: str) -> str:
        dates = self._table.dates
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return original
        if dates.day == "ordinal" or (dates.day == "first" and day == 1):
            said = self._amounts.ordinal(str(day), dates.day_endings)
        else:
            said = self._cardinal(str(day))
        name = dates.months[month - 1]
        if not year:
            return dates.short.format(day=said, month=name)
        if dates.year == "ordinal":
            spoken = self._amounts.ordinal(year, dates.year_endings)
        else:
            spoken = self._amounts.year(year)
        return dates.form.format(day=said, month=name, year=spoken)

    def _short_date(self, match: re.Match[str]) -> str:
        first, second, digits = int(match[1]), int(match[3]), match[4]
        if match[2] == "." and len(digits) == 2 and "." not in self._table.ordinals:
            return match[0]
        order = self._table.dates.order
        day, month = (second, first) if order == "mdy" else (first, second)
        if month > 12 >= day:
            day, month = month, day
        full = digits if len(digits) == 4 else f"{'20' if int(digits) < 50 else '19'}{digits}"
        return self._date(full, month, day, re.sub(r"[/.-]", " ", match[0]))

    def _marked_date(self, match: re.Match[str]) -> str:
        year, month, day = match.groups()
        if day is not None:
            return self._date(year, int(month), int(day), match[0])
        months = self._table.dates.months
        if not 1 <= int(month) <= 12:
            return match[0]
        said = months[int(month) - 1]
        if year is None:
            return said
        before = self._table.dates.form.partition("{month}")[0]
        return before.format(year=self._amounts.year(year)) + said

    def _time(self, match: re.Match[str]) -> str:
        times = self._table.times
        hour, minute = str(int(match[1])), str(int(match[2]))
        hours = self._table.units.get("h")
        if times.hour == "ordinal":
            before = match.string[max(0, match.start() - 8) : match.start()].split()
            inflected = bool(before) and before[-1].lower() in times.after
            endings = times.after_endings if inflected else times.hour_endings
            said = self._amounts.ordinal(hour, endings)
        elif times.hour == "counted" and hours is not None:
            said = self._amounts.counted(hour, hours)
        else:
            # what follows the hour may ask for another numeral: 两点, 세 시
            follows = times.full.partition("{hour}")[2].strip()
            nameless = Noun(forms=("",), gender=times.gender)
            said = self._amounts.cardinal(hour, nameless, follows)
        minutes = self._cardinal(minute)
        if match[2][0] == "0" and minute != "0" and times.zero:
            minutes = f"{self._cardinal('0')}{self._table.glue}{minutes}"
        if minute == "0":
            return times.full.format(hour=said)
        return times.form.format(hour=said, minute=minutes)

    def _sum(self, sign: str, number: str, scale: str | None) -> str:
        currency = self._table.money[sign]
        glue = self._table.glue
        if scale:
            many = self._amounts.form(currency.unit, "5")
            return f"{self._cardinal(number)}{glue}{self._table.scales[scale]} {many}"
        whole, rest = self._amounts.parts(number)
        if len(rest) != 2 or currency.cent is None:
            return self._amounts.counted(number, currency.unit)
        cents = self._amounts.counted(str(int(rest)), currency.cent)
        if not whole.strip("0"):
            return cents
        amount = self._amounts.counted(whole, currency.unit)
        return amount if int(rest) == 0 else f"{amount} {cents}"

    def _ordinal(self, match: re.Match[str]) -> str:
        before, digits, suffix = match.groups()
        ordinals = self._table.ordinals
        endings = ordinals.get(suffix, ordinals.get(suffix.lower(), {}))
        said = self._amounts.ordinal(digits, endings)
        if before:
            return f"{before} {ended(said, self._table.oblique_endings, last=True)}"
        return said

    def _fraction(self, match: re.Match[str]) -> str:
        table = self._table
        whole, written = match[1], f"{match[2]}/{match[3]}"
        part = table.fractions.get(written)
        if part is None:
            over = f" {table.words.over or table.words.either} "
            part = f"{self._cardinal(match[2])}{over}{self._cardinal(match[3])}"
        if whole is None:
            return part
        return f"{self._cardinal(whole)} {table.words.ampersand} {part}".replace("  ", " ")

    def _phone(self, match: re.Match[str]) -> str:
        groups = re.findall(r"\d+", match[0])
        marked = match[0][0] in "+(" or (groups[0][0] == "0" and len(groups[0]) > 1)
        if sum(map(len, groups)) < 7 or not (marked or len(groups) > 2):
            return match[0]
        if not marked and all(len(group) == 3 for group in groups[1:]):  # thousands
            return match[0]
        return ", ".join(self._amounts.digits(group) for group in groups) + " "

    def _roman(self, match: re.Match[str]) -> str:
        number = _from_roman(match[1])
        if not number:
            return match[0]
        ends = "." if match[0].endswith(".") and not match.string[match.end() :].strip() else ""
        if self._table.roman == "cardinal":
            return self._cardinal(str(number)) + ends
        return f"{self._table.roman_before}{self._amounts.ordinal(str(number))}{ends}"


def _from_roman(numeral: str) -> int:
    """The value of a well-formed numeral below 40; 0 for any other letters."""
    tens = len(numeral) - len(numeral.lstrip("X"))
    ones = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
    if numeral.endswith("IX"):
        tens = len(numeral[:-2])
        return tens * 10 + 9 if set(numeral[:-2]) <= {"X"} and tens < 4 else 0
    rest = numeral[tens:]
    return tens * 10 + ones.index(rest) if tens < 4 and rest in ones else 0
