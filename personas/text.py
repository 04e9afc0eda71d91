"""Text that people and models wrote, made harmless: data, never markup, mention or control."""

from __future__ import annotations

import re
import unicodedata

_JOINERS = "\u200c\u200d"
_KEPT_CONTROLS = "\n\t"
_MAX_MARKS = 3
"""Combining marks on one letter: Vietnamese and pointed Hebrew need as many, Zalgo more."""

_TAG = re.compile(r"<[@#!/]?[^<>\n]{0,200}>")
_LINK = re.compile(r"!?\[([^\]\n]{0,200})\]\([^)\n]{0,500}\)")
_FENCE = re.compile(r"`+")
_HEADING = re.compile(r"^\s{0,3}(#{1,6}|>+)\s+", re.MULTILINE)
_STRONG = re.compile(r"\*{2,}|_{2,}|~{2,}|\|{2,}")
_MENTION = re.compile(r"@(?=\w)")
_NOT_IN_NAMES = re.compile(r"[<>\[\]{}()|\\/`*_~#@^=+\"“”«»:;$%]+")
_ITEM = re.compile(r"(?:^|\n)\s*\d{1,2}\.$")
_SENTENCE_END = re.compile(r"[.!?…。！？।؟]+[\"'”’)*\]]*(?=\s|$)|[。！？]")


def clean(text: str) -> str:
    """The same text without what is not seen or breaks other programs.

    Control characters, lone surrogates, invisible and direction-changing characters go; marks
    stacked on one letter are limited; white space is single, except for line breaks.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept: list[str] = []
    marks = 0
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        if category in ("Mn", "Me"):
            marks += 1
            if marks > _MAX_MARKS:
                continue
        elif character in _JOINERS:
            # Needed inside emoji, Persian and Indic words; elsewhere only a hiding place.
            neighbours = text[max(0, place - 1) : place] + text[place + 1 : place + 2]
            if len(neighbours) < 2 or neighbours.isascii():
                continue
        else:
            marks = 0
            if category in ("Cc", "Zl", "Zp") and character not in _KEPT_CONTROLS:
                character = " " if character in "\r\x0b\x0c\u2028\u2029" else ""
            elif category in ("Cf", "Cs", "Co", "Cn") and character != "\ufe0f":
                character = ""
        kept.append(character)
    lines = (" ".join(line.split()) for line in "".join(kept).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def plain(text: str, limit: int) -> str:
    """Clean text in one line, without markup, at most `limit` characters, cut at a word."""
    text = _LINK.sub(r"\1", clean(text[: 8 * limit + 1_000]))
    text = _TAG.sub(" ", text)
    text = _STRONG.sub("", _FENCE.sub("", _HEADING.sub("", text)))
    text = _MENTION.sub("", text)
    return shorten(" ".join(text.split()), limit)


def plain_name(text: str, limit: int = 60) -> str:
    """A name: what `plain` gives, without signs that mean something to other programs."""
    text = _NOT_IN_NAMES.sub(" ", plain(text, 4 * limit))
    return shorten(" ".join(text.split()).strip(" .,-'!?&"), limit)


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters: whole sentences if that keeps most, else words and "…"."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    ends = sentence_ends(head)
    if ends and ends[-1] >= limit * 0.5:
        return head[: ends[-1]]
    head = head[: limit - 1]
    space = head.rfind(" ")
    if space > limit * 0.5:
        head = head[:space]
    return head.rstrip(" ,;:-—") + "…"


def sentences(text: str) -> list[str]:
    """The sentences of a text, in order, with their punctuation."""
    found, start = [], 0
    for end in sentence_ends(text):
        found.append(text[start:end].strip())
        start = end
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def sentence_ends(text: str) -> list[int]:
    """Where sentences end; the number of a list's item ends none."""
    return [
        match.end()
        for match in _SENTENCE_END.finditer(text)
        if not _ITEM.search(text[: match.end()])
    ]


def whole_sentences(text: str) -> str:
    """A text that broke off, without its last unfinished sentence if that loses little."""
    ends = sentence_ends(text)
    if not ends or ends[-1] >= len(text.rstrip()):
        return text.rstrip()
    rest = text[ends[-1] :].strip()
    if not any(character.isalnum() for character in rest) or ends[-1] < len(text) * 0.4:
        return text.rstrip()
    return text[: ends[-1]].rstrip()


def within(text: str, limit: int) -> str:
    """As many whole sentences as `limit` characters hold; at least the first one."""
    if len(text) <= limit:
        return text
    ends = sentence_ends(text)
    fitting = [end for end in ends if end <= limit] or ends[:1]
    return text[: fitting[-1]].rstrip() if fitting else text


def loops(text: str) -> int | None:
    """Where a text begins to repeat itself, as an index; None where it does not.

    Laughter and doubled words are no loops: single words count from the sixth time on, short
    phrases from the fourth, long ones and whole sentences from the second in a row.
    """
    stuck = re.search(r"(\S{1,3}?)\1{24,}", text)
    words = list(re.finditer(r"\S+", text))
    folded = [word.group().casefold().strip(".,!?…;:*\"'") for word in words]
    best = stuck.start() + 3 * len(stuck.group(1)) if stuck else None
    for length, allowed in ((1, 6), (2, 4), (3, 4), (4, 3), *((n, 2) for n in range(5, 41))):
        run = 0
        for place in range(length, len(folded)):
            run = run + 1 if folded[place] == folded[place - length] else 0
            if run >= length * (allowed - 1):
                # The words from here to the end of the run say again what came before them.
                start = words[place - run + 1].start()
                best = start if best is None else min(best, start)
                break
    return best
