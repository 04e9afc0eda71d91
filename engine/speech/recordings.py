"""A recording of known sentences made into timed phrases: what voices from elsewhere need.

The same sentences are said by a voice of this machine (`rehearsal`), the two are compared
(`alignment`), what the service could not shape is shaped here (`resynthesis`), and the recording
is divided into its sentences, as `delivery` wants them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.speech.alignment import Anchor, follow, place
from engine.speech.delivery import Phrase, phrase
from engine.speech.edges import sounding
from engine.speech.phonemes import Span
from engine.speech.rehearsal import Rehearsal
from engine.speech.resynthesis import Shaping, resynthesize
from engine.speech.text import SpokenSentence
from personas.errors import UnavailableError

Samples = NDArray[np.float32]

_COMPLETE = 0.85
"""The share of the letters after which the last word that was told may be the last."""
_RECOGNIZED = 0.5
"""The share of a service's words that must be in the sentences for it to count by them."""
_FASTEST = 45.0
"""Letters a second: more than anybody says."""
_LOOKED_AHEAD = 80
"""Letters in which the next word that a service names has to be found."""


@dataclass(frozen=True)
class Boundary:
    """When a service says a word, as it tells. Seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Recording:
    """Sentences as a service said them.

    Attributes:
        samples: [n] float32 mono.
        sample_rate: Hz.
        boundaries: its words in order; empty where it does not tell.
    """

    samples: Samples
    sample_rate: int
    boundaries: Sequence[Boundary] = ()


def divided(
    recording: Recording,
    sentences: Sequence[SpokenSentence],
    rehearsal: Rehearsal,
    shaping: Shaping,
    seed: int = 0,
) -> Iterator[tuple[SpokenSentence, list[Phrase]]]:
    """Each sentence with its part of the recording, timed and shaped.

    Args:
        recording: of all the sentences, in order.
        sentences: what was said.
        rehearsal: the same, rehearsed.
        shaping: what is still to be done to the sound.
        seed: decides the noise of breath and trembling.
    """
    rate = recording.sample_rate
    timed = _timed(recording, sentences, rehearsal)
    samples = resynthesize(recording.samples, rate, shaping, seed)
    stretch = len(samples) / max(1, len(recording.samples))
    spans = [span.moved(span.start * stretch, span.end * stretch) for span in timed]
    groups = _by_sentence(spans, rehearsal.places, len(sentences))
    cuts = _cuts(groups, len(samples) / rate)
    for number, (sentence, group) in enumerate(zip(sentences, groups, strict=True)):
        if not any(span.symbol for span in group):
            yield sentence, []
            continue
        start, end = cuts[number], cuts[number + 1]
        part = samples[int(start * rate) : int(end * rate)]
        words = dict.fromkeys(span.word for span in group if span.word is not None)
        made = phrase(
            part,
            rate,
            [span.moved(span.start - start, span.end - start) for span in group],
            {word: rehearsal.texts[word] for word in words},
            {word: rehearsal.places[word][1] for word in words},
        )
        yield sentence, [made] if made is not None else []


def anchors(
    boundaries: Sequence[Boundary], sentences: Sequence[SpokenSentence], rehearsal: Rehearsal
) -> list[Anchor]:
    """What a service tells of its words, said of the rehearsed words.

    The two may divide a sentence into different words. A word is found by its letters, and its
    beginning and end count where they are those of a word of the service.
    """
    heard = "".join(_letters(sentence.spoken) for sentence in sentences)
    starts, ends = {}, {}
    for at, boundary in _found([b.text for b in boundaries], heard):
        starts[at] = boundaries[boundary].start
        ends[at + len(_letters(boundaries[boundary].text))] = boundaries[boundary].end
    words = list(rehearsal.texts)
    result = []
    for at, index in _found([rehearsal.texts[word] for word in words], heard):
        word = words[index]
        end = at + len(_letters(rehearsal.texts[word]))
        if at in starts and end in ends and starts[at] <= ends[end]:
            result.append(Anchor(word, starts[at], ends[end]))
    return result


def check(recording: Recording, sentences: Sequence[SpokenSentence], place: str) -> None:
    """Holds what a service sent against what it was asked to say.

    Args:
        recording: what came.
        sentences: what should have been said.
        place: the service in words people know.

    Raises:
        UnavailableError: there is no sound, or it stops in the middle.
    """
    start = place[:1].upper() + place[1:]
    if sounding(recording.samples, recording.sample_rate) is None:
        raise UnavailableError(f"{start} sent no sound. Try again later, or another voice.")
    if _is_cut(recording, sentences):
        raise UnavailableError(f"{start} broke off in the middle of a speech. Try again.")


def _is_cut(recording: Recording, sentences: Sequence[SpokenSentence]) -> bool:
    """The words that a service told tell; else how much was said in the time."""
    heard = "".join(_letters(sentence.spoken) for sentence in sentences)
    words = recording.boundaries
    seconds = len(recording.samples) / recording.sample_rate
    found = list(_found([word.text for word in words], heard))
    if not words or len(found) < _RECOGNIZED * len(words):
        return len(heard) > _FASTEST * seconds
    at, index = found[-1]
    is_short = at + len(_letters(words[index].text)) < _COMPLETE * len(heard)
    return is_short or words[-1].start > seconds


def _timed(
    recording: Recording, sentences: Sequence[SpokenSentence], rehearsal: Rehearsal
) -> list[Span]:
    told = anchors(recording.boundaries, sentences, rehearsal)
    samples, rate = recording.samples, recording.sample_rate
    if rehearsal.samples is None:
        return place(samples, rate, rehearsal.spans, told)
    return follow(samples, rate, rehearsal.samples, rehearsal.sample_rate, rehearsal.spans, told)


def _by_sentence(
    spans: Sequence[Span], places: Mapping[int, tuple[int, int]], count: int
) -> list[list[Span]]:
    """Phonemes and the pauses between those of the same sentence."""
    groups: list[list[Span]] = [[] for _ in range(count)]
    waiting: list[Span] = []
    current = -1
    for span in spans:
        if span.word is None:
            waiting.append(span)
            continue
        sentence = places[span.word][0]
        if sentence == current:
            groups[sentence] += waiting
        waiting = []
        current = sentence
        groups[sentence].append(span)
    return groups


def _cuts(groups: Sequence[Sequence[Span]], seconds: float) -> list[float]:
    """Where each sentence begins: in the middle of the pause before it; and where the last ends."""
    cuts: list[float] = []
    end = 0.0
    for number, group in enumerate(groups):
        start = group[0].start if group else end
        cuts.append((end + start) / 2 if number else 0.0)
        end = group[-1].end if group else end
    return [*cuts, seconds]


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _found(words: Sequence[str], text: str) -> Iterator[tuple[int, int]]:
    """Position in `text` and index of each word that is found in its turn."""
    at = 0
    for index, word in enumerate(words):
        letters = _letters(word)
        found = text.find(letters, at, at + len(letters) + _LOOKED_AHEAD) if letters else -1
        if found >= 0:
            yield found, index
            at = found + len(letters)
