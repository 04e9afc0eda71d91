"""The benchmark measures a real clip and can be printed as JSON."""

from __future__ import annotations

import json

import pytest

from engine.talkinghead.bench import run, sample_portrait, sample_speech
from engine.talkinghead.drawn import DrawnHead
from engine.talkinghead.settings import EncoderSettings, TalkingHeadSettings


def test_a_report_of_a_short_clip() -> None:
    settings = TalkingHeadSettings(encoder=EncoderSettings(preset="ultrafast"))
    report = run(DrawnHead(128), 1.0, settings=settings, speech_synthesis=0.25)
    assert report.frames == 25
    assert report.seconds == pytest.approx(1.0)
    assert 0 < report.drawing_fps_lowest <= report.drawing_fps <= report.drawing_fps_highest
    assert report.drawing_fps_per_core > 0
    assert report.redrawing_fps > 0
    assert 0 < report.encoder_share < 1
    assert report.real_time_factor >= report.total
    assert json.loads(json.dumps(report.as_dict()))["renderer"] == "drawn-1"


@pytest.mark.parametrize("seconds", [0.04, 0.3, 5.0])
def test_its_speech_has_phonemes_without_gaps(seconds: float) -> None:
    said = sample_speech(seconds)
    assert said.duration == pytest.approx(seconds, abs=0.03)
    assert said.phonemes[0].start == 0
    for before, after in zip(said.phonemes, said.phonemes[1:], strict=False):
        assert before.end == after.start


def test_its_portrait_has_layers() -> None:
    draft = sample_portrait(128)
    assert draft.body is not None
    assert draft.body.shape == (128, 128, 4)
