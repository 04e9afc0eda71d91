"""What every engine does around its sound: a text's sentences, put together as one speech.

An engine says each sentence as phrases; here they get their pauses, the limit of time, the places
of words and stage directions, silence before and after, the effect of the voice, and the loudness
that all voices have.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from engine.speech.base import Cue, Speech, TimedWord
from engine.speech.edges import fade, settle_pauses, sounding
from engine.speech.effects import ECHO_SECONDS, echo, metal
from engine.speech.loudness import normalise
from engine.speech.phonemes import Span, join
from engine.speech.settings import SpeechSettings
from engine.speech.text import SpokenSentence, speakable
from personas.errors import ChatAnythingError, InvalidInputError
from personas.persona import Voice
from personas.voices import Effect

Samples = NDArray[np.float32]

_PAUSES = {".": 0.36, "!": 0.36, "?": 0.4, "…": 0.5, ":": 0.3, ";": 0.26, ",": 0.16, "—": 0.24}
_PARAGRAPH_PAUSE = 0.6
_BREATH_PAUSE = 0.08
_MARGIN = 0.015
"""Kept on both sides of a sound, for its softest edges."""
_MOST_LETTERS_A_SECOND = 30.0
_LEAST_LETTERS = 20
_NOTHING_TO_SAY = "There is nothing in this message that can be spoken aloud."
_UNREADABLE = "This message cannot be read aloud as it is written; say it in other words."


@dataclass(frozen=True)
class Phrase:
    """What is said in one breath, silence cut off.

    Attributes:
        samples: [n] float32 mono.
        sample_rate: Hz.
        spans: its phonemes in order, without pauses; seconds from the first sample.
        texts: its words as they are written, by the `word` of their spans.
        places: the index in `SpokenSentence.spoken.split()` of each word, where that is not
            `word` itself (as in scripts without spaces).
    """

    samples: Samples
    sample_rate: int
    spans: Sequence[Span]
    texts: Mapping[int, str]
    places: Mapping[int, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.sample_rate

    def place(self, word: int) -> int:
        """The index of a word in the sentence as it is spoken."""
        return self.places.get(word, word)


def phrase(
    samples: Samples,
    sample_rate: int,
    timed: Sequence[Span],
    texts: Mapping[int, str],
    places: Mapping[int, int] | None = None,
) -> Phrase | None:
    """A phrase from an engine's sound and labels; None where there is only silence.

    Pauses are fitted to the silence that is there, and silence at both ends is cut off.

    Args:
        samples: [n] float32 mono.
        sample_rate: Hz.
        timed: phonemes and pauses in order, at least one phoneme; seconds from the first sample.
        texts: words as they are written, by the `word` of their spans.
        places: see `Phrase`.
    """
    bounds = sounding(samples, sample_rate)
    if bounds is None or not any(span.symbol for span in timed):
        return None
    timed = settle_pauses(timed, samples, sample_rate)
    start = max(0, int((bounds[0] - _MARGIN) * sample_rate))
    end = min(len(samples), int((bounds[1] + _MARGIN) * sample_rate))
    kept = fade(samples[start:end], sample_rate)
    spans = _fitted(timed, start / sample_rate, len(kept) / sample_rate)
    return Phrase(kept, sample_rate, spans, texts, places or {})


def prepare(
    text: str,
    voice: Voice,
    settings: SpeechSettings,
    effect: Effect = "none",
    *,
    letters_a_second: float = _MOST_LETTERS_A_SECOND,
    language: str = "en",
) -> list[SpokenSentence]:
    """The sentences of a text, ready to be spoken, hardly more than there is time for.

    Args:
        text: as a persona wrote it.
        voice: who speaks; a faster voice says more.
        settings: how long a speech may be.
        effect: of the voice.
        letters_a_second: more than anybody says, at rate 1. Sentences that can have no time are
            left out, and a first one that is too long is cut between words.
        language: BCP 47 tag of what the voice speaks.

    Raises:
        InvalidInputError: there is nothing in the text that can be spoken.
    """
    letters = _limit(settings, effect) * voice.rate * letters_a_second
    try:
        sentences = speakable(text, letters, language)
    except ChatAnythingError:
        raise
    except Exception as error:
        # whatever breaks down on a text is no fault of the engine that was to speak it
        raise InvalidInputError(_UNREADABLE) from error
    return _within(sentences, max(int(letters), _LEAST_LETTERS))


def compose(
    spoken: Iterable[tuple[SpokenSentence, Iterable[Phrase]]],
    voice: Voice,
    settings: SpeechSettings,
    effect: Effect = "none",
    *,
    sample_rate: int,
) -> Speech:
    """One speech of many phrases.

    What is beyond `SpeechSettings.max_seconds` is left out in whole sentences (of a first
    sentence that is longer, the words that fit are kept); `Speech.text` says what was spoken.

    Args:
        spoken: sentences in order and the phrases of each. Both are taken one by one and no
            further than there is time for, so they may be lazy.
        voice: who speaks; its rate shortens pauses.
        settings: limit, silences and loudness.
        effect: of the voice; an echo and a robot's metal are added here.
        sample_rate: Hz, of every phrase.

    Raises:
        InvalidInputError: there is no phrase at all.
    """
    limit = _limit(settings, effect)
    take = _Take(sample_rate)
    take.pause(settings.lead_seconds)
    pause = 0.0
    for sentence, said in spoken:
        phrases = _until(said, limit - take.seconds - pause)
        if not phrases:
            continue
        if take.seconds + pause + _length(phrases, voice.rate) > limit:
            if take.words:
                break
            phrases, sentence = _cut(phrases, sentence, limit - take.seconds, voice.rate)
        take.pause(pause)
        take.add(sentence, phrases, voice.rate)
        pause = _pause_after(sentence) / voice.rate
    if not take.words:
        raise InvalidInputError(_NOTHING_TO_SAY)
    return take.finished(settings, effect)


@dataclass
class _Take:
    """What has been spoken so far."""

    sample_rate: int
    pieces: list[Samples] = field(default_factory=list)
    length: int = 0
    spans: list[Span] = field(default_factory=list)
    words: list[TimedWord] = field(default_factory=list)
    cues: list[Cue] = field(default_factory=list)
    written: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.length / self.sample_rate

    def append(self, samples: Samples) -> None:
        self.pieces.append(samples)
        self.length += len(samples)

    def pause(self, seconds: float) -> None:
        self.append(np.zeros(max(0, round(seconds * self.sample_rate)), np.float32))

    def add(self, sentence: SpokenSentence, phrases: Sequence[Phrase], rate: float) -> None:
        starts: dict[int, float] = {}
        for number, part in enumerate(phrases):
            if number:
                self.pause(_BREATH_PAUSE / rate)
            at = self.seconds
            self.append(part.samples)
            moved = [span.moved(span.start + at, span.end + at) for span in part.spans]
            self.spans += moved
            for word, text in part.texts.items():
                own = [span for span in moved if span.word == word]
                if own:
                    starts.setdefault(part.place(word), own[0].start)
                    self.words.append(TimedWord(text, own[0].start, own[-1].end))
        for action, word in sentence.directions:
            after = [start for index, start in starts.items() if index >= word]
            self.cues.append(Cue(action, min(after, default=self.seconds)))
        self.written.append(sentence.written)

    def finished(self, settings: SpeechSettings, effect: Effect) -> Speech:
        rate = self.sample_rate
        samples = np.concatenate(self.pieces)
        if effect == "robot":
            samples = metal(samples, rate)
        elif effect == "echo":
            samples = fade(echo(samples, rate), rate, 0.05)
        silence = np.zeros(round(settings.tail_seconds * rate), np.float32)
        samples = normalise(np.concatenate([samples, silence]), rate, settings.loudness)
        return Speech(
            samples=samples,
            sample_rate=rate,
            phonemes=join(self.spans, len(samples) / rate),
            words=tuple(self.words),
            text=" ".join(self.written),
            cues=tuple(self.cues),
        )


def _within(sentences: list[SpokenSentence], letters: int) -> list[SpokenSentence]:
    """What has a chance of being said in the time of so many letters."""
    count = len(sentences[0].spoken)
    if count > letters:
        return [_shortened(sentences[0], letters)]
    for number, sentence in enumerate(sentences[1:], 1):
        count += len(sentence.spoken)
        if count > letters:
            return sentences[:number]
    return sentences


def _shortened(sentence: SpokenSentence, letters: int) -> SpokenSentence:
    kept = sentence.spoken[: letters + 1].rsplit(None, 1)[0]
    kept = kept[:letters].rstrip(" ,;:—-'")
    last = len(kept.split())
    directions = tuple(item for item in sentence.directions if item[1] < last)
    return replace(sentence, spoken=kept + "…", written=kept + "…", directions=directions)


def _limit(settings: SpeechSettings, effect: Effect) -> float:
    """Seconds at which the last sound has to end."""
    tail = settings.tail_seconds + (ECHO_SECONDS if effect == "echo" else 0.0)
    return settings.max_seconds - tail


def _until(said: Iterable[Phrase], seconds: float) -> list[Phrase]:
    """Phrases until they are longer than `seconds`."""
    result: list[Phrase] = []
    for part in said:
        result.append(part)
        seconds -= part.seconds
        if seconds < 0:
            break
    return result


def _fitted(timed: Sequence[Span], start: float, end: float) -> list[Span]:
    """Times from the first sample on; the first and last phoneme reach to the edges of sound."""
    sounds = [span.moved(span.start - start, span.end - start) for span in timed if span.symbol]
    sounds[0] = sounds[0].moved(0.0, sounds[0].end)
    sounds[-1] = sounds[-1].moved(sounds[-1].start, end)
    result: list[Span] = []
    for span in sounds:
        low = max(span.start, result[-1].end if result else 0.0)
        result.append(span.moved(min(low, end), min(max(span.end, low), end)))
    return result


def _length(phrases: Sequence[Phrase], rate: float) -> float:
    return sum(part.seconds for part in phrases) + (len(phrases) - 1) * _BREATH_PAUSE / rate


def _cut(
    phrases: Sequence[Phrase], sentence: SpokenSentence, seconds: float, rate: float
) -> tuple[list[Phrase], SpokenSentence]:
    """As many words of a sentence as fit; it is written as it is spoken then."""
    kept: list[Phrase] = []
    words: list[tuple[int, str]] = []
    for part in phrases:
        ends = {span.word: span.end for span in part.spans if span.word is not None}
        fitting = [word for word, end in ends.items() if end <= seconds]
        if not fitting:
            break
        end = max(ends[word] for word in fitting)
        spans = [span for span in part.spans if span.word in fitting]
        samples = fade(part.samples[: int(end * part.sample_rate)], part.sample_rate, 0.02)
        texts = {word: text for word, text in part.texts.items() if word in fitting}
        kept.append(replace(part, samples=samples, spans=spans, texts=texts))
        words += [(part.place(word), text) for word, text in texts.items()]
        if len(fitting) < len(ends):
            break
        seconds -= part.seconds + _BREATH_PAUSE / rate
    together = itertools.groupby(words, key=lambda item: item[0])
    written = " ".join("".join(text for _, text in group) for _, group in together)
    last = max((place for place, _ in words), default=0)
    directions = tuple(item for item in sentence.directions if item[1] <= last)
    return kept, replace(sentence, written=written + "…", directions=directions)


def _pause_after(sentence: SpokenSentence) -> float:
    pause = _PAUSES.get(sentence.spoken[-1:], _PAUSES["."])
    return max(pause, _PARAGRAPH_PAUSE) if sentence.ends_paragraph else pause
