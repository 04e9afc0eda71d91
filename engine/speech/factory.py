"""From settings to the synthesizer that speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.speech.base import SpeechSynthesizer
from engine.speech.settings import SpeechSettings
from personas.errors import NotFoundError


def _hibari(settings: SpeechSettings) -> SpeechSynthesizer:
    from engine.speech.hibari import HibariSynthesizer

    return HibariSynthesizer(settings)


_ENGINES: Mapping[str, Callable[[SpeechSettings], SpeechSynthesizer]] = {
    "hibari": _hibari,
}


def open_synthesizer(settings: SpeechSettings | None = None) -> SpeechSynthesizer:
    """The synthesizer that the settings ask for. Cheap: models load with the first speech.

    Raises:
        NotFoundError: there is no such engine.
    """
    settings = settings or SpeechSettings()
    try:
        make = _ENGINES[settings.engine]
    except KeyError:
        known = ", ".join(_ENGINES)
        raise NotFoundError(
            f"There is no speech engine called “{settings.engine}”. There are: {known}."
        ) from None
    return make(settings)
