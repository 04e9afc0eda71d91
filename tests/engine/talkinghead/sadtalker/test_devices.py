"""The whole head with networks of full size, on each device that is here.

What is tried on the GPU runs where one is; the CPU takes its part in what it can do, too.
"""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.speech.base import Speech
from engine.talkinghead import encoders
from engine.talkinghead.clips import pictures
from engine.talkinghead.sadtalker.head import SadTalkerHead
from engine.talkinghead.sadtalker.opening import device_of, precision_of
from engine.talkinghead.sadtalker.rendering import Renderer
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks
from engine.talkinghead.settings import SadTalkerSettings
from engine.talkinghead.video import encode
from tests.engine.talkinghead.sadtalker.conftest import WeightFiles
from tests.engine.talkinghead.sadtalker.heads import silence
from tests.engine.talkinghead.speeches import babble, portrait

SIZE = 128
SAID = babble(1.6)
"""What is said on a GPU: 40 frames."""

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
DEVICES = ["cpu", pytest.param("cuda", marks=needs_gpu)]


def head_on(networks: SadTalkerNetworks, **how: object) -> SadTalkerHead:
    settings = SadTalkerSettings.model_validate({"framing": "crop", **how})
    return SadTalkerHead(lambda: networks, size=SIZE, resolution=SIZE, settings=settings)


def film(head: SadTalkerHead, said: Speech) -> NDArray[np.uint8]:
    frames: list[Image] = [f.copy() for f in head.frames(head.prepare(portrait(256)), said, 3)]
    return np.stack(frames)


def psnr(found: NDArray[np.uint8], wanted: NDArray[np.uint8]) -> float:
    error = np.mean((found.astype(float) - wanted) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-6)))


@pytest.fixture(scope="module")
def wanted(networks: SadTalkerNetworks) -> NDArray[np.uint8]:
    """Six frames in float32 on the CPU."""
    return film(head_on(networks), silence(0.24))


@pytest.fixture(scope="module")
def on_gpu(weight_files: WeightFiles) -> SadTalkerNetworks:
    return SadTalkerNetworks.load(
        weight_files.checkpoint, weight_files.crop, device="cuda", precision=torch.float16
    )


@pytest.mark.parametrize("device", DEVICES)
def test_a_clip_looks_as_in_float32_with_the_precision_that_is_chosen_for_the_device(
    device: str, weight_files: WeightFiles, wanted: NDArray[np.uint8]
) -> None:
    settings = SadTalkerSettings.model_validate({"device": device})
    there = device_of(settings)
    precision = precision_of(settings, there)
    networks = SadTalkerNetworks.load(
        weight_files.checkpoint, weight_files.crop, device=there, precision=precision
    )
    found = film(head_on(networks, device=device), silence(0.24))
    assert found.shape == wanted.shape == (6, SIZE, SIZE, 3)
    assert psnr(found, wanted) >= 38


@needs_gpu
class TestGpu:
    def test_the_batch_fits_the_memory(self, on_gpu: SadTalkerNetworks) -> None:
        head = head_on(on_gpu)
        assert head.batch == 0
        film(head, SAID)
        assert head.batch > 4 and head.batch & (head.batch - 1) == 0

    def test_batches_of_any_size_give_the_same_frames(self, on_gpu: SadTalkerNetworks) -> None:
        one, many = (film(head_on(on_gpu, batch=batch), SAID) for batch in (1, 16))
        assert psnr(one, many) >= 45

    def test_clips_that_are_made_together_look_as_if_alone(self, on_gpu: SadTalkerNetworks) -> None:
        head = head_on(on_gpu, batch=8)
        alone = film(head, SAID)
        found: dict[int, NDArray[np.uint8]] = {}
        threads = [
            threading.Thread(target=lambda i=i: found.update({i: film(head, SAID)}))
            for i in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [0, 1, 2]
        assert all(psnr(frames, alone) >= 45 for frames in found.values())

    def test_a_batch_that_does_not_fit_is_halved(
        self, on_gpu: SadTalkerNetworks, caplog: pytest.LogCaptureFixture
    ) -> None:
        source = head_on(on_gpu).prepare(portrait(256))
        torch.cuda.empty_cache()
        _, whole = torch.cuda.mem_get_info()
        room = torch.cuda.memory_allocated() + (1 << 30)
        torch.cuda.set_per_process_memory_fraction(min(1.0, room / whole))
        try:
            renderer = Renderer(on_gpu, batch=256)
            made = renderer.frames(source, source.keypoints.repeat(300, 1, 1))
            assert sum(1 for _ in made) == 300
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        assert renderer.batch < 256
        assert "too large" in caplog.text

    def test_compiled_it_looks_the_same(self, on_gpu: SadTalkerNetworks) -> None:
        plain = film(head_on(on_gpu, batch=8), SAID)
        assert psnr(film(head_on(on_gpu, batch=8, compile=True), SAID), plain) >= 38
        torch.compiler.reset()

    @pytest.mark.skipif(not encoders.has_nvenc(), reason="this GPU has no encoder")
    def test_the_gpus_own_encoder_makes_clips_that_decode(self) -> None:
        frames = (np.full((256, 256, 3), 5 * index, np.uint8) for index in range(40))
        clip = encode(frames, SAID, fps=25, size=256)
        assert len(list(pictures(clip))) == clip.frames == 40
