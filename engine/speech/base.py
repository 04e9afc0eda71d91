"""SpeechSynthesizer: text and a voice in, samples and timed phonemes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from personas.persona import Voice


@dataclass(frozen=True)
class TimedPhoneme:
    """One phoneme, in IPA without stress marks; an empty symbol is a pause. Seconds."""

    symbol: str
    start: float
    end: float
    stressed: bool = False


@dataclass(frozen=True)
class TimedWord:
    """One word as it was spoken. Seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Cue:
    """A stage direction such as *smiles*: not read aloud, it may steer the face. Seconds."""

    action: str
    time: float


@dataclass(frozen=True)
class Speech:
    """Something said.

    Attributes:
        samples: [n] float32 mono, -1 to 1.
        sample_rate: Hz.
        phonemes: without gaps from 0 to the end of the samples.
        words: in order; may be empty where the engine knows no words.
        text: what was spoken, as it would be written.
        cues: stage directions, by the time at which they stand in the text.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    phonemes: tuple[TimedPhoneme, ...]
    words: tuple[TimedWord, ...]
    text: str
    cues: tuple[Cue, ...] = ()

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True)
class SpeechCapabilities:
    """What an engine can do; the engine room chooses by these words.

    Attributes:
        languages: BCP 47 tags it speaks; "mul" is every language.
        phoneme_timing: whether it knows when each phoneme sounds.
        word_timing: likewise words.
        online: whether what is said leaves this machine.
        natural: whether it sounds like somebody; one that does not speaks only where no other can.
        device: what it keeps busy, for the accounts: cpu, cuda; nothing here where it is online.
    """

    languages: tuple[str, ...]
    phoneme_timing: bool
    word_timing: bool
    online: bool
    natural: bool = True
    device: str = "cpu"


class SpeechSynthesizer(Protocol):
    """Speaks. Synchronous and safe to call from several threads."""

    @property
    def name(self) -> str:
        """The engine, as `Voice.engine` names it."""

    @property
    def capabilities(self) -> SpeechCapabilities:
        """What it can do."""

    def warm_up(self) -> None:
        """Does now what the first speech would wait for. Safe to call at any time, and often.

        Raises:
            UnavailableError: the engine cannot run here.
        """

    def synthesize(self, text: str, voice: Voice) -> Speech:
        """Says `text`, as a persona wrote it, in `voice`.

        Raises:
            InvalidInputError: there is nothing in the text that can be spoken.
            UnavailableError: the engine cannot run here or does not answer.
        """
