"""Abbreviations, chat shorthand and sounds that are written without vowels, as words."""

from __future__ import annotations

import re

_DOTTED = {
    "mr": "Mister", "mrs": "Missus", "ms": "Miz", "dr": "Doctor", "prof": "Professor",
    "mt": "Mount", "jr": "Junior", "sr": "Senior", "gen": "General", "gov": "Governor",
    "sen": "Senator", "capt": "Captain", "lt": "Lieutenant", "col": "Colonel",
    "sgt": "Sergeant", "rev": "Reverend", "e.g": "for example", "i.e": "that is",
    "etc": "et cetera", "cf": "compare", "vs": "versus", "approx": "approximately",
    "vol": "volume", "fig": "figure", "inc": "Incorporated", "ltd": "Limited",
    "corp": "Corporation", "dept": "department", "est": "established", "ave": "Avenue",
    "blvd": "Boulevard", "rd": "Road", "jan": "January", "feb": "February", "apr": "April",
    "jun": "June", "jul": "July", "aug": "August", "sep": "September", "sept": "September",
    "oct": "October", "nov": "November", "dec": "December", "p.s": "P S", "a.k.a": "also known as",
    "min": "minutes", "max": "maximum", "ed": "edition",
}  # fmt: skip
_KEEP_DOT = frozenset({"etc", "inc", "ltd", "corp", "jr", "sr"})
_BARE = {
    "vs": "versus", "eg": "for example", "ie": "that is", "etc": "et cetera", "w/": "with",
    "w/o": "without", "b/c": "because", "n/a": "not applicable", "btw": "by the way",
    "imo": "in my opinion", "imho": "in my humble opinion", "idk": "I don't know",
    "tbh": "to be honest", "afaik": "as far as I know", "brb": "be right back",
    "omg": "oh my God", "omw": "on my way", "nvm": "never mind", "thx": "thanks", "pls": "please",
    "plz": "please", "ppl": "people", "np": "no problem", "rn": "right now",
    "u": "you", "ur": "your", "tho": "though", "cuz": "because", "wanna": "wanna", "mr": "Mister",
    "mrs": "Missus", "dr": "Doctor", "aka": "also known as", "diy": "do it yourself",
    "shh": "shush", "tsk": "tisk", "brr": "burr", "grr": "gurr", "psst": "pssst", "hm": "hmm",
    "mhm": "mm hmm", "uh-huh": "uh huh", "pfft": "puff", "zzz": "",
    "lol": "ha ha,", "lmao": "ha ha,", "rofl": "ha ha,", "sb": "somebody", "sth": "something",
}  # fmt: skip
_ELONGATED = frozenset(
    re.findall(
        r"\S+",
        """
    so no yes hey hi oh ah ha he ho way yay hello please love yum bye wow now me you up down go
    stop wait what why who ow ugh um uh ok okay nice cute fun run long big hot cold old sleepy
    """,
    )
)

_WITH_DOT = re.compile(
    r"(?<![\w.])("
    + "|".join(re.escape(word) for word in sorted(_DOTTED, key=len, reverse=True))
    + r")\.(?!\w)",
    re.I,
)
_SAINT = re.compile(r"\bSt\.?\s(?=[A-Z])")
_STREET = re.compile(r"(?<=[a-z])\sSt\.")
_WORD = re.compile(r"(?<![\w'/])[A-Za-z](?:[A-Za-z/-]{0,6}[A-Za-z/])?(?![\w'/])")
_HALF_DAY = re.compile(r"\b([AaPp])\.\s?[Mm]\.")
_INITIALS = re.compile(r"\b(?:[A-Za-z]\.){2,6}(?!\w)")
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
_LETTERS = re.compile(r"[^\W\d_]+")
_UNITS_BEFORE = re.compile(r"\d\s?$")


def abbreviations_to_words(text: str) -> str:
    """Abbreviations as the words they stand for."""
    text = _HALF_DAY.sub(lambda match: f"{match[1].upper()}M", text)
    text = _SAINT.sub("Saint ", _STREET.sub(" Street", text))
    text = _WITH_DOT.sub(lambda match: _dotted(match, text), text)
    text = _INITIALS.sub(lambda match: match[0].replace(".", "").upper(), text)
    return _WORD.sub(_bare, text)


def _dotted(match: re.Match[str], text: str) -> str:
    short = match[1].lower()
    if short in ("min", "max", "ed", "sen", "gen", "fig", "rev", "col", "jun", "dec", "est"):
        # these are words too: at the end of a sentence they are what they look like
        rest = text[match.end() :].lstrip()
        number_before = bool(_UNITS_BEFORE.search(text[max(0, match.start() - 3) : match.start()]))
        if not rest or (not rest[0].isalnum() and not number_before):
            return match[0]
    word = _DOTTED[short]
    ends = not text[match.end() :].strip()
    return word + (
        "." if ends or (short in _KEEP_DOT and text[match.end() :][1:2].isupper()) else ""
    )


def _bare(match: re.Match[str]) -> str:
    word = match[0]
    if word.isupper() and word.lower() in ("u", "ur", "rn", "np", "sb", "ie", "ppl"):
        return word
    return _BARE.get(word.lower(), word)


def drawn_out(text: str) -> str:
    """Letters drawn out for effect, back to a word that can be pronounced: "sooo" is so."""
    return _LETTERS.sub(_settled, text) if _DRAWN_OUT.search(text) else text


def _settled(match: re.Match[str]) -> str:
    word = match[0]
    if word.isupper() and len(word) <= 4:  # AAA, VIII
        return word
    single = _DRAWN_OUT.sub(r"\1", word)
    if single == word or single.lower() in _ELONGATED:
        return single
    return _DRAWN_OUT.sub(r"\1\1", word)


def calm(text: str) -> str:
    """A sentence that shouts, in lower case; acronyms in other sentences stay."""
    letters = [char for char in text if char.isalpha()]
    words = text.split()
    if len(words) >= 3 and sum(map(str.isupper, letters)) > 0.7 * len(letters):
        return re.sub(r"\bi\b", "I", text.lower())
    return text
