"""Whisper on this machine: hears what was said, and nothing that was not."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest

from engine.hearing.base import NothingHeardError, SpeechRecognizer
from engine.hearing.doubts import believable
from engine.hearing.recording import SAMPLE_RATE, read_recording
from engine.hearing.settings import HearingSettings
from engine.hearing.whisper import WhisperRecognizer
from engine.models.catalogue import Catalogue
from engine.models.store import ModelStore
from engine.speech.base import Speech
from engine.speech.hibari import HibariSynthesizer
from personas.errors import InvalidInputError, UnavailableError
from personas.persona import Voice
from tests.engine.hearing.recordings import noise, recording, silence


def plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z']+", text.lower()))


def test_a_voice_message_is_understood(english_ears: SpeechRecognizer, spoken: Speech) -> None:
    data = recording(spoken.samples, spoken.sample_rate, "voice message")
    heard = english_ears.transcribe(data)
    assert jiwer.wer(plain(spoken.text), plain(heard.text)) <= 0.15
    assert heard.language == "en"
    assert heard.duration == pytest.approx(spoken.duration, abs=0.2)


def test_speech_is_understood_in_whatever_it_comes(
    english_ears: SpeechRecognizer, speaker: HibariSynthesizer
) -> None:
    """One after the other in one recording, as a model takes half a minute at a time."""
    sentences = {
        "video note": "The quick brown fox jumps over the lazy dog near the river.",
        "m4a": "Please bring me three cups of tea and a slice of chocolate cake.",
        "mp3": "We walked along the beach until the sun went down behind the hills.",
        "wav": "My grandmother keeps seven chickens and a donkey in her garden.",
    }
    sounds = []
    for kind, sentence in sentences.items():
        speech = speaker.synthesize(sentence, Voice(engine="hibari", preset="woman"))
        data = recording(speech.samples, speech.sample_rate, kind)
        sounds.append(read_recording(data, max_seconds=20, max_bytes=10**7))
    joined = np.concatenate(sounds)
    assert len(joined) < 30 * SAMPLE_RATE
    heard = english_ears.transcribe(recording(joined, SAMPLE_RATE))
    assert jiwer.wer(plain(" ".join(sentences.values())), plain(heard.text)) <= 0.15


def test_words_stand_where_they_were_said_even_after_a_long_silence(
    english_ears: SpeechRecognizer, spoken: Speech
) -> None:
    pause = silence(4, spoken.sample_rate)
    samples = np.concatenate([pause, spoken.samples, pause, spoken.samples])
    heard = english_ears.transcribe(recording(samples, spoken.sample_rate))
    second = 4 + spoken.duration + 4
    said = [(w.text.strip(" .,!").lower(), w.start) for w in spoken.words]
    ship = next(at for word, at in said if word == "ship")
    times = [word.start for word in heard.words if "ship" in word.text.lower()]
    assert times == pytest.approx([4 + ship, second + ship], abs=0.3)
    assert all(a.start <= a.end <= heard.duration for a in heard.words)


@pytest.mark.parametrize("level", [0.003, 0.1, 0.6])
def test_nobody_speaks_in_noise(level: float, english_ears: SpeechRecognizer) -> None:
    with pytest.raises(NothingHeardError, match="I hear nobody speak"):
        english_ears.transcribe(recording(noise(6, level=level), 16_000))


def test_nobody_speaks_in_a_tune(english_ears: SpeechRecognizer) -> None:
    notes = np.repeat([220.0, 247, 262, 294, 330, 392, 330, 262], 8_000)
    tune = 0.2 * np.sin(np.cumsum(2 * np.pi * notes / 16_000))
    with pytest.raises(NothingHeardError):
        english_ears.transcribe(recording(tune.astype(np.float32), 16_000))


def test_what_is_too_long_is_refused_before_anybody_listens(
    english_ears: SpeechRecognizer,
) -> None:
    with pytest.raises(InvalidInputError, match="at most 30 seconds"):
        english_ears.transcribe(recording(noise(40), 16_000))


def test_many_may_speak_at_once(english_ears: SpeechRecognizer, spoken: Speech) -> None:
    data = recording(spoken.samples, spoken.sample_rate, "voice message")
    with ThreadPoolExecutor(2) as pool:
        texts = {heard.text for heard in pool.map(english_ears.transcribe, [data] * 2)}
    assert len(texts) == 1


def test_the_language_that_is_expected_is_no_command(
    ears: SpeechRecognizer, spoken: Speech
) -> None:
    """Somebody may speak English to a persona that speaks German."""
    data = recording(spoken.samples, spoken.sample_rate, "voice message")
    heard = ears.transcribe(data, "de-AT")
    assert heard.language == "en"
    assert jiwer.wer(plain(spoken.text), plain(heard.text)) <= 0.15


def test_a_model_that_is_not_here_is_named_with_the_command(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, Catalogue.load(), offline=True)
    ears = WhisperRecognizer("whisper-base", lambda: store.path("whisper-base"), HearingSettings())
    with pytest.raises(UnavailableError, match="chatanything models pull whisper-base"):
        ears.warm_up()


def test_a_missing_package_is_named_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    monkeypatch.delitem(sys.modules, "engine.hearing.ears", raising=False)
    ears = WhisperRecognizer("whisper-base", lambda: tmp_path, HearingSettings())
    with pytest.raises(UnavailableError, match=r'pip install "chatanything\[hearing\]"'):
        ears.warm_up()


def test_a_damaged_model_is_named_with_the_command(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"no model")
    ears = WhisperRecognizer("whisper-base", lambda: tmp_path, HearingSettings())
    with pytest.raises(UnavailableError, match="models verify whisper-base"):
        ears.warm_up()


@pytest.mark.parametrize(
    ("text", "figures", "said"),
    [
        ("Hello there.", (0.1, -0.3, 1.1), True),
        ("Mumbled, but in a quiet room.", (0.2, -1.2, 1.1), True),
        ("Loud and clear in the wind.", (0.8, -0.3, 1.1), True),
        ("Thanks for watching!", (0.8, -0.9, 1.1), False),
        ("Guessed from nothing.", (0.1, -1.7, 1.1), False),
        ("na na na na na na na na na na", (0.1, -0.2, 9.0), False),
        ("...", (0.0, -0.1, 1.0), False),
        ("Figures that are none.", (float("nan"), -0.1, 1.0), False),
    ],
)
def test_what_the_model_made_up_is_left_out(
    text: str, figures: tuple[float, float, float], said: bool
) -> None:
    no_speech, log_probability, compression = figures
    assert said == believable(
        text, no_speech=no_speech, log_probability=log_probability, compression=compression
    )


def test_a_recording_in_which_all_is_made_up_holds_nothing(
    english_ears: SpeechRecognizer, spoken: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doubtful(*_: Any, **__: Any) -> bool:
        return False

    monkeypatch.setattr("engine.hearing.whisper.believable", doubtful)
    with pytest.raises(NothingHeardError, match="cannot make out a word"):
        english_ears.transcribe(recording(spoken.samples, spoken.sample_rate))
