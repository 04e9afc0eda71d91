"""A recognizer that hears what a test says it hears."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.hearing.base import HeardWord, NothingHeardError, SpeechRecognizer, Transcript
from personas.errors import ChatAnythingError, InvalidInputError


@dataclass
class FakeRecognizer:
    """Hears `text` in every recording, nothing in one without bytes; or fails with `error`.

    Attributes:
        text: what is said in every recording.
        language: in which language.
        seconds: how long each one is.
        error: raised instead.
        heard: the recordings and the languages that were expected, in order.
    """

    text: str = "Hello there, old friend."
    language: str = "en"
    seconds: float = 2.0
    error: ChatAnythingError | None = None
    heard: list[tuple[bytes, str | None]] = field(default_factory=list)
    name: str = "fake"
    online: bool = False

    def warm_up(self) -> None:
        if self.error is not None:
            raise self.error

    def transcribe(self, data: bytes, language: str | None = None) -> Transcript:
        self.heard.append((data, language))
        if self.error is not None:
            raise self.error
        if not data:
            raise InvalidInputError("This recording is empty.")
        if not self.text:
            raise NothingHeardError("I hear nobody speak in this recording.")
        words = self.text.split()
        step = self.seconds / len(words)
        timed = tuple(HeardWord(w, n * step, (n + 1) * step) for n, w in enumerate(words))
        return Transcript(self.text, self.language, timed, self.seconds)


_: SpeechRecognizer = FakeRecognizer()
