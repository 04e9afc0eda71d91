"""The work of a frame is counted, not guessed."""

from __future__ import annotations

import pytest

from engine.talkinghead.sadtalker.operations import frame_operations


def test_a_frame_of_256_pixels() -> None:
    found = frame_operations(256)
    pixels, wide = 64 * 64, 512 * 512 * 9
    # six blocks of the decoder: two convolutions, and for each two that make its norm
    middle = 6 * 2 * pixels * (wide + 256 * 128 * 9 + 128 * 1024 * 9)
    assert 2 * middle < found.decoder < 4 * middle
    assert found.decoder > found.motion > found.bottleneck
    assert found.frame == found.decoder + found.motion + found.bottleneck


def test_four_times_as_many_pixels_are_four_times_the_work() -> None:
    small, large = frame_operations(128), frame_operations(256)
    assert large.decoder == 4 * small.decoder
    assert large.encode == 4 * small.encode
    assert large.frame == pytest.approx(4 * small.frame, rel=0.01)
