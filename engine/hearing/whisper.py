"""Whisper on this machine, by faster-whisper. The package and the model load on first use."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from engine.hearing.base import HeardWord, NothingHeardError, Transcript
from engine.hearing.doubts import believable
from engine.hearing.languages import whisper_tag
from engine.hearing.recording import SAMPLE_RATE, Sound, read_recording
from engine.hearing.settings import HearingSettings
from personas.errors import UnavailableError

log = logging.getLogger(__name__)

_SURE = 0.7
"""How sure the model must be of a language to contradict the one that was expected."""
_PAUSE_MS = 500
"""Silence in milliseconds that ends a stretch of speech."""
_TEMPERATURES = (0.0, 0.4)
"""Tried in turn where the words are improbable; whisper's own six can take a minute of noise."""


class WhisperRecognizer:
    """A `SpeechRecognizer`. One model for all threads, which take turns.

    Args:
        model: its name, for records.
        folder: gives the model's folder, or raises what says how to get it.
        settings: limits, threads, language.
    """

    def __init__(self, model: str, folder: Callable[[], Path], settings: HearingSettings) -> None:
        self._name = model
        self._folder = folder
        self._settings = settings
        self._turn = threading.Lock()
        self._model: Any = None

    @property
    def name(self) -> str:
        """The model, as the catalogue names it."""
        return self._name

    @property
    def online(self) -> bool:
        """Nothing leaves this machine."""
        return False

    def warm_up(self) -> None:
        """Loads the model.

        Raises:
            UnavailableError: the package or the model is missing.
        """
        with self._turn:
            self._load()

    def transcribe(self, data: bytes, language: str | None = None) -> Transcript:
        """Writes down what is said; `language` is what to expect, other languages are noticed.

        Raises:
            InvalidInputError: too large, too long, damaged, without sound.
            NothingHeardError: nobody speaks.
            UnavailableError: the package or the model is missing, or it failed.
        """
        settings = self._settings
        sound = read_recording(data, max_seconds=settings.max_seconds, max_bytes=settings.max_bytes)
        with self._turn:
            model = self._load()
            try:
                return self._listen(model, sound, language)
            except (RuntimeError, ValueError, MemoryError) as error:
                raise UnavailableError(
                    "I could not listen to this recording. Try again; if it keeps happening, "
                    "the log says why."
                ) from error

    def _listen(self, model: Any, sound: Sound, expected: str | None) -> Transcript:
        spoken, when = _without_pauses(sound)
        segments, info = model.transcribe(
            spoken,
            language=self._language(model, spoken, expected),
            beam_size=2,
            temperature=_TEMPERATURES,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        kept = list(_believed(segments))
        text = " ".join(segment.text.strip() for segment in kept)
        if not text:
            raise NothingHeardError("I cannot make out a word in this recording.")
        words = tuple(
            HeardWord(word.word.strip(), when(word.start), when(word.end))
            for segment in kept
            for word in segment.words or ()
        )
        return Transcript(text, info.language, words, len(sound) / SAMPLE_RATE)

    def _language(self, model: Any, spoken: Sound, expected: str | None) -> str:
        """The language to listen for, as whisper names it."""
        known = set(model.supported_languages)
        if len(known) == 1:
            return str(next(iter(known)))
        if (fixed := whisper_tag(self._settings.language)) in known:
            return fixed
        heard, sure = model.language_of(spoken)
        hint = whisper_tag(expected)
        return str(hint if hint in known and sure < _SURE else heard)

    def _load(self) -> Any:
        if self._model is None:
            folder = self._folder()
            try:
                from engine.hearing.ears import Ears
            except ImportError as error:
                raise UnavailableError(
                    'Listening needs one more package: pip install "chatanything[hearing]"'
                ) from error
            try:
                self._model = Ears(folder, self._settings.threads)
            except Exception as error:
                raise UnavailableError(
                    f"The model '{self._name}' cannot be loaded. `chatanything models verify "
                    f"{self._name}` checks it."
                ) from error
        return self._model


def _without_pauses(sound: Sound) -> tuple[Sound, Callable[[float], float]]:
    """Only the stretches in which somebody speaks, and what turns their time into the recording's.

    Raises:
        NothingHeardError: there are none.
    """
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    found = get_speech_timestamps(sound, VadOptions(min_silence_duration_ms=_PAUSE_MS))
    if not found:
        raise NothingHeardError("I hear nobody speak in this recording.")
    stretches = [(int(part["start"]), int(part["end"])) for part in found]
    joined = np.concatenate([sound[start:end] for start, end in stretches])
    starts = np.array([start for start, _ in stretches])
    offsets = np.concatenate([[0], np.cumsum([end - start for start, end in stretches])[:-1]])

    def when(seconds: float) -> float:
        at = seconds * SAMPLE_RATE
        stretch = max(0, int(np.searchsorted(offsets, at, side="right")) - 1)
        inside = at - offsets[stretch]
        return float(min(starts[stretch] + inside, len(sound)) / SAMPLE_RATE)

    return joined, when


def _believed(segments: Iterable[Any]) -> Iterable[Any]:
    """The segments that were said, not made up."""
    for segment in segments:
        if believable(
            segment.text,
            no_speech=segment.no_speech_prob,
            log_probability=segment.avg_logprob,
            compression=segment.compression_ratio,
        ):
            yield segment
        else:
            log.info("left out as improbable: %.0f to %.0f s", segment.start, segment.end)
