"""SpeechRecognizer: a recording in, what was said out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from personas.errors import InvalidInputError


@dataclass(frozen=True)
class HeardWord:
    """One word as it was heard. Seconds from the start of the recording."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Transcript:
    """What was said in a recording.

    Attributes:
        text: with the punctuation that the recognizer gave it; never empty.
        language: BCP 47 tag of the language that was spoken.
        words: in order; empty where the recognizer does not time them.
        duration: of the recording, seconds.
    """

    text: str
    language: str
    words: tuple[HeardWord, ...]
    duration: float


class NothingHeardError(InvalidInputError):
    """The recording is sound, but nobody speaks in it."""


class SpeechRecognizer(Protocol):
    """Listens. Synchronous and safe to call from several threads: they may have to take turns."""

    @property
    def name(self) -> str:
        """The backend and its model, for records."""

    @property
    def online(self) -> bool:
        """Whether recordings leave this machine."""

    def warm_up(self) -> None:
        """Does now what the first recording would wait for. Safe to call at any time, and often.

        Raises:
            UnavailableError: the recognizer cannot run here.
        """

    def transcribe(self, data: bytes, language: str | None = None) -> Transcript:
        """Writes down what is said in a recording.

        Args:
            data: a file of any kind that people send: Ogg, MP4, M4A, MP3, WAV, WebM, FLAC; of a
                video only the sound is looked at.
            language: the BCP 47 tag of the language that is spoken, where it is known; otherwise
                it is found out.

        Raises:
            InvalidInputError: the file is too large, too long, damaged, or without sound.
            NothingHeardError: nobody speaks in it.
            UnavailableError: the recognizer cannot run here or does not answer.
        """
