"""Kokoro: what surrounds the network with a small one in its place, then the real one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.models.catalogue import Catalogue
from engine.models.store import ModelStore
from engine.speech.base import Speech, SpeechSynthesizer
from engine.speech.graphs import renamed_result
from engine.speech.kokoro import KokoroSynthesizer, mixture, resampled
from engine.speech.kokoro_model import MODEL, KokoroModel
from engine.speech.settings import SpeechSettings
from personas.errors import InvalidInputError, NotFoundError, UnavailableError
from personas.persona import Voice
from personas.voices import VoiceCatalogue, VoicePreset
from tests.engine.speech.conftest import Listener, plain
from tests.engine.speech.contract import SynthesizerContract, contract_settings
from tests.engine.speech.sound import hiss_lag, median_pitch
from tests.fakes.kokoro import SECONDS_A_SYMBOL, SPEAKERS, write_kokoro


def catalogue(**speakers: str) -> VoiceCatalogue:
    """Presets by name; what stands after a colon is an effect."""
    usual = {"engine": "kokoro", "gender": "neutral", "age": "adult", "tone": ["plain"]}
    rows = {name: speaker.partition(":") for name, speaker in speakers.items()}
    return VoiceCatalogue(
        VoicePreset.model_validate(
            {"name": name, "description": name, **usual}
            | {"speaker": speaker, "effect": effect or "none"}
        )
        for name, (speaker, _, effect) in rows.items()
    )


VOICES = catalogue(
    woman="af_heart",
    man="am_puck",
    both="af_heart*0.6 + am_puck*0.4",
    nobody="af_nobody",
    nonsense="af_heart*lots",
    shaky="af_heart:tremor",
    rough="af_heart:growl",
    hollow="af_heart:echo",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_kokoro(tmp_path_factory.mktemp("kokoro"))


@pytest.fixture(scope="module")
def whistler(folder: Path) -> KokoroSynthesizer:
    return KokoroSynthesizer(contract_settings(), VOICES, folder=lambda: folder)


def speak(engine: SpeechSynthesizer, text: str, preset: str = "woman", **shaping: float) -> Speech:
    return engine.synthesize(text, Voice(engine="kokoro", preset=preset, **shaping))


class TestContract(SynthesizerContract):
    @pytest.fixture(scope="class")
    def synthesizer(self, folder: Path) -> SpeechSynthesizer:
        return KokoroSynthesizer(contract_settings(), VOICES, folder=lambda: folder)


def test_every_phoneme_has_the_time_that_the_network_gave_it(whistler: KokoroSynthesizer) -> None:
    speech = speak(whistler, "Sensible owls")
    inner = [p for p in speech.phonemes if p.symbol][1:-1]
    lengths = np.array([phoneme.end - phoneme.start for phoneme in inner])
    # a stress mark's time is its vowel's, a space's is shared
    assert np.round(lengths / SECONDS_A_SYMBOL * 2).min() >= 2
    assert lengths == pytest.approx(np.round(lengths / SECONDS_A_SYMBOL * 2) / 2 * SECONDS_A_SYMBOL)


@pytest.mark.parametrize(("preset", "hertz"), [("woman", 200), ("man", 100), ("both", 160)])
def test_speakers_are_mixed_in_their_shares(
    whistler: KokoroSynthesizer, preset: str, hertz: float
) -> None:
    speech = speak(whistler, "Why are we in a yellow year", preset, range=0)
    assert median_pitch(speech) == pytest.approx(hertz, rel=0.04)


@pytest.mark.parametrize(
    ("pitch", "formant"), [(1.5, 1.0), (0.6, 1.0), (1.0, 1.3), (1.6, 1.25), (0.55, 0.8)]
)
def test_pitch_is_what_was_asked_whatever_the_throat(
    whistler: KokoroSynthesizer, pitch: float, formant: float
) -> None:
    speech = speak(whistler, "Why are we in a yellow year", pitch=pitch, formant=formant, range=0)
    assert median_pitch(speech) == pytest.approx(200 * pitch, rel=0.05)


def test_the_throat_does_not_change_the_pace(whistler: KokoroSynthesizer) -> None:
    usual = speak(whistler, "Why are we in a yellow year")
    for formant in (0.75, 1.5):
        changed = speak(whistler, "Why are we in a yellow year", formant=formant)
        assert changed.duration == pytest.approx(usual.duration, rel=0.12)
        assert [w.text for w in changed.words] == [w.text for w in usual.words]


def test_the_melody_widens_and_narrows_around_its_mean(folder: Path) -> None:
    model = KokoroModel(lambda: folder)
    style = model.style("af_heart")
    plan = {melody: model.speak("ababab", style, melody=melody).samples for melody in (0, 1, 2)}
    steps = {melody: np.diff(np.flatnonzero(np.diff(np.sign(x)) > 0)) for melody, x in plan.items()}
    spread = {melody: float(np.std(np.log(lengths))) for melody, lengths in steps.items()}
    assert spread[0] < 0.02 < 0.5 * spread[1] < 0.4 * spread[2]
    assert all(np.median(24_000 / x) == pytest.approx(200, rel=0.25) for x in steps.values())


def test_no_breath_is_a_tone_and_only_breath_is_none(whistler: KokoroSynthesizer) -> None:
    assert median_pitch(speak(whistler, "Why are we away")) > 0
    with pytest.raises(InvalidInputError):  # this network cannot whisper: it falls silent
        speak(whistler, "Why are we away", breath=1.0)


@pytest.mark.parametrize("preset", ["shaky", "rough", "hollow"])
def test_effects_change_the_sound_and_not_the_times(
    whistler: KokoroSynthesizer, preset: str
) -> None:
    usual = speak(whistler, "Why are we away")
    changed = speak(whistler, "Why are we away", preset)
    starts = [word.start for word in usual.words]
    assert [word.start for word in changed.words] == pytest.approx(starts, abs=0.04)
    size = len(usual.samples)
    assert not np.allclose(changed.samples[:size], usual.samples[: len(changed.samples)], atol=0.01)


def test_a_rate_beyond_what_the_network_can_is_the_nearest(folder: Path) -> None:
    model = KokoroModel(lambda: folder)
    lengths = [model.speak("aia", model.style("am_puck"), speed=s).seconds.sum() for s in (9, 2)]
    assert lengths[0] == lengths[1]


def test_a_mixture_is_read_as_it_is_written() -> None:
    assert mixture("af_heart") == {"af_heart": 1.0}
    assert mixture("af_heart*3+am_puck") == {"af_heart": 0.75, "am_puck": 0.25}
    assert mixture("bm_lewis *.5 + bm_lewis*0.5") == {"bm_lewis": 1.0}
    for wrong in ("", "af_heart*", "af_heart*-1", "../af_heart", "af_heart*0", "a+b", "af_heart*x"):
        with pytest.raises(InvalidInputError) as caught:
            mixture(wrong)
        assert str(caught.value).endswith(".")


def test_a_voice_that_there_is_not_is_named(whistler: KokoroSynthesizer) -> None:
    with pytest.raises(NotFoundError, match="af_nobody"):
        speak(whistler, "Hello.", "nobody")
    with pytest.raises(InvalidInputError, match="af_heart"):
        speak(whistler, "Hello.", "nonsense")


def test_without_the_model_it_says_how_to_get_it(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, Catalogue.load())
    engine = KokoroSynthesizer(voices=VOICES, folder=lambda: store.path(MODEL))
    for act in (engine.warm_up, lambda: speak(engine, "Hello.")):
        with pytest.raises(UnavailableError, match=f"chatanything models pull {MODEL}"):
            act()


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x08"])
def test_a_damaged_model_is_said_to_be_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kokoro.onnx").write_bytes(content)
    engine = KokoroSynthesizer(voices=VOICES, folder=lambda: tmp_path)
    with pytest.raises(UnavailableError, match=f"chatanything models verify {MODEL}"):
        speak(engine, "Hello.")


def test_a_result_is_renamed_only_where_it_is_made_once() -> None:
    with pytest.raises(ValueError, match="exactly once"):
        renamed_result(b"nothing", "old", "new")
    with pytest.raises(ValueError, match="exactly once"):
        renamed_result(b"\x12\x03old", "old", "newer")


def test_played_faster_a_tone_is_higher_and_shorter() -> None:
    time = np.arange(24_000) / 24_000
    tone = np.sin(2 * np.pi * 200 * time).astype(np.float32)
    faster = resampled(tone, 1.25)
    assert len(faster) == 19_200
    assert np.abs(np.fft.rfft(faster)).argmax() * 24_000 / len(faster) == pytest.approx(250, abs=2)
    wanted = np.sin(2 * np.pi * 250 * time[100:19_100])
    assert np.abs(faster[100:-100] - wanted).max() < 0.02


def test_the_real_model_is_understood_and_timed_in_a_changed_voice(
    require_model: Callable[[str], Path], listener: Listener
) -> None:
    """Two seconds of speech: where others work too, it takes longer to speak than to listen."""
    path = require_model(MODEL)
    text = "She sells fresh fish at the seaside."
    voices = catalogue(mixed="bm_george*0.7+bf_emma*0.3")
    kokoro = KokoroSynthesizer(SpeechSettings(), voices, folder=lambda: path)
    speech = speak(kokoro, text, "mixed", pitch=0.8, formant=0.9, range=0.6)
    heard = listener.hear(speech.samples, speech.sample_rate)
    assert " ".join(word for word, _, _ in heard) == plain(text)
    assert 95 < median_pitch(speech) < 140
    assert abs(hiss_lag(speech)) <= 0.02


def test_the_small_network_has_the_speakers_it_says(folder: Path) -> None:
    assert {path.stem for path in folder.glob("*.bin")} == set(SPEAKERS)
