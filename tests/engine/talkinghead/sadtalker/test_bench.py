"""bench sadtalker measures what it says, and nothing else."""

from __future__ import annotations

import pytest
import torch

from engine.talkinghead.sadtalker import bench, peak
from engine.talkinghead.settings import SadTalkerSettings
from tests.fakes.sadtalker import make_bench_quick


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    make_bench_quick(monkeypatch)


def measured() -> bench.Report:
    return bench.run(
        SadTalkerSettings(device="cpu"),
        resolutions=(128, 256),
        batches=(1, 2),
        seconds=(0.2, 0.4),
        size=128,
    )


def test_every_resolution_batch_and_length_is_measured_in_full() -> None:
    report = measured()
    ways = [(way.resolution, way.batch) for way in report.measured]
    assert ways == [(128, 1), (128, 2), (256, 1), (256, 2)]
    for way in report.measured:
        assert [(clip.audio_seconds, clip.frames) for clip in way.clips] == [(0.2, 5), (0.4, 10)]
        for clip in way.clips:
            assert 0 < clip.first_frame <= clip.total
            assert clip.fps == pytest.approx(clip.frames / clip.total, rel=0.05)
        assert {stage.per for stage in way.stages} == {"portrait", "clip", "frame"}
        frame = [stage for stage in way.stages if stage.per == "frame"]
        assert way.largest == max(frame, key=lambda stage: stage.milliseconds).name
        assert way.peak_share >= 0
    assert report.as_dict()["measured"][0]["clips"][0]["frames"] == 5


def test_operations_are_counted_and_the_peak_is_positive() -> None:
    one = torch.randn(64, 32)
    assert peak.measure_flops(lambda: one @ one.T) == 2 * 64 * 32 * 64
    assert peak.measure_peak(torch.device("cpu"), torch.float32) > 1e6
