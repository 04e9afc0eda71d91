"""How much work a frame is: what a benchmark compares with what the hardware could do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from engine.talkinghead.sadtalker.networks import Generator


@dataclass(frozen=True)
class FrameOperations:
    """Floating-point operations of the renderer; a multiplication and an addition are two.

    Attributes:
        encode: once a portrait: the picture's features in space.
        motion: for each frame: where each part of the picture goes.
        bottleneck: for each frame: what is between the moved features and the decoder.
        decoder: for each frame: from features to the picture.
    """

    encode: int
    motion: int
    bottleneck: int
    decoder: int

    @property
    def frame(self) -> int:
        """All that is done for each frame."""
        return self.motion + self.bottleneck + self.decoder


def frame_operations(size: int) -> FrameOperations:
    """Counts convolutions and matrix products of one frame, without computing them.

    Args:
        size: of the face in pixels; a multiple of 128.
    """
    with torch.device("meta"):
        generator = Generator().eval()
        generator.fold()
        image = torch.empty(1, 3, size, size)
        keypoints = torch.empty(1, 15, 3)
    source = generator.encode(image)
    features = generator.decoder_features(source, keypoints, keypoints)
    motion = _count(lambda: generator.dense_motion_network(source.compressed, keypoints, keypoints))
    whole = _count(lambda: generator.decoder_features(source, keypoints, keypoints))
    return FrameOperations(
        encode=_count(lambda: generator.encode(image)),
        motion=motion,
        bottleneck=whole - motion,
        decoder=_count(lambda: generator.decoder(features)),
    )


def _count(work: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        work()
    return int(counter.get_total_flops())
