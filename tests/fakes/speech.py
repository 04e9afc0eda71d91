"""A synthesizer that hums: one tone a letter, with honest timings."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import sleep

import numpy as np

from engine.speech.base import Speech, SpeechCapabilities, TimedPhoneme, TimedWord
from personas.errors import InvalidInputError
from personas.persona import Voice


@dataclass
class HummingSynthesizer:
    """A SpeechSynthesizer. `failures` are raised first, one a call."""

    seconds_a_word: float = 0.1
    failures: list[Exception] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    name: str = "hum"
    warmed: int = 0
    languages: tuple[str, ...] = ("en",)
    online: bool = False
    natural: bool = True
    device: str = "cpu"
    pause: float = 0.0

    @property
    def capabilities(self) -> SpeechCapabilities:
        return SpeechCapabilities(
            languages=self.languages,
            phoneme_timing=True,
            word_timing=True,
            online=self.online,
            natural=self.natural,
            device=self.device,
        )

    def warm_up(self) -> None:
        self.warmed += 1

    def synthesize(self, text: str, voice: Voice) -> Speech:
        if self.failures:
            raise self.failures.pop(0)
        words = [word for word in text.split() if any(c.isalnum() for c in word)][:8]
        if not words:
            raise InvalidInputError("There is nothing in this text that can be spoken.")
        self.spoken.append(text)
        sleep(self.pause)
        rate, length = 8_000, self.seconds_a_word
        time = np.arange(int(rate * length * len(words)), dtype=np.float32) / rate
        spans = [(i * length, (i + 1) * length) for i in range(len(words))]
        return Speech(
            samples=(0.3 * np.sin(2 * np.pi * 200 * voice.pitch * time)).astype(np.float32),
            sample_rate=rate,
            phonemes=tuple(TimedPhoneme("m", start, end) for start, end in spans),
            words=tuple(
                TimedWord(word, start, end) for word, (start, end) in zip(words, spans, strict=True)
            ),
            text=" ".join(words),
        )
