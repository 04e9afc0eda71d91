"""What a voice sounds like, in figures: pitch, formants, and how well it is understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.speech.base import Speech, SpeechSynthesizer
from engine.speech.pitch import melody_of
from personas.persona import Voice
from personas.voices import VoicePreset

Samples = NDArray[np.float32]
Hear = Callable[[Samples, int], str]
"""Samples and their rate in, the words that were understood out."""

SENTENCES = (
    "Please bring me three cups of tea and a slice of chocolate cake.",
    "It was a dark and stormy night, and the ship could not find the harbor.",
    "We walked along the beach until the sun went down behind the hills.",
    "My brother keeps a small garden with beans, onions and yellow flowers.",
    "The train was late again, so we waited in a cold and empty station.",
    "She opened the old wooden box and found a letter from her mother.",
    "If you listen closely, you can hear the owls talking in the forest.",
    "The children laughed when the clown dropped his hat into the water.",
    "He painted the kitchen door green and the window frames white.",
    "A good book and a warm blanket are all I need this evening.",
    "The doctor told him to rest, drink water and sleep for a week.",
    "Nobody knows why the clock in the tower stopped that morning.",
    "They sailed around the island twice before the wind changed.",
    "Could you show me the shortest way to the market square?",
    "The cat jumped onto the table and knocked over a glass of milk.",
    "In winter the lake freezes, and people skate from shore to shore.",
    "I always forget where I put my keys, my phone and my glasses.",
    "The teacher asked a simple question, but the room was silent.",
    "Fresh bread smells better than any perfume in the world.",
    "Thank you for coming, my friends, and have a safe journey home.",
)
"""Everyday sentences without names and numbers, with every sound of English."""

_RATE = 11_000
_FRAME, _STEP = 330, 165
_ORDER = 12
_WIDEST = 420.0
_LOWEST, _HIGHEST = 180.0, 5_000.0
_HIGHEST_FIRST = 1_000.0
_WINDOW_SECONDS = 27.0
"""A recogniser of this kind hears half a minute at once."""
_BETWEEN_SECONDS = 0.5


@dataclass(frozen=True)
class VoiceFigures:
    """One voice, measured; `dataclasses.asdict` makes JSON of it.

    Attributes:
        voice: the preset.
        engine: who speaks it.
        language: BCP 47 tag.
        hertz: median pitch; None of a voice without a tone.
        formants: medians of the first three resonances of the voiced parts, in Hz.
        word_error: share of words that a recogniser got wrong, over all sentences; None where
            nobody listened.
        sentences: how many were spoken.
        seconds: of speech.
    """

    voice: str
    engine: str
    language: str
    hertz: float | None
    formants: tuple[float, ...]
    word_error: float | None
    sentences: int
    seconds: float


def figures_of(
    synthesizer: SpeechSynthesizer,
    preset: VoicePreset,
    sentences: Sequence[str] = SENTENCES,
    hear: Hear | None = None,
) -> VoiceFigures:
    """Lets a voice speak, without any persona's variation, and measures it.

    Args:
        synthesizer: speaks it.
        preset: the voice.
        sentences: what it says.
        hear: writes down what was said.

    Raises:
        ChatAnythingError: the engine cannot speak it.
    """
    voice = plain_voice(preset)
    said: list[tuple[str, Speech]] = []
    seconds = 0.0
    pitches: list[float] = []
    resonances: list[NDArray[np.float64]] = []
    for sentence in sentences:
        speech = synthesizer.synthesize(sentence, voice)
        seconds += speech.duration
        melody = melody_of(speech.samples, speech.sample_rate)
        has_tone = bool(melody.voiced.mean() > 0.15)
        if has_tone:
            pitches.append(melody.middle)
        high = melody.middle if has_tone else 0.0
        resonances.append(formants(speech.samples, speech.sample_rate, high))
        said.append((sentence, speech))
    wrong, total = _mistakes(said, hear) if hear is not None else (0, 0)
    found = np.concatenate(resonances)
    return VoiceFigures(
        voice=preset.name,
        engine=preset.engine,
        language=preset.language,
        hertz=round(float(np.median(pitches)), 1) if len(pitches) > len(sentences) / 2 else None,
        formants=tuple(np.round(np.median(found, axis=0)).tolist()) if len(found) else (),
        word_error=round(wrong / total, 4) if total else None,
        sentences=len(sentences),
        seconds=round(seconds, 1),
    )


def plain_voice(preset: VoicePreset) -> Voice:
    """The preset itself, without a seed's variation."""
    keys = ("engine", "pitch", "formant", "breath", "range", "rate")
    return Voice(preset=preset.name, **{key: getattr(preset, key) for key in keys})


def formants(samples: Samples, sample_rate: int, pitch: float = 0.0) -> NDArray[np.float64]:
    """The first three resonances of each strong frame, by linear prediction.

    Args:
        samples: [n] float32 mono.
        sample_rate: Hz.
        pitch: of the voice in Hz; a high voice has a short throat and high resonances.

    Returns:
        [frames, 3] Hz.
    """
    size = min(max(pitch / 220.0, 1.0), 1.5)
    sound = _resampled(samples, sample_rate, round(_RATE * size))
    sound = np.append(sound[:1], sound[1:] - 0.97 * sound[:-1])
    if len(sound) < _FRAME:
        return np.zeros((0, 3))
    frames = np.lib.stride_tricks.sliding_window_view(sound, _FRAME)[::_STEP]
    power = (frames**2).mean(axis=1)
    # vowels are the strongest frames, and consonants say little about the throat
    frames = frames[power > 0.15 * np.quantile(power, 0.98)] * np.hamming(_FRAME)
    found = []
    for frame in frames:
        places = [place * size for place in _resonances(frame)]
        # where the first is missing, the others would be taken for it
        if len(places) >= 3 and places[0] < _HIGHEST_FIRST * size:
            found.append(places[:3])
    return np.array(found).reshape(-1, 3)


def _resonances(frame: NDArray[np.float64]) -> list[float]:
    """The resonances of a frame at the rate of `_RATE`."""
    correlation = np.correlate(frame, frame, "full")[_FRAME - 1 : _FRAME + _ORDER]
    if correlation[0] <= 0:
        return []
    correlation[0] *= 1.0001
    lags = np.abs(np.subtract.outer(np.arange(_ORDER), np.arange(_ORDER)))
    prediction = np.linalg.solve(correlation[lags], correlation[1:])
    roots = np.roots(np.concatenate([[1.0], -prediction]))
    roots = roots[np.imag(roots) > 0]
    hertz = np.angle(roots) * _RATE / (2 * np.pi)
    width = -np.log(np.abs(roots)) * _RATE / np.pi
    good = (width < _WIDEST) & (hertz > _LOWEST) & (hertz < _HIGHEST)
    return sorted(hertz[good].tolist())


def _mistakes(said: Sequence[tuple[str, Speech]], hear: Hear) -> tuple[int, int]:
    """Words understood wrongly, and all words; several sentences are heard at once."""
    wrong = total = 0
    waiting: list[tuple[str, Speech]] = []

    def listen() -> None:
        nonlocal wrong, total
        if not waiting:
            return
        rate = waiting[0][1].sample_rate
        silence = np.zeros(round(_BETWEEN_SECONDS * rate), np.float32)
        pieces = [part for _, speech in waiting for part in (speech.samples, silence)]
        words = [word for sentence, _ in waiting for word in plain_words(sentence)]
        wrong += word_errors(words, plain_words(hear(np.concatenate(pieces), rate)))
        total += len(words)
        waiting.clear()

    for sentence, speech in said:
        length = sum(one.duration + _BETWEEN_SECONDS for _, one in waiting)
        if length + speech.duration > _WINDOW_SECONDS:
            listen()
        waiting.append((sentence, speech))
    listen()
    return wrong, total


def _resampled(samples: Samples, sample_rate: int, rate: int) -> NDArray[np.float64]:
    """At a lower rate, with what lies above half of it taken away."""
    spectrum = np.fft.rfft(samples.astype(np.float64))
    count = int(len(samples) * rate / sample_rate)
    kept = spectrum[: count // 2 + 1]
    return np.fft.irfft(kept, count) * count / max(len(samples), 1)


def plain_words(text: str) -> list[str]:
    """Lower-case words without punctuation, in American spelling where it differs here."""
    text = text.lower().replace("harbour", "harbor").replace("grey", "gray")
    return re.findall(r"[a-z']+", text)


def word_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words that were replaced, left out or added: the edit distance."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, 1):
        before, row[0] = row[0], number
        for column, other in enumerate(heard, 1):
            before, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, before + (word != other)),
            )
    return row[-1]
