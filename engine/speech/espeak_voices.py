"""Voices of eSpeak NG: which language it reads, and a voice file shaped for one persona.

eSpeak makes speech from formants, and a voice file says where they lie, how high the pitch is and
how much breath and flutter there is. So a voice is shaped in its file, before there is sound, and
nothing is stretched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.speech.espeak_library import EspeakLibrary
from personas.errors import NotFoundError
from personas.persona import Voice
from personas.voices import Effect

LANGUAGES = tuple(
    re.findall(
        r"\S+",
        """
    af am an ar as az ba be bg bn bs ca cmn cs cv cy da de el en eo es et eu fa fi fo fr ga gd gn
    gu hak haw he hi hr ht hu hy ia id io is it ka kaa kk kl kn ko kok ku ky la lb lfn lt ltg lv
    mi mk ml mr ms mt my nb ne nl nn no nog om or pa pap pl pt qu quc ro ru sd shn si sk sl smj
    sq sr sv sw ta te ti tk tn tr tt ug uk ur uz vi yue zh
    """,
    )
)
"""Languages that can be followed. Of Japanese it knows no kanji, of Thai hardly a word."""

_ALIASES = {
    "en": "en-us", "nn": "nb", "iw": "he", "in": "id", "sh": "hbs", "mo": "ro", "zh-hk": "yue",
    "zh-yue": "yue", "zh-hant-hk": "yue", "ckb": "ku", "kmr": "ku", "arb": "ar", "pes": "fa",
    "cmn-hans": "cmn", "cmn-hant": "cmn", "es-us": "es-419", "es-ar": "es-419", "es-co": "es-419",
    "en-au": "en-gb", "en-nz": "en-gb", "en-ie": "en-gb", "en-za": "en-gb", "en-in": "en-gb",
}  # fmt: skip
_NOT_FOR_VARIANTS = frozenset({"name", "language", "gender", "age"})
_LOWEST = 0
_FORMANTS = range(1, 9)
_USUAL_PITCH = (82.0, 118.0)
_BREATH = (75, 75, 50, 40, 15, 10)
_BREATH_WIDTH = (150, 150, 200, 200, 400, 400)
_VOICE_LEFT_OF_A_WHISPER = 0.1
_CONSONANTS = 150.0
"""How strong the noise of consonants is at least, in percent of what the library has by itself:
weaker, and a recogniser takes b, d and v for m and n."""
_LOW_TONE = 1.5
"""How much stronger than in a variant the lowest resonance is, the body of the voice. The variants
of women have less of it than those of men, and less of it is harder to understand."""


@dataclass(frozen=True)
class Speaker:
    """Who reads: a tag of the library's own, and the name of a variant of the voice."""

    language: str
    variant: str = ""

    @property
    def is_english(self) -> bool:
        """Whether it reads English."""
        return self.language.partition("-")[0] == "en"


def find_speaker(library: EspeakLibrary, name: str, language: str = "en") -> Speaker:
    """The speaker called `name`, such as `de+f3`, `f3` or `de`.

    Args:
        library: knows which there are.
        name: a language and, after a plus sign, a variant. Where it is empty or only a variant,
            `language` is read.
        language: a BCP 47 tag.

    Raises:
        NotFoundError: there is no such language or variant.
    """
    tag, _, variant = name.strip().partition("+")
    if tag and not variant and _variant_file(library, tag):
        tag, variant = "", tag
    if variant and not _variant_file(library, variant):
        raise NotFoundError(f"The engine espeak has no variant called “{variant[:40]}”.")
    return Speaker(find_language(library, tag or language), variant)


def find_language(library: EspeakLibrary, tag: str) -> str:
    """The library's own tag for a BCP 47 tag: the same or a more general one.

    Raises:
        NotFoundError: it does not read this language.
    """
    parts = tag.strip().lower().replace("_", "-").split("-")
    for count in range(len(parts), 0, -1):
        general = "-".join(parts[:count])
        found = _ALIASES.get(general, general)
        if found in library.voices:
            return found
    raise NotFoundError(f"The engine espeak does not read the language “{tag.strip()[:40]}”.")


def voice_file(
    library: EspeakLibrary, speaker: Speaker, voice: Voice, effect: Effect = "none"
) -> str:
    """The contents of a voice file: the language, the variant, and the shaping on top of it.

    The rate is no part of it.
    """
    lines = _lines(library.data / "lang" / library.voices[speaker.language])
    variant = _variant_file(library, speaker.variant)
    if variant:
        lines += [line for line in _lines(variant) if line.split()[0] not in _NOT_FOR_VARIANTS]
    settings = {" ".join(line.split()[: 2 if line.startswith("formant") else 1]): line
                for line in lines}  # fmt: skip
    return "\n".join([*lines, *_shaping(settings, voice, effect)]) + "\n"


def _shaping(settings: Mapping[str, str], voice: Voice, effect: Effect) -> list[str]:
    """Lines that stand after all others and so overrule them."""
    low, high = (_numbers(settings.get("pitch", "")) + list(_USUAL_PITCH))[:2]
    middle, half = (low + high) / 2 * voice.pitch, (high - low) / 2 * voice.pitch * voice.range
    lines = [f"pitch {round(max(middle - half, 10))} {round(max(middle + half, 11))}"]
    lines += _throat(settings, voice.formant)
    # where only one strength is given, it holds for both kinds of consonants
    noise = (_numbers(settings.get("consonants", "")) * 2 or [0.0, 0.0])[:2]
    lines.append("consonants " + " ".join(str(round(max(one, _CONSONANTS))) for one in noise))
    if voice.breath > 0:
        lines.append("breath " + " ".join(str(round(v * voice.breath)) for v in _BREATH))
        lines.append("breathw " + " ".join(map(str, _BREATH_WIDTH)))
        own = (_numbers(settings.get("voicing", "")) or [100])[0]
        left = 1 - (1 - _VOICE_LEFT_OF_A_WHISPER) * voice.breath**1.5
        lines.append(f"voicing {round(own * left)}")
    if effect == "tremor":
        lines.append("flutter 40")
    elif effect == "growl":
        lines.append("roughness 7")
    return lines


def _throat(settings: Mapping[str, str], ratio: float) -> list[str]:
    """The resonances at `ratio` of where they lie, and the lowest of them stronger."""
    lines = []
    for number in (_LOWEST, *_FORMANTS) if ratio != 1 else (_LOWEST,):
        found = _numbers(settings.get(f"formant {number}", "")) or [0.0, 100.0, 100.0, 100.0]
        _, place, height, *rest = found
        strength = _LOW_TONE if number == _LOWEST else 1.0
        values = [place * ratio, height * strength, *rest]
        lines.append(f"formant {number} " + " ".join(str(round(value)) for value in values))
    return lines


def _variant_file(library: EspeakLibrary, name: str) -> Path | None:
    path = library.data / "voices" / "!v" / name
    return path if re.fullmatch(r"[\w-]+( \w+)?", name) and path.is_file() else None


def _lines(path: Path) -> list[str]:
    """What is said in a voice file, without comments."""
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = [line.partition("//")[0].strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _numbers(line: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+", line)]
