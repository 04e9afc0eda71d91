"""Which phoneme sounds when, in speech whose maker does not tell.

The phonemes are known, and roughly how long each one takes: from the same words spoken by another
voice that knows its own timing (`follow`), or from what is usual for each sound (`place`). Both
are fitted to the speech by dynamic time warping. Where the maker tells when words begin, that
says where to look, so that its clock may be off by a tenth of a second.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.speech.edges import quiet_frames, sounding
from engine.speech.features import HOP_SECONDS, Features, features, outline
from engine.speech.phonemes import PLOSIVES, Span
from engine.speech.sketch import sketch
from engine.speech.warping import warp

Samples = NDArray[np.float32]

_KEPT_SILENCE = 6
"""Frames of a silence that are compared on both sides: pauses differ, words do not."""
_REACH = 2.0
"""Seconds that two speeches may drift apart where no word is known."""
_ANCHORED_REACH = 0.2
_SHORTEST_PAUSE = 0.07
_LONGEST_CLOSURE = 0.14
"""Seconds: a silence before or in a plosive is part of it up to here."""
_NEAR = 0.06
_SHORTEST = 0.03
_SHORTEST_PHONEME = 0.015


@dataclass(frozen=True)
class Anchor:
    """When a word is said, as its speaker tells. Seconds."""

    word: int
    start: float
    end: float


def follow(
    samples: Samples,
    sample_rate: int,
    model: Samples,
    model_rate: int,
    spans: Sequence[Span],
    anchors: Sequence[Anchor] = (),
) -> list[Span]:
    """The phonemes of `spans`, when they sound in `samples`.

    Args:
        samples: [n] float32 mono, what is to be timed.
        sample_rate: Hz.
        model: [m] the same words in another voice.
        model_rate: Hz of that.
        spans: its phonemes in order, without pauses; seconds from the first sample of `model`.
        anchors: when some of the words are said.

    Returns:
        Phonemes in order, and a pause between two words wherever there is silence.
    """
    bounds = _bounds(samples, sample_rate)
    if bounds is None or not spans:
        return list(spans)
    heard = features(samples, sample_rate)
    known = features(model, model_rate)
    compared = _worth_comparing(quiet_frames(model, model_rate))
    return _transferred(
        samples, sample_rate, heard, known[: len(compared)], compared, spans, anchors
    )


def place(
    samples: Samples, sample_rate: int, spans: Sequence[Span], anchors: Sequence[Anchor] = ()
) -> list[Span]:
    """Likewise, where nobody has said the same words before: by what each sound is like.

    Args:
        samples: [n] float32 mono.
        sample_rate: Hz.
        spans: phonemes in order with the word each belongs to; their times are not looked at.
        anchors: when some of the words are said.
    """
    bounds = _bounds(samples, sample_rate)
    if bounds is None or not spans:
        return list(spans)
    timed, known = sketch(spans, bounds[1] - bounds[0])
    heard = outline(samples, sample_rate)
    anchors = _without_lag(samples, sample_rate, anchors)
    compared = np.ones(len(known), np.bool_)
    return _transferred(samples, sample_rate, heard, known, compared, timed, anchors)


def _bounds(samples: Samples, sample_rate: int) -> tuple[float, float] | None:
    """Where there is sound; None where there is too little to find anything in."""
    return sounding(samples, sample_rate) if len(samples) > _SHORTEST * sample_rate else None


def _transferred(
    samples: Samples,
    sample_rate: int,
    heard: Features,
    known: Features,
    compared: NDArray[np.bool_],
    spans: Sequence[Span],
    anchors: Sequence[Anchor],
) -> list[Span]:
    quiet = quiet_frames(samples, sample_rate)
    kept = np.flatnonzero(_worth_comparing(quiet)[: len(heard)])
    model = np.flatnonzero(compared)
    guide, reach = _guide(kept * HOP_SECONDS, model * HOP_SECONDS, spans, anchors)
    path = model[warp(heard[kept], known[model], guide, reach)]

    def when(seconds: float) -> float:
        at = min(int(np.searchsorted(path, seconds / HOP_SECONDS)), len(kept) - 1)
        return float(kept[at]) * HOP_SECONDS

    moved: list[Span] = []
    for span in spans:
        start = max(when(span.start), moved[-1].end if moved else 0.0)
        moved.append(span.moved(start, max(when(span.end), start)))
    return _each_heard(_with_pauses(moved, quiet))


def _worth_comparing(quiet: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Sound, and silence next to sound."""
    near = np.convolve(~quiet, np.ones(2 * _KEPT_SILENCE + 1), mode="same")
    result: NDArray[np.bool_] = near > 0.5
    return result


def _guide(
    heard: NDArray[np.floating],
    known: NDArray[np.floating],
    spans: Sequence[Span],
    anchors: Sequence[Anchor],
) -> tuple[NDArray[np.floating], int]:
    """For each time heard the frame of the model to look around, and how far around."""
    if not anchors:
        return np.linspace(0, len(known) - 1, len(heard)), round(_REACH / HOP_SECONDS)
    starts: dict[int, float] = {}
    ends: dict[int, float] = {}
    for span in spans:
        if span.word is not None:
            starts.setdefault(span.word, span.start)
            ends[span.word] = span.end
    points = [(heard[0], known[0])]
    for anchor in anchors:
        if anchor.word in starts:
            points.append((anchor.start, starts[anchor.word]))
            points.append((anchor.end, ends[anchor.word]))
    points.append((heard[-1], known[-1]))
    there = np.maximum.accumulate([there for there, _ in points])
    here = np.maximum.accumulate([here for _, here in points])
    guide = np.searchsorted(known, np.interp(heard, there, here)).astype(np.float64)
    return guide, round(_ANCHORED_REACH / HOP_SECONDS)


def _with_pauses(spans: Sequence[Span], quiet: NDArray[np.bool_]) -> list[Span]:
    """A pause between two words where there is silence that is not the closure of a plosive."""
    edges = np.diff(np.concatenate(([0], quiet.astype(np.int8), [0])))
    begins = np.flatnonzero(edges == 1) * HOP_SECONDS
    ends = np.flatnonzero(edges == -1) * HOP_SECONDS
    result: list[Span] = []
    for span in spans:
        before = result[-1] if result else None
        if before is not None:
            span = span.moved(max(span.start, before.end), max(span.end, before.end))
        if before is not None and before.word != span.word:
            is_closure = span.symbol in PLOSIVES or before.symbol in PLOSIVES
            least = _LONGEST_CLOSURE if is_closure else _SHORTEST_PAUSE
            around = (
                (ends - begins >= least)
                & (begins < span.start + _NEAR)
                & (ends > before.end - _NEAR)
            )
            found = np.flatnonzero(around)
            if len(found):
                longest = found[np.argmax(ends[found] - begins[found])]
                start, end = float(begins[longest]), float(ends[longest])
                start = max(start, before.start)
                result[-1] = before.moved(before.start, start)
                result.append(Span("", start, max(start, end), is_pause=True))
                span = span.moved(max(start, end), max(span.end, end))
            else:
                middle = (before.end + span.start) / 2
                result[-1] = before.moved(before.start, middle)
                span = span.moved(middle, span.end)
        result.append(span)
    return result


def _each_heard(spans: Sequence[Span]) -> list[Span]:
    """Between two pauses every phoneme gets a moment, if need be from its neighbours."""
    result: list[Span] = []
    for is_pause, group in itertools.groupby(spans, key=lambda span: span.is_pause):
        run = list(group)
        if is_pause:
            result += run
            continue
        bounds = np.array([run[0].start, *(span.end for span in run)])
        least = min(_SHORTEST_PHONEME, (bounds[-1] - bounds[0]) / len(run))
        steps = least * np.arange(len(bounds))
        # as early as those before allow, and no later than those after need
        later = np.maximum.accumulate(bounds - steps) + steps
        bounds = np.minimum(later, bounds[-1] - steps[::-1])
        result += [
            span.moved(float(start), float(end))
            for span, start, end in zip(run, bounds, bounds[1:], strict=False)
        ]
    return result


def _without_lag(samples: Samples, sample_rate: int, anchors: Sequence[Anchor]) -> Sequence[Anchor]:
    """Anchors by the clock of the sound: an encoder delays what a service has timed before.

    The first sound after each pause tells by how much.
    """
    quiet = quiet_frames(samples, sample_rate)
    onsets = (np.flatnonzero(quiet[:-1] & ~quiet[1:]) + 1) * HOP_SECONDS
    if not quiet[0]:
        onsets = np.concatenate(([0.0], onsets))
    late: list[float] = []
    end = -1.0
    for anchor in anchors:
        if anchor.start - end > _SHORTEST_PAUSE and len(onsets):
            by = onsets - anchor.start
            late.append(float(by[np.argmin(np.abs(by - 0.03))]))
        end = anchor.end
    late = [by for by in late if abs(by) < 0.15]
    lag = float(np.median(late)) if late else 0.0
    return [Anchor(a.word, a.start + lag, a.end + lag) for a in anchors]
