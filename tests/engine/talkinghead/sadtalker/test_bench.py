"""bench sadtalker measures what it says, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.talkinghead.sadtalker import bench, peak
from engine.talkinghead.sadtalker.comparison import Beside
from engine.talkinghead.settings import SadTalkerSettings
from personas.errors import InvalidInputError, UnavailableError
from tests.fakes.sadtalker import make_bench_quick
from tests.fakes.sadtalker_checkout import make_checkout


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


class TestTheOriginal:
    """The original program beside ours; here with a checkout whose networks do next to nothing."""

    def beside(self, checkout: Path, **how: object) -> tuple[Beside, ...]:
        report = bench.run(
            SadTalkerSettings.model_validate({"device": "cpu", **how}),
            resolutions=(128, 256),
            batches=(1, 2),
            seconds=(0.2, 0.36),
            size=128,
            original=checkout,
        )
        return report.beside

    def test_it_makes_the_clips_that_ours_made(self, tmp_path: Path) -> None:
        rows = self.beside(make_checkout(tmp_path))
        made = [(row.resolution, row.audio_seconds, row.frames) for row in rows]
        assert made == [(128, 0.2, 5), (128, 0.36, 9), (256, 0.2, 5), (256, 0.36, 9)]
        for row in rows:
            spent = row.listening + row.rendering + row.pasting
            assert row.total == pytest.approx(spent, abs=0.002)
            assert sorted(row.here) == [1, 2]
            # What whoever reads the table would find.
            assert row.ratio == round(row.total / min(row.here.values()), 2)
            # Its pictures are half as bright as ours.
            assert 5 < row.alike < 15
            assert row.memory_mb is None

    def test_faces_alone_are_seventy_coefficients(self, tmp_path: Path) -> None:
        assert len(self.beside(make_checkout(tmp_path), framing="crop")) == 4

    def test_a_folder_that_is_none_is_refused_before_anything_is_measured(
        self, tmp_path: Path
    ) -> None:
        with pytest.raises(InvalidInputError, match="git clone"):
            self.beside(tmp_path)

    def test_what_it_lacks_is_told_in_its_own_words(self, tmp_path: Path) -> None:
        checkout = make_checkout(tmp_path, mapping="import librosa_of_long_ago")
        with pytest.raises(UnavailableError, match="No module named 'librosa_of_long_ago'"):
            self.beside(checkout)

    def test_networks_of_another_shape_are_told(self, tmp_path: Path) -> None:
        checkout = make_checkout(tmp_path, generator="class OcclusionAwareSPADEGenerator: pass")
        with pytest.raises(UnavailableError, match="did not run"):
            self.beside(checkout)
