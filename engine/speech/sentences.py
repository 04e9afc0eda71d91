"""Where sentences end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_END = re.compile(r"[.!?…]+[\"')\]]*(?=\s)")
_NOT_AN_END = frozenset(
    re.findall(
        r"\S+",
        """
    mr mrs ms dr prof st mt sr jr gen gov sen rep capt lt col sgt rev hon vs e.g i.e etc cf
    approx no vol fig inc ltd co corp dept est jan feb mar apr jun jul aug sep sept oct nov dec
    a.m p.m
    """,
    )
)
_MAY_END = frozenset({"etc", "inc", "ltd", "co", "jr", "sr", "a.m", "p.m", "no", "corp"})
_LONGEST = 1_200


@dataclass(frozen=True)
class Stops:
    """Full stops that end no sentence in a language.

    Attributes:
        never: abbreviations after which a sentence goes on, in lower case, without the last dot.
        seldom: those after which it goes on unless a capital letter follows.
        after_digits: whether a dot makes an ordinal of a number of one or two digits.
    """

    never: frozenset[str]
    seldom: frozenset[str]
    after_digits: bool = False


ENGLISH = Stops(_NOT_AN_END, _MAY_END)


def sentences(text: str, stops: Stops = ENGLISH) -> Iterator[tuple[str, bool]]:
    """The sentences of plain text, and whether each one ends a paragraph.

    A line that ends without punctuation and goes on in lower case goes on. Sentences without an
    end are cut between words, so that one sentence never is a whole book.
    """
    for paragraph in re.split(r"\n[ \t]*\n\s*", text):
        found = [part for line in _joined_lines(paragraph) for part in _split(line, stops)]
        for number, sentence in enumerate(found):
            yield sentence, number == len(found) - 1


def _joined_lines(paragraph: str) -> Iterator[str]:
    current: list[str] = []
    for line in paragraph.split("\n"):
        line = line.strip()
        if not line:
            continue
        if current and (current[-1][-1] in ".!?…:" or not (line[0].islower() or line[0].isdigit())):
            yield " ".join(current)
            current = []
        current.append(line)
    if current:
        yield " ".join(current)


def _split(line: str, stops: Stops) -> Iterator[str]:
    start = 0
    for match in _END.finditer(line):
        if _ends(line, start, match, stops):
            yield from _bounded(line[start : match.end()].strip())
            start = match.end()
    rest = line[start:].strip()
    if rest:
        yield from _bounded(rest)


def _ends(line: str, start: int, match: re.Match[str], stops: Stops) -> bool:
    following = line[match.end() : match.end() + 4].strip()[:1]
    if following.islower():
        return match.group()[0] in "!?" and len(match.group()) > 1
    if match.group()[:1] != "." or match.group()[1:2] == ".":
        return True
    word = line[max(start, match.start() - 12) : match.start()].split(" ")[-1].lstrip("(\"'")
    if len(word) == 1 and word.isupper() and word != "I":
        return False
    if stops.after_digits and word.isdigit() and len(word) <= 2:
        return not following.isalpha()
    if word.lower() in stops.seldom:
        return following.isupper()
    return word.lower() not in stops.never


def _bounded(sentence: str) -> Iterator[str]:
    while len(sentence) > _LONGEST:
        cut = sentence.rfind(" ", _LONGEST // 2, _LONGEST)
        cut = cut if cut > 0 else _LONGEST
        yield sentence[:cut]
        sentence = sentence[cut:].strip()
    if sentence:
        yield sentence
