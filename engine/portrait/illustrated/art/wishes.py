"""What the words of a brief ask for in a person: hair, skin, clothes, a trade's hat."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from engine.portrait.illustrated.art.words import COLOURS, Phrase, parse, tokens
from personas.persona import Frozen, PortraitBrief

SKINS = ("#f7d7c4", "#f0c3a2", "#e0ac82", "#c68a5e", "#9c6240", "#6b432c")
"""From pale to dark."""

HAIRS = ("#2a1d18", "#4a2f22", "#6e4327", "#8e5a30", "#b9793d", "#d9b069", "#b4522c")
GREYS = ("#d9d9d6", "#c4c6c8", "#a9acb0", "#ece8df")
CLOTHES = ("#3f6fb5", "#c8504b", "#4b9a68", "#7d5ba6", "#e0a13a", "#2e4a62", "#d9748f", "#3d9c9c")

_HAIR_WORDS = {
    "blond": "#e3bf6f", "blonde": "#e3bf6f", "fair": "#e3bf6f", "ginger": "#c2582b",
    "redhead": "#c2582b", "brunette": "#5b3923", "raven": "#1d1a1c", "auburn": "#8b3d24",
    "grey": "#b9bcbf", "gray": "#b9bcbf", "silver": "#ced2d6", "white": "#eeebe4",
    "red": "#b9482a", "black": "#211b1c", "brown": "#5b3923", "dark": "#33241d",
}  # fmt: skip
_SHAPES = {
    "curly": "curly", "curl": "curly", "afro": "afro", "dreadlock": "dreadlocks",
    "dread": "dreadlocks", "bun": "bun", "long": "long", "short": "short", "wavy": "wavy",
    "braid": "braids", "pigtail": "braids", "plait": "braids", "mohawk": "mohawk",
    "mullet": "mullet", "spiky": "spiky", "hijab": "hijab", "headscarf": "hijab",
    "turban": "turban", "bald": "bald", "hairless": "bald",
}  # fmt: skip
_SKIN_WORDS = {"pale": 0, "fair-skinned": 0, "tanned": 2, "sunburnt": 2, "tan": 2, "olive": 2}
_GARMENTS = frozenset(
    tokens(
        "shirt sweater jumper coat jacket dress suit hoodie uniform clothes t-shirt blouse "
        "cardigan robe gown overalls dungarees vest cloak cape jersey top tunic scarf apron"
    )
)


_HATS = {
    "beanie": "knit-cap", "crown": "crown", "beret": "beret", "fedora": "fedora",
    "helmet": "hard-hat", "cap": "ball-cap", "headband": "headband",
}  # fmt: skip
_GLASSES = frozenset(tokens("glasses spectacles spectacled bespectacled sunglasses goggles"))
_OLD = frozenset(
    tokens(
        "old elderly retired ancient aged grandmother grandma granny nana grandfather grandpa "
        "gramps elder pensioner retiree veteran"
    )
)
_FEMALE = frozenset(
    tokens(
        "woman girl lady grandmother grandma granny nana mother mum mom aunt auntie sister "
        "daughter wife queen princess witch nun waitress actress she her lass bride"
    )
)
_MALE = frozenset(
    tokens(
        "man boy gentleman grandfather grandpa father dad uncle brother son husband king prince "
        "monk lad guy he his groom waiter"
    )
)


class Role(Frozen):
    """What a trade looks like."""

    words: tuple[str, ...]
    hat: str = ""
    hat_colour: str = ""
    hair: str = ""
    outfit: str = "any"
    colour: str = ""


@cache
def _roles() -> Mapping[str, Role]:
    roles = [Role(**entry) for entry in _lexicon()["role"]]
    return {word: role for role in roles for word in role.words}


@cache
def _people_words() -> frozenset[str]:
    return frozenset(_lexicon()["people"].split())


def is_trade(phrase: Phrase) -> bool:
    """Whether the head noun is a listed word for people: nurse, pirate, grandmother."""
    return phrase.head in _people_words() or any(tail in _roles() for tail in phrase.tails)


def names_person(phrase: Phrase) -> bool:
    """Whether the head noun is, or looks like, a word for people."""
    head = phrase.head
    return is_trade(phrase) or (
        len(head) > 6 and head.endswith(("woman", "man", "girl", "boy", "ologist", "person"))
    )


class Wishes:
    """What the words of a brief ask for, and what chance adds."""

    def __init__(self, brief: PortraitBrief, chooser: random.Random) -> None:
        text = f"{brief.subject}, {brief.details}"
        words = tokens(text.replace("-", " "))
        single = set(words) | set(parse(text.replace(",", " ")).words)
        phrase = parse(brief.subject)
        found = [_roles()[tail] for tail in phrase.tails if tail in _roles()]
        found += [_roles()[word] for word in phrase.words if word in _roles()]
        self.role = found[0] if found else Role(words=())
        self.female = _is_female(brief, phrase, chooser)
        self.old = brief.age == "old" or bool(single & _OLD)
        self.child = brief.age == "child"
        self.shape = next((_SHAPES[w] for w in map(_stem, words) if w in _SHAPES), self.role.hair)
        self.beard = _beard(single, self, chooser)
        self.glasses = bool(single & _GLASSES) or (self.old and chooser.random() < 0.35)
        self.skin = _skin(words, chooser)
        self.hair = _hair(words, self.old, chooser)
        self.hat_colour = self.role.hat_colour or self.role.colour or "#c0392b"
        self.outfit = self.role.outfit
        self.clothing = _clothing(words) or self.role.colour or chooser.choice(CLOTHES)
        self.hat = self.role.hat or next((_HATS[word] for word in words if word in _HATS), "")


def _stem(word: str) -> str:
    return word.removesuffix("s") if len(word) > 4 else word


def _is_female(brief: PortraitBrief, phrase: Phrase, chooser: random.Random) -> bool:
    if brief.gender != "neutral":
        return brief.gender == "female"
    said = set(phrase.words) | set(phrase.others)
    if said & _FEMALE or phrase.head.endswith("woman"):
        return True
    if said & _MALE or phrase.head.endswith("man"):
        return False
    return chooser.random() < 0.5


def _beard(words: set[str], wishes: Wishes, chooser: random.Random) -> str:
    if words & {"moustache", "mustache", "moustached"}:
        return "moustache"
    if words & {"beard", "bearded", "whiskers"}:
        return "full"
    if words & {"stubble", "goatee", "unshaven"}:
        return "short"
    if wishes.female or wishes.child:
        return ""
    return "full" if chooser.random() < (0.3 if wishes.old else 0.12) else ""


def _skin(words: Sequence[str], chooser: random.Random) -> str:
    for at, word in enumerate(words):
        if word in ("skin", "skinned") and at:
            said = words[at - 1]
            if said in ("dark", "black", "brown", "ebony"):
                return SKINS[5 if said in ("black", "ebony") else 4]
            if said in ("pale", "light", "fair", "white"):
                return SKINS[0]
            if said in COLOURS:
                return COLOURS[said]
        if word in _SKIN_WORDS:
            return SKINS[_SKIN_WORDS[word]]
        if word in ("african", "nigerian", "kenyan", "black") and at + 1 < len(words):
            after = words[at + 1]
            if word != "black" or after in ("man", "woman", "girl", "boy", "person"):
                return chooser.choice(SKINS[4:])
    return chooser.choice(SKINS[:5])


def _hair(words: Sequence[str], old: bool, chooser: random.Random) -> str:
    for at, word in enumerate(words):
        if word in ("hair", "haired", "beard", "bearded", "braids", "curls", "bun", "moustache"):
            for before in reversed(words[max(0, at - 3) : at]):
                if before in _HAIR_WORDS:
                    return _HAIR_WORDS[before]
                if before in COLOURS:
                    return COLOURS[before]
        if word in ("blond", "blonde", "ginger", "redhead", "brunette", "auburn"):
            return _HAIR_WORDS[word]
    return chooser.choice(GREYS if old else HAIRS)


def _clothing(words: Sequence[str]) -> str:
    for at, word in enumerate(words):
        if word in _GARMENTS:
            for before in reversed(words[max(0, at - 3) : at]):
                if before in COLOURS:
                    return COLOURS[before]
    return ""


@cache
def _lexicon() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("roles.toml").read_text("utf-8")
    return tomllib.loads(text)
