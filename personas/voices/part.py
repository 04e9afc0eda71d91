"""Part: who is going to speak, as far as a voice depends on it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from personas.languages import language_of
from personas.persona import Age, Gender, Personality

_GENDER_WORDS: Mapping[str, Gender] = {
    "female": "female", "woman": "female", "feminine": "female", "girl": "female", "she": "female",
    "male": "male", "man": "male", "masculine": "male", "boy": "male", "he": "male",
}  # fmt: skip
_AGE_WORDS: Mapping[str, Age] = {
    "child": "child", "childish": "child", "kid": "child", "baby": "child",
    "young": "young", "youthful": "young", "teen": "young", "teenage": "young",
    "old": "old", "elderly": "old", "aged": "old", "ancient": "old", "senior": "old",
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """Who is going to speak.

    Attributes:
        language: BCP 47 tag.
        gender: of the voice.
        age: of the voice.
        asked: words somebody asked for the voice with.
        kind: words of what it is.
        traits: words that are said with it: tiny, nervous.
        said: words of what else is known of it.
        mood: its mood, where one is known.
        who: tells it from others, so that two of a kind need not get the same voice.
    """

    language: str
    gender: Gender
    age: Age
    asked: frozenset[str] = frozenset()
    kind: frozenset[str] = frozenset()
    traits: frozenset[str] = frozenset()
    said: frozenset[str] = frozenset()
    mood: str = ""
    who: str = ""

    @classmethod
    def of(
        cls, personality: Personality, asked: str = "", *, about: str = "", seed: int = 0
    ) -> Part:
        """The part of a persona.

        Args:
            personality: who it is.
            asked: what was asked of the voice; may be invented, a description, or empty.
            about: what it is, in English, where its kind may be in another language.
            seed: breaks ties.
        """
        wanted, kind = words(asked[:200]), words(f"{personality.kind} {about[:200]}")
        gender = _told(wanted, _GENDER_WORDS) or personality.gender
        if gender == "neutral":
            gender = _told(kind, _GENDER_WORDS) or "neutral"
        said = f"{personality.tagline} {personality.character} {personality.speaking_style}"
        return cls(
            language=personality.language,
            gender=gender,
            age=_told(wanted, _AGE_WORDS) or personality.age,
            asked=frozenset(wanted),
            kind=frozenset(kind),
            said=frozenset(words(said[:2_000])),
            mood=personality.mood.value,
            who=f"{personality.name}/{personality.kind}/{seed or ''}",
        )

    @classmethod
    def described(cls, description: str, *, language: str = "", seed: int = 0) -> Part:
        """The part of somebody of whom there is only a description.

        Args:
            description: any text.
            language: BCP 47 tag; that of the description where it is empty.
            seed: breaks ties.
        """
        from personas.improvised import guess_age, guess_gender, guess_mood
        from personas.subject import find_subject

        subject = find_subject(description)
        mood = guess_mood(description)
        return cls(
            language=language or language_of(description),
            gender=guess_gender(description),
            age=guess_age(description),
            kind=frozenset(words(subject.head)) if subject else frozenset(),
            traits=frozenset(words(" ".join(subject.modifiers))) if subject else frozenset(),
            said=frozenset(words(description[:2_000])),
            mood=mood.value if mood else "",
            who=f"{description[:200]}/{seed or ''}",
        )


_Trait = TypeVar("_Trait", bound=str)


def _told(wanted: list[str], traits: Mapping[str, _Trait]) -> _Trait | None:
    return next((traits[word] for word in wanted if word in traits), None)


def words(text: str) -> list[str]:
    """The words of a text, in lower case and plain letters."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z0-9]+", plain)
