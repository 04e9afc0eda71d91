"""A personality without a model: for when it gives nothing usable, so that anything can talk.

Made of the description itself and of phrases keyed on the seed: the same every time.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, cast

from personas.languages import language_of
from personas.persona import Age, Gender, Mood
from personas.prompts import GENDERS, DraftExchange, PersonaDraft
from personas.subject import Subject, find_subject
from personas.text import plain, plain_name, shorten


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PERSON = _words(
    """man woman boy girl person lady gentleman guy grandmother grandma grandfather grandpa granny
    mother father mum mom dad uncle aunt sister brother wife husband king queen prince princess
    knight pirate captain sailor wizard witch chef cook baker nurse doctor teacher professor
    scientist detective librarian clown monk nun priest soldier samurai ninja viking cowboy farmer
    astronaut pilot judge lawyer poet painter singer dancer actor actress ballerina magician
    student child baby teenager barista waiter waitress butler gardener fisherman firefighter
    policeman mechanic engineer programmer accountant thief spy superhero surfer rapper rockstar
    musician violinist pianist florist tailor blacksmith hermit philosopher mayor president boss
    stuntwoman stuntman bride groom emperor empress duke duchess hacker gamer nerd influencer
    tourist beekeeper lumberjack miner"""
)
_HUMAN_ENDING = re.compile(r"(?:ist|ician|keeper|woman|man|maker|teller|smith|nanny|worker)$")
_NOT_HUMAN = re.compile(
    r"\b(robot|android|cat|dog|animal|ghost|zombie|alien|vampire|skeleton|snowman|toy|doll|statue|"
    r"puppet|gingerbread|elf|dwarf|orc|goblin|fairy|troll|mermaid|demon|angel|god|goddess|dragon|"
    r"octopus|bear|fox|owl|frog|duck|mouse|rat|rabbit|bird|penguin|shark|fish|spider|snail)s?\b",
    re.IGNORECASE,
)
_FEMALE = re.compile(
    r"\b(she|her|woman|girl|lady|female|queen|princess|mother|mum|mom|grandmother|grandma|granny|"
    r"aunt|sister|wife|witch|waitress|actress|duchess|empress|goddess|nun|bride|diva|mermaid|"
    r"ballerina|stuntwoman|madame|mrs|ms|miss|hen|cow|lioness|abuela)\b",
    re.IGNORECASE,
)
_MALE = re.compile(
    r"\b(he|his|him|man|boy|guy|gentleman|male|king|prince|father|dad|grandfather|grandpa|uncle|"
    r"brother|husband|wizard|waiter|duke|emperor|monk|groom|mr|sir|rooster|bull|lord|cowboy|"
    r"fisherman|policeman|snowman|stuntman|abuelo)\b",
    re.IGNORECASE,
)
_AGES: tuple[tuple[Age, re.Pattern[str]], ...] = (
    ("old", re.compile(r"\b(old|elderly|ancient|aged|retired|grand\w+|vintage)\b", re.I)),
    ("child", re.compile(r"\b(child|kid|baby|little (boy|girl)|toddler|puppy)\b", re.I)),
    ("young", re.compile(r"\b(young|teen\w*|student|youthful|girl|boy|apprentice)\b", re.I)),
)
_NAMED = re.compile(
    r"\b(?:named|called|whose name is|by the name of|name is)\s+[\"'“‘]?"
    r"((?-i:[A-Z])[\w'’-]*(?:\s+(?-i:[A-Z])[\w'’-]*){0,3})",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"^(?:that|who|which)\s+(\S+)\s*(.*)$", re.DOTALL)
_VERBS = {"is": "are", "has": "have", "was": "were", "does": "do", "goes": "go"}
_PRONOUNS = {
    "its": "your", "his": "your", "her": "your", "their": "your", "itself": "yourself",
    "himself": "yourself", "herself": "yourself", "themselves": "yourself",
}  # fmt: skip
_TO_FIRST = {"are": "am", "were": "was", "your": "my", "yourself": "myself", "you": "I"}
_ANYTHING = (
    Subject("ghost", ("little",)),
    Subject("robot", ("little",)),
    Subject("star", ("wandering",)),
    Subject("cat", ("mysterious",)),
    Subject("cloud", ("small",)),
)


def improvise(
    description: str, seed: int, *, name: str = "", gender: str = "", mood: Mood | None = None
) -> PersonaDraft:
    """A whole persona made of the description and the seed alone.

    Args:
        description: any text; what cannot be understood is left out, nothing fails.
        seed: decides name, quirks and phrases.
        name: what it is called, where that is known.
        gender: likewise.
        mood: likewise; the description's own words win.
    """
    dice = random.Random(f"{seed}\n{description}")
    book = _book()
    found = find_subject(description)
    subject = found or dice.choice(_ANYTHING)
    mood = guess_mood(description) or mood or dice.choice(list(Mood))
    told = guess_gender(description)
    if told == "neutral" and gender in GENDERS:
        told = cast(Gender, gender)
    person = is_person(description, subject)
    invented = _invent_name(dice, book["names"], book["last"], told, person)
    name = name_in(description) or name or invented
    kind = " ".join((*subject.modifiers[-2:], subject.head))
    feature = _second_person(subject.rest)
    ways: Mapping[str, Any] = book["mood"][mood.value]
    a_kind = _a(kind)
    filling = {
        "name": name,
        "kind": a_kind,
        "kind_start": a_kind[:1].upper() + a_kind[1:],
        "love": _first_person(feature),
    }

    def say(key: str) -> str:
        return " ".join(str(dice.choice(ways[key])).format_map(filling).split())

    character = [f"You are {name}, {a_kind}.", feature]
    if not feature and subject.rest:
        character.append(f"What is known of you: {shorten(plain(subject.rest, 160), 120)}.")
    if found is None and language_of(description, sure=1) != "en":
        character.append(f"Somebody described you so: {shorten(plain(description, 240), 200)}")
    character += [
        f"You are {ways['trait']}.",
        f"You want {dice.choice(book['wants'])}, and you {dice.choice(book['quirks'])}.",
    ]
    return PersonaDraft(
        kind=kind,
        name=name,
        gender=told,
        age=guess_age(description),
        mood=mood.value,
        tagline=f"{kind[:1].upper()}{kind[1:]}, {ways['trait'].split(' and ')[0]}",
        you=" ".join(part for part in character if part),
        speech=str(dice.choice(ways["speech"])),
        greeting=say("greeting"),
        talk=[
            DraftExchange(q="Who are you?", a=say("self")),
            DraftExchange(q="How was your day?", a=say("day")),
        ],
        lang="en",
        draw=subject.phrase,
        details=shorten(plain(subject.rest, 160), 80),
        person=person,
    )


def guess_mood(description: str) -> Mood | None:
    """The mood that words of a description name, the first one written; None where none does."""
    found: list[tuple[int, Mood]] = []
    words = re.findall(r"[a-z-]+", description.lower())
    for mood, ways in _book()["mood"].items():
        hits = [words.index(word) for word in ways["words"] if word in words]
        if hits:
            found.append((min(hits), Mood(mood)))
    return min(found)[1] if found else None


def guess_gender(description: str) -> Gender:
    """The gender that a description speaks of; neutral where it does not tell."""
    female, male = _FEMALE.search(description), _MALE.search(description)
    if female and (not male or female.start() < male.start()):
        return "female"
    return "male" if male else "neutral"


def guess_age(description: str) -> Age:
    """The age that a description speaks of; adult where it does not tell."""
    return next((age for age, words in _AGES if words.search(description)), "adult")


def is_person(description: str, subject: Subject | None = None) -> bool:
    """Whether a description is of a human, judged by its noun."""
    subject = subject or find_subject(description)
    if subject is None:
        return False
    if is_no_human(subject):
        return False
    return subject.head in _PERSON or bool(_HUMAN_ENDING.search(subject.head))


def is_no_human(subject: Subject) -> bool:
    """Whether a noun phrase names an animal, a creature or a machine: robot barista."""
    return bool(_NOT_HUMAN.search(subject.phrase))


def name_in(description: str) -> str:
    """The name that a description gives: a dragon named Bob; empty where it gives none."""
    match = _NAMED.search(description)
    return plain_name(match.group(1), 40) if match else ""


def _invent_name(
    dice: random.Random,
    names: Mapping[str, list[str]],
    last: list[str],
    gender: str,
    person: bool,
) -> str:
    first = dice.choice(names[gender])
    return f"{first} {dice.choice(last)}" if person or dice.random() < 0.6 else first


def _second_person(rest: str) -> str:
    """The clause `that loves its garden` as `You love your garden.`; empty if it is none."""
    rest = _NAMED.sub("", plain(rest, 200)).strip(" ,.")
    if rest.lower().startswith("with "):
        rest = f"that has {rest[5:]}"
    match = _RELATIVE.match(rest)
    if not match:
        return ""
    verb, others = match.group(1), match.group(2)
    clause = re.split(r"[.;!?\n]", others)[0].strip(" ,")
    words = [_PRONOUNS.get(word, word) for word in clause.split()]
    return " ".join(("You", _base_form(verb), *words)).strip() + "."


def _first_person(feature: str) -> str:
    """The sentence `You love your garden.` as `I love my garden.`, for its own mouth."""
    if not feature:
        return ""
    words = feature.removeprefix("You ").split()
    return " ".join(("I", *(_TO_FIRST.get(word, word) for word in words)))


def _base_form(verb: str) -> str:
    if verb in _VERBS:
        return _VERBS[verb]
    if re.search(r"(?:ss|sh|ch|x|z|o)es$", verb):
        return verb[:-2]
    if verb.endswith("ies") and len(verb) > 4:
        return verb[:-3] + "y"
    return verb[:-1] if verb.endswith("s") and not verb.endswith("ss") else verb


def _a(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


@cache
def _book() -> Mapping[str, Any]:
    text = resources.files("personas").joinpath("improvised.toml").read_text("utf-8")
    return tomllib.loads(text)
