"""Whole stages, from picture and sound to frames, give what the original program gave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.talkinghead.clips import pictures, sound
from engine.talkinghead.sadtalker import audio
from engine.talkinghead.sadtalker.acting import coefficients_of, keypoints_of
from engine.talkinghead.sadtalker.direction import Direction, rank_styles
from engine.talkinghead.sadtalker.facecrop import crop_face, cut_face
from engine.talkinghead.sadtalker.facepoints import crop_points_of_68, five_of_68
from engine.talkinghead.sadtalker.head import SadTalkerHead
from engine.talkinghead.sadtalker.networks import transform_keypoints
from engine.talkinghead.sadtalker.rendering import Renderer
from engine.talkinghead.sadtalker.source import fit, make_source, to_tensor, understand
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks, load_mapping
from engine.talkinghead.settings import EncoderSettings
from engine.talkinghead.video import encode
from tests.engine.talkinghead.sadtalker.conftest import WeightFiles
from tests.engine.talkinghead.sadtalker.golden import Golden, assert_near
from tests.engine.talkinghead.speeches import portrait, speech


@pytest.fixture(scope="module")
def for_whole_pictures(networks: SadTalkerNetworks, weight_files: WeightFiles) -> SadTalkerNetworks:
    return replace(networks, mapping=load_mapping(weight_files.full))


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array)


def played(blinks: np.ndarray, style: np.ndarray, latents: np.ndarray) -> Direction:
    """As the original plays: nothing is stressed, and the head is not turned."""
    frames = len(blinks)
    return Direction(
        style=int(style),
        latents=tensor(latents),
        blinks=blinks,
        expression=np.ones(frames, np.float32),
        turns=np.zeros((frames, 3), np.float32),
    )


def test_the_source_stage(golden: Golden, networks: SadTalkerNetworks) -> None:
    image = golden["extract/image_u8"]
    height, width = image.shape[:2]
    crop = crop_face(crop_points_of_68(golden["extract/lm_full"]), width, height)
    face = cut_face(image, crop, 256)
    found = fit(face, five_of_68(golden["extract/lm_crop"]), networks)
    # Two libraries' bicubics and bilinears may differ by one step of 255 in a pixel.
    assert_near(found[None], golden["extract/coeff73"], 1e-3, 1e-4)


def test_sound_to_coefficients(golden: Golden, networks: SadTalkerNetworks) -> None:
    wave = golden["audio/wave_i16"].astype(np.float32) / 32768
    found = coefficients_of(
        networks,
        tensor(golden["chain/source_coeff"][0]),
        audio.hear(wave, audio.frames_of(len(wave))),
        played(golden["chain/blink"], golden["chain/style"], golden["chain/z"][0]),
    )
    assert_near(found, golden["chain/coeff"])


@pytest.mark.parametrize("frames", [32, 33, 75])
def test_long_speech_in_pieces_moves_as_in_one(
    golden: Golden, networks: SadTalkerNetworks, frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.talkinghead.sadtalker.acting._PIECE", 32)
    monkeypatch.setattr("engine.talkinghead.sadtalker.acting.smooth", lambda poses: poses)
    source = torch.cat([tensor(golden["a2/ref"][0, 0]), torch.zeros(3)])
    found = coefficients_of(
        networks,
        source,
        golden["a2/mels_i8"][0, :frames].astype(np.float32) / 16,
        played(
            golden["a2/ratio"][0, :frames, 0],
            golden["audio2pose/style"][0],
            golden["audio2pose/z"][:, 0],
        ),
    )
    assert_near(found[None, :, 64:], golden[f"audio2pose/pose_T{frames}"])
    # The reference expression differs from frame to frame there; here it is the first one's.
    assert_near(found[None, :1, :64], golden["audio2exp/exp"][:, :1])


def test_coefficients_to_pictures(golden: Golden, networks: SadTalkerNetworks) -> None:
    windows = tensor(golden["anim/target_semantics"][0])
    own = tensor(golden["anim/source_semantics"][0, :, 13])
    face = golden["kp/image_u8"][0].transpose(1, 2, 0)[::2, ::2]
    canonical, keypoints, features = understand(face, own, networks)
    with torch.inference_mode():
        driving = transform_keypoints(canonical, networks.mapping(windows))
        made = networks.generator.render(features, keypoints, driving)
    assert_near(made[None, ..., ::2, ::2], golden["anim/prediction_s2"])


def test_the_renderer_shows_what_the_generator_makes(
    golden: Golden, for_whole_pictures: SadTalkerNetworks
) -> None:
    networks = for_whole_pictures
    draft = portrait(256)
    source = make_source(draft, networks, size=128, resolution=128)
    still = Direction(0, torch.zeros(0, 64), *(np.zeros(n, np.float32) for n in (2, 2)),
                      np.zeros((2, 3), np.float32))  # fmt: skip
    moves = source.coefficients[None, :70].repeat(2, 1)
    moves[1, 64:67] += 0.2
    keypoints = keypoints_of(networks, source, moves, still, still=False)
    frames = list(Renderer(networks, batch=2).frames(source, keypoints))
    with torch.inference_mode():
        made = networks.generator.render(source.features, source.keypoints, keypoints)
    left, top, right, bottom = source.canvas.region
    middle = (top + bottom) // 2, (left + right) // 2
    for frame, picture in zip(frames, made, strict=True):
        at_y = (middle[0] + 0.5 - source.canvas.box[1]) * 128 / (bottom - top)
        at_x = (middle[1] + 0.5 - source.canvas.box[0]) * 128 / (right - left)
        near = picture[:, int(at_y) - 1 : int(at_y) + 2, int(at_x) - 1 : int(at_x) + 2] * 255
        for channel in range(3):
            value = int(frame[middle][channel])
            assert near[channel].min() - 1 <= value <= near[channel].max() + 1
    assert to_tensor(frames[0], networks.device).shape == (1, 3, 128, 128)


def test_styles_are_ranked_by_how_much_they_move(networks: SadTalkerNetworks) -> None:
    ranks = rank_styles(networks.pose)
    assert sorted(ranks) == list(range(46))
    assert ranks == rank_styles(networks.pose)


def test_a_clip_from_end_to_end(for_whole_pictures: SadTalkerNetworks) -> None:
    said = speech(("", 0.4), ("ɑ", 0.2), ("", 0.4))
    head = SadTalkerHead(lambda: for_whole_pictures, size=128, resolution=128)
    frames = head.frames(head.prepare(portrait(256)), said, seed=1)
    clip = encode(frames, said, fps=25, size=128, settings=EncoderSettings(crf=18))
    assert (clip.frames, clip.duration, clip.size) == (25, 1.0, 128)
    seen = list(pictures(clip))
    assert len(seen) == 25
    assert {picture.shape for picture in seen} == {(128, 128, 3)}
    # In step: what is loud in the sound is where it was said.
    heard = sound(clip)
    assert heard is not None
    assert abs(heard.duration - 1.0) < 0.1
    loud = np.flatnonzero(np.abs(heard.samples) > 0.1) / heard.sample_rate
    assert abs(loud[0] - 0.4) < 0.04 and abs(loud[-1] - 0.6) < 0.06
