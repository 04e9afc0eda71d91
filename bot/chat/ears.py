"""Ears: what was said in a voice message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.chat.base import Sound
from engine.observing import NOBODY, Observer
from engine.stopwatch import Stopwatch
from personas.errors import InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from engine.hearing.base import SpeechRecognizer


class Ears:
    """Listens to voice messages.

    Args:
        recognizer: writes down what is said; None where nobody can.
        max_seconds: longest recording.
        max_bytes: largest recording.
        observer: told how long it took.
    """

    def __init__(
        self,
        recognizer: SpeechRecognizer | None,
        max_seconds: float,
        max_bytes: int,
        *,
        observer: Observer = NOBODY,
    ) -> None:
        self._observer = observer
        self._recognizer = recognizer
        self._max_seconds = max_seconds
        self._max_bytes = max_bytes

    async def understand(self, sound: Sound, language: str) -> str:
        """What is said in a recording. One that is too long is not even fetched.

        Args:
            sound: the recording.
            language: BCP 47 tag of what is likely spoken; something else is noticed.

        Raises:
            ChatAnythingError: nothing was understood; says why.
        """
        if self._recognizer is None:
            raise UnavailableError("I cannot listen to recordings here. Please write to me.")
        if sound.seconds > self._max_seconds or sound.size > self._max_bytes:
            raise InvalidInputError(
                f"This recording is too long; I listen for {_minutes(self._max_seconds)} at most."
            )
        data = await sound.fetch()
        device = "" if self._recognizer.online else "cpu"
        with Stopwatch(self._observer).stage("hearing", device):
            transcript = await asyncio.to_thread(self._recognizer.transcribe, data, language)
        return transcript.text


def _minutes(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes"
