"""The catalogue of voices: found by name, repaired when invented, varied by seed."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from personas.errors import NotFoundError
from personas.persona import Age, Gender, Personality
from personas.voices import VoiceCatalogue, load_voices, parse_voices

VOICES = load_voices()
BUILT_IN = [preset for preset in VOICES.presets() if preset.engine == "hibari"]


def somebody(kind: str = "thing", gender: Gender = "neutral", age: Age = "adult") -> Personality:
    return Personality(
        name="Ada",
        kind=kind,
        character=f"You are a {kind}.",
        greeting="Hello!",
        gender=gender,
        age=age,
    )


def test_the_catalogue_has_the_promised_voices() -> None:
    promised = {"woman", "man", "old", "giant", "child", "tiny", "robot", "whisper"}
    assert promised <= set(VOICES.names())
    assert all(preset.description and preset.tone and preset.words for preset in VOICES.presets())


def test_no_two_voices_have_the_same_shaping() -> None:
    shapes = [(v.pitch, v.formant, v.breath, v.range, v.rate, v.effect) for v in BUILT_IN]
    assert len(set(shapes)) == len(shapes)


def test_an_unknown_voice_is_answered_with_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="“whisper”"):
        VOICES.get("wisper")
    with pytest.raises(NotFoundError, match=r"There are: woman, .*others"):
        VOICES.get("saxophone quartet")


@pytest.mark.parametrize(
    ("name", "who", "expected"),
    [
        ("giant", somebody(), "giant"),
        ("  Giant ", somebody(), "giant"),
        ("whispr", somebody(), "whisper"),
        ("deep male voice", somebody(), "narrator"),
        ("cheerful_girl", somebody(), "girl"),
        ("old man", somebody(), "old"),
        ("", somebody("mouse"), "tiny"),
        ("", somebody("robot vacuum cleaner"), "robot"),
        ("", somebody("teapot", "female", "old"), "granny"),
        ("", somebody("hermit", "male", "old"), "old"),
        ("", somebody("girl", "neutral", "child"), "child"),
        ("none of these", somebody("farmer", "male"), "man"),
        ("", somebody("nurse", "female"), "woman"),
    ],
)
def test_an_invented_name_is_repaired(name: str, who: Personality, expected: str) -> None:
    assert VOICES.resolve(name, who).name == expected


def test_things_without_a_gender_do_not_all_sound_alike() -> None:
    kinds = ["banana", "spoon", "umbrella", "chair", "lamp", "sock", "kettle", "pencil"]
    assert len({VOICES.resolve("", somebody(kind)).name for kind in kinds}) >= 3


def test_a_man_never_gets_a_womans_voice_by_repair() -> None:
    for kind in ("queen bee", "rose", "nurse", "cat", "teapot"):
        assert VOICES.resolve("", somebody(kind, "male")).gender != "female"


@given(st.text(max_size=300), st.text(min_size=1, max_size=80), st.integers())
@settings(max_examples=100, deadline=None)
def test_any_name_and_any_being_get_a_voice(name: str, kind: str, seed: int) -> None:
    preset = VOICES.resolve(name, somebody(kind))
    assert VOICES.cast(preset.name, seed).preset == preset.name


@pytest.mark.parametrize("name", [preset.name for preset in BUILT_IN])
def test_casting_varies_inside_the_preset(name: str) -> None:
    preset = VOICES.get(name)
    cast = [VOICES.cast(name, seed) for seed in range(60)]
    assert len({(v.pitch, v.formant, v.rate) for v in cast}) > 50
    for voice in cast:
        assert voice.engine == preset.engine
        assert abs(voice.pitch / preset.pitch - 1) <= preset.spread.pitch + 0.01
        assert abs(voice.formant / preset.formant - 1) <= preset.spread.formant + 0.01
        assert abs(voice.breath - preset.breath) <= preset.spread.breath + 0.01


def test_the_same_seed_casts_the_same_voice() -> None:
    assert VOICES.cast("woman", 7) == VOICES.cast("woman", 7)
    assert VOICES.cast("woman", 7) != VOICES.cast("woman", 8)


def test_a_whisper_stays_a_whisper_and_a_monotone_a_monotone() -> None:
    assert {VOICES.cast("whisper", seed).breath for seed in range(20)} == {1.0}
    assert {VOICES.cast("robot", seed).range for seed in range(20)} == {0.0}


def test_a_broken_entry_is_refused() -> None:
    entry = {"gender": "female", "age": "adult", "tone": ["warm"], "description": "warm"}
    assert parse_voices({"aunt": entry}).names() == ("aunt",)
    for change in ({"pitch": 9}, {"effect": "reverb"}, {"colour": "red"}, {"tone": []}):
        with pytest.raises(ValidationError):
            parse_voices({"aunt": {**entry, **change}})
    with pytest.raises(ValueError, match="at least one"):
        VoiceCatalogue([])


def test_voices_are_far_enough_apart_to_keep_their_spreads() -> None:
    """Two presets may only overlap in pitch and formant where something else sets them apart."""
    for a, b in itertools.combinations(BUILT_IN, 2):
        near_pitch = abs(a.pitch / b.pitch - 1) < 0.08
        near_formant = abs(a.formant / b.formant - 1) < 0.04
        if near_pitch and near_formant:
            assert a.effect != b.effect or abs(a.breath - b.breath) > 0.2
