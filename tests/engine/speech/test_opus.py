"""Speech as a voice message."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from engine.speech.base import Speech
from engine.speech.opus import opus_bytes
from personas.errors import InvalidInputError


def tone(seconds: float, rate: int) -> Speech:
    time = np.arange(int(seconds * rate), dtype=np.float32) / rate
    return Speech((0.5 * np.sin(2 * np.pi * 300 * time)).astype(np.float32), rate, (), (), "Hm")


def decoded(data: bytes) -> tuple[np.ndarray, int, str]:
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        parts = [frame.to_ndarray()[0] for frame in container.decode(stream)]
        assert container.format.name == "ogg"
        return np.concatenate(parts), stream.rate, stream.codec_context.name


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 48_000])
def test_it_is_opus_of_the_same_length_and_tone(rate: int) -> None:
    sound, at, codec = decoded(opus_bytes(tone(1.5, rate)))
    assert (at, "opus" in codec) == (48_000, True)
    assert len(sound) / at == pytest.approx(1.5, abs=0.06)
    middle = sound[len(sound) // 4 : -len(sound) // 4]
    loudest = np.argmax(np.abs(np.fft.rfft(middle))) * at / len(middle)
    assert loudest == pytest.approx(300, abs=5)


def test_a_lower_bitrate_is_a_smaller_file() -> None:
    noise = np.random.default_rng(1).normal(0, 0.2, 24_000 * 4).astype(np.float32)
    speech = Speech(noise, 24_000, (), (), "Sh")
    assert len(opus_bytes(speech, bitrate=12_000)) < 0.6 * len(opus_bytes(speech))


def test_damaged_samples_do_no_harm() -> None:
    samples = np.array([0.0, np.nan, np.inf, -9.0] * 4_000, np.float32)
    assert len(decoded(opus_bytes(Speech(samples, 16_000, (), (), "x")))[0])


def test_silence_of_no_length_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        opus_bytes(Speech(np.zeros(0, np.float32), 16_000, (), (), ""))
