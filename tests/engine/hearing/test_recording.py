"""Files that people send: read whatever they are, or refused before they cost anything."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hearing.base import NothingHeardError
from engine.hearing.recording import SAMPLE_RATE, Sound, read_recording
from engine.speech.base import Speech
from personas.errors import InvalidInputError
from tests.engine.hearing.recordings import KINDS, noise, recording, silence, silent_film

TONE = (0.3 * np.sin(np.arange(24_000) * 2 * np.pi * 440 / 24_000)).astype(np.float32)


def read(data: bytes, max_seconds: float = 300.0, max_bytes: int = 25_000_000) -> Sound:
    return read_recording(data, max_seconds=max_seconds, max_bytes=max_bytes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stereo", [False, True])
def test_every_kind_of_file_is_the_same_sound(kind: str, stereo: bool) -> None:
    sound = read(recording(TONE, 24_000, kind, stereo=stereo))
    assert sound.dtype == np.float32
    assert len(sound) == pytest.approx(SAMPLE_RATE, abs=0.15 * SAMPLE_RATE)
    spectrum = np.abs(np.fft.rfft(sound))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(sound) == pytest.approx(440, abs=5)
    assert np.abs(sound).max() == pytest.approx(0.3, abs=0.1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"\x00" * 5_000, "damaged, or of a kind"),
        (bytes(range(256)) * 40, "damaged, or of a kind"),
        (b"OggS" + b"\xff" * 5_000, "damaged, or of a kind|no sound"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "damaged, or of a kind|no sound"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "damaged, or of a kind"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "damaged, or of a kind"),
        (b"<html>not a recording</html>", "damaged, or of a kind"),
        (silent_film(), "no sound in this file"),
    ],
)
def test_what_is_no_recording_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        read(data)


def test_a_recording_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    data = recording(np.tile(TONE, 8), 24_000, "voice message")
    assert 1 < len(read(data[: len(data) // 2])) / SAMPLE_RATE < 7


def test_a_video_that_was_cut_off_before_its_index_is_damaged() -> None:
    data = recording(np.tile(TONE, 8), 24_000, "video note")
    with pytest.raises(InvalidInputError, match="damaged"):
        read(data[: len(data) // 2])


def test_a_large_file_is_refused_unread() -> None:
    with pytest.raises(InvalidInputError, match="has 26 MB; I listen to at most 25 MB"):
        read(b"\x00" * 26_000_000)


def test_a_long_recording_is_refused_by_what_it_says_of_itself() -> None:
    data = recording(silence(20 * 60, 8_000), 8_000, "flac")
    with pytest.raises(InvalidInputError, match="is 20 minutes long; I listen to at most 5 minut"):
        read(data)


@pytest.mark.parametrize("kind", ["voice message", "video note", "mp3", "webm"])
def test_every_kind_tells_its_length(kind: str) -> None:
    data = recording(silence(15, 16_000), 16_000, kind)
    with pytest.raises(InvalidInputError, match="is 15 seconds long; I listen to at most 5 sec"):
        read(data, max_seconds=5)


def test_a_long_recording_that_does_not_tell_is_read_no_further_than_allowed() -> None:
    live = bytearray(recording(noise(60), 16_000, "wav"))
    for at in (4, live.index(b"data") + 4):  # as a recorder writes it that does not know yet
        live[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(InvalidInputError, match="I listen to at most 10 seconds"):
        read(bytes(live), max_seconds=10)


def test_silence_and_a_click_are_no_speech() -> None:
    with pytest.raises(NothingHeardError, match="silent"):
        read(recording(silence(2), 16_000))
    with pytest.raises(NothingHeardError, match="too short"):
        read(recording(noise(0.05), 16_000))


def test_a_platform_may_round_the_length(spoken: Speech) -> None:
    data = recording(spoken.samples, spoken.sample_rate, "voice message")
    assert len(read(data, max_seconds=spoken.duration - 0.5))


def test_sound_beyond_full_scale_and_without_numbers_is_made_harmless() -> None:
    wild = TONE.copy()
    wild[100:200] = np.nan
    wild[300:400] = np.inf
    floats = struct.pack("<HHIIHH", 3, 1, 24_000, 96_000, 4, 32)
    body = wild.astype("<f4").tobytes()
    file = b"WAVEfmt " + struct.pack("<I", 16) + floats + b"data" + struct.pack("<I", len(body))
    sound = read(b"RIFF" + struct.pack("<I", len(file) + len(body)) + file + body)
    assert np.isfinite(sound).all() and np.abs(sound).max() <= 1


EXAMPLES = {kind: recording(TONE[:8_000], 24_000, kind) for kind in KINDS}


@given(st.sampled_from(sorted(KINDS)), st.data())
@settings(max_examples=60, deadline=None)
def test_damage_anywhere_is_survived(kind: str, data: st.DataObject) -> None:
    damaged = bytearray(EXAMPLES[kind])
    places = st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=20)
    for place in data.draw(places):
        damaged[place] = data.draw(st.integers(0, 255))
    try:
        sound = read(bytes(damaged), max_seconds=5)
    except InvalidInputError:
        return
    assert np.isfinite(sound).all() and len(sound) <= 7 * SAMPLE_RATE
