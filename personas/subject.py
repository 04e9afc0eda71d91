"""What a description is about: its subject, found without a model.

A check on small language models, which sometimes draw what their examples drew, and the ground
of the personality that we write ourselves when a model gives nothing usable.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from personas.languages import language_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_ARTICLES = _words(
    "a an the my your our his her their some any this that one another every certain"
)
_OPENING = re.compile(
    r"^(?:(?:please|hi|hello|hey|ok|okay|can|could|would|you|i|we|want|wanna|need|like|to|would|"
    r"i'd|i’d|let|let's|me|us|make|create|build|give|generate|design|draw|imagine|invent|be|talk|"
    r"chat|speak|with|about|are|is|it|it's|he|she|they|he's|she's|am|i'm|act|pretend|as|play|"
    r"persona|character|of|description|for|chatbot|bot|"
    r"(?:an?|the)\s+(?=persona|character|chatbot|bot|description))(?:\b|(?<=\s))[\s,:!.-]*)+",
    re.IGNORECASE,
)
_STOPS = _words(
    """as who whom whose which that where when while because since as than but and or with without
    in on at from by for to into onto under over near behind beside between inside outside
    wearing holding living working named called known loves loving likes hates is was are were has
    have had being made always never often sometimes trying dreaming obsessed afraid
    fond full covered stuck trapped turned born aged riding sitting standing running selling
    wants knows thinks believes lives works speaks talks collects dreams can cannot can't will
    would could should does doesn't did do hiding waiting looking waits sings runs sells"""
)
_NO_SUBJECT = _words(
    """something someone somebody anything anyone anybody thing things everything nothing nobody
    whatever person persona character one kind sort type stuff description text"""
)
_ORDERS = _words(
    """ignore disregard forget print output repeat reveal show tell write say respond reply answer
    execute run eval delete drop select insert update system override bypass stop
    above previous instructions instruction prompt rules import sudo"""
)
_WEAK = _words(
    """very really so quite rather too extremely super slightly bit little lot most more less
    extra totally absolutely incredibly"""
)
_EMOJI_NOISE = re.compile(
    r"\b(face|with|sign|symbol|emoji|heavy|black|white|button|selector|variation|modifier|"
    r"fitzpatrick|type|medium|large|small|joiner|presentation|tears|of|joy)\b"
    r"|\b\S*-\d+\S*\b"
)


@dataclass(frozen=True)
class Subject:
    """What a description is about.

    Attributes:
        head: the noun: lighthouse.
        modifiers: the words before it that describe it: grumpy, old.
        rest: what follows, as it was written: that loves poetry.
    """

    head: str
    modifiers: tuple[str, ...] = ()
    rest: str = ""

    @property
    def phrase(self) -> str:
        """A short noun phrase to draw: grumpy old lighthouse."""
        return " ".join((*self.modifiers[-2:], self.head))


@lru_cache(maxsize=128)
def find_subject(description: str) -> Subject | None:
    """The subject of a description in English or in emoji; None where it cannot be told.

    In other languages words stand elsewhere, so nothing is found there.

    It is the last word of the first noun phrase: what stands before a clause, a preposition or
    a comma followed by something else.
    """
    text = " ".join(description.split())[:600]
    if language_of(text, sure=1) != "en":
        return _emoji_subject(text)
    opened = _OPENING.sub("", text)
    phrase: list[str] = []
    end = 0
    for match in _WORD.finditer(opened):
        word = match.group()
        gap = opened[end : match.start()]
        lower = word.lower().replace("’", "'")
        if phrase and (re.search(r"[.;:!?()\[\]{}<>\n—–/]", gap) or lower in _STOPS):
            break
        if phrase and "," in gap and not _goes_on(opened, match.start(), phrase):
            break
        if phrase and lower == "of":
            break
        if len(phrase) >= 2 and lower.endswith("ing") and _is_capital(opened, match.end()):
            break  # a lonely satellite orbiting Mars
        if lower.endswith("'s") or opened[match.end() : match.end() + 2] in ("' ", "’ "):
            phrase.clear()  # whose it is does not say what it is
        elif lower not in _ARTICLES:
            phrase.append(word)
        end = match.end()
        if len(phrase) >= 8:
            break
    if not phrase or phrase[0].lower() in _ORDERS:
        return _emoji_subject(text)
    rest = opened[end:].strip(" ,.;:-")
    if all(word[:1].isupper() for word in phrase) and re.match(r"(dressed )?as an? ", rest):
        return find_subject(rest.split("as a", 1)[1].removeprefix("n"))  # Napoleon as a duck
    *modifiers, head = phrase
    if not head.isascii() or not 2 <= len(head) <= 24 or head.lower() in _NO_SUBJECT | _STOPS:
        return _emoji_subject(text)
    named = tuple(
        word.lower() for word in modifiers if word.lower() not in _WEAK and len(word) <= 20
    )
    return Subject(head.lower(), named, rest)


def content_words(text: str) -> set[str]:
    """The words of a text that mean something, cut to stems that survive an ending."""
    words = (word.lower() for word in _WORD.findall(text))
    return {
        _stem(word)
        for word in words
        if len(word) > 2 and word not in _ARTICLES | _STOPS | _WEAK | _NO_SUBJECT
    }


def is_about(text: str, description: str) -> bool:
    """Whether a text shares a word that means something with a description."""
    mine, theirs = content_words(text), content_words(description)
    if mine & theirs:
        return True
    # Compounds: teapot for a tea pot, fisherman for a fisher.
    return any(len(a) > 3 and len(b) > 3 and (a in b or b in a) for a in mine for b in theirs)


def _is_capital(text: str, place: int) -> bool:
    return text[place : place + 2].strip()[:1].isupper()


def _goes_on(text: str, place: int, phrase: list[str]) -> bool:
    """Whether after a comma the same noun phrase goes on: grumpy, old lighthouse."""
    following = _WORD.findall(text[place : place + 60])[:1]
    return len(phrase) <= 2 and bool(following) and following[0].lower() not in _ARTICLES | _STOPS


def _stem(word: str) -> str:
    for ending in ("ies", "es", "s", "ing", "ed", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _emoji_subject(text: str) -> Subject | None:
    for character in text:
        if unicodedata.category(character) != "So":
            continue
        name = _EMOJI_NOISE.sub(" ", unicodedata.name(character, "").lower())
        words = [word for word in re.findall(r"[a-z]+", name) if len(word) > 1]
        if words:
            return Subject(words[-1], tuple(words[:-1][-2:]))
    return None
