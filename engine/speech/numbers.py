"""Numbers as people say them: amounts, dates, times, money, units, years, ordinals, digits."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.speech.wording import Step, in_steps

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS if name != "May") + "|May|Sept"
_SCALES = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion"}
_SCALE = r"hundred|thousand|million|billion|trillion|[kKmMbB]n?"
_CURRENCIES = {
    "$": ("dollar", "cent"), "US$": ("dollar", "cent"), "£": ("pound", "penny"),
    "€": ("euro", "cent"), "¥": ("yen", "sen"), "₹": ("rupee", "paisa"), "₩": ("won", "jeon"),
    "USD": ("dollar", "cent"), "EUR": ("euro", "cent"), "GBP": ("pound", "penny"),
}  # fmt: skip
_PLURALS = {"penny": "pence", "yen": "yen", "won": "won", "foot": "feet", "inch": "inches"}
_UNITS = {
    "km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter", "nm": "nanometer",
    "mi": "mile", "ft": "foot", "in": "inch", "yd": "yard", "kg": "kilogram", "g": "gram",
    "mg": "milligram", "lb": "pound", "lbs": "pound", "oz": "ounce", "l": "liter", "L": "liter",
    "ml": "milliliter", "mL": "milliliter", "h": "hour", "hr": "hour", "hrs": "hour",
    "min": "minute", "mins": "minute", "s": "second", "sec": "second", "secs": "second",
    "ms": "millisecond", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz",
    "GHz": "gigahertz", "KB": "kilobyte", "kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte",
    "TB": "terabyte", "W": "watt", "kW": "kilowatt", "kWh": "kilowatt hour", "V": "volt",
    "px": "pixel", "ha": "hectare", "cal": "calorie", "kcal": "kilocalorie", "yr": "year",
    "yrs": "year", "dB": "decibel",
}  # fmt: skip
_RATES = {
    "km/h": "kilometers per hour", "kmh": "kilometers per hour", "kph": "kilometers per hour",
    "mph": "miles per hour", "m/s": "meters per second", "fps": "frames per second",
    "rpm": "turns per minute", "Mbps": "megabits per second", "Gbps": "gigabits per second",
    "°C": "degrees Celsius", "°F": "degrees Fahrenheit", "°": "degrees", "%": "percent",
    "‰": "per mille",
}  # fmt: skip
_SAME = frozenset({"hertz", "kilohertz", "megahertz", "gigahertz"})
_FRACTIONS = {2: "half", 3: "third", 4: "quarter"}
_LONGEST_AMOUNT = 15
_LONGEST_RUN = 24


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_AT = r"(?<![\w.,])"
_ISO_DATE = re.compile(r"(?<![\d-])(\d{4})-(\d{2})-(\d{2})(?![\d-])")
_SLASH_DATE = re.compile(r"(?<![\d/])(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d{2})(?![\d/]|\.\d)")
_MONTH_DAY = re.compile(
    rf"\b({_MONTH})\.?\s(\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.,]?\d)(?:,?\s(\d{{4}})\b)?"
)
_DAY_MONTH = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?({_MONTH})\b(?:,?\s(\d{{4}})\b)?"
)
_TIME = re.compile(
    r"(?<![\d:])(\d{1,2}):([0-5]\d)(?::([0-5]\d))?(?!\d|:)(?:\s?([AaPp])\.?[Mm]\b\.?)?"
)
_HOUR = re.compile(r"(?<![\w.,:])(\d{1,2})\s?([AaPp])\.?[Mm]\b(?:\.(?=\s+[a-z]|,))?")
_MONEY = re.compile(
    rf"(US\$|[$£€¥₹₩])\s?({_NUMBER})(?:\s?({_SCALE})\b)?"
    rf"|{_AT}({_NUMBER})\s?(?:({_SCALE})\s)?(USD|EUR|GBP|[$£€])(?!\w)"
)
_RATE = re.compile(rf"{_AT}(-?(?:{_NUMBER}))\s?({_any(_RATES)})(?![A-Za-z])")
_UNIT = re.compile(rf"{_AT}(-?(?:{_NUMBER}))(\s?)({_any(_UNITS)})(\s?[²³23])?(?![\w'])")
_PHONE = re.compile(
    r"(?<![\w.])(?:\+\d{1,3}[\s.-]?)?(?:\(\d{2,4}\)[\s.-]?)?\d{2,4}(?:[\s.-]\d{3,4}){1,3}(?![\w-]|\.\d)"
)
_FEET = re.compile(r"(?<![\w.,'])(\d)'\s?(\d{1,2})(?:\"|''|(?![\w']))")
_VERSION_MARK = re.compile(r"\bv\.?(?=\d)")
_VERSION = re.compile(r"(?<![\d.])\d{1,4}(?:\.\d{1,4}){2,4}(?!\.?\d)")
_RANGE = re.compile(rf"{_AT}({_NUMBER})\s?[-–]\s?({_NUMBER})(?![\w-])")
_FRACTION = re.compile(r"(?<![\w./])(?:(\d{1,3})\s)?(\d{1,2})/(\d{1,3})(?![\w/])")
_TIMES = re.compile(r"(?<=\d)\s?[x×*]\s?(?=\d)")
_MINUS = re.compile(r"(?<=\d)\s[-−]\s(?=\d)")
_NEGATIVE = re.compile(r"(?<![\w.)-])[-−](?=\.?\d)")
_DECADE = re.compile(r"(?<!\w)(?:(\d\d)|'|(?<=the )|(?<=early )|(?<=mid-)|(?<=late ))(\d)0'?s\b")
_ORDINAL = re.compile(r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d{1,12})(?:st|nd|rd|th)\b", re.I)
_HASH = re.compile(r"(?:#|\b[Nn]o\.\s?|№\s?)(?=\d)")
_PLAIN = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|\.\d+")
_MIXED = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_ROMAN = re.compile(
    r"\b(Chapter|Part|Act|Scene|Volume|Book|Section|War|Phase|Level|Stage|Episode|Type|Mark|"
    r"chapter|part|act|scene|volume|book|section|phase|level|stage|episode|type)\s"
    r"([IVXLC]{1,7})\b(?!')"
)
_REGNAL = re.compile(
    r"\b(Pope|King|Queen|Henry|Louis|Edward|George|William|Charles|James|Richard|Elizabeth|"
    r"Napoleon|Pius|Leo|Benedict|Frederick|Philip|Peter|Catherine|Ivan|John|Paul|Alexander|"
    r"Nicholas|Otto|Rudolf|Ramses)\s([IVX]{1,6})\b(?!')"
)


def numbers_to_words(text: str) -> str:
    """Every number in a sentence as words; the text is ASCII but for letters and currencies."""
    text = _REGNAL.sub(lambda m: f"{m[1]} {_roman(m[2], m[1], regnal=True)}", text)
    text = _ROMAN.sub(lambda m: f"{m[1]} {_roman(m[2], m[1], regnal=False)}", text)
    if not any(char.isdigit() for char in text):
        return text
    steps: tuple[Step, ...] = (
        (_ISO_DATE, _iso_date),
        (_SLASH_DATE, _slash_date),
        (_MONTH_DAY, lambda m: _date(m[3], _month(m[1]), int(m[2]), m[0])),
        (_DAY_MONTH, lambda m: _date(m[3], _month(m[2]), int(m[1]), m[0])),
        (_TIME, _time),
        (_HOUR, lambda m: f"{cardinal(m[1])} {m[2].upper()}M"),
        (_MONEY, _money),
        (_DECADE, _decade),
        (_FEET, lambda m: f"{cardinal(m[1])} foot {cardinal(m[2])}"),
        (_RATE, lambda m: f"{_signed(m[1])} {_RATES[m[2]]}"),
        (_UNIT, _unit),
        (_VERSION_MARK, lambda m: "version "),
        (_VERSION, lambda m: " point ".join(cardinal(part) for part in m[0].split("."))),
        (_PHONE, _phone),
        (_ORDINAL, lambda m: ordinal(m[1])),
        (_FRACTION, _fraction),
        (_RANGE, lambda m: f"{_amount_or_year(m[1])} to {_amount_or_year(m[2])}"),
        (_TIMES, lambda m: " times "),
        (_MINUS, lambda m: " minus "),
        (_NEGATIVE, lambda m: " minus "),
        (_HASH, lambda m: "number "),
        (_MIXED, lambda m: " "),
        (_PLAIN, lambda m: _amount_or_year(m[0])),
    )
    return in_steps(text, steps)


def cardinal(number: str) -> str:
    """A number as words: "1,250" is one thousand two hundred and fifty, "3.14" point one four.

    Numbers with leading zeros, and numbers too long for a name, are read digit by digit.
    """
    whole, _, decimals = number.replace(",", "").partition(".")
    if len(whole) > _LONGEST_AMOUNT or (len(whole) > 1 and whole[0] == "0"):
        words = _digits(whole)
    else:
        words = _named(whole or "0", "cardinal")
    if decimals:
        words += f" point {_digits(decimals)}"
    return words


def ordinal(number: str) -> str:
    """An ordinal number as words: "22" is twenty-second; the cardinal where it has no name."""
    digits = number.replace(",", "")
    return _named(digits, "ordinal") if len(digits) <= _LONGEST_AMOUNT else cardinal(digits)


def year(number: str) -> str:
    """A year as words: "1984" is nineteen eighty-four."""
    return _named(number, "year")


def _named(digits: str, form: str) -> str:
    from num2words import num2words

    words: str = num2words(int(digits), to=form)  # type: ignore[no-untyped-call]
    return words.replace(",", "")


def _amount_or_year(number: str) -> str:
    if len(number) == 4 and number.isdigit() and 1100 <= int(number) <= 2099:
        return year(number)
    return cardinal(number)


def _digits(run: str) -> str:
    shown = run[:_LONGEST_RUN]
    words = " ".join(cardinal(digit) for digit in shown)
    return words + (" and so on" if len(run) > len(shown) else "")


def _signed(number: str) -> str:
    return f"minus {cardinal(number[1:])}" if number.startswith("-") else cardinal(number)


def _plural(unit: str, number: str) -> str:
    if number.lstrip("-") == "1" or unit in _SAME:
        return unit
    return _PLURALS.get(unit, unit + "s")


def _unit(match: re.Match[str]) -> str:
    number, space, unit, power = match.groups()
    if unit == "in" and space:  # "5 in the morning"
        return match[0]
    name = _plural(_UNITS[unit], number)
    if power:
        name = ("square " if power.strip() in "²2" else "cubic ") + name
    return f"{_signed(number)} {name}"


def _money(match: re.Match[str]) -> str:
    symbol, number, scale = match[1] or match[6], match[2] or match[4], match[3] or match[5]
    unit, cent = _CURRENCIES[symbol]
    if scale:
        return f"{cardinal(number)} {_SCALES.get(scale.lower(), scale)} {_plural(unit, '2')}"
    whole, _, decimals = number.partition(".")
    if len(decimals) != 2:
        return f"{cardinal(number)} {_plural(unit, number)}"
    cents = str(int(decimals))
    spoken_cents = f"{cardinal(cents)} {_plural(cent, cents)}"
    if not whole.strip("0,"):
        return spoken_cents
    amount = f"{cardinal(whole)} {_plural(unit, whole)}"
    return amount if cents == "0" else f"{amount} and {spoken_cents}"


def _month(name: str) -> int:
    return next(n for n, month in enumerate(_MONTHS, 1) if month.startswith(name[:3]))


def _date(year_digits: str | None, month: int, day: int, original: str) -> str:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return original
    spoken = f"{_MONTHS[month - 1]} {ordinal(str(day))}"
    return f"{spoken}, {year(year_digits)}" if year_digits else spoken


def _iso_date(match: re.Match[str]) -> str:
    return _date(match[1], int(match[2]), int(match[3]), match[0].replace("-", " "))


def _slash_date(match: re.Match[str]) -> str:
    first, second, digits = int(match[1]), int(match[2]), match[3]
    if "." in match[0] and len(digits) != 4:
        return match[0]
    month, day = (second, first) if first > 12 or "." in match[0] else (first, second)
    full = digits if len(digits) == 4 else f"{'20' if int(digits) < 50 else '19'}{digits}"
    return _date(full, month, day, match[0].replace("/", " "))


def _time(match: re.Match[str]) -> str:
    hour, minute, second, half = match.groups()
    if int(hour) > 24:
        return match[0].replace(":", " ")
    minutes = f"oh {cardinal(minute[1])}" if minute[0] == "0" else cardinal(minute)
    spoken = cardinal(str(int(hour)))
    if minute != "00":
        spoken += f" {minutes}"
    elif not half and int(hour) <= 12 and not second:
        spoken += " o'clock"
    elif not half:
        spoken += " hundred"
    if second:
        spoken += f" and {cardinal(str(int(second)))} seconds"
    return spoken + (f" {half.upper()}M" if half else "")


def _phone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[0])
    digits = sum(map(len, groups))
    years = len(groups) == 2 and all(len(group) == 4 for group in groups)
    if digits < 7 or years or (" " in match[0] and not re.search(r"[-+().]", match[0])):
        return match[0]
    return ", ".join(_digits(group) for group in groups) + " "


def _decade(match: re.Match[str]) -> str:
    tens = int(match[2]) * 10
    century = f"{cardinal(match[1])} " if match[1] else ""
    if tens == 0:
        return f"{century}hundreds" if match[1] != "20" else "two thousands"
    word = cardinal(str(tens))
    return century + (word[:-1] + "ies" if word.endswith("y") else word + "s")


def _fraction(match: re.Match[str]) -> str:
    whole, top, bottom = match[1], int(match[2]), int(match[3])
    if bottom < 2 or top < 1 or bottom > 100 or (top > bottom and bottom > 10):
        return f"{match[1] + ' ' if match[1] else ''}{cardinal(match[2])} {cardinal(match[3])}"
    if whole is None and (bottom in (10, 100) or top > bottom):
        if (top, bottom) == (24, 7):
            return "twenty-four seven"
        between = "out of" if bottom in (10, 100) else "over"
        return f"{cardinal(match[2])} {between} {cardinal(match[3])}"
    part = _FRACTIONS.get(bottom) or ordinal(str(bottom))
    if top == 1:
        spoken = f"{'a' if whole else 'one'} {part}"
    else:
        spoken = f"{cardinal(match[2])} {'halves' if bottom == 2 else part + 's'}"
    return f"{cardinal(whole)} and {spoken}" if whole else spoken


def _roman(numeral: str, context: str, *, regnal: bool) -> str:
    number = next((n for n, roman in enumerate(_ROMANS) if roman == numeral), 0)
    if number == 0 or (regnal and numeral in "IX" and context in ("King", "Queen", "Pope")):
        return numeral
    return f"the {ordinal(str(number))}" if regnal else cardinal(str(number))


def _to_roman(number: int) -> str:
    tens, ones = divmod(number, 10)
    digits = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
    letters = str.maketrans("IVX", "XLC")
    return digits[tens].translate(letters) + digits[ones]


_ROMANS = tuple(_to_roman(number) for number in range(100))
