"""What every speech synthesizer keeps to.

An engine's own test module has a class that inherits from `SynthesizerContract` and gives it the
engine as a fixture:

    class TestContract(SynthesizerContract):
        @pytest.fixture(scope="class")
        def synthesizer(self) -> SpeechSynthesizer:
            return MySynthesizer(contract_settings())
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import pytest

from engine.speech.base import Speech, SpeechSynthesizer
from engine.speech.loudness import loudness
from engine.speech.phonemes import INVENTORY
from engine.speech.settings import SpeechSettings
from personas.errors import InvalidInputError
from personas.persona import Voice

TEXT = "Well, hello! *waves* I paid $3.50 for 2 apples. Do you like them? 😀"


def contract_settings() -> SpeechSettings:
    """What the engine under test is made with."""
    return SpeechSettings(max_seconds=12)


class SynthesizerContract:
    """Inherit, and give a fixture `synthesizer`; `preset` is one of its English voices."""

    preset: ClassVar[str] = "woman"
    unspeakable: ClassVar[tuple[str, ...]] = (
        "", " \n ", "…", "*smiles*", "Привет", "你好", "$$$", "\x00",
    )  # fmt: skip

    @pytest.fixture(scope="class")
    def voice(self, synthesizer: SpeechSynthesizer) -> Voice:
        return Voice(engine=synthesizer.name, preset=self.preset)

    @pytest.fixture(scope="class")
    def speech(self, synthesizer: SpeechSynthesizer, voice: Voice) -> Speech:
        return synthesizer.synthesize(TEXT, voice)

    def test_it_says_what_it_can_do(self, synthesizer: SpeechSynthesizer) -> None:
        assert synthesizer.name
        assert synthesizer.capabilities.languages

    def test_samples_are_mono_floats_within_full_scale(self, speech: Speech) -> None:
        assert speech.samples.dtype == np.float32
        assert speech.samples.ndim == 1
        assert np.isfinite(speech.samples).all()
        assert np.abs(speech.samples).max() <= 10 ** (-1 / 20) + 1e-3

    def test_it_is_as_loud_as_every_other_voice(self, speech: Speech) -> None:
        assert loudness(speech.samples, speech.sample_rate) == pytest.approx(-18, abs=1.0)

    def test_it_starts_and_ends_in_silence(self, speech: Speech) -> None:
        edge = int(0.08 * speech.sample_rate)
        assert np.abs(speech.samples[:edge]).max() < 1e-3
        assert np.abs(speech.samples[-edge:]).max() < 1e-3
        assert abs(float(speech.samples.mean())) < 1e-3

    def test_phonemes_cover_all_of_it_without_gaps(
        self, synthesizer: SpeechSynthesizer, speech: Speech
    ) -> None:
        if not synthesizer.capabilities.phoneme_timing:
            pytest.skip("knows no phonemes")
        assert speech.phonemes[0].start == 0.0
        assert speech.phonemes[-1].end == pytest.approx(speech.duration)
        for before, after in zip(speech.phonemes, speech.phonemes[1:], strict=False):
            assert before.end == after.start
            assert before.symbol or after.symbol, "two pauses in a row are one"
        assert all(phoneme.end > phoneme.start for phoneme in speech.phonemes)
        assert {phoneme.symbol for phoneme in speech.phonemes} - {""} <= INVENTORY

    def test_words_come_in_order_inside_the_speech(
        self, synthesizer: SpeechSynthesizer, speech: Speech
    ) -> None:
        if not synthesizer.capabilities.word_timing:
            pytest.skip("knows no words")
        assert [word.text for word in speech.words][:4] == ["Well", "hello", "I", "paid"]
        assert speech.words[0].start > 0
        assert speech.words[-1].end < speech.duration
        for before, after in zip(speech.words, speech.words[1:], strict=False):
            assert before.start < before.end <= after.start + 1e-9

    def test_it_says_what_was_spoken_and_where_the_directions_stood(self, speech: Speech) -> None:
        assert speech.text == "Well, hello! I paid $3.50 for 2 apples. Do you like them?"
        assert [cue.action for cue in speech.cues] == ["waves", "smiles"]
        assert speech.words[1].end <= speech.cues[0].time <= speech.words[2].start + 1e-9
        assert speech.words[-1].end <= speech.cues[1].time + 1e-9
        assert speech.cues[1].time <= speech.duration

    def test_the_same_text_and_voice_sound_the_same(
        self, synthesizer: SpeechSynthesizer, voice: Voice, speech: Speech
    ) -> None:
        again = synthesizer.synthesize(TEXT, voice)
        assert np.array_equal(again.samples, speech.samples)
        assert again.phonemes == speech.phonemes

    def test_many_threads_may_speak_at_once(
        self, synthesizer: SpeechSynthesizer, voice: Voice, speech: Speech
    ) -> None:
        with ThreadPoolExecutor(4) as pool:
            spoken = list(pool.map(lambda _: synthesizer.synthesize(TEXT, voice), range(4)))
        assert all(np.array_equal(other.samples, speech.samples) for other in spoken)

    def test_what_cannot_be_spoken_is_refused_with_a_sentence(
        self, synthesizer: SpeechSynthesizer, voice: Voice
    ) -> None:
        for text in self.unspeakable:
            with pytest.raises(InvalidInputError) as caught:
                synthesizer.synthesize(text, voice)
            assert str(caught.value).endswith(".")

    def test_a_long_answer_is_spoken_up_to_the_limit_in_whole_sentences(
        self, synthesizer: SpeechSynthesizer, voice: Voice
    ) -> None:
        long = synthesizer.synthesize("The sea is wide and blue today, my friend. " * 2_000, voice)
        assert 7 < long.duration <= 12
        assert long.text.endswith("my friend.")
        assert len(long.words) % 9 == 0

    def test_a_sentence_longer_than_the_limit_is_cut_between_words(
        self, synthesizer: SpeechSynthesizer, voice: Voice
    ) -> None:
        long = synthesizer.synthesize("and then we sailed and " * 500, voice)
        assert 8 < long.duration <= 12
        assert long.text.endswith("…")
        assert len(long.text.split()) == len(long.words)

    @pytest.mark.parametrize("text", ["I", "Hmm.", "x" * 3_000, "a-b-c-d", "Łódź!", "No. No. No."])
    def test_odd_texts_are_spoken(
        self, synthesizer: SpeechSynthesizer, voice: Voice, text: str
    ) -> None:
        spoken = synthesizer.synthesize(text, voice)
        assert spoken.words
        assert np.isfinite(spoken.samples).all()
