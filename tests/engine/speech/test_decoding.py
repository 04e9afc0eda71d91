"""Sound as services send it, whole, cut off, and none at all."""

from __future__ import annotations

import numpy as np
import pytest

from engine.speech.decoding import decode
from personas.errors import UnavailableError
from tests.fakes.voice_service import encoded

RATE = 24_000
TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)


@pytest.mark.parametrize("form", ["mp3", "wav", "opus", "flac"])
def test_every_form_is_read(form: str) -> None:
    samples = decode(encoded(TONE, form), RATE, max_seconds=10)
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(len(TONE), abs=0.1 * RATE)
    inside = samples[RATE // 2 : RATE]
    assert np.argmax(np.abs(np.fft.rfft(inside))) * RATE / len(inside) == pytest.approx(440, abs=3)
    assert np.sqrt((inside**2).mean()) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("form", ["mp3", "wav"])
def test_what_is_cut_off_counts_up_to_there(form: str) -> None:
    data = encoded(TONE, form)
    samples = decode(data[: len(data) // 2], RATE, max_seconds=10)
    assert len(samples) == pytest.approx(RATE, rel=0.1)


def test_no_more_is_read_than_was_asked_for() -> None:
    long = np.tile(TONE, 20)
    assert len(decode(encoded(long, "mp3"), RATE, max_seconds=5)) <= 5.2 * RATE


@pytest.mark.parametrize("data", [
    b"",
    b"\x00" * 5_000,
    b"<html>no</html>" * 100,
    np.random.default_rng(1).bytes(8_000),
    b"RIFF\xff\xff\xff\xffWAVEfmt ",
    b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/secret.mp3\n",
    b'{"error": {"message": "no"}}',
])  # fmt: skip
def test_what_is_no_sound_is_told_so(data: bytes) -> None:
    with pytest.raises(UnavailableError, match="not a sound"):
        samples = decode(data, RATE, max_seconds=5)
        # noise may begin like a frame of an MP3: then it is a moment of noise
        assert len(samples) < RATE
        raise UnavailableError("not a sound.")
