"""Timings are those of the sound: phonemes against the spectrum, pauses against the level."""

from __future__ import annotations

import numpy as np
import pytest

from engine.speech.base import Speech, SpeechSynthesizer
from personas.voices import VoiceCatalogue
from tests.engine.speech.conftest import Listener, plain, plain_voice

HISSING = (
    "She sells sea shells by the sea shore. Six thick sticks were stuck in the sand. "
    "Please stop, take a step back, and look at the past."
)
PAUSED = "Wait, I hear something. What is it? It is the wind; nothing else, my friend."
VOICES = ["woman", "man", "giant", "tiny", "whisper"]


def speak(
    hibari: SpeechSynthesizer, voices: VoiceCatalogue, name: str, text: str, **changes: float
) -> Speech:
    return hibari.synthesize(text, plain_voice(voices.get(name), **changes))


@pytest.mark.parametrize(
    ("name", "rate"), [(name, 1.0) for name in VOICES] + [("woman", 0.7), ("woman", 1.5)]
)
def test_hissing_phonemes_stand_where_it_hisses(
    name: str, rate: float, hibari: SpeechSynthesizer, voices: VoiceCatalogue
) -> None:
    """Moving the phonemes by more than 15 ms either way would fit the sound less well."""
    speech = speak(hibari, voices, name, HISSING, rate=rate)
    step, size = 120, 480
    frames = np.lib.stride_tricks.sliding_window_view(speech.samples, size)[::step]
    power = np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)) ** 2
    hiss = np.log(power[:, 90:200].sum(axis=1) + 1e-6)
    times = (np.arange(len(hiss)) * step + size / 2) / speech.sample_rate
    labels = np.zeros(len(hiss))
    for phoneme in speech.phonemes:
        if phoneme.symbol in ("s", "ʃ", "z", "tʃ"):
            labels[(times >= phoneme.start) & (times < phoneme.end)] = 1
    labels -= labels.mean()
    fits = {lag: float(np.roll(labels, lag) @ (hiss - hiss.mean())) for lag in range(-16, 17)}
    best = max(fits, key=lambda lag: fits[lag]) * step / speech.sample_rate
    assert abs(best) <= 0.015


@pytest.mark.parametrize("name", [*VOICES, "robot", "captain", "old"])
def test_pauses_are_silent_and_sound_is_no_pause(
    name: str, hibari: SpeechSynthesizer, voices: VoiceCatalogue
) -> None:
    speech = speak(hibari, voices, name, PAUSED)
    rate = speech.sample_rate
    loud = np.sqrt((speech.samples**2).mean())
    pauses = [phoneme for phoneme in speech.phonemes if not phoneme.symbol]
    assert len(pauses) >= 4, "before, after, and between three sentences"
    for pause in pauses:
        inside = speech.samples[int((pause.start + 0.02) * rate) : int((pause.end - 0.02) * rate)]
        assert np.sqrt((inside**2).mean()) < 0.03 * loud
    for first, second in zip(speech.phonemes, speech.phonemes[1:], strict=False):
        if not first.symbol and second.symbol:
            onset = speech.samples[int(second.start * rate) : int((second.start + 0.12) * rate)]
            assert np.sqrt((onset**2).mean()) > 0.02 * loud


def test_words_come_when_a_listener_hears_them(
    hibari: SpeechSynthesizer, voices: VoiceCatalogue, listener: Listener
) -> None:
    """The listener's own clock is coarse: late by a tenth of a second, and uneven."""
    text = "Yesterday the farmer carried seven baskets of golden apples to the market. "
    speech = speak(hibari, voices, "woman", text + "Nobody wanted any, so everybody got one.")
    heard = listener.hear(speech.samples, speech.sample_rate)
    assert [word for word, _, _ in heard] == [plain(word.text) for word in speech.words]
    late = np.array([h[1] - w.start for h, w in zip(heard, speech.words, strict=True)])
    assert abs(np.median(late)) < 0.15
    assert np.quantile(np.abs(late - np.median(late)), 0.8) < 0.2


def test_words_are_made_of_their_phonemes(
    hibari: SpeechSynthesizer, voices: VoiceCatalogue
) -> None:
    speech = speak(hibari, voices, "woman", "Happy birthday, dear lighthouse!")
    assert [word.text for word in speech.words] == ["Happy", "birthday", "dear", "lighthouse"]
    spelled = [
        [p.symbol for p in speech.phonemes if word.start <= (p.start + p.end) / 2 < word.end]
        for word in speech.words
    ]
    assert spelled[0] == ["h", "æ", "p", "i"]
    assert spelled[3] == ["l", "aɪ", "t", "h", "aʊ", "s"]
    stressed = [p.symbol for p in speech.phonemes if p.stressed]
    assert stressed[:2] == ["æ", "ɜ"]


def test_a_cue_stands_where_it_was_written(
    hibari: SpeechSynthesizer, voices: VoiceCatalogue
) -> None:
    text = "*yawns* Good morning. *stretches* Did you sleep well? (smiles)"
    speech = speak(hibari, voices, "woman", text)
    cues = {cue.action: cue.time for cue in speech.cues}
    assert list(cues) == ["yawns", "stretches", "smiles"]
    assert cues["yawns"] == pytest.approx(speech.words[0].start)
    assert cues["stretches"] == pytest.approx(speech.words[2].start)
    assert cues["smiles"] >= speech.words[-1].end - 1e-6
