"""What a noun phrase is about: its head noun, its colours, the emoji in it.

A handful of rules for English noun phrases, not a parser: subjects are short, and a wrong guess
only costs a less fitting picture.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_WORDS = 24
"""Of a subject; what comes after is story, not the thing."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MEASURES = _words(
    "bunch slice piece pair stack loaf ear pile cup glass pint bottle jar bowl plate bouquet "
    "bundle wedge bar ball sprig stalk clove head herd flock swarm kind sort type species "
    "breed chunk lump drop grain blade sheet roll can tin mug pot group couple lot set scoop "
    "portion spirit ghost version picture portrait image drawing photo statue figure incarnation "
    "embodiment personification avatar bit leaf sprout branch box crate barrel tray"
)
_STOPPERS = _words(
    "that who whom whose which with without in on at from for by to into near under over behind "
    "wearing holding carrying having made living called named dressed covered full inside "
    "outside around about like as than because while when where and but or obsessed addicted "
    "afraid scared tired who's that's is was are has had loves hates likes wants dreams "
    "working sitting standing looking trying pretending known"
)
_ARTICLES = _words("a an the my your his her its our their this some one")
_IRREGULAR = {
    "mice": "mouse", "geese": "goose", "feet": "foot", "teeth": "tooth", "men": "man",
    "women": "woman", "children": "child", "people": "person", "leaves": "leaf",
    "knives": "knife", "wolves": "wolf", "loaves": "loaf", "shelves": "shelf", "scarves": "scarf",
    "calves": "calf", "halves": "half", "elves": "elf", "dwarves": "dwarf", "thieves": "thief",
    "wives": "wife", "cacti": "cactus", "fungi": "fungus", "octopi": "octopus", "oxen": "ox",
    "potatoes": "potato", "tomatoes": "tomato", "volcanoes": "volcano", "heroes": "hero",
    "mangoes": "mango", "cherries": "cherry", "dice": "die", "shoes": "shoe", "movies": "movie",
    "cookies": "cookie", "zombies": "zombie", "brownies": "brownie", "selfies": "selfie",
    "axes": "axe", "pies": "pie", "ties": "tie", "toes": "toe", "hoodies": "hoodie",
    "beanies": "beanie", "smoothies": "smoothie", "selkies": "selkie", "pixies": "pixie",
    "bees": "bee", "trees": "tree",
}  # fmt: skip
_NOT_PLURAL = _words(
    "glasses binoculars jeans shorts pants trousers scissors headphones sunglasses goggles "
    "spectacles pyjamas pajamas tweezers pliers news chess moss grass glass dress bus cactus "
    "octopus hippopotamus platypus walrus iris lotus hibiscus eucalyptus crocus citrus gas lens "
    "compass cross boss class canvas atlas christmas genius virus princess goddess witch "
    "mattress albatross hummus asparagus papyrus narcissus isopus fries chips crisps "
    "tights overalls dungarees swiss bass mistress waitress actress couscous molasses "
)

COLOURS: dict[str, str] = {
    "red": "#d7263d", "crimson": "#b0122f", "scarlet": "#e02b20", "maroon": "#7b1e2b",
    "burgundy": "#7a1f36", "pink": "#f48fb1", "magenta": "#d6278c", "rose": "#e8718d",
    "orange": "#f28c28", "amber": "#f5a524", "peach": "#ffbe98", "coral": "#ff7f66",
    "yellow": "#f6cf3b", "golden": "#e5b13a", "gold": "#e5b13a", "mustard": "#d6a72c",
    "beige": "#e4d3b2", "cream": "#f7efd9", "ivory": "#f6f1df", "green": "#43a047",
    "emerald": "#1f9d62", "olive": "#7d8b3a", "lime": "#a4d23a", "mint": "#9fdcc0",
    "teal": "#1e8f8a", "turquoise": "#36c5bd", "cyan": "#3cc3e0", "aqua": "#3cc3e0",
    "blue": "#2f6fd0", "azure": "#3f9be8", "navy": "#24386e", "indigo": "#473fa3",
    "violet": "#7b4fc9", "purple": "#7e3fb0", "lavender": "#b9a3e3", "lilac": "#c4a6e0",
    "brown": "#8a5a34", "chocolate": "#5e3a22", "tan": "#cfa77a", "black": "#2b2b30",
    "white": "#f7f7f4", "grey": "#9aa0a6", "gray": "#9aa0a6", "silver": "#c3c9cf",
    "charcoal": "#44474d",
}  # fmt: skip
"""Colour words as the paint that people mean by them."""


@dataclass(frozen=True)
class Phrase:
    """A subject taken apart.

    Attributes:
        words: all words of the noun phrase, in the singular, without articles.
        tails: what may name the thing, the longest first: old polar bear, polar bear, bear.
        others: words of the subject outside the noun phrase.
        emoji: emoji that stand in the text, as lower-case code points joined by hyphens.
        unit: the measure before "of", where there was one: slice, bunch.
    """

    words: tuple[str, ...]
    tails: tuple[str, ...]
    others: tuple[str, ...]
    emoji: tuple[str, ...]
    unit: str = ""

    @property
    def head(self) -> str:
        """The head noun; empty where the text has no words."""
        return self.words[-1] if self.words else ""


def parse(subject: str) -> Phrase:
    """Takes a subject apart; any text at all will do."""
    text = unicodedata.normalize("NFKC", subject)[:4_000]
    emoji = tuple(emoji_in(text))
    words = [singular(word) for word in tokens(_without_name(text))][: MAX_WORDS * 3]
    while words and words[0] in _ARTICLES:
        words.pop(0)
    inside, unit = _noun_phrase(words)
    inside = inside[-MAX_WORDS:]
    tails = [" ".join(inside[start:]) for start in range(max(0, len(inside) - 4), len(inside))]
    if unit and inside:
        tails = [f"{unit} of {' '.join(inside)}", f"{unit} of {inside[-1]}", *tails]
    elif content := _content(words, inside):
        tails = [f"{inside[-1]} of {content}", *tails]
    elif len(words) <= 5:
        tails = [" ".join(words), *tails]  # bow and arrow
    rest = list(words)
    for word in inside:
        rest.remove(word)
    distinct = tuple(dict.fromkeys(tail for tail in tails if tail))
    return Phrase(tuple(inside), distinct, tuple(rest[:MAX_WORDS]), emoji, unit)


def _without_name(text: str) -> str:
    """Drops the name at the end of "my dog Rex"; names that are all there is stay."""
    words = text.split()
    end = len(words)
    while end and words[end - 1][:1].isupper():
        end -= 1
    before = [word.lower() for word in words[:end]]
    says = [w for w in before if w not in _ARTICLES and w not in _STOPPERS and w != "of"]
    if end == len(words) or not says or before[-1] in _STOPPERS | _ARTICLES | {"of"}:
        return text
    return " ".join(words[:end])


def tokens(text: str) -> list[str]:
    """Words in lower case, accents dropped from Latin letters; other scripts stay."""
    decomposed = unicodedata.normalize("NFKD", text.lower().replace("\u2019", "'"))
    bare = unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", decomposed))
    return [
        word.removesuffix("'s").replace("'", "")
        for word in re.findall(r"[^\W_]+(?:'[^\W_]+)?", bare)
    ]


def singular(word: str) -> str:
    """The singular of an English noun."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word in _NOT_PLURAL:
        return word
    if word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zzes")):
        return word[:-2]
    return word[:-1]


def colours_in(text: str) -> list[str]:
    """The colour words of a text, in order."""
    return [word for word in tokens(text) if word in COLOURS]


def emoji_in(text: str) -> list[str]:
    """Code points of the emoji in a text: joined sequences whole, without skin or style marks."""
    found: list[str] = []
    joined = False
    for char in text:
        code = ord(char)
        if code == 0x200D:
            joined = bool(found)
        elif code == 0xFE0F or 0x1F3FB <= code <= 0x1F3FF:
            continue
        elif code >= 0x2190 and unicodedata.category(char) == "So":
            if joined:
                found[-1] += f"-200d-{code:x}"
            else:
                found.append(f"{code:x}")
            joined = False
        else:
            joined = False
    return found[:8]


def _content(words: list[str], phrase: list[str]) -> str:
    """Of what it is, where the phrase goes on with "of": a bag of flour."""
    if not phrase:
        return ""
    end = words.index(phrase[-1]) + 1
    if words[end : end + 1] != ["of"]:
        return ""
    return next((word for word in words[end + 1 :] if word not in _ARTICLES), "")


def _noun_phrase(words: list[str]) -> tuple[list[str], str]:
    """Up to the first word that ends a noun phrase; through "of" after a measure."""
    phrase: list[str] = []
    unit = ""
    for word in words:
        if word == "of":
            if phrase and phrase[-1] in _MEASURES and not unit:
                unit = phrase[-1]
                phrase = []
                continue
            break
        if word in _STOPPERS:
            if phrase:
                break
            continue
        if word not in _ARTICLES:
            phrase.append(word)
    if unit and not phrase:
        phrase = [unit]
    return phrase, unit
