"""Numbers as words, without their surroundings: num2words, and Chinese by ourselves."""

from __future__ import annotations

import functools
from typing import Final, Literal

Form = Literal["cardinal", "ordinal", "year"]

LONGEST: Final = 15
"""Digits of a number that has a name; a longer one is read digit by digit."""
_DIGITS: Final = "零一二三四五六七八九"
_PLACES: Final = ("", "十", "百", "千")
_MYRIADS: Final = ("", "万", "亿", "万亿")


@functools.lru_cache(maxsize=4_096)
def named(number: int, form: Form, language: str) -> str | None:
    """A number's name; None where the language has none that is known here.

    Args:
        number: from 0 to `LONGEST` digits.
        form: cardinal, ordinal, or as a year.
        language: as num2words names it, or `chinese`.
    """
    if language == "chinese":
        return f"第{chinese(number)}" if form == "ordinal" else chinese(number)
    from num2words import CONVERTER_CLASSES, num2words

    if language not in CONVERTER_CLASSES:
        return None
    try:
        words: str = num2words(number, lang=language, to=form)  # type: ignore[no-untyped-call]
    except (NotImplementedError, ValueError, OverflowError, IndexError, KeyError, TypeError):
        return None
    return " ".join(words.replace(",", "").split())


@functools.lru_cache(maxsize=1_024)
def decimal(number: str, language: str) -> str | None:
    """The name of a decimal fraction such as "3.14", as `language` names whole and part."""
    from num2words import CONVERTER_CLASSES, num2words

    if language not in CONVERTER_CLASSES:
        return None
    try:
        words: str = num2words(float(number), lang=language)  # type: ignore[no-untyped-call]
    except (NotImplementedError, ValueError, OverflowError, IndexError, KeyError, TypeError):
        return None
    return " ".join(words.split())


def chinese(number: int) -> str:
    """A number below 10 ** 16 in Chinese numerals: 1250 is 一千二百五十."""
    if number == 0:
        return _DIGITS[0]
    groups = []
    while number:
        number, low = divmod(number, 10_000)
        groups.append(low)
    written = ""
    for place in range(len(groups) - 1, -1, -1):
        group = groups[place]
        if group == 0:
            continue
        # a hole between two groups is said once: 一万零五
        if written and group < 1_000:
            written += _DIGITS[0]
        written += _below_myriad(group) + _MYRIADS[place]
    return written[1:] if written.startswith("一十") else written


def _below_myriad(number: int) -> str:
    written = ""
    hole = False
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if digit == 0:
            hole = bool(written)
            continue
        written += (_DIGITS[0] if hole else "") + _DIGITS[digit] + _PLACES[place]
        hole = False
    return written
