"""Visemes: what the mouth does for each phoneme, and how they run into one another.

Each phoneme aims the mouth at one or two targets. A target says for every muscle where it wants
it and how much it cares: a `b` insists on closed lips and leaves their width to its neighbours, a
`k` cares for little. The tracks are the targets' mean, weighted by that care, over a window that
reaches further ahead than back: lips prepare for a sound before it is heard. Where a sound cannot
be made otherwise (lips closed on p, b and m, teeth on the lip for f and v) it is then enforced.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.speech.base import Speech, TimedPhoneme
from engine.talkinghead.voice import Loudness

Floats = NDArray[np.float32]

MUSCLES: Final = ("jaw", "wide", "pucker", "teeth", "tongue", "press")
"""The columns of the tracks, named as in `FacePose`."""

RATE: Final = 200
"""Samples a second at which tracks are planned."""

LEAD: Final = 0.03
"""Seconds the whole mouth is ahead of the sound, besides what the window looks ahead."""

_REACH_AHEAD: Final = 0.045
_REACH_BACK: Final = 0.035
"""Seconds: standard deviations of the two halves of the window."""

_HOLD: Final = 0.044
"""Seconds a closure is held at least: a little over a frame, so that one always shows it."""


@dataclass(frozen=True)
class Viseme:
    """A target of the mouth. `care` is how strongly the lips insist, against 1 for a vowel."""

    jaw: float = 0.0
    wide: float = 0.0
    pucker: float = 0.0
    teeth: float = 0.0
    tongue: float = 0.0
    press: float = 0.0
    care: float = 1.0
    jaw_care: float = 1.0
    is_vowel: bool = False


VISEMES: Final[dict[str, Viseme]] = {
    "rest": Viseme(care=1.2, jaw_care=1.6),
    "pp": Viseme(press=1.0, care=0.3, jaw_care=2.0),
    "ff": Viseme(jaw=0.12, wide=0.15, teeth=1.0, care=0.6, jaw_care=1.6),
    "th": Viseme(jaw=0.24, wide=0.1, tongue=1.0, care=0.4, jaw_care=1.1),
    "dd": Viseme(jaw=0.17, wide=0.12, tongue=0.4, care=0.25, jaw_care=1.0),
    "ll": Viseme(jaw=0.32, wide=0.1, tongue=0.9, care=0.3, jaw_care=0.8),
    "kk": Viseme(jaw=0.26, care=0.15, jaw_care=0.6),
    "ss": Viseme(jaw=0.1, wide=0.5, care=0.6, jaw_care=1.5),
    "ch": Viseme(jaw=0.18, wide=-0.4, pucker=0.75, care=1.1, jaw_care=1.4),
    "rr": Viseme(jaw=0.26, wide=-0.3, pucker=0.45, care=0.7, jaw_care=0.8),
    "hh": Viseme(jaw=0.34, care=0.1, jaw_care=0.4),
    "ww": Viseme(jaw=0.14, wide=-0.85, pucker=0.95, care=1.5, jaw_care=1.3),
    "yy": Viseme(jaw=0.18, wide=0.65, care=0.7, jaw_care=0.9),
    "aa": Viseme(jaw=0.95, wide=0.08, is_vowel=True),
    "ae": Viseme(jaw=0.8, wide=0.5, is_vowel=True),
    "eh": Viseme(jaw=0.56, wide=0.4, is_vowel=True),
    "ih": Viseme(jaw=0.36, wide=0.45, is_vowel=True),
    "ee": Viseme(jaw=0.27, wide=0.95, is_vowel=True),
    "ah": Viseme(jaw=0.42, wide=0.05, care=0.7, jaw_care=0.8, is_vowel=True),
    "er": Viseme(jaw=0.36, wide=-0.35, pucker=0.45, is_vowel=True),
    "ao": Viseme(jaw=0.74, wide=-0.5, pucker=0.4, is_vowel=True),
    "oh": Viseme(jaw=0.52, wide=-0.65, pucker=0.6, is_vowel=True),
    "uh": Viseme(jaw=0.34, wide=-0.5, pucker=0.55, is_vowel=True),
    "oo": Viseme(jaw=0.24, wide=-0.9, pucker=0.95, care=1.3, is_vowel=True),
}

_SOUNDS: Final[dict[str, str]] = {
    "pp": "p b m ɓ",
    "ff": "f v ɱ ɸ β ʋ",
    "th": "θ ð",
    "dd": "t d n ɾ ʔ ɖ ʈ ɳ ɗ",
    "ll": "l ɫ ʎ ɬ ɭ",
    "kk": "k g ɡ ŋ x ɣ q χ ħ ʕ ɢ",
    "ss": "s z ɕ ʑ ts dz",
    "ch": "ʃ ʒ tʃ dʒ ʧ ʤ ʂ ʐ",
    "rr": "r ɹ ʁ ʀ ɻ ɽ",
    "hh": "h ɦ",
    "ww": "w ɥ ʍ",
    "yy": "j ç ɲ",
    "aa": "a ɑ ɐ ʌ ä",
    "ae": "æ",
    "eh": "ɛ e ɜ",
    "ih": "ɪ ɨ ᵻ",
    "ee": "i",
    "ah": "ə ɘ",
    "er": "ɚ ɝ ɵ œ ø",
    "ao": "ɔ ɒ",
    "oh": "o ɤ",
    "uh": "ʊ ʉ",
    "oo": "u y ʏ ɯ",
}
_OF_SYMBOL: Final[dict[str, str]] = {
    symbol: viseme for viseme, symbols in _SOUNDS.items() for symbol in symbols.split()
}
_UNKNOWN: Final = "ah"


def visemes_of(symbol: str) -> tuple[str, ...]:
    """The visemes of a phoneme in order: one, or two for a diphthong.

    Marks (length, stress, nasality) are ignored, and a sound that is not known opens the mouth
    half way; an empty symbol is a pause.
    """
    # A composed letter such as ç is a sound of its own; only what remains unknown is taken apart.
    plain = unicodedata.normalize("NFC", symbol).strip()
    if not plain:
        return ("rest",)
    if plain in _OF_SYMBOL:
        return (_OF_SYMBOL[plain],)
    letters = [
        letter
        for letter in plain
        if unicodedata.category(letter)[0] not in "MPSZ" and letter not in "ːˑˈˌʰʲʷˠˤ"
    ]
    if len(letters) > 1 and "".join(letters[:2]) in _OF_SYMBOL:
        return (_OF_SYMBOL["".join(letters[:2])],)
    known = [_OF_SYMBOL[letter] for letter in letters if letter in _OF_SYMBOL]
    return tuple(known[:2]) or (_UNKNOWN,)


def clean_phonemes(speech: Speech) -> list[TimedPhoneme]:
    """The phonemes in order, inside the speech, without those that take no time.

    An engine may be wrong about time: what is not a number is dropped and what overlaps gives
    way to what starts later.
    """
    duration = speech.duration
    kept = [
        TimedPhoneme(
            phoneme.symbol, max(0.0, phoneme.start), min(phoneme.end, duration), phoneme.stressed
        )
        for phoneme in speech.phonemes
        if np.isfinite(phoneme.start) and np.isfinite(phoneme.end)
    ]
    kept = sorted((p for p in kept if p.end > p.start), key=lambda p: (p.start, p.end))
    ends = [*(following.start for following in kept[1:]), duration]
    return [
        TimedPhoneme(p.symbol, p.start, min(p.end, end), p.stressed)
        for p, end in zip(kept, ends, strict=False)
        if min(p.end, end) > p.start
    ]


def mouth_tracks(speech: Speech, loudness: Loudness, times: Floats) -> Floats:
    """Where the mouth's muscles are at each of `times`.

    Args:
        speech: its phonemes decide; without any the mouth follows the loudness.
        loudness: of the same speech.
        times: [n] seconds, rising.

    Returns:
        [n, 6] in the order of `MUSCLES`, in the ranges of `FacePose`.
    """
    phonemes = clean_phonemes(speech)
    if not any(phoneme.symbol.strip() for phoneme in phonemes):
        return _from_loudness(loudness, times)
    count = int(np.ceil(speech.duration * RATE)) + 1
    targets, cares = _targets(phonemes, loudness, count)
    tracks = _weighted_mean(targets, cares)
    _enforce(tracks, phonemes, count)
    grid = np.arange(count) / RATE
    sampled = [np.interp(times + LEAD, grid, tracks[:, i]) for i in range(len(MUSCLES))]
    return np.stack(sampled, axis=1).astype(np.float32)


def _targets(phonemes: list[TimedPhoneme], loudness: Loudness, count: int) -> tuple[Floats, Floats]:
    """Targets and cares of every muscle, [count, 6] each, as steps in time."""
    rest = VISEMES["rest"]
    targets = np.zeros((count, len(MUSCLES)), np.float32)
    cares = np.full((count, len(MUSCLES)), rest.care, np.float32)
    cares[:, 0] = rest.jaw_care
    for phoneme in phonemes:
        names = visemes_of(phoneme.symbol)
        bounds = np.linspace(phoneme.start, phoneme.end, len(names) + 1)
        openness = 1.0
        if any(VISEMES[name].is_vowel for name in names):
            loud = loudness.between(phoneme.start, phoneme.end)
            openness = (0.62 + 0.5 * loud) * (1.12 if phoneme.stressed else 0.92)
            # A vowel that is over in no time is not opened wide for.
            openness *= 0.7 + 0.3 * min(1.0, (phoneme.end - phoneme.start) / 0.1)
        for name, start, end in zip(names, bounds[:-1], bounds[1:], strict=True):
            viseme = VISEMES[name]
            steps = slice(round(start * RATE), max(round(end * RATE), round(start * RATE) + 1))
            targets[steps] = [getattr(viseme, muscle) for muscle in MUSCLES]
            targets[steps, 0] *= openness
            care = viseme.care * (1.15 if phoneme.stressed else 1.0)
            if name == "rest":
                care *= min(1.0, (phoneme.end - phoneme.start) / 0.12)
            cares[steps] = care
            cares[steps, 0] = viseme.jaw_care * (care / viseme.care)
            # Teeth, tongue and press are all or nothing: nobody else has an opinion on them.
            cares[steps, 3:] = 1.0
    np.clip(targets[:, 0], 0, 1, out=targets[:, 0])
    return targets, cares


def _weighted_mean(targets: Floats, cares: Floats) -> Floats:
    """The targets' mean in the window around each moment, weighted by care."""
    reach = round(3 * _REACH_AHEAD * RATE)
    lag = np.arange(-reach, reach + 1) / RATE
    # Convolution turns the window around: negative lags are what lies ahead.
    spread = np.where(lag < 0, _REACH_AHEAD, _REACH_BACK)
    window = np.exp(-0.5 * (lag / spread) ** 2)

    def gathered(values: Floats, beyond: float) -> Floats:
        padded = np.pad(values, reach, constant_values=beyond)
        return np.asarray(np.convolve(padded, window, "valid"), np.float32)

    # Before and after the speech the mouth is at rest, where every target is 0.
    means = [
        gathered(targets[:, i] * cares[:, i], 0.0) / gathered(cares[:, i], 1.0)
        for i in range(targets.shape[1])
    ]
    return np.stack(means, axis=1)


def _enforce(tracks: Floats, phonemes: list[TimedPhoneme], count: int) -> None:
    """Closes the lips on p, b, m, and puts the teeth on the lip on f, v."""
    closed = np.zeros(count, np.float32)
    bitten = np.zeros(count, np.float32)
    for phoneme in phonemes:
        names = visemes_of(phoneme.symbol)
        track = {"pp": closed, "ff": bitten}.get(names[0])
        if track is None:
            continue
        middle = (phoneme.start + phoneme.end) / 2
        hold = max(_HOLD, 0.75 * (phoneme.end - phoneme.start)) / 2
        first = max(0, int((middle - hold - 0.06) * RATE))
        last = min(count, int((middle + hold + 0.06) * RATE) + 2)
        away = np.abs(np.arange(first, last) / RATE - middle) - hold
        bump = np.clip(1 - away / 0.05, 0, 1)
        bump = bump * bump * (3 - 2 * bump)
        np.maximum(track[first:last], bump, out=track[first:last])
    jaw, teeth, press = (MUSCLES.index(name) for name in ("jaw", "teeth", "press"))
    tracks[:, jaw] *= 1 - closed
    tracks[:, jaw] = np.minimum(tracks[:, jaw], 1 - bitten + 0.15 * bitten)
    tracks[:, press] = np.maximum(tracks[:, press] * 0.6, closed)
    tracks[:, teeth] = np.maximum(tracks[:, teeth] * 0.6, bitten) * (1 - closed)


def _from_loudness(loudness: Loudness, times: Floats) -> Floats:
    """A mouth for voices that tell no phonemes: it opens with the sound and wanders in shape."""
    tracks = np.zeros((len(times), len(MUSCLES)), np.float32)
    loud = loudness.at(times + LEAD)
    tracks[:, 0] = 0.8 * np.clip(loud * 1.15 - 0.12, 0, 1)
    shape = np.sin(times * 5.3) * np.sin(times * 3.1 + 1.0)
    tracks[:, 1] = 0.5 * shape * np.minimum(1, 2 * loud)
    tracks[:, 2] = 0.4 * np.maximum(-shape, 0) * np.minimum(1, 2 * loud)
    return tracks
