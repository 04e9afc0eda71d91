"""Who an engine's preset is: what the catalogue knows of a voice, as a service needs it."""

from __future__ import annotations

from dataclasses import dataclass

from personas.languages import language_of
from personas.persona import Gender, Voice
from personas.voices import Effect, VoiceCatalogue, VoicePreset, load_voices
from personas.voices.tags import ANY, primary

_HERTZ = {"female": 205.0, "male": 115.0, "neutral": 165.0}
_CHILD_HERTZ = 275.0


@dataclass(frozen=True)
class Speaker:
    """Whom a service is asked to speak as.

    Attributes:
        name: as the service knows it.
        language: BCP 47 tag of what is said.
        gender: of the speaker by nature, whatever part it plays.
        hertz: roughly its own pitch.
        effect: what is added to the voice.
        manner: a few words on how it should sound.
    """

    name: str
    language: str
    gender: Gender
    hertz: float
    effect: Effect
    manner: str


class Speakers:
    """The speakers of one engine, by the presets of the catalogue."""

    def __init__(self, engine: str, default: str, voices: VoiceCatalogue | None = None) -> None:
        presets = [p for p in (voices or load_voices()).presets() if p.engine == engine]
        self._presets = {preset.name: preset for preset in presets}
        self._default = default
        self._natural: dict[str, VoicePreset] = {}
        for preset in presets:
            if preset.pitch == preset.formant == 1.0 and preset.effect == "none":
                self._natural.setdefault(preset.speaker, preset)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of all speakers, each once."""
        tags = {primary(preset.language) for preset in self._presets.values()}
        return tuple(sorted(tags)) or ("en",)

    def of(self, voice: Voice, text: str) -> Speaker:
        """Who speaks; a preset that is not in the catalogue is the default speaker.

        Args:
            voice: whose preset is looked up.
            text: what is going to be said: it tells the language where the speaker knows many.
        """
        preset = self._presets.get(voice.preset)
        name = preset.speaker if preset and preset.speaker else self._default
        natural = self._natural.get(name, preset)
        tag = preset.language if preset else ANY
        gender: Gender = natural.gender if natural else "female"
        is_child = natural is not None and natural.age == "child"
        return Speaker(
            name=name,
            language=language_of(text) if tag == ANY else tag,
            gender=gender,
            hertz=_CHILD_HERTZ if is_child else _HERTZ[gender],
            effect=preset.effect if preset else "none",
            manner=_manner(preset) if preset else "",
        )


def _manner(preset: VoicePreset) -> str:
    return f"{preset.description}; {', '.join(preset.tone)}"
