"""Motion: the performance of a speech, and of waiting. Deterministic for a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.speech.base import Cue, Speech, TimedPhoneme
from engine.talkinghead.eyes import blink_track, plan_blinks, plan_gaze
from engine.talkinghead.gestures import gesture_for, play
from engine.talkinghead.performance import Performance
from engine.talkinghead.visemes import MUSCLES, clean_phonemes, mouth_tracks
from engine.talkinghead.voice import clean_samples, measure_loudness, measure_pitch
from personas.errors import InvalidInputError
from personas.persona import Mood

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Manner:
    """How a mood moves: size and speed of movements, bounce on stresses, restless eyes."""

    size: float = 1.0
    tempo: float = 1.0
    bounce: float = 1.0
    restless: float = 1.0


MANNERS: Final[dict[Mood, Manner]] = {
    Mood.CHEERFUL: Manner(1.2, 1.2, 1.3, 1.0),
    Mood.CALM: Manner(0.8, 0.8, 0.8, 0.7),
    Mood.GRUMPY: Manner(0.75, 0.8, 0.9, 0.7),
    Mood.SHY: Manner(0.8, 1.0, 0.7, 1.6),
    Mood.PROUD: Manner(0.9, 0.75, 0.9, 0.6),
    Mood.SAD: Manner(0.6, 0.6, 0.45, 1.0),
    Mood.MISCHIEVOUS: Manner(1.1, 1.1, 1.1, 1.4),
    Mood.CURIOUS: Manner(1.1, 1.15, 1.1, 1.5),
}

_SHORTEST_PAUSE: Final = 0.16
"""Seconds of silence that end a phrase."""
_MOST_CUES: Final = 200


def frame_count(duration: float, fps: int) -> int:
    """How many frames show `duration` seconds: the nearest, at least one."""
    return max(1, round(duration * fps))


def plan_speech(speech: Speech, *, fps: int, seed: int = 0, mood: Mood = Mood.CALM) -> Performance:
    """What the persona does while it says `speech`.

    Args:
        speech: what is said.
        fps: frames a second.
        seed: decides what the speech leaves open.
        mood: how it moves.

    Raises:
        InvalidInputError: the speech is not sound.
    """
    samples = clean_samples(speech)
    duration = len(samples) / speech.sample_rate
    performance = Performance(frame_count(duration, fps))
    if len(performance) < 3:
        return performance
    times = (np.arange(len(performance), dtype=np.float32) + np.float32(0.5)) / np.float32(fps)
    random = np.random.default_rng(abs(seed))
    manner = MANNERS[mood]
    loudness = measure_loudness(samples, speech.sample_rate)
    phonemes = clean_phonemes(speech)
    energy = _soft(loudness.at(times), 0.16 * fps)

    _carry(performance, times, random, manner, energy, _phrases(phonemes, duration))
    _breathe(performance, times, duration, manner)
    _stress(performance, times, random, manner, phonemes, loudness.between)
    pitch = _soft(measure_pitch(samples, speech.sample_rate, times), 0.08 * fps)
    performance["turn_y"] -= 0.35 * manner.size * pitch
    for brow in ("brow_left", "brow_right"):
        performance[brow] += 0.55 * manner.size * pitch
    if speech.text.rstrip("\"'”’)*_ ").endswith("?"):
        _ask(performance, times, _voice_end(phonemes, duration))

    ends = tuple(end for _, end in _phrases(phonemes, duration))
    blinks = blink_track(plan_blinks(duration, random, phrase_ends=ends), times)
    gaze = plan_gaze(duration, times, random, restless=manner.restless)
    performance["gaze_x"] += gaze[0]
    performance["gaze_y"] += gaze[1]
    # Where the eyes go the head follows a little.
    performance["turn_x"] += _soft(0.25 * gaze[0], 0.12 * fps)
    performance.values *= _fade(times, duration)[:, None]

    act(performance, times, speech.cues, duration)
    for lid in ("blink_left", "blink_right"):
        np.maximum(performance[lid], blinks, out=performance[lid])
    mouth = mouth_tracks(speech, loudness, times)
    for column, muscle in enumerate(MUSCLES):
        performance[muscle] += mouth[:, column]
    performance.settle()
    return performance


def plan_idle(seconds: float, *, fps: int, seed: int = 0, mood: Mood = Mood.CALM) -> Performance:
    """What the persona does while it waits; after the last frame comes the first one again.

    Args:
        seconds: how long one round takes.
        fps: frames a second.
        seed: decides.
        mood: how it moves.

    Raises:
        InvalidInputError: `seconds` is no length of time.
    """
    if not (np.isfinite(seconds) and 0 < seconds <= 3600):
        raise InvalidInputError("An idle clip lasts more than 0 seconds and at most an hour.")
    performance = Performance(frame_count(seconds, fps))
    random, manner = np.random.default_rng(abs(seed)), MANNERS[mood]
    times = np.arange(len(performance), dtype=np.float32) / np.float32(fps)
    duration = len(performance) / fps
    turn = np.float32(2 * np.pi) * times / np.float32(duration)
    slow = max(1, round(duration * 0.14 * manner.tempo))

    def sway(size: float, faster: int = 0) -> Floats:
        # Whole rounds of sines only: they start at rest and meet their own beginning.
        first, second = slow + faster, 2 * slow + faster
        return np.float32(size * manner.size * random.choice((-1, 1))) * np.asarray(
            0.75 * np.sin(first * turn) + 0.25 * np.sin(second * turn), np.float32
        )

    performance["turn_x"] += sway(0.16)
    performance["turn_y"] += sway(0.08, 1)
    performance["sway"] += sway(0.14)
    performance["lean"] += sway(0.12)
    _breathe(performance, times, duration, manner)
    gaze = plan_gaze(duration, times, random, restless=manner.restless)
    performance["gaze_x"] += gaze[0]
    performance["gaze_y"] += gaze[1]
    blinks = blink_track(plan_blinks(duration, random), times)
    for lid in ("blink_left", "blink_right"):
        performance[lid] += blinks
    return performance


def _phrases(phonemes: Sequence[TimedPhoneme], duration: float) -> list[tuple[float, float]]:
    """Start and end of what is said between pauses."""
    phrases: list[tuple[float, float]] = []
    for phoneme in phonemes:
        if not phoneme.symbol.strip():
            continue
        if phrases and phoneme.start - phrases[-1][1] < _SHORTEST_PAUSE:
            phrases[-1] = (phrases[-1][0], phoneme.end)
        else:
            phrases.append((phoneme.start, phoneme.end))
    return phrases or [(0.0, duration)]


def _voice_end(phonemes: Sequence[TimedPhoneme], duration: float) -> float:
    return _phrases(phonemes, duration)[-1][1]


def _soft(track: Floats, spread: float) -> Floats:
    """A track smoothed by a Gaussian of `spread` frames."""
    reach = max(1, int(3 * spread))
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(spread, 0.3)) ** 2)
    padded = np.pad(track, reach, mode="edge")
    return np.asarray(np.convolve(padded, window / window.sum(), "valid"), np.float32)


def _fade(times: Floats, duration: float) -> Floats:
    """0 at both ends, 1 in between, so that a clip starts and ends at rest."""
    span = min(0.4, duration / 3)
    share = np.clip(np.minimum(times, duration - times) / span, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _wander(times: Floats, random: np.random.Generator, tempo: float) -> Floats:
    """Aimless slow movement, about -1 to 1."""
    total = np.zeros(len(times), np.float32)
    for share, frequency in ((0.6, 0.23), (0.35, 0.41), (0.2, 0.83)):
        rate = frequency * tempo * random.uniform(0.8, 1.25)
        total += np.float32(share) * np.sin(
            np.float32(2 * np.pi * rate) * times + np.float32(random.uniform(0, 2 * np.pi))
        )
    return total


def _carry(
    performance: Performance,
    times: Floats,
    random: np.random.Generator,
    manner: Manner,
    energy: Floats,
    phrases: list[tuple[float, float]],
) -> None:
    """Posture: a new one for each phrase, and never quite still, the less so the louder."""
    fps = 1 / float(times[1] - times[0])
    sides = np.zeros(len(times), np.float32)
    heights = np.zeros(len(times), np.float32)
    side = float(random.choice((-1, 1)))
    for start, end in phrases:
        # A long phrase takes more than one posture.
        pieces = max(1, round((end - start) / 2.2))
        bounds = np.linspace(start - 0.12, end, pieces + 1)
        for first, last in pairwise(bounds):
            during = (times >= first) & (times < last)
            sides[during] = side * random.uniform(0.25, 0.8)
            heights[during] = random.uniform(-0.35, 0.3)
            side = -side if random.random() < 0.7 else side
    size = np.float32(manner.size)
    alive = np.float32(0.35) + np.float32(0.65) * np.minimum(energy, 1)
    turn = _soft(sides, 0.13 * fps / manner.tempo)
    follow = _soft(sides, 0.3 * fps / manner.tempo)
    # The body comes after the head.
    late = round(0.1 * fps)
    follow = np.concatenate([np.repeat(follow[:1], late), follow[: len(follow) - late]])
    follow = follow[: len(times)]
    performance["turn_x"] += size * (
        0.5 * turn + 0.2 * alive * _wander(times, random, manner.tempo)
    )
    performance["turn_y"] += size * (
        0.5 * _soft(heights, 0.15 * fps) + 0.15 * alive * _wander(times, random, manner.tempo)
    )
    performance["sway"] += size * (
        0.5 * follow + 0.35 * alive * _wander(times, random, 1.3 * manner.tempo)
    )
    performance["lean"] += size * (
        0.5 * follow + 0.35 * alive * _wander(times, random, manner.tempo)
    )


def _breathe(performance: Performance, times: Floats, duration: float, manner: Manner) -> None:
    """Whole breaths, so that they end where they began."""
    breaths = max(1, round(duration / 3.4 * manner.tempo))
    if duration < 1.5:
        return
    phase = np.float32(2 * np.pi * breaths) * times / np.float32(duration)
    performance["squash"] += np.float32(0.28) * (1 - np.cos(phase))


def _stress(
    performance: Performance,
    times: Floats,
    random: np.random.Generator,
    manner: Manner,
    phonemes: Sequence[TimedPhoneme],
    loud: Callable[[float, float], float],
) -> None:
    """Stressed syllables: a dip before, a bounce on them, a nod; brows on some."""
    for phoneme in phonemes:
        if not (phoneme.stressed and phoneme.symbol.strip()):
            continue
        weight = loud(phoneme.start, phoneme.end) * float(random.uniform(0.5, 1.1))
        nod, lifts = random.random() < 0.55, random.random() < 0.3
        first, last = np.searchsorted(times, (phoneme.start - 0.25, phoneme.start + 0.75))
        since = times[first:last] - np.float32(phoneme.start)
        # A spring that is pulled down a little before it is let go.
        bounce = np.where(
            since < 0,
            -0.35 * np.exp(-(((since + 0.08) / 0.06) ** 2)),
            np.sin(np.pi * 2 * since / 0.42) * np.exp(-since / 0.16),
        )
        performance["squash"][first:last] += np.float32(1.0 * weight * manner.bounce) * bounce
        bump = np.exp(-(((since - 0.1) / 0.11) ** 2))
        if nod:
            performance["turn_y"][first:last] += np.float32(0.4 * weight * manner.size) * bump
        if lifts:
            rise = np.float32(0.55 * weight) * np.exp(-(((since - 0.12) / 0.16) ** 2))
            performance["brow_left"][first:last] += rise
            performance["brow_right"][first:last] += rise * np.float32(random.uniform(0.6, 1))


def _ask(performance: Performance, times: Floats, end: float) -> None:
    """A question ends with raised brows and a tilted head."""
    rise = np.exp(-(((times - np.float32(end - 0.1)) / 0.4) ** 2))
    performance["brow_left"] += np.float32(0.6) * rise
    performance["brow_right"] += np.float32(0.75) * rise
    performance["lean"] += np.float32(0.55) * rise
    performance["turn_y"] -= np.float32(0.2) * rise


def act(performance: Performance, times: Floats, cues: Sequence[Cue], duration: float) -> None:
    """Plays the stage directions, moved or hurried so that each is over when the clip is."""
    for cue in cues[:_MOST_CUES]:
        gesture = gesture_for(cue.action) if np.isfinite(cue.time) else None
        if gesture is None:
            continue
        room = max(duration - 0.1, 0.1)
        hurry = max(1.0, gesture.seconds / room)
        start = min(max(0.0, cue.time - 0.1), max(0.0, room - gesture.seconds / hurry))
        since = (times - np.float32(start)) * np.float32(hurry)
        for channel, keys in gesture.tracks.items():
            performance[channel] += play(keys, since)
