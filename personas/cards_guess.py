"""What a card does not say but its words show: kind, gender, age, mood, language."""

from __future__ import annotations

import re
from collections.abc import Mapping

from personas.persona import Age, Gender, Mood

_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GENDERS: Mapping[Gender, frozenset[str]] = {
    "female": _words(
        "she her hers herself woman women girl lady female mother mom daughter sister queen "
        "princess witch grandmother granny aunt wife girlfriend waitress actress goddess"
    ),
    "male": _words(
        "he him his himself man men boy gentleman male father dad son brother king prince "
        "wizard grandfather grandpa uncle husband boyfriend waiter actor lord"
    ),
}
_AGES: Mapping[Age, frozenset[str]] = {
    "child": _words("child kid baby toddler boy girl childlike infant cub kitten puppy"),
    "young": _words("young teen teenage teenager student youth youthful apprentice"),
    "old": _words(
        "old elderly ancient aged grandmother grandfather granny grandpa retired centuries "
        "wrinkled weathered veteran"
    ),
}
_MOODS: Mapping[Mood, frozenset[str]] = {
    Mood.CHEERFUL: _words(
        "cheerful happy joyful bubbly friendly sunny optimistic energetic playful jolly "
        "enthusiastic warm excited"
    ),
    Mood.CALM: _words("calm serene gentle quiet patient wise relaxed stoic peaceful kind composed"),
    Mood.GRUMPY: _words(
        "grumpy angry irritable cranky bitter gruff sarcastic rude cynical stern tsundere"
    ),
    Mood.SHY: _words("shy timid bashful nervous introverted anxious awkward insecure"),
    Mood.PROUD: _words("proud arrogant haughty confident noble regal vain boastful smug royal"),
    Mood.SAD: _words("sad melancholic lonely gloomy depressed mournful sorrowful"),
    Mood.MISCHIEVOUS: _words(
        "mischievous cunning sly teasing naughty trickster cheeky devious prankster"
    ),
    Mood.CURIOUS: _words(
        "curious inquisitive scientist explorer nerdy inventive clever adventurous"
    ),
}
# A few of the commonest words of languages that share the Latin script.
_COMMON: Mapping[str, frozenset[str]] = {
    "en": _words("the and is of you to with that her his are"),
    "de": _words("der die und ist das nicht ein eine du mit auf ich"),
    "fr": _words("le la les et est une des vous tu dans pas je"),
    "es": _words("el los las es una que por con eres tu muy pero"),
    "it": _words("il che di è una per non con sei gli sono della"),
    "pt": _words("o os uma que não com você é muito para ela ele"),
    "nl": _words("het een van en je niet dat met zijn ik de"),
    "pl": _words("jest nie się na to że jak ty do jestem"),
}
_SCRIPTS: tuple[tuple[str, str], ...] = (
    ("ja", r"[\u3040-\u30ff]"),
    ("ko", r"[\uac00-\ud7af]"),
    ("zh", r"[\u4e00-\u9fff]"),
    ("uk", r"[іїєґІЇЄҐ]"),
    ("ru", r"[\u0400-\u04ff]"),
    ("el", r"[\u0370-\u03ff]"),
    ("he", r"[\u0590-\u05ff]"),
    ("ar", r"[\u0600-\u06ff]"),
    ("hi", r"[\u0900-\u097f]"),
    ("th", r"[\u0e00-\u0e7f]"),
)
_YEARS = re.compile(r"\b(\d{1,4})[ -]years?[ -]old|\bage[d:]?\W{1,3}(\d{1,4})\b", re.IGNORECASE)
_KIND = re.compile(
    r"\b(?:is|am|are|as)\s+(?:an?|the)\s+((?:[\w'’-]+\s+){0,4}?[\w'’-]+)"
    r"(?=\s+(?:who|that|which|with|and|in|of|from|on|at|living|named|called|known|by|for)\b"
    r"|\s*[,.;:!?(\n]|\s*$)",
    re.IGNORECASE,
)


def guess_gender(text: str) -> Gender:
    """Whom the words speak of, where they clearly do."""
    female, male = (_count(text, _GENDERS[gender]) for gender in ("female", "male"))
    if female > 2 * male:
        return "female"
    return "male" if male > 2 * female else "neutral"


def guess_age(text: str) -> Age:
    """How old it seems, by years where they are told, else by words."""
    if match := _YEARS.search(text):
        years = int(match.group(1) or match.group(2))
        return (
            "child" if years < 13 else "young" if years < 25 else "adult" if years < 60 else "old"
        )
    counts = {age: _count(text, words) for age, words in _AGES.items()}
    best = max(counts, key=lambda age: counts[age])
    return best if counts[best] else "adult"


def guess_mood(text: str) -> Mood:
    """Its expression at rest, by the words for its temper."""
    counts = {mood: _count(text, words) for mood, words in _MOODS.items()}
    best = max(counts, key=lambda mood: counts[mood])
    return best if counts[best] else Mood.CALM


def guess_language(text: str) -> str:
    """The language it is written in, by script, then by common words; English else."""
    sample = text[:20_000]
    letters = sum(1 for c in sample if c.isalpha()) or 1
    for language, script in _SCRIPTS:
        if len(re.findall(script, sample)) > letters * (0.02 if language == "uk" else 0.2):
            return language
    counts = {language: _count(sample, words) for language, words in _COMMON.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] > counts["en"] else "en"


def guess_kind(text: str, gender: Gender) -> str:
    """What it is, as a noun: from "... is an old lighthouse that ..."."""
    if match := _KIND.search(text[:4_000]):
        kind = " ".join(match.group(1).split()).lower()
        if len(kind) <= 80:
            return kind
    return {"female": "woman", "male": "man"}.get(gender, "character")


def _count(text: str, words: frozenset[str]) -> int:
    return sum(1 for word in _WORD.findall(text[:20_000].lower()) if word in words)
