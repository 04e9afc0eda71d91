"""eSpeak NG: many languages, each with the times of its phonemes and words."""

from __future__ import annotations

import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from engine.speech.base import Speech, SpeechSynthesizer
from engine.speech.espeak import EspeakReader, EspeakSynthesizer, breaths
from engine.speech.espeak_library import EspeakLibrary
from engine.speech.espeak_phonemes import symbols
from engine.speech.espeak_voices import LANGUAGES, find_language, find_speaker, voice_file
from engine.speech.settings import SpeechSettings
from personas.errors import NotFoundError, UnavailableError
from personas.persona import Voice
from personas.voices import VoiceCatalogue, VoicePreset
from tests.engine.speech.contract import SynthesizerContract, contract_settings
from tests.engine.speech.sound import hiss_lag, median_pitch

SENTENCES = {
    "ar": "مرحبا، أنا منارة قديمة على الصخرة.",
    "cs": "Dobrý den, jsem starý maják na skále.",
    "da": "Goddag, jeg er et gammelt fyrtårn.",
    "de": "Guten Tag, ich bin ein alter Leuchtturm und heiße Jörg.",
    "el": "Καλημέρα, είμαι ένας παλιός φάρος.",
    "es": "Buenos días, soy un viejo faro en la roca.",
    "fi": "Hyvää päivää, olen vanha majakka kalliolla.",
    "fr": "Bonjour, je suis un vieux phare et j'aime la mer.",
    "hi": "नमस्ते, मैं एक पुराना प्रकाशस्तंभ हूँ।",
    "hu": "Jó napot, egy régi világítótorony vagyok.",
    "id": "Selamat pagi, saya mercusuar tua di atas batu.",
    "it": "Buongiorno, sono un vecchio faro sulla roccia.",
    "ko": "안녕하세요, 저는 오래된 등대입니다.",
    "nl": "Goedendag, ik ben een oude vuurtoren op de rots.",
    "pl": "Dzień dobry, jestem starą latarnią morską.",
    "pt-BR": "Bom dia, eu sou um velho farol na rocha.",
    "ro": "Bună ziua, sunt un far vechi pe stâncă.",
    "ru": "Добрый день, я старый маяк на скале.",
    "sv": "God dag, jag är en gammal fyr på klippan.",
    "sw": "Habari, mimi ni mnara wa zamani.",
    "tr": "Merhaba, ben kayanın üstünde eski bir deniz feneriyim.",
    "uk": "Добрий день, я старий маяк на скелі.",
    "vi": "Xin chào, tôi là một ngọn hải đăng cũ.",
    "zh": "你好，我是一个老灯塔。",
}


def catalogue(**presets: dict[str, str]) -> VoiceCatalogue:
    """Presets with nothing but a speaker, a language or an effect."""
    usual = {"engine": "espeak", "gender": "neutral", "age": "adult", "tone": ["plain"]}
    return VoiceCatalogue(
        VoicePreset.model_validate({"name": name, "description": name, **usual, **preset})
        for name, preset in presets.items()
    )


VOICES = catalogue(
    **{tag.lower(): {"language": tag} for tag in SENTENCES},
    man={"speaker": "en-us"},
    woman={"speaker": "en-us+f3"},
    shaky={"speaker": "en-us", "effect": "tremor"},
    rough={"speaker": "en-us", "effect": "growl"},
    hollow={"speaker": "en-us", "effect": "echo"},
    nobody={"speaker": "en-us+nobody"},
    nowhere={"speaker": "tlh"},
)


def speak(text: str, preset: str = "man", **shaping: float) -> Speech:
    settings = SpeechSettings(max_seconds=20)
    voice = Voice(engine="espeak", preset=preset, **shaping)
    return EspeakSynthesizer(settings, VOICES).synthesize(text, voice)


class TestContract(SynthesizerContract):
    @pytest.fixture(scope="class")
    def synthesizer(self) -> SpeechSynthesizer:
        return EspeakSynthesizer(contract_settings(), VOICES)


@pytest.mark.parametrize("tag", SENTENCES)
def test_a_sentence_in_every_language_is_heard_and_timed(tag: str) -> None:
    speech = speak(SENTENCES[tag], tag.lower())
    assert 1.0 < speech.duration < 8.0
    assert np.abs(speech.samples).max() > 0.1

    assert speech.phonemes[0].start == 0.0
    assert speech.phonemes[-1].end == pytest.approx(speech.duration)
    assert all(before.end == after.start for before, after in pairwise(speech.phonemes))
    assert sum(bool(phoneme.symbol) for phoneme in speech.phonemes) >= 12
    letters = {char for phoneme in speech.phonemes for char in phoneme.symbol}
    assert not letters & set("ˈˌ_()12345.-'")

    assert all(w.start < w.end for w in speech.words)
    assert all(before.end <= after.start + 1e-9 for before, after in pairwise(speech.words))
    assert _letters(speech.text) == _letters(SENTENCES[tag])
    assert _letters("".join(word.text for word in speech.words)) == _letters(SENTENCES[tag])
    if tag != "zh":  # where words are written without spaces there are more of them
        assert len(speech.words) == len(SENTENCES[tag].split())
        assert speech.words[0].text == SENTENCES[tag].split()[0].strip(",.،")


def test_every_language_that_it_claims_is_one_of_the_library() -> None:
    library = EspeakLibrary()
    for tag in LANGUAGES:
        assert find_language(library, tag) in library.voices


def test_a_language_is_found_by_its_tag_in_any_form() -> None:
    library = EspeakLibrary()
    wanted = {
        "pt-BR": "pt-br", "pt_PT": "pt-pt", "de-AT": "de", "EN": "en-us", "en-GB": "en-gb",
        "zh-Hans-CN": "zh", "nn-NO": "nb", "zh-HK": "yue", "fr-CA": "fr",
    }  # fmt: skip
    assert {tag: find_language(library, tag) for tag in wanted} == wanted
    with pytest.raises(NotFoundError, match="does not read the language “tlh”"):
        find_language(library, "tlh")


def test_a_speaker_is_a_language_and_a_variant_or_either() -> None:
    library = EspeakLibrary()
    assert find_speaker(library, "de+f3").variant == "f3"
    assert find_speaker(library, "f3", "fr").language == "fr"
    assert find_speaker(library, "", "it-IT").language == "it"
    for name in ("de+../../lang/gmw/de", "de+nobody", "xx+f3"):
        with pytest.raises(NotFoundError):
            find_speaker(library, name)


@pytest.mark.parametrize(
    ("name", "lowest", "consonants"),
    [
        ("en-us+f3", "formant 0 105 120 150", "consonants 150 150"),
        ("en-us+m3", "formant 0 100 150 100", "consonants 150 150"),
        ("en-us", "formant 0 100 150 100", "consonants 150 150"),
        ("id+f2", "formant 0 105 120 150", "consonants 150 150"),
        ("en-us+sandro", None, "consonants 194 255"),
    ],
)
def test_body_and_consonants_of_every_voice_are_strong(
    name: str, lowest: str | None, consonants: str
) -> None:
    """A later line overrules the one before."""
    library = EspeakLibrary()
    plain = Voice(engine="espeak", preset="")
    lines = voice_file(library, find_speaker(library, name), plain).splitlines()
    last = {" ".join(line.split()[: 2 if line.startswith("formant") else 1]): line
            for line in lines}  # fmt: skip
    assert last["consonants"] == consonants
    assert lowest is None or last["formant 0"] == lowest


def test_all_resonances_of_a_smaller_throat_are_higher() -> None:
    library = EspeakLibrary()
    small = Voice(engine="espeak", preset="", formant=1.2)
    lines = voice_file(library, find_speaker(library, "en-us+f3"), small).splitlines()
    bent = [line for line in lines if line.startswith("formant")][-9:]
    assert bent[:4] == [
        "formant 0 126 120 150",
        "formant 1 144 75 150 -50",
        "formant 2 162 70 150 -250",
        "formant 3 150 80 150",
    ]


@pytest.mark.parametrize("preset", ["nobody", "nowhere"])
def test_a_voice_that_there_is_not_is_named(preset: str) -> None:
    with pytest.raises(NotFoundError, match=r"nobody|tlh"):
        speak("Hello.", preset)


HISSING = (
    "She sells sea shells by the sea shore. Six thick sticks were stuck in the sand. "
    "Please stop, take a step back, and look at the past."
)


@pytest.mark.parametrize(
    ("preset", "rate", "formant"), [("man", 1.0, 1.0), ("woman", 0.7, 1.0), ("man", 1.6, 0.8)]
)
def test_phonemes_stand_where_they_sound(preset: str, rate: float, formant: float) -> None:
    """Moving them by more than 15 ms either way would fit the sound less well."""
    assert abs(hiss_lag(speak(HISSING, preset, rate=rate, formant=formant))) <= 0.015


def test_words_that_the_library_reads_together_are_two() -> None:
    speech = speak("It is the end of the day and I am from the sea.")
    assert " ".join(w.text for w in speech.words) == (
        "It is the end of the day and I am from the sea"
    )
    spelled = {
        word.text: "".join(p.symbol for p in speech.phonemes if word.start <= p.start < word.end)
        for word in speech.words
    }
    assert spelled["of"] == "ʌv"
    assert spelled["from"] == "fɹʌm"
    assert spelled["sea"] == "siː"


def test_the_number_in_a_text_is_one_word() -> None:
    speech = speak("Ich bin 42 Jahre alt.", "de")
    assert speech.words[0].text == "Ich"
    assert speech.words[-1].text == "alt"
    assert len(speech.words) >= 5


def test_shaping_is_heard() -> None:
    text = "We were away a year ago, and you know why."
    plain = speak(text)
    pitch = median_pitch(plain)
    assert median_pitch(speak(text, pitch=1.8)) == pytest.approx(1.8 * pitch, rel=0.12)
    assert speak(text, rate=1.5).duration < 0.78 * plain.duration
    assert speak(text, rate=0.6).duration > 1.4 * plain.duration
    larger, smaller = speak(text, formant=0.75), speak(text, formant=1.3)
    assert _brightness(larger) < 0.9 * _brightness(plain) < 0.81 * _brightness(smaller)
    whisper = speak(text, breath=1.0)
    assert _noise(whisper) > 3 * _noise(plain)


@pytest.mark.parametrize("preset", ["shaky", "rough", "hollow"])
def test_effects_change_the_sound_and_not_the_words(preset: str) -> None:
    plain, changed = speak("Hello, my friend."), speak("Hello, my friend.", preset)
    assert [word.text for word in changed.words] == [word.text for word in plain.words]
    assert len(changed.samples) != len(plain.samples) or not np.allclose(
        changed.samples, plain.samples, atol=1e-3
    )


def test_languages_do_not_disturb_each_other_in_threads() -> None:
    tags = ["de", "zh", "ru", "fr"]
    alone = [speak(SENTENCES[tag], tag) for tag in tags]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda tag: speak(SENTENCES[tag], tag), tags))
    for before, after in zip(alone, together, strict=True):
        assert np.array_equal(before.samples, after.samples)
        assert before.phonemes == after.phonemes


def test_a_reader_gives_phonemes_with_their_times_in_any_language() -> None:
    reader = EspeakReader()
    said = reader.read("Bonjour la mer", reader.speaker("", "fr-FR"))
    symbols_ = [span.symbol for span in said.pronounced.spans if span.symbol]
    assert symbols_[:2] == ["b", "ɔ̃"]
    assert list(said.pronounced.texts.values()) == ["Bonjour", "la", "mer"]
    assert said.pronounced.spans[-1].end <= len(said.samples) / said.sample_rate + 1e-6


@pytest.mark.parametrize(
    ("name", "english", "sounds"),
    [
        ("ˈoʊ", True, ["oʊ"]),
        ("aɪɚ", True, ["aɪ", "ɚ"]),
        ("əl", True, ["ə", "l"]),
        ("ᵻ", True, ["ɪ"]),
        ("ɐ", True, ["ə"]),
        ("oː", True, ["ɔː"]),
        ("tɕh", False, ["tɕʰ"]),
        ("s.", False, ["s"]),
        ("ɑ̃", False, ["ɑ̃"]),
        ("i5", False, ["i"]),
        ("r", False, ["r"]),
        ("(en)", False, []),
        ("", False, []),
    ],
)
def test_names_of_phonemes_become_sounds(name: str, english: bool, sounds: list[str]) -> None:
    assert symbols(name, english) == sounds


def test_a_long_sentence_is_read_breath_by_breath() -> None:
    words = ("one two three, " * 60).split()
    parts = list(breaths(" ".join(words), 100))
    assert [word for text, _ in parts for word in text.split()] == words
    assert all(len(text) <= 100 for text, _ in parts)
    assert all(text.endswith(",") for text, _ in parts)
    assert [words[first] for _, first in parts] == [text.split()[0] for text, _ in parts]
    assert list(breaths("x" * 1_000, 100)) == [("x" * 1_000, 0)]


def test_what_is_hostile_is_only_read() -> None:
    for text in ("<speak><mark name='x'/></speak> hello", "[[h@l'oU]] hello", "hi\0there " * 20):
        assert speak(text).words


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(UnavailableError) as caught:
        EspeakSynthesizer(voices=VOICES).warm_up()
    assert 'pip install "chatanything[espeak]"' in str(caught.value)


def _letters(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char)[0] in "LMN")


def _brightness(speech: Speech) -> float:
    """Hz: the middle of the spectrum below 4 kHz, where the first formants are."""
    spectrum = np.abs(np.fft.rfft(speech.samples)) ** 2
    hertz = np.fft.rfftfreq(len(speech.samples), 1 / speech.sample_rate)
    low = (hertz > 150) & (hertz < 4_000)
    return float((spectrum * hertz)[low].sum() / spectrum[low].sum())


def _noise(speech: Speech) -> float:
    """The share of the power that lies above 3 kHz."""
    spectrum = np.abs(np.fft.rfft(speech.samples)) ** 2
    hertz = np.fft.rfftfreq(len(speech.samples), 1 / speech.sample_rate)
    return float(spectrum[hertz > 3_000].sum() / spectrum.sum())
