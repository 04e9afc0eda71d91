"""Clips: what their bytes hold, and what encoding leaves behind."""

from __future__ import annotations

import contextlib
import io
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.portrait.base import Image
from engine.speech.base import Speech
from engine.stopwatch import Stopwatch
from engine.talkinghead.base import Clip
from engine.talkinghead.clips import pictures, reencode, sound, thumbnail
from engine.talkinghead.drawn import DrawnHead
from engine.talkinghead.settings import EncoderSettings
from engine.talkinghead.video import ClipCancelledError, encode
from personas.errors import InvalidInputError, UnavailableError
from tests.engine.talkinghead.speeches import RATE, babble, portrait, speech
from tests.fakes.talkinghead import FakeHead

QUICK = EncoderSettings(preset="ultrafast", threads=1)


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def grey(count: int, size: int = 64) -> Iterator[Image]:
    frame = np.zeros((size, size, 3), np.uint8)
    for index in range(count):
        frame[:] = 40 + index % 100
        yield frame


def clip_of(said: Speech | None, size: int = 64, seconds: float = 1.0) -> Clip:
    count = round((said.duration if said else seconds) * 25)
    return encode(grey(count, size), said, fps=25, size=size, settings=QUICK)


@pytest.fixture(scope="module")
def talking() -> Clip:
    head, said = DrawnHead(512), babble(3.0)
    frames = head.frames(head.prepare(portrait(512)), said)
    return encode(frames, said, fps=25, size=512)


@pytest.fixture(scope="module")
def small() -> Clip:
    head, said = DrawnHead(256), babble(2.0)
    frames = head.frames(head.prepare(portrait(256)), said)
    return encode(frames, said, fps=25, size=256)


def test_a_clip_is_h264_512_by_512_at_25_fps_with_aac(talking: Clip) -> None:
    av = pytest.importorskip("av")
    with av.open(io.BytesIO(talking.data)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.codec_context.name == "h264"
        assert (video.width, video.height) == (512, 512)
        assert video.codec_context.pix_fmt == "yuv420p"
        assert video.average_rate == 25
        assert video.start_time == 0
        assert audio.codec_context.name == "aac"
        assert audio.start_time == 0
        assert video.codec_context.colorspace == 6
        assert video.codec_context.color_range == 1
    assert talking.frames == 75
    assert talking.duration == pytest.approx(3.0)
    assert sum(1 for _ in pictures(talking)) == 75


def test_the_header_comes_first_so_that_it_plays_while_it_loads(talking: Clip) -> None:
    assert 0 < talking.data.find(b"moov") < talking.data.find(b"mdat")


def test_colours_come_back_as_they_were() -> None:
    colours = [(200, 40, 40), (40, 180, 60), (50, 70, 210), (255, 255, 255), (0, 0, 0)]
    frames = [np.full((64, 64, 3), colour, np.uint8) for colour in colours]
    clip = encode(iter(frames), None, fps=25, size=64, settings=EncoderSettings(crf=10))
    for before, after in zip(frames, pictures(clip), strict=True):
        assert np.abs(before.astype(int) - after).max() < 12


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000, 11_000, 96_000])
def test_sound_comes_back_at_its_time_and_length(rate: int) -> None:
    time = np.arange(int(1.5 * rate)) / rate
    chirp = 0.5 * np.sin(2 * np.pi * (200 + 400 * time) * time) * (time > 0.5) * (time < 1.0)
    said = Speech(chirp.astype(np.float32), rate, (), (), "")
    heard = sound(clip_of(said))
    assert heard is not None
    assert heard.duration == pytest.approx(said.duration, abs=0.05)
    loud = np.abs(heard.samples) > 0.1
    first = float(np.argmax(loud)) / heard.sample_rate
    last = 1 - float(np.argmax(loud[::-1])) / len(loud)
    assert first == pytest.approx(0.5, abs=0.02)
    assert last * heard.duration == pytest.approx(1.0, abs=0.02)


def test_the_length_is_the_speech_s() -> None:
    for seconds in (0.2, 0.99, 1.011, 2.5):
        said = speech(("ɑ", seconds))
        clip = clip_of(said)
        assert clip.duration == pytest.approx(said.duration, abs=0.05)


def test_a_clip_without_speech_is_silent() -> None:
    clip = clip_of(None)
    assert sound(clip) is None
    assert sum(1 for _ in pictures(clip)) == 25


def test_a_speech_without_samples_is_silent_too() -> None:
    clip = encode(
        grey(1), Speech(np.zeros(0, np.float32), RATE, (), (), ""), fps=25, size=64, settings=QUICK
    )
    assert clip.frames == 1


def test_frames_that_are_reused_are_not_mixed_up() -> None:
    shown = [int(picture.mean()) for picture in pictures(clip_of(None, seconds=2.0))]
    assert np.abs(np.asarray(shown) - (40 + np.arange(50))).max() <= 3


def test_nothing_is_left_behind(own_temporary_folder: Path) -> None:
    clip_of(speech(("ɑ", 0.4)))
    assert not list(own_temporary_folder.iterdir())


def test_cancelling_ends_soon_and_leaves_nothing(own_temporary_folder: Path) -> None:
    cancel = threading.Event()
    drawn = 0

    def frames() -> Iterator[Image]:
        nonlocal drawn
        for frame in grey(100_000):
            drawn += 1
            if drawn == 20:
                cancel.set()
            yield frame

    with pytest.raises(ClipCancelledError):
        encode(frames(), None, fps=25, size=64, settings=QUICK, cancel=cancel)
    assert drawn < 60
    assert not list(own_temporary_folder.iterdir())
    assert not [t for t in threading.enumerate() if t.name == "clip-drawing"]


def test_cancelled_before_it_began() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(ClipCancelledError):
        encode(grey(9), None, fps=25, size=64, cancel=cancel)


def test_a_head_that_fails_is_heard_of_and_closed(own_temporary_folder: Path) -> None:
    head = FakeHead(error=UnavailableError("The head fell off."))
    frames = head.frames(head.prepare(portrait(64)), babble(2.0))
    with pytest.raises(UnavailableError, match="fell off"):
        encode(frames, None, fps=25, size=64, settings=QUICK)
    assert head.closed == [0]
    assert not list(own_temporary_folder.iterdir())


def test_an_encoder_that_fails_closes_the_head() -> None:
    head = FakeHead(size=64)
    frames = head.frames(head.prepare(portrait(64)), babble(60.0))
    with pytest.raises(InvalidInputError):
        encode(frames, None, fps=25, size=128, settings=QUICK)
    assert len(head.closed) == 1


@pytest.mark.parametrize("size", [0, -2, 63, 511, 14])
def test_odd_sizes_are_refused(size: int) -> None:
    with pytest.raises(InvalidInputError):
        encode(grey(2, 64), None, fps=25, size=size)


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [np.zeros((32, 64, 3), np.uint8)],
        [np.zeros((64, 64, 4), np.uint8)],
        [np.zeros((64, 64, 3))],
    ],
)
def test_frames_that_are_none_are_refused(frames: list[Image]) -> None:
    with pytest.raises(InvalidInputError):
        encode(iter(frames), None, fps=25, size=64, settings=QUICK)


def test_no_room_for_the_file_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    with pytest.raises(UnavailableError):
        clip_of(None)


def test_it_tells_where_the_time_went() -> None:
    watch = Stopwatch()
    encode(grey(10), speech(("ɑ", 0.4)), fps=25, size=64, settings=QUICK, watch=watch)
    assert set(watch.seconds) == {"drawing", "colours", "encoding", "sound"}
    assert min(watch.seconds.values()) > 0


def test_a_thumbnail_is_the_first_picture(talking: Clip) -> None:
    import cv2

    data = thumbnail(talking, 160)
    assert data[:2] == b"\xff\xd8"
    small = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    first = cv2.resize(next(pictures(talking)), (160, 160), interpolation=cv2.INTER_AREA)
    assert small.shape == (160, 160, 3)
    assert np.abs(small.astype(int) - first).mean() < 8


def test_a_clip_can_be_made_to_fit(small: Clip) -> None:
    assert reencode(small, len(small.data)) is small
    limit = len(small.data) // 2
    smaller = reencode(small, limit)
    assert len(smaller.data) <= limit
    assert smaller.frames == small.frames
    heard = sound(smaller)
    assert heard is not None
    assert heard.duration == pytest.approx(small.duration, abs=0.05)


def test_a_clip_that_can_never_fit_is_refused(small: Clip) -> None:
    with pytest.raises(InvalidInputError):
        reencode(small, 2_000)


@pytest.mark.parametrize("data", [b"", b"not a video", b"\x00" * 5000])
def test_what_is_no_clip_is_refused(data: bytes) -> None:
    clip = Clip(data, 1.0, 64, 25)
    with pytest.raises(InvalidInputError):
        thumbnail(clip)
    with pytest.raises(InvalidInputError):
        reencode(clip, -1)


def test_a_clip_cut_short_is_refused_or_shows_what_is_there(talking: Clip) -> None:
    cut = Clip(talking.data[: len(talking.data) // 2], 3.0, 512, 75)
    with contextlib.suppress(InvalidInputError):
        assert sum(1 for _ in pictures(cut)) <= 75
