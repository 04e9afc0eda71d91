"""Casting: who plays a part, in which language, and who stands in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest

from personas.errors import UnavailableError
from personas.persona import Personality, Voice
from personas.voices import OFFERED, Part, VoiceCatalogue, VoicePreset, load_voices, parse_voices
from personas.voices.fit import TIE
from personas.voices.greetings import ENGLISH, greeting
from personas.voices.tags import ANY, primary, region, speaks

VOICES = load_voices()


class Here:
    """A roster in which these engines can speak; the first that knows a language is cast from."""

    def __init__(self, *engines: str) -> None:
        self.engines = engines

    def engines_for(self, language: str) -> Sequence[str]:
        return [
            engine
            for engine in self.engines
            if any(p.engine == engine and speaks(p.language, language) for p in VOICES.presets())
        ][:1]

    def obstacle(self, engine: str) -> str:
        return "" if engine in self.engines else "it is not installed; `pip install it` adds it."


def somebody(language: str = "en", kind: str = "teapot", **traits: str) -> Personality:
    return Personality.model_validate(
        {
            "name": "Ada",
            "kind": kind,
            "character": f"You are a {kind}.",
            "greeting": "Hello!",
            "language": language,
            **traits,
        }
    )


# -- the catalogue that comes with the program


def test_every_entry_is_valid_and_explains_itself() -> None:
    for preset in VOICES.presets():
        assert VoicePreset.model_validate(preset.model_dump()) == preset
        assert preset.speaker or preset.engine == "hibari", preset.name


def test_it_has_voices_for_both_sexes_in_every_language_of_edge_and_espeak() -> None:
    for engine, languages in (("edge", 70), ("espeak", 95)):
        found: dict[str, set[str]] = defaultdict(set)
        for preset in VOICES.presets():
            if preset.engine == engine:
                found[primary(preset.language)].add(preset.gender)
        assert len(found) >= languages
        assert all({"female", "male"} <= genders for genders in found.values()), engine


def test_there_are_two_dozen_english_voices_that_need_nothing() -> None:
    built_in = [p for p in VOICES.presets() if p.engine == "hibari"]
    assert len(built_in) >= 24
    assert Counter(p.gender for p in built_in).keys() == {"female", "male", "neutral"}
    assert Counter(p.age for p in built_in).keys() == {"child", "young", "adult", "old"}


@pytest.mark.parametrize("character", ["giant", "child", "old", "lady", "robot"])
@pytest.mark.parametrize("language", ["de", "fr", "ja", "pt", "sw"])
def test_characters_speak_every_language(character: str, language: str) -> None:
    found = [p for p in VOICES.speaking(language) if p.character == character]
    assert found
    giant = next((p for p in found if p.character == "giant"), None)
    assert giant is None or giant.pitch < 0.8


def test_shaped_speakers_stay_within_what_can_be_understood() -> None:
    for preset in VOICES.presets():
        if preset.engine != "hibari":
            assert 0.5 <= preset.pitch <= 1.8
            assert 0.7 <= preset.formant <= 1.4


def test_no_two_voices_have_one_name() -> None:
    preset = VOICES.presets()[0]
    with pytest.raises(ValueError, match=f"two voices called {preset.name}"):
        VoiceCatalogue([preset, preset])


# -- languages


@pytest.mark.parametrize(
    ("tag", "wanted", "expected"),
    [
        ("de-DE", "de", True),
        ("de", "de-AT", True),
        ("zh-TW", "zh-Hant", True),
        ("nb-NO", "no", True),
        ("fil-PH", "tl", True),
        (ANY, "sw", True),
        ("pt-BR", "es", False),
        ("yue", "zh", False),
    ],
)
def test_a_region_falls_back_to_its_language(tag: str, wanted: str, expected: bool) -> None:
    assert speaks(tag, wanted) is expected


def test_tags_are_read_however_they_are_written() -> None:
    assert (primary("PT_br"), region("PT_br")) == ("pt", "BR")
    assert (primary("zh-Hant-TW"), region("zh-Hant-TW")) == ("zh", "TW")
    assert region("sr-Latn") == ""


@pytest.mark.parametrize("language", ["de", "de-CH", "pt-BR", "ja", "nb", "sw"])
def test_a_persona_speaks_its_own_language(language: str) -> None:
    voices = VOICES.available(Here("hibari", "edge", "espeak"))
    for seed in range(10):
        preset = voices.resolve("", somebody(language), seed=seed)
        assert speaks(preset.language, language)
        assert preset.engine == "edge"


def test_its_own_region_is_preferred() -> None:
    voices = VOICES.available(Here("edge"))
    man = {"gender": "male"}
    for language in ("de-AT", "pt-PT", "es-MX", "en-GB"):
        preset = voices.resolve("man", somebody(language, **man))
        assert preset.language == language


def test_a_choice_in_another_language_keeps_its_character() -> None:
    voices = VOICES.available(Here("hibari", "edge", "espeak"))
    assert voices.resolve("giant", somebody("de")).character == "giant"
    assert voices.resolve("granny-katja", somebody("en")).name == "granny"
    assert voices.resolve("robot", somebody("sw")).language == "sw-KE"


def test_who_cannot_speak_here_is_not_cast() -> None:
    voices = VOICES.available(Here("hibari", "espeak"))
    assert voices.resolve("giant-conrad", somebody("de")).name == "giant-de-m3"
    with pytest.raises(UnavailableError, match="pip install it"):
        voices.get("giant-conrad")
    assert all(VOICES.get(name).engine == "hibari" for name in voices.shortlist(part("a cat")))


def test_it_tells_who_is_ready() -> None:
    voices = VOICES.available(Here("hibari", "espeak"))
    assert {preset.engine for preset in voices.ready()} == {"hibari", "espeak"}
    assert VOICES.ready() == VOICES.presets()


def test_a_language_that_nobody_speaks_is_spoken_with_an_accent() -> None:
    preset = VOICES.available(Here("hibari")).resolve("", somebody("tlh", gender="male"))
    assert (preset.engine, preset.gender) == ("hibari", "male")


def test_it_works_where_nothing_can_speak_at_all() -> None:
    voices = VOICES.available(Here())
    assert voices.resolve("", somebody("de")).name in VOICES.names()
    assert voices.shortlist(part("a cat"))


# -- parts


def part(description: str, language: str = "") -> Part:
    return Part.described(description, language=language)


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("a tiny nervous robot", "robot"),
        ("a huge old mountain troll", "giant ogre"),
        ("a wicked witch", "crone granny"),
        ("the ghost of a pirate", "ghost"),
        ("an opera singer, a woman", "diva lady"),
        ("a wise old owl", "sage narrator old"),
        ("a cheeky little boy", "boy"),
        ("an alien from a far galaxy", "alien ghost"),
    ],
)
def test_a_description_is_cast_for_a_reason(description: str, expected: str) -> None:
    best = VOICES.candidates(part(description))[0]
    assert best.preset.name in expected.split()
    assert best.reasons
    assert best.score == pytest.approx(sum(points for _, points in best.reasons), abs=TIE)


def test_a_model_is_offered_few_voices_that_suit_the_part_and_differ() -> None:
    for text, language in (("a grumpy lighthouse", ""), ("ein Roboter", "de"), ("猫", "ja")):
        offered = VOICES.shortlist(part(text, language))
        assert len(offered) == OFFERED
        characters = {preset.character for name in offered if (preset := VOICES.find(name))}
        assert len(characters) >= OFFERED - 2
        assert len(", ".join(offered)) < 400, "a small model reads every letter of it"
    assert "captain" in VOICES.shortlist(part("a grumpy pirate captain"))


# -- a gallery


def test_a_gallery_of_fifty_has_fifty_voices() -> None:
    for language in ("en", "de"):
        cast: list[Voice] = []
        for seed in range(50):
            who = somebody(language, "spoon", gender="neutral")
            preset = VOICES.resolve("", who, seed=seed, taken=cast)
            cast.append(VOICES.cast(preset.name, seed, taken=cast))
        assert len({voice.model_dump_json() for voice in cast}) == 50
        used = Counter(voice.preset for voice in cast)
        assert len(used) >= 10
        assert max(used.values()) <= 8


def test_ties_are_broken_by_the_seed() -> None:
    chosen = [VOICES.resolve("", somebody(kind="spoon"), seed=seed).name for seed in range(50)]
    assert len(set(chosen)) >= 6
    assert chosen[7] == VOICES.resolve("", somebody(kind="spoon"), seed=7).name


def test_voices_of_one_preset_keep_apart() -> None:
    cast: list[Voice] = []
    for seed in range(6):
        cast.append(VOICES.cast("woman", seed, taken=cast))
    near = [
        (a.pitch, b.pitch)
        for i, a in enumerate(cast)
        for b in cast[i + 1 :]
        if abs(a.pitch / b.pitch - 1) < 0.01 and abs(a.formant / b.formant - 1) < 0.005
    ]
    assert near == []


# -- understudies


def understudy(voice: Voice, language: str, *engines: str) -> VoicePreset:
    stands_in = VOICES.understudies(voice, language, engines)[0]
    return VOICES.get(stands_in.preset)


@pytest.mark.parametrize(
    ("own", "language", "engines", "expected"),
    [
        ("woman-katja", "de", ("espeak",), "woman-de-f3"),
        ("giant-conrad", "de", ("hibari", "espeak"), "giant-de-m3"),
        ("granny-jenny", "en-US", ("hibari",), "granny"),
        ("man-guy", "en-US", ("hibari",), "man"),
        ("tiny", "en", ("espeak",), "tiny-en-f3"),
    ],
)
def test_the_nearest_voice_stands_in(
    own: str, language: str, engines: tuple[str, ...], expected: str
) -> None:
    assert understudy(VOICES.cast(own, 3), language, *engines).name == expected


def test_there_is_one_understudy_of_each_engine_that_has_voices() -> None:
    found = VOICES.understudies(VOICES.cast("woman", 1), "en", ("edge", "espeak", "parrot"))
    assert sorted(voice.engine for voice in found) == ["edge", "espeak"]


def test_a_stranger_is_taken_at_its_word() -> None:
    stranger = Voice(engine="parrot", preset="old-man-from-elsewhere", pitch=3.9, rate=2.4)
    preset = understudy(stranger, "en", "hibari")
    assert (preset.gender, preset.age) == ("male", "old")


def test_a_small_catalogue_of_ones_own_works_too() -> None:
    voices = parse_voices(
        {"aunt": {"gender": "female", "age": "old", "tone": ["sharp"], "description": "an aunt"}}
    )
    assert voices.resolve("giant", somebody("de", gender="male")).name == "aunt"
    assert voices.shortlist(part("a cat")) == ("aunt",)
    assert voices.understudies(Voice(engine="x", preset="y"), "fr", ("hibari",))


def test_a_voice_says_hello_in_its_language() -> None:
    assert greeting("de-AT").startswith("Hallo")
    assert greeting("tlh") == greeting("en") == ENGLISH
